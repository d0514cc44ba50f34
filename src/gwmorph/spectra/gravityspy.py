"""Gravity Spy's own pictures, read back to the energies that they show.

Gravity Spy draws normalised energies from 0 to 25.5 in matplotlib's viridis, each glitch in
windows of 0.5, 1, 2 and 4 s (Zevin et al. 2017, doi:10.1088/1361-6382/aa5cea; Glanzer et al. 2023,
doi:10.1088/1361-6382/acb633). Pictures without axes lie in one folder for each class, as
``<IFO>_<id>_spectrogram_<seconds>.png``. Their frequencies go from 10 to 2048 Hz, wider than a
run's own pictures; nothing is cut.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from scipy.spatial import KDTree

from gwmorph.errors import ConfigError, TableError
from gwmorph.spectra.pictures import palette

ENERGY_MAX = 25.5
_COLORMAP = "viridis"
_NAME = re.compile(r"(?P<glitch>[A-Z]\d_\w+)_spectrogram_(?P<seconds>\d+\.\d+)\.png")
# Mean distance of a picture's colours (0 to 255 in each channel) from the colormap's. Gravity
# Spy's own are within 2; of matplotlib's other colormaps none comes closer than 15.
_FARTHEST = 8.0


@dataclass(frozen=True)
class GlitchPicture:
    """One window length of one glitch: where it is, its class, whose it is, and the length."""

    path: Path
    label: str
    glitch: str
    duration_s: float


def find_glitch_pictures(folder: Path | str) -> list[GlitchPicture]:
    """Return the pictures in ``folder/<class>/``, by class and file name.

    Raises
    ------
    ConfigError
        There is none.
    """
    found = []
    for path in sorted(Path(folder).glob("*/*.png")):
        if match := _NAME.fullmatch(path.name):
            seconds = float(match["seconds"])
            found.append(GlitchPicture(path, path.parent.name, match["glitch"], seconds))
    if not found:
        raise ConfigError(
            f"comparison.glitch_pictures: {folder} has no pictures "
            "<class>/<IFO>_<id>_spectrogram_<seconds>.png; name the folder that holds the "
            "classes' folders, or null."
        )
    return found


def read_energy(path: Path | str) -> NDArray[np.float32]:
    """Return the energies (over the row's median) that a picture shows: float32 [height, width].

    Every colour counts as the nearest one of the colormap; a black frame counts as no energy.

    Raises
    ------
    TableError
        The file cannot be read, or is drawn in other colours.
    """
    try:
        with Image.open(path) as image:
            colours = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise TableError(f"{path}: not a readable picture ({error}).") from error
    codes = colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    different, where = np.unique(codes.ravel(), return_inverse=True)
    channels = np.stack([different >> 16, different >> 8 & 255, different & 255], axis=1)
    distance, index = KDTree(palette(_COLORMAP).astype(float)).query(channels)
    mean = float(distance[where].mean())
    if mean > _FARTHEST:
        raise TableError(
            f"{path}: colours are {mean:.0f} levels from {_COLORMAP} on average, expected at most "
            f"{_FARTHEST:g}. It has axes, or is drawn in another colormap than Gravity Spy's."
        )
    return (ENERGY_MAX / 255 * index[where]).reshape(colours.shape[:2]).astype(np.float32)


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
