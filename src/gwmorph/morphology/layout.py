"""Where n vectors lie relative to each other: components, neighbours, UMAP's graph and spaces."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from umap import UMAP
from umap.umap_ import compute_membership_strengths, fuzzy_simplicial_set, smooth_knn_dist

from gwmorph.config import ClusteringConfig
from gwmorph.spectra.compiled import keep_on_disk

# UMAP compiles these anew in every process, which takes longer than a small run's clustering.
for _function in (smooth_knn_dist, compute_membership_strengths):
    keep_on_disk(_function)

# Decimals of components and distances. The last bits of a product of matrices depend on the
# processor and on the number of threads; unit vectors that differ by less look the same.
_DECIMALS = 5
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

    ``components`` float32 [n, p]; ``explained`` float64 [p], fractions of variance;
    ``neighbors`` by Euclidean distance of components; ``graph`` float32 sparse [n, n], UMAP's
    symmetric memberships of neighbours in (0, 1]; ``space`` float64 [n, d]; ``map`` float32
    [n, 2].
    """

    components: NDArray[np.float32]
    explained: NDArray[np.float64]
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
    coordinates, explained = principal_components(embeddings, parameters.pca_components)
    coordinates = whitened(coordinates, parameters.pca_whitening)
    others = neighborhood(len(embeddings), umap.neighbors) - 1
    neighbors = nearest_neighbors(coordinates, max(others, _FEWEST_NEIGHBORS))
    near = neighbors.nearest(others)
    dimensions = max(min(umap.dimensions, len(embeddings) // _ROWS_PER_DIMENSION), 2)
    reducer = _umap(coordinates, near, dimensions, umap.min_dist, seed)
    flat = _umap(coordinates, near, 2, umap.map_min_dist, seed)
    return Layout(
        coordinates,
        explained,
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


def principal_components(
    embeddings: NDArray[np.float32], largest: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return coordinates [n, p], rounded, and the explained fractions of variance [p].

    To 10⁻⁵ where the largest component's spread is 0.1 to 1, and as many digits below.

    In double precision: the vectors of one kind of picture all point the same way, and the
    covariance of what is left would drown in single precision. The solver is deterministic and
    fixes each component's sign by its largest item.
    """
    rows, columns = embeddings.shape
    pca = PCA(min(largest, rows - 1, columns), svd_solver="covariance_eigh")
    coordinates = pca.fit_transform(embeddings.astype(np.float64))
    scale = 10.0 ** (_DECIMALS + _magnitude(coordinates))
    return (np.rint(coordinates * scale) / scale).astype(np.float32), pca.explained_variance_ratio_


def whitened(components: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """Return components over their spread, relative to the largest, to ``power``: float32 [n, p].

    A few components hold most of the variance, mainly loudness and where in frequency; shape is
    in the others. Weights are rounded, so that last bits of a spread do not reach them.
    """
    spread = components.std(axis=0, dtype=np.float64)
    relative = spread / max(float(spread.max(initial=0)), 1e-300)
    weights = np.where(relative > 0, relative, 1) ** -power
    return components * weights.round(2).astype(np.float32)


def neighborhood(rows: int, largest: int) -> int:
    """Return of how many rows, the row itself among them, UMAP's neighbourhoods are.

    A fortieth of the rows, at least 8 and at most ``largest``, and fewer than there are rows.
    """
    return min(largest, max(rows // _ROWS_PER_NEIGHBOR, _SMALLEST_NEIGHBORHOOD), rows - 1)


def _magnitude(values: NDArray[np.float64]) -> int:
    """Return how many powers of ten the values' spread is below that of unit vectors."""
    spread = float(values.std(axis=0).max(initial=0))
    return max(int(np.floor(-np.log10(spread))), 0) if spread > 0 else 0


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
    graph, _, _ = fuzzy_simplicial_set(
        points,
        indices.shape[1],
        np.random.RandomState(0),  # unused where neighbours are given
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    return csr_matrix(graph)


def _with_themselves(neighbors: Neighbors) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return indices and cosine distances as UMAP wants them: each row is its own first."""
    own = np.arange(len(neighbors.indices))[:, None]
    return (
        np.hstack([own, neighbors.indices]).astype(np.int32),
        np.hstack([np.zeros_like(own), neighbors.distances**2 / 2]).astype(np.float32),
    )


def _umap(
    components: NDArray[np.float32],
    neighbors: Neighbors,
    dimensions: int,
    min_dist: float,
    seed: int,
) -> UMAP:
    indices, distances = _with_themselves(neighbors)
    reducer = UMAP(
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
