"""Where rows lie in a layout that was made of some of them.

A layout of a million rows would take days. It is made of a sample, and every other row is placed
by its nearest neighbours in that sample, weighted as UMAP weights them: rows have no say in where
others lie, so they are placed a batch at a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity, vstack
from sklearn.neighbors import NearestNeighbors

from gwmorph.morphology.layout import Layout, Neighbors, umap_distances, umap_itself

_BATCH = 16_384


@dataclass(frozen=True)
class Placed:
    """Where n rows lie among the m of them that are laid out.

    ``fitted`` int64 [m], which these are; ``neighbors`` of each row among them, itself left out;
    ``weights`` float32 sparse [n, m], how far each row's group is that of each of them; ``space``
    float64 [n, d]; ``map`` float32 [n, 2].
    """

    fitted: NDArray[np.int64]
    neighbors: Neighbors
    weights: csr_matrix
    space: NDArray[np.float64]
    map: NDArray[np.float32]


def place(
    layout: Layout, vectors: NDArray[np.float32], fitted: NDArray[np.int64], others: int
) -> Placed:
    """Place vectors float32 [n, d] in the layout of those whose rows are ``fitted`` int64 [m].

    A row that is laid out belongs where it and its neighbours in UMAP's graph do. Any other
    belongs where its ``others`` nearest of these do, by the memberships that UMAP gives new rows
    (McInnes et al. 2018, arXiv:1802.03426, section 3.1; umap-learn's ``transform``), and lies at
    the mean of their places. That is where ``transform`` begins; moving them from there would only
    spread them on the map.
    """
    own = own_weights(layout)
    if len(fitted) == len(vectors):
        return Placed(fitted, layout.neighbors, own, layout.space, layout.map)
    new = np.setdiff1d(np.arange(len(vectors)), fitted, assume_unique=True)
    near = _neighbors_in(layout, vectors[new])
    belonging = _memberships(near.nearest(others), len(fitted))
    order = np.argsort(np.concatenate([fitted, new]))
    return Placed(
        fitted,
        Neighbors(
            np.vstack([layout.neighbors.indices, near.indices])[order],
            np.vstack([layout.neighbors.distances, near.distances])[order],
        ),
        csr_matrix(vstack([own, belonging], format="csr"))[order],
        np.vstack([layout.space, weighted_mean(belonging, layout.space)])[order],
        np.vstack([layout.map, weighted_mean(belonging, layout.map)])[order].astype(np.float32),
    )


def own_weights(layout: Layout) -> csr_matrix:
    """Return the weights of laid out rows: of each itself, and its links in the graph."""
    rows = layout.graph.shape[0]
    return layout.graph + identity(rows, dtype=layout.graph.dtype, format="csr")


def weighted_mean(weights: csr_matrix, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the means of values [m, k] by the rows of weights [n, m]: float64 [n, k]."""
    return (weights @ values.astype(np.float64)) / np.asarray(weights.sum(axis=1))


def _neighbors_in(layout: Layout, vectors: NDArray[np.float32]) -> Neighbors:
    """Return the exact nearest laid out rows of others, as many as these have of their own."""
    width = layout.neighbors.indices.shape[1]
    search = NearestNeighbors(n_neighbors=width, algorithm="brute").fit(layout.components)
    indices = np.empty((len(vectors), width), np.int32)
    distances = np.empty((len(vectors), width), np.float32)
    for start in range(0, len(vectors), _BATCH):
        part = slice(start, start + _BATCH)
        distances[part], indices[part] = search.kneighbors(layout.model.of(vectors[part]))
    return Neighbors(indices, distances)


def _memberships(near: Neighbors, rows: int) -> csr_matrix:
    """Return UMAP's memberships of new rows to the laid out ones: float32 sparse [n, rows]."""
    distances = umap_distances(near)
    umap = umap_itself()
    sigmas, rhos = umap.smooth_knn_dist(
        distances, float(near.indices.shape[1]), local_connectivity=0.0
    )
    places, members, strengths, _ = umap.compute_membership_strengths(
        near.indices, distances, sigmas, rhos, bipartite=True
    )
    return csr_matrix((strengths, (places, members)), shape=(len(near.indices), rows))
