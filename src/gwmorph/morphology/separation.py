"""How separate groups are, and how separate groups of structureless data would be.

Two groups *overlap* by the links between them over the geometric mean of the links inside each,
where every row is linked to its k nearest others. Halves of one cloud share many links, islands
share none. Clouds without structure, Gaussian with the data's own covariance, are cut and joined
in the same way: the overlap at which the last of their groups join is what chance alone offers.
Groups that overlap as much as that are joined; what is left are clusters.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwmorph.morphology.layout import Neighbors, membership_graph, nearest_neighbors
from gwmorph.morphology.methods import communities_of

# Links of each row: so many rows a link, within bounds, since few rows have small groups.
_ROWS_PER_LINK = 40
_FEWEST_LINKS, _MOST_LINKS = 5, 30
# Fewer rows are no cluster: their links to each other are too few to count.
FEWEST_MEMBERS = 5
# Surrogates are cut by the communities of their graph, coarse and fine: these look for few
# links, and so are at least as separate as anything else that is cut from a cloud.
_RESOLUTIONS = (1.0, 2.0)
# Of what clouds overlap by: groups that overlap by no less than the first are not separate, and
# parts of a group, or clusters that are to be supported, overlap by less than the second. Chosen
# on labelled and structureless data.
_MARGIN, _WIDE_MARGIN = 0.7, 0.55
_SMALLEST_PART = 0.2
_PAIR_ROWS = 400
OUTLIER_NEIGHBORS = 10


@dataclass(frozen=True)
class Null:
    """The overlap at which all groups of each surrogate had joined: ``levels`` float64 [m].

    None for surrogates that fell into no two groups, which is all of them where rows are few.
    """

    levels: NDArray[np.float64]

    @property
    def level(self) -> float:
        """The median of the levels; 0, which nothing overlaps less than, where there are none."""
        return float(np.median(self.levels)) if len(self.levels) else 0.0

    @property
    def joined(self) -> float:
        """The overlap at which groups are joined: a margin below the level.

        A margin, not a quantile of few levels, is steady from seed to seed; and real data,
        unlike Gaussians, have gaps without having islands.
        """
        return _MARGIN * self.level

    @property
    def cut(self) -> float:
        """The overlap below which a part of a group is a group of its own: well below."""
        return _WIDE_MARGIN * self.level


def links(rows: int) -> int:
    """Return the number of nearest others that each of ``rows`` rows is linked to."""
    return min(max(rows // _ROWS_PER_LINK, _FEWEST_LINKS), _MOST_LINKS, rows - 1)


def balanced_rows(labels: NDArray[np.integer], largest: int, seed: int) -> NDArray[np.int64]:
    """Return at most ``largest`` rows, in order, of which small groups keep all of theirs.

    At least one row of each group, whatever ``largest``; which rows, ``seed`` decides.

    No group has more rows than another that was thinned, so that neither rare groups nor the
    scale of an overlap depend on how many rows there are.
    """
    counts = np.bincount(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    place = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = bisect_right(
        range(1, int(counts.max()) + 1), largest, key=lambda most: np.minimum(counts, most).sum()
    )
    return np.sort(order[place < max(share, 1)])


def count_links(
    indices: NDArray[np.int32], labels: NDArray[np.integer], groups: int
) -> NDArray[np.float64]:
    """Return how many links lead from group to group, float64 [groups, groups].

    A row of a group of m has no more than m − 1 links, those to its nearest others: the links of
    a rare island would have to lead out of it if there were more.

    Parameters
    ----------
    indices
        Each row's nearest others, nearest first, int32 [n, k].
    labels
        Group of each row, int [n] in 0 … groups − 1.
    groups
        How many groups there are; those without a row have no links.
    """
    room = np.maximum(np.bincount(labels, minlength=groups) - 1, _FEWEST_LINKS)[labels]
    linked = np.arange(indices.shape[1]) < room[:, None]
    pairs = (labels[:, None].astype(np.int64) * groups + labels[indices])[linked]
    return np.bincount(pairs, minlength=groups * groups).reshape(groups, groups).astype(float)


def overlaps(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the overlap of each pair of groups, float64 [K, K], −1 on the diagonal."""
    inside = np.maximum(np.diag(counts), 1)
    found = (counts + counts.T) / (2 * np.sqrt(np.outer(inside, inside)))
    np.fill_diagonal(found, -1)
    return found


