import warnings

import numpy as np
import pytest
from planted import SIZES, blobs, unit
from sklearn.neighbors import NearestNeighbors

from gwmorph.config import ClusteringConfig
from gwmorph.morphology.layout import (
    lay_out,
    membership_graph,
    nearest_neighbors,
    neighborhood,
)

VECTORS, TRUTH = blobs(SIZES)


def test_neighbours_are_exact_and_leave_the_row_itself_out() -> None:
    points = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)
    found = nearest_neighbors(points, 8)
    distance = np.linalg.norm(points[:, None].astype(float) - points, axis=2)
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_array_equal(found.indices, np.argsort(distance, axis=1)[:, :8])
    np.testing.assert_allclose(found.distances, np.sort(distance, axis=1)[:, :8], rtol=1e-4)


def test_neighbours_of_few_rows_are_all_others() -> None:
    points = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    assert np.sort(nearest_neighbors(points, 30).indices, axis=1).tolist() == [
        [1, 2, 3],
        [0, 2, 3],
        [0, 1, 3],
        [0, 1, 2],
    ]


@pytest.mark.parametrize("rows", [16, 24, 41])
def test_few_rows_are_laid_out_with_what_they_allow(rows: int) -> None:
    vectors, _ = blobs((rows - rows // 3, rows // 3), spread=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)  # UMAP's
        layout = lay_out(vectors, ClusteringConfig(), 1)
    assert layout.neighbors.indices.shape == (rows, 10)
    assert layout.space.shape == (rows, max(rows // 10, 2))
    assert layout.map.shape == (rows, 2)


def test_the_graph_is_that_of_the_laid_out_umap() -> None:
    layout = lay_out(VECTORS, ClusteringConfig(umap={"dimensions": 2}), 3)
    alone = membership_graph(layout.components, layout.neighbors)
    assert abs(alone - layout.graph).max() < 5e-3
    assert (abs(layout.graph - layout.graph.T) > 1e-6).nnz == 0


def test_copies_of_a_few_vectors_lie_together() -> None:
    truth = np.repeat([0, 1, 2], 40)  # more copies each than neighbours
    layout = lay_out(VECTORS[truth], ClusteringConfig(), 5)
    assert np.isfinite(layout.map).all()
    nearest = NearestNeighbors(n_neighbors=1).fit(layout.space).kneighbors()[1][:, 0]
    np.testing.assert_array_equal(truth[nearest], truth)


@pytest.mark.parametrize(
    ("rows", "largest", "expected"),
    [(16, 30, 8), (5, 30, 4), (400, 30, 10), (1200, 30, 30), (10**6, 30, 30), (1000, 5, 5)],
)
def test_neighbourhoods_grow_with_the_rows(rows: int, largest: int, expected: int) -> None:
    assert neighborhood(rows, largest) == expected


def test_distances_without_whitening_follow_the_cosine() -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng.normal(size=(60, 8)))
    plain = ClusteringConfig(pca_components=8, pca_whitening=0)
    layout = lay_out(vectors, plain, 0)
    cosine = np.take_along_axis(vectors @ vectors.T, layout.neighbors.indices, 1)
    np.testing.assert_allclose(layout.neighbors.distances**2 / 2, 1 - cosine, atol=1e-4)
