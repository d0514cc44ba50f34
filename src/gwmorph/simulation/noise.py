"""Coloured noise that is a function of (seed, detector, GPS time) alone.

Gaussian noise is made in chunks on a global GPS grid, each from its own random stream, and
neighbours are joined with a power-complementary window, so that any span holds the same
samples whatever else was made. Lines are sums of carriers with slowly wandering amplitude and
phase; they and the slow breathing of the whole level are smooth functions of GPS time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import fft

from gwmorph.simulation.psd import Line, background_psd, spectral_lines
from gwmorph.simulation.streams import stream

HOP_S = 32
_CHUNK_S = 2 * HOP_S
_ENVELOPE_RATE = 4  # Hz; lines wander far more slowly
_WANDER_TERMS = 6
_WANDER_PERIODS_S = (180.0, 7200.0)
_LEVEL_RMS = 0.08  # ASSUME: the level breathes by 10-20 % over minutes to hours
_LINE_AMPLITUDE_RMS = 0.15
_LINE_PHASE_RMS_RAD = 0.5
_MAINS_DEVIATION_RMS_HZ = 0.01  # ASSUME: typical of a large power grid


@dataclass(frozen=True)
class _Wander:
    """Sum of a few slow sinusoids of unit total variance, smooth in GPS time."""

    periods: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "_Wander":
        low, high = np.log(_WANDER_PERIODS_S)
        return cls(
            np.exp(rng.uniform(low, high, _WANDER_TERMS)),
            rng.uniform(0, 2 * np.pi, _WANDER_TERMS),
        )

    def _angles(self, gps: np.ndarray) -> np.ndarray:
        return 2 * np.pi * (gps[:, None] / self.periods % 1.0) + self.phases

    def value(self, gps: np.ndarray) -> np.ndarray:
        return np.sqrt(2 / _WANDER_TERMS) * np.cos(self._angles(gps)).sum(axis=1)

    def integral(self, gps: np.ndarray) -> np.ndarray:
        """Antiderivative of :meth:`value` over time (s)."""
        waves = np.sin(self._angles(gps)) * self.periods / (2 * np.pi)
        return np.sqrt(2 / _WANDER_TERMS) * waves.sum(axis=1)


@dataclass(frozen=True)
class DetectorNoise:
    """Noise of one detector.

    Parameters
    ----------
    detector : prefix, as H1.
    sample_rate : Hz.
    seed : of the simulation.
    """

    detector: str
    sample_rate: int
    seed: int

    def strain(self, start: int, end: int) -> np.ndarray:
        """Return the noise in ``[start, end)`` (integer GPS seconds).

        Returns float64 ``[(end - start) * sample_rate]``, strain. The same second has the same
        samples in every span that holds it. One chunk of 64 s is held besides the output.
        """
        rate = self.sample_rate
        out = np.empty((end - start) * rate)
        first = start // HOP_S
        for hop, piece in enumerate(self._pieces(first, -(-end // HOP_S)), start=first):
            low = max(start, hop * HOP_S)
            high = min(end, (hop + 1) * HOP_S)
            inside = slice((low - hop * HOP_S) * rate, (high - hop * HOP_S) * rate)
            out[(low - start) * rate : (high - start) * rate] = piece[inside]
        return out

    def level(self, gps: np.ndarray) -> np.ndarray:
        """Return the slow factor on the noise's amplitude at GPS times ``gps`` (float64, s)."""
        return np.exp(_LEVEL_RMS * self._breathing.value(np.atleast_1d(gps)))

    def _pieces(self, first: int, last: int) -> Iterator[np.ndarray]:
        """Yield the hops ``first`` to ``last - 1``, each ``[HOP_S * rate]``."""
        half = HOP_S * self.sample_rate
        tail = self._chunk(first - 1)[half:]
        seconds = np.arange(HOP_S + 1)
        fine = np.arange(half) / self.sample_rate
        for hop in range(first, last):
            chunk = self._chunk(hop)
            level = np.interp(fine, seconds, self.level(seconds + float(hop * HOP_S)))
            yield (tail + chunk[:half]) * level
            tail = chunk[half:]

    def _chunk(self, index: int) -> np.ndarray:
        """Noise over ``[HOP_S * index, HOP_S * index + 2 HOP_S)``, faded in and out."""
        size = _CHUNK_S * self.sample_rate
        rng = stream(self.seed, "noise", self.detector, index)
        spectrum = rng.standard_normal(size + 2).view(complex)
        spectrum *= self._amplitude
        chunk = fft.irfft(spectrum, size, overwrite_x=True)
        chunk *= _power_window(size)
        chunk += self._line_chunk(index)
        return chunk

    @cached_property
    def _amplitude(self) -> np.ndarray:
        size = _CHUNK_S * self.sample_rate
        f = fft.rfftfreq(size, 1 / self.sample_rate)
        # E|X_k|^2 = S(f) * rate * size / 2 over real and imaginary part.
        amplitude = np.sqrt(
            background_psd(self.detector, f, self.sample_rate) * self.sample_rate * size / 4
        )
        amplitude[0] = 0
        return amplitude

    def _line_chunk(self, index: int) -> np.ndarray:
        """All lines over one chunk times a Hann window, by placing slow envelopes on carriers."""
        size = _CHUNK_S * self.sample_rate
        points = _CHUNK_S * _ENVELOPE_RATE
        gps = index * HOP_S + np.arange(points) / _ENVELOPE_RATE
        hann = np.sin(np.pi * np.arange(points) / points) ** 2
        spectrum = np.zeros(size // 2 + 1, dtype=complex)
        for line, wander in self._lines:
            # Carriers on multiples of 1/HOP_S have phase zero at the start of every chunk.
            carrier = round(line.frequency * HOP_S) * (_CHUNK_S // HOP_S)
            envelope = fft.fftshift(fft.fft(hann * wander.envelope(line, gps))) / points
            spectrum[carrier - points // 2 : carrier + points // 2] += envelope * (size / 2)
        return fft.irfft(spectrum, size, overwrite_x=True)

    @cached_property
    def _breathing(self) -> _Wander:
        return _Wander.draw(stream(self.seed, "level", self.detector))

    @cached_property
    def _lines(self) -> list[tuple[Line, "_LineWander"]]:
        mains = _Wander.draw(stream(self.seed, "mains", self.detector))
        return [
            (line, _LineWander.draw(stream(self.seed, "line", self.detector, number), mains))
            for number, line in enumerate(spectral_lines(self.detector, self.sample_rate))
        ]


@dataclass(frozen=True)
class _LineWander:
    amplitude: _Wander
    phase: _Wander
    offset: float
    mains: _Wander

    @classmethod
    def draw(cls, rng: np.random.Generator, mains: _Wander) -> "_LineWander":
        return cls(_Wander.draw(rng), _Wander.draw(rng), rng.uniform(0, 2 * np.pi), mains)

    def envelope(self, line: Line, gps: np.ndarray) -> np.ndarray:
        """Complex envelope of ``line`` on its carrier."""
        # The grid's frequency deviation is common to all harmonics of the mains.
        grid = 2 * np.pi * _MAINS_DEVIATION_RMS_HZ * line.harmonic * self.mains.integral(gps)
        phase = self.offset + _LINE_PHASE_RMS_RAD * self.phase.value(gps) + grid
        amplitude = line.amplitude * np.exp(_LINE_AMPLITUDE_RMS * self.amplitude.value(gps))
        return amplitude * np.exp(1j * phase)


@lru_cache(maxsize=4)
def _power_window(size: int) -> np.ndarray:
    """Window with w(t)^2 + w(t + half)^2 = 1 and smooth ends (Vorbis).

    Smooth ends keep the strong noise below 10 Hz from leaking into the band at chunk borders.
    """
    phase = np.pi * (np.arange(size) + 0.5) / size
    return np.sin(0.5 * np.pi * np.sin(phase) ** 2)
