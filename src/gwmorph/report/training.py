"""The losses of a training."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from gwmorph.report.palette import cluster_color, is_dense, saved_figure

_RUNNING = 50
_LABELS = {"event": "event views", "crop": "single crops", "window": "windows of 32 s"}


def draw_losses(losses: pa.Table, chance: Mapping[str, float], path: Path | str) -> None:
    """Draw each loss of every update, its running mean, and what a network gets by chance.

    Parameters
    ----------
    losses
        Rows of ``LOSSES``, by step.
    chance
        For each of the three columns, the loss of a network that has learned nothing.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    steps = losses["step"].to_numpy()
    with saved_figure(path, 7.5, 3.8) as figure:
        axes = figure.subplots()
        for number, (name, label) in enumerate(_LABELS.items()):
            color = cluster_color(2 * number)
            values = losses[name].to_numpy()
            width = min(_RUNNING, len(values))
            mean = np.convolve(values, np.full(width, 1 / width), "valid")
            axes.plot(
                steps, values, color=color, alpha=0.25, linewidth=0.6,
                rasterized=is_dense(len(steps)),
            )  # fmt: skip
            axes.plot(steps[width - 1 :], mean, color=color, label=label)
            axes.axhline(chance[name], color=color, linestyle=":", linewidth=1)
        axes.set_xlabel("update")
        axes.set_ylabel("contrastive loss (nat)")
        axes.set_ylim(bottom=0)
        axes.legend()
