"""From vectors to clusters: laid out, cut into groups, joined where chance would do as much."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from gwmorph.config import ClusteringConfig, SeparationConfig
from gwmorph.errors import ClusteringError
from gwmorph.morphology.components import Components
from gwmorph.morphology.layout import (
    Layout,
    Neighbors,
    lay_out,
    nearest_neighbors,
    neighborhood,
)
from gwmorph.morphology.methods import METHODS, Groups, communities_of
from gwmorph.morphology.placing import Placed, own_weights, place, weighted_mean
from gwmorph.morphology.separation import (
    FEWEST_MEMBERS,
    OUTLIER_NEIGHBORS,
    Null,
    balanced_rows,
    clouds,
    count_links,
    islands,
    isolation,
    join_groups,
    links,
    null_levels,
    outlyingness,
    overlaps,
    pair_null,
    typical_distance,
)
from gwmorph.progress import timed
from gwmorph.simulation.streams import stream

MINIMUM_ROWS = 16
# Of structureless rows one in a thousand is called an outlier.
_OUTLIER_PERCENTILE = 99.9
_OUTLIER_CLOUDS, _OUTLIER_ROWS = 2, 5000
# Members of one cluster of real data are less evenly spread than a cloud's: this many times as
# far from their neighbours as one in a thousand of a cloud, half of them are of another kind.
# Chosen on labelled data.
_ISOLATION_MARGIN = 1.3
_DIFFERENT = 1e-6
# Of communities that may be islands inside of a group: finer than what groups are cut into.
_FINE_RESOLUTION = 4.0
# Figures that compare all pairs are taken on this many rows, drawn with the seed.
_SAMPLE_ROWS = 2000
_TRUST_NEIGHBORS = 15


@dataclass(frozen=True)
class Clustering:
    """Clusters of n vectors; K clusters, numbered by decreasing size.

    ``labels`` int32 [n]; ``probabilities`` float64 [n], how far a row and its neighbours belong
    to its cluster; ``outliers`` bool [n], rows that lie apart from all others;
    ``log_likelihood`` float64 [n], log density under the mixture in ``space``, nan without one;
    ``space`` float64 [n, d], the UMAP space; ``map`` float32 [n, 2]; ``medoids`` int64 [K], the
    row of each cluster's fitted member with the largest mean cosine to these; ``nearest`` int64
    [K], the cluster that each overlaps most with, −1 for a single one; ``overlap`` float64 [K]
    with it; ``p_values`` float64 [K], the probability that one structureless cloud falls into
    parts as separate; ``supported`` bool [K]; ``fitted`` int64 [m], rows that the clusters were
    cut from, the others being placed among them; ``layout`` of these, None for too few rows;
    ``diagnostics``, figures as JSON takes them.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    outliers: NDArray[np.bool_]
    log_likelihood: NDArray[np.float64]
    space: NDArray[np.float64]
    map: NDArray[np.float32]
    medoids: NDArray[np.int64]
    nearest: NDArray[np.int64]
    overlap: NDArray[np.float64]
    p_values: NDArray[np.float64]
    supported: NDArray[np.bool_]
    fitted: NDArray[np.int64]
    layout: Layout | None
    diagnostics: dict[str, Any]


def cluster(
    embeddings: NDArray[np.float32], parameters: ClusteringConfig, seed: int
) -> Clustering:
    """Cluster unit vectors float32 [n, d]; equal input and seed give equal bytes on one machine.

    The vectors are laid out (`layout`), cut into groups by ``parameters.method`` (`methods`), and
    groups that overlap as much as the parts of a structureless cloud would are joined
    (`separation`). Of more than ``parameters.fit_rows`` vectors so many are, and the others are
    placed among them (`placing`). All of it runs on one thread, whatever the caller allows: sums
    of several threads differ in their last bits, which UMAP makes visible.

    A row's probabilities are the mean of its own and its neighbours' responsibilities, weighted
    as UMAP's graph links them, so a row between two islands belongs to both. Farther from its
    neighbours than they are from theirs, or than its cluster's rows are from theirs, it is an
    outlier, and belongs to its cluster the less the farther it is. Fewer than 16 rows are not
    clustered: they make one group, on a map of their first two principal components, and the
    diagnostics have ``clustered`` false.

    Raises
    ------
    ClusteringError
        A value is not finite, or 16 or more rows are all the same.
    """
    check_vectors(embeddings)
    with threadpool_limits(limits=1):
        if len(embeddings) < MINIMUM_ROWS:
            return _one_group(embeddings)
        return _cluster(embeddings, parameters, seed)


