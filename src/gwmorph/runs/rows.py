"""What a run says of its rows: clusters, names, statuses, pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gwmorph.errors import TableError
from gwmorph.grid import BLOCK_S, block_of
from gwmorph.naming import event_name, span_name, window_name
from gwmorph.picture_files import container, picture_exists
from gwmorph.runs.folder import existing, require_schema, window_seconds
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.validation import NAMED_CLUSTERS

FOLDERS = {"window": ("pictures", "PICTURES"), "event": ("events", "EVENTS")}
_KEYS = ("detector", "gps_start", "trigger_time")
_CLUSTER_COLUMNS = ("cluster", "probability", "outlier", "supported", "outside_umap", "x", "y")
_STATUS_COLUMNS = ("status", "named", "agreeing", "similarity", "p_value")
# Of a run that was stopped before it, a column has nulls; what is no outcome of a run is an error.
_DESCRIPTIONS = (
    ("clusters/{view}/clusters.parquet", CLUSTERS, _CLUSTER_COLUMNS),
    ("calibration/{view}/status.parquet", STATUSES, _STATUS_COLUMNS),
)


def described(run: Path, view: str, rows: pa.Table) -> pa.Table:
    """Return some rows of a view, with what the run says of each in more columns.

    ``rows`` have ``detector``, ``gps_start`` and, of events, ``trigger_time``; they keep their
    order. Added are ``cluster``, ``probability``, ``outlier``, ``supported``, ``outside_umap``,
    ``x``, ``y`` as in the table of clusters, ``status``, ``named``, ``agreeing``, ``similarity``,
    ``p_value`` as in that of statuses, all null where the run says nothing; ``cluster_named``, the
    class that a cluster's members look like, null for none; and ``picture``, the path of the PNG,
    or of an archive and then the PNG's name in it, null where none was drawn.

    Raises
    ------
    TableError
        A table is damaged or of another version, or has two rows of one moment.
    """
    for name, schema, columns in _DESCRIPTIONS:
        rows = _with_columns(rows, run / name.format(view=view), schema, columns, view)
    rows = rows.append_column("cluster_named", _names_of(run, view, rows["cluster"]))
    return rows.append_column("picture", _pictures(run, view, rows))


def is_event(run: Path, rows: pa.Table) -> np.ndarray:
    """Tell which rows of the view of events are events of the run: bool [rows].

    ``rows`` have ``detector`` and ``trigger_time``.

    Raises
    ------
    GwmorphError
        The run has no triggers: it has not got so far.
    TableError
        As `described`.
    """
    path = existing(run, "triggers.parquet")
    require_schema(path, TRIGGERS)
    found = pq.read_table(path, columns=["detector", "peak_time"])
    events = np.zeros(rows.num_rows, bool)
    # Two triggers may share a moment and its picture, so `view` of either may be false.
    for detector in pc.unique(rows["detector"]).to_pylist():
        own = pc.equal(rows["detector"], detector).to_numpy()
        times = found.filter(pc.equal(found["detector"], detector))["peak_time"].to_numpy()
        events[own] = np.isin(rows["trigger_time"].to_numpy()[own], times)
    return events


def _with_columns(
    rows: pa.Table, path: Path, schema: pa.Schema, columns: tuple[str, ...], view: str
) -> pa.Table:
    key = "trigger_time" if view == "event" else "gps_start"
    place = np.full(rows.num_rows, -1)
    found = schema.empty_table()
    if path.is_file():
        require_schema(path, schema)
        found = pq.read_table(path, columns=["detector", key, *columns])
        place = _places(rows, found, key, path)
    taken = pa.array(place, mask=place < 0)
    for name in columns:
        rows = rows.append_column(schema.field(name).with_nullable(True), found[name].take(taken))
    return rows


def _places(rows: pa.Table, found: pa.Table, key: str, path: Path) -> np.ndarray:
    """Return where in ``found`` each of some rows is, −1 for nowhere: int64 [rows]."""
    places = np.full(rows.num_rows, -1)
    for detector in pc.unique(rows["detector"]).to_pylist():
        wanted, known = (
            np.flatnonzero(pc.equal(table["detector"], detector).to_numpy())
            for table in (rows, found)
        )
        times = found[key].to_numpy()[known]
        order = np.argsort(times, kind="stable")
        known, times = known[order], times[order]
        if (times[1:] == times[:-1]).any():
            raise TableError(
                f"{path}: has one moment twice. Remove it and run the workflow again."
            )
        if len(known):
            asked = rows[key].to_numpy()[wanted]
            near = np.minimum(np.searchsorted(times, asked), len(known) - 1)
            places[wanted] = np.where(times[near] == asked, known[near], -1)
    return places


def _names_of(run: Path, view: str, clusters: pa.ChunkedArray) -> pa.Array:
    """Return what clusters look like, where a validation of the run has named them."""
    path = run / "validation" / view / "named_clusters.parquet"
    names: dict[int, str] = {}
    if path.is_file():
        require_schema(path, NAMED_CLUSTERS)
        table = pq.read_table(path, columns=["cluster", "named"])
        names = dict(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))
    return pa.array([names.get(cluster) or None for cluster in clusters.to_pylist()], pa.string())


def _pictures(run: Path, view: str, rows: pa.Table) -> pa.Array:
    if not rows.num_rows:
        return pa.array([], pa.string())
    seconds = window_seconds(run) if view == "window" else 0
    keys = rows.select([c for c in _KEYS if c in rows.column_names]).to_pylist()
    paths = [picture_path(run, view, key, seconds) for key in keys]
    return pa.array([str(path) if picture_exists(path) else None for path in paths], pa.string())


def picture_path(run: Path, view: str, key: dict[str, Any], window_s: int) -> Path:
    """Return where a run has the picture of a row, whether or not there is one.

    Of a run that packs pictures that is the path of an archive and then the picture's name in it.

    ``key`` has ``detector``, ``gps_start`` and, of an event, ``trigger_time``; ``window_s`` is the
    length of windows.
    """
    folder, what = FOLDERS[view]
    detector, start = key["detector"], key["gps_start"]
    name = (
        event_name(detector, key["trigger_time"])
        if view == "event"
        else window_name(detector, start, window_s)
    )
    return container(run / folder / span_name(detector, what, block_of(start), BLOCK_S)) / name
