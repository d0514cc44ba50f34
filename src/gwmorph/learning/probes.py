"""What labels can do without changing an encoder: linear probes and few-shot probes.

A probe sees unit vectors times the root of their length, so that a number of a vector is of the
order of one whatever the encoder. Nothing is scaled number by number: what an encoder takes for
unimportant stays small.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from gwmorph.encoders.base import unit_rows
from gwmorph.errors import TrainingError
from gwmorph.learning.boosting import balanced_trees

Vectors = NDArray[np.floating]
Labels = NDArray[np.str_]
# Inverse strengths of the penalty that a probe is chosen from, strongest first.
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_ITERATIONS = 2000


def probed(vectors: Vectors) -> NDArray[np.float64]:
    """Return vectors [n, d] as a probe sees them: of length √d, float64."""
    return unit_rows(vectors).astype(np.float64) * np.sqrt(vectors.shape[1])


def linear_probe(
    vectors: Vectors,
    labels: Labels,
    groups: Labels,
    folds: int,
    seed: int,
    penalties: Sequence[float] = PENALTIES,
) -> LogisticRegression:
    """Return a multinomial logistic regression whose penalty cross-validation has chosen.

    Of equals the strongest penalty is taken. Vectors of one group are never on both sides of a
    fold.

    Parameters
    ----------
    vectors
        Of the training part, [n, d].
    labels, groups
        Class of each, and whose picture it is, [n].
    folds, seed
        Of the cross-validation, stratified by class.
    penalties
        Inverse strengths (scikit-learn's ``C``) that are tried, strongest first.

    Raises
    ------
    TrainingError
        There are fewer than two classes, or fewer than two groups.
    """
    _require_kinds(labels, groups)
    seen = probed(vectors)
    right = np.zeros(len(penalties))
    cuts = StratifiedGroupKFold(_folds(labels, groups, folds), shuffle=True, random_state=seed)
    # The matrices are small: more threads wait for each other, and change last bits.
    with threadpool_limits(1):
        for train, held in cuts.split(seen, labels, groups):
            if len(np.unique(labels[train])) < 2:
                continue
            for number, penalty in enumerate(penalties):
                model = _regression(penalty).fit(seen[train], labels[train])
                right[number] += (model.predict(seen[held]) == labels[held]).sum()
        return _regression(penalties[int(right.argmax())]).fit(seen, labels)


def _require_kinds(labels: Labels, groups: Labels) -> None:
    for what, values in (("classes", labels), ("glitches", groups)):
        if len(np.unique(values)) < 2:
            raise TrainingError(
                f"a probe was given {len(labels)} vectors of {len(np.unique(values))} {what}, "
                "expected at least two: label more pictures, or leave more in the training part."
            )


def _folds(labels: Labels, groups: Labels, folds: int) -> int:
    """Return how many folds there can be: no more than the smallest class has groups, if two."""
    smallest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    return max(2, min(folds, smallest))


def _regression(penalty: float, weight: str | None = None) -> LogisticRegression:
    return LogisticRegression(C=penalty, class_weight=weight, max_iter=_ITERATIONS)


def glitch_vectors(vectors: Vectors, glitches: Labels) -> tuple[NDArray[np.float32], Labels]:
    """Return one unit vector for each glitch, the mean direction of its pictures', and its name.

    Glitches are in the order of their names; ``vectors`` [n, d] are of unit norm.
    """
    names, number = np.unique(glitches, return_inverse=True)
    sums = np.zeros((len(names), vectors.shape[1]))
    np.add.at(sums, number, unit_rows(vectors))
    return unit_rows(sums), names


def few_shot_probe(
    vectors: Vectors, labels: Labels, penalty: float
) -> tuple[Labels, NDArray[np.bool_]]:
    """Return what a probe trained on all other glitches says of each, and who is scored.

    Each of the vectors [n, d], one a glitch, is left out in turn. One that is alone in its class
    cannot be told and is not scored; it is a wrong answer for the others all the same.
    The penalty is given, not chosen: there is nothing to choose it on. Classes count equally:
    whoever is left out makes its own class smaller, and a probe that learned nothing would else
    always say another.

    Raises
    ------
    TrainingError
        Without one of them fewer than two classes are left.
    """
    seen = probed(vectors)
    with threadpool_limits(1):
        said = [
            _regression(penalty, "balanced")
            .fit(np.delete(seen, i, 0), _others(labels, i))
            .predict(seen[[i]])[0]
            for i in range(len(labels))
        ]
    return np.array(said, str), _answerable(labels)


def few_shot_boosting(
    columns: NDArray[np.floating], labels: Labels, seed: int
) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the same as `few_shot_probe` of boosted trees on the columns [n, k] of triggers."""
    said = [
        balanced_trees(np.delete(columns, i, 0), _others(labels, i), seed).predict(columns[[i]])[0]
        for i in range(len(labels))
    ]
    return np.array(said, str), _answerable(labels)


def _others(labels: Labels, left_out: int) -> Labels:
    others = np.delete(labels, left_out)
    if len(np.unique(others)) < 2:
        raise TrainingError(
            f"{len(labels)} glitches of {len(np.unique(labels))} classes: a few-shot probe needs "
            "two classes without the glitch that it is asked about. Label more glitches."
        )
    return others


def _answerable(labels: Labels) -> NDArray[np.bool_]:
    return np.array([(labels == label).sum() > 1 for label in labels])
