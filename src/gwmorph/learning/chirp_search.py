"""The training of a chirp network, and its scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gwmorph.evidence.chirp_windows import Look, Noise, Signals
from gwmorph.learning.chirp_examples import Curriculum, Examples, chirp_batch
from gwmorph.learning.chirp_networks import NETWORKS, ChirpNetwork, softmax, unbounded
from gwmorph.learning.loop import (
    Checkpoint,
    Fitted,
    Validation,
    adamw,
    fit,
    multiplying_in,
    schedule,
)
from gwmorph.simulation.streams import stream

# Windows that are scored at once.
_AT_ONCE = 256
# False-alarm probability at which validation measures the share of found signals.
_VALIDATED_AT = 0.01


@dataclass(frozen=True)
class ChirpRecipe:
    """What a training's result depends on, besides signals, noise, precision and machine.

    Attributes
    ----------
    network
        Name of the architecture (`NETWORKS`).
    steps, batch_size
        Updates of the weights, and windows of each.
    learning_rate, weight_decay
        Of AdamW; the rate rises over a twentieth of the steps and falls as a cosine.
    dropout
        Share of the numbers before a dense layer that are left out.
    curriculum
        SNRs of the signals.
    validate_every
        Steps between validations.
    seed
        Of the first weights and of all batches.
    """

    network: str
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    dropout: float
    curriculum: Curriculum
    validate_every: int
    seed: int


@dataclass(frozen=True)
class Telling:
    """The task: to tell windows with a signal from those without, by cross-entropy."""

    signals: Signals
    noise: Noise
    look: Look
    recipe: ChirpRecipe
    device: torch.device
    precision: torch.dtype
    parts: tuple[str, ...] = ("loss",)

    def losses(
        self, network: ChirpNetwork, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a step's batch."""
        recipe = self.recipe
        rng = stream(recipe.seed, "chirp batch", step)
        # Dropout takes the generator that is shared by all of torch: a training that goes on from
        # a checkpoint must find it as it would have been.
        torch.manual_seed(int(rng.integers(2**62)))
        examples = chirp_batch(
            self.signals,
            self.noise,
            self.look,
            recipe.curriculum,
            recipe.batch_size,
            step / recipe.steps,
            rng,
        )
        windows = torch.from_numpy(examples.windows[piece::pieces]).to(self.device)
        signal = torch.from_numpy(examples.signal[piece::pieces]).long().to(self.device)
        with multiplying_in(self.precision, self.device):
            logits = network(windows)
        loss = nn.functional.cross_entropy(logits, signal)
        return loss, {"loss": loss}


def train_chirp_network(
    signals: Signals,
    noise: Noise,
    look: Look,
    recipe: ChirpRecipe,
    validation: Examples,
    checkpoint: Checkpoint,
    device: torch.device,
    precision: torch.dtype,
    progress: Callable[[int, Mapping[str, float]], None],
) -> tuple[Fitted[ChirpNetwork], Telling]:
    """Train a network; the weights are those of the smallest loss on ``validation``.

    Raises
    ------
    TrainingError
        As `gwmorph.learning.loop.fit`.
    """
    torch.manual_seed(recipe.seed)
    make = NETWORKS[recipe.network]
    network = make(len(look.detectors), look.samples, recipe.dropout).to(device)
    task = Telling(signals, noise, look, recipe, device, precision)

    def measure(network: ChirpNetwork) -> Mapping[str, float]:
        logits = chirp_logits(network, validation.windows, precision)
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(validation.signal).long())
        ranked = unbounded(logits).numpy()
        limit = np.quantile(ranked[~validation.signal], 1 - _VALIDATED_AT)
        found = float((ranked[validation.signal] > limit).mean())
        return {"loss": float(loss), "efficiency": found}

    fitted = fit(
        network,
        task,
        adamw(network, recipe.learning_rate, recipe.weight_decay),
        lambda step: recipe.learning_rate * schedule(step, recipe.steps),
        recipe.steps,
        checkpoint,
        progress,
        Validation(recipe.validate_every, measure, "loss"),
    )
    return fitted, task


def chirp_logits(
    network: ChirpNetwork, windows: NDArray[np.float32], precision: torch.dtype
) -> Tensor:
    """Return the logits of windows [n, detectors, samples], float32 [n, 2] on the CPU."""
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode(), multiplying_in(precision, device):
        for first in range(0, len(windows), _AT_ONCE):
            part = torch.from_numpy(windows[first : first + _AT_ONCE]).to(device)
            parts.append(network(part).cpu())
    return torch.cat(parts)


def scores_of(network: ChirpNetwork, windows: NDArray[np.float32]) -> dict[str, NDArray]:
    """Return both scores of windows by name, ``unbounded`` and ``softmax``: float32 [n]."""
    logits = chirp_logits(network, windows, torch.float32)
    return {"unbounded": unbounded(logits).numpy(), "softmax": softmax(logits).numpy()}
