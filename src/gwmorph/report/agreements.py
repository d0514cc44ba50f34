"""How far clusters agree with others of the same rows: drawn, and as a table."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.report.estimates import draw_intervals, interval_text
from gwmorph.report.palette import cluster_color

_HEADINGS = {
    "ami": "AMI",
    "ari": "ARI",
    "ari_without_largest": "ARI without the largest cluster",
    "macro_jaccard": "macro-Jaccard",
    "largest_share": "largest cluster's share",
}
_DRAWN = {"ami": 0, "ari_without_largest": 6}


def draw_agreements(axes: Axes, agreements: pa.Table, names: Sequence[str]) -> None:
    """Draw AMI, and ARI without the largest cluster, of the named variants, the first on top.

    ``agreements`` has rows of AGREEMENTS.
    """
    places = np.arange(len(names))[::-1].astype(float)
    found = {(row["variant"], row["figure"]): row for row in agreements.to_pylist()}
    for number, (figure, color) in enumerate(_DRAWN.items()):
        rows = [found[name, figure] for name in names]
        shifted = places + 0.14 - 0.28 * number
        draw_intervals(axes, shifted, rows, cluster_color(color), _HEADINGS[figure])
    axes.set_yticks(places, names, fontsize=8)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlim(-0.05, 1.05)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=2, fontsize=8)


def agreement_table(agreements: pa.Table) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Return headings with tooltips, and a row for each variant, of a table of AGREEMENTS rows."""
    rows = agreements.to_pylist()
    held = {(row["variant"], row["figure"]): row for row in rows}
    clusters = {row["variant"]: row["clusters"] for row in rows}
    headings = [("variant", "what was changed"), ("clusters", "how many the variant has")]
    headings += [(text, "value and 95 % interval") for text in _HEADINGS.values()]
    return headings, [
        [name, str(count), *(interval_text(held.get((name, figure))) for figure in _HEADINGS)]
        for name, count in clusters.items()
    ]
