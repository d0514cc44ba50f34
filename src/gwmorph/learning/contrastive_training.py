"""The training of the in-domain encoder: pairs of views of one source are drawn together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.crops import CROPS
from gwmorph.errors import ConfigError
from gwmorph.learning.contrastive import Augmentation, augment, nt_xent
from gwmorph.learning.loop import Checkpoint, adamw, fit, multiplying_in, schedule
from gwmorph.learning.pairs import QUIET, Pairs
from gwmorph.simulation.streams import stream
from gwmorph.tables.training import LOSSES

PARTS = ("event", "crop", "window")


@dataclass(frozen=True)
class Recipe:
    """What a training's result depends on, besides pairs, architecture, precision and machine.

    Attributes
    ----------
    steps
        Updates of the weights.
    event_pairs, window_pairs
        Pairs of each view in a batch.
    learning_rate, weight_decay
        Of AdamW; the rate rises over a twentieth of the steps and falls as a cosine.
    temperature
        Of the contrastive loss.
    crop_weight
        Weight of the loss of single crops beside that of whole views.
    seed
        Of the first weights, the batches and the augmentations.
    """

    steps: int
    event_pairs: int
    window_pairs: int
    learning_rate: float
    weight_decay: float
    temperature: float
    crop_weight: float
    seed: int


def train(
    pairs: Pairs,
    recipe: Recipe,
    architecture: Architecture,
    augmentation: Augmentation,
    checkpoint: Checkpoint,
    device: torch.device,
    precision: torch.dtype,
    progress: Callable[[int, Mapping[str, float]], None],
) -> tuple[CropNetwork, NDArray[np.float64]]:
    """Train a network; return it and the losses of each step, float64 [steps, 3].

    The columns of the losses are ``PARTS``. Matrices are multiplied in ``precision``; weights
    and losses are float32. ``progress`` is told each step's number and losses.

    Raises
    ------
    ConfigError
        There are fewer than two pairs of a kind.
    TrainingError
        As `gwmorph.learning.loop.fit`.
    """
    for kind, shown in (("event views", pairs.events), ("windows", pairs.windows)):
        if len(shown) < 2:
            raise ConfigError(
                f"training.parts and training.windows_per_part: {len(shown)} pairs of {kind}, "
                "expected at least two. Simulate more windows."
            )
    torch.manual_seed(recipe.seed)
    network = CropNetwork(architecture).to(device)
    # Convolutions are a tenth faster so.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fitted = fit(
        network,
        Contrasting(pairs, recipe, augmentation, device, precision),
        adamw(network, recipe.learning_rate, recipe.weight_decay),
        lambda step: recipe.learning_rate * schedule(step, recipe.steps),
        recipe.steps,
        checkpoint,
        progress,
    )
    return fitted.network, fitted.losses


@dataclass(frozen=True)
class Contrasting:
    """The task: views of one source lie close together, those of others apart."""

    pairs: Pairs
    recipe: Recipe
    augmentation: Augmentation
    device: torch.device
    precision: torch.dtype
    parts: tuple[str, ...] = PARTS

    def losses(
        self, network: CropNetwork, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the weighted sum of all losses of a step, and each of them."""
        batch = batch_of(self.pairs, self.recipe, self.augmentation, step, self.device)
        batch = batch.piece(piece, pieces)
        with multiplying_in(self.precision, self.device):
            vectors = vectors_of(network, batch)
        parts = losses_of(vectors, batch, self.recipe)
        total = parts["event"] + self.recipe.crop_weight * parts["crop"] + parts["window"]
        return total, parts


@dataclass(frozen=True)
class Batch:
    """Both views of some pairs of each kind, float [n, 4, 56, 56], and which windows are quiet."""

    events: tuple[Tensor, Tensor]
    windows: tuple[Tensor, Tensor]
    quiet: Tensor
    other_crop: int

    def piece(self, number: int, pieces: int) -> "Batch":
        """Return one of some equal pieces."""
        first, second, *windows = (
            tensor.chunk(pieces)[number] for tensor in (*self.events, *self.windows)
        )
        quiet = self.quiet.chunk(pieces)[number]
        return Batch((first, second), (windows[0], windows[1]), quiet, self.other_crop)


def batch_of(
    pairs: Pairs, recipe: Recipe, how: Augmentation, step: int, device: torch.device
) -> Batch:
    """Return the batch of one step: chosen and augmented as the seed and the step say."""
    rng = stream(recipe.seed, "training batch", step)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    events = rng.choice(len(pairs.events), min(recipe.event_pairs, len(pairs.events)), False)
    windows = rng.choice(len(pairs.windows), min(recipe.window_pairs, len(pairs.windows)), False)

    def views(shown: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        brightness = torch.from_numpy(shown).to(device).float() / 255
        changed = augment(brightness.flatten(0, 1), how, generator).unflatten(0, (-1, 2))
        return changed[:, 0], changed[:, 1]

    return Batch(
        views(pairs.events[np.sort(events)]),
        views(pairs.windows[np.sort(windows)]),
        torch.from_numpy(pairs.window_names[np.sort(windows)] == QUIET).to(device),
        int(rng.integers(1, CROPS)) if rng.random() < 0.5 else 0,
    )


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of both views of a batch: of crops [n, 4, 96], and of windows [n, 384]."""

    crops: tuple[Tensor, Tensor]
    windows: tuple[Tensor, Tensor]


def vectors_of(network: CropNetwork, batch: Batch) -> Vectors:
    """Return what the network makes of a batch; both views are normalised as one batch."""
    crops = network.event(torch.cat(batch.events)).chunk(2)
    windows = network.window(torch.cat(batch.windows)).chunk(2)
    return Vectors((crops[0], crops[1]), (windows[0], windows[1]))


def losses_of(vectors: Vectors, batch: Batch, recipe: Recipe) -> dict[str, Tensor]:
    """Return the contrastive losses of whole events, of single crops, and of windows.

    A single crop's partner is the crop of the same duration or, in every other step, of another:
    a real picture may show any duration.
    """
    first, second = vectors.crops
    events = [part.flatten(1) / 2 for part in (first, second)]
    second = second.roll(batch.other_crop, 1)
    single = [nt_xent(first[:, k], second[:, k], recipe.temperature) for k in range(CROPS)]
    return {
        "event": nt_xent(events[0], events[1], recipe.temperature),
        "crop": torch.stack(single).mean(),
        "window": nt_xent(*vectors.windows, recipe.temperature, batch.quiet),
    }


def losses_table(losses: NDArray[np.float64]) -> pa.Table:
    """Return the losses [steps, 3] as rows of ``LOSSES``."""
    columns = dict(zip(PARTS, losses.T, strict=True))
    return pa.table({"step": np.arange(1, len(losses) + 1), **columns}, schema=LOSSES)
