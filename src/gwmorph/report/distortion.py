"""What UMAP did to distances, and which clusters exist without it: a figure and tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.morphology.partitions import DISSOLVED
from gwmorph.report.estimates import draw_intervals, interval_text
from gwmorph.report.html import cluster_mark, heading, page, table
from gwmorph.report.palette import cluster_color, legend_below_label, saved_figure, series_color
from gwmorph.storage import write_bytes

_FIGURES = {
    "trustworthiness": "trustworthiness: neighbours shown are neighbours",
    "continuity": "continuity: neighbours are shown as neighbours",
    "neighbor_preservation": "share of the nearest that are kept (15 at most)",
    "shepard_correlation": "rank correlation of all distances",
}
_SHOWN = {"space": "the space that is clustered", "map": "the map"}
_WAYS = {"jaccard_communities": "communities", "jaccard_components": "mixture on components"}


def draw_distortion(
    distortion: pa.Table, separation: pa.Table, cluster_summary: pa.Table, path: Path | str
) -> None:
    """Draw what is left of distances, how separate clusters are, and which exist without UMAP.

    Parameters
    ----------
    distortion, separation
        Rows of the tables of the same names (``tables.validation``).
    cluster_summary
        Rows of CLUSTER_SUMMARY.
    path
        SVG, PDF or PNG to write.
    """
    with saved_figure(path, 13.5, max(2.8 + 0.16 * len(cluster_summary), 4.0)) as figure:
        left, middle, right = figure.subplots(1, 3)
        _draw_figures(left, distortion)
        _draw_silhouettes(middle, separation)
        _draw_jaccards(right, cluster_summary)


def _draw_figures(axes: Axes, distortion: pa.Table) -> None:
    found = {(row["shown"], row["figure"]): row for row in distortion.to_pylist()}
    places = np.arange(len(_FIGURES))[::-1].astype(float)
    for number, (shown, label) in enumerate(_SHOWN.items()):
        rows = [found[shown, figure] for figure in _FIGURES]
        draw_intervals(axes, places + 0.1 - 0.2 * number, rows, series_color(number), label)
    axes.set_title("What is left of the cosine distances (1: all)")
    names = [text.replace(": ", ":\n") for text in _FIGURES.values()]
    axes.set_yticks(places, names, fontsize=8)
    axes.set_xlabel("share kept, or correlation")
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.6, len(_FIGURES) - 0.4)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    legend_below_label(axes)


def _draw_silhouettes(axes: Axes, separation: pa.Table) -> None:
    rows = separation.to_pylist()
    places = np.arange(len(rows))[::-1]
    values = [np.nan if row["silhouette"] is None else row["silhouette"] for row in rows]
    axes.barh(places, values, color=[cluster_color(row["cluster"]) for row in rows])
    axes.axvline(0, color="#222222", linewidth=0.8)
    axes.set_title("Silhouette beside the nearest cluster,\nby cosine distance")
    axes.set_yticks(places, [str(row["cluster"]) for row in rows], fontsize=8)
    axes.set_ylabel("cluster")
    axes.set_xlabel("mean silhouette (1: apart, 0: none)")


def _draw_jaccards(axes: Axes, cluster_summary: pa.Table) -> None:
    rows = cluster_summary.sort_by("cluster").to_pylist()
    places = np.arange(len(rows))[::-1]
    for number, (column, label) in enumerate(_WAYS.items()):
        values = [row[column] for row in rows]
        axes.plot(
            values,
            places + 0.15 - 0.3 * number,
            "os"[number],
            color=series_color(number),
            label=label,
        )
    axes.axvline(DISSOLVED, color="#222222", linewidth=0.8, linestyle=":")
    axes.set_title("Jaccard with the best cluster\nwithout UMAP (right of the line: found)")
    axes.set_yticks(places, [str(row["cluster"]) for row in rows], fontsize=8)
    axes.set_ylabel("cluster")
    axes.set_xlabel("Jaccard index")
    axes.set_xlim(-0.02, 1.02)
    legend_below_label(axes)


def write_distortion_page(
    distortion: pa.Table, separation: pa.Table, cluster_summary: pa.Table, path: Path | str
) -> None:
    """Write both as a page of two tables; arguments as of `draw_distortion`."""
    found = {(row["shown"], row["figure"]): row for row in distortion.to_pylist()}
    kept = [
        [text, *(interval_text(found.get((shown, figure))) for shown in _SHOWN)]
        for figure, text in _FIGURES.items()
    ]
    summary = {row["cluster"]: row for row in cluster_summary.to_pylist()}
    clusters = [_cluster_row(row, summary[row["cluster"]]) for row in separation.to_pylist()]
    headings = [
        ("cluster", "cluster number"),
        ("nearest", "cluster nearest in the mean, by cosine distance"),
        ("silhouette", "mean over its members, beside that one"),
        ("p", "of permutations of the two clusters' names, (b+1)/(m+1)"),
        *((label, "Jaccard with the best cluster of that way") for label in _WAYS.values()),
        ("found without UMAP", "whether one of the two is 0.5 or more"),
    ]
    blocks = [
        heading("What is left of distances"),
        table(
            [("figure", ""), *((label, "value, 95 % interval") for label in _SHOWN.values())], kept
        ),
        heading("Clusters without UMAP"),
        table(headings, clusters),
    ]
    write_bytes(path, page("Distortion", *blocks).encode())


def _cluster_row(row: dict[str, Any], summary: dict[str, Any]) -> list[str]:
    alone = row["nearest_cluster"] is None
    return [
        cluster_mark(row["cluster"]),
        "" if alone else cluster_mark(row["nearest_cluster"]),
        "" if alone else f"{row['silhouette']:.2f}",
        f"{row['p_value']:.3g}",
        *(f"{summary[column]:.2f}" for column in _WAYS),
        "yes" if summary["outside_umap"] else "no",
    ]