def _cluster(
    embeddings: NDArray[np.float32], parameters: ClusteringConfig, seed: int
) -> Clustering:
    rows = _fitted_rows(len(embeddings), parameters.fit_rows, seed)
    with timed("layout"):
        layout = lay_out(embeddings[rows], parameters, seed)
    with timed("groups"):
        found = _Cut.of(layout, parameters, seed)
    near = neighborhood(len(rows), parameters.umap.neighbors)
    with timed("placing"):
        placed = place(layout, embeddings, rows, near - 1)
        shares, labels = _numbered(placed, found)
    own, (_, _, outlier_seed, pair_seed) = labels[rows], _seeds(seed)
    with timed("outliers and separation"):
        limits = _OutlierLimits.of_clouds(found.sample.points, outlier_seed)
        apart = limits.apart(placed.neighbors, labels, layout.neighbors, own)
        nearest, overlap = _nearest_clusters(layout, found.sample, own)
        p_values = _p_values(layout, own, nearest, parameters.separation, pair_seed)
    outliers, supported = apart > 1, p_values <= _support(parameters.separation)
    diagnostics = {
        "rows": len(embeddings),
        "rows_fitted": len(rows),
        "clustered": True,
        "method": parameters.method,
        "pca_components": layout.components.shape[1],
        "pca_explained_variance": float(layout.model.explained.sum()),
        "umap_dimensions": layout.space.shape[1],
        "umap_neighbors": near,
        **found.groups.figures,
        "groups_cut_out": found.cut_out,
        **_null_figures(found.null, found.before_joining, found.sample),
        "clusters": len(nearest),
        "clusters_supported": int(supported.sum()),
        "largest_cluster_share": float(np.mean(labels == 0)),
        "outlyingness_limit": limits.outlyingness,
        "isolation_limit": limits.isolation,
        "outliers": int(outliers.sum()),
        **_distortion(layout, own, seed),
    }
    return Clustering(
        labels=labels,
        probabilities=shares.max(axis=1) / np.maximum(apart, 1),
        outliers=outliers,
        log_likelihood=found.groups.log_density(placed.space),
        space=placed.space,
        map=placed.map,
        medoids=rows[_medoids(embeddings[rows], own, outliers[rows])],
        nearest=nearest,
        overlap=overlap,
        p_values=p_values,
        supported=supported,
        fitted=rows,
        layout=layout,
        diagnostics=diagnostics,
    )


def _fitted_rows(rows: int, largest: int, seed: int) -> NDArray[np.int64]:
    if rows <= largest:
        return np.arange(rows)
    return np.sort(stream(seed, "rows that are laid out").choice(rows, largest, replace=False))


def _numbered(placed: Placed, found: "_Cut") -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return each row's shares of the clusters, float64 [n, K], and its cluster, int32 [n]."""
    shares = np.minimum(weighted_mean(placed.weights, found.clusters), 1)
    return shares, _by_size(_members(shares, placed.fitted))[0]


def cut_layout(layout: Layout, parameters: ClusteringConfig, seed: int) -> NDArray[np.int32]:
    """Return the clusters of rows that are laid out already, int32 [n], as `cluster` numbers them.

    They are cut into groups, and groups joined, as by `cluster`.
    """
    shares = weighted_mean(own_weights(layout), _Cut.of(layout, parameters, seed).clusters)
    return _by_size(_members(shares, np.arange(len(shares))))[0]


