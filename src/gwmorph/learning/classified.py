"""How well pictures were classified: accuracy, F1 by class and macro, gaps, with intervals.

Intervals are 95 % percentile intervals of a bootstrap over groups, what belongs to one glitch
being drawn together. The networks are those that were trained: an interval says how much a figure
depends on the glitches that were scored, not how much another training would change it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.simulation.streams import stream

Labels = NDArray[np.str_]
_REPEATS = 2000
_TEXTS = ("backbone", "method", "data", "group", "label", "predicted")


def scores(
    said: Mapping[str, Labels], labels: Labels, groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return accuracy, F1 of each class and macro-F1 of each method, and how much the last gains.

    F1 is 2 TP / (2 TP + FP + FN); macro-F1 is its mean over the classes that ``labels`` have.
    A class that a draw of the bootstrap lacks altogether is left out of that draw's mean.

    Parameters
    ----------
    said
        For each method the class that it gave each picture, [n].
    labels, groups
        True class of each picture, and whose it is, [n].
    seed
        Of the bootstrap; the same draws serve all methods, so that differences are paired.

    Returns
    -------
    Rows ``method``, ``figure`` (accuracy, macro_f1, f1), ``morphology`` (of f1, else None),
    ``value``, ``low``, ``high``, ``pictures``.
    """
    weights = _draws(groups, seed)
    return [
        {"method": method, **row}
        for method, given in said.items()
        for row in _rows(_counts(given, labels, groups), labels, weights)
    ]


def gains(
    best: str, said: Mapping[str, Labels], labels: Labels, groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return by how much macro-F1 of the method ``best`` exceeds that of every other one.

    Rows as `scores` returns them, with the figure ``macro_f1_gap``, of the other method. Paired:
    positive throughout the interval means that ``best`` is better on these classes.
    """
    weights = _draws(groups, seed)
    macro = {
        method: _macro(_drawn(_counts(given, labels, groups), weights))
        for method, given in said.items()
    }
    return [
        {
            "method": method,
            **_row("macro_f1_gap", macro[best] - values, len(labels)),
        }
        for method, values in macro.items()
        if method != best
    ]


def prediction_scores(predictions: pa.Table, best: str, seed: int) -> list[dict[str, Any]]:
    """Return rows of ``FINETUNE_SCORES`` for rows of ``FINETUNE_PREDICTIONS``.

    For each encoder and each set what `scores` says of its methods, and what `gains` says of the
    method ``best``. All methods were asked about the same pictures in the same order.
    """
    columns = {name: np.array(predictions[name].to_pylist(), str) for name in _TEXTS}
    rows: list[dict[str, Any]] = []
    keys = zip(columns["backbone"].tolist(), columns["data"].tolist(), strict=True)
    for backbone, data in dict.fromkeys(keys):
        own = (columns["backbone"] == backbone) & (columns["data"] == data)
        methods = dict.fromkeys(columns["method"][own].tolist())
        said = {name: columns["predicted"][own & (columns["method"] == name)] for name in methods}
        chosen = own & (columns["method"] == best)
        about = (columns["label"][chosen], columns["group"][chosen], seed)
        found = [*scores(said, *about), *gains(best, said, *about)]
        rows += [{"backbone": backbone, "data": data, **row} for row in found]
    return rows


def confusion(said: Labels, labels: Labels) -> tuple[NDArray[np.int64], list[str]]:
    """Return how often each true class (row) was given each class (column), and their names."""
    names = sorted({*labels.tolist(), *said.tolist()})
    number = {name: place for place, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), np.int64)
    for true, given in zip(labels.tolist(), said.tolist(), strict=True):
        table[number[true], number[given]] += 1
    return table, names


def _draws(groups: Labels, seed: int) -> NDArray[np.float64]:
    """Return how often each group is drawn, [1 + repeats, groups]: first once each."""
    count = len(np.unique(groups))
    drawn = stream(seed, "bootstrap", count).integers(count, size=(_REPEATS, count))
    weights = np.stack([np.bincount(row, minlength=count) for row in drawn])
    return np.concatenate([np.ones((1, count)), weights])


def _counts(said: Labels, labels: Labels, groups: Labels) -> NDArray[np.float64]:
    """Return of each group and true class (TP, FP, FN, pictures): [groups, classes, 4]."""
    names, members = np.unique(groups, return_inverse=True)
    classes = np.unique(labels)
    table = np.zeros((len(names), len(classes), 4))
    for place, name in enumerate(classes):
        given, true = said == name, labels == name
        for column, chosen in enumerate((given & true, given & ~true, ~given & true, true)):
            table[:, place, column] = np.bincount(members, chosen, minlength=len(names))
    return table


def _drawn(counts: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.einsum("rg,gck->rck", weights, counts, optimize=True)


def _f1(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F1 of each draw and class; NaN where the draw holds none of the class."""
    right, wrong, missed = drawn[..., 0], drawn[..., 1], drawn[..., 2]
    with np.errstate(invalid="ignore"):
        return 2 * right / np.where(drawn[..., 3] > 0, 2 * right + wrong + missed, np.nan)


def _macro(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nanmean(_f1(drawn), axis=1)


def _rows(
    counts: NDArray[np.float64], labels: Labels, weights: NDArray[np.float64]
) -> list[dict[str, Any]]:
    drawn = _drawn(counts, weights)
    rows = [
        _row("accuracy", drawn[..., 0].sum(1) / drawn[..., 3].sum(1), len(labels)),
        _row("macro_f1", _macro(drawn), len(labels)),
    ]
    for values, name in zip(_f1(drawn).T, np.unique(labels).tolist(), strict=True):
        rows.append({**_row("f1", values, int((labels == name).sum())), "morphology": name})
    return rows


def _row(figure: str, values: NDArray[np.float64], pictures: int) -> dict[str, Any]:
    """Return a row; the first of the values is of all groups, the others are of draws."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return {
        "figure": figure,
        "morphology": None,
        "value": float(values[0]),
        "low": float(low),
        "high": float(high),
        "pictures": pictures,
    }
