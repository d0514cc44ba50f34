"""Chirps: energy added up along the tracks of inspiralling binaries.

To lowest order a binary of chirp mass M has the frequency f at the time

    τ = (5/256)·(πf)^(−8/3)·(GM/c³)^(−5/3)

before its merger (Peters 1964, doi 10.1103/PhysRev.136.B1224). So a track is known but for one
number, and far fewer tracks than free paths can be drawn by noise alone: what `extended` finds
with any pen is found fainter here. Tracks are named by τ at 25 Hz. Heavy binaries (chirp masses
above 20 solar masses, τ below 0.8 s) are looked for in the plane of the lowest Q, lighter ones
(down to 5) in the next; for lighter ones still, whose tracks are long and many, free paths must
do.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log, log1p, pi

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.compiled import compiled
from gwmorph.spectra.extended import cell_areas
from gwmorph.spectra.qtransform import GUARD_S, QBatch, mean_columns
from gwmorph.spectra.regions import Region
from gwmorph.spectra.tiling import Row, Tiling

_REFERENCE_HZ = 25.0
# τ at 25 Hz in columns of the plane's cells: those of the lowest Q, then those of the next.
_TRACKS = (np.arange(3, 26), np.arange(13, 144, 2))
# Density of signal energy per degree of freedom of noise that a chirp is taken to have.
_DENSITY = 1.0
_SLOPE = np.float32(log(2) * _DENSITY / (1 + _DENSITY))
_OFFSET = np.float32(log1p(_DENSITY))
# Where τ is 1 s at 25 Hz: equal masses of 20.5 solar masses each have a last stable orbit at
# 4400 Hz over 41, and that frequency rises with τ to the power of 3/5.
_LAST_ORBIT_HZ = 107.0
# G/c³ times the nominal solar mass parameter (IAU 2015 resolution B3).
_SOLAR_MASS_S = 4.925490947e-6


@dataclass(frozen=True)
class _Tracks:
    """Where each of m tracks crosses each row of a plane, columns counted back from the merger.

    ``first`` and ``last`` (int32 [m, rows]) include each other; ``weight`` (float32 [m, rows]) is
    the crossing's degrees of freedom, 0 where the track does not go; ``price`` float32 [m];
    ``tau`` float64 [m] is each track's τ in seconds and ``column_s`` a column's.
    """

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    weight: NDArray[np.float32]
    price: NDArray[np.float32]
    tau: NDArray[np.float64]
    column_s: float


def chirp_ratio(batch: QBatch) -> NDArray[np.float64]:
    """Return the log-likelihood ratio, in nats, of each window's best chirp: float64 [n].

    A chirp may be seen along any stretch of its track. The longer a track, the more of its kind
    there are; the logarithm of τ is its price, so that noise draws tracks of all lengths alike.
    """
    best = np.zeros(len(batch.means[0]), np.float32)
    for means, tracks in _planes(batch):
        _scan(means, tracks, best)
    return best.astype(np.float64)


def chirp_region(batch: QBatch, window: int) -> Region:
    """Return the best stretch of a chirp's track in one window of a batch.

    Its moment is where the stretch ends; its chirp mass is the detector's, not the source's.
    """
    planes = _planes(batch)
    best = np.zeros(len(planes), np.float32)
    numbers = [
        int(_scan(means[window : window + 1], tracks, best[p : p + 1])[0])
        for p, (means, tracks) in enumerate(planes)
    ]
    plane = int(best.argmax())
    (means, tracks), number = planes[plane], numbers[plane]
    cells = _stretch(means[window], tracks, number)
    end = (np.flatnonzero(cells.any(axis=0))[-1] + 0.5) * tracks.column_s
    return Region(plane, cells, float(end), chirp_mass(float(tracks.tau[number])))


def chirp_mass(tau: float) -> float:
    """Return the chirp mass (solar masses) of a binary that merges ``tau`` seconds after 25 Hz."""
    return (5 / 256 / tau * (pi * _REFERENCE_HZ) ** (-8 / 3)) ** 0.6 / _SOLAR_MASS_S


def _planes(batch: QBatch) -> list[tuple[NDArray[np.float32], _Tracks]]:
    window_s = int(batch.tiling.duration) - 2 * GUARD_S
    return list(zip(batch.means, _tracks(batch.tiling, window_s), strict=False))


def _scan(
    means: NDArray[np.float32], tracks: _Tracks, best: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Raise ``best`` [n] to the best track's ratio, and return its number where it did."""
    number = np.zeros(len(means), np.int64)
    _best_tracks(
        means, tracks.first, tracks.last, tracks.weight, tracks.price, _SLOPE, _OFFSET,
        best, number,
    )  # fmt: skip
    return number


