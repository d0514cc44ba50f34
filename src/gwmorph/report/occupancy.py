"""Clusters over time: the share of windows or events in each, and the rate of events."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gwmorph.report.columns import detectors_of, values
from gwmorph.report.palette import cluster_color, is_dense, saved_figure, say_empty
from gwmorph.report.times import since
from gwmorph.wording import counted, hourly

_ANALYSED = "#666666"
_EXCLUDED = "#d55e00"


@dataclass(frozen=True)
class Occupancy:
    """Windows or events of one detector, counted in bins of GPS time by the window's start.

    ``starts`` int64 [bins], seconds; ``members`` int64 [bins, clusters]; ``analysed`` and
    ``excluded`` windows, int64 [bins]; ``livetime_s`` int64 [bins], the analysed windows' seconds.
    """

    starts: NDArray
    members: NDArray
    analysed: NDArray
    excluded: NDArray
    livetime_s: NDArray

    def shares(self) -> NDArray:
        """Return the share of each cluster among a bin's members, NaN where it has none."""
        total = self.members.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            return self.members / total

    def rates(self) -> NDArray:
        """Return each cluster's members an hour of livetime, NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return 3600 * self.members / self.livetime_s[:, None]


def count_occupancy(clusters: pa.Table, ledger: pa.Table, bin_s: int) -> dict[str, Occupancy]:
    """Count each detector's windows or events in bins aligned to multiples of ``bin_s`` s.

    Bins, of which every detector has the same, run from the first to the last planned window.
    """
    if not ledger.num_rows:
        return {}
    planned_bin = values(ledger, "gps_start") // bin_s
    first, bins = planned_bin.min(), int(np.ptp(planned_bin)) + 1
    starts = (first + np.arange(bins)) * bin_s
    sorts = int(values(clusters, "cluster").max(initial=-1)) + 1
    result = {}
    for detector in detectors_of(ledger):
        own = clusters.filter(pc.equal(clusters["detector"], detector))
        members = np.zeros((bins, sorts), dtype=np.int64)
        place = (values(own, "gps_start") // bin_s - first, values(own, "cluster"))
        np.add.at(members, place, 1)
        counts = {
            status: _count_bins(ledger, detector, status, bin_s, starts)
            for status in ("analysed", "excluded")
        }
        livetime_s = _bin_livetime(ledger, detector, bin_s, starts)
        result[detector] = Occupancy(starts, members, livetime_s=livetime_s, **counts)
    return result


def _count_bins(
    ledger: pa.Table, detector: str, status: str, bin_s: int, starts: NDArray
) -> NDArray:
    chosen = _windows(ledger, detector, status)
    index = (values(chosen, "gps_start") - starts[0]) // bin_s
    return np.bincount(index, minlength=len(starts))


def _windows(ledger: pa.Table, detector: str, status: str) -> pa.Table:
    return ledger.filter(
        pc.and_(pc.equal(ledger["detector"], detector), pc.equal(ledger["status"], status))
    )


def _bin_livetime(ledger: pa.Table, detector: str, bin_s: int, starts: NDArray) -> NDArray:
    """Return the seconds in the union of the analysed windows that start in each bin."""
    chosen = _windows(ledger, detector, "analysed").sort_by("gps_start")
    begin, length = values(chosen, "gps_start"), values(chosen, "duration_s")
    index = (begin - starts[0]) // bin_s
    # Windows may overlap: each adds what lies before the next one of its bin.
    until_next = np.append(np.diff(begin), bin_s)
    is_last = np.append(np.diff(index) > 0, True)
    own = np.where(is_last, length, np.minimum(length, until_next[: len(length)]))
    return np.bincount(index, own, minlength=len(starts)).astype(np.int64)


def draw_occupancy(
    clusters: pa.Table, view: str, ledger: pa.Table, bin_s: int, path: Path | str
) -> None:
    """Draw the share of windows or events in each cluster over GPS time, for each detector.

    Above the shares of events stands their rate over the analysed time. Below, a strip counts
    analysed and excluded windows.

    Parameters
    ----------
    clusters, ledger
        Rows of the CLUSTERS and LEDGER schemas; the clusters all of one view.
    view
        That view.
    bin_s
        Width of the bins in seconds.
    path
        SVG, PDF or PNG to write.
    """
    occupancy = count_occupancy(clusters, ledger, bin_s)
    panels_of = _PANELS[view]
    heights = [_HEIGHT_IN[panel] for panel in panels_of] * max(1, len(occupancy))
    with saved_figure(path, 12.5, 1.2 + sum(heights)) as figure:
        panels = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=heights, squeeze=False
        )[:, 0]
        if not occupancy:
            for unused in panels[1:]:
                unused.remove()
            panels[0].set(xticks=[], yticks=[])
            say_empty(panels[0], view)
            return
        for own, (detector, counts) in zip(
            np.split(panels, len(occupancy)), occupancy.items(), strict=True
        ):
            for axes, draw in zip(own, panels_of, strict=True):
                draw(axes, counts, bin_s, view)
            own[0].set_title(_title(detector, view, counts))
        start = next(iter(occupancy.values())).starts[0]
        panels[-1].set_xlabel(since(int(start)))
        _occupancy_legend(figure, view, occupancy)


def _title(detector: str, view: str, counts: Occupancy) -> str:
    number, livetime_s = int(counts.members.sum()), int(counts.livetime_s.sum())
    title = f"{detector}: {counted(number, view)} in {livetime_s / 3600:.2f} h"
    return f"{title}, {hourly(number, livetime_s)}" if view == "event" else title


def _hours(counts: Occupancy, bin_s: int) -> NDArray:
    edges = np.append(counts.starts, counts.starts[-1] + bin_s)
    return (edges - edges[0]) / 3600


def _draw_shares(axes: Axes, counts: Occupancy, bin_s: int, view: str) -> None:
    _stack(axes, counts, counts.shares(), bin_s)
    axes.set_ylim(0, 1)
    axes.set_ylabel("Share of\n" + {"window": "analysed windows", "event": "events"}[view])


def _draw_rates(axes: Axes, counts: Occupancy, bin_s: int, view: str) -> None:
    _stack(axes, counts, counts.rates(), bin_s)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"{view.capitalize()}s an hour\nof analysed time")


def _stack(axes: Axes, counts: Occupancy, parts: NDArray, bin_s: int) -> None:
    """Stack the parts [bins, clusters] of all clusters that the detector has."""
    edges = _hours(counts, bin_s)
    tops = np.cumsum(parts, axis=1)
    for cluster in np.flatnonzero(counts.members.any(axis=0)):
        axes.stairs(
            tops[:, cluster],
            edges,
            baseline=tops[:, cluster] - parts[:, cluster],
            fill=True,
            color=cluster_color(int(cluster)),
            linewidth=0,
            rasterized=is_dense(parts.size),
        )
    axes.set_xlim(edges[0], edges[-1])
    axes.tick_params(labelbottom=False)


def _draw_counts(axes: Axes, counts: Occupancy, bin_s: int, view: str) -> None:
    edges = _hours(counts, bin_s)
    dense = is_dense(len(edges))
    axes.stairs(counts.analysed, edges, fill=True, color=_ANALYSED, linewidth=0, rasterized=dense)
    axes.stairs(
        counts.analysed + counts.excluded,
        edges,
        baseline=counts.analysed,
        fill=True,
        facecolor="white",
        edgecolor=_EXCLUDED,
        hatch="/////",
        linewidth=0.6,
        rasterized=dense,
    )
    axes.set_ylabel(f"Windows\nper {bin_s} s")
    axes.yaxis.set_major_locator(ticker.MaxNLocator(3, integer=True))


# What is drawn of each view, from above, and how high.
_PANELS = {
    "window": (_draw_shares, _draw_counts),
    "event": (_draw_rates, _draw_shares, _draw_counts),
}
_HEIGHT_IN = {_draw_rates: 1.9, _draw_shares: 1.9, _draw_counts: 0.8}


def _occupancy_legend(figure: Figure, view: str, occupancy: dict[str, Occupancy]) -> None:
    totals = np.sum([counts.members.sum(axis=0) for counts in occupancy.values()], axis=0)
    handles = [
        Patch(color=cluster_color(cluster), label=f"{cluster} ({totals[cluster]:,})")
        for cluster in np.flatnonzero(totals).tolist()
    ]
    figure.legend(
        handles=handles,
        title=f"Cluster ({view}s)",
        loc="outside right upper",
        ncols=1 + len(handles) // 16,
    )
    states = [
        Patch(color=_ANALYSED, label="analysed"),
        Patch(facecolor="white", edgecolor=_EXCLUDED, hatch="/////", label="excluded"),
    ]
    figure.legend(handles=states, title="Windows", loc="outside right lower")
