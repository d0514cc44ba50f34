"""Limits on what is new, how far they hold, and what they would notice: figures and a page."""

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
    FEWEST_OF_A_CLASS,
    LATER,
    PAIRS,
    RESPLITS,
    TOGETHER,
    VECTORS,
)
from gwmorph.morphology.manifest import CLUSTERS, EACH_CLASS, OVERALL
from gwmorph.morphology.thresholds import ANY, QUIET, Scores, left_out_scores, may_be_new
from gwmorph.report.estimates import draw_series, interval_text
from gwmorph.report.html import Words, heading, page, paragraph, table
from gwmorph.report.palette import cluster_color, saved_figure, series_color
from gwmorph.storage import write_bytes
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.wording import number

_NO_LIMIT = "No class has two labelled rows: there is no limit"
_NO_POWER = "No class can be left out: too few labelled rows, or one class"
# Of a class: the height of its row, and which part of that its highest bar fills.
_ROW_IN, _FILLED = 0.34, 0.85
_CLASS = "#6699cc"
_METHODS = (EVERY, TOGETHER, PAIRS)
_SPLITS = (RESPLITS, LATER, BURSTS)
_BINS = 80
_BY_PROMISE = {EACH_CLASS: EVERY, OVERALL: TOGETHER}
_OWN_CLUSTERS = (
    "The classes are the run's own clusters: nobody has said what they are, and none is a known "
    "class. What is NOVEL lies apart from all of them. They were made of these vectors, so that "
    "what would be noticed says how far apart they are, not what a new kind would be, and trigger "
    "columns, of which they were not made, are no fair comparison."
)

Row = Mapping[str, Any]


def draw_limits(
    reference: pa.Table,
    thresholds: pa.Table,
    achieved: pa.Table,
    judging: Mapping[str, Any],
    path: Path | str,
) -> None:
    """Draw for each class how like their class its members are, and its limit.

    Parameters
    ----------
    reference, thresholds, achieved
        Rows of REFERENCE, THRESHOLDS and ACHIEVED_RATES.
    judging
        ``rate`` of the limits, and ``promise``: for whom it holds. What is achieved is by that
        rule at that rate, and nothing is said of it where that was not measured.
    path
        SVG, PDF or PNG to write.
    """
    held = [row for row in thresholds.to_pylist() if row["limit"] is not None]
    shown = [row for row in held if row["label"] == ANY]
    shown += [row for row in held if row["label"] != ANY]
    with saved_figure(path, 12.0, 1.4 + _ROW_IN * max(len(shown), 8)) as figure:
        axes = figure.subplots()
        if not shown:
            _say(axes, _NO_LIMIT)
            return
        classes = classes_in(reference)
        scores = left_out_scores(embedding_matrix(reference), classes)
        of_class = [_own_scores(row["label"], scores, classes) for row in shown]
        _draw_classes(axes, shown, of_class, judging["classes"])
        _write_limits(axes, shown, _achieved(achieved.to_pylist(), **judging))
        kind = (
            "row of the cluster" if judging["classes"] == CLUSTERS else "labelled row of the class"
        )
        axes.set_xlabel(f"best cosine similarity to another {kind}")


def _own_scores(label: str, scores: Scores, classes: np.ndarray) -> np.ndarray:
    """Return how like its class each member is, of those that have another to be like."""
    own = scores.of(label)[may_be_new(classes) if label == ANY else classes == label]
    return own[np.isfinite(own)]


def _draw_classes(
    axes: Axes, rows: Sequence[Row], of_class: Sequence[np.ndarray], classes: str
) -> None:
    """Draw a histogram for each class with its limit, the first on top, on one axis."""
    lowest = min(
        min(float(own.min()), row["limit"]) for own, row in zip(of_class, rows, strict=True)
    )
    edges = np.linspace(lowest, max(1.0, *(float(own.max()) for own in of_class)), _BINS + 1)
    for place, (row, own) in enumerate(zip(rows, of_class, strict=True)):
        counts, _ = np.histogram(own, edges)
        color = _class_color(row["label"], classes)
        axes.stairs(
            _FILLED * counts / counts.max() - place, edges, baseline=-place, fill=True, color=color
        )
        axes.plot([row["limit"]] * 2, [-place, _FILLED - place], color="#222222", linewidth=1.6)
        axes.axhline(-place, color="#999999", linewidth=0.6)
    axes.set_xlim(edges[0] - 0.01, edges[-1])
    axes.set_ylim(0.7 - len(rows), 1)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title("Each class to a scale of its own; black: its limit")
    axes.spines.left.set_visible(False)
    names = [row["label"].replace("_", " ") or "all as one class" for row in rows]
    axes.set_yticks(
        [_FILLED / 2 - place for place in range(len(rows))],
        [f"{name} ({row['members']})" for name, row in zip(names, rows, strict=True)],
        parse_math=False,
    )
    axes.tick_params(axis="y", length=0)


def _class_color(label: str, classes: str) -> Any:
    """Return the colour of a cluster that is a class, and one for all other classes."""
    if classes == CLUSTERS and label != ANY:
        return cluster_color(int(label.rsplit(maxsplit=1)[-1]))
    return _CLASS


def _write_limits(axes: Axes, rows: Sequence[Row], measured: Mapping[str, Row]) -> None:
    """Write beside each class its limit, at which rate, and what became of it."""
    columns = {
        "limit": [f"{row['limit']:.3f}" for row in rows],
        "at": [f"{row['granted']:.2g}" for row in rows],
        "NOVEL": [
            f"{measured[row['label']]['value']:.3f}" if row["label"] in measured else ""
            for row in rows
        ],
    }
    for column, (title, cells) in enumerate(columns.items()):
        x = 1.07 + 0.075 * column
        for place, words in enumerate([title, *cells]):
            axes.text(
                x, _FILLED / 2 + 1 - place, words, ha="right", va="center",
                transform=axes.get_yaxis_transform(), weight="normal" if place else "bold",
            )  # fmt: skip


