"""Limits on how unlike every known class a row may be before it is called new.

A row's score for a class is its best cosine to the class's members. A class's limit at a rate is
the k-th smallest score of its own members, each without itself, k = ⌊rate·(n + 1)⌋ of n members,
and a row is NOVEL where its score is below the limit of *every* class. Then no more than k/(n + 1)
of new rows of a class are NOVEL, whatever their distribution, as long as they are exchangeable
with its members.

That is exact, although a new row meets one member more than the members' own scores were taken
with. In full conformal prediction (Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random
World, section 2.2) the new row x joins the class, each of the n + 1 rows is scored by all others,
and the p-value of x is the share of scores that are no larger than its own, s(x). Member i's score
among them is the larger of its score without x, s(i), and cos(i, x). The second is never larger
than s(x), which is the largest of all cos(j, x); so the score is no larger than s(x) exactly where
s(i) is. Hence p = (1 + #{i: s(i) ≤ s(x)})/(n + 1), and p ≤ rate exactly where s(x) lies below the
k-th smallest s(i). No member has to be kept back from the reference. The same does not hold of the
mean similarity to several neighbours.

Windows that hold nothing (``QUIET``) are rows that others may be like, but none that
may be called new: the limit of all classes as one is not set with them. They stand fast while the
others are exchanged, so that nothing changes in the above: s is the best cosine to the other
members or to one of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwmorph.errors import CalibrationError
from gwmorph.morphology.manifest import EACH_CLASS, OVERALL
from gwmorph.simulation.streams import stream
from gwmorph.wording import counted

# A window into which nothing was injected. Without such rows to be like, the many of them would
# have the names of the few that hold something too faint to be seen.
QUIET = "quiet"
# A limit of all classes together that a row may be new of, as if they were one.
ANY = ""
# Cosines are compared with cosines of another batch, whose last bits may differ.
_DECIMALS = 6
# Cosines in memory at once.
_CELLS = 1 << 23
# Pairs of members that the percentile of the earlier method is taken of.
_PAIRS = 200

Vectors = NDArray[np.floating]
Classes = NDArray[np.str_]
Similarity = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Limit:
    """Below what score a row is not of a class.

    Attributes
    ----------
    label : class, ``ANY`` for all rows of the reference as one class.
    members : rows of the class, n.
    rate : of new rows of the class that may fall below the limit, as asked for.
    granted : the same as the class's size allows: k/(n + 1); 1/(n + 1) where n is too small.
    limit : best cosine to a member.
    percentile : of the cosines of pairs of members, at the same rate: the limit of a method that
        promises nothing, for comparison.
    """

    label: str
    members: int
    rate: float
    granted: float
    limit: float
    percentile: float


@dataclass(frozen=True)
class Scores:
    """Best cosine of n rows to each of C classes: float64 [n, C], −inf where there is no member.

    ``labels`` names the classes in order, str [C].
    """

    labels: Classes
    values: NDArray[np.float64]

    def of(self, label: str) -> NDArray[np.float64]:
        """Return the scores for one class, or for ``ANY`` the best of all, float64 [n]."""
        if label == ANY:
            return self.values.max(axis=1)
        return self.values[:, self.labels.tolist().index(label)]


def cosines(rows: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosines of unit vectors [n, d] and [m, d]: float64 [n, m]."""
    return rows @ others.T


