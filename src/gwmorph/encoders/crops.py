"""What the in-domain network is shown of a picture: crops of 56 x 56 pixels, by maxima.

They are taken from the palette indices, one byte a pixel: brightness does not fall as the index
rises, so the maximum of the one is where that of the other is, and a quarter of the pixels, or
fewer, are left to be looked up.
"""

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.pictures import PictureScale, crops

CROP = 56
CROPS = 4
# Energies above the default palette's top look alike, whatever the palette of a picture.
ENERGY_TOP = 25.5


def brightness(energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return √(min(E, 25.5)/25.5): what the network sees of tile energies E of any shape."""
    top = np.float32(ENERGY_TOP)
    return np.sqrt(np.clip(energy, 0, top, dtype=np.float32) / top)


def levels(render: PictureScale) -> NDArray[np.float32]:
    """Return the brightness of every palette index: float32 [256], which does not fall."""
    return brightness(render.energy(np.arange(256, dtype=np.uint8)))


def event_crops(pictures: NDArray) -> NDArray:
    """Return event views [n, height, width] as their crops [n, 4, 56, 56], by maxima."""
    return np.stack([pooled(crop, CROP, CROP) for crop in crops(pictures)], axis=1)


def window_quarters(pictures: NDArray) -> NDArray:
    """Return windows [n, height, width] as their quarters in time [n, 4, 56, 56], by maxima."""
    whole = pooled(pictures, CROP, CROPS * CROP)
    return np.stack(np.split(whole, CROPS, axis=2), axis=1)


def pooled(pictures: NDArray, rows: int, columns: int) -> NDArray:
    """Return the maxima of the parts of pictures [n, height, width]: [n, rows, columns].

    Part i of k of a side of p pixels begins with pixel floor(i·p/k) and ends before
    ceil((i + 1)·p/k), as PyTorch's adaptive pooling has it: where k does not divide p, neighbours
    share a pixel.
    """
    return _maxima(_maxima(pictures, rows, 1), columns, 2)


def _maxima(values: NDArray, parts: int, axis: int) -> NDArray:
    """Return the maxima of so many parts along ``axis``, the k-th pixels of all parts at once."""
    pixels = values.shape[axis]
    if pixels % parts == 0:
        step = pixels // parts
        places: list[slice | NDArray[np.intp]] = [slice(k, None, step) for k in range(step)]
    else:
        first = np.arange(parts) * pixels // parts
        last = (np.arange(1, parts + 1) * pixels - 1) // parts
        places = [np.minimum(first + k, last) for k in range((last - first).max() + 1)]
    before = (slice(None),) * axis
    found = values[(*before, places[0])]
    for place in places[1:]:
        found = np.maximum(found, values[(*before, place)])
    return found
