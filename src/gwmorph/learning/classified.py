"""How well the ways of specialising an encoder name classes, and how much better one of them is.

Figures and their intervals are those of `gwmorph.learning.scoring`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.learning.scoring import Estimate, Labels, class_figures

_TEXTS = ("backbone", "method", "data", "group", "label", "predicted")


def scores(
    said: Mapping[str, Labels], labels: Labels, groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return accuracy, F1 of each class and macro-F1 of each method, and how much the last gains.

    Macro-F1 is the mean over the classes that ``labels`` have, F1 as `scoring.class_figures` has
    it.

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
    rows: list[dict[str, Any]] = []
    for method, given in said.items():
        found = class_figures(labels, given, groups, seed)
        own = [
            _row("accuracy", found.accuracy, len(labels)),
            _row("macro_f1", found.macro_f1, len(labels)),
        ]
        for name, values in zip(found.classes, found.f1.T, strict=True):
            own.append({**_row("f1", values, int((labels == name).sum())), "morphology": name})
        rows += [{"method": method, **row} for row in own]
    return rows


def gains(
    best: str, said: Mapping[str, Labels], labels: Labels, groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return by how much macro-F1 of the method ``best`` exceeds that of every other one.

    Rows as `scores` returns them, with the figure ``macro_f1_gap``, of the other method. Paired:
    positive throughout the interval means that ``best`` is better on these classes.
    """
    macro = {
        method: class_figures(labels, given, groups, seed).macro_f1
        for method, given in said.items()
    }
    return [
        {"method": method, **_row("macro_f1_gap", macro[best] - values, len(labels))}
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


def _row(figure: str, values: NDArray[np.float64], pictures: int) -> dict[str, Any]:
    columns = Estimate.of(values).columns()
    return {"figure": figure, "morphology": None, **columns, "pictures": pictures}
