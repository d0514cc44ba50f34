"""What the vector of a row says of it, by labelled rows and their limits."""

from collections import Counter
from collections.abc import Sequence

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
    is_novel,
    left_out_scores,
    may_be_new,
    p_values,
)


def judge(
    reference: Vectors,
    classes: Classes,
    limits: Sequence[Limit],
    promise: str,
    vectors: Vectors,
    itself: NDArray[np.int64],
    neighbors: int,
) -> Judgement:
    """Return what the vectors of n rows say of them.

    Parameters
    ----------
    reference, classes
        Unit vectors float32 [m, d] of labelled rows, and their classes, str [m].
    limits
        Of these classes, from `thresholds.limits_of`; none where no class has two rows, and then
        no row is NOVEL and none within a class.
    promise
        ``EACH_CLASS`` or ``OVERALL``.
    vectors
        Of the rows, unit float32 [n, d].
    itself
        Which row of the reference each is itself, −1 for none, int64 [n].
    neighbors
        How many of the nearest labelled rows are asked for their class.
    """
    if not len(reference):
        return _of_nothing(len(vectors))
    scores = class_scores(reference, classes, vectors, itself)
    named, agreeing = _asked(
        nearest_in(reference, vectors, neighbors + 1), itself, classes, neighbors
    )
    return Judgement(
        _novel(scores, limits, promise),
        scores.of(ANY),
        _p_value(reference, classes, scores, itself, promise)
        if limits and (promise == EACH_CLASS or any(one.label == ANY for one in limits))
        else np.full(len(vectors), np.nan),
        named,
        agreeing,
        _within(scores, limits, named),
    )


def _of_nothing(count: int) -> Judgement:
    never, none = np.zeros(count, bool), np.full(count, np.nan)
    return Judgement(never, none, none, np.full(count, UNKNOWN), np.zeros(count), never)


def _novel(scores: Scores, limits: Sequence[Limit], promise: str) -> NDArray[np.bool_]:
    if promise == EACH_CLASS:
        return is_novel(scores, limits)
    whole = [scores.of(ANY) < one.limit for one in limits if one.label == ANY]
    return whole[0] if whole else np.zeros(len(scores.values), bool)


def _p_value(
    reference: Vectors,
    classes: Classes,
    scores: Scores,
    itself: NDArray[np.int64],
    promise: str,
) -> NDArray[np.float64]:
    own = left_out_scores(reference, classes)
    if promise == EACH_CLASS:
        member_of = np.append(classes, UNKNOWN)[itself]
        return p_values(own, classes, scores, member_of).max(axis=1)
    members = may_be_new(classes)
    rising = np.sort(own.of(ANY)[members])
    is_new = ~np.append(members, False)[itself]
    below = np.searchsorted(rising, scores.of(ANY), side="right")
    return (below + is_new) / (len(rising) + is_new)


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
