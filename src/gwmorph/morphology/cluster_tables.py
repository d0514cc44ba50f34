"""Tables of clusters: one row a picture, one row a cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.morphology.clustering import Clustering
from gwmorph.morphology.outside import exist_outside
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.clusters import CLUSTERS, SPACE
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, of_width
from gwmorph.tables.keys import row_keys
from gwmorph.tables.parquet import read_table, read_tables


def events_of_run(shards: Sequence[Path], triggers: Sequence[Path]) -> pa.Table:
    """Return the rows of EMBEDDINGS that a view of a run has, in order of the shards.

    Of events ``triggers`` is the run's table of triggers, of windows there is none.

    Raises
    ------
    TableError
        A table is missing or damaged.
    """
    embeddings = read_tables(shards, EMBEDDINGS)
    for path in triggers:
        embeddings = only_events_of(read_table(path, TRIGGERS), embeddings)
    return embeddings


def columns_of_triggers(
    embeddings: pa.Table, triggers: pa.Table, names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return columns of the triggers that events show, float64 [n] by name; nan for windows."""
    place = {key: i for i, key in enumerate(row_keys(triggers, "peak_time"))}
    keys = row_keys(embeddings)
    rows = np.array([place.get(key, -1) for key in keys], np.int64)
    return {
        name: np.where(rows >= 0, np.append(triggers[name].to_numpy(), np.nan)[rows], np.nan)
        for name in names
    }


def only_events_of(triggers: pa.Table, embeddings: pa.Table) -> pa.Table:
    """Return the rows of EMBEDDINGS whose trigger is in a TRIGGERS table, in their order.

    What two blocks claimed at their border has a view in both; the run's triggers hold it once.
    """

    known = set(row_keys(triggers, "peak_time"))
    mask = [key in known for key in row_keys(embeddings)]
    return embeddings.filter(pa.array(mask, pa.bool_()))


def cluster_table(
    embeddings: pa.Table, clustering: Clustering, jaccards: Mapping[str, NDArray[np.float64]]
) -> pa.Table:
    """Return the CLUSTERS table of an EMBEDDINGS table's rows, in their order.

    ``jaccards`` is what `outside.found_again` says of the clusters.
    """
    kept = [name for name in CLUSTERS.names if name in EMBEDDINGS.names]
    columns = {name: embeddings[name] for name in kept} | {
        "cluster": clustering.labels,
        "probability": clustering.probabilities,
        "outlier": clustering.outliers,
        "supported": clustering.supported[clustering.labels],
        "outside_umap": exist_outside(jaccards)[clustering.labels],
        "log_likelihood": clustering.log_likelihood,
        "x": clustering.map[:, 0].astype(np.float64),
        "y": clustering.map[:, 1].astype(np.float64),
    }
    return pa.table(columns, schema=CLUSTERS)


def space_table(embeddings: pa.Table, clustering: Clustering) -> pa.Table:
    """Return the SPACE table of an EMBEDDINGS table's rows, in their order."""
    schema = of_width(SPACE, clustering.space.shape[1], "place")
    columns = {name: embeddings[name] for name in SPACE.names if name != "place"}
    places = embedding_column(clustering.space.astype(np.float32))
    return pa.table({**columns, "place": places}, schema=schema)


def cluster_summary(
    embeddings: pa.Table, clustering: Clustering, jaccards: Mapping[str, NDArray[np.float64]]
) -> list[dict[str, Any]]:
    """Return the CLUSTER_SUMMARY records of a clustered EMBEDDINGS table, largest first.

    ``jaccards`` as of `cluster_table`.
    """
    outside = exist_outside(jaccards)
    tiles = {
        f"median_{name}": embeddings[f"tile_{name}"].to_numpy()
        for name in ("snr", "frequency", "q")
    }
    records = []
    for label, medoid in enumerate(clustering.medoids.tolist()):
        members = clustering.labels == label
        records.append(
            {
                "cluster": label,
                "members": int(members.sum()),
                "share": float(members.mean()),
                "outliers": int(clustering.outliers[members].sum()),
                "mean_probability": float(clustering.probabilities[members].mean()),
                **_separation(clustering, label),
                **{f"jaccard_{way}": float(found[label]) for way, found in jaccards.items()},
                "outside_umap": bool(outside[label]),
                **{name: float(np.median(values[members])) for name, values in tiles.items()},
                "medoid_detector": embeddings["detector"][medoid].as_py(),
                "medoid_gps_start": embeddings["gps_start"][medoid].as_py(),
                "medoid_trigger_time": embeddings["trigger_time"][medoid].as_py(),
            }
        )
    return records


def _separation(clustering: Clustering, label: int) -> dict[str, Any]:
    alone = clustering.nearest[label] < 0
    return {
        "supported": bool(clustering.supported[label]),
        "p_value": float(clustering.p_values[label]),
        "nearest_cluster": None if alone else int(clustering.nearest[label]),
        "overlap": None if alone else float(clustering.overlap[label]),
    }
