"""NumPy's archives (``.npz``), read with every array looked at."""

import struct
import tokenize
import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gwmorph.errors import TableError

# What zipfile and NumPy raise on bytes that were altered.
_DAMAGED = (
    OSError, EOFError, ValueError, TypeError, LookupError, SyntaxError, OverflowError, MemoryError,
    RuntimeError, AttributeError, BadZipFile, struct.error, tokenize.TokenError, zlib.error,
)  # fmt: skip
_AGAIN = "Remove it and run again."


def read_arrays(path: Path | str) -> dict[str, NDArray]:
    """Return all arrays of an archive by their names; pickled ones are refused.

    Raises
    ------
    TableError
        The file is missing, damaged or no such archive.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            found = {name: held[name] for name in held.files}
        if others := [name for name, one in found.items() if not isinstance(one, np.ndarray)]:
            raise ValueError(f"{', '.join(others)}: no array")
        return found
    except _DAMAGED as error:
        raise TableError(
            f"{path}: not a readable archive of arrays ({error}). {_AGAIN}"
        ) from error


def require_arrays(
    path: Path | str, arrays: Mapping[str, NDArray], expected: Mapping[str, tuple[str, int]]
) -> None:
    """Check that arrays are there with a kind (NumPy's letters, as "f8") and a number of axes.

    Raises
    ------
    TableError
        One is missing or another, or holds numbers that are not finite.
    """
    for name, (kind, axes) in expected.items():
        found = arrays.get(name)
        if found is None or not found.dtype.str[1:].startswith(kind) or found.ndim != axes:
            got = "none" if found is None else f"{found.dtype} {list(found.shape)}"
            raise TableError(
                f"{path}: {name}: expected an array of {axes} axes and kind {kind!r}, got {got}. "
                f"{_AGAIN}"
            )
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise TableError(f"{path}: {name} holds values that are not finite. {_AGAIN}")
