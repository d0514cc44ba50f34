"""The training of the autoencoder, without labels, and of heads on its bottleneck, with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gwmorph.config import AutoencoderConfig, AutoencoderHeadConfig
from gwmorph.encoders.autoencoder_network import (
    Autoencoder,
    AutoencoderArchitecture,
    squared_errors,
)
from gwmorph.encoders.crops import event_crops, levels
from gwmorph.errors import ConfigError
from gwmorph.learning.contrastive import Augmentation, augment
from gwmorph.learning.loop import (
    Checkpoint,
    Fitted,
    Network,
    Task,
    Validation,
    adamw,
    fit,
    multiplying_in,
    schedule,
)
from gwmorph.learning.machine import Machine
from gwmorph.simulation.streams import stream
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.columns import EMBEDDING_SIZE

Told = Callable[[int, Mapping[str, float]], None]
MSE = "mse"
TRAINING_MSE = "mse of training pictures"
LOSS, ACCURACY = "cross entropy", "accuracy"
# What is unlike from one picture of a glitch to the next, so that no view is learned by heart.
# Nothing that cannot be drawn again is added to what is to be drawn again.
AUGMENTATION = Augmentation(speckle=0.0, blur=0.0, dropout=0.0)
HEAD_AUGMENTATION = Augmentation()
# Fewer cannot be normalised as a batch.
_FEWEST = 2
_AT_ONCE = 64


@dataclass(frozen=True)
class Crops:
    """Event views as palette indices uint8 [n, 4, 56, 56], and the brightness of each index."""

    indices: NDArray[np.uint8]
    brightness: NDArray[np.float32]

    @classmethod
    def of(cls, pictures: NDArray[np.uint8], scale: PictureScale) -> "Crops":
        """Return what networks see of event views uint8 [n, height, width]."""
        return cls(event_crops(pictures), levels(scale))

    def __len__(self) -> int:
        """Return the number of views."""
        return len(self.indices)

    def shown(self, rows: NDArray[np.integer] | slice, device: torch.device) -> Tensor:
        """Return the brightness of some views: float32 [m, 4, 56, 56]."""
        return torch.from_numpy(self.brightness.take(self.indices[rows])).to(device)


@dataclass(frozen=True)
class AutoencoderRecipe:
    """What a training's result depends on, besides pictures, architecture and machine.

    Attributes
    ----------
    steps
        Updates of the weights at most.
    batch_size
        Views in a batch.
    learning_rate, weight_decay
        Of AdamW; the rate rises over a twentieth of the steps and falls as a cosine.
    validation_steps, patience
        Updates between validations, and validations without a better one after which it ends.
    seed
        Of the first weights, the batches and the augmentations.
    """

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    validation_steps: int
    patience: int
    seed: int

    @classmethod
    def of(
        cls, settings: AutoencoderConfig | AutoencoderHeadConfig, seed: int
    ) -> "AutoencoderRecipe":
        """Return what the keys of a section say."""
        names = [name for name in cls.__dataclass_fields__ if name != "seed"]
        return cls(**{name: getattr(settings, name) for name in names}, seed=seed)


@dataclass(frozen=True)
class Reconstructing:
    """The task: views are drawn again from what passes the bottleneck."""

    crops: Crops
    recipe: AutoencoderRecipe
    augmentation: Augmentation | None
    machine: Machine
    parts: tuple[str, ...] = (MSE,)

    def losses(
        self, network: Autoencoder, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the mean squared error of a batch of views, changed as the seed says."""
        chosen = _batch(self.crops, self.recipe, self.augmentation, step, self.machine.device)
        shown = chosen[1].chunk(pieces)[piece]
        with multiplying_in(self.machine.precision, self.machine.device):
            drawn = network(shown)
        loss = squared_errors(drawn, shown).mean()
        return loss, {MSE: loss}


