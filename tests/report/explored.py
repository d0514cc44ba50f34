"""A small run as the explorer reads it, with everything that can stand in the way."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from filled import filled
from gwmorph.grid import BLOCK_S, block_of
from gwmorph.ledger import analysed_row
from gwmorph.morphology.neighbors import nearest_others
from gwmorph.naming import event_name, window_name
from gwmorph.report.explorer.contents import ViewTables
from gwmorph.report.explorer.folder import about_run, write_explorer
from gwmorph.report.names import ClusterName
from gwmorph.runs.vetoes import Veto, cluster_vetoes
from gwmorph.strain.base import LocalFile
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.validation import NAMED_ROWS
from packed import pack

START = 1262301184
# A class of a user's own that would run if it were taken for HTML, and end a script.
NASTY = '<img src=x onerror="window.hacked=1"></script>'
CLASSES = ["Blip", NASTY, ""]
STATES = ["KNOWN", "AMBIGUOUS", "NOVEL"]
# Half a nanosecond: JavaScript rounds it up, Python to the even digit.
TIE = 2.0**-10


def clusters(view: str, rows: int) -> pa.Table:
    """Return rows of CLUSTERS: clusters, classes and statuses go round by threes."""
    rng = np.random.default_rng(1)
    made = []
    for i in range(rows):
        detector, start = ("H1", "L1")[i % 2], START + 32 * (i // 2)
        time = start + 16 + (TIE if i == 0 else 0.02 * (i % 2))
        made.append(
            {
                "detector": detector,
                "gps_start": start,
                "view": view,
                "trigger_time": time if view == "event" else None,
                "tile_time": time,
                "tile_frequency": 30.0 + i,
                "tile_q": 8.0,
                "tile_energy": 50.0,
                "tile_snr": 8.0 + i,
                "cluster": i % 3,
                "probability": 0.9,
                "outlier": i == 4,
                "supported": i % 3 != 1,
                "outside_umap": i % 3 == 0,
                "log_likelihood": float("nan"),
                "x": 10.0 * (i % 3) + rng.normal(),
                "y": 5.0 + rng.normal(),
            }
        )
    return pa.Table.from_pylist(made, schema=CLUSTERS)


def _keyed(table: pa.Table, **columns: list) -> list[dict]:
    kept = ("detector", "gps_start", "view", "trigger_time")
    return [
        {**{name: row[name] for name in kept}, **{name: said[i] for name, said in columns.items()}}
        for i, row in enumerate(table.to_pylist())
    ]


def named_rows(table: pa.Table) -> pa.Table:
    found = [CLASSES[i % 3] for i in range(len(table))]
    rows = _keyed(table, named=found)
    rest = {"agreeing": 1.0, "neighbors": [0], "distance": 0.1, "label": None}
    return pa.Table.from_pylist([{**row, **rest} for row in rows], schema=NAMED_ROWS)


def statuses(table: pa.Table) -> pa.Table:
    rows = _keyed(table, status=[STATES[i % 3] for i in range(len(table))])
    rest = dict.fromkeys(("named", "agreeing", "similarity", "p_value"))
    return pa.Table.from_pylist([{**row, **rest} for row in rows], schema=STATUSES)


def view_of(view: str, rows: int, plain: bool = False) -> ViewTables:
    """Return one view's tables; a ``plain`` one has neither names nor statuses."""
    table = clusters(view, rows)
    vectors = np.random.default_rng(2).standard_normal((rows, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = {i: ClusterName(CLASSES[i], 9, 10, 0.0) for i in range(min(rows, 3))}
    nearest = nearest_others(vectors, 8)
    if plain:
        return ViewTables(table, nearest)
    return ViewTables(table, nearest, names, named_rows(table), statuses(table))


def vetoes_of(events: pa.Table) -> dict[int, dict[str, Veto]]:
    """Return the vetoes around clusters of events that last a second each."""
    rows = events.to_pylist()
    triggers = [
        {
            "detector": row["detector"], "gps_start": row["gps_start"], "found_by": "tile",
            "peak_time": row["trigger_time"], "snr": row["tile_snr"],
            "tstart": row["trigger_time"] - 0.5, "tend": row["trigger_time"] + 0.5,
        }
        for row in rows
    ]  # fmt: skip
    ledger = [analysed_row(row["detector"], row["gps_start"], 32, START) for row in rows]
    return cluster_vetoes(
        events,
        filled(TRIGGERS, *triggers),
        pa.Table.from_pylist(ledger, schema=LEDGER),
    )


def leave_run(run: Path, views: dict[str, ViewTables], packed: bool = False) -> Path:
    """Write a run's explorer and the pictures of its rows, maybe packed; return the page."""
    folders = set()
    for view, tables in views.items():
        kind = {"event": "EVENTS", "window": "PICTURES"}[view]
        for row in tables.clusters.to_pylist():
            detector, start = row["detector"], row["gps_start"]
            name = f"{detector}-GWMORPH_{kind}-{block_of(start)}-{BLOCK_S}"
            folder = run / kind.lower() / name
            folder.mkdir(parents=True, exist_ok=True)
            folders.add(folder)
            time = row["trigger_time"]
            picture = event_name(detector, time) if time else window_name(detector, start, 32)
            Image.new("P", (224, 224), 7).save(folder / picture)
    files = [
        LocalFile(d, START, BLOCK_S, 4096, f"my strain/{d} it's.hdf5", "", 1, "hdf5", "strain/S")
        for d in ("H1", "L1")
    ]
    vetoes = vetoes_of(views["event"].clusters) if "event" in views else {}
    pictures = [pack(folder) if packed else folder for folder in sorted(folders)]
    about = about_run("small", 32, pictures, files)
    write_explorer(run / "explorer", about, views, vetoes, pictures)
    return run / "explorer" / "index.html"