def class_scores(
    reference: Vectors,
    classes: Classes,
    vectors: Vectors,
    itself: NDArray[np.int64] | None = None,
    similarity: Similarity = cosines,
) -> Scores:
    """Return the best cosine of rows to the members of each class.

    Parameters
    ----------
    reference, classes
        Unit vectors float32 [m, d] and their classes, str [m].
    vectors
        Of the rows, unit float32 [n, d].
    itself
        Which row of the reference each row is, −1 for none, int64 [n]: it is no neighbour of
        itself. None where no row is among them.
    similarity
        What is taken for the cosine: any symmetric function will do.

    Returns
    -------
    `Scores`, rounded to 6 decimals: equal on every processor.
    """
    labels, first = np.unique(np.sort(classes, kind="stable"), return_index=True)
    order = np.argsort(classes, kind="stable")
    place = np.append(np.argsort(order), -1)
    own = np.full(len(vectors), -1) if itself is None else itself
    members = reference[order].astype(np.float64)
    parts = [
        _best_of_each(members, first, vectors[rows], place[own[rows]], similarity)
        for rows in _batches(len(vectors), len(members))
    ]
    values = np.concatenate([*parts, np.zeros((0, len(labels)))])
    return Scores(labels, values.round(_DECIMALS) + 0.0)


def _batches(count: int, width: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(1, width))
    return (slice(start, start + step) for start in range(0, count, step))


def _best_of_each(
    members: NDArray[np.float64],
    first: NDArray[np.intp],
    vectors: Vectors,
    itself: NDArray[np.int64],
    similarity: Similarity,
) -> NDArray[np.float64]:
    alike = similarity(vectors.astype(np.float64), members)
    known = np.flatnonzero(itself >= 0)
    alike[known, itself[known]] = -np.inf
    return np.maximum.reduceat(alike, first, axis=1)


def left_out_scores(
    reference: Vectors, classes: Classes, similarity: Similarity = cosines
) -> Scores:
    """Return the scores of the reference's own rows, each without itself; shapes as above."""
    itself = np.arange(len(reference))
    return class_scores(reference, classes, reference, itself, similarity)


def rank_at(members: int, rate: float) -> int:
    """Return k = ⌊rate·(n + 1)⌋, or 1 where the n members are too few for the rate."""
    # A product like 0.07 * 100 may come out just below a whole number.
    return max(1, int(rate * (members + 1) + 1e-9))


def limits_of(
    reference: Vectors,
    classes: Classes,
    rate: float,
    seed: int,
    scores: Scores | None = None,
) -> list[Limit]:
    """Return the limit of each class with at least two members, by name, and that of ``ANY``.

    That of ``ANY`` is set by the rows that may be NOVEL: all but ``QUIET`` ones, if two
    of these are of one class.

    Parameters
    ----------
    reference, classes
        Unit vectors float32 [n, d] and their classes, str [n].
    rate
        Of new rows of a class that may be called NOVEL. A class with fewer than 1/rate − 1 members
        gets the smallest that it can grant, which is larger.
    seed
        Of the pairs whose percentile stands beside.
    scores
        What `left_out_scores` returns, where it is known already.

    Returns
    -------
    None at all where no class has two members; `require_rate` says whether a rate is granted.
    """
    names, counts = np.unique(classes, return_counts=True)
    if not (counts >= 2).any():
        return []
    scores = left_out_scores(reference, classes) if scores is None else scores
    rows = {name: np.flatnonzero(classes == name) for name in names[counts >= 2].tolist()}
    if (counts[may_be_new(names)] >= 2).any():
        rows[ANY] = np.flatnonzero(may_be_new(classes))
    return [
        _limit(label, scores.of(label)[own], reference[own], rate, seed)
        for label, own in rows.items()
    ]


def may_be_new(classes: Classes) -> NDArray[np.bool_]:
    """Return which rows of a reference, str [n], may be called NOVEL: all but ``QUIET`` ones."""
    return classes != QUIET


