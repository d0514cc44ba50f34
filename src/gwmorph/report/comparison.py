"""The report of a comparison of encoders: one table and one figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.evidence.real_strain import GLITCHES, TRIGGER
from gwmorph.evidence.recall import wilson
from gwmorph.report.agreements import AGREEMENT
from gwmorph.report.estimates import interval_text
from gwmorph.report.palette import cluster_color, saved_figure

# statistic -> SNR -> share of all injections that is found, and its interval.
Recall = Mapping[str, Mapping[float, tuple[float, float, float]]]

_LABELS = {
    "pixels": "principal components of the pictures",
    "triggers": "trigger columns",
    "random": "random network",
    "loudest_tile": "loudest tile",
    TRIGGER: "the triggers themselves",
}
_COLUMNS = {
    ("seen", "top1"): "top-1, population's classes",
    ("seen", "cluster_ari"): "ARI",
    ("seen", "cluster_ami"): "AMI",
    ("seen", "cluster_largest_share"): "largest cluster's share",
    ("unseen", "top1"): "top-1, other shapes",
    ("unseen", "cluster_ari"): "ARI, other shapes",
    ("unseen", "cluster_ami"): "AMI, other shapes",
    ("real", "top1_any"): "top-1, Gravity Spy pictures, any length",
    ("real", "top1_same"): "top-1, Gravity Spy pictures, same length",
    (GLITCHES, "real_strain_top1"): "top-1, real glitches among themselves",
    (GLITCHES, "simulated_to_real_top1"): "top-1, real glitches named from simulated views",
    (GLITCHES, "has_trigger"): "real glitches with a trigger",
    (GLITCHES, "snr_ratio"): "its SNR over the label's, median",
    (GLITCHES, "offset_s"): "its distance from the label's time, median, s",
}
_VECTORS = {"window_vector": "32 s view", "event_vector": "event view"}


def recall_by_snr(recall: pa.Table) -> Recall:
    """Return what each statistic finds of all injections of one SNR, with 95 % Wilson intervals.

    ``recall`` has rows of ``RECALL`` at one false-alarm fraction. The morphologies of a
    campaign have equally many injections, so this is the mean of their recalls.
    """
    counts: dict[str, dict[float, list[int]]] = {}
    for row in recall.to_pylist():
        count = counts.setdefault(row["statistic"], {}).setdefault(row["snr"], [0, 0])
        count[0] += row["found"]
        count[1] += row["injections"]
    return {
        statistic: {
            snr: (found / total, *wilson(found, total)) for snr, (found, total) in points.items()
        }
        for statistic, points in counts.items()
    }


def comparison_text(
    quality: pa.Table,
    recall: Recall,
    ms_per_picture: Mapping[str, float],
    weights_mb: Mapping[str, float],
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table of encoders.

    Parameters
    ----------
    quality
        Rows of ``ENCODER_QUALITY``.
    recall
        What `recall_by_snr` returned.
    ms_per_picture, weights_mb
        Cost by the name of the encoder; a way to compare pictures without an encoder has none.
    """
    found = {
        (row["features"], row["data"], row["figure"]): row
        for row in quality.to_pylist()
        if row["morphology"] is None
    }
    shown = {
        column: heading
        for column, heading in _COLUMNS.items()
        if any(key[1:] == column for key in found)
    }
    snrs = sorted({snr for points in recall.values() for snr in points})
    headings = [
        "compared by",
        *shown.values(),
        *(f"recall of the {label}, SNR {snr:g}" for label in _VECTORS.values() for snr in snrs),
        "ms a picture",
        "weights, MB",
    ]
    return headings, [
        [
            _LABELS.get(name, name),
            *(interval_text(found.get((name, *column))) for column in shown),
            *(_share(recall, f"{kind}_{name}", snr) for kind in _VECTORS for snr in snrs),
            f"{ms_per_picture[name]:.1f}" if name in ms_per_picture else "",
            f"{weights_mb[name]:.1f}" if name in weights_mb else "",
        ]
        for name in features_of(quality)
    ]


