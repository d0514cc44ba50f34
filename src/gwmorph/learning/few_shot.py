"""Few-shot accuracy on real glitches: a linear probe on each encoder's vectors, one a glitch.

Real glitches with labels are few, about two of a class, so all but one train the probe and it is
asked about the one. Nothing is chosen on them.
"""

import logging
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
from gwmorph.tables.finetune import FEW_SHOT, FEW_SHOT_BY_GLITCH

TRIGGERS = "triggers"
_FEWEST_CLASSES = 2
_log = logging.getLogger(__name__)


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

    There are none, and the log says so, where a probe would be left with a single class.
    """
    names, first = np.unique(glitches, return_index=True)
    classes = labels[first]
    _, of_each = np.unique(classes, return_counts=True)
    # Without one glitch, two classes are to be left.
    if len(of_each) - int(of_each.min() == 1) < _FEWEST_CLASSES:
        _log.warning(
            "%d glitches of %d classes: no probe can be asked about one of them.",
            len(names), len(of_each),
        )  # fmt: skip
        return []
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
        *share_rows(FEW_SHOT, right, of_class, seed),
        *share_rows(FEW_SHOT_BY_GLITCH, right, np.arange(scored.sum()), seed),
    ]