def require_rate(classes: Classes, rate: float, promise: str) -> None:
    """Check that a reference, of rows of these classes [n], grants a rate.

    Parameters
    ----------
    promise
        ``EACH_CLASS``: the largest class is to grant it; ``OVERALL``: all rows as one.

    Raises
    ------
    CalibrationError
        No class has two members, or there are not enough of them for the rate; the error says
        which rates they grant. Rows that are never NOVEL are no members.
    """
    members = Counter(classes[may_be_new(classes)].tolist())
    largest = max(members, key=lambda name: members[name], default=None)
    if largest is None or members[largest] < 2:
        raise CalibrationError(
            f"calibration: expected a class of at least 2 labelled rows, got "
            f"{counted(members.total(), 'row')}, each of another class: nothing says how "
            "alike rows of a class are. Name more labels, or a longer run's reference "
            "(validation.similarity)."
        )
    count = members[largest] if promise == EACH_CLASS else members.total()
    if rate * (count + 1) + 1e-9 < 1:
        needed = int(np.ceil(1 / rate - 1 - 1e-9))
        whose = "a class called NOVEL takes {} labelled rows of it, got at most {} ({})"
        if promise == OVERALL:
            whose = "known classes called NOVEL takes {} labelled rows, got {}"
        raise CalibrationError(
            f"calibration.rate: {rate:g} of new rows of {whose.format(needed, count, largest)}. "
            f"They support rates from {_rounded_up(1 / (count + 1))} on: ask for such a one, or "
            "name a reference with more rows."
        )


def _rounded_up(rate: float) -> str:
    """Write a rate with two digits, no smaller than it is: what is written can be asked for."""
    digits = 1 - int(np.floor(np.log10(rate)))
    return f"{np.ceil(rate * 10**digits - 1e-9) / 10**digits:g}"


def _limit(
    label: str, scores: NDArray[np.float64], vectors: Vectors, rate: float, seed: int
) -> Limit:
    rank = rank_at(len(scores), rate)
    return Limit(
        label,
        len(scores),
        rate,
        rank / (len(scores) + 1),
        float(np.partition(scores, rank - 1)[rank - 1]),
        percentile_of_pairs(vectors, rate, seed, label),
    )


def percentile_of_pairs(vectors: Vectors, rate: float, seed: int, label: str) -> float:
    """Return the quantile at ``rate`` of the cosines of 200 random pairs of unit rows [n, d].

    The limit of an earlier method, which takes pairs for nearest neighbours: members are much
    nearer to their best neighbour than to a random one, so that it lets nearly everything pass.
    """
    rng = stream(seed, "pairs of a class", label)
    one = rng.integers(len(vectors), size=_PAIRS)
    other = (one + rng.integers(1, len(vectors), size=_PAIRS)) % len(vectors)
    alike = np.einsum("ij,ij->i", vectors[one].astype(float), vectors[other].astype(float))
    return float(np.quantile(alike, rate).round(_DECIMALS))


def is_novel(scores: Scores, limits: Sequence[Limit]) -> NDArray[np.bool_]:
    """Return which rows are below every class's limit, bool [n]; that of ``ANY`` is not read.

    Without any limit nothing is known of any row, and none is.
    """
    below = [scores.of(one.label) < one.limit for one in limits if one.label != ANY]
    return np.all(below, axis=0) if below else np.zeros(len(scores.values), bool)


def p_values(
    own: Scores, classes: Classes, scores: Scores, member_of: Classes | None = None
) -> NDArray[np.float64]:
    """Return the p-value of each of n rows in each of C classes: float64 [n, C].

    (1 + #{members with a score no larger})/(members + 1). A row is NOVEL at every rate that none
    of these exceeds, where all classes support the rate. 0 in a class of one member, which says
    nothing.

    Parameters
    ----------
    own, classes
        Scores of the m members without themselves (`left_out_scores`), and their classes [m].
    scores
        Of the n rows, for the same classes.
    member_of
        Class of which each row is a member itself, str [n]: it is not counted twice there. None
        where no row is.
    """
    found = np.zeros(scores.values.shape)
    for place, label in enumerate(scores.labels.tolist()):
        members = np.sort(own.values[classes == label, place])
        if len(members) < 2:
            continue
        is_new = np.ones(len(found)) if member_of is None else member_of != label
        below = np.searchsorted(members, scores.values[:, place], side="right")
        found[:, place] = (below + is_new) / (len(members) + is_new)
    return found
