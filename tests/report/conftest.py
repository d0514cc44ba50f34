"""Synthetic tables for the report's tests."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.tables.block import LEDGER, MEASUREMENTS
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS

START = 1262301184
BLOCK_S = 4096


@dataclass(frozen=True)
class RunTables:
    """The tables of one synthetic run."""

    ledger: pa.Table
    measurements: pa.Table
    clusters: pa.Table
    summary: pa.Table


def _ledger(detectors: list[str], windows: int, lost_every: int) -> pa.Table:
    rows = []
    for detector in detectors:
        for number in range(windows):
            gps = START + 32 * number
            span = (detector, gps, 32, gps // BLOCK_S * BLOCK_S)
            if number % lost_every == 0:
                reason = Reason.CONTEXT if number % (2 * lost_every) else Reason.NAN
                rows.append(excluded_row(*span, reason=reason, detail="synthetic"))
            else:
                rows.append(analysed_row(*span))
    return pa.Table.from_pylist(rows, schema=LEDGER)


def _clusters(ledger: pa.Table, count: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    rows = [row for row in ledger.to_pylist() if row["status"] == "analysed"]
    shares = 0.8 ** np.arange(count)
    drawn = rng.choice(count, len(rows), p=shares / shares.sum())
    # Numbers go by size, as in a real run.
    order = np.argsort(-np.bincount(drawn, minlength=count), kind="stable")
    labels = np.argsort(order)[drawn]
    centres = rng.uniform(-10, 10, (count, 2))
    places = centres[labels] + rng.normal(0, 0.6, (len(rows), 2))
    snr = 5 + rng.pareto(2, len(rows)) * (1 + labels)
    return pa.Table.from_pylist(
        [
            {
                "detector": row["detector"],
                "gps_start": row["gps_start"],
                "view": "window",
                "tile_time": row["gps_start"] + 16.0,
                "tile_frequency": 100.0,
                "tile_q": 8.0,
                "tile_energy": float(snr[i] ** 2),
                "tile_snr": float(snr[i]),
                "cluster": int(labels[i]),
                "probability": float(1 - rng.beta(1, 20)),
                "outlier": bool(i % 50 == 7),
                "supported": bool(labels[i] != 1),
                "outside_umap": bool(labels[i] != 2),
                "log_likelihood": 0.0,
                "x": float(places[i, 0]),
                "y": float(places[i, 1]),
            }
            for i, row in enumerate(rows)
        ],
        schema=CLUSTERS,
    )


def _summary(clusters: pa.Table) -> pa.Table:
    frame = clusters.to_pandas()
    rows = []
    for cluster, members in frame.groupby("cluster"):
        medoid = members.iloc[len(members) // 2]
        rows.append(
            {
                "cluster": cluster,
                "members": len(members),
                "share": len(members) / len(frame),
                "outliers": int(members["outlier"].sum()),
                "mean_probability": members["probability"].mean(),
                "supported": bool(members["supported"].all()),
                "jaccard_communities": 0.9,
                "jaccard_components": 0.4,
                "outside_umap": bool(members["outside_umap"].all()),
                "p_value": 0.02,
                "nearest_cluster": 0 if cluster else 1,
                "overlap": 0.05,
                "median_snr": members["tile_snr"].median(),
                "median_frequency": members["tile_frequency"].median(),
                "median_q": members["tile_q"].median(),
                "medoid_detector": medoid["detector"],
                "medoid_gps_start": medoid["gps_start"],
            }
        )
    return pa.Table.from_pylist(rows, schema=CLUSTER_SUMMARY)


@pytest.fixture
def run_tables() -> Callable[..., RunTables]:
    """Makes the tables of a run with so many windows per detector and so many clusters."""

    def make(
        detectors: tuple[str, ...] = ("H1", "L1"),
        windows: int = 384,
        clusters: int = 5,
        lost_every: int = 6,
        seed: int = 1,
    ) -> RunTables:
        ledger = _ledger(list(detectors), windows, lost_every)
        rows = _clusters(ledger, clusters, seed)
        measured = rows.append_column("excess", rows["tile_snr"])
        measured = measured.append_column("track", rows["tile_energy"])
        measured = measured.append_column("chirp", rows["tile_energy"])
        measured = measured.select(MEASUREMENTS.names).cast(MEASUREMENTS)
        return RunTables(ledger, measured, rows, _summary(rows))

    return make
