"""Gravity Spy's pictures as they are found: with axes and colour bar, or as grey levels.

A picture with axes holds its spectrogram as the largest area of the colormap's colours; the colour
bar is another one, with white between. Grey levels are the luminance of the colours, as Gravity
Spy's own classifier reads its pictures and as the HDF5 file of its training set holds them (Zevin
et al. 2017, doi:10.1088/1361-6382/aa5cea; Coughlin 2018, doi:10.5281/zenodo.1476551).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import find_objects, label

from gwmorph.errors import TableError
from gwmorph.spectra.gravityspy import (
    ENERGY_MAX,
    FETCH,
    FOREIGN,
    energy_of,
    max_pool,
    nearest_colours,
)
from gwmorph.spectra.pictures import opened_picture, palette

# ASSUME: grey levels are Rec. 709 luminance, with which scikit-image's rgb2gray makes them.
_LUMINANCE = (0.2125, 0.7154, 0.0721)
# Grey levels (0 to 1) this far outside of what the colormap's colours have are not of it, and
# there are no more of them than so.
_BEYOND = 0.03
_MOST_BEYOND = 0.01
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "F")
_WHITE = {"I": 65535.0, "I;16": 65535.0, "1": 1.0, "F": 1.0}


def read_spectrogram(path: Path | str) -> NDArray[np.float32]:
    """Return the energies (over the row's median) of a picture in Gravity Spy's colours.

    The picture may be in any of PNG's modes, and have axes and a colour bar, which are cut away.
    float32 [height, width] of the spectrogram alone.

    Raises
    ------
    TableError
        The file cannot be read, or is drawn in another colormap.
    """
    grey = _grey_levels(path)
    if grey is not None:
        return energy_of_grey(path, grey)
    distance, index = nearest_colours(path)
    area = plot_area(distance <= FOREIGN)
    return energy_of(path, distance[area], index[area])


def is_grey(path: Path | str) -> bool:
    """Return whether a picture has grey levels and no colours.

    Raises
    ------
    TableError
        The file cannot be read as a picture.
    """
    return _grey_levels(path) is not None


def _grey_levels(path: Path | str) -> NDArray[np.float64] | None:
    """Return a picture's grey levels from 0 to 1, [height, width]; None of one in colours."""
    with opened_picture(path, FETCH) as image:
        if image.mode not in _GREY_MODES:
            return None
        levels = np.asarray(image, dtype=np.float64)
        white = _WHITE.get(image.mode, 255.0)
    return (levels[..., 0] if levels.ndim == 3 else levels) / white


def plot_area(ours: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the largest connected area of the colormap's colours.

    A picture in which that leaves out no more than a frame of one pixel is returned whole.

    Parameters
    ----------
    ours
        Which pixels have a colour of the colormap, bool [height, width].
    """
    areas, count = label(ours)
    if not count:
        return slice(0), slice(0)
    largest = int(np.bincount(areas.ravel())[1:].argmax())
    rows, columns = find_objects(areas)[largest]
    sides = zip((rows, columns), ours.shape, strict=True)
    if all(side.start <= 1 and side.stop >= size - 1 for side, size in sides):
        return slice(None), slice(None)
    return rows, columns


def energy_of_grey(path: Path | str, grey: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the energies (over the row's median) that grey levels from 0 to 1 stand for.

    Raises
    ------
    TableError
        The levels are not those of the colormap's colours: darker or brighter, or no numbers. The
        error names ``path``.
    """
    levels = _luminances()
    darkest, brightest = levels[0] - _BEYOND, levels[-1] + _BEYOND
    # A level that is no number is beyond, too.
    beyond = float(np.mean(~((grey >= darkest) & (grey <= brightest))))
    if beyond > _MOST_BEYOND:
        raise TableError(
            f"{path}: {beyond:.1%} of its grey levels are outside {levels[0]:.2f} to "
            f"{levels[-1]:.2f} (white is 1), expected at most {_MOST_BEYOND:.0%}. It has axes, or "
            "is no grey copy of a picture in Gravity Spy's colours."
        )
    index = np.interp(np.nan_to_num(grey), levels, np.arange(len(levels)))
    return (ENERGY_MAX / (len(levels) - 1) * index).astype(np.float32)


@lru_cache
def _luminances() -> NDArray[np.float64]:
    """Return the luminance of each of the colormap's colours, rising."""
    return np.maximum.accumulate(palette("viridis") @ np.array(_LUMINANCE) / 255)


def resized(energy: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return energies of another size, float32 [height, width].

    What becomes smaller keeps the largest of what it covers; what becomes larger is interpolated.
    """
    larger = max(height, energy.shape[0]), max(width, energy.shape[1])
    if larger != energy.shape:
        image = Image.fromarray(np.ascontiguousarray(energy, np.float32))
        energy = np.asarray(image.resize(larger[::-1], Image.Resampling.BILINEAR))
    return max_pool(energy, height, width)
