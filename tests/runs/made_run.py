"""A run's folder with what a look into it reads, made without a workflow."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from filled import filled
from gwmorph.config import Config
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.naming import span_name
from gwmorph.results import record_config
from gwmorph.runs.rows import picture_path
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column
from gwmorph.tables.parquet import write_table
from gwmorph.tables.validation import NAMED_CLUSTERS

START = 1262301184
WINDOWS = 40
LOST = 3  # of each detector's windows this one has no context
DETECTORS = ("H1", "L1")
IDENTITY = {"gwmorph.render_id": "drawn", "gwmorph.encoder_id": "encoded"}


def vectors(rows: int, seed: int) -> np.ndarray:
    """Return unit vectors float32 [rows, 384]."""
    drawn = np.random.default_rng(seed).normal(size=(rows, 384))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def times_of(detector: str) -> np.ndarray:
    """Return the times of a detector's candidates; every third is no event of the run."""
    place = 10.25 if detector == "H1" else 20.5
    return np.array([START + 32 * n + place for n in range(WINDOWS) if n != LOST])


def events_of(detector: str) -> np.ndarray:
    times = times_of(detector)
    return times[np.arange(len(times)) % 3 != 2]


def make_run(folder: Path, seed: int = 1, metadata: dict[str, str] = IDENTITY) -> Path:
    """Make 40 windows of H1 and of L1 with a candidate each, two thirds of which are events."""
    events = []
    for number, detector in enumerate(DETECTORS):
        block = span_name(detector, "LEDGER", START, 4096, "parquet")
        rows = [_ledger_row(detector, START + 32 * n, n) for n in range(WINDOWS)]
        write_table(folder / "ledger" / block, LEDGER, rows)
        starts = [row["gps_start"] for row in rows if row["reason"] is None]
        measured = [_measured(detector, start) for start in starts]
        block = span_name(detector, "MEASUREMENTS", START, 4096, "parquet")
        write_table(folder / "measurements" / block, MEASUREMENTS, filled(MEASUREMENTS, *measured))
        _shards(folder, "window", detector, starts, None, seed + number, metadata)
        times = times_of(detector)
        _shards(folder, "event", detector, times // 32 * 32, times, seed + 10 + number, metadata)
        events += [_trigger(detector, time) for time in events_of(detector)]
    write_table(folder / "triggers.parquet", TRIGGERS, filled(TRIGGERS, *events), metadata)
    for view in ("event", "window"):
        _described(folder, view, events)
    record_config(folder / "config.yaml", Config().model_dump(mode="json"))
    return folder


def _ledger_row(detector: str, start: int, number: int) -> dict:
    if number == LOST:
        return excluded_row(detector, start, 32, START, reason=Reason.CONTEXT, detail="none")
    return analysed_row(detector, start, 32, START)


def _measured(detector: str, start: int) -> dict:
    return {"detector": detector, "gps_start": start, "tile_snr": 5.5, "tile_frequency": 100.0}


def _trigger(detector: str, time: float) -> dict:
    """Return the trigger of a second around a moment; those of even windows are loud."""
    loud = int(time - START) // 32 % 2 == 0
    return {
        "detector": detector, "gps_start": int(time // 32 * 32), "found_by": "tile",
        "time": time, "peak_time": time, "tstart": time - 0.25, "tend": time + 0.5,
        "duration": 0.75, "peak_frequency": 120.0, "frequency": 130.0,
        "snr": 12.0 if loud else 6.0, "view": True,
    }  # fmt: skip


def _shards(
    folder: Path, view: str, detector: str, starts, times, seed: int, metadata: dict[str, str]
) -> None:
    """Write two shards of a detector."""
    made = vectors(len(starts), seed)
    for number, rows in enumerate(np.array_split(np.arange(len(starts)), 2)):
        keys = [
            {
                "detector": detector, "gps_start": int(starts[row]), "view": view,
                "trigger_time": None if times is None else float(times[row]),
                "tile_snr": 6.0 + row, "tile_frequency": 120.0,
            }
            for row in rows
        ]  # fmt: skip
        bare = pa.schema([field for field in EMBEDDINGS if field.name != "embedding"])
        table = filled(bare, *keys).append_column("embedding", embedding_column(made[rows]))
        name = span_name(detector, "EMBEDDINGS", START + number * 65536, 65536, "parquet")
        write_table(folder / "embeddings" / view / name, EMBEDDINGS, table, metadata)


def _described(folder: Path, view: str, events: list[dict]) -> None:
    """Give every row cluster 0 or 1 in turn, in an order of its own, and events a picture."""
    if view == "event":
        rows = [{"detector": e["detector"], "gps_start": e["gps_start"],
                 "trigger_time": e["peak_time"]} for e in events]  # fmt: skip
    else:
        rows = [
            {"detector": detector, "gps_start": START + 32 * n, "trigger_time": None}
            for detector in DETECTORS
            for n in range(WINDOWS)
            if n != LOST
        ]
    rows = [
        row | {"view": view, "cluster": int(row["gps_start"] - START) // 32 % 2} for row in rows
    ]
    for row in rows if view == "event" else []:
        path = picture_path(folder, view, row, 32)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, np.zeros((8, 8), np.uint8), PictureScale("linear", 25.5, "cividis"))
    write_table(
        folder / "clusters" / view / "clusters.parquet", CLUSTERS, filled(CLUSTERS, *rows[::-1])
    )
    summary = [{"cluster": k, "members": len(rows) // 2} for k in (0, 1)]
    write_table(
        folder / "clusters" / view / "cluster_summary.parquet",
        CLUSTER_SUMMARY, filled(CLUSTER_SUMMARY, *summary),
    )  # fmt: skip
    write_table(
        folder / "validation" / view / "named_clusters.parquet", NAMED_CLUSTERS,
        filled(NAMED_CLUSTERS, {"cluster": 0, "named": "blip"}, {"cluster": 1, "named": ""}),
    )  # fmt: skip
    told = [
        {key: row[key] for key in ("detector", "gps_start", "view", "trigger_time")}
        | ({"status": "NOVEL", "named": "tomte"} if row["cluster"] else {"status": "KNOWN",
           "named": "blip"})
        for row in rows
    ]  # fmt: skip
    write_table(
        folder / "calibration" / view / "status.parquet", STATUSES, filled(STATUSES, *told)
    )
