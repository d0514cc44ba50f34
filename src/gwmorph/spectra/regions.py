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
    rows = batch.tiling.planes[region.plane]
    column_s = window_s / region.cells.shape[1]
    held = [
        (rows[r], *_tiles(rows[r], first * column_s, last * column_s))
        for r, first, last in _stretches(region.cells)
    ]
    energies = [
        batch.energies[region.plane][rows.index(row)][window, low:high].astype(np.float64)
        for row, low, high in held
    ]
    times = [np.arange(low, high) * row.step - GUARD_S for row, low, high in held]
    loudest = int(np.argmax([energy.max() for energy in energies]))
    total = sum(float(energy.sum()) for energy in energies)
    tiles = sum(len(energy) for energy in energies)
    half = [tile_bandwidth(row.frequency, row.q) / 2 for row, _, _ in held]
    weighted = [
        (float(energy @ time), float(energy.sum()) * row.frequency)
        for energy, time, (row, _, _) in zip(energies, times, held, strict=True)
    ]
    return Trigger(
        time=sum(time for time, _ in weighted) / total,
        peak_time=region.moment,
        frequency=sum(frequency for _, frequency in weighted) / total,
        peak_frequency=held[loudest][0].frequency,
        tstart=min(time[0] - 0.25 / h for time, h in zip(times, half, strict=True)),
        tend=max(time[-1] + 0.25 / h for time, h in zip(times, half, strict=True)),
        fstart=min(row.frequency - h for (row, _, _), h in zip(held, half, strict=True)),
        fend=max(row.frequency + h for (row, _, _), h in zip(held, half, strict=True)),
        q=held[loudest][0].q,
        energy=float(energies[loudest].max()),
        tiles=tiles,
        energy_sum=total - tiles * _NOISE_MEAN,
    )


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
