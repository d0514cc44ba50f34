"""Spectral lines: whether what was found is only the shoulder of a line.

Whitening takes away what is steady of a line. What its amplitude and phase do in between stays,
and boxes and paths add it up. It is told from a signal by where its energy lies when seen with
the highest Q: in the few rows whose bands hold a line.
"""

from math import floor

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from gwmorph.spectra.qtransform import GUARD_S, QBatch
from gwmorph.spectra.tiling import Row
from gwmorph.spectra.triggers import Trigger, tile_bandwidth

# ASSUME: what has at least this share of its energy in rows with a line is a line's shoulder.
LINE_SHARE = 0.5
# ASSUME: a line stands this far above the median of the spectrum around it.
_ABOVE = 5.0
_AROUND_HZ = 16
_LN2 = np.log(2)


def line_rows(
    psd: NDArray[np.float64], segment_s: int, rows: tuple[Row, ...]
) -> NDArray[np.bool_]:
    """Return which rows of a plane hold a line of a noise spectrum in their band: bool [rows].

    ``psd`` is one-sided in steps of ``1/segment_s`` hertz.
    """
    line = psd > _ABOVE * median_filter(psd, size=_AROUND_HZ * segment_s + 1)
    count = np.concatenate([[0], np.cumsum(line)])
    frequency = np.array([row.frequency for row in rows])
    half = tile_bandwidth(frequency, rows[0].q) / 2
    low, high = (
        np.clip(np.ceil(edge * segment_s).astype(int), 0, len(psd))
        for edge in (frequency - half, frequency + half)
    )
    return count[high] > count[low]


def line_share(batch: QBatch, window: int, found: Trigger, lines: NDArray[np.bool_]) -> float:
    """Return the share of a trigger's energy that lies in rows with a line, from 0 to 1.

    Counted is what rows of the highest Q have above their noise, one sum each, in the trigger's
    band and time. ``lines`` is what `line_rows` says of that plane.
    """
    rows, energies = batch.tiling.planes[-1], batch.energies[-1]
    excess = np.zeros(len(rows))
    frequency = np.array([row.frequency for row in rows])
    spacing = np.gradient(frequency) if len(rows) > 1 else frequency
    for r, (row, energy) in enumerate(zip(rows, energies, strict=True)):
        if not found.fstart <= row.frequency <= found.fend:
            continue
        low = max(floor((GUARD_S + found.tstart) / row.step), 0)
        high = floor((GUARD_S + found.tend) / row.step) + 1
        above = energy[window, low:high].astype(np.float64).sum() * _LN2 - len(
            energy[window, low:high]
        )
        excess[r] = max(above, 0) * row.step * spacing[r]
    return float(excess[lines].sum() / excess.sum()) if excess.any() else 0.0
