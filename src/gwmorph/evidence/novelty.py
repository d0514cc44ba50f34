"""How far the limits on what is new can be trusted, and what they would notice.

The limits promise a rate of known rows that are called NOVEL (`morphology.thresholds`), as long as
new rows are exchangeable with the reference. Here it is looked at: halves of each class, drawn
many times, set limits and are judged by them, which must keep the promise. The later part of a run
judged by its earlier one, and each stretch of time judged without itself, say what becomes of it
in data that drift and in which glitches come in bursts.

What would be noticed is measured by leaving one class out of the reference, in turn.

Windows that hold nothing are in the reference, since others may be like them, but are never called
NOVEL: none of the shares counts them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import betabinom, binom
from sklearn.metrics import roc_curve

from gwmorph.evidence.intervals import Bootstrap, interval_rows
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.reference import split_by_time
from gwmorph.morphology.thresholds import (
    ANY,
    Classes,
    Limit,
    Scores,
    Similarity,
    Vectors,
    class_scores,
    cosines,
    is_novel,
    left_out_scores,
    limits_of,
    may_be_new,
    p_values,
)
from gwmorph.simulation.streams import stream

# How rows are judged, as tables and pages call it.
EVERY, TOGETHER, PAIRS = "every class", "all classes as one", "percentile of pairs"
RESPLITS, LATER, BURSTS = "halves of each class", "later half", "other stretches of time"
VECTORS, COLUMNS = "vectors", "trigger columns"
# Fewer rows of a class have no ROC to speak of.
FEWEST_OF_A_CLASS = 3
_TAILS = (0.025, 0.975)
_CURVE = np.linspace(0.0, 1.0, 101)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Power:
    """How well a class is noticed when it is left out.

    ``p_new`` float64 [a], the p-value of each of its rows by ``method``; ``p_known`` float64 [b],
    of all other rows, each without itself; ``new`` and ``known`` int64, which rows they are.
    """

    label: str
    method: str

    p_new: NDArray[np.float64]
    p_known: NDArray[np.float64]
    new: NDArray[np.int64]
    known: NDArray[np.int64]

    @property
    def auc(self) -> float:
        """Probability that a new row has a smaller p-value than a known one; ties count half."""
        return _auc(self.p_new, self.p_known)


def negative_distances(
    rows: NDArray[np.float64], others: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return minus the Euclidean distances of rows [n, d] and [m, d]: float64 [n, m]."""
    return -cdist(rows, others)


