"""Regions: the cells of a window in which a part of its score found its energy.

A cell is one row of a Q-plane for one column of `QBatch.means`. A region is described as a
trigger is, by all of its tiles, whether or not one of them is loud.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.qtransform import GUARD_S, QBatch
from gwmorph.spectra.tiling import Row
from gwmorph.spectra.triggers import Trigger, tile_bandwidth

_NOISE_MEAN = 1 / log(2)


@dataclass(frozen=True)
class Region:
    """Some cells of one Q-plane: a box, a path, or a stretch of a chirp's track.

    Attributes
    ----------
    plane
        Number of the plane.
    cells
        Which of its cells: bool [rows, columns], at least one.
    moment
        What a view of it is centred on, in seconds from the window's start.
    chirp_mass
        Of a chirp's track, in solar masses.
    """

    plane: int
    cells: NDArray[np.bool_]
    moment: float
    chirp_mass: float | None = None


def centroid(means: NDArray[np.float32], cells: NDArray[np.bool_], column_s: float) -> float:
    """Return the mean time of a region's cells, weighted by their energy above the noise's mean.

    ``means`` float32 and ``cells`` bool are [rows, columns]; seconds from the window's start.
    """
    above = np.where(cells, np.maximum(means - _NOISE_MEAN, 0), 0).sum(axis=0, dtype=np.float64)
    times = (np.arange(len(above)) + 0.5) * column_s
    return float(np.average(times, weights=above if above.any() else cells.sum(axis=0)))


def region_trigger(batch: QBatch, window: int, region: Region, window_s: int) -> Trigger:
    """Describe a region of one window of a batch as a trigger made of its tiles.

    ``peak_time`` is the region's moment; ``peak_frequency``, ``q`` and ``energy`` are those of
    its loudest tile.
    """
    rows, plane = batch.tiling.planes[region.plane], batch.energies[region.plane]
    column_s = window_s / region.cells.shape[1]
    parts = [
        _Part.of(rows[r], plane[r][window], first * column_s, last * column_s)
        for r, first, last in _stretches(region.cells)
    ]
    loudest = max(parts, key=lambda part: part.energy.max())
    total = sum(float(part.energy.sum()) for part in parts)
    tiles = sum(len(part.energy) for part in parts)
    return Trigger(
        time=sum(float(part.energy @ part.time) for part in parts) / total,
        peak_time=region.moment,
        frequency=sum(float(part.energy.sum()) * part.row.frequency for part in parts) / total,
        peak_frequency=loudest.row.frequency,
        tstart=min(float(part.time[0]) - 0.25 / part.half_width for part in parts),
        tend=max(float(part.time[-1]) + 0.25 / part.half_width for part in parts),
        fstart=min(part.row.frequency - part.half_width for part in parts),
        fend=max(part.row.frequency + part.half_width for part in parts),
        q=loudest.row.q,
        energy=float(loudest.energy.max()),
        tiles=tiles,
        energy_sum=total - tiles * _NOISE_MEAN,
    )


@dataclass(frozen=True)
class _Part:
    """Tiles of one row side by side: their centres in the window (s), and energies."""

    row: Row
    time: NDArray[np.float64]
    energy: NDArray[np.float64]

    @classmethod
    def of(cls, row: Row, energy: NDArray[np.float32], start: float, end: float) -> "_Part":
        low, high = _tiles(row, start, end)
        time = np.arange(low, high, dtype=np.float64) * row.step - GUARD_S
        return cls(row, time, energy[low:high].astype(np.float64))

    @property
    def half_width(self) -> float:
        """Half a tile's bandwidth in Hz; half its length is a quarter of the inverse."""
        return float(tile_bandwidth(self.row.frequency, self.row.q)) / 2


def _stretches(cells: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield row, first column and the column after the last of all that hang together."""
    edges = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, first = np.nonzero(edges == 1)
    _, last = np.nonzero(edges == -1)
    yield from zip(rows.tolist(), first.tolist(), last.tolist(), strict=True)


def _tiles(row: Row, start: float, end: float) -> tuple[int, int]:
    """Return the span of tiles whose centres lie in [start, end), or the nearest one."""
    low, high = (ceil((GUARD_S + time) / row.step - 1e-6) for time in (start, end))
    if low == high:
        low = min(round((GUARD_S + (start + end) / 2) / row.step), row.tiles - 1)
        high = low + 1
    return low, high
