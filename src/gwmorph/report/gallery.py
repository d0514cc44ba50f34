"""Galleries: example pictures of a cluster on one sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import colors, ticker
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from gwmorph.report.palette import saved_figure
from gwmorph.spectra.pictures import CROPS_S

_MARKED_HZ = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
# About one pixel of the figure for each of a picture of 224: a report holds many galleries.
_GALLERY_DPI = 100


@dataclass(frozen=True)
class Example:
    """One window or event of a gallery.

    GPS start of the window and, for an event, time of the trigger in seconds; Omicron SNR of
    the loudest tile.
    """

    detector: str
    gps_start: int
    trigger_time: float | None
    snr: float
    probability: float
    is_medoid: bool
    is_outlier: bool


@dataclass(frozen=True)
class GalleryScale:
    """What every picture of a gallery spans.

    ``window_s`` in seconds from left to right of a window's picture, ``low_hz`` to ``high_hz`` in
    Hz from bottom to top (logarithmic) of it and of an event's crops, energy from 0 to
    ``energy_max`` over ``colormap``, spread as ``scale`` says.
    """

    window_s: float
    low_hz: float
    high_hz: float
    energy_max: float
    scale: str = "linear"
    colormap: str = "cividis"


def choose_examples(
    cluster: int, clusters: pa.Table, cluster_summary: pa.Table, count: int
) -> list[Example]:
    """Choose at most ``count`` members of ``cluster``: its medoid, then a spread of the others.

    The others are taken at even steps down the list sorted by probability, so that both typical
    and doubtful members are seen; members of equal probability are in order of detector and time.
    """
    keys = ("detector", "gps_start", "trigger_time")
    chosen = clusters.filter(pc.equal(clusters["cluster"], cluster)).sort_by(
        [("probability", "descending"), *((key, "ascending") for key in keys)]
    )
    summary = cluster_summary.filter(pc.equal(cluster_summary["cluster"], cluster)).to_pylist()
    medoids = [tuple(row[f"medoid_{key}"] for key in keys) for row in summary]
    members = [
        Example(
            row["detector"],
            row["gps_start"],
            row["trigger_time"],
            row["tile_snr"],
            row["probability"],
            tuple(row[key] for key in keys) in medoids,
            row["outlier"],
        )
        for row in chosen.to_pylist()
    ]
    first = [member for member in members if member.is_medoid]
    rest = [member for member in members if not member.is_medoid]
    wanted = min(max(count - len(first), 0), len(rest))
    steps = np.linspace(0, len(rest) - 1, wanted).round().astype(int)
    return [*first, *(rest[step] for step in steps)][:count]


def draw_gallery(
    cluster: int,
    view: str,
    examples: Sequence[Example],
    pictures: Sequence[Path],
    scale: GalleryScale,
    path: Path | str,
    supported: bool = True,
) -> None:
    """Draw example pictures of one cluster as a contact sheet with shared axes.

    Parameters
    ----------
    cluster
        Cluster number, for the title.
    view
        What the pictures show.
    examples, pictures
        Windows or events and their PNGs, in the order in which they are shown.
    scale
        What every picture spans.
    path
        PNG to write.
    supported
        Whether the cluster is more separate than parts of structureless data.
    """
    columns = min(4, max(1, len(examples)))
    rows = max(1, -(-len(examples) // columns))
    width, height = max(6.5, 1.6 + 2.3 * columns), 1.6 + 2.75 * rows
    with saved_figure(path, width, height, _GALLERY_DPI) as figure:
        panels = figure.subplots(rows, columns, squeeze=False)
        shown = list(zip(panels.flat, examples, pictures, strict=False))
        for index, (axes, example, picture) in enumerate(shown):
            _DRAW[view](axes, picture, scale)
            axes.set_xlabel(_caption(example), fontsize=8.5)
            if index % columns == 0:
                axes.set_ylabel("Frequency [Hz]", fontsize=8.5)
                axes.tick_params(labelleft=True)
            if index < columns and view == "window":
                axes.set_title("Time since start [s]", fontsize=8.5, loc="center")
                axes.tick_params(labeltop=True)
        for unused in panels.flat[len(shown) :]:
            unused.axis("off")
        doubt = "" if supported else ", unsupported"
        figure.suptitle(f"Cluster {cluster}{doubt}: example {view}s", x=0.02, ha="left")
        _energy_bar(figure, panels, scale)


def _caption(example: Example) -> str:
    mark = "medoid" if example.is_medoid else f"probability {example.probability:.3f}"
    mark += ", outlier" if example.is_outlier else ""
    when = example.gps_start if example.trigger_time is None else f"{example.trigger_time:.3f}"
    return f"{example.detector}  GPS {when}\nSNR {example.snr:.1f}, {mark}"


def _draw_window(axes: Axes, picture: Path, scale: GalleryScale) -> None:
    low, high = np.log10([scale.low_hz, scale.high_hz])
    _draw_picture(axes, picture, (0, scale.window_s, low, high))
    marks = _marks(scale)
    axes.set_yticks(np.log10(marks), [str(mark) for mark in marks])
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4, prune="upper"))


def _draw_event(axes: Axes, picture: Path, scale: GalleryScale) -> None:
    """Draw four crops, each one unit wide and high, with its duration written into it."""
    _draw_picture(axes, picture, (0, 2, 0, 2))
    axes.axhline(1, color="white", linewidth=1.2)
    axes.axvline(1, color="white", linewidth=1.2)
    for place, duration in zip(((0, 1), (1, 1), (0, 0), (1, 0)), CROPS_S, strict=True):
        x, y = np.add(place, (0.04, 0.96))
        axes.text(x, y, f"{duration:g} s", color="white", fontsize=8, va="top")
    marks = _marks(scale)[1::2]
    heights = np.log(np.divide(marks, scale.low_hz)) / np.log(scale.high_hz / scale.low_hz)
    axes.set_yticks([*heights, *(1 + heights)], 2 * [str(mark) for mark in marks])
    axes.set_xticks([])


_DRAW = {"window": _draw_window, "event": _draw_event}


def _draw_picture(axes: Axes, picture: Path, span: tuple[float, float, float, float]) -> None:
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB"))
    axes.imshow(pixels, extent=span, aspect="auto")
    axes.set_box_aspect(pixels.shape[0] / pixels.shape[1])
    axes.spines[:].set_visible(False)
    axes.tick_params(top=True, bottom=False, labelbottom=False, labelleft=False)
    axes.tick_params(labelsize=8, length=2.5)


def _marks(scale: GalleryScale) -> list[int]:
    return [mark for mark in _MARKED_HZ if scale.low_hz <= mark <= scale.high_hz]


def _energy_bar(figure: Figure, panels: NDArray, scale: GalleryScale) -> None:
    gamma = {"linear": 1.0, "sqrt": 0.5}[scale.scale]
    norm = colors.PowerNorm(gamma, 0, scale.energy_max)
    bar = figure.colorbar(
        ScalarMappable(norm, scale.colormap),
        ax=panels,
        location="bottom",
        shrink=0.6,
        aspect=40,
        pad=0.02,
        extend="max",
    )
    bar.set_label("Largest tile energy in the pixel, over its row's median", fontsize=9)
