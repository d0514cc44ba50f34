"""What an autoencoder is worth: how it draws views again, and what its bottleneck tells of them.

Intervals are 95 % percentile intervals of a bootstrap over glitches: all views of a glitch are
drawn together. They say how much a figure depends on the glitches that happened to be scored, not
how much it would change with another training.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from gwmorph.evidence.agreement import NEIGHBORS, majority
from gwmorph.learning.autoencoder import Crops
from gwmorph.simulation.streams import stream

Labels = NDArray[np.str_]
RANKS = ("best", "median", "worst")
_REPEATS = 2000


def class_rows(
    scored: str, part: str, told: Labels, labels: Labels, groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return accuracy and macro-F1 as rows of ``AUTOENCODER_SCORES``.

    Macro-F1 is the mean over the classes that the views have; F1 = 2·right/(told + there), and 0
    where a class is never told. In a draw that has no view of a class, it is of the others.

    Parameters
    ----------
    told, labels
        The class that each view is taken for, and its own, [n].
    groups
        The glitch of each view, [n].
    """
    names, number = np.unique(np.concatenate([labels, told]), return_inverse=True)
    own, said = number[: len(labels)], number[len(labels) :]
    size = len(names)

    def figures(weights: NDArray[np.float64]) -> dict[str, float]:
        right = np.bincount(own, weights * (own == said), size)
        there, called = np.bincount(own, weights, size), np.bincount(said, weights, size)
        f1 = 2 * right[there > 0] / (there + called)[there > 0]
        return {"accuracy": float(right.sum() / weights.sum()), "macro_f1": float(f1.mean())}

    return _rows(scored, part, figures, groups, seed)


def error_rows(
    scored: str, part: str, errors: NDArray[np.float64], groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return the mean of the squared errors [n] of views as rows of ``AUTOENCODER_SCORES``."""
    return _rows(
        scored, part, lambda weights: {"mse": float(np.average(errors, weights=weights))},
        groups, seed,
    )  # fmt: skip


def _rows(
    scored: str,
    part: str,
    figures: Callable[[NDArray[np.float64]], Mapping[str, float]],
    groups: Labels,
    seed: int,
) -> list[dict[str, Any]]:
    names, number = np.unique(groups, return_inverse=True)
    # The same draws for everything that is scored on the same glitches.
    rng = stream(seed, "bootstrap of glitches", len(names))
    draws = []
    for _ in range(_REPEATS):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        draws.append(figures(times[number].astype(np.float64)))
    rows = []
    for figure, value in figures(np.ones(len(groups))).items():
        low, high = np.percentile([draw[figure] for draw in draws], [2.5, 97.5])
        about = {"scored": scored, "part": part, "figure": figure, "views": len(groups)}
        rows.append({**about, "value": value, "low": float(low), "high": float(high)})
    return rows


def neighbor_classes(
    train: NDArray[np.floating], labels: Labels, others: NDArray[np.floating], metric: str
) -> Labels:
    """Return the commonest class of the five nearest of ``train`` [n, d] for each of ``others``.

    The nearest decides a tie.
    """
    count = min(NEIGHBORS, len(train))
    nearest = NearestNeighbors(n_neighbors=count, metric=metric).fit(train)
    return majority(labels[nearest.kneighbors(others, return_distance=False)])


def trigger_vectors(
    train: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logarithms of trigger columns [n, 5], standardised by those of ``train``."""
    known, asked = np.log(train), np.log(others)
    mean, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-12)
    return (known - mean) / spread, (asked - mean) / spread


def reconstruction_rows(
    crops: Crops, drawn: NDArray[np.float32], errors: NDArray[np.float64], labels: Labels
) -> list[dict[str, Any]]:
    """Return views and how they were drawn again as rows of ``RECONSTRUCTIONS``.

    The best, the median and the worst class, by the median of its views' errors, and of each the
    best, the median and the worst view.

    Parameters
    ----------
    crops, labels
        Views and their classes, [n].
    drawn, errors
        Their reconstructions [n, 4, 56, 56], and the mean squared error of each, [n].
    """
    names = np.unique(labels)
    medians = np.array([np.median(errors[labels == name]) for name in names])
    rows = []
    for class_rank, of_class in zip(RANKS, _ranked(medians), strict=True):
        own = np.flatnonzero(labels == names[of_class])
        for view_rank, place in zip(RANKS, _ranked(errors[own]), strict=True):
            view = own[place]
            rows.append(
                {
                    "class_rank": class_rank,
                    "label": str(names[of_class]),
                    "class_mse": float(medians[of_class]),
                    "view_rank": view_rank,
                    "mse": float(errors[view]),
                    "view": _bytes(crops.brightness.take(crops.indices[view])),
                    "drawn": _bytes(drawn[view]),
                }
            )
    return rows


def _ranked(values: NDArray[np.float64]) -> tuple[int, int, int]:
    """Return where the smallest value is, the middle one, and the largest."""
    order = np.argsort(values, kind="stable")
    return int(order[0]), int(order[(len(order) - 1) // 2]), int(order[-1])


def _bytes(brightness: NDArray[np.float32]) -> bytes:
    return np.rint(255 * np.clip(brightness, 0, 1)).astype(np.uint8).tobytes()
