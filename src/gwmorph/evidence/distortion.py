"""What UMAP did to distances, and how separate its clusters are where no UMAP was.

An encoder's vectors are compared by the cosine between them. Each figure says how much of those
distances is left in the space that is clustered and on the map: 1 is all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr
from sklearn.metrics import pairwise_distances

from gwmorph.encoders.base import unit_rows
from gwmorph.evidence.intervals import interval_rows
from gwmorph.evidence.sample import Sample
from gwmorph.morphology.separation import balanced_rows
from gwmorph.simulation.streams import stream

NEIGHBORS = 15
# A rank correlation needs all pairs at once, for every draw.
_SHEPARD_ROWS = 300
_PAIR_ROWS = 400

Distances = NDArray[np.float64]


def cosine_distances(vectors: NDArray[np.floating]) -> Distances:
    """Return 1 − cos between all pairs of vectors: float64 [n, n], 0 on the diagonal."""
    units = unit_rows(vectors).astype(np.float64)
    found = np.maximum(1 - units @ units.T, 0)
    np.fill_diagonal(found, 0)
    return found


def euclidean_distances(points: NDArray[np.floating]) -> Distances:
    """Return the distances between all pairs of points: float64 [n, n]."""
    found = pairwise_distances(points.astype(np.float64))
    np.fill_diagonal(found, 0)
    return found


@dataclass(frozen=True)
class Faithfulness:
    """How faithful a picture of distances is, row by row: float64 [n] each.

    Their means are trustworthiness, continuity (Venna & Kaski 2001,
    doi:10.1007/3-540-44668-0_68, equations 1 and 2) and the share of the nearest neighbours that
    are kept. ``original`` and ``shown`` are the distances [n, n].
    """

    trustworthiness: NDArray[np.float64]
    continuity: NDArray[np.float64]
    preservation: NDArray[np.float64]
    original: Distances
    shown: Distances

    @classmethod
    def of(
        cls, original: Distances, shown: Distances, neighbors: int = NEIGHBORS
    ) -> "Faithfulness":
        """Compare the ``neighbors`` nearest of each row, or as many as n allows."""
        near = min(neighbors, (len(original) - 1) // 2)
        before, after = _ranks(original), _ranks(shown)
        was, now = before <= near, after <= near
        kept = (was & now).sum(axis=1) - 1  # a row is its own nearest, of rank 0
        return cls(
            _penalised(before, now & ~was, near),
            _penalised(after, was & ~now, near),
            kept / near,
            original,
            shown,
        )

    def figures(self, rows: NDArray[np.int64]) -> dict[str, float]:
        """Return the mean of each over some rows, and the rank correlation of their distances.

        The last (Shepard's diagram as a number, Spearman's) is that of every so many rows, 300 of
        n at most.
        """
        some = rows[rows % -(-len(self.original) // _SHEPARD_ROWS) == 0]
        pairs = [squareform(each[np.ix_(some, some)], checks=False) for each in self._both]
        return {
            "trustworthiness": float(self.trustworthiness[rows].mean()),
            "continuity": float(self.continuity[rows].mean()),
            "neighbor_preservation": float(self.preservation[rows].mean()),
            "shepard_correlation": float(spearmanr(*pairs).statistic),
        }

    @property
    def _both(self) -> tuple[Distances, Distances]:
        return self.original, self.shown


def _ranks(distances: Distances) -> NDArray[np.int64]:
    """Return the rank of each other row by distance, itself being 0: int64 [n, n]."""
    order = distances.copy()
    np.fill_diagonal(order, -1)
    return order.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")


def _penalised(ranks: NDArray[np.int64], wrong: NDArray[np.bool_], near: int) -> Distances:
    """Return 1 less the ranks, beyond ``near``, of what wrongly is or is not a neighbour."""
    rows = len(ranks)
    largest = near * (2 * rows - 3 * near - 1) / 2
    return 1 - np.where(wrong, ranks - near, 0).sum(axis=1) / largest


def silhouettes(
    distances: Distances, labels: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each cluster's mean silhouette and the cluster next to it: [K] each.

    As Rousseeuw 1987 (doi:10.1016/0377-0427(87)90125-7), between a cluster and the one whose rows
    are nearest to it in the mean; nan and −1 where there is no other.
    """
    clusters = int(labels.max()) + 1
    if clusters == 1:
        return np.array([np.nan]), np.array([-1])
    members = np.eye(clusters)[labels]
    means = members.T @ distances @ members / np.outer(members.sum(axis=0), members.sum(axis=0))
    np.fill_diagonal(means, np.inf)
    nearest = means.argmin(axis=1)
    found = []
    for own, other in enumerate(nearest):
        pair = np.flatnonzero(np.isin(labels, (own, other)))
        found.append(_silhouette(distances[np.ix_(pair, pair)], labels[pair] == own))
    return np.array(found), nearest


