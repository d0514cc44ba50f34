"""What every reader of strain files shares, whatever the layout."""

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from gwmorph.errors import StrainError
from gwmorph.segments import LATEST_GPS
from gwmorph.strain.base import Layout

# Where it does not begin a name, V1 is a version.
_DETECTOR = re.compile(r"(?:^V1|(?<![A-Za-z0-9])(?:[HLKG]1|[hlkg]1))(?![A-Za-z0-9])")
# As LIGO-T050017 names files of one detector.
_OF_FILE = re.compile(r"(?P<site>[HLVKG])-(?P<detector>(?P=site)1)_")


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

    def injections(self, start: int, end: int) -> np.ndarray | None:
        """Return the injection mask of each second, int64 [end - start], None without one."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def data_bit(mask: np.ndarray) -> np.ndarray:
    """Return bool: bit 0 (DATA) of a data-quality mask as GWOSC defines it."""
    return (mask.astype(np.int64) & 1).astype(bool)


def detector_in(names: Iterable[str]) -> str | None:
    """Return the detector of the first of some names that tells one, or None.

    Names are those of channels and data sets: ``H1:GDS-CALIB_STRAIN``, ``L1``, ``strain_L1``. One
    with two detectors tells none.
    """
    found = ({match.upper() for match in _DETECTOR.findall(name)} for name in names)
    return next((detectors.pop() for detectors in found if len(detectors) == 1), None)


def detector_of_file(path: Path | str) -> str | None:
    """Return the detector that a file's name tells, as ``H-H1_LOSC-…`` does, or None."""
    match = _OF_FILE.match(Path(path).name)
    return match["detector"] if match else None


@contextmanager
def read_faults(path: Path | str) -> Iterator[None]:
    """Turn what h5py and LALFrame raise on files into a StrainError that says what was wrong.

    Only what nothing else explains is called damage: both raise nearly anything on bytes that
    were altered (found by altering and cutting those of good files).
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise StrainError(f"{path}: {_fault(error)}") from error


# What the operating system says that has nothing to do with the file's content.
_SYSTEM_FAULTS = {
    errno.ENOENT: "no such file",
    errno.EACCES: "may not be read by this user. Change its permissions",
    errno.EPERM: "may not be read by this user. Change its permissions",
    errno.EAGAIN: "locked: another program has it open for writing. Let that program end",
    errno.ENOLCK: "the file system has no locks. Set HDF5_USE_FILE_LOCKING=FALSE",
    errno.EMFILE: "too many files are open in this process. Raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine. Try again later",
    errno.EIO: "the disk or the network file system failed to read it. Try again, or move it",
    errno.ESTALE: "the network file system lost it. Try again",
}


def _fault(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _SYSTEM_FAULTS:
        return f"{_SYSTEM_FAULTS[error.errno]} ({error})."
    return f"damaged or truncated, cannot be read ({error}). Fetch it again."


def gps_second(value: float, what: str, path: Path | str) -> int:
    """Return ``value`` as a GPS second that files may start at.

    Raises
    ------
    StrainError
        It has a fraction, or is outside of what GPS times are: from 0 (1980) to 2³¹ (2048).
    """
    second = whole(value, what, path)
    if not 0 <= second < LATEST_GPS:
        raise StrainError(
            f"{path}: {what} is {second}, expected a GPS time in seconds, 0 to {LATEST_GPS - 1}. "
            "Correct it in the file."
        )
    return second


def whole(value: float, what: str, path: Path | str) -> int:
    """Return ``value`` as int.

    Raises
    ------
    StrainError
        It has a fraction; the error names ``what`` it is.
    """
    if not float(value).is_integer():
        raise StrainError(
            f"{path}: {what} is {value!r}, expected a whole number. Only files that start on a "
            "GPS second and have a whole sample rate are read: cut or resample the file."
        )
    return int(value)
