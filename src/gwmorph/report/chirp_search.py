"""The report of a search for chirps: efficiency, ROC, tables.

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

from gwmorph.report.html import heading, page, paragraph, table
from gwmorph.report.palette import saved_figure, series_color
from gwmorph.storage import write_bytes

_LABELS = {
    "matched_filter": "matched filter",
    "classic_unbounded": "classic network",
    "classic_softmax": "classic network, softmax",
    "residual_unbounded": "residual network",
    "residual_softmax": "residual network, softmax",
}
_PANEL_IN = (3.4, 3.1)


def _label(statistic: str) -> str:
    return _LABELS.get(statistic, statistic)


def _shown(statistics: Sequence[str]) -> list[str]:
    """Return statistics in the order of their labels, those without one behind."""
    known = [name for name in _LABELS if name in statistics]
    return known + [name for name in statistics if name not in known]


def draw_efficiency(efficiency: pa.Table, path: Path | str) -> None:
    """Draw the share of signals found against their SNR, a panel for each limit.

    Parameters
    ----------
    efficiency
        Rows of ``CHIRP_EFFICIENCY``.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    limits = list(
        dict.fromkeys(
            zip(
                efficiency["limited_by"].to_pylist(),
                efficiency["false_alarms"].to_pylist(),
                strict=True,
            )
        )
    )
    statistics = _shown(efficiency["statistic"].unique().to_pylist())
    width, height = _PANEL_IN
    with saved_figure(path, width * len(limits), height + 0.7) as figure:
        panels = figure.subplots(1, len(limits), sharey=True, squeeze=False)[0]
        for axes, (limited_by, value) in zip(panels, limits, strict=True):
            part = efficiency.filter(
                pc.and_(
                    pc.equal(efficiency["limited_by"], limited_by),
                    pc.equal(efficiency["false_alarms"], value),
                )
            )
            for name in statistics:
                curve = part.filter(pc.equal(part["statistic"], name)).sort_by("snr")
                _draw_curve(axes, curve, name, statistics)
            axes.set_title(_limit_text(limited_by, value))
            axes.set_xlabel("optimal network SNR")
            axes.set_ylim(-0.02, 1.02)
            axes.grid(color="#dddddd", linewidth=0.6)
        panels[0].set_ylabel("share of signals found")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))


def _draw_curve(axes: Axes, curve: pa.Table, name: str, statistics: Sequence[str]) -> None:
    snr, value, low, high = (
        curve[column].to_numpy() for column in ("snr", "efficiency", "low", "high")
    )
    style = _style(name, statistics)
    axes.fill_between(snr, low, high, color=style["color"], alpha=0.15, linewidth=0)
    axes.plot(snr, value, marker="o", markersize=3, label=_label(name), **style)


def _style(name: str, statistics: Sequence[str]) -> dict[str, Any]:
    """Return a line's colour and dashes: one colour for a network, dotted for its softmax."""
    searches = list(dict.fromkeys(_search(each) for each in statistics))
    dotted = name.endswith("_softmax")
    return {
        "color": series_color(searches.index(_search(name))),
        "linestyle": ":" if dotted else "-",
        "linewidth": 1.8 if dotted else 1.3,
    }


def _search(statistic: str) -> str:
    return statistic.removesuffix("_softmax").removesuffix("_unbounded")


def _limit_text(limited_by: str, value: float) -> str:
    if limited_by == "rate":
        return f"{value:g} false alarm{'s' * (value != 1)} in an hour"
    return f"false-alarm probability {value:g}"


