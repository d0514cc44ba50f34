"""The report of an injection campaign: recall curves, tables of 50 % recall, agreement.

Functions write one file in one step; equal input gives equal bytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import ticker
from matplotlib.axes import Axes

from gwmorph.report.html import table_page
from gwmorph.report.palette import cluster_color, saved_figure
from gwmorph.storage import write_bytes

_PANEL_IN = (3.1, 2.7)


def draw_recall(
    recall: pa.Table,
    morphologies: Mapping[str, str],
    statistics: Mapping[str, str],
    path: Path | str,
) -> None:
    """Draw recall against injected SNR, a column for each morphology, a line each statistic.

    Parameters
    ----------
    recall
        Rows of ``RECALL``; one row of panels for each false-alarm fraction in it.
    morphologies, statistics
        Labels by name, in the order of panels and of colours.
    """
    fractions = sorted(set(recall["false_alarm_fraction"].to_pylist()), reverse=True)
    width, height = _PANEL_IN
    size = (max(width * len(morphologies), 2 * width), height * len(fractions) + 0.8)
    with saved_figure(path, *size) as figure:
        panels = figure.subplots(
            len(fractions), len(morphologies), sharex=True, sharey=True, squeeze=False
        )
        for row, fraction in zip(panels, fractions, strict=True):
            part = recall.filter(pc.equal(recall["false_alarm_fraction"], fraction))
            for axes, (name, label) in zip(row, morphologies.items(), strict=True):
                curves = part.filter(pc.equal(part["morphology"], name))
                _draw_curves(axes, curves, statistics)
                axes.set_title(label if fraction == fractions[0] else "")
            row[0].set_ylabel(f"recall at {_percent(fraction)}\nfalse alarms")
        for axes in panels[-1]:
            axes.set_xlabel("optimal SNR")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4))


def _draw_curves(axes: Axes, curves: pa.Table, statistics: Mapping[str, str]) -> None:
    for number, (name, label) in enumerate(statistics.items()):
        curve = curves.filter(pc.equal(curves["statistic"], name)).sort_by("snr")
        _line_with_band(axes, curve, ("recall", "low", "high"), label, number)
    _frame_snr(axes, curves["snr"].to_pylist())


def _line_with_band(
    axes: Axes, curve: pa.Table, names: tuple[str, str, str], label: str, number: int
) -> None:
    snr = np.asarray(curve["snr"].to_pylist())
    value, low, high = (np.asarray(curve[name].to_pylist()) for name in names)
    color = cluster_color(number)
    axes.fill_between(snr, low, high, color=color, alpha=0.2, linewidth=0)
    axes.plot(snr, value, color=color, marker="o", markersize=3, label=label)


def _frame_snr(axes: Axes, snrs: Sequence[float]) -> None:
    ticks = sorted(set(snrs))
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{snr:g}" for snr in ticks])
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_ylim(-0.02, 1.02)
    axes.grid(color="#dddddd", linewidth=0.6)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def half_recall_text(
    half: pa.Table,
    snrs: Sequence[float],
    morphologies: Mapping[str, str],
    statistics: Mapping[str, str],
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table of 50 % recall, a block for each fraction.

    ``half`` has rows of ``HALF_RECALL``, ``snrs`` are those of the campaign.
    """
    headings = ["false alarms", "morphology", *statistics.values()]
    found = {
        (row["false_alarm_fraction"], row["morphology"], row["statistic"]): _half(row, snrs)
        for row in half.to_pylist()
    }
    fractions = sorted({key[0] for key in found}, reverse=True)
    rows = [
        [_percent(fraction), label, *(found[fraction, name, s] for s in statistics)]
        for fraction in fractions
        for name, label in morphologies.items()
    ]
    return headings, rows


def _half(row: Mapping[str, Any], snrs: Sequence[float]) -> str:
    if row["reached"] == "inside":
        return f"{row['snr']:.1f}"
    return f"< {min(snrs):g}" if row["reached"] == "below" else f"> {max(snrs):g}"


