import numpy as np
import pyarrow as pa
import pytest
from planted import SIZES, blobs

from closeness import near
from gwmorph.config import ClusteringConfig
from gwmorph.morphology.cluster_tables import cluster_summary, cluster_table, only_events_of
from gwmorph.morphology.clustering import Clustering, cluster
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS
from gwmorph.tables.embeddings import EMBEDDINGS
from gwmorph.tables.parquet import read_table, write_table

VECTORS, TRUTH = blobs(SIZES)
JACCARDS = {
    "communities": np.array([0.9, 0.2, 0.6, 0.4]),
    "components": np.array([0.1, 0.7, 0.9, 0.3]),
}


@pytest.fixture(scope="module")
def found() -> Clustering:
    return cluster(VECTORS, ClusteringConfig(), 11)


def _embedding_table() -> pa.Table:
    rows = [
        {
            "detector": "H1" if number % 2 else "L1",
            "gps_start": 1000 + 32 * number,
            "view": "window",
            "trigger_time": 1000.25 + number if number % 3 else None,
            "tile_time": 1000.0 + 32 * number,
            "tile_frequency": 100.0 + blob,
            "tile_q": 8.0,
            "tile_energy": 9.0,
            "tile_snr": 5.0 + blob,
            "embedding": vector.tolist(),
        }
        for number, (blob, vector) in enumerate(zip(TRUTH.tolist(), VECTORS, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=EMBEDDINGS)


def test_tables_carry_the_clusters(found: Clustering, tmp_path) -> None:
    embeddings = _embedding_table()
    clusters = cluster_table(embeddings, found, JACCARDS)
    write_table(tmp_path / "clusters.parquet", CLUSTERS, clusters)
    read = read_table(tmp_path / "clusters.parquet", CLUSTERS)
    np.testing.assert_array_equal(read["cluster"].to_numpy(), found.labels)
    np.testing.assert_allclose(read["x"].to_numpy(), found.map[:, 0])
    np.testing.assert_allclose(read["y"].to_numpy(), found.map[:, 1])
    assert read["gps_start"].to_pylist() == embeddings["gps_start"].to_pylist()

    summary = cluster_summary(embeddings, found, JACCARDS)
    write_table(tmp_path / "summary.parquet", CLUSTER_SUMMARY, summary)
    assert sum(record["members"] for record in summary) == len(VECTORS)
    assert sum(record["share"] for record in summary) == near(1)
    first = summary[0]
    members = found.labels == 0
    assert first["median_snr"] == 5.0 + np.median(TRUTH[members])
    assert first["median_frequency"] == 100.0 + np.median(TRUTH[members])
    assert first["mean_probability"] == near(found.probabilities[members].mean())
    assert first["medoid_gps_start"] == 1000 + 32 * found.medoids[0]

    assert first["medoid_trigger_time"] == embeddings["trigger_time"][found.medoids[0]].as_py()
    assert read["trigger_time"].equals(embeddings["trigger_time"])
    assert first["medoid_detector"] == ("H1" if found.medoids[0] % 2 else "L1")


def test_tables_say_which_clusters_exist_without_umap(found: Clustering) -> None:
    embeddings = _embedding_table()
    summary = cluster_summary(embeddings, found, JACCARDS)
    assert [record["outside_umap"] for record in summary] == [True, True, True, False]
    assert [record["jaccard_components"] for record in summary] == [0.1, 0.7, 0.9, 0.3]
    rows = cluster_table(embeddings, found, JACCARDS)
    outside = np.array(rows["outside_umap"].to_pylist())
    np.testing.assert_array_equal(outside, found.labels != 3)


def test_an_event_that_two_blocks_claimed_is_clustered_once() -> None:
    embeddings = _embedding_table()
    times = embeddings["trigger_time"].to_pylist()
    claimed = [
        {field.name: 1 for field in TRIGGERS}
        | {"detector": row["detector"], "gps_start": row["gps_start"], "view": True}
        | {"found_by": "tile"}
        | {"peak_time": row["trigger_time"]}
        for row in embeddings.to_pylist()
        if row["trigger_time"] is not None
    ]
    merged = [row for number, row in enumerate(claimed) if number % 5]
    # The same time in another window is another claim.
    merged[0]["gps_start"] += 32
    triggers = pa.Table.from_pylist(merged[::-1], schema=TRIGGERS)
    kept = only_events_of(triggers, embeddings)
    assert kept["trigger_time"].to_pylist() == [row["peak_time"] for row in merged[1:]]
    assert set(times) > set(kept["trigger_time"].to_pylist())
    assert kept.schema.equals(embeddings.schema)
