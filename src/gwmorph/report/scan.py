"""What a scan made of its blocks: a figure of statuses, events and lag, and a page."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gwmorph.morphology.status import Status
from gwmorph.report.html import Html, heading, page, paragraph, table, warning
from gwmorph.report.palette import LEGEND_BELOW, is_dense, saved_figure
from gwmorph.report.statuses import COLORS
from gwmorph.report.times import since
from gwmorph.scanner.summary import BlockSummary
from gwmorph.utc import utc
from gwmorph.wording import counted

# As excluded windows are drawn over time.
_EXCLUDED, _FAILED, _ALARM = "#d55e00", "#222222", "#aa1144"
_DRAWING, _LAG = "#88ccee", "#332288"
_PANEL_IN, _LAG_IN = 1.7, 1.3
_BARS = 9  # of a block, at most
_WINDOWS = [Status.QUIET, Status.KNOWN, Status.AMBIGUOUS, Status.NOVEL]
_EVENTS = [Status.KNOWN, Status.AMBIGUOUS, Status.NOVEL]
_LISTED = 200

_COLUMNS = {
    "block": "detector, GPS time of the first second [s]",
    "UTC": "of the first second",
    "duration [s]": "from the first to the last second of the block",
    "result": "DONE, or FAILED with the reason below",
    "live [s]": "seconds in the union of the windows that were analysed",
    **{f"{status} windows": "" for status in (*_WINDOWS, Status.EXCLUDED)},
    "excluded for": "number of windows by reason",
    **{f"{status} events": "" for status in _EVENTS},
    "drawing [s]": "time that strain, transforms and pictures took",
    "lag [s]": "from when the scanner knew of the last file needed until the results were written",
    "alarm": "whether there are more NOVEL windows than scan.novel_alarm",
}


def draw_scan(blocks: Sequence[BlockSummary], path: Path | str) -> None:
    """Draw windows and events of each status per block, detector by detector, and the lag.

    Parameters
    ----------
    blocks
        What became of each block, in any order; none gives a figure that says so.
    path
        SVG, PDF or PNG to write.
    """
    by_detector = detectors_of(blocks)
    heights = [_PANEL_IN, _PANEL_IN, _LAG_IN] * max(1, len(by_detector))
    with saved_figure(path, 12.5, 1.4 + sum(heights)) as figure:
        if not by_detector:
            axes = figure.subplots()
            axes.set(xticks=[], yticks=[])
            axes.text(0.5, 0.5, "no blocks were scanned", ha="center", transform=axes.transAxes)
            return
        start = min(block.gps_start for block in blocks)
        panels = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=heights, squeeze=False
        )[:, 0]
        rows = zip(np.split(panels, len(by_detector)), by_detector.items(), strict=True)
        for own, (detector, found) in rows:
            own[0].set_title(f"{detector}: {_counts(found)}")
            _draw_statuses(own[0], found, start, "windows", _WINDOWS)
            _draw_statuses(own[1], found, start, "events", _EVENTS)
            _draw_lag(own[2], found, start)
        panels[-1].set_xlabel(since(start))
        handles: list[Artist] = [Patch(color=COLORS[status], label=status) for status in _WINDOWS]
        handles += [
            Patch(facecolor="white", edgecolor=_EXCLUDED, hatch="/////", label=Status.EXCLUDED),
            Line2D([], [], color=_ALARM, marker="v", linestyle="", label="alarm"),
            Line2D([], [], color=_FAILED, marker="x", linestyle="", label="block FAILED"),
            Line2D([], [], color=_DRAWING, marker="s", linestyle="", label="time for drawing"),
            Line2D([], [], color=_LAG, marker="_", linestyle="", label="lag"),
        ]
        panels[-1].legend(
            handles=handles, **{**LEGEND_BELOW, "bbox_to_anchor": (0.5, -0.45)} | {"ncols": 5}
        )


def detectors_of(blocks: Sequence[BlockSummary]) -> dict[str, list[BlockSummary]]:
    """Return the blocks of each detector in order of time."""
    ordered = sorted(blocks, key=lambda block: (block.detector, block.gps_start))
    return {name: list(own) for name, own in groupby(ordered, key=lambda block: block.detector)}


def _counts(found: Sequence[BlockSummary]) -> str:
    failed, alarms = (sum(map(bool, flags)) for flags in zip(*_flags(found), strict=True))
    live = sum(block.livetime_s for block in found) / 3600
    return (
        f"{counted(len(found), 'block')}, {failed:,} FAILED, {counted(alarms, 'alarm')}, "
        f"{live:.2f} h analysed"
    )


def _flags(found: Sequence[BlockSummary]) -> list[tuple[bool, bool]]:
    return [(block.failed, block.alarm is not None) for block in found]


def _place(found: Sequence[BlockSummary], start: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first second and the duration of each block, h from ``start``."""
    first = np.array([block.gps_start - start for block in found]) / 3600
    return first, np.array([block.duration_s for block in found]) / 3600


