"""The parts of labelled event views that an autoencoder learns from and is scored on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwmorph.config import LearningConfig
from gwmorph.errors import ConfigError
from gwmorph.learning.autoencoder import Crops, Labelled
from gwmorph.learning.labelled_pictures import SPLITS, How, LabelledPictures, split


@dataclass(frozen=True)
class Part:
    """Event views of one side of a split, their classes, glitches and trigger columns.

    ``triggers`` are float64 [n, 5]; None where the source has none, or not of every glitch.
    """

    crops: Crops
    labels: NDArray[np.str_]
    groups: NDArray[np.str_]
    triggers: NDArray[np.float64] | None

    @property
    def labelled(self) -> Labelled:
        """Views and classes."""
        return Labelled(self.crops, self.labels)


def parts_of(pictures: LabelledPictures, how: How, settings: LearningConfig) -> Mapping[str, Part]:
    """Return the views that train, validate and test, by these names.

    Raises
    ------
    ConfigError
        Pictures are no event views, or as `gwmorph.learning.labelled_pictures.split`.
    TableError
        As that.
    """
    if np.isfinite(pictures.durations_s).any():
        raise ConfigError(
            "an autoencoder sees event views of all four durations, got pictures of "
            f"{np.nanmin(pictures.durations_s):g} s. Give it the pictures of window 'all'."
        )
    fractions = (settings.validation_fraction, settings.test_fraction)
    sides = split(pictures, how, fractions, settings.seed)
    known = pictures.triggers is not None and bool(np.isfinite(pictures.triggers).all())
    found = {}
    for side in SPLITS:
        own = pictures.of(sides == side)
        crops = Crops.of(own.pictures, own.scale)
        found[side] = Part(crops, own.labels, own.groups, own.triggers if known else None)
    return found
