"""The report of classifiers: a table, what is taken for what, and the worst mistakes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.learning.labelled_pictures import LabelledPictures
from gwmorph.learning.scoring import confusion
from gwmorph.report.palette import saved_figure
from gwmorph.wording import number

TRIGGERS = "triggers"
_COLUMNS = 6  # of the gallery
_NO_MISTAKES = "no picture of the test part is named wrong"


def supervised_text(
    scored: pa.Table, ms_per_picture: Mapping[str, float]
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table of classifiers.

    Parameters
    ----------
    scored
        Rows of ``SUPERVISED``.
    ms_per_picture
        Time by the name of the training; the trigger columns have none.
    """
    headings = [
        "network",
        "batch",
        "window",
        "split",
        "accuracy",
        "macro-F1",
        "wrong of the validation part",
        "test pictures",
        "training pictures",
        "classes",
        "parameters, millions",
        "ms a picture",
        "epochs",
        "best epoch",
        "start of the weights",
    ]
    return headings, [
        [
            "trigger columns alone" if row["network"] == TRIGGERS else row["network"],
            "" if row["batch_size"] is None else str(row["batch_size"]),
            row["window"],
            row["split"],
            _estimate(row, "accuracy"),
            _estimate(row, "macro_f1"),
            f"{row['validation_error']:.3f}",
            f"{row['pictures']:,}",
            f"{row['trained_on']:,}",
            str(row["classes"]),
            "" if row["parameters"] is None else f"{row['parameters'] / 1e6:.2f}",
            number(ms_per_picture.get(row["trained"]), ".1f"),
            number(row["epochs"], "g"),
            number(row["best_epoch"], "g"),
            _start(row),
        ]
        for row in scored.to_pylist()
    ]


def _estimate(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"


def _start(row: Mapping[str, Any]) -> str:
    if row["start"] is None:
        return ""
    if row["start_sha256"] is None:
        return "RANDOM, no transfer"
    return f"{row['start']} ({row['start_sha256'][:12]})"


def best_trainings(scored: pa.Table) -> list[dict[str, Any]]:
    """Return for each split the network with the fewest errors on its validation part.

    What the test part says chooses nothing. ``scored`` are rows of ``SUPERVISED``.
    """
    rows = [row for row in scored.to_pylist() if row["network"] != TRIGGERS]
    return [
        min((row for row in rows if row["split"] == split), key=lambda r: r["validation_error"])
        for split in dict.fromkeys(row["split"] for row in rows)
    ]


def draw_confusions(
    best: Sequence[Mapping[str, Any]], predictions: Mapping[str, pa.Table], path: Path | str
) -> None:
    """Draw what each class is taken for, a panel for each of some trainings.

    Parameters
    ----------
    best
        Rows of ``SUPERVISED``.
    predictions
        Rows of ``PREDICTIONS`` by the name of the training.
    path
        SVG, PDF or PNG to write.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    found = [
        confusion(*(_texts(predictions[row["trained"]], name) for name in ("label", "named")))
        for row in best
    ]
    height = 2.4 + 0.24 * max(len(classes) for classes, _ in found)
    with saved_figure(path, (height + 1.2) * len(best), height) as figure:
        panels = figure.subplots(1, len(best), squeeze=False)[0]
        for axes, row, (classes, counts) in zip(panels, best, found, strict=True):
            _draw_confusion(axes, classes, counts)
            axes.set_title(
                f"{row['network']}, batch {row['batch_size']}, window {row['window']},\n"
                f"{row['split']} split: accuracy {row['accuracy']:.3f}"
            )


def _texts(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), dtype=str)


def _draw_confusion(axes: Axes, classes: Sequence[str], counts: np.ndarray) -> None:
    """Draw shares of each class; numbers are pictures. Classes that none is of have no row."""
    own = counts.sum(axis=1) > 0
    shares = counts[own] / counts[own].sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(shares > 0):
        axes.text(
            column, row, str(counts[own][row, column]), ha="center", va="center", fontsize=6,
            color="white" if shares[row, column] > 0.5 else "black",
        )  # fmt: skip
    names = np.array([name.replace("_", " ") for name in classes])
    style: dict[str, Any] = {"fontsize": 7, "parse_math": False}
    axes.set_yticks(range(int(own.sum())), names[own].tolist(), **style)
    axes.set_xticks(range(len(names)), names.tolist(), rotation=60, ha="right", **style)
    axes.set_ylabel("class")
    axes.set_xlabel("named")


def draw_mistakes(
    pictures: LabelledPictures, predictions: pa.Table, count: int, path: Path | str
) -> None:
    """Draw the pictures that are named wrong most surely, with class, name and probability.

    Parameters
    ----------
    pictures
        All labelled pictures, in the colours of their scale.
    predictions
        Rows of ``PREDICTIONS`` of them.
    count
        Pictures to show, at most.
    path
        PNG, SVG or PDF to write.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    wrong = [row for row in predictions.to_pylist() if row["label"] != row["named"]]
    wrong.sort(key=lambda row: (-row["probability"], row["row"]))
    shown = wrong[:count]
    columns = min(_COLUMNS, max(len(shown), 1))
    rows = max(-(-len(shown) // columns), 1)
    with saved_figure(path, 2.3 * columns, 2.5 * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        if not shown:
            panels[0].text(0.5, 0.5, _NO_MISTAKES, ha="center", va="center")
        for axes, row in zip(panels, shown, strict=False):
            axes.imshow(pictures.scale.rgb(pictures.pictures[row["row"]]), aspect="auto")
            axes.set_title(
                f"{row['label']}\nnamed {row['named']}, {row['probability']:.2f}".replace(
                    "_", " "
                ),
                fontsize=7,
                parse_math=False,
            )