def joins(
    indices: NDArray[np.int32], labels: NDArray[np.integer], fewest: int = FEWEST_MEMBERS
) -> Iterator[tuple[float, int, int]]:
    """Yield overlap, kept group and joined group, until all K groups are one.

    Each time the two groups that overlap most; the smaller number is kept. Groups of less than
    ``fewest`` rows come first, whatever they overlap with most, at an infinite overlap.
    """
    current, groups = labels.copy(), int(labels.max()) + 1
    for _ in range(groups - 1):
        sizes = np.bincount(current, minlength=groups)
        found = overlaps(count_links(indices, current, groups))
        found[sizes == 0] = found[:, sizes == 0] = -1
        small = np.flatnonzero((sizes > 0) & (sizes < fewest))
        if len(small):
            a = int(small[sizes[small].argmin()])
            b, level = int(found[a].argmax()), np.inf
        else:
            a, b = (int(i) for i in np.unravel_index(found.argmax(), found.shape))
            level = float(found[a, b])
        a, b = min(a, b), max(a, b)
        yield level, a, b
        current[current == b] = a


def join_groups(
    indices: NDArray[np.int32], labels: NDArray[np.integer], limit: float
) -> NDArray[np.int64]:
    """Return the cluster of each group, int64 [K]: groups that overlap by ``limit`` are one.

    Groups without a link stay apart whatever the limit.
    """
    # Overlaps need not fall from join to join: what overlaps less than the limit once is left,
    # and so is all that would come after it.
    cluster = np.arange(int(labels.max()) + 1)
    for level, kept, joined in joins(indices, labels):
        if level < limit or level == 0:
            break
        cluster[cluster == joined] = kept
    return np.unique(cluster, return_inverse=True)[1]


def islands(
    indices: NDArray[np.int32],
    labels: NDArray[np.integer],
    parts: NDArray[np.integer],
    limit: float,
) -> list[tuple[int, int]]:
    """Return group and part of what overlaps with the rest of its group by less than ``limit``.

    ``parts`` int [n] are another, finer grouping. Left together are a part and a rest of fewer
    than 5 rows, and those of less than a fifth of the group: a few rows that are each other's
    nearest are found in every large group, and overlap little with so many.
    """
    found = []
    for group, part in np.unique(np.column_stack([labels, parts]), axis=0).tolist():
        # 0 in the part, 1 in the rest of the group, 2 elsewhere.
        pair = np.where(labels == group, (parts != part).astype(np.int64), 2)
        sizes = np.bincount(pair, minlength=3)[:2]
        if sizes.min() < max(FEWEST_MEMBERS, _SMALLEST_PART * sizes.sum()):
            continue
        if overlaps(count_links(indices, pair, 3))[0, 1] < limit:
            found.append((group, part))
    return found


def joining_level(
    indices: NDArray[np.int32], labels: NDArray[np.integer], fewest: int = FEWEST_MEMBERS
) -> float:
    """Return the largest limit at which all groups of ``fewest`` rows and more are joined.

    Infinite where there is one such group or none.
    """
    return min((level for level, _, _ in joins(indices, labels, fewest)), default=np.inf)


def null_levels(points: NDArray[np.float32], surrogates: int, seed: int) -> Null:
    """Return what clouds without structure offer: as many rows, the same covariance.

    ASSUME: no structure means one Gaussian. A continuum of few dimensions, long and thin, is cut
    into pieces that no Gaussian of the whole spectrum would show: `pair_null` looks for that.

    Parameters
    ----------
    points
        Rows whose groups are compared, float32 [n, p].
    surrogates
        Number of clouds.
    seed
        Of the clouds.
    """
    points = np.ascontiguousarray(points, np.float32)
    return Null(_levels(points.tobytes(), points.shape[1], surrogates, seed))


# Clouds are most of what a cut costs, and the same for all ways to cut the same points.
@lru_cache(maxsize=4)
def _levels(points: bytes, width: int, surrogates: int, seed: int) -> NDArray[np.float64]:
    """Return the levels of `null_levels`; ``points`` are those of float32 [n, width]."""
    rows = np.frombuffer(points, np.float32).reshape(-1, width)
    rng = np.random.default_rng(seed)
    levels = np.array([_cloud_level(cloud, rng) for cloud in clouds(rows, surrogates, rng)])
    levels = levels[np.isfinite(levels)]
    levels.setflags(write=False)
    return levels


