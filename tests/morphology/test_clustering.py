import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import SIZES, blobs, cloud, unit
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from gwmorph.config import ClusteringConfig
from gwmorph.errors import ClusteringError
from gwmorph.morphology import clustering as module
from gwmorph.morphology.clustering import MINIMUM_ROWS, Clustering, cluster
from gwmorph.morphology.methods import METHODS
from gwmorph.morphology.partitions import contingency
from gwmorph.storage import write_json

SEED = 11
VECTORS, TRUTH = blobs(SIZES)
ARRAYS = (
    "labels",
    "probabilities",
    "outliers",
    "log_likelihood",
    "space",
    "map",
    "medoids",
    "nearest",
    "overlap",
    "p_values",
)


@pytest.fixture(scope="module")
def found() -> Clustering:
    return cluster(VECTORS, ClusteringConfig(), SEED)


@pytest.mark.parametrize("seed", range(12))
def test_planted_blobs_are_found_as_exactly_four(seed: int) -> None:
    found = cluster(VECTORS, ClusteringConfig(), seed)
    assert found.labels.max() + 1 == 4
    assert adjusted_rand_score(TRUTH, found.labels) >= 0.99
    assert found.supported.all()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_blobs(method: str) -> None:
    found = cluster(VECTORS, ClusteringConfig(method=method), SEED)
    assert adjusted_rand_score(TRUTH, found.labels) >= 0.99
    assert found.diagnostics["method"] == method


