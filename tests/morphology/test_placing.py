import numpy as np
import pytest
from planted import SIZES, blobs

from gwmorph.config import ClusteringConfig
from gwmorph.morphology import placing as module
from gwmorph.morphology.layout import Layout, lay_out
from gwmorph.morphology.placing import Placed, place, weighted_mean

VECTORS, TRUTH = blobs(SIZES)
FITTED = np.sort(np.random.default_rng(3).choice(len(VECTORS), 300, replace=False))


@pytest.fixture(scope="module")
def layout() -> Layout:
    return lay_out(VECTORS[FITTED], ClusteringConfig(), 2)


@pytest.fixture(scope="module")
def placed(layout: Layout) -> Placed:
    return place(layout, VECTORS, FITTED, 7)


def test_rows_that_are_laid_out_stay_where_they_are(layout: Layout, placed: Placed) -> None:
    np.testing.assert_array_equal(placed.space[FITTED], layout.space)
    np.testing.assert_array_equal(placed.map[FITTED], layout.map)
    np.testing.assert_array_equal(placed.neighbors.indices[FITTED], layout.neighbors.indices)
    own = placed.weights[FITTED]
    assert abs(own - layout.graph).max() == 1
    assert (own.diagonal() == 1).all()


def test_all_rows_laid_out_are_the_layout(layout: Layout) -> None:
    placed = place(layout, VECTORS[FITTED], np.arange(300), 7)
    np.testing.assert_array_equal(placed.space, layout.space)
    assert abs(placed.weights - module.own_weights(layout)).max() == 0


def test_other_rows_have_the_exact_neighbours(layout: Layout, placed: Placed) -> None:
    new = np.setdiff1d(np.arange(len(VECTORS)), FITTED)
    there = layout.model.of(VECTORS[new]).astype(float)
    away = np.linalg.norm(there[:, None] - layout.components, axis=2)
    width = layout.neighbors.indices.shape[1]
    np.testing.assert_allclose(
        placed.neighbors.distances[new], np.sort(away, axis=1)[:, :width], rtol=1e-4
    )
    links = np.diff(placed.weights.indptr)[new]
    assert (links == 7).all()


def test_other_rows_lie_among_their_own_kind(layout: Layout, placed: Placed) -> None:
    new = np.setdiff1d(np.arange(len(VECTORS)), FITTED)
    of_kind = weighted_mean(placed.weights, np.eye(4)[TRUTH[FITTED]])
    assert (of_kind[new, TRUTH[new]] > 0.99).all()
    for kind in range(4):
        fitted, others = layout.map[TRUTH[FITTED] == kind], placed.map[new[TRUTH[new] == kind]]
        low, high = fitted.min(axis=0), fitted.max(axis=0)
        assert ((others >= low - 1e-4) & (others <= high + 1e-4)).all()


def test_the_nearest_counts_most(layout: Layout) -> None:
    """A copy of a fitted row is placed on it as far as its weights say."""
    copies = np.vstack([VECTORS[FITTED], VECTORS[FITTED[:5]]])
    placed = place(layout, copies, np.arange(300), 7)
    weights = placed.weights[300:].toarray()
    assert weights.argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    assert weights.max() == 1


def test_batches_change_nothing(layout: Layout, placed: Placed, monkeypatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 64)
    again = place(layout, VECTORS, FITTED, 7)
    np.testing.assert_allclose(again.space, placed.space, rtol=1e-5)
    np.testing.assert_array_equal(again.neighbors.indices, placed.neighbors.indices)


def test_rows_without_a_distance_share_their_places(layout: Layout) -> None:
    """More copies than neighbours: all distances are 0, and all weights alike."""
    few = np.repeat(VECTORS[:3], 40, axis=0)
    fitted = np.arange(0, 120, 2)
    made = lay_out(few[fitted], ClusteringConfig(), 1)
    placed = place(made, few, fitted, 7)
    assert np.isfinite(placed.space).all()
    assert np.isfinite(placed.map).all()
