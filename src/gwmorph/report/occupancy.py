"""Clusters over time: the share of windows or events in each."""

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
from gwmorph.report.palette import cluster_color, saved_figure, say_empty

_ANALYSED = "#666666"
_EXCLUDED = "#d55e00"


@dataclass(frozen=True)
class Occupancy:
    """Windows or events of one detector, counted in bins of GPS time by the window's start.

    ``starts`` int64 [bins], seconds; ``members`` int64 [bins, clusters]; ``analysed`` and
    ``excluded`` windows, int64 [bins].
    """

    starts: NDArray
    members: NDArray
    analysed: NDArray
    excluded: NDArray

    def shares(self) -> NDArray:
        """Return the share of each cluster among a bin's members, NaN where it has none."""
        total = self.members.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            return self.members / total


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
        result[detector] = Occupancy(starts, members, **counts)
    return result


def _count_bins(
    ledger: pa.Table, detector: str, status: str, bin_s: int, starts: NDArray
) -> NDArray:
    chosen = ledger.filter(
        pc.and_(pc.equal(ledger["detector"], detector), pc.equal(ledger["status"], status))
    )
    index = (values(chosen, "gps_start") - starts[0]) // bin_s
    return np.bincount(index, minlength=len(starts))


def draw_occupancy(
    clusters: pa.Table, view: str, ledger: pa.Table, bin_s: int, path: Path | str
) -> None:
    """Draw the share of windows or events in each cluster over GPS time, for each detector.

    Under each detector's shares, a strip counts its analysed and its excluded windows.

    Parameters
    ----------
    clusters, ledger
        Rows of the CLUSTERS and LEDGER schemas; the clusters all of one view.
    view
        That view.
    bin_s
        Width of the bins in seconds.
    path
        PNG to write.
    """
    occupancy = count_occupancy(clusters, ledger, bin_s)
    rows = max(1, len(occupancy))
    with saved_figure(path, 12.5, 1.2 + 3.2 * rows) as figure:
        panels = figure.subplots(
            2 * rows, 1, sharex=True, height_ratios=[3, 1] * rows, squeeze=False
        )[:, 0]
        if not occupancy:
            panels[1].remove()
            panels[0].set(xticks=[], yticks=[])
            say_empty(panels[0], view)
            return
        for index, (detector, counts) in enumerate(occupancy.items()):
            _draw_shares(panels[2 * index], detector, view, counts, bin_s)
            _draw_counts(panels[2 * index + 1], counts, bin_s)
        start = next(iter(occupancy.values())).starts[0]
        panels[-1].set_xlabel(f"Time since GPS {start} [h]")
        _occupancy_legend(figure, occupancy)


def _hours(counts: Occupancy, bin_s: int) -> NDArray:
    edges = np.append(counts.starts, counts.starts[-1] + bin_s)
    return (edges - edges[0]) / 3600


def _draw_shares(axes: Axes, detector: str, view: str, counts: Occupancy, bin_s: int) -> None:
    edges = _hours(counts, bin_s)
    tops = np.cumsum(counts.shares(), axis=1)
    bottoms = tops - counts.shares()
    for cluster in np.flatnonzero(counts.members.any(axis=0)):
        axes.stairs(
            tops[:, cluster],
            edges,
            baseline=bottoms[:, cluster],
            fill=True,
            color=cluster_color(int(cluster)),
            linewidth=0,
        )
    axes.set(title=detector, ylim=(0, 1), xlim=(edges[0], edges[-1]))
    axes.set_ylabel("Share of\n" + {"window": "analysed windows", "event": "events"}[view])
    axes.tick_params(labelbottom=False)


def _draw_counts(axes: Axes, counts: Occupancy, bin_s: int) -> None:
    edges = _hours(counts, bin_s)
    axes.stairs(counts.analysed, edges, fill=True, color=_ANALYSED, linewidth=0)
    axes.stairs(
        counts.analysed + counts.excluded,
        edges,
        baseline=counts.analysed,
        fill=True,
        facecolor="white",
        edgecolor=_EXCLUDED,
        hatch="/////",
        linewidth=0.6,
    )
    axes.set_ylabel(f"Windows\nper {bin_s} s")
    axes.yaxis.set_major_locator(ticker.MaxNLocator(3, integer=True))


def _occupancy_legend(figure: Figure, occupancy: dict[str, Occupancy]) -> None:
    totals = np.sum([counts.members.sum(axis=0) for counts in occupancy.values()], axis=0)
    handles = [
        Patch(color=cluster_color(cluster), label=f"{cluster}")
        for cluster in np.flatnonzero(totals).tolist()
    ]
    figure.legend(
        handles=handles, title="Cluster", loc="outside right upper", ncols=1 + len(handles) // 16
    )
    states = [
        Patch(color=_ANALYSED, label="analysed"),
        Patch(facecolor="white", edgecolor=_EXCLUDED, hatch="/////", label="excluded"),
    ]
    figure.legend(handles=states, title="Windows", loc="outside right lower")