def clouds(
    points: NDArray[np.float32], count: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """Yield Gaussian clouds of as many points and the same covariance, along its axes."""
    spread = _spread(points)
    for _ in range(count):
        yield (rng.normal(size=(len(points), len(spread))) * spread).astype(np.float32)


def _spread(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the standard deviations along the principal axes of points, float64 [p].

    Rounded to single precision, so that last bits do not reach the clouds.
    """
    centred = points - points.mean(axis=0, dtype=np.float64)
    spread = np.linalg.svd(centred, compute_uv=False) / np.sqrt(max(len(points) - 1, 1))
    return spread.astype(np.float32).astype(np.float64)


def _cloud_level(cloud: NDArray[np.float32], rng: np.random.Generator) -> float:
    neighbors = nearest_neighbors(cloud, _MOST_LINKS)
    graph = membership_graph(cloud, neighbors)
    indices = neighbors.nearest(links(len(cloud))).indices
    # A part with fewer rows than links is not allowed all of them: its overlap would say less
    # of the cloud than of the part's size.
    fewest = max(min(indices.shape[1] + 1, len(cloud) // 4), FEWEST_MEMBERS)
    seed = int(rng.integers(2**31))
    return min(
        joining_level(indices, communities_of(graph, resolution, seed), fewest)
        for resolution in _RESOLUTIONS
    )


def pair_overlap(points: NDArray[np.float32], first: NDArray[np.bool_]) -> float:
    """Return the overlap of two groups in a graph of their rows alone: ``first`` bool [n]."""
    neighbors = nearest_neighbors(points, links(len(points)))
    return float(overlaps(count_links(neighbors.indices, (~first).astype(np.int64), 2))[0, 1])


def pair_null(
    points: NDArray[np.float32],
    first: NDArray[np.bool_],
    surrogates: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the overlap of two groups, and the p-value of one cloud's parts beside it.

    Clouds are Gaussian with the covariance of both groups together, and are cut across their
    longest axis into parts of the groups' sizes; p = (b + 1)/(m + 1), where 0.55 times the overlap
    of b of m clouds is no more than the groups' (Phipson & Smyth 2010, arXiv:1603.05766). Less
    than all of it, since a method looks for the sparsest cut of a cloud, and finds a sparser one
    than across an axis. At most 400 rows are compared.

    Parameters
    ----------
    points
        Rows of both groups, float32 [n, p].
    first
        Which of them belong to the first one, bool [n].
    surrogates
        Number of clouds.
    rng
        Of the clouds, and of the choice of rows.
    """
    rows = balanced_rows((~first).astype(np.int64), _PAIR_ROWS, int(rng.integers(2**32)))
    points, first = points[rows], first[rows]
    observed = pair_overlap(points, first)
    size = int(first.sum())
    chance = [
        pair_overlap(cloud, cloud[:, 0].argsort().argsort() < size)
        for cloud in clouds(points, surrogates, rng)
    ]
    below = int(np.sum(_WIDE_MARGIN * np.array(chance) <= observed))
    return observed, (below + 1) / (surrogates + 1)


def outlyingness(neighbors: Neighbors, among: Neighbors) -> NDArray[np.float64]:
    """Return each row's mean distance to its nearest ten over that of these ten, float64 [n].

    As the local outlier factor of Breunig et al. 2000 (doi 10.1145/335191.335388), without its
    floor: about 1 in a cloud, more beside one. 1 where all distances are 0. ``neighbors`` of the n
    rows are rows that have the neighbours ``among`` each other.
    """
    around = _mean_distance(among)[neighbors.nearest(OUTLIER_NEIGHBORS).indices].mean(axis=1)
    return _ratio(_mean_distance(neighbors), around)


def typical_distance(
    neighbors: Neighbors, labels: NDArray[np.integer], clusters: int
) -> NDArray[np.float64]:
    """Return the median over a cluster's rows of the mean distance to the nearest ten: [clusters].

    ``labels`` int [n], 0 … clusters − 1. Rows without a distance, copies of others, are left out;
    0 for a cluster that has no other rows.
    """
    distance = _mean_distance(neighbors)
    typical = np.zeros(clusters)
    for label in np.unique(labels[distance > 0]):
        typical[label] = np.median(distance[(labels == label) & (distance > 0)])
    return typical


def isolation(
    neighbors: Neighbors, labels: NDArray[np.integer], typical: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each row's mean distance to its nearest ten over what is typical of its cluster.

    Finds rows that `outlyingness` cannot: a few of one kind, too few for a cluster, whose nearest
    are as far from theirs. ``labels`` int [n], ``typical`` as `typical_distance` gives it; float64
    [n], 1 for copies of others.
    """
    return _ratio(_mean_distance(neighbors), typical[labels])


def _mean_distance(neighbors: Neighbors) -> NDArray[np.float64]:
    return neighbors.nearest(OUTLIER_NEIGHBORS).distances.mean(axis=1, dtype=np.float64)


def _ratio(distance: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(distance > 0, distance / np.maximum(usual, 1e-300), 1.0)
