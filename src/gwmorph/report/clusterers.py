"""How well other ways to cut the same vectors agree with known classes: a figure and tables."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from gwmorph.report.agreements import AGREEMENT, AGREEMENT_HEADINGS, figure_cells
from gwmorph.report.estimates import draw_series
from gwmorph.report.html import heading, page, paragraph, table
from gwmorph.report.palette import saved_figure
from gwmorph.storage import write_bytes
from gwmorph.wording import counted

_INFORMATION_HEADINGS = {
    "homogeneity": "homogeneity",
    "completeness": "completeness",
    "v_measure": "V-measure (NMI)",
}
_DRAWN = {
    "Agreement with the classes": AGREEMENT_HEADINGS,
    "Not adjusted for chance": _INFORMATION_HEADINGS,
}
_SERIES = (("ami", "ari"), ("homogeneity", "completeness"))
_MEANINGS = (AGREEMENT, "share of the information (1: all)")
_NOT_COMPARED = "Too few rows or classes to compare with"


def draw_clusterers(clusterers: pa.Table, path: Path | str) -> None:
    """Draw AMI, ARI, homogeneity and completeness of each clusterer beside the others.

    Parameters
    ----------
    clusterers
        Rows of CLUSTERERS; without a value the figure says so.
    path
        SVG, PDF or PNG to write.
    """
    found = {(row["clusterer"], row["figure"]): row for row in clusterers.to_pylist()}
    counts = {name: row["clusters"] for (name, _), row in found.items()}
    labels = [f"{name} ({count})" for name, count in counts.items()]
    with saved_figure(path, 12.0, max(1.8 + 0.32 * len(labels), 4.0)) as figure:
        places = figure.subplots(1, 2)
        for axes, figures, meaning, (title, headings) in zip(
            places, _SERIES, _MEANINGS, _DRAWN.items(), strict=True
        ):
            axes.set_title(title)
            if not _is_compared(clusterers):
                axes.text(0.5, 0.5, _NOT_COMPARED, ha="center")
                axes.set(xticks=[], yticks=[])
                continue
            series = {headings[each]: [found[name, each] for name in counts] for each in figures}
            draw_series(axes, labels, series, meaning)


def write_clusterers_page(clusterers: pa.Table, path: Path | str) -> None:
    """Write all figures of each clusterer, rows of CLUSTERERS, as a page of two tables."""
    first = clusterers.slice(0, 1).to_pylist()[0]
    known = f"{counted(first['rows'], 'labelled row')}, number of classes {first['classes']}"
    told = "Compared on" if _is_compared(clusterers) else f"{_NOT_COMPARED}:"
    blocks = [paragraph(f"{told} {known}.")]
    named = [("clusterer", "how the rows were cut"), ("clusters", "of all rows that were cut")]
    for title, headings in _DRAWN.items():
        figures = [(text, "value and 95 % interval") for text in headings.values()]
        cells = figure_cells(clusterers, "clusterer", headings)
        blocks += [heading(title), table([*named, *figures], cells)]
    write_bytes(path, page("Clusterers", *blocks).encode())


def _is_compared(clusterers: pa.Table) -> bool:
    return bool(np.isfinite(clusterers["value"].to_numpy()).any())
