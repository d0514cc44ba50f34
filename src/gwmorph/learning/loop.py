"""The training loop: the same result whether or not it was interrupted.

What happens at a step depends on the seed, the step, and the state before it; a checkpoint holds
that state. So a killed training goes on from its last checkpoint and ends with the same bytes, on
one kind of processor with one number of threads and one precision. A GPU promises no equal bytes.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.crops import CROPS
from gwmorph.encoders.precision import has_bf16
from gwmorph.errors import ConfigError
from gwmorph.learning.contrastive import Augmentation, augment, nt_xent
from gwmorph.learning.pairs import QUIET, Pairs
from gwmorph.simulation.streams import stream
from gwmorph.storage import atomic_path
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


@dataclass(frozen=True)
class Checkpoint:
    """Where a training's state is kept, after how many steps, and whose state it is.

    ``training`` names everything that the state depends on; another training's is ignored.
    """

    path: Path
    every: int
    training: str

    def save(
        self,
        step: int,
        network: CropNetwork,
        optimiser: torch.optim.Optimizer,
        losses: NDArray[np.float64],
    ) -> None:
        """Keep the state before ``step``."""
        state = {
            "training": self.training,
            "step": step,
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "losses": torch.from_numpy(losses),
        }
        with atomic_path(self.path) as partial:
            torch.save(state, partial)

    def resume(
        self,
        network: CropNetwork,
        optimiser: torch.optim.Optimizer,
        losses: NDArray[np.float64],
        device: torch.device,
    ) -> int:
        """Take up this training's state if there is one; return the next step."""
        if not self.path.exists():
            return 0
        state = torch.load(self.path, map_location=device, weights_only=True)
        if state["training"] != self.training:
            return 0
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        losses[:] = state["losses"].cpu().numpy()
        return int(state["step"])


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
    """
    for kind, shown in (("event views", pairs.events), ("windows", pairs.windows)):
        if len(shown) < 2:
            raise ConfigError(
                f"training.parts and training.windows_per_part: {len(shown)} pairs of {kind}, "
                "expected at least two. Simulate more windows."
            )
    torch.manual_seed(recipe.seed)
    network = CropNetwork(architecture).to(device).train()
    # Convolutions are a tenth faster so.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = _optimiser(network, recipe)
    losses = np.full((recipe.steps, len(PARTS)), np.nan)
    first = checkpoint.resume(network, optimiser, losses, device)
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, recipe.steps)
        batch = batch_of(pairs, recipe, augmentation, step, device)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            vectors = vectors_of(network, batch)
        parts = losses_of(vectors, batch, recipe)
        total = parts["event"] + recipe.crop_weight * parts["crop"] + parts["window"]
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses[step] = [parts[name].item() for name in PARTS]
        progress(step, dict(zip(PARTS, losses[step].tolist(), strict=True)))
        if (step + 1) % checkpoint.every == 0:
            checkpoint.save(step + 1, network, optimiser, losses)
    return network.eval(), losses


def schedule(step: int, steps: int) -> float:
    """Return the factor on the learning rate: a linear rise, then half a cosine down to 0.01."""
    rise = max(steps // 20, 1)
    if step < rise:
        return (step + 1) / rise
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1)))


@dataclass(frozen=True)
class Batch:
    """Both views of some pairs of each kind, float [n, 4, 56, 56], and which windows are quiet."""

    events: tuple[Tensor, Tensor]
    windows: tuple[Tensor, Tensor]
    quiet: Tensor
    other_crop: int


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


def _optimiser(network: CropNetwork, recipe: Recipe) -> torch.optim.AdamW:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is a GPU if there is one.

    Raises
    ------
    ConfigError
        A GPU is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "training.device: 'cuda' was asked for, but PyTorch sees no GPU here. Set it to auto."
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the numbers of that name; ``auto`` is bf16 where the device multiplies it itself.

    Raises
    ------
    ConfigError
        bf16 is asked for on a GPU that has none.
    """
    on_gpu = device.type == "cuda"
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if on_gpu else has_bf16()
    if name == "bf16" and on_gpu and not fast:
        raise ConfigError(
            "training.precision: 'bf16' was asked for, but this GPU does not have it. Set it to "
            "auto or float32."
        )
    return torch.bfloat16 if name == "bf16" or (name == "auto" and fast) else torch.float32


def losses_table(losses: NDArray[np.float64]) -> pa.Table:
    """Return the losses [steps, 3] as rows of ``LOSSES``."""
    columns = dict(zip(PARTS, losses.T, strict=True))
    return pa.table({"step": np.arange(1, len(losses) + 1), **columns}, schema=LOSSES)
