"""What an autoencoder learns from and is scored on: the parts of labelled event views."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gwmorph.config import LearningConfig
from gwmorph.encoders.autoencoder_network import Autoencoder, squared_errors
from gwmorph.encoders.base import unit_rows
from gwmorph.errors import ConfigError
from gwmorph.learning.autoencoder import (
    Classifier,
    Crops,
    Labelled,
    Machine,
    classes_of,
    latents,
    logits_of,
    mean_picture_errors,
    reconstruction_errors,
)
from gwmorph.learning.autoencoder_scores import (
    class_rows,
    error_rows,
    neighbor_classes,
    reconstruction_rows,
    trigger_vectors,
)
from gwmorph.learning.labelled_pictures import SPLITS, How, LabelledPictures, split

BOTTLENECK = "neighbours of the bottleneck"
TRIGGERS = "neighbours of the trigger columns"
DRAWN, MEAN = "drawn again", "mean view of the training"
_AT_ONCE = 64


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


def score_classifier(
    name: str, network: Classifier, parts: Mapping[str, Part], machine: Machine, seed: int
) -> list[dict[str, Any]]:
    """Return how well a classifier tells the views of every part: ``AUTOENCODER_SCORES``."""
    classes = classes_of(parts["train"].labels)
    rows = []
    for side, part in parts.items():
        told = classes[logits_of(network, part.crops, machine).argmax(1)]
        rows += class_rows(name, side, told, part.labels, part.groups, seed)
    return rows


def score_neighbors(
    network: Autoencoder, parts: Mapping[str, Part], machine: Machine, seed: int
) -> list[dict[str, Any]]:
    """Return how well the nearest views of the training tell the others.

    They are nearest by the cosine of the bottleneck and, where the source has trigger columns, by
    these alone: what a bottleneck must beat.
    """
    train = parts["train"]
    known = unit_rows(latents(network, train.crops, machine))
    rows = []
    for side in SPLITS[1:]:
        part = parts[side]
        asked = unit_rows(latents(network, part.crops, machine))
        told = neighbor_classes(known, train.labels, asked, "cosine")
        rows += class_rows(BOTTLENECK, side, told, part.labels, part.groups, seed)
    for side in SPLITS[1:]:
        part = parts[side]
        if train.triggers is not None and part.triggers is not None:
            own, others = trigger_vectors(train.triggers, part.triggers)
            told = neighbor_classes(own, train.labels, others, "euclidean")
            rows += class_rows(TRIGGERS, side, told, part.labels, part.groups, seed)
    return rows


def score_reconstruction(
    network: Autoencoder, parts: Mapping[str, Part], machine: Machine, seed: int
) -> list[dict[str, Any]]:
    """Return how well views are drawn again, and by the mean view of the training."""
    rows = []
    for side, part in parts.items():
        errors = reconstruction_errors(network, part.crops, machine)
        rows += error_rows(DRAWN, side, errors, part.groups, seed)
    for side, part in parts.items():
        errors = mean_picture_errors(parts["train"].crops, part.crops)
        rows += error_rows(MEAN, side, errors, part.groups, seed)
    return rows


def reconstructed(network: Autoencoder, part: Part, machine: Machine) -> list[dict[str, Any]]:
    """Return well and badly drawn views of a part as rows of ``RECONSTRUCTIONS``."""
    drawn, errors = [], []
    with torch.inference_mode():
        for first in range(0, len(part.crops), _AT_ONCE):
            shown = part.crops.shown(slice(first, first + _AT_ONCE), machine.device)
            drawn.append(network(shown).cpu())
            errors.append(squared_errors(drawn[-1], shown.cpu()).double())
    return reconstruction_rows(
        part.crops, torch.cat(drawn).numpy(), torch.cat(errors).numpy(), part.labels
    )
