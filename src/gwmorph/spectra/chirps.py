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
from math import log, log1p

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gwmorph.spectra.extended import cell_areas
from gwmorph.spectra.qtransform import GUARD_S, QBatch, mean_columns
from gwmorph.spectra.tiling import Row, Tiling

_REFERENCE_HZ = 25.0
# τ at 25 Hz in columns of the plane's cells: those of the lowest Q, then those of the next.
_TRACKS = (np.arange(3, 26), np.arange(13, 144, 2))
# Density of signal energy per degree of freedom of noise that a chirp is taken to have.
_DENSITY = 1.0
# Where τ is 1 s at 25 Hz: equal masses of 20.5 solar masses each have a last stable orbit at
# 4400 Hz over 41, and that frequency rises with τ to the power of 3/5.
_LAST_ORBIT_HZ = 107.0


@dataclass(frozen=True)
class _Tracks:
    """Where each of m tracks crosses each row of a plane, columns counted back from the merger.

    ``first`` and ``last`` (int32 [m, rows]) include each other; ``weight`` (float32 [m, rows]) is
    the crossing's degrees of freedom, 0 where the track does not go; ``price`` float32 [m].
    """

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    weight: NDArray[np.float32]
    price: NDArray[np.float32]


def chirp_ratio(batch: QBatch) -> NDArray[np.float64]:
    """Return the log-likelihood ratio, in nats, of each window's best chirp: float64 [n].

    A chirp may be seen along any stretch of its track. The longer a track, the more of its kind
    there are; the logarithm of τ is its price, so that noise draws tracks of all lengths alike.
    """
    window_s = int(batch.tiling.duration) - 2 * GUARD_S
    best = np.zeros(len(batch.means[0]), np.float32)
    slope = np.float32(log(2) * _DENSITY / (1 + _DENSITY))
    offset = np.float32(log1p(_DENSITY))
    for means, tracks in zip(batch.means, _tracks(batch.tiling, window_s), strict=False):
        _best_tracks(
            means, tracks.first, tracks.last, tracks.weight, tracks.price, slope, offset, best
        )
    return best.astype(np.float64)


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
    )


@njit(cache=True, fastmath=True)
def _best_tracks(means, first, last, weight, price, slope, offset, best):  # type: ignore[no-untyped-def]
    """Raise ``best`` [n] to the largest ratio, less its price, along any stretch of any track."""
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
            best[i] = max(best[i], top - price[track])
