"""Which kinds would be noticed as new, and which clusters are anomalous: a figure and tables."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from gwmorph.evidence.anomaly import SPACES
from gwmorph.report.estimates import draw_intervals, interval_text
from gwmorph.report.html import cluster_mark, heading, page, paragraph, table
from gwmorph.report.palette import legend_below_label, saved_figure, series_color
from gwmorph.storage import write_bytes

_NONE = "nothing left out: all rows"
_NOT_JUDGED = "No row could be judged: too few rows, or stretches of time"
_ANSWERS = {True: "yes", False: "no", None: "not judged"}


def draw_noticed(noticed: pa.Table, rate: float, path: Path | str) -> None:
    """Draw what share of each kind is called anomalous when it is new.

    Parameters
    ----------
    noticed
        Rows of NOTICED (``tables.validation``).
    rate
        Share of rows of known kinds that are called anomalous.
    path
        SVG, PDF or PNG to write.
    """
    names = _names(noticed)
    places = np.arange(len(names))[::-1].astype(float)
    with saved_figure(path, 9.0, 1.8 + 0.3 * max(len(names), 3)) as figure:
        axes = figure.subplots()
        if not names:
            axes.text(0.5, 0.5, _NOT_JUDGED, ha="center")
            axes.set(xticks=[], yticks=[])
            return
        held = _by_kind(noticed)
        for number, space in enumerate(SPACES):
            known = [i for i, name in enumerate(names) if (space, name) in held]
            shifted = places[known] + 0.14 - 0.28 * number
            rows = [held[space, names[i]] for i in known]
            draw_intervals(axes, shifted, rows, series_color(number), f"in the {space}")
        axes.axvline(rate, color="#222222", linewidth=0.8, linestyle=":")
        axes.set_title("Share called anomalous when the kind is new\n(dotted: of known kinds)")
        axes.set_yticks(places, [_words(name) for name in names], fontsize=8, parse_math=False)
        axes.set_ylim(-0.7, len(names) - 0.3)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("share of its rows")
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        legend_below_label(axes)


def write_anomaly_page(
    clusters: pa.Table, noticed: pa.Table, rate: float, path: Path | str
) -> None:
    """Write both as a page of two tables.

    Parameters
    ----------
    clusters, noticed
        Rows of ANOMALOUS_CLUSTERS and NOTICED.
    rate
        Share of rows of known kinds that are called anomalous.
    path
        HTML file to write.
    """
    rows = [
        [
            cluster_mark(row["cluster"]),
            str(row["members"]),
            _count(row["anomalous"]),
            _count(row["anomalous_umap"]),
            _ANSWERS[row["flagged"]],
        ]
        for row in clusters.sort_by("cluster").to_pylist()
    ]
    headings = [
        ("cluster", "cluster number"),
        ("members", "among the rows that were looked at"),
        ("anomalous", f"members with p of {rate:g} or less in the principal components"),
        ("anomalous in UMAP's space", "the same by the density in the space that is clustered"),
        ("flagged", "whether more than half of its members are anomalous"),
    ]
    held = _by_kind(noticed)
    shares = [
        [
            _words(name),
            str(next(held[s, name]["rows"] for s in SPACES if (s, name) in held)),
            *(interval_text(held.get((space, name))) for space in SPACES),
        ]
        for name in _names(noticed)
    ]
    kinds = [("left out", "class or cluster"), ("rows", "how many were judged")]
    kinds += [(f"in the {space}", "share called anomalous, 95 % interval") for space in SPACES]
    blocks = [
        heading("Anomalous clusters"),
        table(headings, rows),
        heading("What would be noticed if it were new"),
        table(kinds, shares) if shares else paragraph(f"{_NOT_JUDGED}."),
    ]
    write_bytes(path, page("Anomaly", *blocks).encode())


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _by_kind(noticed: pa.Table) -> dict[tuple[str, str | None], dict[str, object]]:
    return {(row["space"], row["left_out"]): row for row in noticed.to_pylist()}


def _names(noticed: pa.Table) -> list[str | None]:
    return list(dict.fromkeys(noticed["left_out"].to_pylist()))


def _words(name: str | None) -> str:
    return _NONE if name is None else name.replace("_", " ")
