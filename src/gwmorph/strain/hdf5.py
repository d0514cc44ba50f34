"""Strain in HDF5: GWOSC's own layout, and plain data sets."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from gwmorph.errors import StrainError
from gwmorph.formats.gwosc_layout import DQ_MASK, INJECTION_MASK, STRAIN
from gwmorph.hdf5_files import open_hdf5
from gwmorph.strain.reader import (
    FileDescription,
    data_bit,
    detector_in,
    detector_of_file,
    gps_second,
    read_faults,
    whole,
)

_NAME_ONE = "Name one: source.directory.dataset, or --dataset of gwmorph show."
# What attributes that name a detector say of it besides its prefix.
_OBSERVATORIES = {
    "H1": ("H", "LHO", "HANFORD", "LIGO HANFORD"),
    "L1": ("L", "LLO", "LIVINGSTON", "LIGO LIVINGSTON"),
    "V1": ("V", "VIRGO"),
    "K1": ("K", "KAGRA"),
    "G1": ("G", "GEO", "GEO600"),
}
_DETECTOR_OF = {name: prefix for prefix, names in _OBSERVATORIES.items() for name in names}
# Attributes that give the first sample's GPS time and the sample spacing (or the rate).
_TIME_AXES = (
    ("Xstart", "Xspacing"),  # GWOSC
    ("start_time", "delta_t"),  # PyCBC
    ("x0", "dx"),  # gwpy
    ("t0", "dt"),
    ("t0", "sample_rate"),
)


class _Hdf5Reader:
    """What GWOSC's and plain HDF5 files share: one 1-d data set of evenly spaced samples."""

    description: FileDescription

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with read_faults(path), ExitStack() as opened:
            self._file = opened.enter_context(open_hdf5(path))
            self.description = self._describe()
            opened.pop_all()

    def _describe(self) -> FileDescription:
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_into(self, out: np.ndarray, gps_start: int) -> None:
        """Fill ``out`` (float64, contiguous) with the samples from ``gps_start`` on."""
        about = self.description
        first = (gps_start - about.gps_start) * about.sample_rate
        with read_faults(self._path):
            dataset = self._file[about.dataset_or_channel]
            dataset.read_direct(out, np.s_[first : first + len(out)])

    def science(self, start: int, end: int) -> np.ndarray:
        """Return bool [end - start]: DATA bit of each second, True where there is no mask."""
        return np.ones(end - start, dtype=bool)

    def injections(self, start: int, end: int) -> np.ndarray | None:
        """Return the injection mask of each second, int64 [end - start], None without one."""
        return None

    def _numbers(self, name: str) -> h5py.Dataset:
        """Return the data set ``name`` when it is a series of numbers."""
        found = self._file.get(name)
        if not _is_series(found):
            raise StrainError(
                f"{self._path}: no data set {name!r} with a series of numbers; those that the "
                f"file holds: {self._series()}. {_NAME_ONE}"
            )
        require_within(found, self._file)
        require_filters(found, self._path)
        return found

    def _series(self) -> list[str]:
        return series_in(self._file)

    def _time_axis(self, dataset: h5py.Dataset) -> tuple[int, int]:
        """Return GPS start and sample rate from the data set's attributes."""
        where = f"{self._path}:{dataset.name}"
        for start_key, step_key in _TIME_AXES:
            if start_key in dataset.attrs and step_key in dataset.attrs:
                start = _number(dataset.attrs[start_key], f"{where}: {start_key}")
                step = _number(dataset.attrs[step_key], f"{where}: {step_key}")
                rate = step if step_key == "sample_rate" else 1 / step if step else 0.0
                if not 0 < rate < np.inf:
                    raise StrainError(f"{where}: {step_key} is {step}, expected more than zero.")
                if abs(rate - round(rate)) < 1e-6 * rate:
                    rate = float(round(rate))
                return gps_second(start, start_key, where), whole(rate, "sample rate in Hz", where)
        expected = "; ".join(f"{start}, {step}" for start, step in _TIME_AXES)
        raise StrainError(
            f"{where}: no attributes give GPS start and sample spacing. Expected one pair of "
            f"{expected}; got {sorted(map(str, dataset.attrs))}."
        )


def series_in(file: h5py.File) -> list[str]:
    """Return the names of all data sets that are series of numbers."""
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if _is_series(item) else None)
    return names


def lies_elsewhere(item: h5py.Dataset, file: h5py.File) -> bool:
    """Tell whether a data set found in a file is read, in whole or part, from other files.

    HDF5 lets a link, a data set's storage or a part of a virtual one name any file of the machine.
    """
    return bool(item.file.filename != file.filename or item.external or item.is_virtual)


def require_within(item: h5py.Dataset, file: h5py.File) -> None:
    """Check that a data set lies in the file that it was found in.

    Raises
    ------
    StrainError
        It is a link to another file, or its values are stored in others.
    """
    if lies_elsewhere(item, file):
        raise StrainError(
            f"{file.filename}: the values of {item.name} lie in another file, which is not "
            "followed. Write them into this one (h5repack, or h5py's copy with expand_external)."
        )


