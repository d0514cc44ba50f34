"""Training a network to name the class of a picture, all of its weights, and what it then names.

Pictures become as large as the network takes them (maxima where they become smaller, so that short
signals stay), get the colours of their colormap, and are normalised as ImageNet's were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gwmorph.encoders.crops import CROP
from gwmorph.errors import TrainingError
from gwmorph.learning.batches import batch_rows, epoch_steps
from gwmorph.learning.contrastive import Augmentation, augment
from gwmorph.learning.labelled_pictures import TRAIN, VALIDATION, LabelledPictures
from gwmorph.learning.loop import (
    Checkpoint,
    Fitted,
    Validation,
    adamw,
    fit,
    multiplying_in,
    schedule,
)
from gwmorph.learning.networks import (
    RANDOM,
    make_classifier,
    parameters_of,
    side_of,
    start_from,
)
from gwmorph.simulation.streams import stream
from gwmorph.spectra.pictures import palette

# Of ImageNet's pictures, red, green and blue (Krizhevsky et al. 2012, as torchvision states them).
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
_AT_ONCE = 64
_TIMED = (8, 5)  # pictures in a batch, and batches


@dataclass(frozen=True)
class ClassifierRecipe:
    """How a classifier is trained.

    Attributes
    ----------
    epochs
        Times that all training pictures are seen.
    batch_size
        Pictures of one update; what is left over of an epoch waits for the next draw.
    optimiser
        Adam (Kingma & Ba 2015, arXiv:1412.6980) or AdamW.
    learning_rate, schedule
        The largest rate; ``steps`` multiplies it by ``factor`` every ``factor_epochs`` epochs,
        ``cosine`` lets it rise over a twentieth of all updates and fall as a cosine.
    weight_decay
        Of AdamW.
    augmented
        Whether training pictures are shifted, stretched and so on, as `contrastive.augment` does.
    smoothing
        Part of the right class's probability that is asked for all classes alike.
    patience
        Epochs without a better validation after which the training ends; None: it does not.
    seed
        Of first weights, batches and changes.
    """

    epochs: int
    batch_size: int
    optimiser: Literal["adam", "adamw"]
    learning_rate: float
    schedule: Literal["steps", "cosine"]
    factor: float
    factor_epochs: int
    weight_decay: float
    augmented: bool
    smoothing: float
    patience: int | None
    seed: int


@dataclass(frozen=True)
class Start:
    """What a network's first weights are: random, or of a file with this SHA-256."""

    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Classifier:
    """A trained network, the names of its outputs, its way there, and what it began as."""

    network: nn.Module
    classes: list[str]
    fitted: Fitted[nn.Module]
    task: "Classifying"
    start: Start

    @property
    def steps_per_epoch(self) -> int:
        """Updates in which every training picture is seen once, but for what is left over."""
        return self.task.steps_per_epoch

    def facts(self) -> dict[str, Any]:
        """Return what ``SUPERVISED`` tells of a training, but for its scores."""
        fitted = self.fitted
        best = next(found for step, found in fitted.validations if step == fitted.best_step)
        return {
            "validation_error": best["error"],
            "trained_on": len(self.task.targets),
            "classes": len(self.classes),
            "parameters": parameters_of(self.network),
            "epochs": len(fitted.losses) / self.steps_per_epoch,
            "best_epoch": fitted.best_step / self.steps_per_epoch,
            "start": self.start.name,
            "start_sha256": self.start.sha256,
        }


