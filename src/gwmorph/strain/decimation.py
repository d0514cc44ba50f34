"""Decimation with a linear-phase anti-alias filter, applied without delay."""

from functools import lru_cache
from itertools import pairwise

import numpy as np

# The pass band ends where GWOSC's own 4 kHz files stop being trustworthy (0.85 x 2048 Hz =
# 1741 Hz); the stop band begins at the new Nyquist frequency, so that nothing folds back.
PASS_BAND = 0.85
STOP_BAND_DB = 100.0


@lru_cache
def anti_alias_filter(factor: int) -> np.ndarray:
    """Return the FIR filter for decimation by ``factor``: float64, odd length, unit gain at 0 Hz.

    Kaiser window design (Oppenheim & Schafer, Discrete-Time Signal Processing, 7.6): pass band
    up to ``PASS_BAND`` of the new Nyquist frequency, ``STOP_BAND_DB`` down from that on. Half its
    length is a multiple of ``factor``.
    """
    # Imported here, since who looks at files and decimates none waits for half as long.
    from gwmorph.filters import kaiser_beta, kaiser_lowpass

    transition = (1 - PASS_BAND) / factor  # of the old Nyquist frequency
    taps = (STOP_BAND_DB - 7.95) / (2.285 * np.pi * transition) + 1
    half = factor * int(np.ceil(taps / (2 * factor)))
    cutoff = (1 + PASS_BAND) / (2 * factor)
    return kaiser_lowpass(2 * half + 1, cutoff, kaiser_beta(STOP_BAND_DB))


def decimate(samples: np.ndarray, factor: int) -> np.ndarray:
    """Filter ``samples`` (float64 [n * factor]) and keep every ``factor``-th: float64 [n].

    Sample ``i`` of the result is at the time of sample ``i * factor`` of the input, and is NaN
    where any of the ``factor`` samples from there on is NaN. Each stretch without NaN is filtered
    by itself, continued beyond its ends by its point reflection there: a gap neither grows nor
    rings.
    """
    missing = np.isnan(samples).reshape(-1, factor).any(axis=1)
    result = np.full(len(missing), np.nan)
    borders = [0, *(np.flatnonzero(np.diff(missing)) + 1), len(missing)]
    for first, last in pairwise(borders):
        if not missing[first]:
            result[first:last] = _decimate_whole(samples[first * factor : last * factor], factor)
    return result


def _decimate_whole(samples: np.ndarray, factor: int) -> np.ndarray:
    from scipy.signal import upfirdn  # most strain is not decimated, and importing it takes 1 s

    taps = anti_alias_filter(factor)
    half = len(taps) // 2
    reach = np.minimum(np.arange(1, half + 1), len(samples) - 1)
    before = 2 * samples[0] - samples[reach[::-1]]
    after = 2 * samples[-1] - samples[len(samples) - 1 - reach]
    filtered = upfirdn(taps, np.concatenate([before, samples, after]), down=factor)
    first = 2 * half // factor  # half from the reflection before, half from the filter's delay
    return filtered[first : first + len(samples) // factor]
