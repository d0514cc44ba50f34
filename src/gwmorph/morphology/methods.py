"""Ways to cut a layout into groups, behind one interface.

A method may cut finer than the data's clusters: `separation` joins what structureless data would
show just as well.
"""

import itertools
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import igraph
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, triu
from sklearn.cluster import HDBSCAN
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from gwmorph.config import ClusteringConfig, MixtureConfig
from gwmorph.morphology.layout import Layout

_BEGINNINGS = ("communities", "kmeans", "k-means++")
_SCALE_NEIGHBOR = 10
# Rounds of moving nodes; more of them gain less than another seed does.
_LEIDEN_ITERATIONS = 5
# The mixture is fitted to so many rows at most, drawn with the seed; all rows get its posteriors.
_FIT_ROWS = 5_000
_MOST_COMPONENTS = 320


@dataclass(frozen=True)
class Groups:
    """How a method cuts n rows into K groups.

    ``responsibilities`` float32 [n, K], each row's probabilities of the groups;
    ``log_density`` of places float64 [m, d] in the space, float64 [m], nan where the method has
    none; ``figures``, what the method says of itself, as JSON takes it.
    """

    responsibilities: NDArray[np.float32]
    log_density: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    figures: dict[str, Any]


Method = Callable[[Layout, ClusteringConfig, int], Groups]


def mixture(layout: Layout, parameters: ClusteringConfig, seed: int) -> Groups:
    """Fit a Dirichlet-process mixture of Gaussians in the UMAP space (Blei & Jordan 2006).

    The prior of each component's covariance is isotropic and local: ``covariance_scale`` times
    the squared median distance to the tenth neighbour. That of all rows, which scikit-learn
    takes by default, is thousands of times as large and joins islands. A fit that uses all the
    components it may use is repeated with twice as many, up to 320 or what the rows allow.
    """
    space = layout.space
    rows = _sample(len(space), _FIT_ROWS, seed)
    start = communities_of(layout.graph, parameters.communities.resolution, seed)[rows]
    truncations = [_truncation(parameters.mixture.components, space[rows])]
    with _told_warnings() as told:
        while True:
            fitted, converged = _best_fit(
                space[rows], start, truncations[-1], parameters.mixture, seed
            )
            used = len(np.unique(fitted.predict(space)))
            larger = _truncation(min(2 * truncations[-1], _MOST_COMPONENTS), space[rows])
            if used < truncations[-1] or larger <= truncations[-1]:
                break
            truncations.append(larger)
    figures = _mixture_figures(fitted) | {
        "starts": parameters.mixture.starts,
        "starts_converged": converged,
        "truncations": truncations,
        "components_used": used,
        "fitted_rows": len(rows),
        "warnings": sorted(set(told)),
    }
    responsibilities = fitted.predict_proba(space).astype(np.float32)
    return Groups(responsibilities, fitted.score_samples, figures)


def communities(layout: Layout, parameters: ClusteringConfig, seed: int) -> Groups:
    """Cut UMAP's graph, not its space, into communities (Traag et al. 2019, arXiv:1810.08473)."""
    labels = communities_of(layout.graph, parameters.communities.resolution, seed)
    return _crisp(labels, {})


def hdbscan(layout: Layout, parameters: ClusteringConfig, seed: int) -> Groups:
    """Cut the UMAP space by density (HDBSCAN, Campello et al. 2013).

    What is thin is left out by it; it goes to the group of the nearest row that is not.
    """
    size = min(parameters.hdbscan.min_cluster_size, len(layout.space))
    labels = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(layout.space)
    thin = labels < 0
    if thin.all():
        return _crisp(np.zeros(len(labels), np.int64), {"left_out": len(labels)})
    near = KNeighborsClassifier(1).fit(layout.space[~thin], labels[~thin])
    if thin.any():
        labels[thin] = near.predict(layout.space[thin])
    return _crisp(labels, {"left_out": int(thin.sum())})


METHODS: Mapping[str, Method] = {
    "mixture": mixture,
    "communities": communities,
    "hdbscan": hdbscan,
}