@pytest.mark.parametrize("falloff", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("rows", [150, 600])
def test_a_cloud_is_no_cluster(falloff: float, rows: int) -> None:
    for seed in range(3):
        found = cluster(cloud(rows, falloff, seed), ClusteringConfig(), seed)
        assert len(found.medoids) == 1 or not found.supported.any()


@pytest.mark.parametrize("method", ["communities", "hdbscan"])
def test_a_cloud_is_no_cluster_for_any_method(method: str) -> None:
    found = cluster(cloud(400, 0.3, 5), ClusteringConfig(method=method), SEED)
    assert len(found.medoids) == 1 or not found.supported.any()


def test_a_single_cluster_is_not_supported_and_has_no_nearest() -> None:
    found = cluster(cloud(200, 0.0, 3), ClusteringConfig(), SEED)
    assert found.nearest.tolist() == [-1]
    assert np.isnan(found.overlap).all()
    assert found.supported.tolist() == [False]
    assert found.diagnostics["clusters_supported"] == 0


def test_what_lies_between_islands_belongs_to_both(found: Clustering) -> None:
    rng = np.random.default_rng(0)
    first, second = (VECTORS[blob == TRUTH].mean(axis=0) for blob in (0, 1))
    between = unit((first + second)[None] / 2 + 0.02 * rng.normal(size=(1, 384)))
    alone = unit(rng.normal(size=(1, 384)))
    both = cluster(np.vstack([VECTORS, between, alone]), ClusteringConfig(), SEED)
    assert both.probabilities[-2] < 0.9
    assert both.probabilities[-1] < 0.9
    assert both.outliers[-1]
    typical = both.probabilities[:-2]
    assert np.median(typical) > 0.99
    assert both.outliers[:-2].mean() < 0.01


def test_separation_is_measured_on_a_sample_of_many_rows() -> None:
    """Twelve rows of a kind among many more than are compared."""
    vectors, truth = blobs((500, 300, 12))
    few = ClusteringConfig(separation={"rows": 200})
    found = cluster(vectors, few, SEED)
    assert adjusted_rand_score(truth, found.labels) >= 0.99
    assert found.diagnostics["null_rows"] <= 200
    assert len(found.nearest) == len(found.supported) == 3


@pytest.fixture(scope="module")
def part() -> Clustering:
    """Of 600 rows, 4 of 5 are placed among the fifth."""
    return cluster(VECTORS, ClusteringConfig(fit_rows=120), 7)


def test_rows_that_are_placed_belong_to_their_blobs(part: Clustering) -> None:
    assert part.fitted.shape == (120,)
    assert contingency(part.labels, TRUTH).astype(bool).sum() == 4
    assert part.diagnostics["rows"] == 600
    assert part.diagnostics["rows_fitted"] == 120
    assert part.layout.components.shape[0] == 120
    assert part.space.shape[0] == part.map.shape[0] == 600
    assert np.isfinite(part.log_likelihood).all()


def test_clusters_are_numbered_by_all_their_rows(part: Clustering) -> None:
    counts = np.bincount(part.labels)
    assert counts.tolist() == sorted(SIZES, reverse=True)
    assert part.labels[part.medoids].tolist() == [0, 1, 2, 3]
    assert np.isin(part.medoids, part.fitted).all()


def test_few_rows_of_a_kind_that_was_not_fitted_are_outliers() -> None:
    """Wherever they are placed, nothing is like them."""
    vectors, _ = blobs((300, 240))
    strange = unit(np.random.default_rng(8).normal(size=(1, 384)))
    fitted = cluster(vectors, ClusteringConfig(fit_rows=200), 7).fitted
    row = int(np.setdiff1d(np.arange(540), fitted)[0])
    vectors[row] = strange
    found = cluster(vectors, ClusteringConfig(fit_rows=200), 7)
    assert row not in found.fitted
    assert found.outliers[row]
    assert found.probabilities.argmin() == row


def test_rows_are_drawn_with_the_seed(part: Clustering) -> None:
    again, other = (cluster(VECTORS, ClusteringConfig(fit_rows=120), seed) for seed in (7, 8))
    assert again.map.tobytes() == part.map.tobytes()
    assert again.probabilities.tobytes() == part.probabilities.tobytes()
    assert not np.array_equal(other.fitted, part.fitted)


def test_the_nearest_of_islands_is_the_nearest_one() -> None:
    rng = np.random.default_rng(3)
    places = np.zeros((4, 384))
    places[:, 0], places[:, 1] = 1, [0, 1, 1.3, 4]
    vectors = unit(np.repeat(places, 60, axis=0) + 0.002 * rng.normal(size=(240, 384)))
    found = cluster(vectors, ClusteringConfig(), SEED)
    own = [found.labels[60 * island] for island in range(4)]
    assert sorted(own) == [0, 1, 2, 3]
    assert found.nearest[own[1]] == own[2]
    assert found.nearest[own[2]] == own[1]
    assert (found.overlap == 0).all()
    assert found.p_values[own[1]] == found.p_values[own[2]]


def test_no_cluster_has_a_few_rows_only(found: Clustering) -> None:
    shares = np.array([[0.9, 0.1, 0.0]] * 6 + [[0.4, 0.0, 0.6]] * 4 + [[0.2, 0.8, 0.0]] * 5)
    assert module._members(shares, np.arange(15)).tolist() == [0] * 10 + [1] * 5


@pytest.mark.parametrize("neighbors", [2, 5])
def test_outliers_do_not_depend_on_the_neighbourhood_of_umap(neighbors: int) -> None:
    found = cluster(VECTORS, ClusteringConfig(umap={"neighbors": neighbors}), SEED)
    assert found.outliers.mean() < 0.01


def test_probabilities_are_shares(found: Clustering) -> None:
    assert (found.probabilities > 0).all()
    assert (found.probabilities <= 1 + 1e-9).all()


def test_clusters_are_numbered_by_size(found: Clustering) -> None:
    counts = np.bincount(found.labels)
    assert (np.diff(counts) <= 0).all()
    assert counts.min() > 0
    assert found.diagnostics["clusters"] == len(counts) == len(found.nearest)
    assert found.diagnostics["largest_cluster_share"] == counts[0] / len(VECTORS)


def test_shapes_and_ranges(found: Clustering) -> None:
    rows = len(VECTORS)
    assert found.labels.dtype == np.int32
    assert found.space.shape == (rows, 10)
    assert found.map.shape == (rows, 2)
    assert np.isfinite(found.log_likelihood).all()
    assert -1 < found.diagnostics["silhouette"] < 1
    assert found.diagnostics["trustworthiness_space"] > 0.85
    assert found.diagnostics["trustworthiness_map"] > 0.85


def test_a_medoid_is_the_member_nearest_to_all_others(found: Clustering) -> None:
    for label, medoid in enumerate(found.medoids):
        members = np.flatnonzero(found.labels == label)
        cosines = VECTORS[members].astype(np.float64) @ VECTORS[members].T.astype(np.float64)
        assert medoid == members[cosines.mean(axis=1).argmax()]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(
    found: Clustering, threads: int
) -> None:
    with threadpool_limits(limits=threads):
        again = cluster(VECTORS, ClusteringConfig(), SEED)
    for name in ARRAYS:
        assert getattr(again, name).tobytes() == getattr(found, name).tobytes(), name
    assert again.diagnostics == found.diagnostics


def test_last_bits_of_the_vectors_decide_nothing(found: Clustering) -> None:
    noise = np.random.default_rng(1).normal(size=VECTORS.shape)
    shaken = (VECTORS * (1 + 1e-7 * noise)).astype(np.float32)
    other = cluster(shaken, ClusteringConfig(), SEED)
    assert adjusted_rand_score(found.labels, other.labels) >= 0.99


def test_another_seed_draws_another_map(found: Clustering) -> None:
    assert not np.array_equal(cluster(VECTORS, ClusteringConfig(), 12).map, found.map)


def test_diagnostics_are_json_and_say_what_was_done(found: Clustering, tmp_path) -> None:
    write_json(tmp_path / "clustering.json", found.diagnostics)
    figures = found.diagnostics
    assert figures["converged"] is True
    assert figures["rows"] == 600
    assert figures["pca_components"] == 50
    assert 0.5 < figures["pca_explained_variance"] < 1
    assert figures["groups_before_joining"] >= figures["clusters"] == 4
    assert 0 < figures["overlap_limit"] < figures["null_level"] < 1
    assert figures["null_surrogates"] == 20
    assert figures["links"] == 15


@pytest.mark.parametrize("rows", [MINIMUM_ROWS, 24, 41])
def test_few_rows_are_clustered_with_what_they_allow(rows: int) -> None:
    vectors, truth = blobs((rows - rows // 3, rows // 3), spread=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)  # UMAP's
        found = cluster(vectors, ClusteringConfig(), SEED)
    assert found.diagnostics["umap_neighbors"] == 8
    # No cluster mixes the two blobs: few rows may be split, not confused.
    if len(found.medoids) > 1:
        assert all(len(set(truth[found.labels == label])) == 1 for label in set(found.labels))


@pytest.mark.parametrize("rows", [0, 1, 2, MINIMUM_ROWS - 1])
def test_too_few_rows_stand_in_one_group_that_says_so(rows: int) -> None:
    found = cluster(VECTORS[:rows], ClusteringConfig(), SEED)
    assert found.diagnostics["clustered"] is False
    assert found.labels.tolist() == [0] * rows
    assert found.map.shape == (rows, 2)
    assert len(np.unique(found.map, axis=0)) == rows
    assert len(found.medoids) == len(found.supported) == min(rows, 1)
    assert not found.supported.any()


def test_a_few_equal_rows_stand_in_one_group() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cluster(np.repeat(VECTORS[:1], 5, axis=0), ClusteringConfig(), SEED)
    assert found.labels.tolist() == [0] * 5


def test_values_that_are_not_finite_are_refused() -> None:
    vectors = VECTORS[:20].copy()
    vectors[7, 3] = np.nan
    with pytest.raises(ClusteringError, match=r"1 of 20 vectors .* first in row 7"):
        cluster(vectors, ClusteringConfig(), SEED)


def test_identical_rows_are_refused() -> None:
    copies = np.repeat(VECTORS[:1], 30, axis=0)
    with pytest.raises(ClusteringError, match="All 30 vectors are the same"):
        cluster(copies, ClusteringConfig(), SEED)
    copies[3] *= 1 + 1e-7  # as another processor's sums would have it
    with pytest.raises(ClusteringError, match="All 30 vectors are the same"):
        cluster(copies, ClusteringConfig(), SEED)


@pytest.mark.parametrize("rows", [16, 40, 200])
def test_all_rows_but_one_equal(rows: int) -> None:
    vectors = np.repeat(VECTORS[:1], rows, axis=0)
    vectors[5] = VECTORS[np.flatnonzero(TRUTH[0] != TRUTH)[0]]
    found = cluster(vectors, ClusteringConfig(), SEED)
    assert len(found.medoids) == 1
    assert np.isfinite(found.map).all()
    assert np.isfinite(found.probabilities).all()


@pytest.mark.parametrize("copies", [40, 150])
def test_two_groups_of_copies(copies: int) -> None:
    truth = np.repeat([0, 1], copies)
    pair = np.array([np.flatnonzero(blob == TRUTH)[0] for blob in (0, 1)])
    found = cluster(VECTORS[pair[truth]], ClusteringConfig(), SEED)
    assert np.isfinite(found.map).all()
    assert adjusted_rand_score(truth, found.labels) == 1


def test_a_few_copies_of_two_vectors_are_laid_out() -> None:
    """Fewer copies than neighbours: whether they are one cluster or two is open."""
    found = cluster(np.repeat(VECTORS[:2], 10, axis=0), ClusteringConfig(), SEED)
    assert np.isfinite(found.map).all()
    assert found.labels.tolist() == sorted(found.labels, key=found.labels.tolist().index)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60))
def test_renumbering_orders_by_size_and_first_member(raw: list[int]) -> None:
    labels, order = module._by_size(np.array(raw))
    np.testing.assert_array_equal(order[labels], raw)
    counts = np.bincount(labels)
    firsts = [labels.tolist().index(label) for label in range(len(counts))]
    keys = list(zip(-counts, firsts, strict=True))
    assert keys == sorted(keys)
    assert counts.min() > 0


def test_one_row_in_a_thousand_of_a_cloud_is_an_outlier() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(300, 6)) * [3, 2, 1, 1, 0.5, 0.5]
    limits = module._OutlierLimits.of_clouds(points.astype(np.float32), 1)
    one = np.zeros(300, int)
    near = [
        module.nearest_neighbors(cloud, module.OUTLIER_NEIGHBORS)
        for cloud in module.clouds(points, 150, rng)
    ]
    outlying = np.concatenate([module.outlyingness(each, each) for each in near])
    isolated = np.concatenate(
        [module.isolation(each, one, module.typical_distance(each, one, 1)) for each in near]
    )
    # 45 of 45,000, by a limit that as few have set.
    assert 0.0004 < np.mean(outlying > limits.outlyingness) < 0.002
    assert 0.0004 < np.mean(isolated > limits.isolation / module._ISOLATION_MARGIN) < 0.002
    apart = np.concatenate([limits.apart(each, one, each, one) for each in near])
    assert np.mean(apart > 1) < 0.002


