"""The nearest rows of a moment, with what the run says of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gwmorph.runs.folder import require_comparable
from gwmorph.runs.rows import described
from gwmorph.runs.search import (
    Held,
    Rows,
    cosines,
    find_moment,
    most_alike,
    read_rows,
    rows_of,
    vector_of,
)


@dataclass(frozen=True)
class Alike:
    """What looks like a moment.

    ``asked`` is the moment's own row, ``nearest`` the rows most like it, the most like first: the
    columns of EMBEDDINGS but for the vector, those that `described` adds, and ``cosine``, of which
    1 is the same picture. ``run`` is where these are, ``rows`` how many were searched.
    """

    view: str
    run: Path
    asked: dict[str, Any]
    nearest: pa.Table
    rows: int


def similar(
    run: Path, detector: str, gps: float, view: str, count: int, other: Path | None = None
) -> Alike:
    """Find the ``count`` rows most like a moment of a run, in it or in another run.

    Parameters
    ----------
    run
        Folder of the run that has the moment.
    detector, gps
        Which moment; ``gps`` in seconds.
    view
        ``event`` or ``window``.
    other
        Folder of the run that is searched, by default the same, without the moment's own row.

    Raises
    ------
    GwmorphError
        A folder is none of a run, has no such view or nothing of the moment, or the two runs'
        vectors must not be compared.
    TableError
        A table is damaged or of another version.
    """
    rows = rows_of(run, view)
    return similar_to(rows, find_moment(rows, detector, gps), count, searched(rows, other))


def searched(rows: Rows, other: Path | None) -> Rows:
    """Return the rows of another run that may be compared with those of one, or these.

    Raises
    ------
    GwmorphError, TableError
        As `similar`.
    """
    if other is None or other.resolve() == rows.run.resolve():
        return rows
    found = rows_of(other, rows.view)
    require_comparable(rows.run, rows.identity, other, found.identity)
    return found


def similar_to(
    rows: Rows, number: int, count: int, where: Rows, held: Held | None = None
) -> Alike:
    """Find the rows of ``where`` most like one row of a run.

    ``held`` are the vectors of ``where`` if they are in memory; else they are read from the disk.

    Raises
    ------
    GwmorphError, TableError
        As `similar`.
    """
    vector = vector_of(rows, number)
    found = cosines(where, vector) if held is None else held.cosines(vector)
    among = where.counted.copy()
    if where is rows:
        among[number] = False
    numbers = most_alike(found, count, among)
    near = described(where.run, where.view, read_rows(where, numbers.tolist()))
    near = near.append_column("cosine", pa.array(found[numbers].astype(np.float64)))
    own = described(rows.run, rows.view, read_rows(rows, [number])).to_pylist()[0]
    return Alike(rows.view, where.run, own, near, int(where.counted.sum()))
