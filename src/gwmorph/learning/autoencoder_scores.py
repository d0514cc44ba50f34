"""What an autoencoder is worth: how it draws views again, and what its bottleneck tells of them.

Intervals are those of `gwmorph.learning.scoring`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from gwmorph.encoders.autoencoder_network import Autoencoder, squared_errors
from gwmorph.encoders.base import unit_rows
from gwmorph.learning.autoencoder import (
    BottleneckClassifier,
    Crops,
    bottleneck_logits,
    classes_of,
    latents,
    mean_picture_errors,
    reconstruction_errors,
)
from gwmorph.learning.autoencoder_parts import Part
from gwmorph.learning.labelled_pictures import SPLITS
from gwmorph.learning.machine import Machine
from gwmorph.learning.scoring import Labels, accuracy_and_f1, mean_estimate

RANKS = ("best", "median", "worst")
BOTTLENECK = "neighbours of the bottleneck"
TRIGGERS = "neighbours of the trigger columns"
DRAWN, MEAN = "drawn again", "mean view of the training"
NEIGHBORS = 5
_AT_ONCE = 64


def score_classifier(
    name: str,
    network: BottleneckClassifier,
    parts: Mapping[str, Part],
    machine: Machine,
    seed: int,
) -> list[dict[str, Any]]:
    """Return how well a classifier tells the views of every part: ``AUTOENCODER_SCORES``."""
    classes = classes_of(parts["train"].labels)
    rows = []
    for side, part in parts.items():
        told = classes[bottleneck_logits(network, part.crops, machine).argmax(1)]
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


def class_rows(
    scored: str, part: str, told: Labels, labels: Labels, groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return accuracy and macro-F1 as rows of ``AUTOENCODER_SCORES``.

    They are those of `gwmorph.learning.scoring.accuracy_and_f1`.

    Parameters
    ----------
    told, labels
        The class that each view is taken for, and its own, [n].
    groups
        The glitch of each view, [n].
    """
    accuracy, macro_f1 = accuracy_and_f1(labels, told, groups, seed)
    about = {"scored": scored, "part": part, "views": len(labels)}
    return [
        {**about, "figure": "accuracy", **accuracy.columns()},
        {**about, "figure": "macro_f1", **macro_f1.columns()},
    ]


def error_rows(
    scored: str, part: str, errors: NDArray[np.float64], groups: Labels, seed: int
) -> list[dict[str, Any]]:
    """Return the mean of the squared errors [n] of views as rows of ``AUTOENCODER_SCORES``."""
    about = {"scored": scored, "part": part, "figure": "mse", "views": len(errors)}
    return [{**about, **mean_estimate(errors, groups, seed).columns()}]


def neighbor_classes(
    train: NDArray[np.floating], labels: Labels, others: NDArray[np.floating], metric: str
) -> Labels:
    """Return the commonest class of the five nearest of ``train`` [n, d] for each of ``others``.

    Of equally common ones it is the first by name.
    """
    nearest = KNeighborsClassifier(min(NEIGHBORS, len(train)), metric=metric).fit(train, labels)
    told: Labels = nearest.predict(others)
    return told


def trigger_vectors(
    train: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logarithms of trigger columns [n, 5], standardised by those of ``train``."""
    known, asked = np.log(train), np.log(others)
    mean, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-12)
    return (known - mean) / spread, (asked - mean) / spread


def reconstruction_rows(
    crops: Crops, drawn: NDArray[np.float32], errors: NDArray[np.float64], labels: Labels
) -> list[dict[str, Any]]:
    """Return views and how they were drawn again as rows of ``RECONSTRUCTIONS``.

    The best, the median and the worst class, by the median of its views' errors, and of each the
    best, the median and the worst view.

    Parameters
    ----------
    crops, labels
        Views and their classes, [n].
    drawn, errors
        Their reconstructions [n, 4, 56, 56], and the mean squared error of each, [n].
    """
    names = np.unique(labels)
    medians = np.array([np.median(errors[labels == name]) for name in names])
    rows = []
    for class_rank, of_class in zip(RANKS, _ranked(medians), strict=True):
        own = np.flatnonzero(labels == names[of_class])
        for view_rank, place in zip(RANKS, _ranked(errors[own]), strict=True):
            view = own[place]
            rows.append(
                {
                    "class_rank": class_rank,
                    "label": str(names[of_class]),
                    "class_mse": float(medians[of_class]),
                    "view_rank": view_rank,
                    "mse": float(errors[view]),
                    "view": _bytes(crops.brightness.take(crops.indices[view])),
                    "drawn": _bytes(drawn[view]),
                }
            )
    return rows


def _ranked(values: NDArray[np.float64]) -> tuple[int, int, int]:
    """Return where the smallest value is, the middle one, and the largest."""
    order = np.argsort(values, kind="stable")
    return int(order[0]), int(order[(len(order) - 1) // 2]), int(order[-1])


def _bytes(brightness: NDArray[np.float32]) -> bytes:
    return np.rint(255 * np.clip(brightness, 0, 1)).astype(np.uint8).tobytes()
