"""The rows of a run that look most like one of its moments: exact, by the cosine of vectors.

A run's vectors are read column-wise and a few row groups at a time, so that memory stays small;
or they are held, for many questions. Both compute in float32, whose products of unit vectors are
good to about 1e-6.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gwmorph.errors import GwmorphError
from gwmorph.runs.folder import Identity, identity_of, shards_of, window_seconds
from gwmorph.runs.rows import is_event
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_matrix

# An event is meant where its picture's crops of 0.5 and 1 s still show the time that was asked.
NEAR_S = 0.5
_ABOUT = [name for name in EMBEDDINGS.names if name != "embedding"]
_KEYS = ["detector", "gps_start", "trigger_time"]
# 8,192 vectors of 384 numbers are 13 MB.
_ROW_GROUPS = 8
_READERS = 2


@dataclass(frozen=True)
class Rows:
    """One view of a run, without its vectors.

    ``keys`` are what tells the rows of EMBEDDINGS apart, in the order of ``shards``;
    ``starts`` are the numbers of each shard's first row, and the number of all rows. ``counted``
    (bool [n]) tells those that are the run's: of the candidates in the shards, scores have made
    events of some, and nothing of the others.
    """

    run: Path
    view: str
    shards: tuple[Path, ...]
    starts: tuple[int, ...]
    keys: pa.Table
    counted: NDArray[np.bool_]
    identity: Identity


@dataclass(frozen=True)
class Held:
    """The vectors of all rows in memory: float32 [n, width], 1.5 GB for a million."""

    vectors: NDArray[np.float32]

    def cosines(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosine of each row with a unit vector: float32 [n]."""
        return self.vectors @ vector


def rows_of(run: Path, view: str) -> Rows:
    """Look into one view, ``event`` or ``window``, of a run's folder.

    Raises
    ------
    GwmorphError
        There is no such run, or it has no vectors of the view.
    TableError
        A shard is damaged or of another version, or shards differ in how they were made.
    """
    shards = shards_of(run, view)
    identity = identity_of(shards)
    tables = [pq.ParquetFile(shard).read(columns=_KEYS) for shard in shards]
    keys = pa.concat_tables(table.replace_schema_metadata(None) for table in tables)
    starts = np.cumsum([0, *(table.num_rows for table in tables)])
    events = view == "event"
    counted = is_event(run, keys) if events else np.ones(keys.num_rows, bool)
    return Rows(run, view, tuple(shards), tuple(starts.tolist()), keys, counted, identity)


def find_moment(rows: Rows, detector: str, gps: float) -> int:
    """Return the number of the row that shows a detector's moment, ``gps`` in seconds.

    Of windows it is the one that holds the moment, and of several the one that holds it nearest to
    its middle; of events the one whose trigger is nearest, at most ``NEAR_S`` away.

    Raises
    ------
    GwmorphError
        The run has no row of the detector, or none there; the error says which is nearest.
    """
    own = np.flatnonzero(rows.counted & pc.equal(rows.keys["detector"], detector).to_numpy())
    if not len(own):
        known = sorted(pc.unique(rows.keys["detector"].filter(pa.array(rows.counted))).to_pylist())
        raise GwmorphError(
            f"{rows.run}: has no {rows.view} of {detector}, but of {', '.join(known) or 'nobody'}."
        )
    if rows.view == "event":
        times = rows.keys["trigger_time"].to_numpy()[own]
        return int(own[nearest_event(rows.run, detector, times, gps)])
    starts, length = rows.keys["gps_start"].to_numpy()[own], window_seconds(rows.run)
    away = np.abs(starts + length / 2 - gps)
    holds = (starts <= gps) & (gps < starts + length)
    if not holds.any():
        start = int(starts[np.argmin(away)])
        raise GwmorphError(_no_window(rows.run, detector, gps, start, length))
    return int(own[np.argmin(np.where(holds, away, np.inf))])


def nearest_event(where: object, detector: str, times: NDArray[np.float64], gps: float) -> int:
    """Return which of some events' times (GPS seconds [n], 1 or more) is nearest to a moment.

    Raises
    ------
    GwmorphError
        It is more than ``NEAR_S`` away; the error, which begins with ``where``, says how far.
    """
    nearest = int(np.argmin(np.abs(times - gps)))
    if abs(times[nearest] - gps) > NEAR_S:
        raise GwmorphError(_no_event(where, detector, gps, float(times[nearest])))
    return nearest


