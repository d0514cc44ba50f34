"""The 2-d map of a view: by cluster, by SNR and by detector."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from gwmorph.report.columns import detectors_of, flags, values
from gwmorph.report.names import Names, cluster_labels
from gwmorph.report.palette import (
    DPI,
    GREY,
    LOUDNESS,
    add_snr_bar,
    cluster_color,
    is_dense,
    saved_figure,
    say_empty,
    snr_norm,
)
from gwmorph.wording import counted

_WIDTH_IN, _MAP_IN = 14.2, 5.5
# The list of names: its heading, one of its lines, and how many stand side by side.
_HEADING_IN, _LINE_IN, _COLUMNS = 0.4, 0.19, 2
_NAMES = (
    "What each cluster looks like: suggested by the labelled rows that are nearest to its members"
)
_LABEL_GAP_IN = 0.26
# In characters: more would run into the next panel's title.
_TITLE_WIDTH = 60


def draw_map(clusters: pa.Table, view: str, path: Path | str, names: Names | None = None) -> None:
    """Draw the 2-d map coloured by cluster and by SNR, and each detector's share of it.

    Parameters
    ----------
    clusters
        Rows of the CLUSTERS schema, all of one view; none gives a figure that says so.
    view
        That view.
    path
        SVG, PDF or PNG to write.
    names
        What the clusters look like, which is written below; None where nothing is known of it.
    """
    if not names:
        with saved_figure(path, _WIDTH_IN, _MAP_IN) as figure:
            _draw_panels(figure, clusters, view)
        return
    names_in = _HEADING_IN + math.ceil(len(names) / _COLUMNS) * _LINE_IN
    with saved_figure(path, _WIDTH_IN, _MAP_IN + names_in) as figure:
        heights = [_MAP_IN, names_in]
        above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
        _write_names(below, names, cluster_labels(clusters))
        _draw_panels(above, clusters, view)


def _draw_panels(figure: Figure | SubFigure, clusters: pa.Table, view: str) -> None:
    detectors = detectors_of(clusters)
    x, y = values(clusters, "x"), values(clusters, "y")
    of_row = np.asarray(clusters.column("detector").to_pylist())
    widths = [6, 6.6, 3]
    by_cluster, by_snr, column = figure.subfigures(1, 3, width_ratios=widths, squeeze=False)[0]
    _draw_snr(by_snr, view, x, y, values(clusters, "tile_snr"))
    # At least two places, so that a single detector does not get a tall, narrow panel.
    panels = column.subplots(max(2, len(detectors)), 1)
    for axes, detector in zip(panels, detectors, strict=False):
        _draw_detector(axes, view, x, y, of_row == detector, detector)
    for unused in panels[len(detectors) :]:
        unused.remove()
    # Last, because labels are placed in a layout that does not move any more.
    _draw_clusters(by_cluster, view, x, y, clusters)


def _write_names(figure: SubFigure, names: Names, marks: Mapping[int, str]) -> None:
    """Write what each cluster looks like in columns, beside the mark that it has on the map."""
    lines = math.ceil(len(names) / _COLUMNS)
    height = _HEADING_IN + lines * _LINE_IN
    figure.text(0.008, 1 - 0.15 / height, _NAMES, va="center")
    for place, (cluster, name) in enumerate(sorted(names.items())):
        column, line = divmod(place, lines)
        x, y = 0.008 + column / _COLUMNS, 1 - (_HEADING_IN + line * _LINE_IN) / height
        figure.text(x, y, "\N{BLACK SQUARE}", color=cluster_color(cluster), va="center")
        figure.text(x + 0.01, y, marks[cluster], va="center", fontsize=8.5)
        # A user's class may have the signs of a formula in it.
        figure.text(x + 0.032, y, name.line, va="center", fontsize=8.5, parse_math=False)


def _draw_clusters(
    figure: SubFigure, view: str, x: NDArray, y: NDArray, clusters: pa.Table
) -> None:
    axes = figure.subplots()
    cluster, outlier = values(clusters, "cluster"), flags(clusters, "outlier")
    numbers = np.unique(cluster)
    # A fixed shuffle: no cluster hides another only because it is drawn later.
    order = np.random.default_rng(0).permutation(len(x))
    shades = [cluster_color(int(number)) for number in cluster[order]]
    axes.scatter(
        x[order],
        y[order],
        s=_point_area(len(x)),
        c=shades or None,
        linewidths=0,
        rasterized=is_dense(len(x)),
    )
    axes.scatter(
        x[outlier],
        y[outlier],
        s=18,
        facecolors="none",
        edgecolors="#222222",
        linewidths=0.6,
        rasterized=is_dense(int(outlier.sum())),
    )
    labels = list(cluster_labels(clusters).values())
    _frame_map(axes, _cluster_title(labels, outlier), view, x, y)
    anchors = [_centre(x[cluster == number], y[cluster == number]) for number in numbers]
    _number_clusters(axes, numbers, labels, np.reshape(anchors, (-1, 2)))


def _cluster_title(labels: Sequence[str], outlier: NDArray) -> str:
    """Say how many clusters there are, how many of them are in doubt, and how many outliers."""
    parts = [counted(len(labels), "cluster")]
    if doubtful := sum("?" in label for label in labels):
        parts.append(f"{doubtful} unsupported (?)")
    if torn := sum("*" in label for label in labels):
        parts.append(f"{torn} in UMAP alone (*)")
    if outlier.any():
        parts.append(f"{counted(int(outlier.sum()), 'outlier')} (ringed)")
    return textwrap.fill("Coloured by cluster: " + ", ".join(parts), _TITLE_WIDTH)


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
    norm = snr_norm(snr)
    axes.scatter(
        x[order],
        y[order],
        s=_point_area(len(x)),
        c=snr[order],
        cmap=LOUDNESS,
        norm=norm,
        linewidths=0,
        rasterized=is_dense(len(x)),
    )
    _frame_map(axes, f"Coloured by SNR of the {view}'s loudest tile", view, x, y)
    add_snr_bar(figure, axes, norm)


def _draw_detector(
    axes: Axes, view: str, x: NDArray, y: NDArray, own: NDArray, detector: str
) -> None:
    area = 0.5 * _point_area(len(x))
    for shown, color in ((~own, GREY), (own, "#0072b2")):
        axes.scatter(
            x[shown], y[shown], s=area, c=color, linewidths=0, rasterized=is_dense(len(x))
        )
    _frame_map(axes, f"{detector}: {counted(int(own.sum()), view)}", view, x, y)


def _frame_map(axes: Axes, title: str, view: str, x: NDArray, y: NDArray) -> None:
    axes.set(title=title, xlabel="UMAP 1 [arbitrary]", ylabel="UMAP 2 [arbitrary]")
    axes.set(xticks=[], yticks=[])
    if not len(x):
        say_empty(axes, view)
        return
    for low, high, set_limits in (
        (x.min(), x.max(), axes.set_xlim),
        (y.min(), y.max(), axes.set_ylim),
    ):
        margin = 0.06 * (high - low) or 1.0
        set_limits(low - margin, high + margin)


def _point_area(count: int) -> float:
    return float(np.clip(6e4 / max(count, 1), 3, 22))
