"""Gradient boosting on the trigger columns alone: no picture is looked at.

What networks see beyond these columns is what they are more accurate by.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from gwmorph.errors import ConfigError
from gwmorph.learning.labelled_pictures import TRAIN, VALIDATION, LabelledPictures

Labels = NDArray[np.str_]
_TREES = 100
_RATE = 0.1
# Trees split no leaf that holds fewer rows.
_LEAF = 5
_LEAF_OF_BALANCED = 20


def boosted_trees(
    columns: NDArray[np.floating],
    labels: Labels,
    leaf: int,
    seed: int,
    weights: Literal["balanced"] | None = None,
) -> HistGradientBoostingClassifier:
    """Return gradient-boosted trees on the columns [n, k] of triggers, 100 a class.

    Parameters
    ----------
    labels
        Class of each row, str [n].
    leaf
        Rows that a leaf holds at least.
    seed
        Of the boosting.
    weights
        ``balanced``: classes count equally however many rows they have; None: rows do.
    """
    model = HistGradientBoostingClassifier(
        max_iter=_TREES,
        learning_rate=_RATE,
        min_samples_leaf=leaf,
        early_stopping=False,
        class_weight=weights,
        random_state=seed,
    )
    # Threads that wait for each other at every node of so few columns take longer than one.
    with threadpool_limits(1, "openmp"):
        return model.fit(columns, labels)


def balanced_trees(
    columns: NDArray[np.floating], labels: Labels, seed: int
) -> HistGradientBoostingClassifier:
    """Return boosted trees in which classes count equally, with leaves that small ones can fill.

    A leaf holds 20 rows at least, of small classes half of one. Parameters as `boosted_trees`.
    """
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    leaf = max(1, min(_LEAF_OF_BALANCED, smallest // 2))
    return boosted_trees(columns, labels, leaf, seed, "balanced")


@dataclass(frozen=True)
class Boosted:
    """Classes by the trigger columns alone.

    ``classes`` are those of the training part; ``probabilities`` float64 [n, classes] of all
    pictures; ``trees`` a class, as the validation part chose; the share of it that is wrong.
    """

    classes: list[str]
    probabilities: NDArray[np.float64]
    trees: int
    validation_error: float


def boosted_triggers(pictures: LabelledPictures, sides: Labels, seed: int) -> Boosted:
    """Learn classes from the trigger columns by gradient boosting, and name all glitches.

    The number of trees is the one with the fewest errors on the validation part, the smallest of
    equals.

    Parameters
    ----------
    sides
        On which side of a split each picture is, str [n].
    seed
        Of the boosting.

    Raises
    ------
    ConfigError
        The source has no trigger columns.
    """
    train, held = sides == TRAIN, sides == VALIDATION
    features = _differing(pictures.triggers, train)
    model = boosted_trees(features[train], pictures.labels[train], _LEAF, seed)
    with threadpool_limits(1, "openmp"):
        errors = [
            float(np.mean(named != pictures.labels[held]))
            for named in model.staged_predict(features[held])
        ]
        best = int(np.argmin(errors))
        stages = model.staged_predict_proba(features)
        found = next(chances for number, chances in enumerate(stages) if number == best)
    return Boosted([str(name) for name in model.classes_], found, best + 1, errors[best])


def _differing(
    triggers: NDArray[np.float64] | None, train: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the trigger columns in which training glitches differ: others cannot be learned."""
    if triggers is not None:
        of_training = triggers[train]
        kept = [len(np.unique(column[np.isfinite(column)])) > 1 for column in of_training.T]
        if any(kept):
            return triggers[:, kept]
    raise ConfigError(
        "learning.source: its glitches have no trigger columns that differ; name a table of "
        "metadata that has them (learning.metadata)."
    )
