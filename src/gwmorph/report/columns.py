"""Columns of tables as arrays, as figures want them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def values(table: pa.Table, name: str) -> NDArray:
    """Return a column of numbers."""
    return table.column(name).to_numpy()


def flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    """Return a column of truth values."""
    return table.column(name).to_numpy(zero_copy_only=False).astype(bool)


def detectors_of(table: pa.Table) -> list[str]:
    """Return the detectors that a table has rows of, sorted."""
    return sorted(pc.unique(table.column("detector")).to_pylist())