def _draw_statuses(
    axes: Axes, found: Sequence[BlockSummary], start: int, what: str, statuses: Sequence[Status]
) -> None:
    """Stack a bar for each block, with the alarms and the failures of its windows."""
    first, width = _place(found, start)
    bottom = np.zeros(len(found))
    for status in statuses:
        height = np.array([getattr(block, what).get(status, 0) for block in found])
        axes.bar(
            first,
            height,
            width,
            bottom,
            align="edge",
            color=COLORS[status],
            linewidth=0,
            rasterized=is_dense(_BARS * len(found)),
        )
        bottom += height
    axes.set_ylabel(f"{what.capitalize()}\nper block")
    axes.tick_params(labelbottom=False)
    if what == "events":
        axes.set_ylim(0, max(1.0, 1.05 * bottom.max()))
        return
    excluded = np.array([block.windows.get(Status.EXCLUDED, 0) for block in found])
    axes.bar(
        first, excluded, width, bottom, align="edge", facecolor="white", edgecolor=_EXCLUDED,
        hatch="/////", linewidth=0.6, rasterized=is_dense(_BARS * len(found)),
    )  # fmt: skip
    top = max(1.0, float((bottom + excluded).max()))
    middle = first + width / 2
    for (flag, marker, color), at in zip(
        (("failed", "x", _FAILED), ("alarm", "v", _ALARM)), (1.08, 1.16), strict=True
    ):
        marked = [bool(getattr(block, flag)) for block in found]
        axes.plot(
            middle[marked], np.full(sum(marked), at * top), marker, color=color, markersize=6
        )
    axes.set_ylim(0, 1.22 * top)


def _draw_lag(axes: Axes, found: Sequence[BlockSummary], start: int) -> None:
    first, width = _place(found, start)
    took = [block.took_s for block in found]
    lag = np.array([np.nan if b.latency_s is None else b.latency_s for b in found], dtype=float)
    axes.bar(
        first,
        took,
        width,
        align="edge",
        color=_DRAWING,
        linewidth=0,
        rasterized=is_dense(_BARS * len(found)),
    )
    axes.hlines(lag, first, first + width, color=_LAG, linewidth=1.5)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("Time after the\nlast file [s]")


def scan_page(blocks: Sequence[BlockSummary], listed: int = _LISTED) -> str:
    """Return a page of HTML: alarms and failures in words, totals, and a table of the blocks.

    Of more than ``listed`` blocks the table has those that FAILED, raised an alarm or hold most
    NOVEL windows.
    """
    order = sorted(blocks, key=_urgency)[:listed]
    shown = sorted(order, key=lambda block: (block.gps_start, block.detector))
    parts = [heading("Scan")]
    parts += [paragraph(f"{name}: {_counts(own)}.") for name, own in detectors_of(blocks).items()]
    if not blocks:
        parts.append(warning("No blocks were scanned."))
    parts += [warning(block.alarm.text) for block in shown if block.alarm]
    parts += [warning(f"{b.folder}: FAILED. {b.why}") for b in shown if b.failed]
    parts += [paragraph(f"{b.folder}: {fault}") for b in shown for fault in b.faults]
    if len(shown) < len(blocks):
        parts.append(
            paragraph(
                f"Of {counted(len(blocks), 'block')} the {listed:,} are listed that FAILED, "
                "raised an alarm or hold most NOVEL windows; the others are in scan/summary.json."
            )
        )
    parts.append(table(list(_COLUMNS.items()), map(_cells, shown)))
    return page("Scan", *parts)


def _urgency(block: BlockSummary) -> tuple[bool, bool, int, int, str]:
    return (
        not block.failed, block.alarm is None, -len(block.novel_windows), block.gps_start,
        block.detector,
    )  # fmt: skip


def _cells(block: BlockSummary) -> list[str]:
    return [
        _unbroken(f"{block.detector} {block.gps_start}"),
        _unbroken(utc(block.gps_start)),
        str(block.duration_s),
        block.status,
        f"{block.livetime_s:,}",
        *(_number(block.windows, status) for status in (*_WINDOWS, Status.EXCLUDED)),
        ", ".join(f"{reason} {count}" for reason, count in sorted(block.excluded.items())),
        *(_number(block.events, status) for status in _EVENTS),
        f"{block.took_s:.1f}",
        "" if block.latency_s is None else f"{block.latency_s:.1f}",
        "ALARM" if block.alarm else "",
    ]


def _unbroken(text: str) -> Html:
    return Html(f'<span style="white-space: nowrap">{escape(text)}</span>')


def _number(counts: Mapping[str, int], status: Status) -> str:
    return f"{counts.get(status, 0):,}"
