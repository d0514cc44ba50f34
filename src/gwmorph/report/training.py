"""The losses and the learning curves of trainings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gwmorph.report.palette import cluster_color, is_dense, saved_figure, series_color

_RUNNING = 50
# Measures of classifiers; others are called as they are named.
_MEASURES = {"cross_entropy": "cross entropy (nat)", "error": "named wrong (share)"}
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
    """Draw learning curves: a panel for each measure, a colour for each training.

    Training is dashed, validation solid; the best validation by the panel's measure is marked.

    Parameters
    ----------
    curves
        Rows of ``CURVES``, of one training or of several.
    path
        SVG, PDF or PNG to write.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    lines: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for row in curves.to_pylist():
        part, _, measure = row["measure"].partition(" ")
        points = lines.setdefault((measure, row["trained"], part), [])
        points.append((row["step"], row["value"]))
    measures = sorted({measure for measure, _, _ in lines})
    trained = list(dict.fromkeys(curves["trained"].to_pylist()))
    with saved_figure(path, 5.2 * len(measures), 4.0 + 0.25 * ((len(trained) + 1) // 2)) as figure:
        panels = figure.subplots(1, len(measures), squeeze=False)[0]
        for axes, measure in zip(panels, measures, strict=True):
            for number, name in enumerate(trained):
                for part, style in (("training", "--"), ("validation", "-")):
                    _draw_curve(axes, sorted(lines.get((measure, name, part), [])), style, number)
            axes.set_xlabel("update")
            axes.set_ylabel(_MEASURES.get(measure, measure.replace("_", " ")))
            axes.set_ylim(bottom=0)
        handles = [
            Line2D([], [], color=series_color(number), label=name)
            for number, name in enumerate(trained)
        ]
        handles += [
            Line2D([], [], color="black", linestyle="--", label="training"),
            Line2D([], [], color="black", linestyle="-", label="validation"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)


def _draw_curve(axes: Axes, points: Sequence[tuple[int, float]], style: str, number: int) -> None:
    if not points:
        return
    steps, values = np.array(points).T
    axes.plot(steps, values, style, color=series_color(number), linewidth=1.2)
    if style == "-":
        best = int(np.argmin(values))
        axes.plot(steps[best], values[best], "o", color=series_color(number), markersize=5)