def require_filters(dataset: h5py.Dataset, path: Path | str) -> None:
    """Check that what compressed a data set can be undone here.

    Raises
    ------
    StrainError
        A filter is missing.
    """
    created = dataset.id.get_create_plist()
    for index in range(created.get_nfilters()):
        number, _, _, name = created.get_filter(index)
        if not h5py.h5z.filter_avail(number):
            raise StrainError(
                f"{path}:{dataset.name}: compressed by the HDF5 filter {number} "
                f"({name.decode() or 'without a name'}), which is not installed here. Install its "
                "plug-in (the package hdf5plugin has most), or repack the file with gzip."
            )


def _is_series(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.ndim == 1 and item.dtype.kind in "fiu"


def _number(value: Any, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise StrainError(f"{where}: expected a number, got {value!r}.") from error


class GwoscReader(_Hdf5Reader):
    """HDF5 as GWOSC releases it (gwosc.org/archive: strain, quality and meta groups)."""

    def _describe(self) -> FileDescription:
        strain = self._numbers(STRAIN)
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
        for mask in (DQ_MASK, INJECTION_MASK):
            if mask in self._file and len(self._numbers(mask)) != duration:
                raise StrainError(
                    f"{self._path}: {mask} holds {len(self._numbers(mask))} values, expected "
                    f"one for each of {duration} s. The file was altered: fetch it again."
                )
        name = _text(self._meta_value("Detector"))
        return FileDescription(name, start, duration, rate, "gwosc", STRAIN)

    def _meta_value(self, key: str) -> Any:
        found = self._file.get(f"meta/{key}")
        if isinstance(found, h5py.Dataset) and found.shape == ():
            require_within(found, self._file)
            return found[()]
        raise StrainError(
            f"{self._path}: no value meta/{key}, which GWOSC's layout needs. To read the file as "
            "plain HDF5, set source.directory.format to hdf5."
        )

    def _meta(self, key: str) -> int:
        where = f"{self._path}: meta/{key}"
        return whole(_number(self._meta_value(key), where), f"meta/{key}", self._path)

    def science(self, start: int, end: int) -> np.ndarray:
        """Return bool [end - start]: DATA bit of each second, True where there is no mask."""
        if DQ_MASK not in self._file:
            return super().science(start, end)
        first = start - self.description.gps_start
        with read_faults(self._path):
            mask = self._file[DQ_MASK][first : first + end - start]
        return data_bit(mask)

    def injections(self, start: int, end: int) -> np.ndarray | None:
        """Return the injection mask of each second, int64 [end - start], None without one."""
        if INJECTION_MASK not in self._file:
            return None
        first = start - self.description.gps_start
        with read_faults(self._path):
            return self._file[INJECTION_MASK][first : first + end - start].astype(np.int64)


class PlainReader(_Hdf5Reader):
    """One named data set whose attributes give the time axis."""

    def __init__(self, path: Path | str, dataset: str | None) -> None:
        """Open the file and find the data set: by default the only one with numbers."""
        self._dataset = dataset
        super().__init__(path)

    def _describe(self) -> FileDescription:
        name = self._dataset or self._only_series()
        samples = self._numbers(name)
        start, rate = self._time_axis(samples)
        if len(samples) < rate:
            raise StrainError(
                f"{self._path}:{name}: {len(samples)} samples at {rate:g} Hz are less than 1 s."
            )
        return FileDescription(
            self._detector(samples), start, len(samples) // rate, rate, "hdf5", name
        )

    def _only_series(self) -> str:
        names = self._series()
        if len(names) != 1:
            raise StrainError(
                f"{self._path}: holds {len(names)} data sets with numbers: {names}. {_NAME_ONE}"
            )
        return names[0]

    def _detector(self, samples: h5py.Dataset) -> str | None:
        """Return the detector that the data set, its place or the file's name tells, or None.

        A file in GWOSC's layout, read as a plain one, says it in ``meta/Detector``.
        """
        own = [*_detector_attributes(samples), *_texts(samples, ("channel", "name"))]
        if isinstance(released := self._file.get("meta/Detector"), h5py.Dataset):
            require_within(released, self._file)
            own.append(_text(released[()]))
        place = samples.name.split("/")[::-1]
        around = [
            text for group in _groups_around(samples) for text in _detector_attributes(group)
        ]
        return detector_in([*own, *place, *around]) or detector_of_file(self._path)


def _groups_around(samples: h5py.Dataset) -> Iterator[h5py.Group]:
    group = samples.parent
    while group.name != "/":
        yield group
        group = group.parent
    yield group


def _detector_attributes(item: h5py.Dataset | h5py.Group) -> list[str]:
    told = _texts(item, [key for key in item.attrs if key.lower() in ("detector", "ifo")])
    return [_DETECTOR_OF.get(text.strip().upper(), text) for text in told]


def _texts(item: h5py.Dataset | h5py.Group, keys: Iterable[str]) -> list[str]:
    """Return those of some attributes that are there, as text."""
    return [_text(item.attrs[key]) for key in keys if key in item.attrs]


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
