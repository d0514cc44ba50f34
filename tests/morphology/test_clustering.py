import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from gwmorph import tables
from gwmorph.config import ClusteringConfig
from gwmorph.errors import ClusteringError
from gwmorph.morphology import clustering as module
from gwmorph.morphology.clustering import (
    MINIMUM_ROWS,
    Clustering,
    cluster,
    cluster_summary,
    cluster_table,
    only_events_of,
)
from gwmorph.storage import write_json

SIZES = (260, 180, 110, 50)
SEED = 11


def _blobs(sizes: tuple[int, ...], spread: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around random directions, shuffled, and the number of each one's blob."""
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(len(sizes), 384))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = centres[truth] + spread * rng.normal(size=(len(truth), 384)) / np.sqrt(384)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), truth


VECTORS, TRUTH = _blobs(SIZES)


@pytest.fixture(scope="module")
def found() -> Clustering:
    return cluster(VECTORS, ClusteringConfig(), SEED)


def test_planted_blobs_are_found(found: Clustering) -> None:
    assert adjusted_rand_score(TRUTH, found.labels) > 0.95
    assert -1 < found.diagnostics["silhouette"] < 1
    assert found.diagnostics["trustworthiness_space"] > 0.85
    assert found.diagnostics["trustworthiness_map"] > 0.85


def test_clusters_are_numbered_by_size(found: Clustering) -> None:
    counts = np.bincount(found.labels)
    assert (np.diff(counts) <= 0).all()
    assert counts.min() > 0
    assert found.diagnostics["clusters"] == len(counts) == len(found.weights)
    assert found.diagnostics["largest_cluster_share"] == counts[0] / len(VECTORS)
    # A component's weight is its share of responsibilities, up to the prior.
    np.testing.assert_allclose(found.weights, counts / len(VECTORS), atol=0.03)


def test_shapes_and_ranges(found: Clustering) -> None:
    rows = len(VECTORS)
    assert found.labels.dtype == np.int32
    assert found.space.shape == (rows, 10)
    assert found.map.shape == (rows, 2)
    assert found.log_likelihood.shape == (rows,)
    assert ((found.probabilities > 1 / 20) & (found.probabilities <= 1 + 1e-9)).all()
    assert np.isfinite(found.log_likelihood).all()


def test_a_medoid_is_the_member_nearest_to_all_others(found: Clustering) -> None:
    for label, medoid in enumerate(found.medoids):
        members = np.flatnonzero(found.labels == label)
        cosines = VECTORS[members].astype(np.float64) @ VECTORS[members].T.astype(np.float64)
        assert medoid == members[cosines.mean(axis=1).argmax()]


def test_the_same_seed_gives_the_same_bytes(found: Clustering) -> None:
    again = cluster(VECTORS, ClusteringConfig(), SEED)
    for name in (
        "labels",
        "probabilities",
        "log_likelihood",
        "space",
        "map",
        "weights",
        "medoids",
    ):
        assert getattr(again, name).tobytes() == getattr(found, name).tobytes(), name
    assert again.diagnostics == found.diagnostics


def test_another_seed_draws_another_map_of_the_same_blobs(found: Clustering) -> None:
    other = cluster(VECTORS, ClusteringConfig(), SEED + 1)
    assert not np.array_equal(other.map, found.map)
    assert adjusted_rand_score(TRUTH, other.labels) > 0.95


def test_diagnostics_are_json_and_report_convergence(found: Clustering, tmp_path) -> None:
    write_json(tmp_path / "clustering.json", found.diagnostics)
    figures = found.diagnostics
    assert figures["converged"] is True
    assert figures["starts_converged"] == figures["starts"] == 5
    assert figures["warnings"] == []
    assert figures["rows"] == 600
    assert figures["pca_components"] == 50
    assert 0.5 < figures["pca_explained_variance"] < 1
    assert 1 < figures["effective_components"] < 20
    assert figures["concentration"] == 1 / 20


