"""Gravity Spy's own pictures, read back to the energies that they show.

Gravity Spy draws normalised energies from 0 to 25.5 in matplotlib's viridis, each glitch in
windows of 0.5, 1, 2 and 4 s (Zevin et al. 2017, doi:10.1088/1361-6382/aa5cea; Glanzer et al. 2023,
doi:10.1088/1361-6382/acb633). Pictures without axes lie in one folder for each class, as
``<IFO>_<id>_spectrogram_<seconds>.png``, where the id may be a GPS time. Their frequencies go
from 10 to 2048 Hz, wider than a run's own pictures; nothing is cut.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gwmorph.errors import ConfigError, TableError
from gwmorph.spectra.pictures import opened_picture, palette

ENERGY_MAX = 25.5
_COLORMAP = "viridis"
_NAME = re.compile(r"(?P<glitch>[A-Z]\d_[\w.]+)_spectrogram_(?P<seconds>\d+(\.\d+)?)\.png")
# Mean distance of a picture's colours (0 to 255 in each channel) from the colormap's. Gravity
# Spy's own are within 2; of matplotlib's other colormaps none comes closer than 15.
_FARTHEST = 8.0
# A colour farther than this from the colormap is not of it, and inside a spectrogram there is
# none: of Gravity Spy's own not a pixel in a thousand is even 12 levels off, but for the frame.
FOREIGN = 25.0
_MOST_FOREIGN = 0.001
FETCH = "Fetch it again, or take it out of its folder."
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GlitchPicture:
    """One window length of one glitch: where it is, its class, whose it is, and the length."""

    path: Path
    label: str
    glitch: str
    duration_s: float


def find_glitch_pictures(
    folder: Path | str, key: str = "comparison.glitch_pictures"
) -> list[GlitchPicture]:
    """Return the pictures in ``folder/<class>/``, by class and file name.

    Pictures with other names are left out, with a warning. ``key`` of the configuration names the
    folder.

    Raises
    ------
    ConfigError
        There is none.
    """
    found = []
    paths = sorted(Path(folder).glob("*/*.png"))
    for path in paths:
        if match := _NAME.fullmatch(path.name):
            seconds = float(match["seconds"])
            found.append(GlitchPicture(path, path.parent.name, match["glitch"], seconds))
    if not found:
        raise ConfigError(
            f"{key}: {folder} has no pictures "
            "<class>/<IFO>_<id>_spectrogram_<seconds>.png; name the folder that holds the "
            "classes' folders, or null."
        )
    if left_out := len(paths) - len(found):
        _log.warning("%s: %d pictures of other names are left out.", folder, left_out)
    return found


def read_energy(path: Path | str) -> NDArray[np.float32]:
    """Return the energies (over the row's median) that a picture shows: float32 [height, width].

    Every colour counts as the nearest one of the colormap. A border in other colours is cut; a
    frame of one pixel stays, as no energy.

    Raises
    ------
    TableError
        The file cannot be read, or is drawn in other colours, or holds more than the spectrogram
        (axes, a colour bar, text).
    """
    distance, index = nearest_colours(path)
    return energy_of(path, distance, index)


def energy_of(
    path: Path | str, distance: NDArray[np.float64], index: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the energies of a picture, or of a part of it, by what `nearest_colours` returned.

    Raises
    ------
    TableError
        As `read_energy`; the error names ``path``.
    """
    inside = _without_border(distance > FOREIGN)
    distance, index = distance[inside], index[inside]
    if not distance.size:
        raise TableError(f"{path}: drawn in another colormap than Gravity Spy's {_COLORMAP}.")
    framed = np.ones(distance.shape, bool)
    framed[1:-1, 1:-1] = False
    foreign = distance > FOREIGN
    stray, mean = np.mean(foreign & ~framed), np.mean(distance[~(foreign & framed)])
    if stray > _MOST_FOREIGN or mean > _FARTHEST:
        raise TableError(
            f"{path}: {stray:.1%} of the colours inside are none of {_COLORMAP}, expected at most "
            f"{_MOST_FOREIGN:.1%}, and they are {mean:.0f} levels from it on average, expected at "
            f"most {_FARTHEST:g}. It has axes, or is drawn in another colormap than Gravity Spy's."
        )
    energy = (ENERGY_MAX / 255 * index).astype(np.float32)
    energy[foreign & framed] = 0
    return energy


def nearest_colours(path: Path | str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for every pixel the distance to the colormap's nearest colour, and its index.

    Distances are in levels of a channel, 0 to 255; both are [height, width].

    Raises
    ------
    TableError
        The file cannot be read as a picture.
    """
    with opened_picture(path, FETCH) as image:
        colours = np.asarray(image.convert("RGB"))
    codes = colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    different, where = np.unique(codes.ravel(), return_inverse=True)
    channels = np.stack([different >> 16, different >> 8 & 255, different & 255], axis=1)
    distance, index = KDTree(palette(_COLORMAP).astype(float)).query(channels)
    return distance[where].reshape(codes.shape), index[where].reshape(codes.shape)


def _without_border(foreign: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns inside a border: outer lines that are foreign for the most part.

    A border of one pixel is left on.
    """
    box = [slice(0, size) for size in foreign.shape]
    while True:
        before = list(box)
        for axis in (0, 1):
            if not foreign[tuple(box)].size:
                return slice(0), slice(0)
            ours = np.flatnonzero(foreign[tuple(box)].mean(axis=1 - axis) <= 0.5) + box[axis].start
            if not len(ours):
                return slice(0), slice(0)
            box[axis] = slice(int(ours[0]), int(ours[-1]) + 1)
        if box == before:
            break
    rows, columns = (
        slice(0 if side.start <= 1 else side.start, size if size - side.stop <= 1 else side.stop)
        for side, size in zip(box, foreign.shape, strict=True)
    )
    return rows, columns


def max_pool(energy: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return a smaller picture float32 [height, width]; each pixel is the largest it covers.

    Raises
    ------
    ValueError
        The picture is smaller than that.
    """
    if energy.shape[0] < height or energy.shape[1] < width:
        raise ValueError(f"expected at least {height} x {width} pixels, got {energy.shape}")
    rows, columns = (
        np.arange(count) * size // count
        for count, size in zip((height, width), energy.shape, strict=True)
    )
    return np.maximum.reduceat(np.maximum.reduceat(energy, rows, axis=0), columns, axis=1)
