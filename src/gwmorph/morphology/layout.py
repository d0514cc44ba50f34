"""Where n vectors lie relative to each other: components, neighbours, UMAP's graph and spaces."""

import warnings
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors

from gwmorph.config import ClusteringConfig
from gwmorph.morphology.components import Components
from gwmorph.spectra.compiled import keep_on_disk

if TYPE_CHECKING:
    from umap import UMAP

# Of each row, whatever UMAP's neighbourhood: what outliers are told by.
_FEWEST_NEIGHBORS = 10
# Kinds of few rows have few of them each: neighbourhoods must not reach over their islands.
_ROWS_PER_NEIGHBOR, _SMALLEST_NEIGHBORHOOD = 40, 8
# Fewer rows cannot tell a cluster's shape in that many dimensions.
_ROWS_PER_DIMENSION = 10


@dataclass(frozen=True)
class Neighbors:
    """The k nearest others of each row: ``indices`` int32 [n, k], ``distances`` float32 [n, k]."""

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]

    def nearest(self, count: int) -> "Neighbors":
        """Return the nearest ``count`` of them, or all."""
        return Neighbors(self.indices[:, :count], self.distances[:, :count])


@dataclass(frozen=True)
class Layout:
    """What a clustering method may look at.

    ``model`` of the components; ``components`` float32 [n, p]; ``neighbors`` by Euclidean
    distance of components; ``graph`` float32 sparse [n, n], UMAP's symmetric memberships of
    neighbours in (0, 1]; ``space`` float64 [n, d]; ``map`` float32 [n, 2].
    """

    model: Components
    components: NDArray[np.float32]
    neighbors: Neighbors
    graph: csr_matrix
    space: NDArray[np.float64]
    map: NDArray[np.float32]


def lay_out(embeddings: NDArray[np.float32], parameters: ClusteringConfig, seed: int) -> Layout:
    """Lay out n unit vectors float32 [n, d]: PCA, exact neighbours, two UMAPs on one graph.

    Distances d are Euclidean between partly whitened components. UMAP (McInnes et al. 2018,
    arXiv:1802.03426) is given d²/2, which without whitening is 1 - cos but for what the
    components leave out. It runs on one thread, because of the seed. With few rows the
    components, dimensions and neighbours are cut to what n allows.
    """
    umap = parameters.umap
    model = Components.fit(embeddings, parameters.pca_components, parameters.pca_whitening)
    coordinates = model.of(embeddings)
    others = neighborhood(len(embeddings), umap.neighbors) - 1
    neighbors = nearest_neighbors(coordinates, max(others, _FEWEST_NEIGHBORS))
    near = neighbors.nearest(others)
    dimensions = space_dimensions(len(embeddings), umap.dimensions)
    reducer = _umap(coordinates, near, dimensions, umap.min_dist, seed)
    flat = _umap(coordinates, near, 2, umap.map_min_dist, seed)
    return Layout(
        model,
        coordinates,
        neighbors,
        csr_matrix(reducer.graph_),
        reducer.embedding_.astype(np.float64),
        flat.embedding_,
    )


def without_umap(layout: Layout) -> Layout:
    """Return a layout whose space are its first components, as many as the space's dimensions.

    Components, neighbours and graph are there before UMAP puts rows anywhere.
    """
    dimensions = layout.space.shape[1]
    return replace(layout, space=layout.components[:, :dimensions].astype(np.float64))


def neighborhood(rows: int, largest: int) -> int:
    """Return of how many rows, the row itself among them, UMAP's neighbourhoods are.

    A fortieth of the rows, at least 8 and at most ``largest``, and fewer than there are rows.
    """
    return min(largest, max(rows // _ROWS_PER_NEIGHBOR, _SMALLEST_NEIGHBORHOOD), rows - 1)


def space_dimensions(rows: int, largest: int) -> int:
    """Return of how many dimensions UMAP's space is: a tenth of the rows, 2 to ``largest``."""
    return max(min(largest, rows // _ROWS_PER_DIMENSION), 2)


def nearest_neighbors(points: NDArray[np.float32], count: int) -> Neighbors:
    """Return the exact ``count`` nearest others of each row, or all where there are fewer.

    Distances are found in blocks, so memory grows as n.
    """
    search = NearestNeighbors(n_neighbors=min(count, len(points) - 1), algorithm="brute")
    distances, indices = search.fit(points).kneighbors()
    return Neighbors(indices.astype(np.int32), distances.astype(np.float32))


def membership_graph(points: NDArray[np.float32], neighbors: Neighbors) -> csr_matrix:
    """Return UMAP's graph of points float32 [n, p] without laying it out: sparse [n, n]."""
    indices, distances = _with_themselves(neighbors)
    graph, _, _ = umap_itself().fuzzy_simplicial_set(
        points,
        indices.shape[1],
        np.random.RandomState(0),  # unused where neighbours are given
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    return csr_matrix(graph)


def umap_distances(neighbors: Neighbors) -> NDArray[np.float32]:
    """Return what UMAP takes for distances, d²/2: about 1 - cos."""
    return (neighbors.distances**2 / 2).astype(np.float32)


@cache
def umap_itself() -> ModuleType:
    """Return ``umap.umap_``, with its slowest functions kept on disk.

    Its import takes seconds, and most of what asks where rows lie lays none out. It compiles those
    functions anew in every process, which takes longer than a small run's clustering.
    """
    from umap import umap_

    for function in (umap_.smooth_knn_dist, umap_.compute_membership_strengths):
        keep_on_disk(function)
    return umap_


def _with_themselves(neighbors: Neighbors) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return indices and cosine distances as UMAP wants them: each row is its own first."""
    own = np.arange(len(neighbors.indices))[:, None]
    return (
        np.hstack([own, neighbors.indices]).astype(np.int32),
        np.hstack([np.zeros_like(own), umap_distances(neighbors)]).astype(np.float32),
    )


def _umap(
    components: NDArray[np.float32],
    neighbors: Neighbors,
    dimensions: int,
    min_dist: float,
    seed: int,
) -> "UMAP":
    indices, distances = _with_themselves(neighbors)
    reducer = umap_itself().UMAP(
        n_components=dimensions,
        n_neighbors=indices.shape[1],
        min_dist=min_dist,
        metric="euclidean",
        precomputed_knn=(indices, distances),
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # New data are never sent through these UMAPs, which is all that a search index is for.
        warnings.filterwarnings("ignore", "precomputed_knn\\[2\\]", UserWarning)
        return reducer.fit(components)