def _no_event(where: object, detector: str, gps: float, nearest: float) -> str:
    when = "later" if nearest > gps else "earlier"
    return (
        f"{where}: no event of {detector} within {NEAR_S} s of GPS {gps:.3f}. The nearest one is "
        f"{abs(nearest - gps):.3f} s {when}: ask for GPS {nearest:.3f}, or for the view 'window', "
        "whose window holds your moment."
    )


def _no_window(run: Path, detector: str, gps: float, start: int, length: int) -> str:
    away = start - gps if start > gps else gps - start - length
    when = "later" if start > gps else "earlier"
    return (
        f"{run}: no analysed window of {detector} holds GPS {gps:.3f}. The nearest one, GPS "
        f"{start} to {start + length}, is {away:.3f} s {when}: ask for GPS {start}. The "
        "ledger says what became of others."
    )


def vector_of(rows: Rows, number: int) -> NDArray[np.float32]:
    """Return one row's vector: float32 [width], of unit norm."""
    return embedding_matrix(_read_row(rows, number, ["embedding"]))[0]


def read_rows(rows: Rows, numbers: Sequence[int]) -> pa.Table:
    """Return some rows of EMBEDDINGS, in the order of their ``numbers``, but for the vectors."""
    found = [_read_row(rows, number, _ABOUT) for number in numbers]
    schema = pa.schema([EMBEDDINGS.field(name) for name in _ABOUT])
    return (
        pa.concat_tables(table.cast(schema) for table in found) if found else schema.empty_table()
    )


def _read_row(rows: Rows, number: int, columns: list[str]) -> pa.Table:
    shard = int(np.searchsorted(rows.starts, number, side="right")) - 1
    place = number - rows.starts[shard]
    with pq.ParquetFile(rows.shards[shard]) as file:
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        ends = np.cumsum(sizes)
        group = int(np.searchsorted(ends, place, side="right"))
        read = file.read_row_group(group, columns=columns)
    return read.slice(place - (ends[group] - sizes[group]), 1).replace_schema_metadata(None)


def hold(rows: Rows) -> Held:
    """Read all vectors of a view into memory."""
    width = vector_of(rows, 0).size if rows.keys.num_rows else 0
    vectors = np.empty((rows.keys.num_rows, width), np.float32)

    def put(start: int, block: NDArray[np.float32]) -> None:
        vectors[start : start + len(block)] = block

    _each_block(rows, put)
    return Held(vectors)


def cosines(rows: Rows, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of every row with a unit vector, float32 [n], from the disk."""
    found = np.empty(rows.keys.num_rows, np.float32)

    def put(start: int, block: NDArray[np.float32]) -> None:
        found[start : start + len(block)] = block @ vector

    _each_block(rows, put)
    return found


def _each_block(rows: Rows, put: Callable[[int, NDArray[np.float32]], None]) -> None:
    """Call ``put`` with the first row's number and the vectors of each few row groups."""

    def read(shard: int, groups: range, start: int) -> None:
        with pq.ParquetFile(rows.shards[shard]) as file:
            part = file.read_row_groups(list(groups), columns=["embedding"], use_threads=False)
        put(start, embedding_matrix(part))

    # The threads of a product of small blocks wait for each other longer than they compute.
    with ThreadPoolExecutor(_READERS) as pool, threadpool_limits(1, "blas"):
        jobs = [pool.submit(read, *job) for job in _jobs(rows)]
        for job in jobs:
            job.result()


def _jobs(rows: Rows) -> list[tuple[int, range, int]]:
    """Return shard, row groups and the number of the first row of each part that is read."""
    jobs = []
    for shard, path in enumerate(rows.shards):
        about, start = pq.read_metadata(path), rows.starts[shard]
        sizes = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
        for first in range(0, len(sizes), _ROW_GROUPS):
            groups = range(first, min(first + _ROW_GROUPS, len(sizes)))
            jobs.append((shard, groups, start))
            start += sum(sizes[group] for group in groups)
    return jobs


def most_alike(
    found: NDArray[np.float32], count: int, among: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the numbers of the ``count`` largest of some cosines, largest first.

    Equal ones are in the order of their rows; only those ``among`` (bool [n]) are looked at.

    Raises
    ------
    GwmorphError
        ``count`` is less than 1.
    """
    if count < 1:
        raise GwmorphError(f"--count: expected 1 or more, got {count}.")
    rows = np.flatnonzero(among)
    count = min(count, len(rows))
    if not count:
        return rows
    cut = len(rows) - count
    near = rows[found[rows] >= np.partition(found[rows], cut)[cut]]
    return near[np.argsort(-found[near], kind="stable")][:count]