def named_text(glitches: pa.Table, named: pa.Table) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table of real glitches.

    Parameters
    ----------
    glitches
        Rows of ``REAL_STRAIN``; those without a trigger are in the table, too.
    named
        Rows of ``NAMED``.
    """
    said = {(row["features"], row["name"]): row for row in named.to_pylist()}
    kinds = list(dict.fromkeys(named["features"].to_pylist()))
    headings = ["glitch", "label", "SNR", "trigger's SNR", "its time from the label's, s"]
    for kind in kinds:
        label = _LABELS.get(kind, kind)
        headings += [f"nearest glitch by {label}", f"named from simulated views by {label}"]
    rows = []
    for glitch in glitches.to_pylist():
        seen = [said.get((kind, glitch["name"])) for kind in kinds]
        answers = [
            (row["nearest_label"], row["named"]) if row is not None else ("", "") for row in seen
        ]
        rows.append(
            [
                glitch["name"],
                glitch["label"],
                f"{glitch['snr']:.1f}",
                *_trigger_cells(glitch),
                *(cell for answer in answers for cell in answer),
            ]
        )
    return headings, rows


def _trigger_cells(glitch: Mapping[str, Any]) -> tuple[str, str]:
    if glitch["trigger_time"] is None:
        return f"none; loudest tile {glitch['tile_snr']:.1f}", ""
    late = glitch["trigger_time"] - glitch["glitch_time"]
    return f"{glitch['trigger_snr']:.1f}", f"{late:+.2f}"


def features_of(quality: pa.Table) -> list[str]:
    """Return everything that pictures were compared by, in the order of the table."""
    return list(dict.fromkeys(quality["features"].to_pylist()))


def _share(recall: Recall, statistic: str, snr: float) -> str:
    return f"{recall[statistic][snr][0]:.2f}" if statistic in recall else ""


def draw_comparison(quality: pa.Table, recall: Recall, path: Path | str) -> None:
    """Draw nearest neighbours, clusters and recall of all encoders side by side.

    Arguments as in `comparison_text`.
    """
    names = [name for name in features_of(quality) if name != TRIGGER]
    rows = [row for row in quality.to_pylist() if row["morphology"] is None]
    with saved_figure(path, 12.0, 4.2) as figure:
        neighbors, clusters, found = figure.subplots(1, 3)
        neighbors.set_title("Nearest neighbours: right class")
        _draw_points(
            neighbors, rows, names, {
                ("seen", "top1"): "classes",
                ("unseen", "top1"): "other\nshapes",
                ("real", "top1_any"): "real,\nany length",
                ("real", "top1_same"): "real,\nsame length",
                (GLITCHES, "real_strain_top1"): "strain,\neach other",
                (GLITCHES, "simulated_to_real_top1"): "strain, by\nsimulated",
            },
        )  # fmt: skip
        clusters.set_title("Clusters against classes")
        _draw_points(
            clusters, rows, names, {
                ("seen", "cluster_ami"): "AMI",
                ("seen", "cluster_ari"): "ARI",
                ("unseen", "cluster_ami"): "AMI, other\nshapes",
                ("unseen", "cluster_ari"): "ARI, other\nshapes",
            },
        )  # fmt: skip
        found.set_title("Found of all injections")
        neighbors.set_ylabel("share")
        clusters.set_ylabel(AGREEMENT)
        found.set_ylabel("share")
        _draw_recall(found, recall, names)
        handles, labels = neighbors.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def _draw_points(
    axes: Axes,
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    columns: Mapping[tuple[str, str], str],
) -> None:
    held = {column for column in columns if any((r["data"], r["figure"]) == column for r in rows)}
    shown = [column for column in columns if column in held]
    width = 0.7 / len(names)
    for number, name in enumerate(names):
        own = {(r["data"], r["figure"]): r for r in rows if r["features"] == name}
        places = [i for i, column in enumerate(shown) if column in own]
        points = [own[shown[i]] for i in places]
        value = np.array([row["value"] for row in points])
        # A percentile interval need not hold the value that it belongs to.
        below = np.maximum(value - [row["low"] for row in points], 0)
        above = np.maximum([row["high"] for row in points] - value, 0)
        x = np.array(places) + width * (number - (len(names) - 1) / 2)
        axes.errorbar(
            x, value, [below, above], fmt="o", markersize=4, color=cluster_color(number),
            label=_LABELS.get(name, name),
        )  # fmt: skip
    axes.set_xticks(range(len(shown)), [columns[column] for column in shown])
    axes.set_ylim(-0.02, 1.02)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)


def _draw_recall(axes: Axes, recall: Recall, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        for kind, line in zip(_VECTORS, ("--", "-"), strict=True):
            _draw_curve(axes, recall.get(f"{kind}_{name}", {}), cluster_color(number), line)
    _draw_curve(axes, recall.get("loudest_tile", {}), "black", ":")
    snrs = sorted({snr for points in recall.values() for snr in points})
    axes.set_xscale("log")
    axes.set_xticks(snrs, [f"{snr:g}" for snr in snrs])
    axes.minorticks_off()
    axes.set_xlabel("optimal SNR (dashed: 32 s view,\nsolid: event view, dotted: loudest tile)")
    axes.set_ylim(-0.02, 1.02)
    axes.grid(color="#dddddd", linewidth=0.6)


def _draw_curve(
    axes: Axes, points: Mapping[float, tuple[float, float, float]], color: Any, line: str
) -> None:
    snrs = sorted(points)
    axes.plot(snrs, [points[snr][0] for snr in snrs], line, color=color, marker="o", markersize=3)
