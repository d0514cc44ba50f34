"""The report of the autoencoder: views drawn again, and what it is worth."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.report.estimates import interval_text
from gwmorph.report.palette import saved_figure
from gwmorph.spectra.pictures import palette
from gwmorph.tables.autoencoder import RECONSTRUCTIONS

_SIDE = 56
_FIGURES = {"mse": "mean squared error", "accuracy": "accuracy", "macro_f1": "macro-F1"}
_PARTS = ("train", "validation", "test")


def draw_reconstructions(rows: pa.Table, colormap: str, path: Path | str) -> None:
    """Draw views and their reconstructions side by side, all on one scale of brightness.

    Parameters
    ----------
    rows
        Of ``RECONSTRUCTIONS``: the views of a class follow each other.
    colormap
        Of a run's pictures.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    shown = rows.select(RECONSTRUCTIONS.names).to_pylist()
    classes = list(dict.fromkeys(row["class_rank"] for row in shown))
    each = {name: [row for row in shown if row["class_rank"] == name] for name in classes}
    most = max(len(views) for views in each.values())
    with saved_figure(path, 2 * most * 1.75, 2.1 * len(classes)) as figure:
        panels = figure.subplots(len(classes), 2 * most, squeeze=False)
        for line, (rank, views) in zip(panels, each.items(), strict=True):
            for number, row in enumerate(views):
                view, drawn = line[2 * number], line[2 * number + 1]
                view.set_title(f"{row['view_rank']} view", fontsize=8)
                drawn.set_title(f"drawn again, {row['mse']:.4f}", fontsize=8)
                for axes, name in ((view, "view"), (drawn, "drawn")):
                    axes.imshow(palette(colormap)[_laid_out(row[name])], interpolation="nearest")
            said = f"{rank} class:\n{views[0]['label']}\n{views[0]['class_mse']:.4f}"
            line[0].set_ylabel(said, fontsize=8)
        for axes in panels.flat:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)


def _laid_out(crops: bytes) -> NDArray[np.uint8]:
    """Return the crops [4, 56, 56] of a view two by two: uint8 [112, 112]."""
    four = np.frombuffer(crops, np.uint8).reshape(2, 2, _SIDE, _SIDE)
    return four.transpose(0, 2, 1, 3).reshape(2 * _SIDE, 2 * _SIDE)


def scores_text(scores: pa.Table) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table of what an autoencoder is worth.

    ``scores`` has rows of ``AUTOENCODER_SCORES``. The last column is how much worse a figure is
    on the test part than on the training part: how far what is scored is over-fitted.
    """
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in scores.to_pylist():
        found.setdefault((row["scored"], row["figure"]), {})[row["part"]] = row
    headings = ["", "figure", *(f"{part} part" for part in _PARTS), "test beside train", "views"]
    return headings, [
        [
            scored,
            _FIGURES[figure],
            *(_cell(parts.get(part), figure) for part in _PARTS),
            _gap(parts, figure),
            f"{parts['test']['views']:,}",
        ]
        for (scored, figure), parts in found.items()
    ]


def _cell(row: dict[str, Any] | None, figure: str) -> str:
    if figure != "mse" or row is None:
        return interval_text(row)
    return f"{row['value']:.5f} ({row['low']:.5f} to {row['high']:.5f})"


def _gap(parts: dict[str, dict[str, Any]], figure: str) -> str:
    if "train" not in parts:
        return ""
    test, train = parts["test"]["value"], parts["train"]["value"]
    return f"{test / train - 1:+.1%}" if figure == "mse" else f"{test - train:+.3f}"
