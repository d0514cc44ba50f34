"""What every reader of strain files shares, whatever the layout."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from gwmorph.errors import StrainError
from gwmorph.strain.base import Layout

_PREFIX = re.compile(r"^([HLVKG]1)(?![A-Za-z0-9])")


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


def data_bit(mask: np.ndarray) -> np.ndarray:
    """Return bool: bit 0 (DATA) of a data-quality mask as GWOSC defines it."""
    return (mask.astype(np.int64) & 1).astype(bool)


def detector_prefix(name: str) -> str | None:
    """Return the detector that starts a channel's or data set's name, or None."""
    match = _PREFIX.match(name)
    return match[1] if match else None


@contextmanager
def damage(path: Path | str) -> Iterator[None]:
    """Turn what h5py and LALFrame raise on damaged files into a StrainError."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise StrainError(
            f"{path}: damaged or truncated, cannot be read ({error}). Fetch it again."
        ) from error


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
