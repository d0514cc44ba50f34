"""Galleries: example pictures of a cluster on one sheet."""

import math
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
from matplotlib.patches import Rectangle
from PIL import Image

from gwmorph.report.palette import FLATNESS, LABEL_GROUND, cluster_color, saved_figure
from gwmorph.spectra.pictures import CROPS_S
from gwmorph.wording import counted

_MARKED_HZ = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
# One pixel of the figure for each of a picture of 224: a report holds many galleries.
_DPI = 100
_PICTURE_PX = 224
# What is around the pictures, in the figure's pixels.
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP, _CAPTION = 76, 20, 84, 84, 14, 60
_BAR = (480, 16)
_MEDOID = "#d55e00"


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
    sheet = _Sheet(len(examples))
    with saved_figure(path, sheet.width / _DPI, sheet.height / _DPI, _DPI) as figure:
        figure.set_layout_engine("none")
        for index, (example, picture) in enumerate(zip(examples, pictures, strict=True)):
            axes = figure.add_axes(sheet.place(index))
            _DRAW[view](axes, picture, scale)
            _frame(axes, example)
            if index % sheet.columns == 0:
                axes.set_ylabel("Frequency [Hz]")
                axes.tick_params(labelleft=True)
            if index < sheet.columns and view == "window":
                axes.set_title("Time since start [s]", fontsize=10, loc="center")
                axes.tick_params(labeltop=True)
        doubt = "" if supported else ", unsupported"
        title = f"Cluster {cluster}{doubt}: {counted(len(examples), f'example {view}')}"
        figure.text(_LEFT / sheet.width, 1 - 30 / sheet.height, title, fontsize=13)
        chip = (0.3 * _LEFT / sheet.width, 1 - 32 / sheet.height)
        size = (0.5 * _LEFT / sheet.width, 20 / sheet.height)
        figure.add_artist(Rectangle(chip, *size, color=cluster_color(cluster), linewidth=0))
        _energy_bar(figure, sheet, scale)


class _Sheet:
    """Where the pictures of a gallery stand: flat enough for a screen, so they are all seen."""

    def __init__(self, pictures: int) -> None:
        for columns in range(1, max(pictures, 1) + 1):
            self.columns, rows = columns, max(1, -(-pictures // columns))
            self.height = _TOP + rows * (_PICTURE_PX + _CAPTION) + _BOTTOM
            self.width = _LEFT + columns * (_PICTURE_PX + _GAP) + _RIGHT
            if self.width >= FLATNESS * self.height:
                return
        self.width = math.ceil(FLATNESS * self.height)

    def place(self, index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height of a picture, as shares of the sheet."""
        row, column = divmod(index, self.columns)
        left = _LEFT + column * (_PICTURE_PX + _GAP)
        top = _TOP + row * (_PICTURE_PX + _CAPTION)
        return self.box(left, self.height - top - _PICTURE_PX, _PICTURE_PX, _PICTURE_PX)

    def box(
        self, left: int, bottom: int, width: int, height: int
    ) -> tuple[float, float, float, float]:
        """Return a box given in pixels as shares of the sheet."""
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def _frame(axes: Axes, example: Example) -> None:
    """Write below a picture what it is; a frame marks the medoid."""
    when = example.gps_start if example.trigger_time is None else f"{example.trigger_time:.3f}"
    lines = [f"{example.detector}  GPS {when}", f"SNR {example.snr:.1f}"]
    lines[1] += ", medoid" if example.is_medoid else f", probability {example.probability:.2f}"
    if example.is_outlier:
        lines.append("outlier")
    axes.set_xlabel("\n".join(lines), fontsize=10, loc="left")
    axes.spines[:].set(visible=example.is_medoid, color=_MEDOID, linewidth=3)


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
        label = f"{duration:g} s"
        axes.text(x, y, label, color="white", fontsize=9, va="top", bbox=LABEL_GROUND)
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
    axes.tick_params(top=True, bottom=False, labelbottom=False, labelleft=False)
    axes.tick_params(labelsize=9, length=2.5)


def _marks(scale: GalleryScale) -> list[int]:
    return [mark for mark in _MARKED_HZ if scale.low_hz <= mark <= scale.high_hz]


def _energy_bar(figure: Figure, sheet: _Sheet, scale: GalleryScale) -> None:
    gamma = {"linear": 1.0, "sqrt": 0.5}[scale.scale]
    norm = colors.PowerNorm(gamma, 0, scale.energy_max)
    axes = figure.add_axes(sheet.box(_LEFT, _BOTTOM - 26, *_BAR))
    bar = figure.colorbar(
        ScalarMappable(norm, scale.colormap), cax=axes, orientation="horizontal", extend="max"
    )
    bar.set_label("Largest tile energy in the pixel, over its row's median")