def _stretch(mean: NDArray[np.float32], tracks: _Tracks, number: int) -> NDArray[np.bool_]:
    """Return the cells of the best stretch of one track in one window: bool [rows, columns]."""
    rows, columns = mean.shape
    sums = np.concatenate([np.zeros((rows, 1)), np.cumsum(mean, axis=1, dtype=np.float64)], axis=1)
    first, last, weight = (values[number] for values in (tracks.first, tracks.last, tracks.weight))
    reached, begun = np.zeros(columns), np.zeros(columns, int)
    top, stretch, merger = 0.0, range(0), 0
    for r in np.flatnonzero(weight).tolist():
        back, width = first[r], first[r] - last[r] + 1
        merges = np.arange(back, columns)
        energy = (sums[r, merges - back + width] - sums[r, merges - back]) / width
        crossed = weight[r] * (energy * _SLOPE - _OFFSET)
        begun[reached <= 0] = r
        reached[:back] = 0
        reached[back:] = np.maximum(reached[back:] + crossed, 0)
        if reached.max() > top:
            top, merger = reached.max(), int(reached.argmax())
            stretch = range(int(begun[merger]), r + 1)
    cells = np.zeros(mean.shape, bool)
    for r in stretch:
        cells[r, merger - first[r] : merger - last[r] + 1] = weight[r] > 0
    return cells


@lru_cache(maxsize=4)
def _tracks(tiling: Tiling, window_s: int) -> tuple[_Tracks, ...]:
    return tuple(
        _plane_tracks(rows, durations, window_s)
        for rows, durations in zip(tiling.planes, _TRACKS, strict=False)
    )


def _plane_tracks(rows: tuple[Row, ...], durations: NDArray[np.int64], window_s: int) -> _Tracks:
    columns = mean_columns(rows[0].q, window_s)
    duration = window_s / columns
    frequency = np.array([row.frequency for row in rows])
    edges = np.concatenate(
        [frequency[:1], np.sqrt(frequency[1:] * frequency[:-1]), frequency[-1:]]
    )
    before = durations[:, None] * (edges / _REFERENCE_HZ) ** (-8 / 3)
    first, last = (np.rint(times).astype(np.int32) for times in (before[:, :-1], before[:, 1:]))
    along, area = cell_areas(rows, window_s)
    # ASSUME: equal masses, whose merger is at the last stable orbit.
    highest = _LAST_ORBIT_HZ * (durations * duration) ** 0.6
    inside = (edges[:-1] < highest[:, None]) & (first < columns)
    crossing = along * (before[:, :-1] - before[:, 1:]) + area
    return _Tracks(
        np.where(inside, first, 0),
        np.where(inside, last, 0),
        np.where(inside, crossing, 0).astype(np.float32),
        np.log(durations * duration).astype(np.float32),
        durations.astype(np.float64) * duration,
        duration,
    )


@compiled(fastmath=True)
def _best_tracks(means, first, last, weight, price, slope, offset, best, number):  # type: ignore[no-untyped-def]
    """Raise ``best`` [n] to the largest ratio, less its price, along any stretch of any track.

    ``number`` [n] becomes that of the track.
    """
    n, rows, columns = means.shape
    sums = np.zeros((rows, columns + 1), np.float32)
    reached = np.empty(columns, np.float32)
    zero = np.float32(0)
    for i in range(n):
        for r in range(rows):
            for c in range(columns):
                sums[r, c + 1] = sums[r, c] + means[i, r, c]
        for track in range(len(first)):
            reached[:] = 0
            top = zero
            for r in range(rows):
                if weight[track, r] == 0:
                    continue
                back, width = first[track, r], first[track, r] - last[track, r] + 1
                scale = weight[track, r] * slope / width
                loss = weight[track, r] * offset
                row = sums[r]
                for c in range(back):  # the row was crossed before the window began
                    reached[c] = zero
                for c in range(back, columns):
                    crossed = (row[c - back + width] - row[c - back]) * scale - loss
                    reached[c] = max(reached[c] + crossed, zero)
                    top = max(top, reached[c])
            if top - price[track] > best[i]:
                best[i] = top - price[track]
                number[i] = track
