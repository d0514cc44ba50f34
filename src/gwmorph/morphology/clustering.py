"""From vectors to clusters: PCA, UMAP, and a Dirichlet-process Gaussian mixture."""

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score
from sklearn.mixture import BayesianGaussianMixture
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from umap import UMAP

from gwmorph.config import ClusteringConfig, MixtureConfig
from gwmorph.errors import ClusteringError
from gwmorph.tables import CLUSTERS, EMBEDDINGS

MINIMUM_ROWS = 16
# Fewer rows cannot tell a cluster's shape in that many dimensions.
_ROWS_PER_DIMENSION = 4
_BEGINNINGS = ("kmeans", "random", "random_from_data", "k-means++")
# Figures that compare all pairs are taken on this many rows, drawn with the seed.
_SAMPLE_ROWS = 2000
_TRUST_NEIGHBORS = 15

Neighbors = tuple[NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True)
class Clustering:
    """Clusters of n vectors; K clusters, numbered by decreasing size.

    ``labels`` int32 [n]; ``probabilities`` float64 [n], posterior of each row's own component;
    ``log_likelihood`` float64 [n], log density under the whole mixture in ``space``;
    ``space`` float64 [n, dimensions], the clustered UMAP space; ``map`` float32 [n, 2];
    ``weights`` float64 [K], mixture weights; ``medoids`` int64 [K], the row of each cluster's
    member with the largest mean cosine to its cluster; ``diagnostics``, figures as JSON takes
    them, among them ``converged`` and ``warnings``.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    log_likelihood: NDArray[np.float64]
    space: NDArray[np.float64]
    map: NDArray[np.float32]
    weights: NDArray[np.float64]
    medoids: NDArray[np.int64]
    diagnostics: dict[str, Any]


def cluster(
    embeddings: NDArray[np.float32], parameters: ClusteringConfig, seed: int
) -> Clustering:
    """Cluster unit vectors float32 [n, d]; equal input and seed give equal bytes.

    PCA, then two UMAPs on the principal components (cosine; one neighbour graph for both, one
    thread each because of the seed), then a Dirichlet-process mixture of Gaussians with full
    covariances in the first UMAP's space (McInnes et al. 2018, arXiv:1802.03426; Blei & Jordan
    2006, doi 10.1214/06-BA104). Neighbours are exact and found in blocks: memory grows as n.
    With few rows the components, dimensions and neighbours are cut to what n allows; the
    diagnostics say what was used. Fewer than 16 rows are not clustered: they make one group, on
    a map of their first two principal components, and the diagnostics have ``clustered`` false.

    Raises
    ------
    ClusteringError
        A value is not finite, or 16 or more rows are all the same.
    """
    _check(embeddings)
    if len(embeddings) < MINIMUM_ROWS:
        return _one_group(embeddings)
    umap = parameters.umap
    components, explained = _principal_components(embeddings, parameters.pca_components)
    with _told_warnings() as told:
        neighbors = _nearest_neighbors(components, umap.neighbors)
        dimensions = min(umap.dimensions, len(embeddings) // _ROWS_PER_DIMENSION)
        space = _umap(components, neighbors, dimensions, umap.min_dist, seed).astype(np.float64)
        flat = _umap(components, neighbors, 2, umap.map_min_dist, seed)
        mixture, converged = _fit_mixture(space, parameters.mixture, seed)
    posteriors = mixture.predict_proba(space)
    labels, order = _by_size(posteriors.argmax(axis=1))
    diagnostics = {
        "rows": len(embeddings),
        "clustered": True,
        "pca_components": components.shape[1],
        "pca_explained_variance": float(explained.sum()),
        "umap_dimensions": space.shape[1],
        "umap_neighbors": neighbors[0].shape[1],
        **_mixture_figures(mixture, labels),
        "starts": parameters.mixture.starts,
        "starts_converged": converged,
        **_distortion(components, space, flat, labels, seed),
        "warnings": sorted(set(told)),
    }
    return Clustering(
        labels=labels,
        probabilities=posteriors.max(axis=1),
        log_likelihood=mixture.score_samples(space),
        space=space,
        map=flat,
        weights=mixture.weights_[order],
        medoids=_medoids(embeddings, labels),
        diagnostics=diagnostics,
    )


def _check(embeddings: NDArray[np.float32]) -> None:
    rows = len(embeddings)
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        raise ClusteringError(
            f"{int((~finite).sum())} of {rows} vectors hold values that are not finite, the "
            f"first in row {int(finite.argmin())}. Remove their shards and run again."
        )
    if rows >= MINIMUM_ROWS and (embeddings == embeddings[0]).all():
        raise ClusteringError(
            f"All {rows} vectors are the same, so there is nothing to cluster: the pictures are "
            "all alike, or the encoder does not look at them."
        )


def _one_group(embeddings: NDArray[np.float32]) -> Clustering:
    """Return too few rows to cluster as one group, or as none where there are no rows."""
    rows = len(embeddings)
    flat = np.zeros((rows, 2), np.float32)
    if rows > 1:
        coordinates, _ = _principal_components(embeddings, 2)
        flat[:, : coordinates.shape[1]] = coordinates
    groups = min(rows, 1)
    labels = np.zeros(rows, np.int32)
    return Clustering(
        labels=labels,
        probabilities=np.ones(rows),
        log_likelihood=np.zeros(rows),
        space=flat.astype(np.float64),
        map=flat,
        weights=np.ones(groups),
        medoids=_medoids(embeddings, labels) if rows else np.zeros(0, np.int64),
        diagnostics={
            "rows": rows,
            "clustered": False,
            "converged": None,
            "minimum_rows": MINIMUM_ROWS,
            "clusters": groups,
        },
    )


def _principal_components(
    embeddings: NDArray[np.float32], largest: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return coordinates [n, p] and the explained fractions of variance [p].

    In double precision: the vectors of one kind of picture all point the same way, and the
    covariance of what is left would drown in single precision. The solver is deterministic and
    fixes each component's sign by its largest item.
    """
    rows, columns = embeddings.shape
    pca = PCA(min(largest, rows - 1, columns), svd_solver="covariance_eigh")
    coordinates = pca.fit_transform(embeddings.astype(np.float64))
    return coordinates.astype(np.float32), pca.explained_variance_ratio_


