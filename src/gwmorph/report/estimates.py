"""Figures with their intervals, drawn and written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray


def interval_text(row: Mapping[str, Any] | None) -> str:
    """Write value and interval of a row with value, low and high; '' without one, none for nan."""
    if row is None:
        return ""
    if not np.isfinite(row["value"]):
        return "none"
    if not np.isfinite(row["low"]):
        return f"{row['value']:.2f}"
    return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


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
