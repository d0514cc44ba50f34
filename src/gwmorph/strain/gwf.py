"""Strain in frame files (GWF, LIGO-T970130), read with LALFrame.

LALFrame is called itself, not through gwpy, whose import takes 160 MB and 1.5 s, and which
expands a frame once more for each read: reading a single frame of 4096 s at 4096 Hz peaks at
570 MB here and at 720 MB there.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import lal
import lalframe
import numpy as np

from gwmorph.errors import StrainError
from gwmorph.strain.frame_checksums import require_checksums
from gwmorph.strain.frame_process import NO_SUCH_CHANNEL, Channel, channel_of, contents
from gwmorph.strain.reader import (
    FileDescription,
    data_bit,
    detector_in,
    detector_of_file,
    gps_second,
    read_faults,
    whole,
)

# Longest span read at once: LALFrame holds the whole frame besides, compressed and expanded.
_PIECE_S = 2048
# Structures of a file that is opened are checked up to this size, in bytes: all but the samples.
_LONGEST_CHECKED = 1 << 16
_NAME_ONE = "Name one: source.directory.channel, or --channel of gwmorph show."
_TYPES = {
    lalframe.FRAMEU_FR_VECT_4R: "REAL4",
    lalframe.FRAMEU_FR_VECT_8R: "REAL8",
    lalframe.FRAMEU_FR_VECT_2S: "INT2",
    lalframe.FRAMEU_FR_VECT_4S: "INT4",
    lalframe.FRAMEU_FR_VECT_8S: "INT8",
    lalframe.FRAMEU_FR_VECT_2U: "UINT2",
    lalframe.FRAMEU_FR_VECT_4U: "UINT4",
    lalframe.FRAMEU_FR_VECT_8U: "UINT8",
}


class FrameReader:
    """One channel of a frame file."""

    def __init__(self, path: Path | str, channel: str | None) -> None:
        """Open the file and find the channel: by default the only one named strain, or at all."""
        self._path = Path(path)
        with ExitStack() as opened:
            folder = opened.enter_context(TemporaryDirectory(prefix="gwmorph-"))
            self._link = _plain_link(self._path, Path(folder))
            with read_faults(path):
                # What LALFrame checks itself crashes its process, too, on some altered files.
                require_checksums(path, _LONGEST_CHECKED)
                self._checked_whole = False
                self._contents = contents(self._link)
            self._asked: dict[str, Channel] = {}
            self.description = self._describe(channel or self._only_strain_channel())
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def read_into(self, out: np.ndarray, gps_start: int) -> None:
        """Fill ``out`` (float64) with the samples from ``gps_start`` on."""
        self._check_whole()
        rate = self.description.sample_rate
        for first in range(0, len(out), _PIECE_S * rate):
            piece = out[first : first + _PIECE_S * rate]
            piece[:] = self._read(
                self.description.dataset_or_channel, gps_start + first // rate, len(piece), rate
            )

    def science(self, start: int, end: int) -> np.ndarray:
        """Return bool [end - start]: DATA bit from the channel's DQMASK, True without one."""
        mask = self._mask("DQMASK", start, end)
        return np.ones(end - start, dtype=bool) if mask is None else data_bit(mask)

    def injections(self, start: int, end: int) -> np.ndarray | None:
        """Return the injection mask of each second, int64 [end - start], None without one."""
        mask = self._mask("INJMASK", start, end)
        return None if mask is None else mask.astype(np.int64)

    def _check_whole(self) -> None:
        """Compare all checksums, once, before samples are read: that takes as long as a read."""
        if not self._checked_whole:
            with read_faults(self._path):
                require_checksums(self._path)
            self._checked_whole = True

    def _mask(self, name: str, start: int, end: int) -> np.ndarray | None:
        """Return the channel beside the strain's that is named so, a value a second, or None."""
        channel = self.description.dataset_or_channel
        mask_channel = channel.replace("STRAIN", name)
        if mask_channel == channel or mask_channel not in self._contents.channels:
            return None
        self._check_whole()
        return self._read(mask_channel, start, end - start, 1)

    def _only_strain_channel(self) -> str:
        names = [name for name in self._contents.channels if "STRAIN" in name.upper()]
        if not names and len(self._contents.channels) == 1:
            names = self._contents.channels
        if len(names) != 1:
            raise StrainError(
                f"{self._path}: {len(names)} channels are named STRAIN; those that the file "
                f"holds: {self._contents.channels}. {_NAME_ONE}"
            )
        return names[0]

    def _describe(self, channel: str) -> FileDescription:
        if channel not in self._contents.channels:
            raise StrainError(
                f"{self._path}: no channel {channel!r}; those that the file holds: "
                f"{self._contents.channels}. {_NAME_ONE}"
            )
        start, duration = self._span()
        samples = self._about(channel).samples
        rate = whole(samples / self._contents.durations[0], "sample rate in Hz", self._path)
        detector = detector_in([channel]) or detector_of_file(self._path)
        return FileDescription(detector, start, duration, rate, "gwf", channel)

    def _about(self, name: str) -> Channel:
        """Return what the first frame says of a channel; it is asked once, which takes a read."""
        if name not in self._asked:
            with self._faults_of(name):
                self._asked[name] = channel_of(self._link, name)
        return self._asked[name]

    @contextmanager
    def _faults_of(self, channel: str) -> Iterator[None]:
        """Turn what LALFrame raises when it reads a channel into a StrainError that says why."""
        try:
            with read_faults(self._path):
                yield
        except StrainError as error:
            for i, start in enumerate(self._contents.starts):
                if self._lacks(channel, i):
                    raise StrainError(
                        f"{self._path}: the frame at GPS {start:.10g} has no channel {channel!r}, "
                        "which others of the file have. Split the file where the channel ends."
                    ) from error
            raise

    def _lacks(self, channel: str, frame: int) -> bool:
        try:
            channel_of(self._link, channel, frame)
        except ValueError as error:
            return str(error) == NO_SUCH_CHANNEL
        return False

    def _span(self) -> tuple[int, int]:
        starts = self._contents.starts
        ends = [t + seconds for t, seconds in zip(starts, self._contents.durations, strict=True)]
        if starts[1:] != ends[:-1]:
            raise StrainError(
                f"{self._path}: its frames leave gaps or are out of order (they start at {starts} "
                f"and end at {ends}). Split the file at the gaps."
            )
        start = gps_second(starts[0], "GPS start", self._path)
        return start, whole(ends[-1] - starts[0], "duration in s", self._path)

    def _stream(self) -> lalframe.FrStream:
        """Open the file as a stream, by an index of our own: LALFrame's would resolve the link."""
        about = self.description
        index = self._link.with_suffix(".lcf")
        span = f"{about.gps_start} {about.duration}"
        index.write_text(f"X STRAIN {span} file://localhost{self._link}\n", encoding="utf-8")
        return lalframe.FrStreamCacheOpen(lal.CacheImport(str(index)))

    def _read(self, channel: str, start: int, count: int, rate: int) -> np.ndarray:
        """Return ``count`` values of a channel from GPS ``start`` on, at ``rate`` Hz."""
        kind = self._about(channel).kind
        if kind not in _TYPES:
            raise StrainError(f"{self._path}: channel {channel} holds no real numbers.")
        read = getattr(lalframe, f"FrStreamRead{_TYPES[kind]}TimeSeries")
        with self._faults_of(channel):
            stream = self._stream()
            series = read(stream, channel, lal.LIGOTimeGPS(start), count / rate, 0)
        if series.data.length != count or series.epoch != start:
            raise StrainError(
                f"{self._path}: channel {channel}: expected {count} values from GPS {start} on, "
                f"got {series.data.length} from {series.epoch}. The file is cut short, or the "
                "channel has another sample rate there: fetch it again."
            )
        return series.data.data


def _plain_link(path: Path, folder: Path) -> Path:
    """Return a link to ``path`` in ``folder`` whose name LALFrame takes as it is.

    It expands brackets, takes a colon for the border between two folders, and believes the GPS
    span in names of the form ``H-H1_X-<start>-<duration>.gwf`` more than the frames.

    Raises
    ------
    StrainError
        The folder's own name is one that LALFrame would interpret.
    """
    if not re.fullmatch(r"[\w/.+-]+", str(folder), re.ASCII):
        raise StrainError(
            f"{path}: frames are read through a link in a temporary folder, and LALFrame cannot "
            f"read the name {str(folder)!r}. Set TMPDIR to a folder of letters, digits, . _ + -."
        )
    link = folder / "strain.gwf"
    link.symlink_to(path.resolve())
    return link
