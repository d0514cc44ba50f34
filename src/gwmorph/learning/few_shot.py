"""Few-shot accuracy on real glitches: a linear probe on each encoder's vectors, one a glitch.

Real glitches with labels are few, about two of a class, so all but one train the probe and it is
asked about the one. Nothing is chosen on them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwmorph.evidence.quality import share_rows
from gwmorph.learning.probes import (
    Labels,
    Vectors,
    few_shot_boosting,
    few_shot_probe,
    glitch_vectors,
)

ACCURACY = "few_shot_accuracy"
BY_GLITCH = "few_shot_accuracy_by_glitch"
TRIGGERS = "triggers"


def few_shot_rows(
    vectors: Mapping[str, Vectors],
    labels: Labels,
    glitches: Labels,
    penalty: float,
    seed: int,
    columns: NDArray[np.floating] | None = None,
) -> list[dict[str, Any]]:
    """Return rows of ``ENCODER_QUALITY`` (without ``data``): the share of glitches told right.

    Each glitch is left out in turn; one that is alone in its class is not scored.
    ``few_shot_accuracy`` has its interval from a bootstrap over classes, since of two glitches of
    a class each is the other's only example, ``few_shot_accuracy_by_glitch`` from one over
    glitches, which is too narrow where they are right or wrong together.

    Parameters
    ----------
    vectors
        For each encoder, unit vectors [n, d] of all pictures.
    labels, glitches
        Class of each picture, and whose it is, [n].
    penalty
        Inverse strength of the probe's penalty (scikit-learn's ``C``).
    columns
        Trigger columns [n, k] of each picture, where there are some; one picture a glitch then.

    Raises
    ------
    TrainingError
        As `gwmorph.learning.probes.few_shot_probe`.
    """
    names, first = np.unique(glitches, return_index=True)
    classes = labels[first]
    hits = {}
    scored = np.zeros(len(names), bool)
    for name, values in vectors.items():
        said, scored = few_shot_probe(glitch_vectors(values, glitches)[0], classes, penalty)
        hits[name] = said == classes
    if columns is not None:
        said, scored = few_shot_boosting(columns[first], classes, seed)
        hits[TRIGGERS] = said == classes
    if not scored.any():
        return []
    right = {name: own[scored] for name, own in hits.items()}
    _, of_class = np.unique(classes[scored], return_inverse=True)
    return [
        *share_rows(ACCURACY, right, of_class, seed),
        *share_rows(BY_GLITCH, right, np.arange(scored.sum()), seed),
    ]
