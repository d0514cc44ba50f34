"""Files of labelled strain: short stretches around glitches whose class somebody has named.

One HDF5 file holds any number of stretches, one data set each, with these attributes:
``detector`` (prefix), ``label`` (class), ``snr`` (of whoever found the glitch, as Omicron),
``sample_rate`` (Hz) and ``glitch_time_s`` (s from the first sample). Strain may be in any unit,
since it is whitened by its own spectrum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import h5py
import numpy as np
from numpy.typing import NDArray

from gwmorph.config import Detector
from gwmorph.errors import StrainError
from gwmorph.hdf5_files import open_hdf5
from gwmorph.strain.hdf5 import require_filters, require_within
from gwmorph.strain.reader import read_faults

_TEXTS = ("detector", "label")
_NUMBERS = ("snr", "sample_rate", "glitch_time_s")


@dataclass(frozen=True)
class LabelledStrain:
    """One stretch of strain around a glitch.

    Attributes
    ----------
    name : of its data set.
    path : of its file.
    detector : prefix, as H1.
    label : class of the glitch.
    snr : of the glitch, as the label's source measured it.
    sample_rate : Hz.
    glitch_time_s : time of the glitch, s from the first sample.
    values : float64 [n], in any unit.
    """

    name: str
    path: Path
    detector: Detector
    label: str
    snr: float
    sample_rate: int
    glitch_time_s: float
    values: NDArray[np.float64]

    @property
    def where(self) -> str:
        """File and data set, for messages."""
        return f"{self.path}:{self.name}"


def read_labelled_strain(paths: Iterable[Path | str]) -> list[LabelledStrain]:
    """Return all stretches of some files, by file in the order given and by name.

    Raises
    ------
    StrainError
        A file is missing, damaged or holds no data set of samples; a data set lacks an attribute,
        has one that makes no sense (an unknown detector, no label, an SNR or a rate that is not
        above zero, a glitch outside of the strain) or samples that are not finite; two data sets
        have one name.
    """
    found: dict[str, LabelledStrain] = {}
    for path in map(Path, paths):
        for stretch in _stretches(path):
            if (other := found.setdefault(stretch.name, stretch)) is not stretch:
                raise StrainError(
                    f"{path}: data set {stretch.name!r} is in {other.path} as well. Each labelled "
                    "glitch needs a name of its own: leave one of the files out of "
                    "comparison.labelled_strain, or rename the data set."
                )
    return list(found.values())


def _stretches(path: Path) -> list[LabelledStrain]:
    held: list[tuple[str, dict[str, Any], NDArray[np.float64]]] = []

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim == 1 and item.dtype.kind in "fiu":
            require_within(item, item.file)
            require_filters(item, path)
            held.append((name, dict(item.attrs), np.asarray(item[:], float)))

    with read_faults(path), open_hdf5(path) as file:
        file.visititems(collect)
    if not held:
        raise StrainError(
            f"{path}: no data set with a series of samples. Expected one for each labelled glitch."
        )
    return [_checked(path, *entry) for entry in held]


def _checked(
    path: Path, name: str, attributes: Mapping[str, Any], values: NDArray[np.float64]
) -> LabelledStrain:
    where = f"{path}:{name}"
    texts = {key: _text(_attribute(attributes, key, where), key, where) for key in _TEXTS}
    snr, rate, time = (_number(_attribute(attributes, k, where), k, where) for k in _NUMBERS)
    _require(texts["detector"] in get_args(Detector), where, "detector", texts["detector"],
             f"one of {', '.join(get_args(Detector))}")  # fmt: skip
    _require(snr > 0, where, "snr", snr, "a number above zero")
    _require(rate > 0 and rate.is_integer(), where, "sample_rate", rate, "a whole number of Hz")
    _require(0 <= time < len(values) / rate, where, "glitch_time_s", time,
             f"a time inside the {len(values) / rate:g} s of strain")  # fmt: skip
    if bad := int((~np.isfinite(values)).sum()):
        first = int(np.flatnonzero(~np.isfinite(values))[0])
        raise StrainError(
            f"{where}: {bad} of {len(values)} samples are not finite, first at "
            f"{first / rate:.3f} s. Take the data set out of the file, or fill it again."
        )
    detector: Any = texts["detector"]
    return LabelledStrain(name, path, detector, texts["label"], snr, int(rate), time, values)


def _attribute(attributes: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in attributes:
        raise StrainError(
            f"{where}: no attribute {key!r}; a labelled glitch needs "
            f"{', '.join([*_TEXTS, *_NUMBERS])}, this data set has "
            f"{', '.join(sorted(map(str, attributes))) or 'none'}. Add it to the file."
        )
    return attributes[key]


def _text(value: Any, key: str, where: str) -> str:
    try:
        # h5py gives text that is no UTF-8 with surrogates in it.
        text = (value if isinstance(value, bytes) else str(value).encode()).decode()
    except UnicodeError:
        text = ""
    is_text = isinstance(value, bytes | str) and text.strip() != ""
    _require(is_text, where, key, value, "a word in UTF-8")
    return text


def _number(value: Any, key: str, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    _require(bool(np.isfinite(number)), where, key, value, "a finite number")
    return number


def _require(sound: bool, where: str, key: str, got: Any, expected: str) -> None:
    if not sound:
        raise StrainError(
            f"{where}: attribute {key} is {got!r}, expected {expected}. Correct it in the file."
        )
