"""How strain lies in a file: GWOSC's HDF5, frames (GWF), plain HDF5 data sets.

Each layout is one small class with the same four members: ``description``, ``read_into``,
``science`` and ``close``. All reads are partial: only the seconds asked for leave the disk.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import h5py
import numpy as np

from gwmorph.errors import StrainError
from gwmorph.strain.base import Layout

_FRAME_MAGIC = b"IGWD"
_STRAIN = "strain/Strain"
_DQ_MASK = "quality/simple/DQmask"
_DATA_BIT = 1  # bit 0 of GWOSC's data-quality mask: DATA
_PREFIX = re.compile(r"^([HLVKG]1)(?![A-Za-z0-9])")

# Attributes that give the first sample's GPS time and the sample spacing (or the rate).
_TIME_AXES = {
    "GWOSC": ("Xstart", "Xspacing"),
    "PyCBC": ("start_time", "delta_t"),
    "gwpy": ("x0", "dx"),
    "t0 and dt": ("t0", "dt"),
    "t0 and sample_rate": ("t0", "sample_rate"),
}


@dataclass(frozen=True)
class FileDescription:
    """What a strain file says of itself.

    ``detector`` is None where the file does not tell. ``duration`` counts whole seconds; a last
    part of a second is not used.
    """

    detector: str | None
    gps_start: int
    duration: int
    sample_rate: int
    layout: Layout
    dataset_or_channel: str


class StrainReader(Protocol):
    """An open strain file."""

    description: FileDescription

    def read_into(self, out: np.ndarray, gps_start: int) -> None:
        """Fill ``out`` (float64, contiguous) with the samples from ``gps_start`` on."""
        ...

    def science(self, start: int, end: int) -> np.ndarray:
        """Return bool [end - start]: DATA bit of each second, True where there is no mask."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@contextmanager
def open_strain(
    path: Path | str,
    layout: Literal["auto"] | Layout = "auto",
    channel: str | None = None,
    dataset: str | None = None,
) -> Iterator[StrainReader]:
    """Open a strain file in the layout given, or in the one that is found.

    ``channel`` applies to frames, ``dataset`` to plain HDF5.

    Raises
    ------
    StrainError
        The file is missing, damaged, in another layout, or contradicts itself.
    """
    found = _find_layout(path)
    # Every GWOSC file is also HDF5 with named data sets, and may be read as that.
    if layout not in ("auto", found) and (layout, found) != ("hdf5", "gwosc"):
        raise StrainError(
            f"{path}: expected the layout {layout!r}, found {found!r}. Correct "
            "source.directory.format ('auto' looks into each file)."
        )
    chosen = found if layout == "auto" else layout
    reader: StrainReader
    if chosen == "gwf":
        reader = _FrameReader(path, channel)
    elif chosen == "gwosc":
        reader = _GwoscReader(path)
    else:
        reader = _PlainReader(path, dataset)
    try:
        yield reader
    finally:
        reader.close()


def _find_layout(path: Path | str) -> Layout:
    if not Path(path).is_file():
        raise StrainError(f"{path}: no such file.")
    try:
        with Path(path).open("rb") as stream:
            magic = stream.read(len(_FRAME_MAGIC))
    except OSError as error:
        raise StrainError(f"{path}: cannot be read ({error}).") from error
    if magic == _FRAME_MAGIC:
        return "gwf"
    if not h5py.is_hdf5(path):
        raise StrainError(
            f"{path}: neither HDF5 nor a frame file (first bytes {magic!r}). Expected a strain "
            "file: fetch it again, or correct the pattern that chose it."
        )
    with _damage(path), h5py.File(path, "r") as file:
        return "gwosc" if _STRAIN in file else "hdf5"