def _seeds(seed: int) -> list[int]:
    """Return the seeds of sample, null, outliers' clouds and pairs."""
    return np.random.SeedSequence(seed).generate_state(4).tolist()


@dataclass(frozen=True)
class _Cut:
    """What a layout falls into.

    ``groups`` of the method; ``cut_out``, how many islands were cut out of them;
    ``before_joining``, groups in all; ``sample`` of rows on which they were joined by ``null``;
    ``clusters`` float64 [n, K], how far each row by itself belongs to each cluster.
    """

    groups: Groups
    cut_out: int
    before_joining: int
    sample: "_Sample"
    null: Null
    clusters: NDArray[np.float64]

    @classmethod
    def of(cls, layout: Layout, parameters: ClusteringConfig, seed: int) -> "_Cut":
        sample_seed, null_seed = _seeds(seed)[:2]
        groups = METHODS[parameters.method](layout, parameters, seed)
        responsibilities = _used(groups.responsibilities)
        draw = partial(_Sample.draw, layout, separation=parameters.separation, seed=sample_seed)
        sample = draw(responsibilities.argmax(axis=1))
        null = null_levels(sample.points, parameters.separation.surrogates, null_seed)
        parts = communities_of(layout.graph, _FINE_RESOLUTION, seed)
        cut = islands(sample.indices, sample.labels, parts[sample.rows], null.cut)
        responsibilities = _cut_out(responsibilities, parts, cut)
        if cut:
            sample = draw(responsibilities.argmax(axis=1))
        joined = join_groups(sample.indices, sample.labels, null.joined)
        clusters = _joined(responsibilities, joined)
        return cls(groups, len(cut), responsibilities.shape[1], sample, null, clusters)


def check_vectors(embeddings: NDArray[np.float32]) -> None:
    """Refuse vectors float32 [n, d] that cannot be laid out.

    Raises
    ------
    ClusteringError
        A value is not finite, or 16 or more rows are all the same.
    """
    rows = len(embeddings)
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        raise ClusteringError(
            f"{int((~finite).sum())} of {rows} vectors hold values that are not finite, the "
            f"first in row {int(finite.argmin())}. Remove their shards and run again."
        )
    if rows >= MINIMUM_ROWS and np.ptp(embeddings, axis=0).max() < _DIFFERENT:
        raise ClusteringError(
            f"All {rows} vectors are the same, so there is nothing to cluster: the pictures are "
            "all alike, or the encoder does not look at them."
        )


def _one_group(embeddings: NDArray[np.float32]) -> Clustering:
    """Return too few rows to cluster as one group, or as none where there are no rows."""
    rows = len(embeddings)
    flat = np.zeros((rows, 2), np.float32)
    if rows > 1 and np.ptp(embeddings, axis=0).max() > 0:
        coordinates = Components.fit(embeddings, 2, 0.0).of(embeddings)
        flat[:, : coordinates.shape[1]] = coordinates
    groups = min(rows, 1)
    labels = np.zeros(rows, np.int32)
    return Clustering(
        labels=labels,
        probabilities=np.ones(rows),
        outliers=np.zeros(rows, bool),
        log_likelihood=np.full(rows, np.nan),
        space=flat.astype(np.float64),
        map=flat,
        medoids=_medoids(embeddings, labels, np.zeros(rows, bool)) if rows else labels.astype(int),
        nearest=np.full(groups, -1),
        overlap=np.full(groups, np.nan),
        p_values=np.ones(groups),
        supported=np.zeros(groups, bool),
        fitted=np.arange(rows),
        layout=None,
        diagnostics={
            "rows": rows,
            "clustered": False,
            "minimum_rows": MINIMUM_ROWS,
            "clusters": groups,
            "clusters_supported": 0,
        },
    )