def _silhouette(distances: Distances, own: NDArray[np.bool_]) -> float:
    """Return the mean silhouette of the rows of one of two groups."""
    inside = distances[np.ix_(own, own)].sum(axis=1) / max(own.sum() - 1, 1)
    outside = distances[np.ix_(own, ~own)].mean(axis=1)
    return float(np.mean((outside - inside) / np.maximum(np.maximum(outside, inside), 1e-300)))


def permutation_p_values(
    distances: Distances,
    labels: NDArray[np.integer],
    nearest: NDArray[np.integer],
    permutations: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return the p-value of each cluster's silhouette beside the nearest one: float64 [K].

    Null: names of the two clusters are dealt at random, p = (b + 1)/(m + 1) (Phipson & Smyth 2010,
    arXiv:1603.05766). It says that a cluster is more than a random draw, which any cut of any
    cloud is: whether it is separate, its overlap says. At most 400 rows of a pair, drawn with the
    seed; 1 for a cluster alone.
    """
    rng = stream(seed, "permutations")
    found = []
    for own, other in enumerate(nearest.tolist()):
        if other < 0:
            found.append(1.0)
            continue
        pair = np.flatnonzero(np.isin(labels, (own, other)))
        if len(pair) > _PAIR_ROWS:
            pair = pair[balanced_rows((labels[pair] != own) * 1, _PAIR_ROWS, seed)]
        between, named = distances[np.ix_(pair, pair)], labels[pair] == own
        observed = _silhouette(between, named)
        chance = [_silhouette(between, rng.permutation(named)) for _ in range(permutations)]
        found.append((int(np.sum(np.array(chance) >= observed)) + 1) / (permutations + 1))
    return np.array(found)


def distortion_rows(
    sample: Sample, shown: Mapping[str, NDArray[np.floating]], repeats: int, seed: int
) -> list[dict[str, Any]]:
    """Return rows of ``DISTORTION``: the sample's vectors beside some pictures of them.

    Parameters
    ----------
    sample
        Rows of a run.
    shown
        Points [n, k] of the same rows by the picture's name.
    repeats, seed
        Of the draws of blocks.
    """
    original = cosine_distances(sample.vectors)
    rows = []
    for name, points in shown.items():
        faithful = Faithfulness.of(original, euclidean_distances(points))
        found = interval_rows(faithful.figures, sample.blocks, repeats, seed)
        rows += [{"shown": name, **row} for row in found]
    return rows


def separation_rows(
    vectors: NDArray[np.float32],
    labels: NDArray[np.integer],
    largest: int,
    permutations: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``SEPARATION``: one for each cluster of all rows of a run.

    At most ``largest`` rows are compared, of which small clusters keep all of theirs.
    """
    rows = balanced_rows(labels, largest, seed)
    chosen = labels[rows]
    distances = cosine_distances(vectors[rows])
    found, nearest = silhouettes(distances, chosen)
    p_values = permutation_p_values(distances, chosen, nearest, permutations, seed)
    members = np.bincount(chosen)
    return [
        {
            "cluster": cluster,
            "members": int(members[cluster]),
            "nearest_cluster": int(nearest[cluster]) if nearest[cluster] >= 0 else None,
            "silhouette": float(found[cluster]) if nearest[cluster] >= 0 else None,
            "p_value": float(p_values[cluster]),
        }
        for cluster in range(len(members))
    ]
