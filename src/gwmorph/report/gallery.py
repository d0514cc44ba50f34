"""Galleries: example pictures of a cluster on one sheet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import colors, ticker
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from gwmorph.report.names import ClusterName
from gwmorph.report.palette import FLATNESS, GREY, LABEL_GROUND, cluster_color, own_style
from gwmorph.spectra.pictures import CROPS_S, read_picture
from gwmorph.storage import atomic_path
from gwmorph.wording import counted

_MARKED_HZ = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
# One pixel of the figure for each of a picture of 224: a report holds many galleries.
_DPI = 100
_PICTURE_PX = 224
# What is around the pictures, in the figure's pixels.
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP, _CAPTION = 76, 20, 98, 84, 14, 60
_BAR = (480, 16)
_TICK_PX = 3.5
_MEDOID = "#d55e00"
# What tells one row from all others.
_KEYS = ("detector", "gps_start", "trigger_time")


@dataclass(frozen=True)
class Example:
    """One window or event of a gallery.

    GPS start of the window and, for an event, time of the trigger in seconds; Omicron SNR of
    the loudest tile; the cluster of an outlier, None for one that is not.
    """

    detector: str
    gps_start: int
    trigger_time: float | None
    snr: float
    probability: float
    is_medoid: bool
    outlier_of: int | None


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
    Outliers, which `choose_outliers` chooses from, are left out.
    """
    summary = cluster_summary.filter(pc.equal(cluster_summary["cluster"], cluster)).to_pylist()
    medoids = [tuple(row[f"medoid_{key}"] for key in _KEYS) for row in summary]
    members = clusters.filter(pc.equal(clusters["cluster"], cluster)).sort_by(
        [("probability", "descending"), *((key, "ascending") for key in _KEYS)]
    )
    first, rest = [], []
    for row in members.to_pylist():
        if tuple(row[key] for key in _KEYS) in medoids:
            first.append(_example(row, is_medoid=True))
        elif not row["outlier"]:
            rest.append(_example(row))
    return [*first, *_evenly(rest, count - len(first))][:count]


def choose_outliers(clusters: pa.Table, count: int) -> list[Example]:
    """Choose at most ``count`` outliers, at even steps in order of cluster, detector and time."""
    outliers = clusters.filter(clusters["outlier"]).sort_by(
        [(key, "ascending") for key in ("cluster", *_KEYS)]
    )
    return _evenly([_example(row) for row in outliers.to_pylist()], count)


def _example(row: Mapping[str, Any], is_medoid: bool = False) -> Example:
    return Example(
        row["detector"],
        row["gps_start"],
        row["trigger_time"],
        row["tile_snr"],
        row["probability"],
        is_medoid,
        row["cluster"] if row["outlier"] else None,
    )


def _evenly(examples: Sequence[Example], count: int) -> list[Example]:
    wanted = min(max(count, 0), len(examples))
    steps = np.linspace(0, len(examples) - 1, wanted).round().astype(int)
    return [examples[step] for step in steps]


@dataclass(frozen=True)
class Heading:
    """What stands above a gallery: words, and the RGB colour (0 to 1) of what it shows.

    Below the words stands what that looks like, where it is known.
    """

    words: str
    color: tuple[float, float, float]
    name: ClusterName | None = None

    @classmethod
    def of_cluster(
        cls,
        cluster: int,
        supported: bool,
        outside_umap: bool,
        name: ClusterName | None = None,
    ) -> "Heading":
        """Name a cluster, and say where it is hardly more separate than parts of noise are.

        Or where it is not found without UMAP.
        """
        doubt = "" if supported else ", unsupported"
        doubt += "" if outside_umap else ", in UMAP alone"
        return cls(f"Cluster {cluster}{doubt}", cluster_color(cluster), name)

    @classmethod
    def of_outliers(cls) -> "Heading":
        """Name the outliers of all clusters."""
        return cls("Outliers", colors.to_rgb(GREY))


