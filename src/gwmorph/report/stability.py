"""Which clusters stay when one choice is made in another way: a figure and tables."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from gwmorph.report.agreements import agreement_table, draw_agreements
from gwmorph.report.html import cluster_mark, heading, page, table
from gwmorph.report.palette import GREY, cluster_color, saved_figure
from gwmorph.storage import write_bytes

_STABLE = {True: "yes", False: "no", None: "cannot be told"}


def draw_stability(
    agreements: pa.Table, pairs: pa.Table, survival: pa.Table, share: float, path: Path | str
) -> None:
    """Draw how far each variant agrees with the run, all with each other, and which clusters stay.

    Parameters
    ----------
    agreements, pairs, survival
        Rows of the tables of the same names (``tables.validation``).
    share
        Of variants in which a stable cluster is found.
    path
        SVG, PDF or PNG to write.
    """
    names = list(dict.fromkeys(agreements["variant"].to_pylist()))
    with saved_figure(path, 13.5, max(1.8 + 0.19 * len(names), 4.0)) as figure:
        left, middle, right = figure.subfigures(1, 3, width_ratios=[5, 5, 4.5], squeeze=False)[0]
        axes = left.subplots()
        axes.set_title("Agreement with the run's clusters")
        draw_agreements(axes, agreements, names)
        _draw_pairs(middle, pairs)
        _draw_survival(right.subplots(), survival, share)


def _draw_pairs(figure: SubFigure, pairs: pa.Table) -> None:
    ones, others = pairs["one"].to_pylist(), pairs["other"].to_pylist()
    names = list(dict.fromkeys([*ones, *others]))
    number = {name: i for i, name in enumerate(names)}
    shown = np.eye(len(names))
    for one, other, ami in zip(ones, others, pairs["ami"].to_pylist(), strict=True):
        shown[number[one], number[other]] = shown[number[other], number[one]] = ami
    axes = figure.subplots()
    image = axes.imshow(shown, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    axes.set_title("AMI of every two of them")
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xticks([])
    figure.colorbar(image, ax=axes, pad=0.02, label="AMI")


def _draw_survival(axes: Axes, survival: pa.Table, share: float) -> None:
    rows = survival.to_pylist()
    places = np.arange(len(rows))[::-1]
    colors = [cluster_color(row["cluster"]) if row["stable"] else GREY for row in rows]
    hollow = [
        "white" if row["stable"] is None else color
        for row, color in zip(rows, colors, strict=True)
    ]
    axes.barh(places, [row["share"] for row in rows], color=hollow, edgecolor=colors)
    axes.axvline(share, color="#222222", linewidth=0.8, linestyle=":")
    axes.set_title(
        f"Variants in which a cluster is found\n(grey: below {share:g}; hollow: cannot be told)"
    )
    axes.set_yticks(places, [f"{row['cluster']}" for row in rows], fontsize=8)
    axes.set_ylabel("cluster")
    axes.set_xlabel("share of variants")
    axes.set_xlim(0, 1)


def write_stability_page(
    agreements: pa.Table,
    survival: pa.Table,
    share: float,
    encoders: Mapping[str, str],
    path: Path | str,
) -> None:
    """Write which clusters stay, and how far each variant agrees, as a page of two tables.

    ``share`` is that of variants in which a stable cluster is found; ``encoders`` are encoder ids
    by the name of the variant that another training is; if there are any, a third table has them.
    """
    clusters = [
        ("cluster", "cluster number"),
        ("members", "members among the rows that were looked at"),
        ("found in", "variants with a cluster of Jaccard 0.5 or more, of all"),
        ("mean Jaccard", "of the best cluster of each variant"),
        (
            "stable",
            f"whether it is found in {share:.0%} of them; of too few rows, and of an only "
            "cluster, that cannot be told",
        ),
    ]
    found = [
        [
            cluster_mark(row["cluster"]),
            f"{row['members']:,}",
            f"{row['survived']} of {row['runs']}",
            f"{row['mean_jaccard']:.2f}",
            _STABLE[row["stable"]],
        ]
        for row in survival.to_pylist()
    ]
    blocks = [
        heading("Clusters that stay"),
        table(clusters, found),
        heading("Agreement of each variant with the run"),
        table(*agreement_table(agreements)),
        *(_encoder_blocks(encoders) if encoders else []),
    ]
    write_bytes(path, page("Stability", *blocks).encode())


def _encoder_blocks(encoders: Mapping[str, str]) -> list[str]:
    headings = [("variant", "another training"), ("encoder id", "names its weights by SHA-256")]
    return [heading("Other trainings of the encoder"), table(headings, encoders.items())]