def _achieved(rows: Sequence[Row], rate: float, promise: str, **_: Any) -> dict[str, Row]:
    """Return by class, '' for all, what share of it the halves call NOVEL at this very rate."""
    method = _BY_PROMISE[promise]
    return {
        row["label"] or ANY: row
        for row in rows
        if row["split"] == RESPLITS and row["method"] == method and row["rate"] == rate
    }


def draw_novelty(novelty: pa.Table, curves: pa.Table, promise: str, path: Path | str) -> None:
    """Draw how well each class is noticed when the reference has none of it.

    Parameters
    ----------
    novelty, curves
        Rows of NOVELTY and NOVELTY_ROC; none gives a figure that says so.
    promise
        ``each_class`` or ``overall``: what makes a row NOVEL.
    path
        SVG, PDF or PNG to write.
    """
    method = _BY_PROMISE[promise]
    rows = [r for r in novelty.to_pylist() if r["figure"] == "auc" and r["method"] == method]
    labels = sorted({row["label"] for row in rows})
    with saved_figure(path, 11.0, max(2.2 + 0.3 * len(labels), 4.5)) as figure:
        left, right = figure.subplots(1, 2)
        if not labels:
            for axes in (left, right):
                _say(axes, _NO_POWER)
            return
        held = {(row["features"], row["label"]): row for row in rows}
        series = {name: [held[name, label] for label in labels] for name in (VECTORS, COLUMNS)}
        names = [f"{label.replace('_', ' ')} ({held[VECTORS, label]['rows']})" for label in labels]
        draw_series(left, names, series, "AUC")
        left.axvline(0.5, color="#222222", linewidth=0.8, linestyle=":")
        left.set_title("AUC of a class that is left out, against all others\n(dotted: chance)")
        _draw_curves(right, [row for row in curves.to_pylist() if row["method"] == method])


def _draw_curves(axes: Axes, curves: Sequence[Row]) -> None:
    for place, features in enumerate((VECTORS, COLUMNS)):
        own = [row for row in curves if row["features"] == features]
        color = series_color(place)
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
    judging: Mapping[str, Any],
    path: Path | str,
) -> None:
    """Write limits, achieved rates, power, and drift where there is an atlas, as a page.

    ``judging`` is what rows are judged by: ``promise`` and ``rate``, and where ``classes`` are
    from.
    """
    rows, limits = achieved.to_pylist(), thresholds.to_pylist()
    method = _BY_PROMISE[judging["promise"]]
    blocks = [paragraph(_OWN_CLUSTERS)] * (judging["classes"] == CLUSTERS)
    blocks += [heading("Limits"), paragraph(_in_use(judging, method)), _limit_table(limits)]
    blocks += [heading("Rows of known class called NOVEL all the same"), _whole_table(rows)]
    blocks += [heading(f"The same by class, by {method}, by halves of each class")]
    blocks += [_class_table(rows, method), *_missing(limits, rows, 4)]
    noticed = novelty.to_pylist()
    blocks += [heading("What would be noticed"), *_novelty_blocks(noticed)]
    blocks += _missing(limits, noticed, FEWEST_OF_A_CLASS)
    blocks += [paragraph("A value without an interval is of fewer than 5 stretches of time.")]
    for found in drift:
        blocks += [heading("Drift"), _drift_table(found.to_pylist())]
    write_bytes(path, page("Limits", *blocks).encode())


def _in_use(judging: Mapping[str, Any], method: str) -> str:
    overall = judging["promise"] == OVERALL
    whose = "known rows" if overall else "the known rows of each class"
    as_many = "as many of them are NOVEL as" if overall else "no more of them are NOVEL than"
    return (
        f"In use: a row is NOVEL by {method}, at a rate of {judging['rate']:g} of {whose}. A "
        f"run's own known rows were not kept back from its limits: {as_many} the rate says, "
        "whatever they are."
    )


def _missing(limits: Sequence[Row], rows: Sequence[Row], fewest: int) -> list[str]:
    """Say of which classes a table has no line, and why."""
    shown = {row["label"] for row in rows}
    names = {row["label"]: row["members"] for row in limits if row["label"] not in (ANY, *shown)}
    small = [f"{name.replace('_', ' ')} ({n})" for name, n in names.items() if n < fewest]
    said = [f"Not in the table, of fewer than {fewest} rows: {', '.join(small)}."] if small else []
    if QUIET in names:
        said.append("Windows that hold nothing are not either: they are QUIET, never NOVEL.")
    return [paragraph(text) for text in said]


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
            *(number(row[name], ".3f", "none") for name in ("granted", "limit", "percentile")),
        ]
        for row in rows
    ]
    return table(headings, cells) if cells else paragraph(f"{_NO_LIMIT}.")


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


def _class_table(rows: Sequence[Row], method: str) -> str:
    own = {
        (r["label"], r["rate"]): r
        for r in rows
        if r["split"] == RESPLITS and r["method"] == method and r["label"] is not None
    }
    rates = sorted({rate for _, rate in own})
    headings = [(Words("class"), ""), ("rows", "that were judged, each time")]
    for rate in rates:
        headings += [(f"granted, of {rate:g}", "what half of the class alone allows")]
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
