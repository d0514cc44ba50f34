"""How well classes are named: accuracy, F1 by class and macro, and what is taken for what.

Intervals are 95 % percentile intervals of a bootstrap over glitches, all pictures of one being
drawn together. They say how much a figure depends on the glitches that happened to be scored, not
how much it would change with another training or another seed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Estimate":
        """Return the estimate of a figure [1 + draws]: first of all glitches, then of each draw.

        Draws for which there is no figure, NaN, are left out.
        """
        low, high = np.nanpercentile(values[1:], [2.5, 97.5])
        return cls(float(values[0]), float(low), float(high))

    def columns(self) -> dict[str, float]:
        """Return the columns ``value``, ``low`` and ``high`` of a table of scores."""
        return asdict(self)


@dataclass(frozen=True)
class ClassFigures:
    """Figures of all glitches and, after them, of each draw of the bootstrap.

    Attributes
    ----------
    classes
        Those that pictures truly have, sorted.
    accuracy
        Share of the pictures that is named right, float64 [1 + draws].
    f1
        F1 score of each class, float64 [1 + draws, classes]; NaN where a draw has none of a class.
    """

    classes: list[str]
    accuracy: NDArray[np.float64]
    f1: NDArray[np.float64]

    @property
    def macro_f1(self) -> NDArray[np.float64]:
        """The mean F1 score over the classes that a draw has, float64 [1 + draws]."""
        return np.nanmean(self.f1, axis=1)


def class_figures(labels: Labels, named: Labels, groups: Labels, seed: int) -> ClassFigures:
    """Return how well pictures are named, for all glitches and for each draw of the bootstrap.

    The F1 score of a class is the harmonic mean of recall and precision, 2 tp / (2 tp + fp + fn),
    and 0 where a class is never named. Equal seeds and glitches give equal draws, so that
    differences of two calls are paired.

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
    members, times = _draws(groups, seed)
    classes = np.unique(labels)
    # For each glitch and class: pictures named right, named so, and of the class.
    counts = np.zeros((times.shape[1], len(classes), 3))
    for place, name in enumerate(classes):
        given, own = named == name, labels == name
        for column, chosen in enumerate((given & own, given, own)):
            counts[:, place, column] = np.bincount(members, chosen, times.shape[1])
    right, given, there = np.moveaxis(np.tensordot(times, counts, 1), 2, 0)
    f1 = 2 * right / np.where(there > 0, given + there, np.nan)
    return ClassFigures(classes.tolist(), right.sum(axis=1) / there.sum(axis=1), f1)


def accuracy_and_f1(
    labels: Labels, named: Labels, groups: Labels, seed: int
) -> tuple[Estimate, Estimate]:
    """Return the share that is named right, and the mean F1 score over the classes of ``labels``.

    Parameters, and what is raised, are those of `class_figures`.
    """
    found = class_figures(labels, named, groups, seed)
    return Estimate.of(found.accuracy), Estimate.of(found.macro_f1)


def mean_estimate(values: NDArray[np.floating], groups: Labels, seed: int) -> Estimate:
    """Return the mean of what was measured of each picture, [n]; ``groups`` as `class_figures`."""
    members, times = _draws(groups, seed)
    count = times.shape[1]
    sums, pictures = np.bincount(members, values, count), np.bincount(members, minlength=count)
    return Estimate.of((times @ sums) / (times @ pictures))


def _draws(groups: Labels, seed: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the number of each picture's glitch, and how often each glitch is drawn.

    The latter is [1 + draws, glitches]: first once each.
    """
    if not len(groups):
        raise ValueError("expected pictures to score, got none")
    names, members = np.unique(groups, return_inverse=True)
    count = len(names)
    # The same draws for everything that is scored on as many glitches.
    drawn = stream(seed, "bootstrap of glitches", count).integers(count, size=(_REPEATS, count))
    times = np.ones((1 + _REPEATS, count))
    for draw, row in zip(times[1:], drawn, strict=True):
        draw[:] = np.bincount(row, minlength=count)
    return members, times


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