def standardised(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns [n, d] less their means, over their spreads."""
    return (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-12)


# -- the promise ----------------------------------------------------------------------------


def judged_by(scores: Scores, limits: Sequence[Limit]) -> dict[str, NDArray[np.bool_]]:
    """Return which rows each of the methods calls NOVEL, bool [n] by its name.

    ``limits`` have that of `ANY`, as they do where two rows of a class may be NOVEL.
    """
    own = [one for one in limits if one.label != ANY]
    whole = next(one for one in limits if one.label == ANY)
    below = [scores.of(one.label) < one.percentile for one in own]
    return {
        EVERY: is_novel(scores, own),
        TOGETHER: scores.of(ANY) < whole.limit,
        PAIRS: np.all(below, axis=0),
    }


def resplit_rows(
    vectors: Vectors, classes: Classes, rates: Sequence[float], resplits: int, seed: int
) -> Rows:
    """Return rows of ``ACHIEVED_RATES``: how many rows of known class are NOVEL by the other half.

    Each of ``resplits`` times every class is cut into two random halves, one sets the limits and
    the other is judged. The interval is that of one such calibration: a beta-binomial law with the
    mean and variance of the counts, which holds the limits' own error. Classes of fewer than four
    rows, of which no half has two, are left out.
    ``granted`` is what the halves' sizes allow, more than the rate where they are too small.

    Parameters
    ----------
    vectors, classes
        Unit vectors float32 [n, d] of the reference and their classes, str [n].
    rates
        Of known rows that may be called NOVEL.
    """
    names, sizes = np.unique(classes, return_counts=True)
    large = names[sizes >= 4]
    rows, judgeable = np.flatnonzero(np.isin(classes, large)), large[may_be_new(large)]
    if not len(judgeable):
        return []
    drawn = stream(seed, "halves of classes")
    # By rate, method and class (None: all), how many are NOVEL in each resplit, and of how many.
    counts: dict[tuple[float, str, str | None], list[tuple[int, int]]] = {}
    granted: dict[tuple[float, str | None], list[float]] = {}
    for _ in range(resplits):
        setting, judged = halves(rows, classes, drawn)
        own = left_out_scores(vectors[setting], classes[setting])
        scores = class_scores(vectors[setting], classes[setting], vectors[judged])
        for rate in rates:
            limits = limits_of(vectors[setting], classes[setting], rate, seed, own)
            of_class = {one.label: one.granted for one in limits}
            for label in (None, *judgeable.tolist()):
                chosen = _of_class(classes[judged], label)
                expected = of_class[ANY if label is None else label]
                granted.setdefault((rate, label), []).append(expected)
                for method, novel in judged_by(scores, limits).items():
                    pair = (int(novel[chosen].sum()), int(chosen.sum()))
                    counts.setdefault((rate, method, label), []).append(pair)
    return [
        {
            "split": RESPLITS,
            "method": method,
            "rate": rate,
            "label": label,
            "granted": float(np.mean(granted[rate, label])),
            **share_of_counts(np.array(pairs)),
        }
        for (rate, method, label), pairs in counts.items()
    ]


def _of_class(classes: Classes, label: str | None) -> NDArray[np.bool_]:
    """Return which rows are of a class; of None, which may be NOVEL at all: bool [n]."""
    return may_be_new(classes) if label is None else classes == label


def halves(
    rows: NDArray[np.int64], classes: Classes, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut ``rows`` into two random halves of each class; the first has the odd one."""
    order = rows[rng.permutation(len(rows))]
    order = order[np.argsort(classes[order], kind="stable")]
    _, first, sizes = np.unique(classes[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(first, sizes)
    is_first = place < np.repeat((sizes + 1) // 2, sizes)
    return order[is_first], order[~is_first]


def share_of_counts(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Return value, low, high and rows of counts [R, 2]: so many of so many, R times.

    Value is the mean share; low and high bound the share of one time in 95 of 100 cases, by the
    beta-binomial law of the counts' mean and variance (binomial where they vary less than that;
    where all are 0, Wilson's).
    """
    total = int(counts[:, 1].mean().round())
    shares = counts[:, 0] / np.maximum(counts[:, 1], 1)
    value = float(shares.mean())
    # Of none at all, still less than one half of all rows of all times may be.
    mean = min(max(value, 0.5 / (len(counts) * max(total, 1))), 1 - 1e-9)
    spread = float(shares.var(ddof=1)) * total / (mean * (1 - mean)) if len(counts) > 1 else 0.0
    correlation = (spread - 1) / max(total - 1, 1)
    if correlation > 0:
        scale = 1 / min(correlation, 0.999) - 1
        law = betabinom(total, mean * scale, (1 - mean) * scale)
    else:
        law = binom(total, mean)
    low, high = (float(end) / max(total, 1) for end in law.ppf(_TAILS))
    if not counts[:, 0].any() and total:
        high = wilson(0, total)[1]
    return {"value": value, "low": min(low, value), "high": max(high, value), "rows": total}


def split_rows(
    split: str,
    novel: Mapping[str, NDArray[np.bool_]],
    classes: Classes,
    granted: Mapping[str, float],
    rate: float,
    blocks: NDArray[np.integer],
    bootstrap: Bootstrap,
) -> Rows:
    """Return rows of ``ACHIEVED_RATES`` of one split of real time, all rows and each class.

    Intervals are block bootstraps.

    Parameters
    ----------
    split
        What it is called.
    novel
        Which rows each method calls NOVEL, bool [n].
    classes, blocks
        Class and block of time of each row, [n].
    granted
        Rate that each class grants, and ``ANY``.
    """
    rows: Rows = []
    for method, called in novel.items():
        for label in (None, *sorted(set(classes[may_be_new(classes)].tolist()) & granted.keys())):
            own = _of_class(classes, label)
            if not own.any():
                continue
            row = _share_of_blocks(called[own], blocks[own], bootstrap)
            about = {"split": split, "method": method, "rate": rate, "label": label}
            rows.append(about | {"granted": granted[label or ANY], **row})
    return rows


def real_time_rows(
    vectors: Vectors,
    classes: Classes,
    blocks: NDArray[np.integer],
    times: NDArray[np.float64],
    gap_s: float,
    rates: Sequence[float],
    bootstrap: Bootstrap,
) -> Rows:
    """Return rows of ``ACHIEVED_RATES`` for what real data do, at each rate.

    The later half in time, ``gap_s`` after the earlier one, is judged by it; and each stretch of
    time is judged by all others, with the limits of the whole reference. What a class does of
    which the earlier half has fewer than two rows is no fault of a limit: it is left out there.

    Parameters
    ----------
    vectors, classes, blocks, times
        Unit vectors float32 [n, d], class, block and GPS time (s) of each row, [n].
    """
    if not _has_limit(classes):
        return []
    parts = split_by_time(times, gap_s)
    setting, later = parts.earlier, parts.later
    names, counts = np.unique(classes[setting], return_counts=True)
    later = later[np.isin(classes[later], names[counts >= 2])]
    if not _has_limit(classes[setting]):
        later = later[:0]
    rows: Rows = []
    apart = without_bursts(vectors, classes, blocks)
    for rate in rates:
        if len(later):
            limits = limits_of(vectors[setting], classes[setting], rate, bootstrap.seed)
            scores = class_scores(vectors[setting], classes[setting], vectors[later])
            rows += _of_split(
                LATER, scores, limits, classes[later], blocks[later], rate, bootstrap
            )
        limits = limits_of(vectors, classes, rate, bootstrap.seed)
        if limits:
            rows += _of_split(BURSTS, apart, limits, classes, blocks, rate, bootstrap)
    return rows


def _has_limit(classes: Classes) -> bool:
    """Return whether two rows of one class are among those that may be NOVEL."""
    _, counts = np.unique(classes[may_be_new(classes)], return_counts=True)
    return bool((counts >= 2).any())


def _of_split(
    split: str,
    scores: Scores,
    limits: Sequence[Limit],
    classes: Classes,
    blocks: NDArray[np.integer],
    rate: float,
    bootstrap: Bootstrap,
) -> Rows:
    granted = {one.label: one.granted for one in limits}
    novel = judged_by(scores, limits)
    return split_rows(split, novel, classes, granted, rate, blocks, bootstrap)


def _share_of_blocks(
    called: NDArray[np.bool_], blocks: NDArray[np.integer], bootstrap: Bootstrap
) -> dict[str, Any]:
    """Return the share of rows that are called so, with its block-bootstrap interval in [0, 1].

    Of none and of all every draw gives the same: there Wilson's interval stands, as of rows that
    are independent, and is too narrow where they are not.
    """
    if called.all() or not called.any():
        low, high = wilson(int(called.sum()), len(called))
        return {"value": float(called[0]), "low": low, "high": high, "rows": len(called)}
    share = partial(_share, called)
    (row,) = interval_rows(share, blocks, bootstrap.repeats, bootstrap.seed)
    low, high = np.clip([row["low"], row["high"]], 0, 1).tolist()
    return {"value": row["value"], "low": low, "high": high, "rows": row["rows"]}


def _share(called: NDArray[np.bool_], rows: NDArray[np.int64]) -> dict[str, float]:
    return {"share": float(called[rows].mean())}


def without_bursts(vectors: Vectors, classes: Classes, blocks: NDArray[np.integer]) -> Scores:
    """Return the scores of a reference's rows, each without all rows of its stretch of time."""
    labels = np.unique(classes)
    values = np.full((len(classes), len(labels)), -np.inf)
    for block in np.unique(blocks):
        own = blocks == block
        if own.all():
            continue
        found = class_scores(vectors[~own], classes[~own], vectors[own])
        columns = np.searchsorted(labels, found.labels)
        values[np.ix_(own, columns)] = found.values
    return Scores(labels, values)


# -- what would be noticed ------------------------------------------------------------------


def powers(
    vectors: Vectors, classes: Classes, similarity: Similarity = cosines
) -> Iterator[Power]:
    """Yield how well each class of 3 rows and more is noticed when it is left out, by two methods.

    By `EVERY` class's limit, a row's p-value is the largest of all classes; by all classes
    `TOGETHER`, that of its best score of all. The reference has no row of the class; the rows of
    all other classes are judged without themselves. Classes of one row have no limit and count as
    rows of no class. Rows that are never NOVEL, of windows that hold nothing, are neither new nor
    known, but others may be like them.
    """
    own = left_out_scores(vectors, classes, similarity)
    in_class = p_values(own, classes, own, classes)
    names, sizes = np.unique(classes, return_counts=True)
    limited = sizes >= 2
    for place, label in enumerate(own.labels.tolist()):
        others = limited & (np.arange(len(names)) != place)
        judged = others & may_be_new(names)
        small = sizes[place] < FEWEST_OF_A_CLASS
        if small or not judged.any() or not may_be_new(names)[place]:
            continue
        new, known = (
            np.flatnonzero(rows) for rows in (classes == label, np.isin(classes, names[judged]))
        )
        best = in_class[:, others].max(axis=1)
        yield Power(label, EVERY, best[new], best[known], new, known)
        nearest = own.values[:, others].max(axis=1)
        ranks = np.searchsorted(np.sort(nearest[known]), nearest, side="right")
        count = len(known)
        p_new, p_known = (ranks[new] + 1) / (count + 1), ranks[known] / count
        yield Power(label, TOGETHER, p_new, p_known, new, known)


def novelty_rows(
    features: str,
    found: Iterable[Power],
    blocks: NDArray[np.integer],
    rates: Sequence[float],
    bootstrap: Bootstrap,
) -> Rows:
    """Return rows of ``NOVELTY``: for each class, left out, AUC and share called NOVEL.

    Parameters
    ----------
    features
        What is compared, as the table calls it.
    found
        What `powers` yields of them.
    blocks
        Block of time of each row [n].
    rates
        At which the share is taken.

    Returns
    -------
    Figures ``auc``, and ``noticed`` at each rate, with block-bootstrap intervals.
    """
    rows: Rows = []
    for power in found:
        order = np.concatenate([power.new, power.known])
        is_new = np.arange(len(order)) < len(power.new)
        figures = partial(_auc_of_rows, np.concatenate([power.p_new, power.p_known]), is_new)
        (auc,) = interval_rows(figures, blocks[order], bootstrap.repeats, bootstrap.seed)
        about = {"features": features, "method": power.method, "label": power.label}
        rows.append(about | {**auc, "figure": "auc", "rate": None, "rows": len(power.new)})
        for rate in rates:
            called = power.p_new <= rate + 1e-12
            share = _share_of_blocks(called, blocks[power.new], bootstrap)
            rows.append(about | {**share, "figure": "noticed", "rate": rate})
    return rows


def curve_rows(features: str, found: Iterable[Power]) -> Rows:
    """Return rows of ``NOVELTY_ROC``: share of new rows noticed against known ones called NOVEL.

    101 shares of known rows each, read off between the points of the curve. ``features`` and
    ``found`` are as `novelty_rows` takes them.
    """
    rows: Rows = []
    for power in found:
        is_new = np.arange(len(power.new) + len(power.known)) < len(power.new)
        false, true, _ = roc_curve(is_new, -np.concatenate([power.p_new, power.p_known]))
        for share, noticed in zip(_CURVE, np.interp(_CURVE, false, true), strict=True):
            rows.append(
                {
                    "features": features,
                    "method": power.method,
                    "label": power.label,
                    "false_novel": float(share),
                    "noticed": float(noticed),
                }
            )
    return rows


def _auc_of_rows(
    p: NDArray[np.float64], is_new: NDArray[np.bool_], rows: NDArray[np.int64]
) -> dict[str, float]:
    new, known = p[rows[is_new[rows]]], p[rows[~is_new[rows]]]
    return {"auc": _auc(new, known) if len(new) and len(known) else float("nan")}


def _auc(new: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    """Return the probability that a value of ``new`` is smaller than one of ``known``."""
    rising = np.sort(known)
    ends = (np.searchsorted(rising, new, side=side) for side in ("left", "right"))
    not_larger = np.mean(list(ends), axis=0)  # of equal values one half
    return float(1 - not_larger.mean() / len(known))
