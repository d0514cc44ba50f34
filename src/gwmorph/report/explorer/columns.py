"""Columns as a page reads them that may fetch nothing: typed arrays, in base64, in scripts.

A page that is opened as a file may not read other files, but may run scripts that lie beside it.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Names of the typed arrays of JavaScript, little-endian on every machine that runs a browser.
_KINDS = {"<f4": "Float32Array", "<u4": "Uint32Array", "<u2": "Uint16Array", "|u1": "Uint8Array"}


def encoded(column: NDArray) -> list[str]:
    """Return a column float32, uint32, uint16 or uint8 [n] as its kind and its bytes in base64.

    Raises
    ------
    KeyError
        The column has another type.
    """
    little = np.ascontiguousarray(column, column.dtype.newbyteorder("<"))
    return [_KINDS[little.dtype.str], b64encode(little.tobytes()).decode()]


def script(call: str, *arguments: Any) -> str:
    """Return a script that calls a function of the page with values that JSON can hold.

    Raises
    ------
    ValueError
        A number is nan or infinite, which JSON cannot say.
    """
    said = (
        json.dumps(value, ensure_ascii=True, allow_nan=False, sort_keys=True)
        for value in arguments
    )
    return f"{call}({', '.join(said)});\n"


def seconds_and_nanoseconds(
    times: NDArray[np.float64],
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return GPS times [s] as whole seconds and nanoseconds, as names of files have them.

    A browser rounds ties another way than Python does, and would look for other files.
    """
    parts = [f"{time:.9f}".split(".") for time in times.tolist()]
    seconds = np.array([int(whole) for whole, _ in parts], np.uint32)
    return seconds, np.array([int(rest) for _, rest in parts], np.uint32)


def coded(words: Sequence[str]) -> tuple[list[str], NDArray[np.uint16]]:
    """Return different words, sorted, and the place of each given one among them: uint16 [n].

    Raises
    ------
    ValueError
        There are more than 65,536 different ones.
    """
    different, places = np.unique(np.array(words, dtype=object), return_inverse=True)
    if len(different) > np.iinfo(np.uint16).max + 1:
        raise ValueError(f"expected 65,536 different words at most, got {len(different):,}")
    return [str(word) for word in different], places.astype(np.uint16).reshape(-1)


def encoded_all(columns: Mapping[str, NDArray]) -> dict[str, list[str]]:
    """Return each of some columns as `encoded` does."""
    return {name: encoded(column) for name, column in columns.items()}
