"""What became of a run's windows or events, on the map and in counts."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from gwmorph.morphology.manifest import OVERALL
from gwmorph.morphology.status import Status
from gwmorph.morphology.thresholds import ANY
from gwmorph.report.columns import values
from gwmorph.report.palette import GREY, LEGEND_BELOW, is_dense, saved_figure, say_empty

# What is new lies on top, in the one colour that is not pale.
COLORS = {
    Status.QUIET: "#e4e4e4",
    Status.KNOWN: GREY,
    Status.AMBIGUOUS: "#ddcc77",
    Status.NOVEL: "#aa1144",
}


def statuses_of(clusters: pa.Table, statuses: pa.Table) -> np.ndarray:
    """Return the status of each row of CLUSTERS by the rows of STATUSES, '' for none: str [n]."""
    held = dict(zip(_keys(statuses), statuses["status"].to_pylist(), strict=True))
    return np.array([held.get(key, "") for key in _keys(clusters)], dtype=str)


def _keys(rows: pa.Table) -> list[tuple[str, int, float | None]]:
    columns = (rows[name].to_pylist() for name in ("detector", "gps_start", "trigger_time"))
    return list(zip(*columns, strict=True))


def novel_members(clusters: pa.Table, statuses: pa.Table) -> dict[int, int]:
    """Return how many members of each cluster of CLUSTERS are NOVEL by STATUSES."""
    numbers = clusters["cluster"].to_numpy()
    novel = Counter(numbers[statuses_of(clusters, statuses) == Status.NOVEL].tolist())
    return {number: novel[number] for number in np.unique(numbers).tolist()}


def limit_text(thresholds: pa.Table, promise: str) -> str:
    """Say below what a row is NOVEL, by rows of THRESHOLDS, and of how many known ones that is."""
    held = [row for row in thresholds.to_pylist() if row["limit"] is not None]
    if promise == OVERALL:
        for row in held:
            if row["label"] == ANY:
                return (
                    f"NOVEL below a cosine of {row['limit']:.3f}, as {row['granted']:.2g} of new "
                    f"rows like the {row['members']} known ones are"
                )
        return "No limit: nothing is NOVEL"
    own = [row["granted"] for row in held if row["label"] != ANY]
    if not own:
        return "No limit: nothing is NOVEL"
    return f"NOVEL below every class's limit: at most {max(own):.2g} of new rows of any class"


def draw_statuses(
    clusters: pa.Table,
    statuses: pa.Table,
    thresholds: pa.Table,
    promise: str,
    view: str,
    path: Path | str,
) -> None:
    """Draw the 2-d map coloured by status.

    Parameters
    ----------
    clusters, statuses
        Rows of CLUSTERS and STATUSES, both of one view; none gives a figure that says so.
    thresholds, promise
        Rows of THRESHOLDS by which they were judged, and for whom the rate holds.
    view
        That view.
    path
        SVG, PDF or PNG to write.
    """
    found, (x, y) = statuses_of(clusters, statuses), (values(clusters, n) for n in "xy")
    area = float(np.clip(6e4 / max(len(x), 1), 3, 22))
    with saved_figure(path, 10.0, 6.0) as figure:
        axes = figure.subplots()
        for status, color in _colors(view).items():
            own = found == status
            label = f"{status} ({own.sum()})"
            larger = 2.0 if status == Status.NOVEL else 1.0
            axes.scatter(
                x[own],
                y[own],
                s=larger * area,
                c=color,
                linewidths=0,
                label=label,
                rasterized=is_dense(len(x)),
            )
        axes.set(xlabel="UMAP 1 [arbitrary]", ylabel="UMAP 2 [arbitrary]", xticks=[], yticks=[])
        limit = limit_text(thresholds, promise)
        axes.set_title(f"Coloured by what becomes of the {view}s\n{limit}", fontsize=11)
        if not len(x):
            say_empty(axes, view)
        axes.legend(**{**LEGEND_BELOW, "ncols": len(_colors(view))}, markerscale=2.0)


def _colors(view: str) -> dict[Status, str]:
    """Return the colours of what may become of a view's rows: an event is never quiet."""
    return {
        status: color
        for status, color in COLORS.items()
        if view == "window" or status != Status.QUIET
    }
