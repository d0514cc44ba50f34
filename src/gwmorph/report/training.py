"""The losses and learning curves of trainings."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.report.palette import cluster_color, is_dense, saved_figure, series_color

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


def draw_curves(curves: pa.Table, path: Path | str) -> None:
    """Draw learning curves: a panel for each network, what is learned from and what validates.

    Parameters
    ----------
    curves
        Rows of ``CURVES``. Losses are on the left axis; fractions (accuracy) on one at the right.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    trained = curves["trained"].unique().to_pylist()
    with saved_figure(path, max(4.2 * len(trained), 6.4), 3.6) as figure:
        panels = figure.subplots(1, len(trained), squeeze=False)[0]
        for axes, name in zip(panels, trained, strict=True):
            own = curves.filter(pc.equal(curves["trained"], name))
            beside = None
            for number, measure in enumerate(own["measure"].unique().to_pylist()):
                part = own.filter(pc.equal(own["measure"], measure)).sort_by("step")
                drawn_in = axes
                if measure.endswith("accuracy"):
                    beside = drawn_in = beside or axes.twinx()
                drawn_in.plot(
                    part["step"].to_numpy(), part["value"].to_numpy(), color=series_color(number),
                    marker=".", markersize=3, label=measure,
                )  # fmt: skip
            axes.set_title(name)
            axes.set_xlabel("update")
            axes.set_ylabel("loss")
            axes.set_yscale("log")
            lines = axes.get_lines()
            if beside is not None:
                beside.spines.right.set_visible(True)
                beside.set_ylim(0, 1)
                beside.set_ylabel("accuracy")
                lines = [*lines, *beside.get_lines()]
            axes.legend(
                lines, [line.get_label() for line in lines],
                loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=8,
            )  # fmt: skip
