"""How far clusters agree with others of the same rows: drawn, and as a table."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
from matplotlib.axes import Axes

from gwmorph.report.estimates import draw_series, interval_text

AGREEMENT_HEADINGS = {
    "ami": "AMI",
    "ari": "ARI",
    "ari_without_largest": "ARI without the largest cluster",
    "macro_jaccard": "macro-Jaccard",
    "largest_share": "largest cluster's share",
}
AGREEMENT = "agreement (0: chance, 1: the same)"
_DRAWN = ("ami", "ari_without_largest")


def draw_agreements(axes: Axes, agreements: pa.Table, names: Sequence[str]) -> None:
    """Draw AMI, and ARI without the largest cluster, of the named variants, the first on top.

    ``agreements`` has rows of AGREEMENTS.
    """
    found = {(row["variant"], row["figure"]): row for row in agreements.to_pylist()}
    series = {
        AGREEMENT_HEADINGS[figure]: [found[name, figure] for name in names] for figure in _DRAWN
    }
    draw_series(axes, names, series, AGREEMENT)


def agreement_table(agreements: pa.Table) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Return headings with tooltips, and a row for each variant, of a table of AGREEMENTS rows."""
    headings = [("variant", "what was changed"), ("clusters", "how many the variant has")]
    headings += [(text, "value and 95 % interval") for text in AGREEMENT_HEADINGS.values()]
    return headings, figure_cells(agreements, "variant", AGREEMENT_HEADINGS)


def figure_cells(rows: pa.Table, key: str, figures: Iterable[str]) -> list[list[str]]:
    """Return for each value of the column ``key`` the cells: it, its clusters, these figures."""
    held = {(row[key], row["figure"]): row for row in rows.to_pylist()}
    clusters = {name: row["clusters"] for (name, _), row in held.items()}
    return [
        [name, str(count), *(interval_text(held.get((name, figure))) for figure in figures)]
        for name, count in clusters.items()
    ]
