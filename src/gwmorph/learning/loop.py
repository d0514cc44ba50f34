"""The training loop of every network: the same result whether or not it was interrupted.

What happens at a step depends on the seed, the step, and the state before it; a checkpoint holds
that state. So a killed training goes on from its last checkpoint and ends with the same bytes, on
one kind of processor with one number of threads and one precision. A GPU promises no equal bytes.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gwmorph.encoders.precision import has_bf16
from gwmorph.errors import ConfigError, TrainingError
from gwmorph.progress import counting
from gwmorph.storage import atomic_path
from gwmorph.tables.parquet import write_table
from gwmorph.tables.training import CURVES

Network = TypeVar("Network", bound=nn.Module)
Trained_contra = TypeVar("Trained_contra", bound=nn.Module, contravariant=True)
# Halves of a batch, one after the other, where all of it is more than a GPU holds.
_PIECES = 2
_log = logging.getLogger(__name__)


class Task(Protocol[Trained_contra]):
    """What a network is trained to do."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the losses that are told of each step."""
        ...

    def losses(
        self, network: Trained_contra, step: int, piece: int, pieces: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return what is to become smaller at a step, and its parts, as means over the batch.

        The batch depends on the step alone. Of ``pieces`` of it, as equal as can be, this is the
        one of number ``piece``; there is one unless memory was short.
        """
        ...


@dataclass(frozen=True)
class Validation(Generic[Network]):
    """How well a network does on what it is not trained on.

    Attributes
    ----------
    every
        Steps from one validation to the next; the last step is followed by one, too.
    measure
        Returns named numbers of a network, which is in evaluation mode and takes no gradients.
    judged_by
        The name of the number whose smallest value is the best network's.
    patience
        Validations without a better one after which the training ends; None: it does not.
    """

    every: int
    measure: Callable[[Network], Mapping[str, float]]
    judged_by: str
    patience: int | None = None


@dataclass(frozen=True)
class Fitted(Generic[Network]):
    """A trained network and its way there.

    Attributes
    ----------
    network
        In evaluation mode, with the weights of the best validation, or of the last step if there
        was none.
    losses
        The parts of the loss of each step that was done, float64 [steps, parts].
    validations
        For each validation the number of steps before it, and what it measured.
    best_step
        The number of steps before the best validation; without any, all of them.
    """

    network: Network
    losses: NDArray[np.float64]
    validations: tuple[tuple[int, Mapping[str, float]], ...]
    best_step: int


class _State(Generic[Network]):
    def __init__(
        self, network: Network, optimiser: torch.optim.Optimizer, losses: NDArray[np.float64]
    ) -> None:
        self.network, self.optimiser, self.losses = network, optimiser, losses
        self.step = 0
        self.validations: list[tuple[int, dict[str, float]]] = []
        self.best: dict[str, Tensor] | None = None


@dataclass(frozen=True)
class Checkpoint:
    """Where a training's state is kept, after how many steps, and whose state it is.

    ``training`` names everything that the state depends on; another training's is ignored.
    """

    path: Path
    every: int
    training: str

    def save(self, state: _State[Any]) -> None:
        """Keep the state before the next step."""
        kept = {
            "training": self.training,
            "step": state.step,
            "network": state.network.state_dict(),
            "optimiser": state.optimiser.state_dict(),
            "losses": torch.from_numpy(state.losses),
            "validations": state.validations,
            "best": state.best,
        }
        with atomic_path(self.path) as partial:
            torch.save(kept, partial)

    def resume(self, state: _State[Any], device: torch.device) -> None:
        """Take up this training's state if there is one."""
        if not self.path.exists():
            return
        kept = torch.load(self.path, map_location=device, weights_only=True)
        if kept["training"] != self.training:
            return
        state.network.load_state_dict(kept["network"])
        state.optimiser.load_state_dict(kept["optimiser"])
        state.losses[:] = kept["losses"].cpu().numpy()
        state.step = int(kept["step"])
        state.validations = [tuple(one) for one in kept["validations"]]
        state.best = kept["best"]


def fit(
    network: Network,
    task: Task[Network],
    optimiser: torch.optim.Optimizer,
    rate: Callable[[int], float],
    steps: int,
    checkpoint: Checkpoint,
    progress: Callable[[int, Mapping[str, float]], None],
    validation: Validation[Network] | None = None,
) -> Fitted[Network]:
    """Train a network for a number of steps, or until it no longer becomes better.

    Parameters
    ----------
    network, optimiser
        Before the first step, as the seed says; on the device that it is trained on.
    rate
        Learning rate of each step. A group of parameters may have a factor on it of its own under
        ``scale``.
    checkpoint
        What a killed training goes on from.
    progress
        Is told each step's number and losses.
    validation
        Chooses the step whose weights are returned, and may end the training.

    Raises
    ------
    TrainingError
        A loss is not finite, of a step or of a validation; the last checkpoint is kept. Or a GPU
        has too little memory even for half a batch.
    """
    device = next(network.parameters()).device
    state = _State(network, optimiser, np.full((steps, len(task.parts)), np.nan))
    checkpoint.resume(state, device)
    network.train()
    pieces = 1
    while state.step < steps and not _ended(state, validation):
        for group in optimiser.param_groups:
            group["lr"] = rate(state.step) * group.get("scale", 1.0)
        try:
            losses = _gradients(network, task, optimiser, state.step, pieces)
        except torch.OutOfMemoryError as error:
            if pieces == _PIECES:
                raise TrainingError(
                    f"step {state.step + 1}: the GPU has too little memory for half a batch "
                    f"({error}). Set the batch size lower, or the device to cpu."
                ) from error
            _log.warning("The GPU has too little memory for a batch: it is cut in half.")
            pieces = _PIECES
            continue
        found = dict(zip(task.parts, losses, strict=True))
        _require_finite("a loss", found, state.step, checkpoint)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state.losses[state.step] = losses
        progress(state.step, found)
        state.step += 1
        if validation and (state.step % validation.every == 0 or state.step == steps):
            _validate(state, validation, checkpoint)
        if state.step % checkpoint.every == 0:
            checkpoint.save(state)
    if state.best is not None:
        network.load_state_dict(state.best)
    best_step = state.step
    if validation and state.validations:
        best_step = state.validations[_best(state, validation)][0]
    return Fitted(network.eval(), state.losses[: state.step], tuple(state.validations), best_step)


def _gradients(
    network: Network,
    task: Task[Network],
    optimiser: torch.optim.Optimizer,
    step: int,
    pieces: int,
) -> list[float]:
    """Leave the gradients of a batch in the network; return the parts of its loss."""
    optimiser.zero_grad(set_to_none=True)
    found = np.zeros(len(task.parts))
    for piece in range(pieces):
        total, parts = task.losses(network, step, piece, pieces)
        (total if pieces == 1 else total / pieces).backward()
        found += [parts[name].item() / pieces for name in task.parts]
    return found.tolist()


def _require_finite(
    what: str, found: Mapping[str, float], steps: int, checkpoint: Checkpoint
) -> None:
    """Refuse numbers that are not finite after so many ``steps`` that were sound."""
    if all(map(math.isfinite, found.values())):
        return
    told = ", ".join(f"{name} {value:g}" for name, value in found.items())
    kept = (
        f"The state before step {steps // checkpoint.every * checkpoint.every + 1} is kept in "
        f"{checkpoint.path}"
        if checkpoint.path.exists()
        else "It ended before its first checkpoint"
    )
    raise TrainingError(
        f"step {steps + 1}: {what} is not finite ({told}). {kept}. Set the learning rate "
        "lower, or look for damaged pictures or strain among what it is trained on."
    )


def _validate(
    state: _State[Network], validation: Validation[Network], checkpoint: Checkpoint
) -> None:
    state.network.eval()
    with torch.inference_mode():
        found = dict(validation.measure(state.network))
    state.network.train()
    judged = {validation.judged_by: found[validation.judged_by]}
    # The last step's is followed by no loss that would tell, and NaN would count as the best.
    _require_finite("the validation", judged, state.step - 1, checkpoint)
    state.validations.append((state.step, found))
    if _best(state, validation) == len(state.validations) - 1:
        state.best = {name: t.detach().clone() for name, t in state.network.state_dict().items()}


def _best(state: _State[Any], validation: Validation[Any]) -> int:
    """Return the number of the best validation, the earliest of equals."""
    return int(np.argmin([found[validation.judged_by] for _, found in state.validations]))


def _ended(state: _State[Any], validation: Validation[Any] | None) -> bool:
    if validation is None or validation.patience is None or not state.validations:
        return False
    return len(state.validations) - 1 - _best(state, validation) >= validation.patience


def curves_table(name: str, task: Task[Any], fitted: Fitted[Any], every: int) -> pa.Table:
    """Return the learning curves of a training as rows of ``CURVES``.

    Losses of training are means over ``every`` steps each; what was left over is a mean, too.
    """
    rows = [
        {"trained": name, "step": step, "measure": f"validation {measure}", "value": value}
        for step, found in fitted.validations
        for measure, value in found.items()
    ]
    steps = len(fitted.losses)
    for first in range(0, steps, every):
        last = min(first + every, steps)
        means = fitted.losses[first:last].mean(axis=0).tolist()
        rows += [
            {"trained": name, "step": last, "measure": f"training {part}", "value": mean}
            for part, mean in zip(task.parts, means, strict=True)
        ]
    return pa.Table.from_pylist(rows, schema=CURVES)


@contextmanager
def counted_steps(
    steps: int, what: str = "training steps"
) -> Iterator[Callable[[int, Mapping[str, float]], None]]:
    """Yield what `fit` is to tell each step to, which shows how many of them are done."""
    with counting(what, steps) as progress:
        yield lambda step, parts: progress.reach(step + 1)


def write_curves(
    path: Path, name: str, task: Task[Any], fitted: Fitted[Any], every: int, training: str
) -> None:
    """Write the `curves_table` of one training, and which ``training`` it was (`Checkpoint`).

    Raises
    ------
    StorageError
        The table cannot be written whole.
    """
    rows = curves_table(name, task, fitted, every)
    write_table(path, CURVES, rows, {"gwmorph.training": training})


def schedule(step: int, steps: int) -> float:
    """Return the factor on the learning rate: a linear rise, then half a cosine down to 0.01."""
    rise = max(steps // 20, 1)
    if step < rise:
        return (step + 1) / rise
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1)))


def adamw(network: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW that lets matrices decay, and neither biases nor norms."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate)


def multiplying_in(precision: torch.dtype, device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which matrices are multiplied in ``precision``; the rest is float32."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def choose_device(name: str, section: str) -> torch.device:
    """Return the device of that name; ``auto`` is a GPU if there is one.

    ``section`` is that of the configuration which says so.

    Raises
    ------
    ConfigError
        A GPU is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"{section}.device: 'cuda' was asked for, but PyTorch sees no GPU here. Set it to "
            "auto."
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_precision(name: str, device: torch.device, section: str) -> torch.dtype:
    """Return the numbers of that name; ``auto`` is bf16 where the device multiplies it itself.

    ``section`` is that of the configuration which says so.

    Raises
    ------
    ConfigError
        bf16 is asked for on a GPU that has none.
    """
    on_gpu = device.type == "cuda"
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if on_gpu else has_bf16()
    if name == "bf16" and on_gpu and not fast:
        raise ConfigError(
            f"{section}.precision: 'bf16' was asked for, but this GPU does not have it. Set it to "
            "auto or float32."
        )
    return torch.bfloat16 if name == "bf16" or (name == "auto" and fast) else torch.float32