def train_autoencoder(
    train: Crops,
    validation: Crops,
    recipe: AutoencoderRecipe,
    architecture: AutoencoderArchitecture,
    augmentation: Augmentation | None,
    checkpoint: Checkpoint,
    machine: Machine,
    progress: Told,
) -> tuple[Fitted[Autoencoder], Reconstructing]:
    """Train an autoencoder until it draws the validation's views no better; return its task, too.

    The validations measure the mean squared error of all of the validation's views, and of as
    many of the training's, both as they are: the difference says how far it is over-fitted.

    Raises
    ------
    ConfigError
        There are fewer than two views to train on, or none to validate with.
    TrainingError
        As `gwmorph.learning.loop.fit`.
    """
    _require_views(train, validation)
    torch.manual_seed(recipe.seed)
    network = Autoencoder(architecture).to(machine.device)
    # Convolutions are faster so.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    known = train.indices[_some_of(len(train), len(validation), recipe.seed)]
    same = replace(train, indices=known)

    def measure(network: Autoencoder) -> Mapping[str, float]:
        return {
            MSE: float(reconstruction_errors(network, validation, machine).mean()),
            TRAINING_MSE: float(reconstruction_errors(network, same, machine).mean()),
        }

    task = Reconstructing(train, recipe, augmentation, machine)
    optimiser = adamw(network, recipe.learning_rate, recipe.weight_decay)
    fitted = _fit(network, task, optimiser, recipe, checkpoint, progress, measure)
    return fitted, task


def reconstruction_errors(
    network: Autoencoder, crops: Crops, machine: Machine
) -> NDArray[np.float64]:
    """Return the mean squared error of brightness of each view: float64 [n]."""
    errors = []
    with torch.inference_mode(), multiplying_in(machine.precision, machine.device):
        for first in range(0, len(crops), _AT_ONCE):
            shown = crops.shown(slice(first, first + _AT_ONCE), machine.device)
            errors.append(squared_errors(network(shown), shown).double().cpu())
    return torch.cat(errors).numpy()


def latents(network: Autoencoder, crops: Crops, machine: Machine) -> NDArray[np.float32]:
    """Return the bottleneck of each view: float32 [n, 384]."""
    found = []
    with torch.inference_mode(), multiplying_in(machine.precision, machine.device):
        for first in range(0, len(crops), _AT_ONCE):
            shown = crops.shown(slice(first, first + _AT_ONCE), machine.device)
            found.append(network.latent(shown).float().cpu())
    return torch.cat(found).numpy()


def mean_picture_errors(train: Crops, others: Crops) -> NDArray[np.float64]:
    """Return what the mean of the training's views gets as a reconstruction: float64 [n].

    An autoencoder that draws views no better has learned nothing of them.
    """
    mean = np.mean([train.brightness.take(view) for view in train.indices], axis=0)
    errors = [np.square(others.brightness.take(view) - mean).mean() for view in others.indices]
    return np.array(errors, np.float64)


class BottleneckClassifier(nn.Module):
    """An autoencoder's first half and a head of one hidden layer on its bottleneck."""

    def __init__(self, network: Autoencoder, classes: int, hidden: int) -> None:
        super().__init__()
        self.network = network
        self.head = nn.Sequential(
            nn.Linear(EMBEDDING_SIZE, hidden), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(hidden, classes),
        )  # fmt: skip

    def forward(self, crops: Tensor) -> Tensor:
        """Return the logits [n, classes] of crops [n, 4, 56, 56]."""
        logits: Tensor = self.head(self.network.latent(crops))
        return logits


class _Frozen(BottleneckClassifier):
    """A classifier of which the head alone learns, whatever mode the whole is in."""

    def train(self, mode: bool = True) -> "_Frozen":
        super().train(mode)
        self.network.eval()
        return self


