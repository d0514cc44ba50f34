"""Figures with their intervals, drawn and written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gwmorph.report.palette import legend_below_label, series_color


def interval_text(row: Mapping[str, Any] | None) -> str:
    """Write value and interval of a row with value, low and high; '' without one, none for nan."""
    if row is None:
        return ""
    if not np.isfinite(row["value"]):
        return "none"
    if not np.isfinite(row["low"]):
        return f"{row['value']:z.2f}"
    return f"{row['value']:z.2f} ({row['low']:z.2f} to {row['high']:z.2f})"


def draw_intervals(
    axes: Axes,
    places: NDArray[np.floating],
    rows: Sequence[Mapping[str, Any]],
    color: Any,
    label: str,
) -> None:
    """Draw values as points with their intervals along x, at heights ``places`` [n].

    What is nan is not drawn, and neither is an interval that is not known.
    """
    value, low, high = (np.array([row[name] for row in rows]) for name in ("value", "low", "high"))
    # A percentile interval need not hold the value that it belongs to.
    ends = [np.nan_to_num(np.maximum(gap, 0)) for gap in (value - low, high - value)]
    axes.errorbar(value, places, xerr=ends, fmt="o", markersize=4, color=color, label=label)


def draw_series(
    axes: Axes,
    names: Sequence[str],
    series: Mapping[str, Sequence[Mapping[str, Any]]],
    meaning: str,
) -> None:
    """Draw two figures of each name, one above the other, the first name on top.

    ``series`` holds by what they are called one row for each of ``names``; values are 0 to 1,
    and ``meaning`` says along the axis what they are.
    """
    places = np.arange(len(names))[::-1].astype(float)
    for number, (label, rows) in enumerate(series.items()):
        shifted = places + 0.14 - 0.28 * number
        draw_intervals(axes, shifted, rows, series_color(number), label)
    axes.set_yticks(places, names, fontsize=8, parse_math=False)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlim(-0.05, 1.05)
    axes.set_xlabel(meaning)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    legend_below_label(axes)