def communities_of(graph: csr_matrix, resolution: float, seed: int) -> NDArray[np.int64]:
    """Return the community of each node of a weighted graph: int64 [n].

    Modularity of Reichardt & Bornholdt (2006) with ``resolution``; more of it gives more and
    smaller communities.
    """
    links = triu(graph, k=1).tocoo()
    # Pairs, not an array: igraph reads them several times as fast.
    pairs = list(zip(links.row.tolist(), links.col.tolist(), strict=True))
    network = igraph.Graph(graph.shape[0], pairs)
    igraph.set_random_number_generator(random.Random(seed))
    try:
        found = network.community_leiden(
            objective_function="modularity",
            weights=links.data.astype(np.float64).tolist(),
            resolution=resolution,
            n_iterations=_LEIDEN_ITERATIONS,
        )
    finally:
        igraph.set_random_number_generator(random)
    return np.array(found.membership, dtype=np.int64)


def _crisp(labels: NDArray[np.integer], figures: dict[str, Any]) -> Groups:
    responsibilities = np.zeros((len(labels), int(labels.max()) + 1), np.float32)
    responsibilities[np.arange(len(labels)), labels] = 1
    return Groups(responsibilities, _no_density, figures)


def _no_density(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(len(places), np.nan)


def _sample(rows: int, largest: int, seed: int) -> NDArray[np.int64]:
    if rows <= largest:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, largest, replace=False))


def _truncation(components: int, space: NDArray[np.float64]) -> int:
    """Return how many components there may be: a full covariance in d dimensions needs d + 1."""
    rows, dimensions = space.shape
    return min(components, max(1, rows // (dimensions + 1)))


class _BegunMixture(BayesianGaussianMixture):
    """A mixture whose first responsibilities are given groups: ``labels`` int [n]."""

    labels: NDArray[np.int64]

    def _initialize_parameters(self, X: Any, random_state: Any, xp: Any = None) -> None:
        responsibilities = np.zeros((len(X), self.n_components))
        # Communities beyond the truncation share components; the fit will sort them out.
        responsibilities[np.arange(len(X)), self.labels % self.n_components] = 1
        self._initialize(X, responsibilities)


def _best_fit(
    space: NDArray[np.float64],
    start: NDArray[np.int64],
    components: int,
    parameters: MixtureConfig,
    seed: int,
) -> tuple[BayesianGaussianMixture, int]:
    """Return the start with the largest lower bound, and how many starts converged.

    Starts take turns in how they begin: the communities of the neighbour graph, then k-means.
    """
    dimensions = space.shape[1]
    seeds = np.random.SeedSequence(seed).generate_state(parameters.starts).tolist()
    prior = parameters.covariance_scale * local_variance(space) * np.eye(dimensions)
    fits = []
    for beginning, start_seed in zip(itertools.cycle(_BEGINNINGS), seeds, strict=False):
        given = beginning == "communities"
        kind = _BegunMixture if given else BayesianGaussianMixture
        fit = kind(
            n_components=components,
            covariance_type="full",
            covariance_prior=prior,
            weight_concentration_prior_type="dirichlet_process",
            weight_concentration_prior=parameters.concentration or 1 / components,
            max_iter=parameters.max_iterations,
            init_params="kmeans" if given else beginning,
            random_state=start_seed,
        )
        if given:
            fit.labels = start
        fits.append(fit.fit(space))
    best = max(fits, key=lambda fit: fit.lower_bound_)
    return best, sum(fit.converged_ for fit in fits)


def local_variance(space: NDArray[np.float64]) -> float:
    """Return the squared median distance to the tenth neighbour; where that is 0, a mean one."""
    near = min(_SCALE_NEIGHBOR, len(space) - 1)
    tenth = NearestNeighbors(n_neighbors=near).fit(space).kneighbors()[0][:, -1]
    return float(np.median(tenth) or tenth.mean() or 1.0) ** 2


def _mixture_figures(fitted: BayesianGaussianMixture) -> dict[str, Any]:
    weights = fitted.weights_[fitted.weights_ > 0]
    return {
        "converged": bool(fitted.converged_),
        "iterations": int(fitted.n_iter_),
        "lower_bound": float(fitted.lower_bound_),
        "concentration": float(fitted.weight_concentration_prior_),
        # The exponential of the weights' entropy: K for K equal weights.
        "effective_components": float(np.exp(-np.sum(weights * np.log(weights)))),
    }


@contextmanager
def _told_warnings() -> Iterator[list[str]]:
    """Collect convergence warnings as text; let all others through."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        yield told
    for warning in caught:
        if issubclass(warning.category, ConvergenceWarning):
            told.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