@dataclass(frozen=True)
class NamingViews:
    """The task: the class of views is told."""

    crops: Crops
    numbers: NDArray[np.int64]
    recipe: AutoencoderRecipe
    augmentation: Augmentation | None
    machine: Machine
    parts: tuple[str, ...] = (LOSS,)

    def losses(
        self, network: BottleneckClassifier, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the mean cross entropy of a batch of views, changed as the seed says."""
        device = self.machine.device
        rows, shown = _batch(self.crops, self.recipe, self.augmentation, step, device)
        target = torch.from_numpy(self.numbers[rows]).to(device).chunk(pieces)[piece]
        with multiplying_in(self.machine.precision, device):
            logits = network(shown.chunk(pieces)[piece])
        loss = functional.cross_entropy(logits.float(), target)
        return loss, {LOSS: loss}


@dataclass(frozen=True)
class Head:
    """The numbers of a head's hidden layer, and the factor on the rate of what is before it."""

    hidden: int
    slower: float


@dataclass(frozen=True)
class Labelled:
    """Views and the class of each, str [n]."""

    crops: Crops
    labels: NDArray[np.str_]


def train_bottleneck_classifier(
    network: Autoencoder,
    frozen: bool,
    train: Labelled,
    validation: Labelled,
    recipe: AutoencoderRecipe,
    head: Head,
    augmentation: Augmentation | None,
    checkpoint: Checkpoint,
    machine: Machine,
    progress: Told,
) -> tuple[Fitted[BottleneckClassifier], NamingViews]:
    """Train a head on a bottleneck with labels, and what is before it as well unless ``frozen``.

    Parameters
    ----------
    network
        A trained autoencoder; where it is not frozen its weights change.
    head
        Its sizes, and how fast the rest learns beside it.

    Raises
    ------
    ConfigError
        There are too few views, the training has one class alone, or the validation none of
        its classes.
    TrainingError
        As `gwmorph.learning.loop.fit`.
    """
    _require_views(train.crops, validation.crops)
    classes = classes_of(train.labels)
    if len(classes) < 2:
        raise ConfigError(
            f"labels: the training part has the class {classes[0]} alone, expected two or more. "
            "Give more classes, or a split that has them in every part."
        )
    known = np.isin(validation.labels, classes)
    if not known.any():
        raise ConfigError(
            "labels: no view of the validation part is of a class that the training part has "
            f"({', '.join(classes)}). Use another split, or give more pictures."
        )
    torch.manual_seed(recipe.seed)
    made = (_Frozen if frozen else BottleneckClassifier)(network, len(classes), head.hidden).to(
        machine.device
    )
    made.network.requires_grad_(not frozen)
    numbers = np.searchsorted(classes, train.labels)

    def measure(network: BottleneckClassifier) -> Mapping[str, float]:
        logits = bottleneck_logits(network, validation.crops, machine)
        right = classes[logits.argmax(1)] == validation.labels
        # What the training lacks has no entropy, and is told wrong.
        target = torch.from_numpy(np.searchsorted(classes, validation.labels[known]))
        loss = functional.cross_entropy(torch.from_numpy(logits[known]), target)
        return {LOSS: loss.item(), ACCURACY: float(right.mean())}

    task = NamingViews(train.crops, numbers, recipe, augmentation, machine)
    optimiser = adamw(made.head, recipe.learning_rate, recipe.weight_decay)
    if not frozen:
        before = adamw(made.network, recipe.learning_rate, recipe.weight_decay)
        for group in before.param_groups:
            optimiser.add_param_group({**group, "scale": head.slower})
    fitted = _fit(made, task, optimiser, recipe, checkpoint, progress, measure)
    return fitted, task


def classes_of(labels: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the classes in the order of a classifier's logits."""
    return np.unique(labels)


def bottleneck_logits(
    network: BottleneckClassifier, crops: Crops, machine: Machine
) -> NDArray[np.float32]:
    """Return the logits float32 [n, classes] of views."""
    found = []
    with torch.inference_mode(), multiplying_in(machine.precision, machine.device):
        for first in range(0, len(crops), _AT_ONCE):
            shown = crops.shown(slice(first, first + _AT_ONCE), machine.device)
            found.append(network(shown).float().cpu())
    return torch.cat(found).numpy()


def _fit(
    network: Network,
    task: Task[Network],
    optimiser: torch.optim.Optimizer,
    recipe: AutoencoderRecipe,
    checkpoint: Checkpoint,
    progress: Told,
    measure: Callable[[Network], Mapping[str, float]],
) -> Fitted[Network]:
    """Train a network; the first part of its loss is measured under that name, and judged by."""
    return fit(
        network,
        task,
        optimiser,
        lambda step: recipe.learning_rate * schedule(step, recipe.steps),
        recipe.steps,
        checkpoint,
        progress,
        Validation(recipe.validation_steps, measure, task.parts[0], recipe.patience),
    )


def _batch(
    crops: Crops,
    recipe: AutoencoderRecipe,
    how: Augmentation | None,
    step: int,
    device: torch.device,
) -> tuple[NDArray[np.int64], Tensor]:
    """Return which views a step has, and what is shown of them: the same for equal seeds."""
    rng = stream(recipe.seed, "training batch", step)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    rows = np.sort(rng.choice(len(crops), min(recipe.batch_size, len(crops)), False))
    shown = crops.shown(rows, device)
    return rows, shown if how is None else augment(shown, how, generator)


def _some_of(total: int, wanted: int, seed: int) -> NDArray[np.int64]:
    drawn = stream(seed, "training views measured").permutation(total)[:wanted]
    return np.sort(drawn)


def _require_views(train: Crops, validation: Crops) -> None:
    if len(train) < _FEWEST or not len(validation):
        raise ConfigError(
            f"{len(train)} views to train on and {len(validation)} to validate with: expected at "
            f"least {_FEWEST} and 1. Give more pictures, or another split."
        )
