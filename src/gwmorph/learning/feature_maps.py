"""Vectors of one set of pictures on flat maps, before and after a training."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from gwmorph.config import ClusteringConfig
from gwmorph.morphology.layout import lay_out

Vectors = NDArray[np.float32]
# Neighbours that t-SNE reckons with, van der Maaten & Hinton (2008); of few rows less.
_PERPLEXITY = 30.0


def tsne_map(vectors: Vectors, clustering: ClusteringConfig, seed: int) -> NDArray[np.floating]:
    """Return a t-SNE map [n, 2] of unit vectors [n, d] by cosine distance.

    Van der Maaten & Hinton (2008), JMLR 9, 2579; started from principal components.
    """
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    model = TSNE(
        perplexity=perplexity, metric="cosine", init="pca", learning_rate="auto", random_state=seed
    )
    found: NDArray[np.floating] = model.fit_transform(vectors)
    return found


def umap_map(vectors: Vectors, clustering: ClusteringConfig, seed: int) -> NDArray[np.floating]:
    """Return the UMAP map [n, 2] of unit vectors [n, d] that a run would draw of them."""
    return lay_out(vectors, clustering, seed).map


MAPS: Mapping[str, Callable[[Vectors, ClusteringConfig, int], NDArray[np.floating]]] = {
    "t-SNE": tsne_map,
    "UMAP": umap_map,
}


def map_rows(
    when: str,
    vectors: Vectors,
    rows: NDArray[np.int64],
    labels: Sequence[str],
    maps: Sequence[str],
    clustering: ClusteringConfig,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``FINETUNE_MAPS`` (without ``backbone``): each picture on each map.

    Parameters
    ----------
    when
        ``before`` or ``after``.
    vectors, rows, labels
        Unit vector [n, d], number and class of each picture; at least four.
    maps
        Names in ``MAPS``.
    clustering
        How a run lays out its own vectors.
    """
    return [
        {"when": when, "map": name, "row": row, "label": label, "x": x, "y": y}
        for name in maps
        for row, label, (x, y) in zip(
            rows.tolist(), labels, MAPS[name](vectors, clustering, seed).tolist(), strict=True
        )
    ]