def draw_gallery(
    heading: Heading,
    view: str,
    examples: Sequence[Example],
    pictures: Sequence[Path],
    scale: GalleryScale,
    path: Path | str,
) -> None:
    """Draw example pictures as a contact sheet with shared axes.

    Parameters
    ----------
    heading
        What the examples are.
    view
        What the pictures show.
    examples, pictures
        Windows or events and their PNGs, in the order in which they are shown.
    scale
        What every picture spans.
    path
        PNG to write.

    Raises
    ------
    TableError
        A picture is missing, damaged, or no gwmorph picture.
    """
    sheet = _Sheet(len(examples))
    paper = np.full((sheet.height, sheet.width, 3), 255, np.uint8)
    # Axes for each picture, and drawing twice as savefig does, would take three times as long.
    with own_style():
        figure, axes = _bare_figure(sheet.width, sheet.height)
        for index, (example, picture) in enumerate(zip(examples, pictures, strict=True)):
            pixels = _pixels(picture, view)
            place = _Place(*sheet.corner(index), *pixels.shape[1::-1])
            place.put(pixels, paper)
            _write_caption(axes, place, example)
            _mark_frequency(axes, place, view, scale, index % sheet.columns == 0)
            if view == "window":
                _mark_time(axes, place, scale, index < sheet.columns)
        title = f"{heading.words}: {counted(len(examples), f'example {view}')}"
        figure.text(_LEFT / sheet.width, 1 - 30 / sheet.height, title, fontsize=13)
        if heading.name is not None:
            left, up = _LEFT / sheet.width, 1 - 50 / sheet.height
            # A user's class may have the signs of a formula in it.
            figure.text(left, up, heading.name.line, fontsize=9, parse_math=False)
        chip = (0.3 * _LEFT, 12), 0.5 * _LEFT, 20
        axes.add_patch(Rectangle(*chip, color=heading.color, linewidth=0))
        bar = _energy_bar(scale)
        _Place(0, sheet.height - _BOTTOM, *bar.shape[1::-1]).put(bar, paper)
        drawn = Image.fromarray(paper).convert("RGBA")
        drawn.alpha_composite(Image.fromarray(_drawn(figure)))
    with atomic_path(path) as partial:
        drawn.convert("RGB").save(partial, format="PNG", dpi=(_DPI, _DPI))


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

    def corner(self, index: int) -> tuple[int, int]:
        """Return how far a picture is from the left and from the top, in pixels."""
        row, column = divmod(index, self.columns)
        return _LEFT + column * (_PICTURE_PX + _GAP), _TOP + row * (_PICTURE_PX + _CAPTION)


@dataclass(frozen=True)
class _Place:
    """Where one picture stands, in pixels from the left and from the top of the sheet."""

    left: int
    top: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def put(self, pixels: NDArray[np.uint8], paper: NDArray[np.uint8]) -> None:
        paper[self.top : self.bottom, self.left : self.left + self.width] = pixels


def _pixels(picture: Path, view: str) -> NDArray[np.uint8]:
    """Return a picture as it is shown, [height, width, 3] with 224 pixels on its longer side."""
    indices, scale = read_picture(picture)
    factor = _PICTURE_PX / max(indices.shape)
    height, width = (round(factor * side) for side in indices.shape)
    image = Image.fromarray(scale.rgb(indices))
    shown = image.resize((width, height), Image.Resampling.NEAREST)
    pixels = np.asarray(shown)
    if view == "window":
        return pixels
    marks, opacity = _crop_marks(width, height)
    return np.rint(pixels * (1 - opacity) + marks * opacity).astype(np.uint8)


