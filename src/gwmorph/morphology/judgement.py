"""What the vector of a row says of it, by labelled rows and their limits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gwmorph.morphology.manifest import EACH_CLASS
from gwmorph.morphology.similarity import UNKNOWN, Neighborhoods, nearest_in
from gwmorph.morphology.status import Judgement
from gwmorph.morphology.thresholds import (
    ANY,
    Classes,
    Limit,
    Scores,
    Vectors,
    class_scores,
    left_out_scores,
    may_be_new,
    p_values,
)


@dataclass(frozen=True)
class Judge:
    """What rows are judged by; it is made once for many rows.

    Attributes
    ----------
    reference, classes : unit vectors float32 [m, d] of labelled rows, and their classes, str [m].
    limits : of these classes, from `thresholds.limits_of`; none where no class has two rows, and
        then no row is NOVEL and none within a class.
    promise : ``EACH_CLASS`` or ``OVERALL``.
    neighbors : how many of the nearest labelled rows are asked for their class.
    """

    reference: Vectors
    classes: Classes
    limits: Sequence[Limit]
    promise: str
    neighbors: int

    @cached_property
    def _own(self) -> Scores:
        return left_out_scores(self.reference, self.classes)

    def of(self, vectors: Vectors, itself: NDArray[np.int64]) -> Judgement:
        """Return what the vectors of n rows, unit float32 [n, d], say of them.

        ``itself`` int64 [n] says which row of the reference each is itself, −1 for none.
        """
        if not len(self.reference):
            return _of_nothing(len(vectors))
        scores = class_scores(self.reference, self.classes, vectors, itself)
        near = nearest_in(self.reference, vectors, self.neighbors + 1)
        named, agreeing = _asked(near, itself, self.classes, self.neighbors)
        margin = _margin(scores, self.limits, self.promise)
        return Judgement(
            margin < 0,
            scores.of(ANY),
            margin,
            self._p_value(scores, itself),
            named,
            agreeing,
            _within(scores, self.limits, named),
        )

    def _p_value(self, scores: Scores, itself: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.promise == EACH_CLASS and self.limits:
            member_of = np.append(self.classes, UNKNOWN)[itself]
            return p_values(self._own, self.classes, scores, member_of).max(axis=1)
        if not any(one.label == ANY for one in self.limits):
            return np.full(len(itself), np.nan)
        members = may_be_new(self.classes)
        rising = np.sort(self._own.of(ANY)[members])
        is_new = ~np.append(members, False)[itself]
        below = np.searchsorted(rising, scores.of(ANY), side="right")
        return (below + is_new) / (len(rising) + is_new)


def judge(
    reference: Vectors,
    classes: Classes,
    limits: Sequence[Limit],
    promise: str,
    vectors: Vectors,
    itself: NDArray[np.int64],
    neighbors: int,
) -> Judgement:
    """Return what the vectors of n rows say of them; see `Judge`."""
    return Judge(reference, classes, limits, promise, neighbors).of(vectors, itself)


def _of_nothing(count: int) -> Judgement:
    never, none = np.zeros(count, bool), np.full(count, np.nan)
    return Judgement(never, none, none, none, np.full(count, UNKNOWN), np.zeros(count), never)


def _margin(scores: Scores, limits: Sequence[Limit], promise: str) -> NDArray[np.float64]:
    """Return how far each row lies above the nearest limit that it must be below to be NOVEL."""
    asked = [one for one in limits if (one.label == ANY) != (promise == EACH_CLASS)]
    above = [scores.of(one.label) - one.limit for one in asked]
    return np.max(above, axis=0) if above else np.full(len(scores.values), np.nan)


def _within(scores: Scores, limits: Sequence[Limit], named: Classes) -> NDArray[np.bool_]:
    """Return which rows reach the limit of the class that they are named, bool [n]."""
    within = np.zeros(len(named), bool)
    for one in limits:
        if one.label != ANY:
            within |= (named == one.label) & (scores.of(one.label) >= one.limit)
    return within


def _asked(
    near: Neighborhoods, itself: NDArray[np.int64], classes: Classes, neighbors: int
) -> tuple[Classes, NDArray[np.float64]]:
    """Return the commonest class of each row's nearest others, and the share that has it."""
    named, agreeing = [], []
    for rows, own in zip(near.rows.tolist(), itself.tolist(), strict=True):
        others = Counter(classes[[row for row in rows if row != own][:neighbors]].tolist())
        # The first of equals is the nearest: Counter keeps the order in which it meets them.
        word, count = next(iter(others.most_common(1)), (UNKNOWN, 0))
        named.append(word)
        agreeing.append(count / max(others.total(), 1))
    return np.array(named, dtype=classes.dtype), np.array(agreeing, dtype=float)