@contextmanager
def _told_warnings() -> Iterator[list[str]]:
    """Collect convergence warnings as text; let all others through, but two that mean nothing."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        # New data are never sent through these UMAPs, which is all that a search index is for.
        warnings.filterwarnings("ignore", "precomputed_knn\\[2\\]", UserWarning)
        yield told
    for warning in caught:
        if issubclass(warning.category, ConvergenceWarning):
            told.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _nearest_neighbors(components: NDArray[np.float32], neighbors: int) -> Neighbors:
    """Return indices and cosine distances [n, k] of exact neighbours, each row itself first.

    Between unit vectors |a - b|² = 2(1 - cos), so the Euclidean search, which is blocked and
    never holds n² distances, gives the same order. UMAP counts a row as its own neighbour.
    """
    units = normalize(components)
    others = min(neighbors, len(units) - 1) - 1
    search = NearestNeighbors(n_neighbors=others, algorithm="brute").fit(units)
    distances, indices = search.kneighbors()
    own = np.arange(len(units))[:, None]
    return (
        np.hstack([own, indices]).astype(np.int32),
        np.hstack([np.zeros_like(own), distances**2 / 2]).astype(np.float32),
    )


def _umap(
    components: NDArray[np.float32],
    neighbors: Neighbors,
    dimensions: int,
    min_dist: float,
    seed: int,
) -> NDArray[np.float32]:
    """Return UMAP coordinates float32 [n, dimensions]; the seed makes it run on one thread."""
    reducer = UMAP(
        n_components=dimensions,
        n_neighbors=neighbors[0].shape[1],
        min_dist=min_dist,
        metric="cosine",
        precomputed_knn=neighbors,
        random_state=seed,
        n_jobs=1,
    )
    return reducer.fit_transform(components)


def _fit_mixture(
    space: NDArray[np.float64], parameters: MixtureConfig, seed: int
) -> tuple[BayesianGaussianMixture, int]:
    """Return the start with the largest lower bound, and how many starts converged.

    Starts take turns in how they begin. From k-means alone the mixture tends to keep every
    component in use (each of them splits a cluster); from random responsibilities it tends to
    merge. The lower bound, at one number of components, says which is right.
    """
    rows, dimensions = space.shape
    # A full covariance in d dimensions needs d + 1 points.
    components = min(parameters.components, max(1, rows // (dimensions + 1)))
    seeds = np.random.SeedSequence(seed).generate_state(parameters.starts).tolist()
    starts = [
        BayesianGaussianMixture(
            n_components=components,
            covariance_type="full",
            weight_concentration_prior_type="dirichlet_process",
            weight_concentration_prior=parameters.concentration or 1 / components,
            max_iter=parameters.max_iterations,
            init_params=beginning,
            random_state=start_seed,
        ).fit(space)
        for beginning, start_seed in zip(itertools.cycle(_BEGINNINGS), seeds, strict=False)
    ]
    best = max(starts, key=lambda start: start.lower_bound_)
    return best, sum(start.converged_ for start in starts)


def _by_size(raw: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Renumber labels by decreasing size, ties by first member; return the old numbers too."""
    used, first, inverse, counts = np.unique(
        raw, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    rank = np.empty(len(used), dtype=np.int32)
    rank[order] = np.arange(len(used))
    return rank[inverse], used[order]


def _medoids(embeddings: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return each cluster's row of largest mean cosine to its cluster: largest e·mean(e)."""
    medoids = []
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        vectors = embeddings[members].astype(np.float64)
        medoids.append(members[np.argmax(vectors @ vectors.mean(axis=0))])
    return np.array(medoids, dtype=np.int64)


def _mixture_figures(
    mixture: BayesianGaussianMixture, labels: NDArray[np.int32]
) -> dict[str, Any]:
    weights = mixture.weights_[mixture.weights_ > 0]
    return {
        "converged": bool(mixture.converged_),
        "iterations": int(mixture.n_iter_),
        "lower_bound": float(mixture.lower_bound_),
        "mixture_components": len(mixture.weights_),
        "concentration": float(mixture.weight_concentration_prior_),
        # The exponential of the weights' entropy: K for K equal weights.
        "effective_components": float(np.exp(-np.sum(weights * np.log(weights)))),
        "clusters": int(labels.max()) + 1,
        "largest_cluster_share": float(np.mean(labels == 0)),
    }


def _distortion(
    components: NDArray[np.float32],
    space: NDArray[np.float64],
    flat: NDArray[np.float32],
    labels: NDArray[np.int32],
    seed: int,
) -> dict[str, Any]:
    """Return how faithful both UMAPs are, on at most 2000 rows.

    Trustworthiness of the sample's neighbourhoods (Venna & Kaski 2001; 1 is perfect), and the
    mean silhouette of the clusters in the clustered space (null with a single cluster).
    """
    rows = len(components)
    draw = np.random.default_rng(seed).choice(rows, min(rows, _SAMPLE_ROWS), replace=False)
    draw.sort()
    near = min(_TRUST_NEIGHBORS, (len(draw) - 1) // 2)
    trust = {
        f"trustworthiness_{name}": float(
            trustworthiness(components[draw], points[draw], n_neighbors=near, metric="cosine")
        )
        for name, points in (("space", space), ("map", flat))
    }
    clusters = len(np.unique(labels[draw]))
    comparable = 1 < clusters < len(draw)
    silhouette = float(silhouette_score(space[draw], labels[draw])) if comparable else None
    return {**trust, "silhouette": silhouette, "distortion_rows": len(draw)}


def only_events_of(triggers: pa.Table, embeddings: pa.Table) -> pa.Table:
    """Return the rows of EMBEDDINGS whose trigger is in a TRIGGERS table, in their order.

    What two blocks claimed at their border has a view in both; the run's triggers hold it once.
    """

    def keys(table: pa.Table, time: str) -> list[tuple[str, int, float]]:
        columns = (table[name].to_pylist() for name in ("detector", "gps_start", time))
        return list(zip(*columns, strict=True))

    known = set(keys(triggers, "peak_time"))
    mask = [key in known for key in keys(embeddings, "trigger_time")]
    return embeddings.filter(pa.array(mask, pa.bool_()))


def cluster_table(embeddings: pa.Table, clustering: Clustering) -> pa.Table:
    """Return the CLUSTERS table of an EMBEDDINGS table's rows, in their order."""
    kept = [name for name in CLUSTERS.names if name in EMBEDDINGS.names]
    columns = {name: embeddings[name] for name in kept} | {
        "cluster": clustering.labels,
        "probability": clustering.probabilities,
        "log_likelihood": clustering.log_likelihood,
        "x": clustering.map[:, 0].astype(np.float64),
        "y": clustering.map[:, 1].astype(np.float64),
    }
    return pa.table(columns, schema=CLUSTERS)


def cluster_summary(embeddings: pa.Table, clustering: Clustering) -> list[dict[str, Any]]:
    """Return the CLUSTER_SUMMARY records of a clustered EMBEDDINGS table, largest first."""
    tiles = {
        f"median_{name}": embeddings[f"tile_{name}"].to_numpy()
        for name in ("snr", "frequency", "q")
    }
    records = []
    for label, medoid in enumerate(clustering.medoids.tolist()):
        members = clustering.labels == label
        records.append(
            {
                "cluster": label,
                "members": int(members.sum()),
                "share": float(members.mean()),
                "weight": float(clustering.weights[label]),
                "mean_probability": float(clustering.probabilities[members].mean()),
                **{name: float(np.median(values[members])) for name, values in tiles.items()},
                "medoid_detector": embeddings["detector"][medoid].as_py(),
                "medoid_gps_start": embeddings["gps_start"][medoid].as_py(),
                "medoid_trigger_time": embeddings["trigger_time"][medoid].as_py(),
            }
        )
    return records