def test_rows_as_lone_as_their_neighbours_are_apart() -> None:
    rng = np.random.default_rng(0)
    cloud, lone = rng.normal(size=(200, 5)), 100 + 30 * rng.normal(size=(11, 5))
    points = np.vstack([cloud, lone]).astype(np.float32)
    limits = module._OutlierLimits.of_clouds(points, 1)
    near = module.nearest_neighbors(points, module.OUTLIER_NEIGHBORS)
    one = np.zeros(211, int)
    apart = limits.apart(near, one, near, one)
    told = module.outlyingness(near, near)[200:] <= limits.outlyingness
    assert told.sum() > 5  # what the one criterion cannot tell, the other does
    assert (apart[200:] > 1).all()
    assert (apart[:200] > 1).mean() < 0.05


def test_a_medoid_is_no_outlier() -> None:
    vectors = unit(np.array([[1.0, 0.5], [1.0, -0.5], [1.0, 0.0], [0.0, 1.0]])).astype(np.float32)
    labels = np.array([0, 0, 0, 1], np.int32)
    between = np.array([False, False, True, True])
    assert module._medoids(vectors, labels, np.zeros(4, bool)).tolist() == [2, 3]
    assert module._medoids(vectors, labels, between).tolist() == [0, 3]


def test_parts_that_are_cut_out_become_groups_of_their_own() -> None:
    """What a row gave to the group goes to the part; other rows and groups keep theirs."""
    given = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8]], np.float32)
    parts = np.array([5, 5, 6, 6, 5])
    found = module._cut_out(given, parts, [(0, 5)])
    expected = [[0, 0.1, 0.9], [0, 0.2, 0.8], [0.7, 0.3, 0], [0.1, 0.9, 0], [0, 0.8, 0.2]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(module._cut_out(given, parts, []), given)
    np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-6)  # untouched
    both = module._cut_out(given, parts, [(0, 5), (1, 6)])
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-6)
    # Group 1 is left with row 4: a group is what is the likeliest of some row.
    assert both.argmax(axis=1).tolist() == [2, 2, 0, 3, 1]