def test_a_mixture_that_does_not_converge_says_so_in_the_diagnostics() -> None:
    impatient = {"mixture": {"max_iterations": 10, "starts": 3}}
    vectors, _ = _blobs((150, 150), spread=3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        figures = cluster(vectors, ClusteringConfig(**impatient), SEED).diagnostics
    assert figures["converged"] is False
    assert figures["starts_converged"] < 3
    assert len(figures["warnings"]) == 1
    assert "converge" in figures["warnings"][0]


@pytest.mark.parametrize("rows", [MINIMUM_ROWS, 24, 41])
def test_few_rows_are_clustered_with_what_they_allow(rows: int) -> None:
    vectors, truth = _blobs((rows - rows // 3, rows // 3), spread=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cluster(vectors, ClusteringConfig(), SEED)
    figures = found.diagnostics
    assert figures["umap_neighbors"] == min(30, rows - 1)
    assert figures["umap_dimensions"] == min(10, rows // 4)
    assert figures["mixture_components"] <= 4
    assert len(np.unique(found.labels)) <= 4
    # No cluster mixes the two blobs: few rows may be split, not confused.
    assert all(len(set(truth[found.labels == label])) == 1 for label in set(found.labels))


@pytest.mark.parametrize("rows", [0, 1, 2, MINIMUM_ROWS - 1])
def test_too_few_rows_stand_in_one_group_that_says_so(rows: int) -> None:
    found = cluster(VECTORS[:rows], ClusteringConfig(), SEED)
    assert found.diagnostics["clustered"] is False
    assert found.diagnostics["converged"] is None
    assert found.labels.tolist() == [0] * rows
    assert found.map.shape == (rows, 2)
    assert len(np.unique(found.map, axis=0)) == rows
    assert len(found.medoids) == len(found.weights) == min(rows, 1)


def test_values_that_are_not_finite_are_refused() -> None:
    vectors = VECTORS[:20].copy()
    vectors[7, 3] = np.nan
    with pytest.raises(ClusteringError, match=r"1 of 20 vectors .* first in row 7"):
        cluster(vectors, ClusteringConfig(), SEED)


def test_identical_rows_are_refused() -> None:
    with pytest.raises(ClusteringError, match="All 30 vectors are the same"):
        cluster(np.repeat(VECTORS[:1], 30, axis=0), ClusteringConfig(), SEED)


def test_copies_of_a_few_vectors_lie_together() -> None:
    """Three islands without a link: where they lie is chance, and so is what a mixture joins."""
    truth = np.repeat([0, 1, 2], 40)  # more copies each than neighbours
    found = cluster(VECTORS[truth], ClusteringConfig(), SEED)
    assert np.isfinite(found.map).all()
    nearest = NearestNeighbors(n_neighbors=1).fit(found.space).kneighbors()[1][:, 0]
    np.testing.assert_array_equal(truth[nearest], truth)


def test_neighbours_are_exact_and_start_with_the_row_itself() -> None:
    points = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)
    indices, distances = module._nearest_neighbors(points, 9)
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosine = 1 - units @ units.T
    np.fill_diagonal(cosine, -1)
    np.testing.assert_array_equal(indices, np.argsort(cosine, axis=1)[:, :9])
    np.fill_diagonal(cosine, 0)
    np.testing.assert_allclose(distances, np.take_along_axis(cosine, indices, 1), atol=1e-5)


def test_principal_components_are_those_of_the_covariance() -> None:
    coordinates, explained = module._principal_components(VECTORS, 5)
    centred = VECTORS.astype(np.float64) - VECTORS.mean(axis=0, dtype=np.float64)
    singular = np.linalg.svd(centred, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(coordinates, axis=0), singular[:5], rtol=1e-5)
    np.testing.assert_allclose(explained, singular[:5] ** 2 / np.sum(singular**2), rtol=1e-6)


def test_vectors_that_almost_agree_keep_their_components() -> None:
    """A mean cosine of 1 - 1e-8 leaves a variance that single precision would lose."""
    rng = np.random.default_rng(2)
    latent = rng.normal(size=(300, 2))
    vectors = np.full((300, 384), 1 / np.sqrt(384))
    vectors[:, 0] += 1e-4 * latent[:, 0]
    coordinates, explained = module._principal_components(vectors.astype(np.float32), 2)
    assert abs(np.corrcoef(coordinates[:, 0], latent[:, 0])[0, 1]) > 0.9999
    assert explained[0] > 0.99


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60))
def test_renumbering_orders_by_size_and_first_member(raw: list[int]) -> None:
    labels, order = module._by_size(np.array(raw))
    np.testing.assert_array_equal(order[labels], raw)
    counts = np.bincount(labels)
    firsts = [labels.tolist().index(label) for label in range(len(counts))]
    keys = list(zip(-counts, firsts, strict=True))
    assert keys == sorted(keys)
    assert counts.min() > 0


def _embedding_table() -> tables.pa.Table:
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
    return tables.pa.Table.from_pylist(rows, schema=tables.EMBEDDINGS)


def test_tables_carry_the_clusters(found: Clustering, tmp_path) -> None:
    embeddings = _embedding_table()
    clusters = cluster_table(embeddings, found)
    tables.write_table(tmp_path / "clusters.parquet", tables.CLUSTERS, clusters)
    read = tables.read_table(tmp_path / "clusters.parquet", tables.CLUSTERS)
    np.testing.assert_array_equal(read["cluster"].to_numpy(), found.labels)
    np.testing.assert_allclose(read["y"].to_numpy(), found.map[:, 1])
    assert read["gps_start"].to_pylist() == embeddings["gps_start"].to_pylist()

    summary = cluster_summary(embeddings, found)
    tables.write_table(tmp_path / "summary.parquet", tables.CLUSTER_SUMMARY, summary)
    assert sum(record["members"] for record in summary) == len(VECTORS)
    assert sum(record["share"] for record in summary) == pytest.approx(1)
    first = summary[0]
    members = found.labels == 0
    assert first["median_snr"] == 5.0 + np.median(TRUTH[members])
    assert first["median_frequency"] == 100.0 + np.median(TRUTH[members])
    assert first["mean_probability"] == pytest.approx(found.probabilities[members].mean())
    assert first["medoid_gps_start"] == 1000 + 32 * found.medoids[0]
    assert first["medoid_trigger_time"] == embeddings["trigger_time"][found.medoids[0]].as_py()
    assert read["trigger_time"].equals(embeddings["trigger_time"])
    assert first["medoid_detector"] == ("H1" if found.medoids[0] % 2 else "L1")


def test_an_event_that_two_blocks_claimed_is_clustered_once() -> None:
    embeddings = _embedding_table()
    times = embeddings["trigger_time"].to_pylist()
    claimed = [
        {field.name: 1 for field in tables.TRIGGERS}
        | {"detector": row["detector"], "gps_start": row["gps_start"], "view": True}
        | {"found_by": "tile"}
        | {"peak_time": row["trigger_time"]}
        for row in embeddings.to_pylist()
        if row["trigger_time"] is not None
    ]
    merged = [row for number, row in enumerate(claimed) if number % 5]
    # The same time in another window is another claim.
    merged[0]["gps_start"] += 32
    triggers = tables.pa.Table.from_pylist(merged[::-1], schema=tables.TRIGGERS)
    kept = only_events_of(triggers, embeddings)
    assert kept["trigger_time"].to_pylist() == [row["peak_time"] for row in merged[1:]]
    assert set(times) > set(kept["trigger_time"].to_pylist())
    assert kept.schema.equals(embeddings.schema)
