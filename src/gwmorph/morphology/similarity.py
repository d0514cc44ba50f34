"""What rows look like, by their nearest neighbours in a labelled reference.

A reference holds vectors of pictures whose class is known, made by the same rendering and the
same encoder. A row is named by the classes of its nearest neighbours; one that is farther from
them than the reference's own rows are from theirs has no known class.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

UNKNOWN = ""
# One in twenty of the reference's own rows is farther from the others.
_FARTHEST_PERCENTILE = 95.0
# A cluster has a name where so many of its members' neighbours agree.
_AGREEING = 0.5
# In memory at once, beside their order.
_DISTANCES_MIB = 64

Vectors = NDArray[np.float32]
Classes = NDArray[np.str_]


@dataclass(frozen=True)
class Neighborhoods:
    """The nearest rows of a reference, for each of n rows, nearest first.

    ``rows`` int64 [n, k], numbers in the reference; ``distances`` float64 [n, k], 1 − cos.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


@dataclass(frozen=True)
class Name:
    """What a cluster looks like.

    ``named`` is the class that most of its members' neighbours have, '' where there is none;
    ``agreeing`` of ``neighbors`` neighbours have it; ``unknown`` is the share of members that are
    farther from the reference than its own rows are.
    """

    named: str
    agreeing: int
    neighbors: int
    unknown: float


def nearest_in(reference: Vectors, vectors: Vectors, count: int) -> Neighborhoods:
    """Return the ``count`` rows of a reference nearest to each of some unit vectors, by cosine.

    Exact; beside what is returned it holds few distances at once.
    """
    width = min(count, len(reference))
    if not len(vectors):
        return Neighborhoods(np.zeros((0, width), np.int64), np.zeros((0, width)))
    search = NearestNeighbors(n_neighbors=width, metric="cosine").fit(reference)
    with config_context(working_memory=_DISTANCES_MIB):
        distances, rows = search.kneighbors(vectors)
    return Neighborhoods(rows, distances.astype(float))


def farthest_known(reference: Vectors) -> float:
    """Return the cosine distance to the nearest other that one in twenty of its rows exceeds."""
    near = NearestNeighbors(n_neighbors=1, metric="cosine").fit(reference).kneighbors()[0]
    return float(np.percentile(near[:, 0], _FARTHEST_PERCENTILE))


def names_of_rows(found: Neighborhoods, classes: Classes, farthest: float) -> Classes:
    """Return each row's commonest class among its neighbours, the nearest on a tie: str [n].

    '' where the nearest is farther than ``farthest``.
    """
    named = [Counter(row).most_common(1)[0][0] for row in classes[found.rows].tolist()]
    return np.where(found.distances[:, 0] <= farthest, np.array(named, dtype=str), UNKNOWN)


def name_clusters(
    labels: NDArray[np.int32], found: Neighborhoods, classes: Classes, farthest: float
) -> list[Name]:
    """Return the name of each cluster, 0 … K − 1, from all neighbours of its members.

    Half of the neighbours must agree, and half of the members must lie as near to the reference as
    its own rows do; else no class is known.
    """
    return [
        _name(classes[found.rows[labels == label]].ravel().tolist(), far)
        for label in range(int(labels.max(initial=-1)) + 1)
        for far in [float(np.mean(found.distances[labels == label, 0] > farthest))]
    ]


def _name(neighbors: Sequence[str], unknown: float) -> Name:
    commonest, agreeing = Counter(neighbors).most_common(1)[0]
    known = agreeing >= _AGREEING * len(neighbors) and unknown <= _AGREEING
    return Name(commonest if known else UNKNOWN, agreeing, len(neighbors), unknown)
