import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples

from closeness import near
from gwmorph.evidence.distortion import (
    Faithfulness,
    cosine_distances,
    distortion_rows,
    euclidean_distances,
    permutation_p_values,
    separation_rows,
    silhouettes,
)
from gwmorph.evidence.sample import Sample

PERFECT = dict.fromkeys(
    ("trustworthiness", "continuity", "neighbor_preservation", "shepard_correlation"), 1.0
)


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(size=(200, 6))


def figures(original, shown):
    found = Faithfulness.of(euclidean_distances(original), euclidean_distances(shown))
    return found.figures(np.arange(len(original)))


def test_trustworthiness_is_scikit_learns_and_continuity_its_mirror(points):
    flat = points[:, :2]
    found = figures(points, flat)
    assert found["trustworthiness"] == near(trustworthiness(points, flat, n_neighbors=15))
    assert found["continuity"] == near(trustworthiness(flat, points, n_neighbors=15))


def test_a_turned_copy_is_faithful_and_a_random_one_is_not(points):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert figures(points, 3 * points @ turn) == near(PERFECT)
    chance = figures(points, np.random.default_rng(2).normal(size=(200, 2)))
    assert chance["neighbor_preservation"] == pytest.approx(15 / 199, abs=0.03)
    assert chance["trustworthiness"] == pytest.approx(0.5, abs=0.05)
    assert chance["shepard_correlation"] == pytest.approx(0, abs=0.05)


def test_what_tears_and_what_joins_are_told_apart():
    """A torn ring loses neighbours (continuity); two sheets laid on each other gain false ones."""
    angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    torn = figures(ring, angle[:, None])
    assert torn["trustworthiness"] > 0.999 > torn["continuity"]
    sheets = np.column_stack([np.tile(angle[:150], 2), np.repeat([0.0, 50.0], 150)])
    joined = figures(sheets, sheets[:, :1])
    assert joined["continuity"] > 0.98
    assert joined["trustworthiness"] < 0.9


def test_vectors_are_compared_by_cosine():
    vectors = np.random.default_rng(3).normal(size=(40, 5)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(cosine_distances(7 * vectors), 1 - units @ units.T, atol=1e-6)
    sample = Sample(np.arange(40), vectors, np.zeros(40, np.int32), np.arange(40) // 4)
    rows = distortion_rows(sample, {"space": 5 * units}, 20, 1)
    assert {row["figure"]: row["value"] for row in rows} == near(PERFECT)
    assert [row["low"] for row in rows] == near([1.0] * 4, rel=1e-4)
    assert [row["high"] for row in rows] == near([1.0] * 4, rel=1e-4)


def test_silhouettes_are_scikit_learns_beside_the_nearest_cluster(points):
    labels = np.repeat([0, 1], 100)
    moved = points + 3 * labels[:, None]
    distances = euclidean_distances(moved)
    found, nearest = silhouettes(distances, labels)
    expected = silhouette_samples(moved, labels)
    assert found == near([expected[labels == k].mean() for k in (0, 1)])
    assert nearest.tolist() == [1, 0]


def test_the_nearest_cluster_is_the_nearest(points):
    labels = np.repeat([0, 1, 2, 3], 50)
    places = np.array([0.0, 9.0, 10.0, 30.0])
    _, nearest = silhouettes(euclidean_distances(points + places[labels][:, None]), labels)
    assert nearest.tolist() == [1, 2, 1, 2]


def test_one_cluster_has_nothing_beside_it(points):
    distances, labels = euclidean_distances(points), np.zeros(200, int)
    found, nearest = silhouettes(distances, labels)
    assert np.isnan(found).all()
    assert nearest.tolist() == [-1]
    assert permutation_p_values(distances, labels, nearest, 19, 1).tolist() == [1.0]


def test_random_names_are_no_better_than_chance(points):
    distances = euclidean_distances(points)
    rng = np.random.default_rng(5)
    p_values = []
    for _ in range(20):
        labels = rng.permutation(np.repeat([0, 1], 100))
        p_values += permutation_p_values(distances, labels, np.array([1, 0]), 39, 2).tolist()
    assert np.mean(np.array(p_values) <= 0.1) < 0.25
    assert min(p_values) >= 1 / 40


def test_planted_groups_are_better_than_any_permutation(points):
    labels = np.repeat([0, 1], 100)
    distances = euclidean_distances(points + 2 * labels[:, None])
    found = permutation_p_values(distances, labels, np.array([1, 0]), 39, 2)
    assert found == near([1 / 40, 1 / 40])


def test_separation_has_a_row_for_every_cluster_and_keeps_the_rare_ones():
    rng = np.random.default_rng(8)
    labels = rng.permutation(np.repeat([0, 1, 2], [500, 300, 6]))
    vectors = (np.eye(12)[labels] + 0.1 * rng.normal(size=(806, 12))).astype(np.float32)
    rows = separation_rows(vectors, labels, 100, 39, 1)
    assert [row["cluster"] for row in rows] == [0, 1, 2]
    assert rows[2]["members"] == 6
    assert sum(row["members"] for row in rows) <= 100
    assert all(row["silhouette"] > 0.8 and row["p_value"] == near(1 / 40) for row in rows)


def test_a_cluster_alone_has_no_separation():
    vectors = np.random.default_rng(1).normal(size=(60, 5)).astype(np.float32)
    (row,) = separation_rows(vectors, np.zeros(60, np.int32), 50, 19, 1)
    assert row["nearest_cluster"] is None is row["silhouette"]
    assert row["p_value"] == 1
