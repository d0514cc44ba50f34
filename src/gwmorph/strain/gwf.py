"""Strain in frame files (GWF, LIGO-T970130), read with LALFrame.

LALFrame is called itself, not through gwpy, whose import takes 160 MB and 1.5 s, and which
expands a frame once more for each read: reading a single frame of 4096 s at 4096 Hz peaks at
570 MB here and at 720 MB there.
"""

from collections.abc import Iterator
from pathlib import Path

import lal
import lalframe
import numpy as np

from gwmorph.errors import StrainError
from gwmorph.strain.reader import FileDescription, damage, data_bit, detector_prefix, whole

# Longest span read at once: LALFrame holds the whole frame besides, compressed and expanded.
_PIECE_S = 2048
_TYPES = {
    lal.S_TYPE_CODE: "REAL4",
    lal.D_TYPE_CODE: "REAL8",
    lal.I2_TYPE_CODE: "INT2",
    lal.I4_TYPE_CODE: "INT4",
    lal.I8_TYPE_CODE: "INT8",
    lal.U2_TYPE_CODE: "UINT2",
    lal.U4_TYPE_CODE: "UINT4",
    lal.U8_TYPE_CODE: "UINT8",
}


class FrameReader:
    """One channel of a frame file."""

    def __init__(self, path: Path | str, channel: str | None) -> None:
        """Open the file and find the channel: by default the only one named STRAIN."""
        self._path = Path(path).resolve()
        with damage(path):
            # This open refuses truncated files, on which the one below crashes the process. Files
            # altered in the middle nearly always raise later; a few crash LALFrame, and its own
            # check of the file's checksum too, so that calling it here would not help.
            self._frames = lalframe.FrFileOpenURL(f"file://localhost{self._path}")
            self._channels = list(_channel_names(self._path))
        self.description = self._describe(channel or self._only_strain_channel())

    def close(self) -> None:
        """Close the file."""
        del self._frames

    def read_into(self, out: np.ndarray, gps_start: int) -> None:
        """Fill ``out`` (float64) with the samples from ``gps_start`` on."""
        rate = self.description.sample_rate
        for first in range(0, len(out), _PIECE_S * rate):
            piece = out[first : first + _PIECE_S * rate]
            piece[:] = self._read(
                self.description.dataset_or_channel, gps_start + first // rate, len(piece), rate
            )

    def science(self, start: int, end: int) -> np.ndarray:
        """Return bool [end - start]: DATA bit from the channel's DQMASK, True without one."""
        channel = self.description.dataset_or_channel
        mask_channel = channel.replace("STRAIN", "DQMASK")
        if mask_channel == channel or mask_channel not in self._channels:
            return np.ones(end - start, dtype=bool)
        return data_bit(self._read(mask_channel, start, end - start, 1))

    def _only_strain_channel(self) -> str:
        names = [name for name in self._channels if "STRAIN" in name]
        if len(names) != 1:
            raise StrainError(
                f"{self._path}: {len(names)} channels are named STRAIN; those that the file "
                f"holds: {self._channels}. Name one, as source: {{directory: {{channel: "
                "{H1: ...}}}."
            )
        return names[0]

    def _describe(self, channel: str) -> FileDescription:
        if channel not in self._channels:
            raise StrainError(
                f"{self._path}: no channel {channel!r}; those that the file holds: "
                f"{self._channels}. Correct source.directory.channel."
            )
        start, duration = self._span()
        with damage(self._path):
            samples = lalframe.FrFileQueryChanVectorLength(self._frames, channel, 0)
            seconds = lalframe.FrFileQueryDt(self._frames, 0)
        rate = whole(samples / seconds, "sample rate in Hz", self._path)
        return FileDescription(detector_prefix(channel), start, duration, rate, "gwf", channel)

    def _span(self) -> tuple[int, int]:
        with damage(self._path):
            count = lalframe.FrFileQueryNFrame(self._frames)
            starts = [
                float(lalframe.FrFileQueryGTime(lal.LIGOTimeGPS(), self._frames, i))
                for i in range(count)
            ]
            ends = [t + lalframe.FrFileQueryDt(self._frames, i) for i, t in enumerate(starts)]
        if starts[1:] != ends[:-1]:
            raise StrainError(
                f"{self._path}: its frames leave gaps or are out of order (they start at {starts} "
                f"and end at {ends}). Split the file at the gaps."
            )
        start = whole(starts[0], "GPS start", self._path)
        return start, whole(ends[-1] - starts[0], "duration in s", self._path)

    def _read(self, channel: str, start: int, count: int, rate: int) -> np.ndarray:
        """Return ``count`` values of a channel from GPS ``start`` on, at ``rate`` Hz."""
        with damage(self._path):
            kind = lalframe.FrFileQueryChanType(self._frames, channel, 0)
        if kind not in _TYPES:
            raise StrainError(f"{self._path}: channel {channel} holds no real numbers.")
        read = getattr(lalframe, f"FrStreamRead{_TYPES[kind]}TimeSeries")
        with damage(self._path):
            stream = lalframe.FrStreamOpen(str(self._path.parent), self._path.name)
            series = read(stream, channel, lal.LIGOTimeGPS(start), count / rate, 0)
        if series.data.length != count or series.epoch != start:
            raise StrainError(
                f"{self._path}: channel {channel}: expected {count} values from GPS {start} on, "
                f"got {series.data.length} from {series.epoch}. The file is cut short, or the "
                "channel has another sample rate there: fetch it again."
            )
        return series.data.data


def _channel_names(path: Path) -> Iterator[str]:
    file = lalframe.FrameUFrFileOpen(str(path), "r")  # must outlive its table of contents
    contents = lalframe.FrameUFrTOCRead(file)
    for kind in ("Adc", "Proc", "Sim"):
        count = getattr(lalframe, f"FrameUFrTOCQuery{kind}N")(contents)
        for index in range(count):
            yield getattr(lalframe, f"FrameUFrTOCQuery{kind}Name")(contents, index)
