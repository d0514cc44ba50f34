"""The few filter functions of `scipy.signal` that every block's job needs.

They give the same numbers, bit for bit; importing `scipy.signal` takes longer than a tenth of the
job, because it imports most of scipy.
"""

from math import ceil, pi

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import i0


def hann(size: int) -> NDArray[np.float64]:
    """Return the symmetric Hann window, zero at both ends: float64 [size]."""
    return 0.5 + 0.5 * np.cos(np.linspace(-pi, pi, size))


def kaiser_beta(stop_band_db: float) -> float:
    """Return the shape of the Kaiser window of a filter that is down by more than 50 dB.

    Oppenheim & Schafer, Discrete-Time Signal Processing, 7.6, as `kaiser_size`.
    """
    return 0.1102 * (stop_band_db - 8.7)


def kaiser_size(stop_band_db: float, transition: float) -> int:
    """Return the taps that it needs for a transition band, over the Nyquist frequency."""
    return ceil((stop_band_db - 7.95) / 2.285 / (pi * transition) + 1)


def kaiser_lowpass(size: int, cutoff: float, beta: float) -> NDArray[np.float64]:
    """Return the taps of a linear-phase low-pass of unit gain at 0 Hz: float64 [size].

    ``cutoff`` is where its response is a half, over the Nyquist frequency.
    """
    taps = _ideal(size, 0.0, cutoff) * _kaiser(size, beta)
    return taps / np.sum(taps)


def kaiser_highpass(size: int, cutoff: float, beta: float) -> NDArray[np.float64]:
    """Return the taps of a linear-phase high-pass of unit gain at the Nyquist frequency.

    Float64 [size], an odd number; ``cutoff`` as in `kaiser_lowpass`.
    """
    taps = _ideal(size, cutoff, 1.0) * _kaiser(size, beta)
    return taps / np.sum(taps * np.cos(pi * _places(size)))


def _ideal(size: int, low: float, high: float) -> NDArray[np.float64]:
    m = _places(size)
    return high * np.sinc(high * m) - low * np.sinc(low * m)


def _places(size: int) -> NDArray[np.float64]:
    return np.arange(size, dtype=np.float64) - 0.5 * (size - 1)


def _kaiser(size: int, beta: float) -> NDArray[np.float64]:
    alpha = (size - 1) / 2.0
    place = (np.arange(size, dtype=np.float64) - alpha) / alpha
    return i0(beta * np.sqrt(1 - place**2.0)) / i0(beta)


def convolve(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the whole convolution of two signals, by FFT: [len(a) + len(b) - 1]."""
    size = len(a) + len(b) - 1
    fast = next_fast_len(size, real=True)
    return irfft(rfft(a, fast) * rfft(b, fast), fast)[:size]


def hann_periodograms(segments: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the one-sided power spectra in 1/Hz of segments without their means.

    Float64 [n, size//2 + 1] of float64 [n, size], an even size, with the periodic Hann window.
    """
    size = segments.shape[-1]
    window = hann(size + 1)[:-1]
    # Summed one by one, as scipy does: rounding is part of a picture's bytes.
    window = window * (1 / np.sqrt(np.cumsum(window**2)[-1] / (1 / sample_rate)))
    spectra = rfft((segments - segments.mean(axis=-1, keepdims=True)) * window, axis=-1)
    power = spectra.real**2 + spectra.imag**2
    power[:, 1:-1] *= 2
    return power
