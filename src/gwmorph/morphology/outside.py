"""Which clusters exist outside UMAP: the same rows cut without it.

UMAP pulls rows together and tears them apart, so a cluster of its space may be UMAP's own. Two
ways to cut the same rows do without its space: communities of the neighbour graph, and the same
mixture on the principal components. Both join groups as the clusters were joined.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gwmorph.config import ClusteringConfig
from gwmorph.morphology.clustering import Clustering, cut_layout
from gwmorph.morphology.layout import without_umap
from gwmorph.morphology.partitions import DISSOLVED, best_jaccards, contingency

WAYS = {"communities": "communities", "components": "mixture"}


def cut_without_umap(
    clustering: Clustering, parameters: ClusteringConfig, seed: int
) -> dict[str, NDArray[np.int32]]:
    """Return the clusters of a clustering's rows by each of `WAYS`: int32 [n] by name.

    Seed and parameters as of the clustering. Too few rows to cluster are one group.
    """
    if clustering.layout is None:
        return {way: np.zeros_like(clustering.labels) for way in WAYS}
    layout = without_umap(clustering.layout)
    with threadpool_limits(limits=1):
        return {
            way: cut_layout(layout, parameters.model_copy(update={"method": method}), seed)
            for way, method in WAYS.items()
        }


def found_again(
    labels: NDArray[np.int32], outside: Mapping[str, NDArray[np.int32]]
) -> dict[str, NDArray[np.float64]]:
    """Return each cluster's largest Jaccard with a cluster of each other way: float64 [K]."""
    return {way: best_jaccards(contingency(labels, other)) for way, other in outside.items()}


def exist_outside(jaccards: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Return which clusters one of the other ways finds, too, with a Jaccard of 0.5: bool [K]."""
    return np.max(list(jaccards.values()), axis=0) >= DISSOLVED
