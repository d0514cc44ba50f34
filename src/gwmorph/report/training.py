"""The losses and the learning curves of trainings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gwmorph.report.palette import cluster_color, is_dense, saved_figure, series_color

_RUNNING = 50
# What axes say of the measures of ``CURVES``, in the order of their panels; others are called as
# they are named.
_MEASURES = {
    "mse": "mean squared error",
    "loss": "cross entropy (nat)",
    "cross entropy": "cross entropy (nat)",
    "error": "named wrong (share)",
    "accuracy": "named right (share)",
    "efficiency": "signals found (share)",
}
# Shares of what is right.
_LARGEST_IS_BEST = {"accuracy", "efficiency"}
# A chirp network's falls over orders of magnitude.
_LOGARITHMIC = {"loss"}
_AS_THEY_ARE = "training pictures as they are"
_DASHES: dict[str, Literal["--", "-", ":"]] = {
    "training": "--",
    "validation": "-",
    _AS_THEY_ARE: ":",
}
# By more panels than two, these are narrower, so that words stay large in the report's viewer.
_PANEL_IN, _NARROW_IN = 5.2, 3.8
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


@dataclass(frozen=True)
class CurvePanel:
    """A panel of learning curves: one measure of several trainings.

    Attributes
    ----------
    measure
        What is measured, as ``CURVES`` names it, without the part that it is measured on.
    title
        Above the panel; may be empty.
    lines
        By the name of a training and the part, ``training`` or ``validation``: the steps and the
        values, in the order of the steps.
    """

    measure: str
    title: str
    lines: Mapping[tuple[str, str], Sequence[tuple[int, float]]]


def panels_by_measure(curves: pa.Table) -> list[CurvePanel]:
    """Return a panel for each measure of rows of ``CURVES``, with all trainings in it."""
    lines = _lines(curves)
    known = list(_MEASURES)
    measures = sorted(
        {measure for measure, _, _ in lines},
        key=lambda name: (known.index(name) if name in known else len(known), name),
    )
    return [
        CurvePanel(
            measure, "", {(n, part): p for (m, n, part), p in lines.items() if m == measure}
        )
        for measure in measures
    ]


def panels_by_training(curves: Mapping[str, pa.Table], measure: str) -> list[CurvePanel]:
    """Return a panel for each training, with one measure of every encoder in it.

    ``curves`` holds rows of ``CURVES`` by the name of an encoder: all were trained alike.
    """
    found = {name: _lines(own) for name, own in curves.items()}
    trainings = dict.fromkeys(training for lines in found.values() for _, training, _ in lines)
    return [
        CurvePanel(
            measure,
            training,
            {
                (name, part): points
                for name, lines in found.items()
                for (own, of_training, part), points in lines.items()
                if (own, of_training) == (measure, training)
            },
        )
        for training in trainings
    ]


def _lines(curves: pa.Table) -> dict[tuple[str, str, str], list[tuple[int, float]]]:
    """Return steps and values by measure, training and part."""
    lines: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for row in curves.sort_by("step").to_pylist():
        part, _, measure = row["measure"].replace("_", " ").partition(" ")
        measure, of_training, _ = measure.partition(" of training pictures")
        key = (measure, row["trained"], _AS_THEY_ARE if of_training else part)
        lines.setdefault(key, []).append((row["step"], row["value"]))
    order = {name: rank for rank, name in enumerate(dict.fromkeys(curves["trained"].to_pylist()))}
    return dict(sorted(lines.items(), key=lambda line: order[line[0][1]]))


def draw_curves(panels: Sequence[CurvePanel], path: Path | str) -> None:
    """Draw learning curves: a colour for each training.

    Training is dashed, validation solid; the best validation by the panel's measure is marked.

    Parameters
    ----------
    panels
        From `panels_by_measure` or `panels_by_training`.
    path
        SVG, PDF or PNG to write.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    names = list(dict.fromkeys(name for panel in panels for name, _ in panel.lines))
    shown = {part for panel in panels for _, part in panel.lines}
    parts = [part for part in _DASHES if part in shown]
    height = 4.0 + 0.25 * ((len(names) + len(parts) - 1) // 2)
    width = _PANEL_IN if len(panels) < 3 else _NARROW_IN
    one = len({panel.measure for panel in panels}) == 1
    with saved_figure(path, width * len(panels), height) as figure:
        drawn = figure.subplots(1, len(panels), squeeze=False, sharey=one)[0]
        for axes, panel in zip(drawn, panels, strict=True):
            for (name, part), points in panel.lines.items():
                _draw_curve(axes, points, panel.measure, part, series_color(names.index(name)))
            axes.set_title(panel.title)
            axes.set_xlabel("update")
            axes.set_ylabel(_MEASURES.get(panel.measure, panel.measure))
            if one:
                axes.label_outer()
            if panel.measure in _LOGARITHMIC:
                axes.set_yscale("log")
            elif panel.measure in _LARGEST_IS_BEST:
                axes.set_ylim(-0.02, 1.02)
            else:
                axes.set_ylim(bottom=0)
        handles = [
            Line2D([], [], color=series_color(number), label=name)
            for number, name in enumerate(names)
        ]
        handles += [
            Line2D([], [], color="black", linestyle=_DASHES[part], label=part) for part in parts
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)


def _draw_curve(
    axes: Axes, points: Sequence[tuple[int, float]], measure: str, part: str, color: str
) -> None:
    steps, values = np.array(points).T
    # A line of one point would not be seen.
    marker = "." if len(points) == 1 else ""
    axes.plot(steps, values, _DASHES[part], color=color, linewidth=1.2, marker=marker)
    if part == "validation":
        best = int(np.argmax(values) if measure in _LARGEST_IS_BEST else np.argmin(values))
        axes.plot(steps[best], values[best], "o", color=color, markersize=5)
