"""What the explorer shows of one view: columns of all rows, and details that wait for a click."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from gwmorph.errors import TableError
from gwmorph.morphology.neighbors import Nearest
from gwmorph.morphology.status import Status
from gwmorph.report.explorer.columns import coded, encoded_all, seconds_and_nanoseconds
from gwmorph.report.names import Names, cluster_labels
from gwmorph.report.palette import cluster_color
from gwmorph.report.statuses import COLORS, statuses_of
from gwmorph.tables.keys import row_keys

# Rows whose details are read together: 150 kB.
CHUNK = 2000
# Of rows that have no status, or one that no figure colours.
NO_STATUS = "#8a8a8a"
# Columns of CLUSTERS that only an opened row shows.
_NUMBERS = ("probability", "tile_q", "tile_energy", "log_likelihood")


@dataclass(frozen=True)
class ViewTables:
    """The tables of one view of a run, all of it but CLUSTERS optional.

    ``clusters`` rows of CLUSTERS; ``names`` of its clusters; ``named`` rows of NAMED_ROWS;
    ``statuses`` rows of STATUSES. ``nearest`` has numbers of rows of ``clusters``.
    """

    clusters: pa.Table
    nearest: Nearest
    names: Names | None = None
    named: pa.Table | None = None
    statuses: pa.Table | None = None


def vectors_of(clusters: pa.Table, embeddings: pa.Table, column: str = "embedding") -> NDArray:
    """Return the vector of each row of CLUSTERS from rows of EMBEDDINGS: float32 [n, width].

    Raises
    ------
    TableError
        A row has no vector: the tables are of two runs.
    """
    place = {key: row for row, key in enumerate(row_keys(embeddings))}
    missing = [key for key in row_keys(clusters) if key not in place]
    if missing:
        raise TableError(
            f"expected a vector for every clustered row, got none for {missing[0]} and "
            f"{len(missing) - 1} more. Embeddings and clusters are of two runs: run the workflow "
            "again."
        )
    vectors = embeddings[column].combine_chunks()
    matrix = vectors.flatten().to_numpy().reshape(-1, vectors.type.list_size)
    return matrix[[place[key] for key in row_keys(clusters)]]


def columns_of(view: ViewTables) -> dict[str, Any]:
    """Return what is read of all rows before anything is drawn, as JSON can hold it.

    ``x`` and ``y`` are scaled to -1 … 1; ``second`` and ``nanosecond`` are the trigger's GPS time
    of an event, and the loudest tile's of a window.
    """
    rows = view.clusters
    triggers = rows["trigger_time"].to_numpy(zero_copy_only=False).astype(float)
    times = np.where(np.isnan(triggers), rows["tile_time"].to_numpy(), triggers)
    second, nanosecond = seconds_and_nanoseconds(times)
    detectors, detector = coded(rows["detector"].to_pylist())
    classes, named = coded(_classes(view))
    statuses, status = coded(_statuses(view))
    x, y = _scaled(rows["x"].to_numpy()), _scaled(rows["y"].to_numpy())
    return {
        "rows": len(rows),
        "chunk": CHUNK,
        "nearestAmong": view.nearest.among,
        "detectors": detectors,
        "classes": classes,
        "hasClasses": view.named is not None,
        "statuses": statuses,
        "hasStatuses": view.statuses is not None,
        "statusColors": [_status_color(name) for name in statuses],
        "clusters": _clusters(view),
        "columns": encoded_all(
            {
                "x": x,
                "y": y,
                "detector": detector.astype(np.uint8),
                "start": rows["gps_start"].to_numpy().astype(np.uint32),
                "second": second,
                "nanosecond": nanosecond,
                "cluster": rows["cluster"].to_numpy().astype(np.uint16),
                "outlier": rows["outlier"].to_numpy(zero_copy_only=False).astype(np.uint8),
                "status": status.astype(np.uint8),
                "named": named,
                "snr": rows["tile_snr"].to_numpy().astype(np.float32),
                "frequency": rows["tile_frequency"].to_numpy().astype(np.float32),
            }
        ),
    }


def chunks_of(view: ViewTables) -> Iterator[dict[str, Any]]:
    """Yield the details of ``CHUNK`` rows after the other, as JSON can hold them.

    ``neighbors`` and ``cosines`` are [rows, ``width``], flat.
    """
    near = view.nearest
    for start in range(0, len(view.clusters), CHUNK):
        part = slice(start, start + CHUNK)
        rows = view.clusters.slice(start, CHUNK)
        columns = {name: rows[name].to_numpy().astype(np.float32) for name in _NUMBERS}
        columns["neighbors"] = near.rows[part].astype(np.uint32).ravel()
        columns["cosines"] = near.cosines[part].ravel()
        yield {"width": near.rows.shape[1], "columns": encoded_all(columns)}


def _clusters(view: ViewTables) -> list[dict[str, Any]]:
    numbers = view.clusters["cluster"].to_numpy()
    members = np.bincount(numbers) if len(numbers) else np.zeros(0, int)
    marks = cluster_labels(view.clusters)
    return [
        {
            "color": to_hex(cluster_color(number)),
            "members": count,
            "mark": marks[number],
            "name": _name(view.names, number),
            "words": view.names[number].words if view.names else "",
        }
        for number, count in enumerate(members.tolist())
    ]


def _name(names: Names | None, number: int) -> str:
    return names[number].named if names else ""


def _classes(view: ViewTables) -> list[str]:
    """Return the class that each row looks like, '' for none."""
    return _matched(view, view.named, "named")


def _statuses(view: ViewTables) -> list[str]:
    if view.statuses is None:
        return [""] * len(view.clusters)
    return statuses_of(view.clusters, view.statuses).tolist()


def _matched(view: ViewTables, table: pa.Table | None, column: str) -> list[str]:
    held: Mapping = (
        {} if table is None else dict(zip(row_keys(table), table[column].to_pylist(), strict=True))
    )
    return [held.get(key) or "" for key in row_keys(view.clusters)]


def _status_color(name: str) -> str:
    return COLORS.get(Status(name), NO_STATUS) if name else NO_STATUS


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return coordinates in -1 … 1; those that are all one lie in the middle."""
    if not len(values):
        return np.zeros(0, np.float32)
    low, high = float(values.min()), float(values.max())
    half = (high - low) / 2 or 1.0
    return ((values - (low + high) / 2) / half).astype(np.float32)
