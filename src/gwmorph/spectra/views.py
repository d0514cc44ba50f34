"""Event views: one moment at four durations, cut from tiles that are already there.

A picture of 32 s gives a blip one column. An event view shows the same tiles centred on a
trigger in crops of 0.5, 1, 2 and 4 s, side by side as Gravity Spy's observers see them
(Zevin et al. 2017, doi:10.1088/1361-6382/aa5cea). Each crop is pooled from the Q-plane that
holds the loudest tile inside it, or, where no tile is loud, from the one in which energy was
added up.

A crop that reaches past the window shows the guard, which ``GUARD_S`` makes just long enough
for a moment inside the window. Beyond the guard (a moment outside the window) the span's last
tiles are repeated. Whatever is loud within a tile's length of one end of the span appears at
its other end, too, because the transform is circular.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.compiled import compiled
from gwmorph.spectra.pictures import CROPS_S, crops
from gwmorph.spectra.qtransform import GUARD_S, QBatch, pixel_rows, pool_rows
from gwmorph.spectra.tiling import Tiling

# In tiles. A moment that is a tile's centre lies on the edge between two columns and belongs to
# the later one, whatever rounding a GPS time in double precision brought (1e-7 s; the shortest
# tiles are 3e-4 s apart).
_ROUNDING = 1e-3


def event_view(
    batch: QBatch, window: int, time: float, height: int, width: int, plane: int | None = None
) -> NDArray[np.float32]:
    """Draw one moment of one window of a batch: energies float32 [height, width].

    Parameters
    ----------
    batch
        Tiles of some windows.
    window
        Which window of the batch.
    time
        Centre of all crops in seconds from the window's start.
    height, width
        Pixels of the whole picture, both even. Each crop has half of each; its rows are those of
        a window's picture (logarithmic, top row first), and its pixels hold the largest energy of
        the tiles whose centres lie in them, or else the nearest tile's.
    plane
        Number of the plane that all crops show; for each crop the one with the loudest tile in
        it, if there is none.

    Raises
    ------
    ValueError
        ``height`` or ``width`` is odd.
    """
    if height % 2 or width % 2:
        raise ValueError(f"expected even height and width, got {height} x {width}")
    picture = np.empty((height, width), np.float32)
    planes = _loudest_planes(batch, window, time) if plane is None else [plane] * len(CROPS_S)
    for crop, duration, shown in zip(crops(picture), CROPS_S, planes, strict=True):
        _draw_crop(batch, window, shown, time - duration / 2, duration, crop)
    return picture


def _loudest_planes(batch: QBatch, window: int, time: float) -> list[int]:
    """Return for each crop the number of the plane with the loudest tile inside it."""
    loudest = np.zeros((len(batch.energies), len(CROPS_S)), np.float32)
    halves = np.array(CROPS_S) / 2
    for plane, (rows, energies) in enumerate(
        zip(batch.tiling.planes, batch.energies, strict=True)
    ):
        for row, energy in zip(rows, energies, strict=True):
            _raise_to_maxima(energy[window], row.step, time + GUARD_S, halves, loudest[plane])
    return loudest.argmax(axis=0).tolist()


def _draw_crop(
    batch: QBatch, window: int, plane: int, start: float, duration: float, out: NDArray[np.float32]
) -> None:
    """Pool one plane's tiles in ``[start, start + duration)`` into ``out`` [rows, columns]."""
    rows = batch.tiling.planes[plane]
    pooled = np.empty((len(rows), out.shape[1]), np.float32)
    for row, energy, columns in zip(rows, batch.energies[plane], pooled, strict=True):
        _pool_columns(energy[window], row.step, start + GUARD_S, duration, columns)
    first, last = _pixel_rows(batch.tiling, plane, out.shape[0])
    pool_rows(pooled[None], first, last, out[None])


@lru_cache
def _pixel_rows(
    tiling: Tiling, plane: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return pixel_rows(tiling.planes[plane], tiling, height)


@compiled()
def _raise_to_maxima(energy, step, time, halves, loudest):  # type: ignore[no-untyped-def]
    """Raise ``loudest[c]`` to the largest energy within ``halves[c]`` (rising) of ``time``.

    Times are in seconds from the first tile's centre.
    """
    left = right = min(max(int(np.ceil(time / step - _ROUNDING)), 0), len(energy))
    top = np.float32(0)
    for crop in range(len(halves)):
        first = max(int(np.ceil((time - halves[crop]) / step - _ROUNDING)), 0)
        last = min(int(np.ceil((time + halves[crop]) / step - _ROUNDING)), len(energy))
        for tile in range(first, left):
            top = max(top, energy[tile])
        for tile in range(right, last):
            top = max(top, energy[tile])
        left, right = min(left, first), max(right, last)
        loudest[crop] = max(loudest[crop], top)


@compiled()
def _pool_columns(energy, step, start, duration, out):  # type: ignore[no-untyped-def]
    """Write the largest energy in each of ``len(out)`` equal columns from ``start`` on."""
    width = duration / len(out)
    first = max(int(np.ceil(start / step - _ROUNDING)), 0)
    for column in range(len(out)):
        edge = (start + (column + 1) * width) / step - _ROUNDING
        last = min(int(np.ceil(edge)), len(energy))
        if first >= last:
            nearest = int(np.rint((start + (column + 0.5) * width) / step))
            out[column] = energy[min(max(nearest, 0), len(energy) - 1)]
        else:
            top = energy[first]
            for tile in range(first + 1, last):
                top = max(top, energy[tile])
            out[column] = top
        first = max(first, last)