@contextmanager
def _damage(path: Path | str) -> Iterator[None]:
    """Turn what h5py and LAL raise on damaged files into a StrainError."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise StrainError(
            f"{path}: damaged or truncated, cannot be read ({error}). Fetch it again."
        ) from error


def _whole(value: float, what: str, path: Path | str) -> int:
    if not float(value).is_integer():
        raise StrainError(
            f"{path}: {what} is {value!r}, expected a whole number. Only files that start on a "
            "GPS second and have a whole sample rate are read: cut or resample the file."
        )
    return int(value)


class _Hdf5Reader:
    """What GWOSC's and plain HDF5 files share: one 1-d data set of evenly spaced samples."""

    description: FileDescription

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with _damage(path):
            self._file = h5py.File(path, "r")

    def close(self) -> None:
        self._file.close()

    def read_into(self, out: np.ndarray, gps_start: int) -> None:
        about = self.description
        first = (gps_start - about.gps_start) * about.sample_rate
        with _damage(self._path):
            dataset = self._file[about.dataset_or_channel]
            dataset.read_direct(out, np.s_[first : first + len(out)])

    def science(self, start: int, end: int) -> np.ndarray:
        return np.ones(end - start, dtype=bool)

    def _numbers(self, name: str) -> h5py.Dataset:
        """Return the data set ``name`` when it is a series of numbers."""
        with _damage(self._path):
            found = self._file.get(name)
        if not _is_series(found):
            raise StrainError(
                f"{self._path}: no data set {name!r} with a series of numbers; those that the "
                f"file holds: {self._series()}. Correct source.directory.dataset."
            )
        return found

    def _series(self) -> list[str]:
        names: list[str] = []
        with _damage(self._path):
            self._file.visititems(
                lambda name, item: names.append(name) if _is_series(item) else None
            )
        return names

    def _time_axis(self, dataset: h5py.Dataset) -> tuple[int, int]:
        """Return GPS start and sample rate from the data set's attributes."""
        where = f"{self._path}:{dataset.name}"
        for start_key, step_key in _TIME_AXES.values():
            if start_key in dataset.attrs and step_key in dataset.attrs:
                start = _number(dataset.attrs[start_key], f"{where}: {start_key}")
                step = _number(dataset.attrs[step_key], f"{where}: {step_key}")
                rate = step if step_key == "sample_rate" else 1 / step if step else 0.0
                if abs(rate - round(rate)) < 1e-6 * rate:
                    rate = float(round(rate))
                if rate <= 0:
                    raise StrainError(f"{where}: {step_key} is {step}, expected more than zero.")
                return _whole(start, start_key, where), _whole(rate, "sample rate in Hz", where)
        expected = "; ".join(f"{start}, {step}" for start, step in _TIME_AXES.values())
        raise StrainError(
            f"{where}: no attributes give GPS start and sample spacing. Expected one pair of "
            f"{expected}; got {sorted(dataset.attrs)}."
        )


