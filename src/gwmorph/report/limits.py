"""Limits on what is new, how far they hold, and what they would notice: figures and a page."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.evidence.judging import classes_in
from gwmorph.evidence.novelty import (
    BURSTS,
    COLUMNS,
    EVERY,
    LATER,
    PAIRS,
    RESPLITS,
    TOGETHER,
    VECTORS,
)
from gwmorph.morphology.thresholds import ANY, EACH_CLASS, OVERALL, Scores, left_out_scores
from gwmorph.report.estimates import draw_series, interval_text
from gwmorph.report.html import Words, heading, page, paragraph, table
from gwmorph.report.palette import cluster_color, saved_figure
from gwmorph.storage import write_bytes
from gwmorph.tables.embeddings import embedding_matrix

_NO_LIMIT = "No class has two labelled rows: there is no limit"
_NO_POWER = "No class can be left out: too few labelled rows, or one class"
_ACROSS = 4
_PANEL_IN = 1.9
_METHODS = (EVERY, TOGETHER, PAIRS)
_SPLITS = (RESPLITS, LATER, BURSTS)
_BINS = 30

Row = Mapping[str, Any]


def draw_limits(
    reference: pa.Table, thresholds: pa.Table, achieved: pa.Table, rate: float, path: Path | str
) -> None:
    """Draw for each class how like their class its members are, and its limit.

    Parameters
    ----------
    reference, thresholds, achieved
        Rows of REFERENCE, THRESHOLDS and ACHIEVED_RATES.
    rate
        Of the limits; the achieved rate is that of the nearest one that was measured.
    path
        PNG to write.
    """
    held = [row for row in thresholds.to_pylist() if row["limit"] is not None]
    shown = [row for row in held if row["label"] == ANY]
    shown += [row for row in held if row["label"] != ANY]
    lines = math.ceil(max(len(shown), 1) / _ACROSS)
    with saved_figure(path, 14.0, 0.8 + _PANEL_IN * lines) as figure:
        panels = figure.subplots(lines, _ACROSS, squeeze=False).ravel()
        for unused in panels[max(len(shown), 1) :]:
            unused.remove()
        if not shown:
            _say(panels[0], _NO_LIMIT)
            return
        scores = left_out_scores(embedding_matrix(reference), classes_in(reference))
        measured = _achieved(achieved.to_pylist(), rate)
        for axes, row in zip(panels, shown, strict=False):
            _draw_class(axes, row, scores, classes_in(reference), measured.get(row["label"]))
        figure.supxlabel("best cosine to another labelled row of the class", fontsize=10)


def _draw_class(
    axes: Axes, row: Row, scores: Scores, classes: np.ndarray, measured: Row | None
) -> None:
    label = row["label"]
    own = scores.of(label) if label == ANY else scores.of(label)[classes == label]
    own = own[np.isfinite(own)]
    low = min(float(own.min()), row["limit"])
    bins = np.linspace(low, max(1.0, float(own.max())), _BINS).tolist()
    axes.hist(own, bins=bins, color=cluster_color(1), linewidth=0)
    axes.axvline(row["limit"], color="#222222", linewidth=1.2)
    name = label.replace("_", " ") or "all as one class"
    said = f"limit {row['limit']:.3f} (at {row['granted']:.2g})"
    if measured is not None:
        said += f", achieved {measured['value']:.3f}"
    axes.set_title(f"{name} ({row['members']})\n{said}", fontsize=8)
    axes.tick_params(labelsize=7)


def _achieved(rows: Sequence[Row], rate: float) -> dict[str, Row]:
    """Return by class what the halves achieve, '' for all as one, at the rate nearest to this."""
    rates = sorted({row["rate"] for row in rows}, key=lambda one: abs(math.log(one / rate)))
    chosen = [row for row in rows if row["split"] == RESPLITS and row["rate"] in rates[:1]]
    found = {row["label"]: row for row in chosen if row["method"] == EVERY and row["label"]}
    whole = [row for row in chosen if row["method"] == TOGETHER and row["label"] is None]
    return found | ({ANY: whole[0]} if whole else {})


def draw_novelty(novelty: pa.Table, curves: pa.Table, promise: str, path: Path | str) -> None:
    """Draw how well each class is noticed when the reference has none of it.

    Parameters
    ----------
    novelty, curves
        Rows of NOVELTY and NOVELTY_ROC; none gives a figure that says so.
    promise
        ``each_class`` or ``overall``: what makes a row NOVEL.
    path
        PNG to write.
    """
    method = {EACH_CLASS: EVERY, OVERALL: TOGETHER}[promise]
    rows = [r for r in novelty.to_pylist() if r["figure"] == "auc" and r["method"] == method]
    labels = sorted({row["label"] for row in rows})
    with saved_figure(path, 13.0, max(2.2 + 0.3 * len(labels), 4.5)) as figure:
        left, right = figure.subplots(1, 2)
        if not labels:
            for axes in (left, right):
                _say(axes, _NO_POWER)
            return
        held = {(row["features"], row["label"]): row for row in rows}
        series = {name: [held[name, label] for label in labels] for name in (VECTORS, COLUMNS)}
        names = [f"{label.replace('_', ' ')} ({held[VECTORS, label]['rows']})" for label in labels]
        draw_series(left, names, series)
        left.axvline(0.5, color="#222222", linewidth=0.8, linestyle=":")
        left.set_title("AUC of a class that is left out, against all others\n(dotted: chance)")
        _draw_curves(right, [row for row in curves.to_pylist() if row["method"] == method])


def _draw_curves(axes: Axes, curves: Sequence[Row]) -> None:
    for number, features in enumerate((VECTORS, COLUMNS)):
        own = [row for row in curves if row["features"] == features]
        color = cluster_color(6 * number)
        noticed: dict[float, list[float]] = {}
        for label in dict.fromkeys(row["label"] for row in own):
            part = [row for row in own if row["label"] == label]
            share = [row["false_novel"] for row in part]
            axes.plot(share, [r["noticed"] for r in part], color=color, linewidth=0.5, alpha=0.35)
        for row in own:
            noticed.setdefault(row["false_novel"], []).append(row["noticed"])
        mean = [float(np.mean(noticed[share])) for share in sorted(noticed)]
        axes.plot(sorted(noticed), mean, color=color, linewidth=2.2, label=f"{features}, mean")
    axes.plot([0, 1], [0, 1], color="#222222", linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xlabel("share of other classes' rows called NOVEL")
    axes.set_ylabel("share of the left-out class called NOVEL")
    axes.set_title("Thin: one class each")
    axes.legend(fontsize=8, loc="lower right")


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])


def write_limits_page(
    thresholds: pa.Table,
    achieved: pa.Table,
    novelty: pa.Table,
    drift: Sequence[pa.Table],
    path: Path | str,
) -> None:
    """Write limits, achieved rates, power, and drift where there is an atlas, as a page."""
    rows = achieved.to_pylist()
    blocks = [heading("Limits"), _limit_table(thresholds.to_pylist())]
    blocks += [heading("Rows of known class called NOVEL all the same"), _whole_table(rows)]
    blocks += [heading("The same by class, by halves of each class"), _class_table(rows)]
    blocks += [heading("What would be noticed"), *_novelty_blocks(novelty.to_pylist())]
    for found in drift:
        blocks += [heading("Drift"), _drift_table(found.to_pylist())]
    write_bytes(path, page("Limits", *blocks).encode())


def _limit_table(rows: Sequence[Row]) -> str:
    headings = [
        (Words("class"), ""),
        ("rows", "labelled rows of the class"),
        ("rate", "of new rows of the class below the limit, as asked for"),
        ("granted", "as the class's size allows"),
        ("limit", "best cosine to a labelled row of the class; one below it is none of the class"),
        ("percentile of pairs", "limit of an earlier method, which promises nothing"),
    ]
    cells = [
        [
            Words(row["label"].replace("_", " ") or "all as one class"),
            str(row["members"]),
            f"{row['rate']:g}",
            *(_number(row[name]) for name in ("granted", "limit", "percentile")),
        ]
        for row in rows
    ]
    return table(headings, cells) if cells else paragraph(f"{_NO_LIMIT}.")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _whole_table(rows: Sequence[Row]) -> str:
    held = {(r["rate"], r["split"], r["method"]): r for r in rows if r["label"] is None}
    headings = [("rate", "as asked for"), (Words("judged by"), "which rows set the limits")]
    headings += [(f"NOVEL by {method}", "share of rows, 95 % interval") for method in _METHODS]
    cells = [
        [
            f"{rate:g}",
            Words(split),
            *(_share_text(held.get((rate, split, method))) for method in _METHODS),
        ]
        for rate in sorted({row["rate"] for row in rows})
        for split in _SPLITS
        if (rate, split, EVERY) in held
    ]
    return table(headings, cells) if cells else paragraph("No class has four labelled rows.")


def _class_table(rows: Sequence[Row]) -> str:
    own = {
        (r["label"], r["rate"]): r
        for r in rows
        if r["split"] == RESPLITS and r["method"] == EVERY and r["label"] is not None
    }
    rates = sorted({rate for _, rate in own})
    headings = [(Words("class"), ""), ("rows", "that were judged, each time")]
    for rate in rates:
        headings += [(f"granted, of {rate:g}", "what half of the class allows")]
        headings += [(f"achieved, of {rate:g}", "mean over resplits, 95 % interval of one")]
    cells = []
    for label in sorted({label for label, _ in own}):
        row = [Words(label.replace("_", " ")), str(own[label, rates[0]]["rows"])]
        for rate in rates:
            row += [f"{own[label, rate]['granted']:.3f}", _share_text(own[label, rate])]
        cells.append(row)
    return table(headings, cells) if cells else paragraph("No class has four labelled rows.")


def _share_text(row: Row | None) -> str:
    if row is None:
        return ""
    if not np.isfinite(row["low"]):
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _novelty_blocks(rows: Sequence[Row]) -> list[str]:
    held = {(r["features"], r["method"], r["label"], r["figure"], r["rate"]): r for r in rows}
    labels = sorted({row["label"] for row in rows})
    if not labels:
        return [paragraph(f"{_NO_POWER}.")]
    rates = sorted({row["rate"] for row in rows if row["rate"] is not None})
    headings = [(Words("left out"), "class of which the reference has no row"), ("rows", "")]
    kinds = [(VECTORS, EVERY), (VECTORS, TOGETHER), (COLUMNS, TOGETHER)]
    headings += [(f"AUC of {name} by {method}", "95 % interval") for name, method in kinds]
    headings += [
        (f"NOVEL at {rate:g} by {method}", "share of its rows, by vectors")
        for rate in rates
        for method in (EVERY, TOGETHER)
    ]
    cells = [
        [
            Words(label.replace("_", " ")),
            str(held[VECTORS, EVERY, label, "auc", None]["rows"]),
            *(
                interval_text(held.get((name, method, label, "auc", None)))
                for name, method in kinds
            ),
            *(
                interval_text(held.get((VECTORS, method, label, "noticed", rate)))
                for rate in rates
                for method in (EVERY, TOGETHER)
            ),
        ]
        for label in labels
    ]
    return [table(headings, cells)]


def _drift_table(rows: Sequence[Row]) -> str:
    headings = [
        ("rows of the atlas", "labelled ones"),
        ("median similarity then", "of these, each without itself"),
        ("rows of the run", ""),
        ("median similarity now", "of these to the atlas's"),
        ("distance", "largest difference of the two distributions"),
        ("p", "share of exchanges of stretches of time that reach it"),
        ("recalibrate", "whether that is as small as calibration.drift"),
    ]
    cells = [
        [
            str(row["then_rows"]),
            f"{row['then_median']:.3f}",
            str(row["now_rows"]),
            f"{row['now_median']:.3f}",
            f"{row['distance']:.3f}",
            f"{row['p_value']:.3f}" if np.isfinite(row["p_value"]) else "too few stretches",
            "yes" if row["recalibrate"] else "no",
        ]
        for row in rows
    ]
    return table(headings, cells)