@dataclass(frozen=True)
class Looks:
    """How pictures become what a network takes: its colours, its size, and where it is."""

    colormap: str
    side: int
    device: torch.device

    @cached_property
    def colours(self) -> Tensor:
        """The colormap's colours as the network takes them, float32 [256, 3]."""
        rgb = torch.from_numpy(palette(self.colormap).astype(np.float32) / 255)
        return ((rgb - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).to(self.device)

    def sized(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return pictures [n, height, width] as large as the network takes them, [n, side, side].

        What becomes smaller keeps the largest of what it covers, what becomes larger is
        interpolated.
        """
        out = np.empty((len(pictures), self.side, self.side), np.uint8)
        shrunk = tuple(min(self.side, size) for size in pictures.shape[1:])
        for first in range(0, len(pictures), _AT_ONCE):
            part = torch.from_numpy(pictures[first : first + _AT_ONCE])[:, None].float()
            part = functional.adaptive_max_pool2d(part, shrunk)
            if shrunk != (self.side, self.side):
                part = functional.interpolate(part, (self.side, self.side), mode="bilinear")
            out[first : first + _AT_ONCE] = part[:, 0].round().byte().numpy()
        return out

    def tensor(self, brightness: Tensor) -> Tensor:
        """Return float [n, 3, side, side] of brightness from 0 to 1, [n, side, side]."""
        index = (255 * brightness).round().long()
        return self.colours[index].permute(0, 3, 1, 2)  # in channels_last, as is fastest


@dataclass(frozen=True)
class Classifying:
    """The task: the class of each training picture, which has the size that the network takes."""

    pictures: NDArray[np.uint8]
    targets: NDArray[np.int64]
    event_views: bool
    recipe: ClassifierRecipe
    looks: Looks
    precision: torch.dtype
    parts: tuple[str, ...] = ("cross_entropy", "error")

    @property
    def steps_per_epoch(self) -> int:
        """Updates in which every training picture is seen once, but for what is left over."""
        return epoch_steps(len(self.targets), self.recipe.batch_size)

    def losses(
        self, network: nn.Module, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the cross entropy of a step's batch, and the fraction that was named wrong."""
        shown, targets = self.batch(step)
        shown, targets = shown.chunk(pieces)[piece], targets.chunk(pieces)[piece]
        with multiplying_in(self.precision, self.looks.device):
            logits = network(shown)
        logits = logits.float()
        loss = functional.cross_entropy(logits, targets, label_smoothing=self.recipe.smoothing)
        wrong = (logits.detach().argmax(dim=1) != targets).float().mean()
        return loss, {"cross_entropy": loss, "error": wrong}

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the pictures and the classes of one step, as the seed and the step say."""
        recipe = self.recipe
        rows = batch_rows(len(self.targets), recipe.batch_size, step, recipe.seed)
        device = self.looks.device
        shown = torch.from_numpy(self.pictures[rows]).to(device).float() / 255
        if self.recipe.augmented:
            rng = stream(self.recipe.seed, "changes", step)
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            shown = changed(shown, self.event_views, generator)
        return self.looks.tensor(shown), torch.from_numpy(self.targets[rows]).to(device)


def changed(shown: Tensor, event_views: bool, generator: torch.Generator) -> Tensor:
    """Return pictures [n, height, width] of brightness, each shifted and stretched, and so on.

    The crops of event views are shifted each on its own.
    """
    if not event_views:
        return augment(shown[:, None], _augmentation(shown.shape[2]), generator)[:, 0]
    rows, columns = (size // 2 for size in shown.shape[1:])
    # In order of duration: top left, top right, bottom left, bottom right.
    parts = shown.unflatten(1, (2, rows)).unflatten(3, (2, columns)).transpose(2, 3)
    moved = augment(parts.flatten(1, 2), _augmentation(columns), generator)
    return moved.unflatten(1, (2, 2)).transpose(2, 3).flatten(1, 2).flatten(2, 3)


def _augmentation(columns: int) -> Augmentation:
    """Return how pictures are changed, whose shifts are in pixels of crops of 56."""
    usual = Augmentation()
    scale = columns / CROP
    return replace(
        usual,
        shift_columns=scale * usual.shift_columns,
        shift_rows=scale * usual.shift_rows,
    )


def train_classifier(
    name: str,
    pictures: LabelledPictures,
    sides: NDArray[np.str_],
    recipe: ClassifierRecipe,
    weights: Path | None,
    checkpoint: Checkpoint,
    device: torch.device,
    precision: torch.dtype,
    progress: Callable[[int, Mapping[str, float]], None],
) -> Classifier:
    """Train a network on the training part; return it with the weights of the best validation.

    Parameters
    ----------
    name
        Of the network, as `networks.KINDS` has it.
    sides
        On which side of a split each picture is; the test part is not looked at.
    weights
        A file of weights to start from; None for random ones.
    checkpoint
        What a killed training goes on from.
    progress
        Is told each step's number and losses.

    Raises
    ------
    ConfigError
        No network has this name.
    WeightsError
        As `networks.start_from`.
    TrainingError
        The training part has a single class; or as `loop.fit`.
    """
    training = pictures.of(sides == TRAIN)
    classes = training.classes
    if len(classes) < 2:
        raise TrainingError(
            f"the training part has the class {classes[0]} alone: there is nothing to tell apart. "
            "Give pictures of two classes or more (section learning)."
        )
    torch.manual_seed(recipe.seed)
    network = make_classifier(name, len(classes))
    start = Start(RANDOM)
    if weights is not None:
        start = Start(weights.name, start_from(network, weights))
    network = network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    looks = Looks(pictures.scale.colormap, side_of(name), device)
    task = Classifying(
        looks.sized(training.pictures),
        np.searchsorted(classes, training.labels).astype(np.int64),
        bool(np.isnan(training.durations_s).all()),
        recipe,
        looks,
        precision,
    )
    steps = recipe.epochs * task.steps_per_epoch
    fitted = fit(
        network,
        task,
        _optimiser(network, recipe),
        lambda step: rate_of(recipe, step, task.steps_per_epoch),
        steps,
        checkpoint,
        progress,
        Validation(
            task.steps_per_epoch,
            _validating(pictures.of(sides == VALIDATION), classes, looks, precision),
            "error",
            recipe.patience,
        ),
    )
    return Classifier(fitted.network, classes, fitted, task, start)


def _optimiser(network: nn.Module, recipe: ClassifierRecipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    return adamw(network, recipe.learning_rate, recipe.weight_decay)


def rate_of(recipe: ClassifierRecipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step."""
    if recipe.schedule == "cosine":
        return recipe.learning_rate * schedule(step, recipe.epochs * steps_per_epoch)
    epoch = step // steps_per_epoch
    return recipe.learning_rate * recipe.factor ** (epoch // recipe.factor_epochs)


def _validating(
    held: LabelledPictures, classes: Sequence[str], looks: Looks, precision: torch.dtype
) -> Callable[[nn.Module], Mapping[str, float]]:
    right = np.array([held.labels == name for name in classes]).T

    def measure(network: nn.Module) -> dict[str, float]:
        chances = probabilities(network, held.pictures, looks, precision)
        of_right = (chances * right).sum(axis=1)
        wrong = ~right[np.arange(len(chances)), chances.argmax(axis=1)]
        return {
            "error": float(wrong.mean()),
            # A class that the training part lacks has no probability.
            "cross_entropy": float(-np.log(np.maximum(of_right, 1e-12)).mean()),
        }

    return measure


def probabilities(
    network: nn.Module, pictures: NDArray[np.uint8], looks: Looks, precision: torch.dtype
) -> NDArray[np.float64]:
    """Return the probability of each class, float64 [n, classes], of pictures uint8 [n, h, w].

    The network is in evaluation mode.
    """
    found = []
    with torch.inference_mode():
        for first in range(0, len(pictures), _AT_ONCE):
            sized = looks.sized(pictures[first : first + _AT_ONCE])
            part = torch.from_numpy(sized).to(looks.device)
            with multiplying_in(precision, looks.device):
                logits = network(looks.tensor(part.float() / 255))
            found.append(logits.float().softmax(dim=1).cpu().numpy().astype(np.float64))
    return np.concatenate(found)


def ms_per_picture(network: nn.Module, pictures: NDArray[np.uint8], looks: Looks) -> float:
    """Return the milliseconds that one picture takes, on one thread in float32.

    It is the median over batches, after one that does not count.
    """
    size, batches = _TIMED
    part = np.resize(pictures, (size, *pictures.shape[1:]))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = []
    try:
        for _ in range(batches + 1):
            start = perf_counter()
            probabilities(network, part, looks, torch.float32)
            times.append(1e3 * (perf_counter() - start) / size)
    finally:
        torch.set_num_threads(threads)
    return float(np.median(times[1:]))


def prediction_columns(
    found: NDArray[np.float64], classes: Sequence[str], held: LabelledPictures, rows: NDArray
) -> dict[str, Any]:
    """Return columns of ``PREDICTIONS``: what is named of each picture, and how surely.

    Parameters
    ----------
    found
        Probability of each of ``classes``, [n, classes].
    held
        The n pictures of the test part.
    rows
        Their numbers among all pictures, [n].
    """
    named = found.argmax(axis=1)
    of_label = np.zeros(len(held))
    known = np.isin(held.labels, classes)
    of_label[known] = found[known, np.searchsorted(classes, held.labels[known])]
    return {
        "row": rows,
        "group": held.groups.tolist(),
        "label": held.labels.tolist(),
        "named": np.array(classes)[named].tolist(),
        "probability": found.max(axis=1),
        "label_probability": of_label,
    }
