"""The style that all figures share: one colour per cluster, one scale for loudness."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import colormaps, colors, ticker, transforms
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from gwmorph.seals import sealed_svg
from gwmorph.storage import atomic_path

DPI = 150
# Of what is drawn as a picture inside a vector figure.
DENSE_DPI = 200
# Marks of one kind in one panel that are still drawn as vectors: a figure stays below a megabyte.
MOST_MARKS = 1000
# How many times as wide as high a figure is, at least: the report's viewer fits figures to its
# width, and what is too high for it cannot be reached. Screens are 16:9 or higher.
FLATNESS = 1.6
GREY = "#bbbbbb"
# Behind white words on a picture, which may be as bright as they are.
LABEL_GROUND: dict[str, Any] = {"facecolor": "black", "alpha": 0.65, "linewidth": 0, "pad": 1.5}
# Below the axes, where no row can lie behind it.
LEGEND_BELOW: dict[str, Any] = {
    "loc": "upper center", "bbox_to_anchor": (0.5, -0.06), "ncols": 2, "fontsize": 8,
}  # fmt: skip
# How far below the axes the label of an axis ends.
_LABEL_IN = 0.5
_CLIP = re.compile(rb'(?:(?<=id=")|(?<=url\(#))p[0-9a-f]{10}(?=["\)])')
_EMPTY = {"window": "no analysed windows", "event": "no events"}
# Quiet is pale but still seen on white; lightness alone tells the order.
LOUDNESS = colors.ListedColormap(colormaps["YlGnBu"](np.linspace(0.25, 1, 256)))

# Paul Tol's "muted" scheme, told apart with every common colour-vision deficiency.
_MUTED = (
    "#332288",
    "#88ccee",
    "#44aa99",
    "#117733",
    "#999933",
    "#ddcc77",
    "#cc6677",
    "#882255",
    "#aa4499",
)
_SERIES = ("#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#000000")
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of red, green and blue (ITU-R BT.709)
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": DPI,
    "figure.dpi": DPI,
    "svg.hashsalt": "gwmorph",  # else the names of parts are drawn at random
}


def cluster_color(cluster: int) -> tuple[float, float, float]:
    """Return the RGB colour (0 to 1) of a cluster, the same in every figure.

    Nine hues; then the same with dark hues lightened and light ones darkened, then the other
    way round. From 27 clusters on, colours repeat.
    """
    turn, hue = divmod(cluster, len(_MUTED))
    base = np.array(colors.to_rgb(_MUTED[hue]))
    is_dark = bool(base @ _LUMINANCE < 0.45)
    lighten = is_dark if turn % 3 == 1 else not is_dark
    amount = (0.0, 0.45, 0.4)[turn % 3]
    red, green, blue = (1 - amount) * base + amount * float(lighten)
    return float(red), float(green), float(blue)


# What would make equal figures differ, by the ending of the file's name.
FIGURE_FORMATS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    ".svg": {"Creator": None, "Date": None},
}


def series_color(number: int) -> str:
    """Return the colour of a line that is of no cluster, in figures that show clusters as well.

    Okabe and Ito's scheme, told apart with every common colour-vision deficiency.
    """
    return _SERIES[number % len(_SERIES)]


def is_dense(marks: int) -> bool:
    """Tell whether so many marks in one panel are to be a picture, inside a vector figure too."""
    return marks > MOST_MARKS


def snr_norm(snr: NDArray) -> colors.LogNorm:
    """Return the logarithmic scale of ``LOUDNESS`` that spans these SNRs."""
    low = max(1.0, float(snr.min())) if len(snr) else 1.0
    high = max(1.2 * low, float(snr.max())) if len(snr) else 10.0
    return colors.LogNorm(low, high, clip=True)


def add_snr_bar(
    figure: Figure | SubFigure, axes: Axes | Sequence[Axes], norm: colors.LogNorm
) -> None:
    """Add the colour bar of ``LOUDNESS`` beside ``axes``, on a scale made by `snr_norm`."""
    bar = figure.colorbar(ScalarMappable(norm, LOUDNESS), ax=axes, pad=0.02)
    bar.set_label("SNR (Omicron's convention)")
    low, high = bar.ax.get_ylim()
    ticks = ticker.LogLocator(subs=(1, 2, 5)).tick_values(low, high)
    bar.set_ticks([tick for tick in ticks if low <= tick <= high])
    bar.ax.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    bar.ax.yaxis.set_minor_locator(ticker.NullLocator())


@contextmanager
def saved_figure(
    path: Path | str, width_in: float, height_in: float, dpi: int = DPI
) -> Iterator[Figure]:
    """Yield an empty figure of the given size in inches and save it as PNG, PDF or SVG.

    The name's ending, one of ``FIGURE_FORMATS``, says which. A figure that would be higher than
    ``FLATNESS`` allows is made wider. The user's own matplotlib settings are set aside and nothing
    about time or software is stored, so that equal content gives equal bytes. ``dpi`` is of a PNG;
    what a vector figure has rasterised is drawn at ``DENSE_DPI``.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    with own_style():
        figure = Figure(figsize=(max(width_in, FLATNESS * height_in), height_in))
        yield figure
        with atomic_path(path) as partial:
            kind = Path(path).suffix
            metadata = FIGURE_FORMATS[kind]
            shown_dpi = dpi if kind == ".png" else DENSE_DPI
            figure.savefig(
                partial, format=kind.removeprefix("."), dpi=shown_dpi, metadata=metadata
            )
            if kind == ".svg":
                partial.write_bytes(sealed_svg(_with_stable_names(partial.read_bytes())))


def _with_stable_names(svg: bytes) -> bytes:
    """Name the clipping areas of an SVG in their order instead of by their places.

    The last bits of a place differ from one layout of the same figure to the next. No number that
    is written shows it, but the name of the area, a hash of all bits, does.
    """
    names: dict[bytes, bytes] = {}
    return _CLIP.sub(lambda found: names.setdefault(found[0], b"clip%d" % len(names)), svg)


@contextmanager
def own_style() -> Iterator[None]:
    """Set the user's own matplotlib settings aside for those that all figures share."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def legend_below_label(axes: Axes) -> None:
    """Add the legend below the axes and the label of its x axis, however high the axes are."""
    below = transforms.ScaledTranslation(0, -_LABEL_IN, axes.figure.dpi_scale_trans)
    anchor = {"bbox_to_anchor": (0.5, 0), "bbox_transform": axes.transAxes + below}
    axes.legend(**LEGEND_BELOW | anchor)


def say_empty(axes: Axes, view: str) -> None:
    """Write that a view has nothing to draw, instead of empty axes."""
    axes.text(0.5, 0.5, _EMPTY[view], transform=axes.transAxes, ha="center", va="center")
