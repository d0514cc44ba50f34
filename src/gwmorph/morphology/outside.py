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
from gwmorph.morphology.clustering import MINIMUM_ROWS, cut_layout
from gwmorph.morphology.layout import lay_out_without_umap
from gwmorph.morphology.partitions import DISSOLVED, best_jaccards, contingency

WAYS = {"communities": "communities", "components": "mixture"}


def cut_without_umap(
    embeddings: NDArray[np.float32], parameters: ClusteringConfig, seed: int
) -> dict[str, NDArray[np.int32]]:
    """Return the clusters of unit vectors float32 [n, d] by each of `WAYS`: int32 [n] by name.

    Seed and parameters as of `cluster`. Fewer than 16 rows are one group.
    """
    if len(embeddings) < MINIMUM_ROWS:
        return {way: np.zeros(len(embeddings), np.int32) for way in WAYS}
    with threadpool_limits(limits=1):
        layout = lay_out_without_umap(embeddings, parameters)
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
