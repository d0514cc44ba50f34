"""Conditioning: the noise spectrum, one whitening filter, and its application.

The filter is a zero-delay FIR filter that reaches ``REACH_S`` seconds to either side. A sample
of whitened strain therefore depends on the noise spectrum and on ``2·REACH_S`` seconds of strain
alone: with ``REACH_S`` more seconds beyond the Q-transform's guard a window's pixels do not
change, however much more context is read.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from gwmorph.errors import StrainError
from gwmorph.filters import (
    convolve,
    hann,
    hann_periodograms,
    kaiser_beta,
    kaiser_highpass,
    kaiser_size,
)
from gwmorph.spectra.band import Band

REACH_S = 2
# Seconds of output of one FFT of the overlap-save convolution.
_HOP_S = 32
# Median spectra of more segments than this differ by less than the noise itself varies.
_PSD_SEGMENTS = 256
_PSD_BATCH = 64
_STOPBAND_DB = 100.0
# Error of a convolution by FFT over the precision of its numbers and the rms of what goes in:
# 1.8 to 2.2, measured in double precision beside glitches of 10¹⁶ to 10¹⁸ times the noise.
FFT_ROUNDING = 2.2
# Rounding of less than this, as a share of the noise's standard deviation, moves no energy by
# more than the 0.5 % that its median is uncertain by.
LARGEST_ROUNDING = 0.05


def median_psd(
    strain: NDArray[np.float64], sample_rate: int, segment_s: int
) -> NDArray[np.float64]:
    """Return the median-Welch one-sided PSD in 1/Hz: float64 [segment_s·sample_rate//2 + 1].

    Hann-windowed spectra of ``segment_s`` seconds, half overlapping and at most 256 of them,
    evenly spaced. Their median over time is divided by the median's bias (Allen et al. 2012,
    arXiv:gr-qc/0509116, appendix B). Unlike the mean it does not see glitches.

    Raises
    ------
    ValueError
        There is less strain than one segment.
    """
    size = segment_s * sample_rate
    if len(strain) < size:
        raise ValueError(f"{len(strain)} samples are fewer than one segment of {size}")
    available = (len(strain) - size) // (size // 2) + 1
    chosen = np.unique(np.linspace(0, available - 1, min(available, _PSD_SEGMENTS)).astype(int))
    segments = np.lib.stride_tricks.sliding_window_view(strain, size)[:: size // 2]
    power = np.concatenate(
        [
            hann_periodograms(segments[chosen[i : i + _PSD_BATCH]], sample_rate)
            for i in range(0, len(chosen), _PSD_BATCH)
        ]
    )
    return np.median(power, axis=0) / _median_bias(len(chosen))


def _median_bias(count: int) -> float:
    """Expected median over mean of ``count`` exponentially distributed powers."""
    terms = np.arange(1, (count - 1) // 2 + 1)
    return 1 + np.sum(1 / (2 * terms + 1) - 1 / (2 * terms))


def whitening_filter(
    psd: NDArray[np.float64], sample_rate: int, band: Band
) -> NDArray[np.float64]:
    """Return the taps, float64 [2·REACH_S·sample_rate + 1], of the whitening band-pass filter.

    White noise with this one-sided PSD (``median_psd``'s grid) comes out with unit variance per
    full band. The inverse amplitude spectrum is truncated in time by a Hann window, and a
    high-pass of its own keeps what that truncation would leak from the seismic wall.

    Raises
    ------
    StrainError
        The PSD is zero or not finite inside the band: the strain is constant or damaged.
    """
    frequency = rfftfreq(2 * (len(psd) - 1), 1 / sample_rate)
    inside = _pass(frequency, band, sample_rate)
    if not (np.isfinite(psd).all() and (psd[inside > 0] > 0).all()):
        raise StrainError(
            f"the noise spectrum is zero or not finite between {band.low_hz} and "
            f"{band.upper(sample_rate):.0f} Hz: the strain is constant or damaged there."
        )
    response = np.zeros_like(psd)
    np.divide(inside * np.sqrt(2 / sample_rate), np.sqrt(psd), out=response, where=inside > 0)
    highpass = _highpass(band.low_hz, sample_rate)
    reach = REACH_S * sample_rate
    # An impulse of 2·(len(psd) - 1) samples has one fewer on its later side.
    half = min(reach - len(highpass) // 2, len(psd) - 2)
    impulse = np.roll(irfft(response), half)[: 2 * half + 1] * hann(2 * half + 1)
    taps = convolve(impulse, highpass)
    return np.pad(taps, (2 * reach + 1 - len(taps)) // 2)


def _pass(frequency: NDArray[np.float64], band: Band, sample_rate: int) -> NDArray[np.float64]:
    """Response between 0.6·low and 1.08·high, with a cosine roll-off above."""
    upper = band.upper(sample_rate)
    above = np.clip((frequency - upper) / (0.08 * upper), 0, 1)
    response = (1 + np.cos(np.pi * above)) / 2
    response[frequency < 0.6 * band.low_hz] = 0
    return response


def _highpass(low_hz: float, sample_rate: int) -> NDArray[np.float64]:
    """Linear-phase FIR high-pass, odd length, from 0.6·low (stop) to low (pass)."""
    nyquist = sample_rate / 2
    size = kaiser_size(_STOPBAND_DB, 0.4 * low_hz / nyquist) | 1
    return kaiser_highpass(size, 0.8 * low_hz / nyquist, kaiser_beta(_STOPBAND_DB))


def whiten(
    strain: NDArray[np.float64], taps: NDArray[np.float64], sample_rate: int, gps_start: int
) -> NDArray[np.float32]:
    """Apply ``taps`` with zero delay: float32 of the strain's length.

    Strain beyond the ends counts as zero, so the first and last ``REACH_S`` seconds are not to
    be used. The convolution's blocks lie on the GPS grid: the same samples give the same result
    wherever the stretch starts.
    """
    reach, hop = REACH_S * sample_rate, _HOP_S * sample_rate
    size = _fft_size(sample_rate)
    spectrum = rfft(taps, size)
    white = np.empty(len(strain), np.float32)
    for start, first, last in _hops(len(strain), sample_rate, gps_start):
        piece = _zero_padded(strain, start - reach, size)
        output = irfft(rfft(piece) * spectrum, size)[2 * reach : 2 * reach + hop]
        white[first:last] = output[first - start : last - start]
    return white


def rounding(
    strain: NDArray[np.float64], taps: NDArray[np.float64], sample_rate: int, gps_start: int
) -> NDArray[np.float64]:
    """Return the noise that rounding adds to each second of `whiten`'s result: float64 [seconds].

    As a standard deviation, of which whitened noise has about one. An FFT rounds every sample
    by a share of its whole input's rms: a glitch that is 10¹⁶ times as large as the noise drowns
    whatever lies in the same block of the convolution, however far away.
    """
    size = _fft_size(sample_rate)
    gain = FFT_ROUNDING * np.finfo(np.float64).eps * np.sqrt(np.sum(taps**2) / size)
    lost = np.empty(len(strain) // sample_rate)
    for start, first, last in _hops(len(strain), sample_rate, gps_start):
        piece = _zero_padded(strain, start - REACH_S * sample_rate, size)
        lost[first // sample_rate : last // sample_rate] = gain * np.linalg.norm(piece)
    return lost


def span_rounding(lost: NDArray[np.float64], white: NDArray[np.float32]) -> float:
    """Return the largest noise that rounding adds to a span that the Q-transform reads.

    ``lost`` is `rounding` of the span's seconds; the Q-transform rounds ``white``, the span's
    samples, to single precision as the filter rounds its blocks to double.
    """
    rms = np.sqrt(np.mean(white.astype(np.float64) ** 2))
    return float(max(lost.max(), FFT_ROUNDING * np.finfo(np.float32).eps * rms))


def _fft_size(sample_rate: int) -> int:
    return next_fast_len((_HOP_S + 2 * REACH_S) * sample_rate, real=True)


def _hops(samples: int, sample_rate: int, gps_start: int) -> Iterator[tuple[int, int, int]]:
    """Yield where each block of the convolution starts, and its first and last sample in a strain.

    Blocks lie on the GPS grid, so the first may start before the strain.
    """
    hop = _HOP_S * sample_rate
    for start in range(-(gps_start % _HOP_S) * sample_rate, samples, hop):
        yield start, max(start, 0), min(start + hop, samples)


def _zero_padded(strain: NDArray[np.float64], start: int, size: int) -> NDArray[np.float64]:
    """Return samples ``start … start + size - 1``, zero where the strain has none."""
    piece = np.zeros(size)
    first, last = max(start, 0), min(start + size, len(strain))
    piece[first - start : last - start] = strain[first:last]
    return piece
