"""The report of encoders that were specialised to labels: a page, and figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.learning.scoring import confusion
from gwmorph.report.estimates import draw_series, interval_text
from gwmorph.report.html import Words, heading, page, paragraph, table
from gwmorph.report.palette import cluster_color, is_dense, saved_figure
from gwmorph.storage import write_bytes
from gwmorph.tables.finetune import FEW_SHOT, FEW_SHOT_BY_GLITCH, FULL, PROBE, TEST_PART

_FIGURES = {
    "accuracy": ("accuracy", "share of pictures whose class is told"),
    "macro_f1": ("macro-F1", "mean of F1 over the classes"),
    "macro_f1_gap": (
        "full fine-tuning gains",
        "macro-F1 of full fine-tuning less that of this way, paired",
    ),
}
_LABELS = {"pixels": "principal components of the pictures", "triggers": "trigger columns",
           "random": "random network", "indomain_finetuned": "indomain, fine-tuned"}  # fmt: skip
_DATA = {"real": "pictures of Gravity Spy's", "real_strain": "glitches in strain"}
# Names of more classes than this are not written beside every square.
_WRITTEN_SHARES = 12


def write_scores_page(scores: pa.Table, path: Path | str) -> None:
    """Write rows of ``FINETUNE_SCORES`` as a page: figures of each way, then F1 of each class."""
    rows = scores.to_pylist()
    found = {
        (row["data"], row["backbone"], row["method"], row["figure"], row["morphology"]): row
        for row in rows
    }
    ways = list(dict.fromkeys((r["data"], r["backbone"], r["method"]) for r in rows))
    blocks = []
    for data in dict.fromkeys(way[0] for way in ways):
        own = [way for way in ways if way[0] == data]
        blocks += [heading(_title(data)), _figures_table(own, found), _classes_table(own, found)]
    write_bytes(path, page("Encoders specialised to labels", *blocks).encode())


def _title(data: str) -> str:
    return "Test part" if data == TEST_PART else f"Another set: {data}"


def _figures_table(ways: Sequence[tuple[str, str, str]], found: Mapping[Any, Any]) -> str:
    headings = [("encoder", ""), ("specialised by", ""), ("pictures", "that were scored")]
    headings += [(text, f"{tip}; 95 % interval") for text, tip in _FIGURES.values()]
    cells = [
        [
            Words(backbone),
            Words(method),
            str(found[data, backbone, method, "accuracy", None]["pictures"]),
            *(
                interval_text(found.get((data, backbone, method, figure, None)))
                for figure in _FIGURES
            ),
        ]
        for data, backbone, method in ways
    ]
    return table(headings, cells)


def _classes_table(ways: Sequence[tuple[str, str, str]], found: Mapping[Any, Any]) -> str:
    data = ways[0][0]
    classes = sorted({key[4] for key in found if key[0] == data and key[4] is not None})
    headings = [("F1 of class", ""), ("pictures", "of the class")]
    headings += [(f"{backbone}, {method}", "95 % interval") for _, backbone, method in ways]
    cells = [
        [
            Words(name),
            str(found[*ways[0], "f1", name]["pictures"]),
            *(interval_text(found.get((*way, "f1", name))) for way in ways),
        ]
        for name in classes
    ]
    return table(headings, cells)


def draw_scores(scores: pa.Table, path: Path | str) -> None:
    """Draw rows of ``FINETUNE_SCORES``: each way, the classes of the best encoder, other sets."""
    rows = scores.to_pylist()
    others = [row for row in rows if row["data"] != TEST_PART]
    test = [row for row in rows if row["data"] == TEST_PART]
    ways = list(dict.fromkeys((r["backbone"], r["method"]) for r in test))
    best = max((r for r in test if r["figure"] == "macro_f1"), key=lambda row: row["value"])
    classes = sorted({row["morphology"] for row in test if row["morphology"]})
    height = 1.8 + 0.26 * max(len(classes), len(ways))
    with saved_figure(path, 15.0 if others else 10.5, height) as figure:
        axes = figure.subplots(1, 3 if others else 2)
        _draw_ways(axes[0], ways, test)
        axes[0].set_title("Test part")
        by_class = {
            method: [_one(test, best["backbone"], method, "f1", name) for name in classes]
            for method in (PROBE, FULL)
        }
        draw_series(axes[1], classes, by_class, f"F1, {best['backbone']}")
        axes[1].set_title("By class")
        if others:
            keys = dict.fromkeys((r["data"], r["backbone"], r["method"]) for r in others)
            names = [f"{data}: {backbone}, {method}" for data, backbone, method in keys]
            chosen = {
                text: [
                    _one([r for r in others if r["data"] == data], backbone, method, figure, None)
                    for data, backbone, method in keys
                ]
                for figure, text in (("macro_f1", "macro-F1"), ("accuracy", "accuracy"))
            }
            draw_series(axes[2], names, chosen, "share, or F1")
            axes[2].set_title("Other sets, classes in common")


def _draw_ways(
    axes: Axes, ways: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]]
) -> None:
    names = [f"{backbone}, {method}" for backbone, method in ways]
    series = {
        text: [_one(rows, backbone, method, figure, None) for backbone, method in ways]
        for figure, text in (("macro_f1", "macro-F1"), ("accuracy", "accuracy"))
    }
    draw_series(axes, names, series, "share, or F1")


def _one(
    rows: Sequence[Mapping[str, Any]],
    backbone: str,
    method: str,
    figure: str,
    morphology: str | None,
) -> Mapping[str, Any]:
    key = (backbone, method, figure, morphology)
    names = ("backbone", "method", "figure", "morphology")
    return next(row for row in rows if tuple(row[name] for name in names) == key)


def draw_confusion(predictions: pa.Table, path: Path | str) -> None:
    """Draw what full fine-tuning made of each class of the test part, a panel an encoder.

    ``predictions`` are rows of ``FINETUNE_PREDICTIONS``. Each row of a panel is a true class; its
    squares are shares of that class's pictures.
    """
    rows = [
        row
        for row in predictions.to_pylist()
        if row["method"] == FULL and row["data"] == TEST_PART
    ]
    backbones = list(dict.fromkeys(row["backbone"] for row in rows))
    classes = len({row["label"] for row in rows} | {row["predicted"] for row in rows})
    side = 2.6 + 0.24 * classes
    with saved_figure(path, side * len(backbones), side) as figure:
        panels = figure.subplots(1, len(backbones), squeeze=False)[0]
        for axes, backbone in zip(panels, backbones, strict=True):
            own = [row for row in rows if row["backbone"] == backbone]
            said, labels = (
                np.array([row[name] for row in own], str) for name in ("predicted", "label")
            )
            names, counts = confusion(labels, said)
            shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
            axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8, parse_math=False)
            axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
            axes.set_xlabel("given class")
            axes.set_ylabel("true class")
            axes.set_title(f"{backbone}, {FULL}")
            if len(names) <= _WRITTEN_SHARES:
                _write_counts(axes, counts, shares)
        figure.colorbar(image, ax=list(panels), label="share of the true class", shrink=0.8)


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=8)


def draw_maps(maps: pa.Table, path: Path | str) -> None:
    """Draw rows of ``FINETUNE_MAPS``: a row of panels a map, before and after side by side."""
    rows = maps.to_pylist()
    kinds = list(dict.fromkeys(row["map"] for row in rows))
    columns = list(dict.fromkeys((row["backbone"], row["when"]) for row in rows))
    classes = sorted({row["label"] for row in rows})
    with saved_figure(path, 4.2 * len(columns) + 2.4, 3.6 * len(kinds)) as figure:
        panels = figure.subplots(len(kinds), len(columns), squeeze=False)
        for line, kind in zip(panels, kinds, strict=True):
            for axes, (backbone, when) in zip(line, columns, strict=True):
                own = [
                    row
                    for row in rows
                    if (row["map"], row["backbone"], row["when"]) == (kind, backbone, when)
                ]
                for number, name in enumerate(classes):
                    x, y = ([r[c] for r in own if r["label"] == name] for c in ("x", "y"))
                    axes.scatter(
                        x, y, s=8, color=cluster_color(number), label=name,
                        rasterized=is_dense(len(own)),
                    )  # fmt: skip
                axes.set_xticks([])
                axes.set_yticks([])
                axes.set_title(f"{kind}, {backbone}, {when} fine-tuning")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        legend = figure.legend(
            handles, labels, loc="outside right center", fontsize=8, markerscale=2
        )
        for text in legend.get_texts():
            text.set_parse_math(False)


def write_few_shot_page(quality: pa.Table, path: Path | str) -> None:
    """Write rows of ``ENCODER_QUALITY`` of few-shot probes as a page, a table for each data."""
    rows = quality.to_pylist()
    found = {(row["data"], row["features"], row["figure"]): row for row in rows}
    headings = [
        ("vectors of", ""),
        ("glitches", "that were scored: another one of their class is there"),
        ("told right", "95 % interval over classes"),
        ("told right", "95 % interval over glitches"),
    ]
    blocks = []
    for data in dict.fromkeys(row["data"] for row in rows):
        names = dict.fromkeys(row["features"] for row in rows if row["data"] == data)
        cells = [
            [
                Words(_LABELS.get(name, name)),
                str(found[data, name, FEW_SHOT]["pictures"]),
                interval_text(found[data, name, FEW_SHOT]),
                interval_text(found[data, name, FEW_SHOT_BY_GLITCH]),
            ]
            for name in names
        ]
        blocks += [heading(f"Real {_DATA[data]}"), table(headings, cells)]
    if not blocks:
        blocks = [paragraph("No real glitch has another one of its class beside it: no figure.")]
    write_bytes(path, page("Real glitches told by few examples", *blocks).encode())


def draw_few_shot(quality: pa.Table, path: Path | str) -> None:
    """Draw rows of ``ENCODER_QUALITY`` of few-shot probes: a panel for each data."""
    rows = quality.to_pylist()
    kinds = list(dict.fromkeys(row["data"] for row in rows))
    with saved_figure(path, 5.4 * max(len(kinds), 1), 3.6) as figure:
        panels = figure.subplots(1, max(len(kinds), 1), squeeze=False)[0]
        if not kinds:
            panels[0].text(0.5, 0.5, "no two real glitches of a class", ha="center")
        for axes, data in zip(panels, kinds, strict=False):
            own = {(r["features"], r["figure"]): r for r in rows if r["data"] == data}
            names = list(dict.fromkeys(key[0] for key in own))
            series = {
                text: [own[name, figure] for name in names]
                for figure, text in (
                    (FEW_SHOT, "interval over classes"),
                    (FEW_SHOT_BY_GLITCH, "interval over glitches"),
                )
            }
            written = [_LABELS.get(name, name) for name in names]
            draw_series(axes, written, series, "share of glitches told right")
            axes.set_title(f"Real {_DATA[data]}")
