"""Specialising an encoder to labelled pictures: heads on frozen vectors, and full fine-tuning.

Heads are perceptrons of one to three layers on the vectors that the frozen encoder makes. Full
fine-tuning changes the encoder as well; its head starts as the one of a single layer that was
trained on the frozen vectors, so that the first steps do not spoil the encoder (Kumar et al.
2022, arXiv:2202.10054).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gwmorph.errors import TrainingError
from gwmorph.learning.backbones import Backbone
from gwmorph.learning.batches import batch_rows
from gwmorph.learning.loop import (
    Checkpoint,
    Fitted,
    Network,
    Validation,
    adamw,
    fit,
    multiplying_in,
    schedule,
)
from gwmorph.learning.machine import Machine
from gwmorph.simulation.streams import stream
from gwmorph.spectra.pictures import PictureScale

PARTS = ("cross_entropy", "accuracy")
_AT_ONCE = 64
Progress = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class FinetuneRecipe:
    """What a training's result depends on, besides pictures, backbone, precision and machine.

    Attributes
    ----------
    hidden, dropout
        Width of the hidden layers of heads, and the share of it that is left out at random.
    head_steps, full_steps
        Updates of the weights at most; training ends earlier when the cross entropy of the
        validation part becomes no better.
    batch_size
        Pictures in a batch.
    head_learning_rate, learning_rate
        Largest rates of heads, and of the backbone in full fine-tuning. They rise over a
        twentieth of the steps and fall as a cosine.
    weight_decay
        Of AdamW.
    validation_steps, patience
        Steps between validations, and validations without a better one before the end.
    seed
        Of the first weights, the batches, and the changes of pictures.
    """

    hidden: int
    dropout: float
    head_steps: int
    full_steps: int
    batch_size: int
    head_learning_rate: float
    learning_rate: float
    weight_decay: float
    validation_steps: int
    patience: int
    seed: int


@dataclass(frozen=True)
class NumberedPictures:
    """Labelled pictures of one part of a set: uint8 [n, height, width] and class numbers [n]."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]


def class_numbers(labels: NDArray[np.str_], classes: list[str]) -> NDArray[np.int64]:
    """Return the place of each label among the sorted classes, -1 for one that is not there."""
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place.get(label, -1) for label in labels.tolist()], np.int64)


def mlp_head(width: int, classes: int, layers: int, hidden: int, dropout: float) -> nn.Sequential:
    """Return a perceptron from vectors [n, width] of length √width to logits [n, classes].

    One layer is a linear classifier; two or three have hidden layers with GELU between.
    """
    made: list[nn.Module] = []
    for _ in range(layers - 1):
        made += [nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout)]
        width = hidden
    return nn.Sequential(*made, nn.Linear(width, classes))


class BackboneClassifier(nn.Module):
    """A backbone and a head on it: from what a backbone is shown to logits [n, classes]."""

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, shown: Tensor) -> Tensor:
        """Return logits [n, classes]."""
        logits: Tensor = self.head(stretched(self.backbone(shown)))
        return logits


def stretched(vectors: Tensor) -> Tensor:
    """Return unit vectors [n, d] at the length √d, as heads and probes see them."""
    return vectors * vectors.shape[1] ** 0.5


def backbone_vectors(
    backbone: Backbone, pictures: NDArray[np.uint8], scale: PictureScale
) -> NDArray[np.float32]:
    """Return the unit vectors float32 [n, d] of pictures, in evaluation mode and in float32."""
    device = next(backbone.parameters()).device
    backbone.eval()
    with torch.inference_mode():
        found = [
            backbone(backbone.shown(pictures[i : i + _AT_ONCE], scale).to(device)).cpu().numpy()
            for i in range(0, len(pictures), _AT_ONCE)
        ]
    return np.concatenate(found) if found else np.empty((0, backbone.width), np.float32)