def _used(responsibilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the columns of groups that are the likeliest of some row, scaled to sums of 1."""
    kept = responsibilities[:, np.unique(responsibilities.argmax(axis=1))]
    return kept / kept.sum(axis=1, keepdims=True)


def _cut_out(
    responsibilities: NDArray[np.float32],
    parts: NDArray[np.int64],
    cut: list[tuple[int, int]],
) -> NDArray[np.float32]:
    """Return responsibilities with parts of groups, (group, part), as groups of their own."""
    columns = [responsibilities.copy()]
    for group, part in cut:
        own = np.where(parts == part, columns[0][:, group], 0)
        columns[0][:, group] -= own
        columns.append(own[:, None])
    return _used(np.hstack(columns))


@dataclass(frozen=True)
class _Sample:
    """Rows on which separation is measured: ``rows``, ``points``, ``labels``, ``indices``."""

    rows: NDArray[np.int64]
    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int32]

    @classmethod
    def draw(
        cls, layout: Layout, labels: NDArray[np.int64], separation: SeparationConfig, seed: int
    ) -> "_Sample":
        groups = int(labels.max()) + 1
        rows = balanced_rows(labels, max(separation.rows, FEWEST_MEMBERS * groups), seed)
        points = layout.components[rows]
        indices = nearest_neighbors(points, links(len(rows))).indices
        return cls(rows, points, labels[rows], indices)


def _joined(
    responsibilities: NDArray[np.float32], joined: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return responsibilities of clusters, float64 [n, K], from those of the joined groups."""
    clusters = np.zeros((len(responsibilities), int(joined.max()) + 1))
    for group, cluster_number in enumerate(joined):
        clusters[:, cluster_number] += responsibilities[:, group]
    return clusters


def _members(shares: NDArray[np.float64], fitted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cluster of each row, int64 [n].

    Clusters of fewer than 5 ``fitted`` rows have none: theirs go where else they belong.
    """
    counts = np.bincount(shares[fitted].argmax(axis=1), minlength=shares.shape[1])
    few = counts < FEWEST_MEMBERS
    if few.all():
        return np.zeros(len(shares), np.int64)
    return np.where(few, -1, shares).argmax(axis=1)


@dataclass(frozen=True)
class _OutlierLimits:
    """What a row has to exceed to be an outlier: in `outlyingness`, or in `isolation`."""

    outlyingness: float
    isolation: float

    @classmethod
    def of_clouds(cls, points: NDArray[np.float32], seed: int) -> "_OutlierLimits":
        """Return what one in a thousand rows of structureless clouds exceeds, and a margin."""
        rng = np.random.default_rng(seed)
        count = max(_OUTLIER_CLOUDS, -(-_OUTLIER_ROWS // len(points)))
        one = np.zeros(len(points), np.int64)
        near = [nearest_neighbors(each, OUTLIER_NEIGHBORS) for each in clouds(points, count, rng)]
        outlying, isolated = (
            float(np.percentile(np.concatenate(found), _OUTLIER_PERCENTILE))
            for found in (
                [outlyingness(each, each) for each in near],
                [isolation(each, one, typical_distance(each, one, 1)) for each in near],
            )
        )
        return cls(outlying, _ISOLATION_MARGIN * isolated)

    def apart(
        self,
        neighbors: Neighbors,
        labels: NDArray[np.integer],
        among: Neighbors,
        own: NDArray[np.integer],
    ) -> NDArray[np.float64]:
        """Return how far each row is beyond the limits: float64 [n], over 1 for an outlier.

        ``neighbors`` of the n rows, in clusters ``labels`` int [n], are m rows that have the
        neighbours ``among`` each other, in clusters ``own`` int [m].
        """
        typical = typical_distance(among, own, int(labels.max()) + 1)
        return np.maximum(
            outlyingness(neighbors, among) / self.outlyingness,
            isolation(neighbors, labels, typical) / self.isolation,
        )


def _nearest_clusters(
    layout: Layout, sample: _Sample, labels: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which cluster each overlaps most with, and how much: int64 [K], float64 [K].

    Of several, as where nothing overlaps, the one whose mean is nearest.
    """
    clusters = int(labels.max()) + 1
    if clusters == 1:
        return np.array([-1]), np.array([np.nan])
    found = overlaps(count_links(sample.indices, labels[sample.rows], clusters))
    means = np.array([layout.components[labels == k].mean(axis=0) for k in range(clusters)])
    away = np.linalg.norm(means[:, None] - means, axis=2)
    largest = found.max(axis=1)
    away[found < largest[:, None]] = np.inf
    return away.argmin(axis=1), largest


def _p_values(
    layout: Layout,
    labels: NDArray[np.int32],
    nearest: NDArray[np.int64],
    separation: SeparationConfig,
    seed: int,
) -> NDArray[np.float64]:
    """Return the p-value of each cluster beside its nearest one: float64 [K]; 1 for one alone.

    Two that are each other's nearest are one pair, and are tested once.
    """
    if len(nearest) == 1:
        return np.ones(1)
    rng = np.random.default_rng(seed)
    pairs = [(min(pair), max(pair)) for pair in enumerate(nearest.tolist())]
    tested = {}
    for pair in dict.fromkeys(pairs):
        both = np.flatnonzero(np.isin(labels, pair))
        first = labels[both] == pair[0]
        _, tested[pair] = pair_null(
            layout.components[both], first, separation.pair_surrogates, rng
        )
    return np.array([tested[pair] for pair in pairs])


def _support(separation: SeparationConfig) -> float:
    """Return the p-value of a cluster that is more separate than all of its surrogates."""
    return 1 / (separation.pair_surrogates + 1)


def _by_size(raw: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Renumber labels by decreasing size, ties by first member; return the old numbers too."""
    used, first, inverse, counts = np.unique(
        raw, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    rank = np.empty(len(used), dtype=np.int32)
    rank[order] = np.arange(len(used))
    return rank[inverse], used[order]


def _medoids(
    embeddings: NDArray[np.float32], labels: NDArray[np.int32], outliers: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return each cluster's row of largest mean cosine to its cluster: largest e·mean(e).

    Outliers, one of which may lie between two lobes, are left out where not all are.
    """
    medoids = []
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        inner = members[~outliers[members]]
        members = inner if len(inner) else members
        vectors = embeddings[members].astype(np.float64)
        medoids.append(members[np.argmax(vectors @ vectors.mean(axis=0))])
    return np.array(medoids, dtype=np.int64)


def _null_figures(null: Null, groups: int, sample: _Sample) -> dict[str, Any]:
    return {
        "groups_before_joining": groups,
        "overlap_limit": null.joined,
        "null_surrogates": len(null.levels),
        "null_level": null.level,
        "null_rows": len(sample.rows),
        "links": sample.indices.shape[1],
    }


def _distortion(layout: Layout, labels: NDArray[np.int32], seed: int) -> dict[str, Any]:
    """Return how faithful both UMAPs are, on at most 2000 rows.

    Trustworthiness of the sample's neighbourhoods (Venna & Kaski 2001; 1 is perfect), and the
    mean silhouette of the clusters in the UMAP space (null with a single cluster).
    """
    rows = len(labels)
    draw = np.random.default_rng(seed).choice(rows, min(rows, _SAMPLE_ROWS), replace=False)
    draw.sort()
    near = min(_TRUST_NEIGHBORS, (len(draw) - 1) // 2)
    trust = {
        f"trustworthiness_{name}": float(
            trustworthiness(layout.components[draw], points[draw], n_neighbors=near)
        )
        for name, points in (("space", layout.space), ("map", layout.map))
    }
    clusters = len(np.unique(labels[draw]))
    comparable = 1 < clusters < len(draw)
    silhouette = float(silhouette_score(layout.space[draw], labels[draw])) if comparable else None
    return {**trust, "silhouette": silhouette, "distortion_rows": len(draw)}
