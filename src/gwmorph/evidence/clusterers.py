"""Ways to cut the same vectors side by side, each against known classes.

The run's clusters are one cut of its rows; a reader asks what another method would have found.
All of them cut one layout of one sample. None is told the classes, k-means is told how many
clusters the run has, and random clusters have the sizes of the run's and say what chance gives.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from gwmorph.config import ClusteringConfig
from gwmorph.evidence.intervals import interval_rows
from gwmorph.evidence.sample import Sample
from gwmorph.evidence.stability import RUN
from gwmorph.morphology.clustering import check_vectors, cut_layout
from gwmorph.morphology.layout import Layout, lay_out
from gwmorph.morphology.methods import METHODS, local_variance
from gwmorph.morphology.partitions import FIGURES, INFORMATION, agreement, information
from gwmorph.morphology.similarity import UNKNOWN, Classes
from gwmorph.simulation.streams import stream

K_MEANS, FINITE_MIXTURE, RANDOM = "k-means", "finite mixture", "random clusters"
# Of the finite mixture: what BIC chooses from, and the rows that it is fitted to, at most.
COMPONENTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_FIT_ROWS = 3000
_K_MEANS_STARTS, _MIXTURE_STARTS = 10, 3
# Fewer rows of known class, or one class, say nothing of a clusterer.
FEWEST_KNOWN, _FEWEST_CLASSES = 10, 2

Labels = NDArray[np.int32]


def cut_by_all(
    sample: Sample, clustering: ClusteringConfig, run_seed: int, seed: int
) -> dict[str, Labels]:
    """Return the clusters of a sample by each way to cut it: int32 [n] by name.

    The run's come first, then those of each of `METHODS` with the run's parameters and seed, whose
    groups are joined as the run's are; k-means and the finite mixture; and random clusters. All of
    it runs on one thread.

    Parameters
    ----------
    sample
        Rows of a run.
    clustering, run_seed
        The run's.
    seed
        Of k-means, the finite mixture and random clusters.

    Raises
    ------
    ClusteringError
        A vector's value is not finite, or all vectors are the same.
    """
    check_vectors(sample.vectors)
    with threadpool_limits(limits=1):
        layout = lay_out(sample.vectors, clustering, run_seed)
        own = {
            method: cut_layout(layout, clustering.model_copy(update={"method": method}), run_seed)
            for method in METHODS
        }
        return {
            RUN: sample.labels,
            **own,
            K_MEANS: k_means(layout, len(np.unique(sample.labels)), seed),
            FINITE_MIXTURE: finite_mixture(layout, seed),
            RANDOM: stream(seed, RANDOM).permutation(sample.labels),
        }


def k_means(layout: Layout, clusters: int, seed: int) -> Labels:
    """Return clusters of the principal components by k-means, the best of ten starts: int32 [n].

    ``clusters`` of them, or as many as there are different rows.
    """
    different = len(np.unique(layout.components, axis=0))
    means = KMeans(min(clusters, different), n_init=_K_MEANS_STARTS, random_state=seed)
    return means.fit_predict(layout.components)


def finite_mixture(layout: Layout, seed: int) -> Labels:
    """Return the components of the Gaussian mixture of the smallest BIC: int32 [n].

    In the UMAP space, as the run's mixture, with full covariances and 1 to 64 components
    (`COMPONENTS`) or as many as the rows allow (Schwarz 1978, doi:10.1214/aos/1176344136; Fraley &
    Raftery 2002, doi:10.1198/016214502760047131). Variances have a neighbourhood's added to them,
    the squared median distance to the tenth neighbour over the dimensions: rows that UMAP puts on
    one spot would have any likelihood. Fitted to 3000 rows at most, drawn with the seed, the best
    of three starts.
    """
    rows = np.sort(stream(seed, FINITE_MIXTURE).permutation(len(layout.space))[:_FIT_ROWS])
    fitted = layout.space[rows]
    dimensions = fitted.shape[1]
    fits = [
        GaussianMixture(
            components,
            reg_covar=local_variance(fitted) / dimensions,
            n_init=_MIXTURE_STARTS,
            random_state=seed,
        ).fit(fitted)
        for components in COMPONENTS
        # A covariance in d dimensions needs d + 1 rows.
        if components * (dimensions + 1) <= len(fitted)
    ]
    best = min(fits, key=lambda fit: fit.bic(fitted))
    return best.predict(layout.space).astype(np.int32)


def clusterer_rows(
    partitions: Mapping[str, Labels],
    classes: Classes,
    blocks: NDArray[np.integer],
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``CLUSTERERS``: each partition against the classes of rows that have one.

    Values are nan where fewer than ten rows have a class, or all have the same.

    Parameters
    ----------
    partitions
        By name, int32 [n].
    classes
        Class of each row, '' where none is known: str [n].
    blocks
        Block of each row, [n]; ``repeats`` and ``seed`` of the draws.
    """
    known = classes != UNKNOWN
    names, numbers = np.unique(classes[known], return_inverse=True)
    rows = []
    for name, labels in partitions.items():
        scores = partial(_scores, labels[known], numbers)
        found = interval_rows(scores, blocks[known], repeats, seed)
        about = {"clusterer": name, "clusters": len(np.unique(labels)), "classes": len(names)}
        rows += [{**about, **row} for row in found]
    return rows


def _scores(
    labels: Labels, classes: NDArray[np.intp], rows: NDArray[np.int64]
) -> dict[str, float]:
    """Return all figures of some rows; nan of few, or of one class, which any cut agrees with."""
    one, other = labels[rows], classes[rows]
    if len(rows) < FEWEST_KNOWN or len(np.unique(other)) < _FEWEST_CLASSES:
        return dict.fromkeys((*FIGURES, *INFORMATION), np.nan)
    return {**agreement(one, other), **information(one, other)}