@dataclass(frozen=True)
class NamingClasses:
    """The task: a network's logits tell the class of what it is shown.

    Attributes
    ----------
    shown
        Returns what a network is shown of some rows, changed at random by the generator.
    labels
        Class number of each row, int64 [n].
    """

    shown: Callable[[NDArray[np.intp], torch.Generator], Tensor]
    labels: Tensor
    batch_size: int
    seed: int
    machine: Machine
    parts: tuple[str, ...] = PARTS

    def losses(
        self, network: nn.Module, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the cross entropy of a step's batch (nat), and the share that is right."""
        rows = batch_rows(len(self.labels), self.batch_size, step, self.seed)
        rows = np.array_split(rows, pieces)[piece]
        seed = int(stream(self.seed, "fine-tuning change", step, piece).integers(2**62))
        generator = torch.Generator().manual_seed(seed)
        # What dropout leaves out depends on the step alone, whether or not it was interrupted.
        torch.manual_seed(seed)
        labels = self.labels[torch.from_numpy(rows)]
        device = self.machine.device
        with multiplying_in(self.machine.precision, device):
            logits = network(self.shown(rows, generator).to(device)).float()
        loss = functional.cross_entropy(logits, labels)
        return loss, {
            "cross_entropy": loss.detach(),
            "accuracy": (logits.argmax(1) == labels).float().mean(),
        }


def train_head(
    vectors: Mapping[str, NDArray[np.float32]],
    labels: Mapping[str, NDArray[np.int64]],
    layers: int,
    classes: int,
    recipe: FinetuneRecipe,
    checkpoint: Checkpoint,
    progress: Progress,
) -> tuple[Fitted[nn.Sequential], NamingClasses]:
    """Train a head of so many layers on frozen vectors, in float32 on the CPU.

    Parameters
    ----------
    vectors, labels
        Of the parts ``train`` and ``validation``: unit vectors [n, d], class numbers [n].

    Raises
    ------
    TrainingError
        A part is empty; otherwise as `gwmorph.learning.loop.fit`.
    """
    _require_parts({name: len(own) for name, own in labels.items()})
    torch.manual_seed(recipe.seed)
    width = vectors["train"].shape[1]
    head = mlp_head(width, classes, layers, recipe.hidden, recipe.dropout)
    seen = {name: stretched(torch.from_numpy(own)) for name, own in vectors.items()}
    numbers = {name: torch.from_numpy(own) for name, own in labels.items()}
    task = NamingClasses(
        lambda rows, generator: seen["train"][torch.from_numpy(rows)],
        numbers["train"],
        recipe.batch_size,
        recipe.seed,
        Machine(torch.device("cpu"), torch.float32),
    )

    def measure(network: nn.Sequential) -> dict[str, float]:
        return _measured(network(seen["validation"]), numbers["validation"])

    fitted = fit(
        head,
        task,
        adamw(head, recipe.head_learning_rate, recipe.weight_decay),
        lambda step: recipe.head_learning_rate * schedule(step, recipe.head_steps),
        recipe.head_steps,
        checkpoint,
        progress,
        _validation(measure, recipe),
    )
    return fitted, task


def fine_tune(
    backbone: Backbone,
    head: nn.Module,
    parts: Mapping[str, NumberedPictures],
    scale: PictureScale,
    recipe: FinetuneRecipe,
    machine: Machine,
    checkpoint: Checkpoint,
    progress: Progress,
) -> tuple[Fitted[BackboneClassifier], NamingClasses]:
    """Train backbone and head together, from what they are.

    Parameters
    ----------
    parts
        ``train`` and ``validation``.
    scale
        What the pictures' palette indices mean.

    Raises
    ------
    TrainingError
        A part is empty; otherwise as `gwmorph.learning.loop.fit`.
    """
    _require_parts({name: len(part.labels) for name, part in parts.items()})
    torch.manual_seed(recipe.seed)
    train, held = parts["train"], parts["validation"]
    network = BackboneClassifier(backbone, head).to(machine.device)
    task = NamingClasses(
        lambda rows, generator: backbone.changed(
            backbone.shown(train.pictures[rows], scale), generator
        ),
        torch.from_numpy(train.labels).to(machine.device),
        recipe.batch_size,
        recipe.seed,
        machine,
    )

    def measure(network: BackboneClassifier) -> dict[str, float]:
        logits = backbone_logits(network, held.pictures, scale)
        return _measured(torch.from_numpy(logits), torch.from_numpy(held.labels))

    fitted = fit(
        network,
        task,
        _two_rates(network, recipe),
        lambda step: recipe.head_learning_rate * schedule(step, recipe.full_steps),
        recipe.full_steps,
        checkpoint,
        progress,
        _validation(measure, recipe),
    )
    return fitted, task


def _require_parts(rows: Mapping[str, int]) -> None:
    for name, count in rows.items():
        if count < 2:
            raise TrainingError(
                f"finetune: the {name} part holds {count} pictures, expected at least two. Label "
                "more pictures, or give this part more (learning.validation_fraction, "
                "learning.test_fraction)."
            )


def _two_rates(network: BackboneClassifier, recipe: FinetuneRecipe) -> torch.optim.AdamW:
    """Return AdamW in which the backbone has a rate of its own beside the head's."""
    scale = recipe.learning_rate / recipe.head_learning_rate
    own, others = (
        adamw(part, recipe.head_learning_rate, recipe.weight_decay).param_groups
        for part in (network.backbone, network.head)
    )
    return torch.optim.AdamW([*({**group, "scale": scale} for group in own), *others])


def backbone_logits(
    network: BackboneClassifier, pictures: NDArray[np.uint8], scale: PictureScale
) -> NDArray[np.float32]:
    """Return the logits float32 [n, classes] of pictures, in evaluation mode and in float32."""
    device = next(network.parameters()).device
    vectors = backbone_vectors(network.backbone, pictures, scale)
    network.head.eval()
    with torch.inference_mode():
        logits: Tensor = network.head(stretched(torch.from_numpy(vectors).to(device)))
    return logits.cpu().numpy()


def head_logits(head: nn.Module, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits float32 [n, classes] of a trained head on unit vectors [n, d]."""
    with torch.inference_mode():
        logits: Tensor = head.cpu().eval()(stretched(torch.from_numpy(vectors)))
    return logits.numpy()


def _measured(logits: Tensor, labels: Tensor) -> dict[str, float]:
    return {
        "cross_entropy": float(functional.cross_entropy(logits, labels)),
        "accuracy": float((logits.argmax(1) == labels).float().mean()),
    }


def _validation(
    measure: Callable[[Network], dict[str, float]], recipe: FinetuneRecipe
) -> Validation[Network]:
    return Validation(recipe.validation_steps, measure, "cross_entropy", recipe.patience)


def checkpoint_of(folder: Path, name: str, every: int, training: str) -> Checkpoint:
    """Return where the state of one of several trainings of a job is kept."""
    return Checkpoint(folder / f"checkpoint_{name}.pt", every, f"{training}:{name}")
