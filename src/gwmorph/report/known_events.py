"""Known events and chirps: a figure of what is like a chirp, a page of what was found of both."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gwmorph.evidence.chirps import is_chirp, roc
from gwmorph.evidence.known_events import NO_SPAN
from gwmorph.report.flags import name_of
from gwmorph.report.html import Html, Words, cluster_mark, heading, page, paragraph, picture, table
from gwmorph.report.palette import (
    GREY,
    LEGEND_BELOW,
    LOUDNESS,
    is_dense,
    saved_figure,
    say_empty,
    series_color,
)
from gwmorph.tables.keys import row_keys
from gwmorph.tables.known_events import EVENT, FOUND, MISSED, NOT_ANALYSED
from gwmorph.wording import counted, number

_HEIGHT = 128  # of a picture, in the page's pixels
_CHIRP, _OTHER, _KNOWN = series_color(1), series_color(0), "#222222"
# Likeness from which on an event is called a chirp: see `evidence.chirps.likeness`.
LIMIT = 0.0
# On both sides of it, beyond which colours do not change.
_SHADES = 10.0
_KNOWN_COLUMNS = {
    "name": "of the event, or of what was injected",
    "listed by": "release, or the mask in the strain files",
    "detector": "",
    "in release": "whether the release says that this detector's data show it; empty where it "
    "does not tell",
    "GPS time [s]": "of the event; of an injection, its stretch",
    "fate": "",
    "reason": "why it was not found",
    "SNR": "of its trigger's loudest tile",
    "offset [s]": "from the event to its trigger's peak",
    "by chance": "share of the detector's analysed time at which an event would have been found",
    "likeness": "to chirps; above 0 as one in a hundred simulated glitches",
}
_CHIRP_COLUMNS = {
    "picture": "crops of 0.5 and 1 s (above), 2 and 4 s (below) around the event",
    "detector": "",
    "GPS time [s]": "centre of the picture",
    "likeness": "to chirps; above 0 as one in a hundred simulated glitches",
    "track": "log-odds of a chirp by the energy along tracks of binaries, nat",
    "similarity": "cosine to the three nearest labelled chirps, less that to the nearest other",
    "chirp mass [M\N{SUN}]": "of the best track, at the detector",
    "SNR": "of the loudest tile, in Omicron's convention",
    "cluster": "colour as in the map",
    Words("class"): "its own, where it is known",
    "known as": "what it shows",
}


@dataclass(frozen=True)
class Found:
    """What the page and the figure show.

    ``known``, ``told``, ``triggers``, ``chirps``, ``clusters`` (of events) and ``classes`` have
    rows of KNOWN_EVENTS, TOLD, TRIGGERS, CHIRPS, CLUSTERS and REFERENCE; ``chances`` is what
    `evidence.known_events.chances` returned.
    """

    known: pa.Table
    told: pa.Table
    chances: Mapping[str, float]
    triggers: pa.Table
    chirps: pa.Table
    clusters: pa.Table
    classes: pa.Table

    def names(self) -> list[str]:
        """Return what each row of ``chirps`` is known as, '' for nothing."""
        known = {
            (row["detector"], row["gps_start"], row["trigger_time"]): name_of(row)
            for row in self.known.to_pylist()
            if row["fate"] == FOUND
        }
        return [known.get(key, "") for key in row_keys(self.chirps)]

    def labels(self) -> NDArray[np.str_]:
        """Return the class of each row of ``chirps``, '' where it is not known."""
        words = dict(zip(row_keys(self.classes), self.classes["label"].to_pylist(), strict=True))
        return np.array([words.get(key, "") for key in row_keys(self.chirps)], dtype=str)


def draw_chirps(found: Found, path: Path | str) -> None:
    """Draw the map by likeness with its chirps named, and how likeness tells known classes.

    ``path`` is the SVG, PDF or PNG to write.
    """
    with saved_figure(path, 13.5, 5.2) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=[5, 4, 4])
        _draw_map(figure, left, found)
        _draw_classes(middle, found)
        _draw_roc(right, found)


def _draw_map(figure: Figure, axes: Axes, found: Found) -> None:
    likeness = found.chirps["likeness"].to_numpy()
    axes.set(xticks=[], yticks=[], xlabel="UMAP 1 [arbitrary]", ylabel="UMAP 2 [arbitrary]")
    like = int((likeness > LIMIT).sum())
    axes.set_title(f"{counted(like, 'event')} of {len(likeness):,} like chirps (ringed)")
    if not len(likeness):
        say_empty(axes, "event")
        return
    places = dict(
        zip(
            row_keys(found.clusters),
            zip(found.clusters["x"].to_pylist(), found.clusters["y"].to_pylist(), strict=True),
            strict=True,
        )
    )
    x, y = np.array([places[key] for key in row_keys(found.chirps)]).T
    order = np.argsort(likeness, kind="stable")  # chirps on top
    norm = Normalize(LIMIT - _SHADES, LIMIT + _SHADES, clip=True)
    shown = axes.scatter(
        x[order],
        y[order],
        s=12,
        c=likeness[order],
        cmap=LOUDNESS,
        norm=norm,
        linewidths=0,
        rasterized=is_dense(len(x)),
    )
    ringed = likeness > LIMIT
    axes.scatter(x[ringed], y[ringed], s=40, facecolors="none", edgecolors=_CHIRP, linewidths=0.8)
    for name, at_x, at_y in zip(found.names(), x, y, strict=True):
        if name:
            axes.scatter([at_x], [at_y], s=70, marker="*", color=_KNOWN, zorder=3)
            axes.annotate(
                name, (at_x, at_y), (4, 4), textcoords="offset points", fontsize=8,
                parse_math=False,
            )  # fmt: skip
    figure.colorbar(shown, ax=axes, pad=0.02, extend="both").set_label("likeness to chirps")


def _draw_classes(axes: Axes, found: Found) -> None:
    likeness, labels = found.chirps["likeness"].to_numpy(), found.labels()
    kinds = {
        "other known classes": ((labels != "") & ~is_chirp(labels), _OTHER),
        "class not known": (labels == "", GREY),
        # Last, since they are few.
        "known chirps": (is_chirp(labels), _CHIRP),
    }
    axes.set(xlabel="likeness to chirps", ylabel="events", title="By class, where it is known")
    if len(likeness):
        bins = np.histogram_bin_edges(likeness, 40).tolist()
        for name, (own, color) in kinds.items():
            if own.any():
                axes.hist(
                    likeness[own], bins, histtype="step", linewidth=1.5, color=color, label=name
                )
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.5)
        for name, score in zip(found.names(), likeness, strict=True):
            if name:
                axes.axvline(score, color=_KNOWN, linewidth=1)
                axes.text(
                    score, 0.98, f" {name}", rotation=90, va="top", ha="right", fontsize=8,
                    transform=axes.get_xaxis_transform(), parse_math=False,
                )  # fmt: skip
        axes.legend(**{**LEGEND_BELOW, "bbox_to_anchor": (0.5, -0.12)})
    axes.axvline(LIMIT, color="#888888", linewidth=1, linestyle=":")


def _draw_roc(axes: Axes, found: Found) -> None:
    labels = found.labels()
    known = labels != ""
    chirps = is_chirp(labels[known])
    axes.set(xlabel="share of other classes called chirps", ylabel="share of chirps called so")
    axes.set_title("ROC on the events of known class")
    if not chirps.any() or chirps.all():
        axes.text(
            0.5, 0.5, "no chirps of known class,\nor no others", ha="center", va="center",
            transform=axes.transAxes,
        )  # fmt: skip
        axes.set(xticks=[], yticks=[])
        return
    series = {"both": "likeness", "track alone": "track", "similarity alone": "similarity"}
    for (name, column), style in zip(series.items(), ("-", "--", ":"), strict=True):
        score = np.array(found.chirps[column].to_pylist(), dtype=float)[known]
        there = np.isfinite(score)
        if chirps[there].any() and not chirps[there].all():
            false, true, area = roc(score[there], chirps[there])
            axes.plot(
                np.maximum(false, 1e-4), true, style, color=_CHIRP, label=f"{name}: AUC {area:.3f}"
            )
    axes.set(xscale="log", xlim=(1e-4, 1), ylim=(0, 1.02))
    axes.legend(loc="lower right", fontsize=8)


def known_events_page(
    found: Found, picture_of: Callable[[str, int, float], Path], listed: int
) -> str:
    """Return a page of HTML: what became of everything known, and the events most like chirps.

    Parameters
    ----------
    picture_of
        Gives the PNG of an event by its detector, its window's GPS start and its time.
    listed
        Events that are listed, at most.

    Raises
    ------
    OSError
        A picture cannot be read.
    """
    return page(
        "Known events and chirps",
        heading("Published events and hardware injections"),
        *_known_blocks(found),
        heading("Most like chirps"),
        *_chirp_blocks(found, picture_of, listed),
    )


def _known_blocks(found: Found) -> list[str]:
    rows = found.known.to_pylist()
    inside = [row for row in rows if row["reason"] != NO_SPAN]
    blocks = [paragraph(text) for text in _told_texts(found)]
    if len(rows) > len(inside):
        beyond = len({row["name"] for row in rows} - {row["name"] for row in inside})
        blocks.append(paragraph(f"{counted(beyond, 'listed event')} outside the run's span."))
    if not inside:
        return [*blocks, paragraph("Nothing is known to be in the run's span.")]
    fates = Counter(row["fate"] for row in inside)
    said = ", ".join(f"{fates[fate]} {fate}" for fate in (FOUND, MISSED, NOT_ANALYSED))
    likeness = dict(zip(row_keys(found.chirps), found.chirps["likeness"].to_pylist(), strict=True))
    cells = [_known_cells(row, found.chances, likeness) for row in inside]
    return [
        *blocks,
        paragraph(f"By event and detector: {said}."),
        table(_heads(_KNOWN_COLUMNS), cells),
    ]


def _heads(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    words = ("name", "listed by", "reason", "known as")
    return [(Words(name) if name in words else name, tip) for name, tip in columns.items()]


def _told_texts(found: Found) -> Iterable[str]:
    for row in found.told.to_pylist():
        if row["untold_s"]:
            yield (
                f"{row['detector']}: of {row['untold_s']:,} s of "
                f"{row['told_s'] + row['untold_s']:,} s of strain the files do not say whether "
                "something was injected: they have no mask of injections, or no data there."
            )


def _known_cells(
    row: Mapping[str, Any], chances: Mapping[str, float], likeness: Mapping[Any, float]
) -> list[str]:
    start, end = row["start"], row["end"]
    event = row["kind"] == EVENT
    score = likeness.get((row["detector"], row["gps_start"], row["trigger_time"]))
    return [
        Words(name_of(row)),
        Words(row["source"]),
        row["detector"],
        {True: "yes", False: "no", None: ""}[row["in_release"]],
        f"{start:.1f}" if event else f"{start:.0f} to {end:.0f}",
        row["fate"],
        Words(row["reason"] or ""),
        number(row["snr"], ".1f"),
        number(row["offset_s"], "+.3f"),
        number(chances.get(row["detector"]) if event else None, ".2g"),
        number(score, ".1f"),
    ]


def _chirp_blocks(
    found: Found, picture_of: Callable[[str, int, float], Path], listed: int
) -> list[str]:
    if not len(found.chirps):
        return [paragraph("There are no event views.")]
    likeness = found.chirps["likeness"].to_numpy()
    text = (
        f"{counted(int((likeness > LIMIT).sum()), 'event')} of {len(likeness):,} above 0, which "
        "one in a hundred simulated glitches passes."
    )
    if found.chirps["similarity"].null_count == len(found.chirps):
        text += " By the track alone: no labelled chirp is known to compare with."
    order = np.lexsort((np.arange(len(likeness)), -likeness))[:listed].tolist()
    rows = found.chirps.to_pylist()
    triggers, clusters = (
        dict(zip(row_keys(held, time), held.to_pylist(), strict=True))
        for held, time in ((found.triggers, "peak_time"), (found.clusters, "trigger_time"))
    )
    keys, names, labels = row_keys(found.chirps), found.names(), found.labels()
    cells = [
        _chirp_cells(
            rows[i], triggers[keys[i]], clusters[keys[i]], str(labels[i]), names[i], picture_of
        )
        for i in order
    ]
    return [paragraph(text), table(_heads(_CHIRP_COLUMNS), cells)]


def _chirp_cells(
    row: Mapping[str, Any],
    trigger: Mapping[str, Any],
    cluster: Mapping[str, Any],
    label: str,
    name: str,
    picture_of: Callable[[str, int, float], Path],
) -> list[str | Html]:
    detector, time = row["detector"], row["trigger_time"]
    words = f"Event of {detector} at GPS {time:.3f}"
    return [
        picture(picture_of(detector, row["gps_start"], time), words, _HEIGHT),
        detector,
        f"{time:.3f}",
        f"{row['likeness']:.1f}",
        f"{row['track']:.1f}",
        number(row["similarity"], ".2f"),
        number(row["chirp_mass"], ".0f"),
        f"{trigger['snr']:.1f}",
        cluster_mark(cluster["cluster"]),
        Words(label.replace("_", " ")),
        Words(name),
    ]
