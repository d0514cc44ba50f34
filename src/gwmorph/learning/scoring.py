"""How well classes are named: accuracy, macro-F1, and what is taken for what.

Intervals are 95 % percentile intervals of a bootstrap over glitches, all pictures of one being
drawn together. They say how much a figure depends on the glitches that happened to be scored, not
how much it would change with another training or another seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.simulation.streams import stream

_REPEATS = 2000

Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def accuracy_and_f1(
    labels: Labels, named: Labels, groups: Labels, seed: int
) -> tuple[Estimate, Estimate]:
    """Return the share that is named right, and the mean F1 score over the classes of ``labels``.

    The F1 score of a class is the harmonic mean of recall and precision, 2 tp / (2 tp + fp + fn).

    Parameters
    ----------
    labels, named
        Class of each picture, and the one that it is given, str [n].
    groups
        The glitch that each shows, str [n].
    seed
        Of the bootstrap.

    Raises
    ------
    ValueError
        There is no picture.
    """
    if not len(labels):
        raise ValueError("expected pictures to score, got none")
    classes, codes = np.unique(np.concatenate([labels, named]), return_inverse=True)
    truth, guess = codes[: len(labels)], codes[len(labels) :]
    _, group = np.unique(groups, return_inverse=True)
    counts = np.bincount(group)
    count = len(classes)
    of_all = np.ones(len(labels))
    drawn = stream(seed, "bootstrap", len(counts)).multinomial(
        len(counts), np.full(len(counts), 1 / len(counts)), size=_REPEATS
    )
    repeats = np.array([_figures(truth, guess, count, weight[group]) for weight in drawn])
    values = _figures(truth, guess, count, of_all)
    low, high = np.percentile(repeats, [2.5, 97.5], axis=0)
    accuracy, f1 = (Estimate(float(values[i]), float(low[i]), float(high[i])) for i in range(2))
    return accuracy, f1


def _figures(
    truth: NDArray[np.int64], guess: NDArray[np.int64], count: int, weight: NDArray[np.floating]
) -> tuple[float, float]:
    """Return accuracy and macro-F1 of pictures that count ``weight`` times each."""
    right = np.bincount(truth, weight * (truth == guess), count)
    there, given = np.bincount(truth, weight, count), np.bincount(guess, weight, count)
    scored = there > 0
    return (
        float(right.sum() / there.sum()),
        float(np.mean(2 * right[scored] / (there + given)[scored])),
    )


def scored_row(facts: Mapping[str, Any], predictions: pa.Table, seed: int) -> dict[str, Any]:
    """Return a row of ``SUPERVISED``: what a training tells of itself, and its scores.

    ``predictions`` are rows of ``PREDICTIONS``; ``seed`` is that of the bootstrap.
    """
    labels, named, groups = (
        np.array(predictions[name].to_pylist(), dtype=str) for name in ("label", "named", "group")
    )
    figures = dict(
        zip(("accuracy", "macro_f1"), accuracy_and_f1(labels, named, groups, seed), strict=True)
    )
    scores = {
        f"{name}{end}": getattr(estimate, end.removeprefix("_") or "value")
        for name, estimate in figures.items()
        for end in ("", "_low", "_high")
    }
    return {**facts, **scores, "pictures": len(labels), "glitches": len(set(groups.tolist()))}


def confusion(labels: Labels, named: Labels) -> tuple[list[str], NDArray[np.int64]]:
    """Return all classes, and how many pictures of each (rows) are given each (columns)."""
    classes, codes = np.unique(np.concatenate([labels, named]), return_inverse=True)
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (codes[: len(labels)], codes[len(labels) :]), 1)
    return classes.tolist(), counts