def draw_chirp_roc(roc: pa.Table, path: Path | str) -> None:
    """Draw efficiency against false-alarm probability, a panel for each of up to four SNRs.

    The lowest is among them, and not the highest if there are many: it says nothing.

    Parameters
    ----------
    roc
        Rows of ``CHIRP_ROC``.

    Raises
    ------
    StorageError
        The figure cannot be written whole.
    """
    snrs = np.unique(roc["snr"].to_numpy())
    chosen = snrs[:: -(-len(snrs) // 4)]
    statistics = _shown(roc["statistic"].unique().to_pylist())
    width, height = _PANEL_IN
    with saved_figure(path, width * len(chosen), height + 0.7) as figure:
        panels = figure.subplots(1, len(chosen), sharey=True, squeeze=False)[0]
        for axes, snr in zip(panels, chosen, strict=True):
            part = roc.filter(pc.equal(roc["snr"], float(snr)))
            for name in statistics:
                curve = part.filter(pc.equal(part["statistic"], name))
                probability = curve["false_alarm_probability"].to_numpy()
                positive = probability > 0
                axes.plot(
                    probability[positive],
                    curve["efficiency"].to_numpy()[positive],
                    label=_label(name),
                    **_style(name, statistics),
                )
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(ticker.NullLocator())
            axes.set_title(f"SNR {snr:g}")
            axes.set_xlabel("false-alarm probability")
            axes.set_ylim(-0.02, 1.02)
            axes.grid(color="#dddddd", linewidth=0.6)
        panels[0].set_ylabel("share of signals found")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))


def write_chirp_page(
    figures: pa.Table, confusion: pa.Table, match: Mapping[str, Any], path: Path | str
) -> None:
    """Write the page of numbers: areas, relative efficiencies, confusion at each limit, the bank.

    Parameters
    ----------
    figures, confusion
        Rows of ``CHIRP_FIGURES`` and ``CHIRP_CONFUSION``.
    match
        What the placement of the bank achieved.

    Raises
    ------
    StorageError
        The page cannot be written whole.
    """
    blocks = [
        heading("Efficiency over the matched filter's"),
        table(*_relative_text(figures)),
        heading("Area under the ROC"),
        table(*_auc_text(figures)),
        heading("Confusion at each limit"),
        table(*_confusion_text(confusion)),
        heading("Template bank"),
        paragraph(
            f"{match['templates']} templates, placed for a match of {match['minimal_match']:g}. "
            f"Of the SNR of {match['signals']} random signals they recover "
            f"{match['recovered_median']:.3f} in the median, {match['recovered_1_in_100']:.3f} of "
            f"the worst in a hundred, {match['recovered_least']:.3f} of the worst; "
            f"{100 * match['below_minimal_match']:.1f} % recover less than the match."
        ),
    ]
    write_bytes(path, page("Search for chirps", *blocks).encode())


Text = tuple[list[tuple[str, str]], list[list[str]]]


def _interval(row: Mapping[str, Any], digits: int) -> str:
    value, low, high = (f"{row[name]:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _relative_text(figures: pa.Table) -> Text:
    rows = figures.filter(pc.equal(figures["figure"], "relative_efficiency")).to_pylist()
    return (
        [(name, "") for name in ("statistic", "false-alarm probability", "SNRs", "efficiency")],
        [
            [
                _label(row["statistic"]),
                f"{row['false_alarm_probability']:g}",
                f"{row['snr_low']:g} to {row['snr_high']:g}",
                _interval(row, 3),
            ]
            for row in rows
        ],
    )


def _auc_text(figures: pa.Table) -> Text:
    rows = figures.filter(pc.equal(figures["figure"], "auc")).to_pylist()
    spans = list(dict.fromkeys((row["snr_low"], row["snr_high"]) for row in rows))
    found = {(row["statistic"], row["snr_low"], row["snr_high"]): row for row in rows}
    statistics = _shown(list(dict.fromkeys(row["statistic"] for row in rows)))
    return (
        [("SNR", ""), *((_label(name), "") for name in statistics)],
        [
            [
                f"{low:g}" if low == high else f"{low:g} to {high:g}",
                *(_interval(found[name, low, high], 4) for name in statistics),
            ]
            for low, high in spans
        ],
    )


def _confusion_text(confusion: pa.Table) -> Text:
    headings = (
        "statistic", "nominal", "limit", "signals found", "missed", "false alarms",
        "noise passed over", "achieved",
    )  # fmt: skip
    return (
        [(name, "") for name in headings],
        [
            [
                _label(row["statistic"]),
                f"{row['false_alarm_probability']:g}",
                f"{row['limit']:.5g}",
                str(row["signals_found"]),
                str(row["signals_missed"]),
                str(row["false_alarms"]),
                str(row["noise_passed_over"]),
                f"{row['achieved']:.2g} ({row['low']:.2g} to {row['high']:.2g})",
            ]
            for row in confusion.to_pylist()
        ],
    )
