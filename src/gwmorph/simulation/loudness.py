"""How loud a waveform is in known noise, and where its power lies."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

BAND_LOW_HZ = 20.0


@dataclass(frozen=True)
class Loudness:
    """Optimal ``snr``; median ``frequency`` (Hz), 90 % ``duration`` (s) and ``peak`` (s from the
    first sample) of the whitened power.
    """

    snr: float
    frequency: float
    duration: float
    peak: float


def optimal_snr(strain: np.ndarray, psd: np.ndarray, sample_rate: float) -> float:
    """Return the optimal matched-filter SNR, sqrt(4 ∫ |h(f)|² / S(f) df), from 20 Hz to Nyquist.

    Parameters
    ----------
    strain : float ``[n]``, the waveform; zero or nearly so at both ends.
    psd : float ``[n // 2 + 1]``, one-sided, 1/Hz, at ``rfftfreq(n, 1 / sample_rate)``.
    sample_rate : Hz.

    Source: Finn & Chernoff 1993, Phys. Rev. D 47, 2198 (arXiv:gr-qc/9301003).
    """
    power = _whitened_power(strain, psd, sample_rate)
    return float(np.sqrt(4 * power.sum() / (len(strain) * sample_rate)))


def measure(strain: np.ndarray, psd: np.ndarray, sample_rate: float) -> Loudness:
    """Return SNR, frequency, duration and peak of ``strain``; arguments as :func:`optimal_snr`."""
    from scipy.signal import hilbert  # most jobs find their strain in the cache

    size = len(strain)
    power = _whitened_power(strain, psd, sample_rate)
    frequencies = fft.rfftfreq(size, 1 / sample_rate)
    spectrum = fft.rfft(strain) / np.sqrt(psd)
    spectrum[frequencies < BAND_LOW_HZ] = 0
    envelope = np.abs(hilbert(fft.irfft(spectrum, size))) ** 2
    early, late = np.searchsorted(_cumulative(envelope), [0.05, 0.95])
    return Loudness(
        snr=float(np.sqrt(4 * power.sum() / (size * sample_rate))),
        frequency=float(frequencies[np.searchsorted(_cumulative(power), 0.5)]),
        duration=float((late - early + 1) / sample_rate),
        peak=float(np.argmax(envelope) / sample_rate),
    )


def _whitened_power(strain: np.ndarray, psd: np.ndarray, sample_rate: float) -> np.ndarray:
    power = np.abs(fft.rfft(strain)) ** 2 / psd
    power[: int(np.ceil(BAND_LOW_HZ * len(strain) / sample_rate))] = 0
    return power


def _cumulative(power: np.ndarray) -> np.ndarray:
    total = np.cumsum(power)
    return total / total[-1]