def _is_series(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.ndim == 1 and item.dtype.kind in "fiu"


def _number(value: Any, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise StrainError(f"{where}: expected a number, got {value!r}.") from error


class _GwoscReader(_Hdf5Reader):
    """HDF5 as GWOSC releases it (gwosc.org/archive: strain, quality and meta groups)."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        try:
            self.description = self._describe()
        except StrainError:
            self.close()
            raise

    def _describe(self) -> FileDescription:
        strain = self._numbers(_STRAIN)
        start, rate = self._time_axis(strain)
        duration = self._meta("Duration")
        if len(strain) != duration * rate:
            raise StrainError(
                f"{self._path}: meta/Duration says {duration} s at {rate} Hz, that is "
                f"{duration * rate} samples, but strain/Strain holds {len(strain)}. The file is "
                "cut short or was altered: fetch it again."
            )
        if self._meta("GPSstart") != start:
            raise StrainError(
                f"{self._path}: meta/GPSstart is {self._meta('GPSstart')}, but strain/Strain "
                f"starts at {start}. The file was altered: fetch it again."
            )
        if _DQ_MASK in self._file and len(self._numbers(_DQ_MASK)) != duration:
            raise StrainError(
                f"{self._path}: {_DQ_MASK} holds {len(self._numbers(_DQ_MASK))} values, expected "
                f"one for each of {duration} s. The file was altered: fetch it again."
            )
        detector = self._meta_value("Detector")
        name = detector.decode() if isinstance(detector, bytes) else str(detector)
        return FileDescription(name, start, duration, rate, "gwosc", _STRAIN)

    def _meta_value(self, key: str) -> Any:
        with _damage(self._path):
            found = self._file.get(f"meta/{key}")
            if isinstance(found, h5py.Dataset) and found.shape == ():
                return found[()]
        raise StrainError(
            f"{self._path}: no value meta/{key}, which GWOSC's layout needs. To read the file as "
            "plain HDF5, set source.directory.format to hdf5."
        )

    def _meta(self, key: str) -> int:
        where = f"{self._path}: meta/{key}"
        return _whole(_number(self._meta_value(key), where), f"meta/{key}", self._path)

    def science(self, start: int, end: int) -> np.ndarray:
        if _DQ_MASK not in self._file:
            return super().science(start, end)
        first = start - self.description.gps_start
        with _damage(self._path):
            mask = self._file[_DQ_MASK][first : first + end - start]
        return (mask & _DATA_BIT).astype(bool)


class _PlainReader(_Hdf5Reader):
    """One named data set whose attributes give the time axis."""

    def __init__(self, path: Path | str, dataset: str | None) -> None:
        super().__init__(path)
        try:
            self.description = self._describe(dataset)
        except StrainError:
            self.close()
            raise

    def _describe(self, name: str | None) -> FileDescription:
        name = self._only_series() if name is None else name
        samples = self._numbers(name)
        start, rate = self._time_axis(samples)
        if len(samples) < rate:
            raise StrainError(
                f"{self._path}:{name}: {len(samples)} samples at {rate} Hz are less than 1 s."
            )
        return FileDescription(
            self._detector(samples), start, len(samples) // rate, rate, "hdf5", name
        )

    def _only_series(self) -> str:
        names = self._series()
        if len(names) != 1:
            raise StrainError(
                f"{self._path}: holds {len(names)} data sets with numbers: {names}. Name one for "
                "each detector, as source: {directory: {dataset: {H1: ...}}}."
            )
        return names[0]

    def _detector(self, samples: h5py.Dataset) -> str | None:
        """Return the prefix in the channel's, series' or data set's name, or None."""
        names = [samples.attrs.get("channel"), samples.attrs.get("name"), samples.name]
        texts = [n.decode() if isinstance(n, bytes) else str(n) for n in names if n is not None]
        matches = [_PREFIX.match(text.rsplit("/", 1)[-1]) for text in texts]
        return next((match[1] for match in matches if match), None)


class _FrameReader:
    """A channel of a frame file (LIGO-T970130), read through gwpy and LALFrame."""

    def __init__(self, path: Path | str, channel: str | None) -> None:
        # Imported here: HDF5 files need neither, and both are slow and large.
        import lalframe  # noqa: PLC0415
        from gwpy.io import gwf  # noqa: PLC0415

        self._path = Path(path).resolve()
        self._verified = False
        # gwpy crashes the process on truncated frames; opening through LAL first refuses them.
        with _damage(path):
            self._frames = lalframe.FrFileOpenURL(f"file://localhost{self._path}")
            self._channels = list(gwf.iter_channel_names(self._path, backend="lalframe"))
        self.description = self._describe(channel or self._only_strain_channel())

    def close(self) -> None:
        del self._frames

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
        rate = self._sample_rate(channel)
        prefix = _PREFIX.match(channel)
        return FileDescription(
            prefix[1] if prefix else None, start, duration, rate, "gwf", channel
        )

    def _span(self) -> tuple[int, int]:
        import lal  # noqa: PLC0415
        import lalframe  # noqa: PLC0415

        with _damage(self._path):
            count = lalframe.FrFileQueryNFrame(self._frames)
            times = [
                float(lalframe.FrFileQueryGTime(lal.LIGOTimeGPS(), self._frames, i))
                for i in range(count)
            ]
            ends = [t + lalframe.FrFileQueryDt(self._frames, i) for i, t in enumerate(times)]
        if times[1:] != ends[:-1]:
            raise StrainError(
                f"{self._path}: its frames leave gaps or are out of order (starts {times}). Split "
                "the file at the gaps."
            )
        start = _whole(times[0], "GPS start", self._path)
        return start, _whole(ends[-1] - times[0], "duration in s", self._path)

    def _sample_rate(self, channel: str) -> int:
        import lalframe  # noqa: PLC0415

        with _damage(self._path):
            samples = lalframe.FrFileQueryChanVectorLength(self._frames, channel, 0)
            duration = lalframe.FrFileQueryDt(self._frames, 0)
        return _whole(samples / duration, "sample rate in Hz", self._path)

    def _series(self, channel: str, start: int, end: int) -> np.ndarray:
        from gwpy.timeseries import TimeSeries  # noqa: PLC0415

        self._verify()
        with _damage(self._path):
            return TimeSeries.read(
                self._path, channel, start=start, end=end, format="gwf.lalframe"
            ).value

    def _verify(self) -> None:
        """Compare the frames' checksums: LALFrame crashes the process on altered vectors."""
        import lalframe  # noqa: PLC0415

        if not self._verified:
            with _damage(self._path):
                lalframe.FrFileCksumValid(self._frames)
            self._verified = True

    def read_into(self, out: np.ndarray, gps_start: int) -> None:
        seconds = len(out) // self.description.sample_rate
        values = self._series(self.description.dataset_or_channel, gps_start, gps_start + seconds)
        if len(values) != len(out):
            raise StrainError(
                f"{self._path}: expected {len(out)} samples from GPS {gps_start} on, got "
                f"{len(values)}. The file is cut short: fetch it again."
            )
        out[:] = values

    def science(self, start: int, end: int) -> np.ndarray:
        mask_channel = self.description.dataset_or_channel.replace("STRAIN", "DQMASK")
        if "DQMASK" not in mask_channel or mask_channel not in self._channels:
            return np.ones(end - start, dtype=bool)
        mask = self._series(mask_channel, start, end)
        if len(mask) != end - start:
            raise StrainError(
                f"{self._path}: channel {mask_channel} has {len(mask)} values in "
                f"[{start}, {end}), expected one a second."
            )
        return (mask.astype(np.int64) & _DATA_BIT).astype(bool)
