"""The report's figures and tables, drawn from tables alone.

Public functions (all write one file in one step; equal input gives equal bytes):

``draw_map(clusters, view, path)``
    2-d map, by cluster, by SNR and by detector.
``draw_occupancy(clusters, view, ledger, bin_s, path)``
    Share of windows or events in each cluster over time, one row of axes per detector.
``choose_examples(cluster, clusters, cluster_summary, count) -> list[Example]``
    Which windows or events a gallery shows: the medoid, then evenly over falling probability.
``draw_gallery(cluster, view, examples, pictures, scale, path)``
    Contact sheet; ``pictures[i]`` is the PNG of ``examples[i]``, ``scale`` a ``GalleryScale``.
``write_cluster_csv(cluster_summary, path)``
    The cluster table for spreadsheets.
``write_cluster_html(cluster_summary, diagnostics, path)``
    The same as a page, with what the clusters were compared with.

Tables are ``pyarrow.Table`` with the schemas CLUSTERS, LEDGER and CLUSTER_SUMMARY of
``gwmorph.tables``, rows of all detectors together. ``view`` says what a table's clusters are made
of: ``window`` or ``event``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import colormaps, colors, ticker
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from gwmorph.report.html import table_page
from gwmorph.report.palette import DPI, GREY, cluster_color, saved_figure
from gwmorph.spectra.pictures import CROPS_S
from gwmorph.storage import write_bytes
from gwmorph.tables.clusters import CLUSTER_SUMMARY

# Quiet is pale but still seen on white; lightness alone tells the order.
_LOUDNESS = colors.ListedColormap(colormaps["YlGnBu"](np.linspace(0.25, 1, 256)))
_LABEL_GAP_IN = 0.26
_ANALYSED = "#666666"
_EXCLUDED = "#d55e00"
_MARKED_HZ = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
# About one pixel of the figure for each of a picture of 224: a report holds many galleries.
_GALLERY_DPI = 100
_EMPTY = {"window": "no analysed windows", "event": "no events"}


# -- the map --------------------------------------------------------------------------------


def draw_map(clusters: pa.Table, view: str, path: Path | str) -> None:
    """Draw the 2-d map coloured by cluster and by SNR, and each detector's share of it.

    Parameters
    ----------
    clusters
        Rows of the CLUSTERS schema, all of one view; none gives a figure that says so.
    view
        That view.
    path
        PNG to write.
    """
    detectors = _detectors(clusters)
    x, y = _column(clusters, "x"), _column(clusters, "y")
    names = np.asarray(clusters.column("detector").to_pylist())
    with saved_figure(path, 15.5, 6.0) as figure:
        by_cluster, by_snr, column = figure.subfigures(
            1, 3, width_ratios=[6, 6.6, 3], squeeze=False
        )[0]
        _draw_snr(by_snr, view, x, y, _column(clusters, "tile_snr"))
        # At least two places, so that a single detector does not get a tall, narrow panel.
        panels = column.subplots(max(2, len(detectors)), 1)
        for axes, detector in zip(panels, detectors, strict=False):
            _draw_detector(axes, view, x, y, names == detector, detector)
        for unused in panels[len(detectors) :]:
            unused.remove()
        # Last, because labels are placed in a layout that does not move any more.
        _draw_clusters(by_cluster, view, x, y, clusters)


def _draw_clusters(
    figure: SubFigure, view: str, x: NDArray, y: NDArray, clusters: pa.Table
) -> None:
    axes = figure.subplots()
    cluster, outlier = _column(clusters, "cluster"), _flags(clusters, "outlier")
    numbers, doubtful = np.unique(cluster), np.unique(cluster[~_flags(clusters, "supported")])
    # A fixed shuffle: no cluster hides another only because it is drawn later.
    order = np.random.default_rng(0).permutation(len(x))
    shades = [cluster_color(int(number)) for number in cluster[order]]
    axes.scatter(x[order], y[order], s=_point_area(len(x)), c=shades or None, linewidths=0)
    axes.scatter(
        x[outlier], y[outlier], s=18, facecolors="none", edgecolors="#222222", linewidths=0.6
    )
    _frame_map(axes, _cluster_title(numbers, doubtful, outlier), view, x, y)
    anchors = [_centre(x[cluster == number], y[cluster == number]) for number in numbers]
    marks = [f"{number}?" if number in doubtful else f"{number}" for number in numbers]
    _number_clusters(axes, numbers, marks, np.reshape(anchors, (-1, 2)))


def _cluster_title(numbers: NDArray, doubtful: NDArray, outlier: NDArray) -> str:
    """Say how many clusters there are, how many are unsupported, and how many outliers."""
    parts = [f"{len(numbers)} clusters" if len(numbers) != 1 else "1 cluster"]
    if len(doubtful):
        parts.append(f"{len(doubtful)} unsupported (?)")
    if outlier.any():
        parts.append(f"{outlier.sum():,} outliers (ringed)")
    return "Coloured by cluster: " + ", ".join(parts)


def _centre(x: NDArray, y: NDArray) -> tuple[float, float]:
    """Return the point nearest to the median, so that a label never lies in empty space."""
    nearest = np.argmin(np.hypot(x - np.median(x), y - np.median(y)))
    return float(x[nearest]), float(y[nearest])


def _number_clusters(axes: Axes, numbers: NDArray, marks: Sequence[str], anchors: NDArray) -> None:
    axes.figure.canvas.draw()  # settles the layout, so that pixels below are the final ones
    places = axes.transData.inverted().transform(
        spread_labels(axes.transData.transform(anchors), distance=_LABEL_GAP_IN * DPI)
    )
    for number, mark, anchor, place in zip(numbers, marks, anchors, places, strict=True):
        axes.annotate(
            mark,
            xy=anchor,
            xytext=place,
            ha="center",
            va="center",
            fontsize=8.5,
            bbox={
                "boxstyle": "round,pad=0.2",
                "facecolor": (1, 1, 1, 0.85),
                "edgecolor": cluster_color(int(number)),
            },
            arrowprops={"arrowstyle": "-", "linewidth": 0.7, "shrinkB": 0},
        )


def spread_labels(points: NDArray, distance: float, rounds: int = 300) -> NDArray:
    """Push points [n, 2] apart until no two are closer than ``distance``, if that can be done.

    Every round moves each pair that is too close by half of what is missing.
    """
    places = np.array(points, dtype=float).reshape(-1, 2)
    # Points that coincide need some direction in which to part.
    places += 1e-3 * distance * np.random.default_rng(0).standard_normal(places.shape)
    for _ in range(rounds):
        gaps = places[:, None] - places[None]
        lengths = np.hypot(*np.moveaxis(gaps, -1, 0)) + np.eye(len(places)) * 2 * distance
        missing = np.clip(1.02 * distance - lengths, 0, None)
        if not missing.any():
            break
        places += 0.25 * np.sum((missing / lengths)[..., None] * gaps, axis=1)
    return places


def _draw_snr(figure: SubFigure, view: str, x: NDArray, y: NDArray, snr: NDArray) -> None:
    axes = figure.subplots()
    order = np.argsort(snr, kind="stable")  # the loudest on top
    low = max(1.0, float(snr.min())) if len(snr) else 1.0
    high = max(1.2 * low, float(snr.max())) if len(snr) else 10.0
    norm = colors.LogNorm(low, high, clip=True)
    axes.scatter(
        x[order],
        y[order],
        s=_point_area(len(x)),
        c=snr[order],
        cmap=_LOUDNESS,
        norm=norm,
        linewidths=0,
    )
    _frame_map(axes, f"Coloured by SNR of the {view}'s loudest tile", view, x, y)
    bar = figure.colorbar(ScalarMappable(norm, _LOUDNESS), ax=axes, pad=0.02)
    bar.set_label("SNR (Omicron's convention)")
    ticks = ticker.LogLocator(subs=(1, 2, 5))
    bar.set_ticks([tick for tick in ticks.tick_values(low, high) if low <= tick <= high])
    bar.ax.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    bar.ax.yaxis.set_minor_locator(ticker.NullLocator())


def _draw_detector(
    axes: Axes, view: str, x: NDArray, y: NDArray, own: NDArray, detector: str
) -> None:
    area = 0.5 * _point_area(len(x))
    axes.scatter(x[~own], y[~own], s=area, c=GREY, linewidths=0)
    axes.scatter(x[own], y[own], s=area, c="#0072b2", linewidths=0)
    _frame_map(axes, f"{detector}: {own.sum():,} {view}s", view, x, y)


def _frame_map(axes: Axes, title: str, view: str, x: NDArray, y: NDArray) -> None:
    axes.set(title=title, xlabel="UMAP 1 [arbitrary]", ylabel="UMAP 2 [arbitrary]")
    axes.set(xticks=[], yticks=[])
    if not len(x):
        _say_empty(axes, view)
        return
    for low, high, set_limits in (
        (x.min(), x.max(), axes.set_xlim),
        (y.min(), y.max(), axes.set_ylim),
    ):
        margin = 0.06 * (high - low) or 1.0
        set_limits(low - margin, high + margin)


def _say_empty(axes: Axes, view: str) -> None:
    axes.text(0.5, 0.5, _EMPTY[view], transform=axes.transAxes, ha="center", va="center")


def _point_area(count: int) -> float:
    return float(np.clip(6e4 / max(count, 1), 3, 22))


# -- occupancy ------------------------------------------------------------------------------


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
    planned_bin = _column(ledger, "gps_start") // bin_s
    first, bins = planned_bin.min(), int(np.ptp(planned_bin)) + 1
    starts = (first + np.arange(bins)) * bin_s
    sorts = int(_column(clusters, "cluster").max(initial=-1)) + 1
    result = {}
    for detector in _detectors(ledger):
        own = clusters.filter(pc.equal(clusters["detector"], detector))
        members = np.zeros((bins, sorts), dtype=np.int64)
        place = (_column(own, "gps_start") // bin_s - first, _column(own, "cluster"))
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
    index = (_column(chosen, "gps_start") - starts[0]) // bin_s
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
            _say_empty(panels[0], view)
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


# -- galleries ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """One window or event of a gallery.

    GPS start of the window and, for an event, time of the trigger in seconds; Omicron SNR of
    the loudest tile.
    """

    detector: str
    gps_start: int
    trigger_time: float | None
    snr: float
    probability: float
    is_medoid: bool
    is_outlier: bool


@dataclass(frozen=True)
class GalleryScale:
    """What every picture of a gallery spans.

    ``window_s`` in seconds from left to right of a window's picture, ``low_hz`` to ``high_hz`` in
    Hz from bottom to top (logarithmic) of it and of an event's crops, energy from 0 to
    ``energy_max`` over ``colormap``, spread as ``scale`` says.
    """

    window_s: float
    low_hz: float
    high_hz: float
    energy_max: float
    scale: str = "linear"
    colormap: str = "cividis"


def choose_examples(
    cluster: int, clusters: pa.Table, cluster_summary: pa.Table, count: int
) -> list[Example]:
    """Choose at most ``count`` members of ``cluster``: its medoid, then a spread of the others.

    The others are taken at even steps down the list sorted by probability, so that both typical
    and doubtful members are seen; members of equal probability are in order of detector and time.
    """
    keys = ("detector", "gps_start", "trigger_time")
    chosen = clusters.filter(pc.equal(clusters["cluster"], cluster)).sort_by(
        [("probability", "descending"), *((key, "ascending") for key in keys)]
    )
    summary = cluster_summary.filter(pc.equal(cluster_summary["cluster"], cluster)).to_pylist()
    medoids = [tuple(row[f"medoid_{key}"] for key in keys) for row in summary]
    members = [
        Example(
            row["detector"],
            row["gps_start"],
            row["trigger_time"],
            row["tile_snr"],
            row["probability"],
            tuple(row[key] for key in keys) in medoids,
            row["outlier"],
        )
        for row in chosen.to_pylist()
    ]
    first = [member for member in members if member.is_medoid]
    rest = [member for member in members if not member.is_medoid]
    wanted = min(max(count - len(first), 0), len(rest))
    steps = np.linspace(0, len(rest) - 1, wanted).round().astype(int)
    return [*first, *(rest[step] for step in steps)][:count]


def draw_gallery(
    cluster: int,
    view: str,
    examples: Sequence[Example],
    pictures: Sequence[Path],
    scale: GalleryScale,
    path: Path | str,
    supported: bool = True,
) -> None:
    """Draw example pictures of one cluster as a contact sheet with shared axes.

    Parameters
    ----------
    cluster
        Cluster number, for the title.
    view
        What the pictures show.
    examples, pictures
        Windows or events and their PNGs, in the order in which they are shown.
    scale
        What every picture spans.
    path
        PNG to write.
    supported
        Whether the cluster is more separate than parts of structureless data.
    """
    columns = min(4, max(1, len(examples)))
    rows = max(1, -(-len(examples) // columns))
    width, height = max(6.5, 1.6 + 2.3 * columns), 1.6 + 2.75 * rows
    with saved_figure(path, width, height, _GALLERY_DPI) as figure:
        panels = figure.subplots(rows, columns, squeeze=False)
        shown = list(zip(panels.flat, examples, pictures, strict=False))
        for index, (axes, example, picture) in enumerate(shown):
            _DRAW[view](axes, picture, scale)
            axes.set_xlabel(_caption(example), fontsize=8.5)
            if index % columns == 0:
                axes.set_ylabel("Frequency [Hz]", fontsize=8.5)
                axes.tick_params(labelleft=True)
            if index < columns and view == "window":
                axes.set_title("Time since start [s]", fontsize=8.5, loc="center")
                axes.tick_params(labeltop=True)
        for unused in panels.flat[len(shown) :]:
            unused.axis("off")
        doubt = "" if supported else ", unsupported"
        figure.suptitle(f"Cluster {cluster}{doubt}: example {view}s", x=0.02, ha="left")
        _energy_bar(figure, panels, scale)


def _caption(example: Example) -> str:
    mark = "medoid" if example.is_medoid else f"probability {example.probability:.3f}"
    mark += ", outlier" if example.is_outlier else ""
    when = example.gps_start if example.trigger_time is None else f"{example.trigger_time:.3f}"
    return f"{example.detector}  GPS {when}\nSNR {example.snr:.1f}, {mark}"


def _draw_window(axes: Axes, picture: Path, scale: GalleryScale) -> None:
    low, high = np.log10([scale.low_hz, scale.high_hz])
    _draw_picture(axes, picture, (0, scale.window_s, low, high))
    marks = _marks(scale)
    axes.set_yticks(np.log10(marks), [str(mark) for mark in marks])
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4, prune="upper"))


def _draw_event(axes: Axes, picture: Path, scale: GalleryScale) -> None:
    """Draw four crops, each one unit wide and high, with its duration written into it."""
    _draw_picture(axes, picture, (0, 2, 0, 2))
    axes.axhline(1, color="white", linewidth=1.2)
    axes.axvline(1, color="white", linewidth=1.2)
    for place, duration in zip(((0, 1), (1, 1), (0, 0), (1, 0)), CROPS_S, strict=True):
        x, y = np.add(place, (0.04, 0.96))
        axes.text(x, y, f"{duration:g} s", color="white", fontsize=8, va="top")
    marks = _marks(scale)[1::2]
    heights = np.log(np.divide(marks, scale.low_hz)) / np.log(scale.high_hz / scale.low_hz)
    axes.set_yticks([*heights, *(1 + heights)], 2 * [str(mark) for mark in marks])
    axes.set_xticks([])


_DRAW = {"window": _draw_window, "event": _draw_event}


def _draw_picture(axes: Axes, picture: Path, span: tuple[float, float, float, float]) -> None:
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB"))
    axes.imshow(pixels, extent=span, aspect="auto")
    axes.set_box_aspect(pixels.shape[0] / pixels.shape[1])
    axes.spines[:].set_visible(False)
    axes.tick_params(top=True, bottom=False, labelbottom=False, labelleft=False)
    axes.tick_params(labelsize=8, length=2.5)


def _marks(scale: GalleryScale) -> list[int]:
    return [mark for mark in _MARKED_HZ if scale.low_hz <= mark <= scale.high_hz]


def _energy_bar(figure: Figure, panels: NDArray, scale: GalleryScale) -> None:
    gamma = {"linear": 1.0, "sqrt": 0.5}[scale.scale]
    norm = colors.PowerNorm(gamma, 0, scale.energy_max)
    bar = figure.colorbar(
        ScalarMappable(norm, scale.colormap),
        ax=panels,
        location="bottom",
        shrink=0.6,
        aspect=40,
        pad=0.02,
        extend="max",
    )
    bar.set_label("Largest tile energy in the pixel, over its row's median", fontsize=9)


# -- the cluster table ----------------------------------------------------------------------


def write_cluster_csv(cluster_summary: pa.Table, path: Path | str) -> None:
    """Write the cluster table as CSV in full precision; column names end in their unit."""
    names = [
        f"{field.name}_{_unit(field).lower()}" if _unit(field) else field.name
        for field in CLUSTER_SUMMARY
    ]
    rows = [
        ",".join("" if value is None else str(value) for value in row.values())
        for row in _summary_rows(cluster_summary)
    ]
    write_bytes(path, "\n".join([",".join(names), *rows, ""]).encode())


def write_cluster_html(
    cluster_summary: pa.Table, diagnostics: Mapping[str, Any], path: Path | str
) -> None:
    """Write the cluster table as an HTML page; a heading's tooltip says what it means.

    Below it stands what the clustering's ``diagnostics`` say of the null.
    """
    headings = [(_heading(field), _meaning(field)) for field in CLUSTER_SUMMARY]
    rows = [map(_shown, row.values()) for row in _summary_rows(cluster_summary)]
    note = null_note(diagnostics)
    write_bytes(path, table_page("Clusters", headings, rows, note).encode())


def null_note(diagnostics: Mapping[str, Any]) -> str:
    """Say in a sentence or two what this run's clusters were compared with."""
    if not diagnostics["clustered"]:
        return (
            f"{diagnostics['rows']} rows are too few to cluster (at least "
            f"{diagnostics['minimum_rows']}): they stand in one group, and nothing supports it."
        )
    return (
        f"Method {diagnostics['method']}: {diagnostics['groups_before_joining']} groups, joined "
        f"to {diagnostics['clusters']} clusters, of which {diagnostics['clusters_supported']} are "
        f"supported. Groups with an overlap of {diagnostics['overlap_limit']:.3f} or more were "
        f"joined; the parts of {diagnostics['null_surrogates']} structureless clouds overlap by "
        f"{diagnostics['null_level']:.3f} in the median. {diagnostics['outliers']} of "
        f"{diagnostics['rows']} rows are outliers."
    )


def _summary_rows(cluster_summary: pa.Table) -> list[dict[str, object]]:
    return cluster_summary.select(CLUSTER_SUMMARY.names).sort_by("cluster").to_pylist()


def _unit(field: pa.Field) -> str:
    return field.metadata[b"unit"].decode()


def _meaning(field: pa.Field) -> str:
    return field.metadata[b"meaning"].decode()


def _heading(field: pa.Field) -> str:
    name = field.name.replace("_", " ").replace("gps", "GPS").replace("snr", "SNR")
    return f"{name} [{_unit(field)}]" if _unit(field) else name


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


# -- columns --------------------------------------------------------------------------------


def _column(table: pa.Table, name: str) -> NDArray:
    return table.column(name).to_numpy()


def _flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    return table.column(name).to_numpy(zero_copy_only=False).astype(bool)


def _detectors(table: pa.Table) -> list[str]:
    return sorted(pc.unique(table.column("detector")).to_pylist())