@lru_cache
def _crop_marks(width: int, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is drawn over the four crops of an event: their borders and durations.

    Colours 0 to 255 [height, width, 3] and opacity 0 to 1 [height, width, 1].
    """
    figure, axes = _bare_figure(width, height)
    _label_crops(axes)
    drawn = _drawn(figure).astype(np.float64)
    return drawn[..., :3], drawn[..., 3:] / 255


def _label_crops(axes: Axes) -> None:
    """Part axes into four crops, each one unit wide and high, and write its duration into it."""
    axes.set(xlim=(0, 2), ylim=(0, 2))
    axes.axhline(1, color="white", linewidth=1.2)
    axes.axvline(1, color="white", linewidth=1.2)
    for place, duration in zip(((0, 1), (1, 1), (0, 0), (1, 0)), CROPS_S, strict=True):
        x, y = np.add(place, (0.04, 0.96))
        label = f"{duration:g} s"
        axes.text(x, y, label, color="white", fontsize=9, va="top", bbox=LABEL_GROUND)


def _bare_figure(width: int, height: int) -> tuple[Figure, Axes]:
    """Return a transparent figure and axes in its pixels, counted from the left and the top."""
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def _drawn(figure: Figure) -> NDArray[np.uint8]:
    """Return a figure's pixels without laying it out: [height, width, 4]."""
    figure.set_layout_engine("none")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _write_caption(axes: Axes, place: _Place, example: Example) -> None:
    """Write below a picture what it is; a frame marks the medoid."""
    when = example.gps_start if example.trigger_time is None else f"{example.trigger_time:.3f}"
    lines = [f"{example.detector}  GPS {when}", f"SNR {example.snr:.1f}"]
    lines[1] += ", medoid" if example.is_medoid else f", probability {example.probability:.2f}"
    if example.outlier_of is not None:
        lines.append(f"outlier of cluster {example.outlier_of}")
    axes.text(place.left, place.bottom + 6, "\n".join(lines), va="top")
    if example.is_medoid:
        corner = (place.left, place.top)
        frame = Rectangle(corner, place.width, place.height, fill=False, color=_MEDOID)
        axes.add_patch(frame).set_linewidth(3)


def _mark_frequency(
    axes: Axes, place: _Place, view: str, scale: GalleryScale, labelled: bool
) -> None:
    """Mark frequencies on the left of a picture; the two halves of an event have the same."""
    marks = _marks(scale)
    span = np.log(scale.high_hz / scale.low_hz)
    if view == "event":
        marks = marks[1::2]
    heights = np.log(np.divide(marks, scale.low_hz)) / span
    if view == "event":
        marks, heights = 2 * marks, np.concatenate([heights, 1 + heights]) / 2
    rows = place.bottom - heights * place.height
    axes.hlines(rows, place.left - _TICK_PX, place.left, "black", linewidth=0.8)
    if labelled:
        for mark, row in zip(marks, rows, strict=True):
            axes.text(place.left - 8, row, str(mark), fontsize=9, ha="right", va="center_baseline")
        x, y = place.left - 54, place.middle[1]
        axes.text(x, y, "Frequency [Hz]", rotation=90, ha="center", va="center")


def _mark_time(axes: Axes, place: _Place, scale: GalleryScale, labelled: bool) -> None:
    """Mark seconds on top of a window's picture."""
    marks = np.array(ticker.MaxNLocator(4, prune="upper").tick_values(0, scale.window_s))
    marks = marks[marks <= scale.window_s]
    columns = place.left + marks / scale.window_s * place.width
    axes.vlines(columns, place.top - _TICK_PX, place.top, "black", linewidth=0.8)
    if labelled:
        for mark, column in zip(marks, columns, strict=True):
            axes.text(column, place.top - 7, f"{mark:g}", fontsize=9, ha="center")
        axes.text(place.middle[0], place.top - 24, "Time since start [s]", ha="center")


def _marks(scale: GalleryScale) -> list[int]:
    return [mark for mark in _MARKED_HZ if scale.low_hz <= mark <= scale.high_hz]


@lru_cache
def _energy_bar(scale: GalleryScale) -> NDArray[np.uint8]:
    """Return the colour bar of the pictures and what it means: [height, width, 3]."""
    (width, height), right = _BAR, 40
    whole = (_LEFT + width + right, _BOTTOM)
    figure = Figure(figsize=(whole[0] / _DPI, whole[1] / _DPI), dpi=_DPI)
    box = (_LEFT, _BOTTOM - 26, width, height)
    axes = figure.add_axes(tuple(np.divide(box, 2 * whole)))
    gamma = {"linear": 1.0, "sqrt": 0.5}[scale.scale]
    norm = colors.PowerNorm(gamma, 0, scale.energy_max)
    bar = figure.colorbar(
        ScalarMappable(norm, scale.colormap), cax=axes, orientation="horizontal", extend="max"
    )
    bar.set_label("Largest tile energy in the pixel, over its row's median")
    return _drawn(figure)[..., :3]
