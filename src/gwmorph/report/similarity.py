"""What clusters are like, and how far their names can be trusted: a figure and tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes

from gwmorph.report.estimates import draw_series, interval_text
from gwmorph.report.html import Words, cluster_mark, heading, page, paragraph, table
from gwmorph.report.names import NAME_HEADINGS, name_cells, names_of
from gwmorph.report.palette import saved_figure
from gwmorph.storage import write_bytes

_AGREEMENT = {
    "ami": "AMI",
    "ari": "ARI",
    "ari_without_largest": "ARI without the largest class",
    "macro_jaccard": "macro-Jaccard",
    "largest_share": "largest class's share",
    "nmi": "NMI",
    "v_measure": "V-measure",
}
_NO_ROWS = {"rows": 0}
_NOT_SCORED = "No row of known class can be scored"


def draw_similarity(scores: pa.Table, confusion: pa.Table, path: Path | str) -> None:
    """Draw how often each class is named right, and what it is taken for.

    Parameters
    ----------
    scores, confusion
        Rows of NAMING and CONFUSION; none gives a figure that says so.
    path
        SVG, PDF or PNG to write.
    """
    found = [row for row in scores.to_pylist() if row["figure"] == "top1" and row["label"]]
    labels = sorted({row["label"] for row in found})
    with saved_figure(path, 13.0, max(2.0 + 0.3 * len(labels), 4.0)) as figure:
        left, right = figure.subplots(1, 2)
        if not labels:
            for axes in (left, right):
                axes.text(0.5, 0.5, _NOT_SCORED, ha="center")
                axes.set(xticks=[], yticks=[])
            return
        _draw_classes(left, found, labels)
        _draw_confusion(right, confusion, labels)


def _draw_classes(axes: Axes, found: list[dict[str, Any]], labels: list[str]) -> None:
    held = {(row["features"], row["label"]): row for row in found}
    series = {
        features: [held[features, label] for label in labels]
        for features in dict.fromkeys(row["features"] for row in found)
    }
    counts = {row["label"]: row["rows"] for row in found}
    names = [f"{label.replace('_', ' ')} ({counts[label]})" for label in labels]
    axes.set_title("Named right by their neighbours\n(in brackets: rows that were scored)")
    draw_series(axes, names, series, "share named right")


def _draw_confusion(axes: Axes, confusion: pa.Table, labels: list[str]) -> None:
    rows = confusion.to_pylist()
    names = sorted({row["named"] for row in rows} | set(labels))
    shares = np.zeros((len(labels), len(names)))
    for row in rows:
        shares[labels.index(row["label"]), names.index(row["named"])] = row["rows"]
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.figure.colorbar(image, ax=axes, pad=0.02, label="share of the class")
    axes.set_title("What each class is taken for, by vectors")
    of_classes = [label.replace("_", " ") for label in labels]
    axes.set_yticks(range(len(labels)), of_classes, fontsize=8, parse_math=False)
    axes.set_ylabel("class")
    axes.set_xlabel("name")
    shown = [name.replace("_", " ") or "none" for name in names]
    axes.set_xticks(
        range(len(names)), shown, rotation=60, ha="right", fontsize=8, parse_math=False
    )


def write_similarity_page(clusters: pa.Table, scores: pa.Table, path: Path | str) -> None:
    """Write the clusters' names with their evidence, and the scores, as a page of two tables.

    ``clusters`` and ``scores`` have rows of NAMED_CLUSTERS and NAMING.
    """
    named = [
        [cluster_mark(cluster), *name_cells(name)] for cluster, name in names_of(clusters).items()
    ]
    headings = [("cluster", "cluster number"), *NAME_HEADINGS]
    blocks = [heading("What clusters are like"), table(headings, named)]
    blocks += [heading("How often names are right"), *_score_blocks(scores)]
    write_bytes(path, page("Similarity", *blocks).encode())


def _score_blocks(scores: pa.Table) -> list[str]:
    if not len(scores):
        return [paragraph(f"{_NOT_SCORED}.")]
    features = list(dict.fromkeys(scores["features"].to_pylist()))
    held = {(r["features"], r["figure"], r["label"]): r for r in scores.to_pylist()}
    labels = sorted(set(scores.filter(pc.is_valid(scores["label"]))["label"].to_pylist()))
    kinds = [(name, figure) for name in features for figure in ("top1", "precision")]
    rows = [
        [
            Words("all" if label is None else label.replace("_", " ")),
            str(held.get((features[0], "top1", label), _NO_ROWS)["rows"]),
            *(interval_text(held.get((name, figure, label))) for name, figure in kinds),
        ]
        for label in [None, *labels]
    ]
    words = {"top1": "named right", "precision": "right of those so named"}
    headings = [(Words("class"), ""), ("rows", "that were scored")]
    headings += [(f"{words[figure]}, by {name}", "95 % interval") for name, figure in kinds]
    whole = [
        [name, *(interval_text(held.get((name, figure, None))) for figure in _AGREEMENT)]
        for name in features
    ]
    agreed = [
        ("compared by", ""),
        *((text, "names against classes") for text in _AGREEMENT.values()),
    ]
    return [table(headings, rows), heading("Agreement of names and classes"), table(agreed, whole)]
