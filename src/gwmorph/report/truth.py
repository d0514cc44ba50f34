"""The clusters of a simulated run against what was injected."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from gwmorph.evidence.agreement import cluster_agreement
from gwmorph.evidence.truth import Crosstable, classes_of, cross_tabulate
from gwmorph.report.palette import cluster_color, saved_figure
from gwmorph.wording import counted

_SHARE = LinearSegmentedColormap.from_list("share", ["#ffffff", "#0072b2"])


def draw_truth(clusters: pa.Table, truth: pa.Table, ledger: pa.Table, path: Path | str) -> None:
    """Draw how the events of each injected morphology are spread over the clusters.

    Parameters
    ----------
    clusters, truth, ledger
        Rows of the CLUSTERS (of events), TRUTH and LEDGER schemas; no event gives a figure that
        says so.
    path
        SVG, PDF or PNG to write.
    """
    table = cross_tabulate(clusters, truth, ledger)
    rows, columns = table.events.shape
    with saved_figure(path, 12.5, 1.8 + 0.32 * rows) as figure:
        axes = figure.subplots()
        axes.set_title(_title(clusters, truth))
        if not len(clusters):
            axes.text(0.5, 0.5, "no events", ha="center")
            axes.set(xticks=[], yticks=[])
            return
        _draw_counts(axes, table)
        _name_rows(axes, table)
        _name_clusters(axes, columns, rows)


def _title(clusters: pa.Table, truth: pa.Table) -> str:
    """Say how well clusters and classes agree, of the events where something was injected."""
    classes = classes_of(clusters, truth)
    known = classes != ""
    if not known.any():
        return "No event shows anything that was injected"
    agreement = cluster_agreement(clusters["cluster"].to_numpy()[known], classes[known])
    outside = agreement["ari_without_largest"]
    rest = "" if np.isnan(outside) else f", {outside:.2f} without the largest cluster"
    return (
        f"{counted(int(known.sum()), 'event')} of injections: {agreement['purity']:.2f} are of "
        f"their cluster's commonest morphology; AMI {agreement['ami']:.2f}, "
        f"ARI {agreement['ari']:.2f}{rest}"
    )


def _draw_counts(axes: Axes, table: Crosstable) -> None:
    share = table.events / np.maximum(table.events.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=_SHARE, vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(table.events), strict=True):
        color = "white" if share[row, column] > 0.55 else "#222222"
        number = f"{table.events[row, column]:,}"
        axes.text(column, row, number, ha="center", va="center", color=color, fontsize=9)
    # Where nothing was injected stands apart, and so do outliers.
    axes.axhline(len(table.morphologies) - 0.5, color="#222222", linewidth=0.8)
    axes.axvline(table.events.shape[1] - 1.5, color="#222222", linewidth=0.8)


def _name_rows(axes: Axes, table: Crosstable) -> None:
    names = [
        f"{name.replace('_', ' ')}  {found}/{injected}"
        for name, found, injected in zip(
            table.morphologies, table.found, table.injected, strict=True
        )
    ]
    rows = [*names, "nothing injected"]
    axes.set_yticks(range(len(rows)), rows, fontsize=9, parse_math=False)
    axes.set_ylabel("Injected morphology, injections with an event / all")
    axes.tick_params(length=0)


def _name_clusters(axes: Axes, columns: int, rows: int) -> None:
    clusters = range(columns - 1)
    axes.set_xticks(range(columns), [*map(str, clusters), "outliers"], fontsize=9)
    axes.set_xlabel("Cluster of events (numbers: events; shade: share of the row)")
    axes.set_ylim(rows - 0.5, -1.1)
    for column in clusters:
        place = (column - 0.42, -1.0)
        axes.add_patch(Rectangle(place, 0.84, 0.35, color=cluster_color(column), linewidth=0))
    axes.spines[:].set_visible(False)