def achieved_text(
    achieved: Sequence[Mapping[str, Any]], statistics: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of what `recall.achieved` found."""
    headings = [
        "statistic", "nominal", "limit", "quiet windows that set it", "fresh quiet windows",
        "above", "achieved", "95 % interval", "95 % of repetitions",
    ]  # fmt: skip
    rows = [
        [
            statistics[row["statistic"]],
            _percent(row["false_alarm_fraction"]),
            f"{row['limit']:.4g}",
            str(row["calibration_windows"]),
            str(row["test_windows"]),
            str(row["above"]),
            f"{100 * row['achieved']:.3g} %",
            f"{100 * row['low']:.3g} to {100 * row['high']:.3g} %",
            f"{100 * row['expected_low']:.3g} to {100 * row['expected_high']:.3g} %",
        ]
        for row in achieved
    ]
    return headings, rows


def noise_text(
    counts: pa.Table, morphologies: Mapping[str, str], statistics: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of counts in real noise (``NOISE_COUNTS``)."""
    points: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in counts.to_pylist():
        point = (row["false_alarm_fraction"], row["detector"], row["morphology"], row["snr"])
        points.setdefault(point, {})[row["statistic"]] = row
    headings = ["limit at", "detector", "morphology", "SNR", "windows", *statistics.values()]
    first = next(iter(statistics))
    return headings, [
        [
            _percent(fraction),
            detector,
            "none" if name is None else morphologies[name],
            "" if snr is None else f"{snr:g}",
            str(found[first]["windows"]),
            *(str(found[statistic]["above"]) for statistic in statistics),
        ]
        for (fraction, detector, name, snr), found in points.items()
    ]


def write_table_page(
    title: str, text: tuple[Sequence[str], Sequence[Sequence[str]]], path: Path | str
) -> None:
    """Write headings and rows as an HTML page."""
    headings, rows = text
    write_bytes(path, table_page(title, [(heading, "") for heading in headings], rows).encode())


def draw_agreement(agreement: pa.Table, path: Path | str) -> None:
    """Draw how well the class of found injections can be told, against SNR.

    ``agreement`` has rows of ``AGREEMENT``; none gives a figure that says so.
    """
    with saved_figure(path, 9.0, 3.6) as figure:
        neighbors, clusters = figure.subplots(1, 2, sharey=True)
        neighbors.set_title("Nearest neighbours: right class")
        clusters.set_title("Clusters of event views")
        neighbors.set_ylabel("share")
        clusters.set_ylabel("share, or agreement")
        if not len(agreement):
            for axes in (neighbors, clusters):
                axes.text(0.5, 0.5, "too few found", ha="center", transform=axes.transAxes)
            return
        kinds = list(dict.fromkeys(agreement["features"].to_pylist()))
        for number, kind in enumerate(kinds):
            curve = agreement.filter(pc.equal(agreement["features"], kind)).sort_by("snr")
            _line_with_band(neighbors, curve, ("top1", "top1_low", "top1_high"), kind, number)
        clustered = agreement.filter(agreement["ari"].is_valid()).sort_by("snr")
        for number, name in enumerate(_CLUSTER_LINES, start=len(kinds)):
            _plot_column(clusters, clustered, name, number)
        for axes in (neighbors, clusters):
            _frame_snr(axes, agreement["snr"].to_pylist())
            axes.set_xlabel("optimal SNR")
            axes.legend(fontsize=8)


_CLUSTER_LINES = {
    "ari": "ARI",
    "ami": "AMI",
    "purity": "commonest class",
    "ari_without_largest": "ARI without largest",
    "largest_share": "largest cluster's share",
}


def _plot_column(axes: Axes, curve: pa.Table, name: str, number: int) -> None:
    axes.plot(
        curve["snr"].to_pylist(),
        curve[name].to_pylist(),
        color=cluster_color(number),
        marker="o",
        markersize=3,
        label=_CLUSTER_LINES[name],
    )
