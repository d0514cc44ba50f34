"""Windows of whitened strain for a search for chirps: binaries, noise, and both together.

A window is short, of one or several detectors, and whitened as a block is, by the filter of a
noise spectrum. A signal is whitened whole, then cut; its merger, as the first detector sees it,
lies in a given part of the window. Whitening is linear: a window with a signal is the whitened
noise plus the whitened signal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from gwmorph.arrays import read_arrays, require_arrays
from gwmorph.errors import TableError
from gwmorph.filters import convolve
from gwmorph.simulation.binaries import Binary, arrival_delay, project
from gwmorph.simulation.psd import background_psd
from gwmorph.simulation.streams import stream
from gwmorph.spectra.band import Band
from gwmorph.spectra.conditioning import REACH_S, whitening_filter
from gwmorph.storage import atomic_path

Spectra = Mapping[str, NDArray[np.float64]]
# Merger times are drawn from one sidereal day, so that the detectors point anywhere.
_FIRST_GPS, _DAY_S = 1_262_301_184, 86_164
_SPECTRUM_S = 4
_LARGEST_MASS_RATIO = 18.0  # IMRPhenomD was calibrated up to it (arXiv:1508.07253)


@dataclass(frozen=True)
class Look:
    """What a search looks at.

    Attributes
    ----------
    detectors
        In the order of a window's channels.
    sample_rate, samples
        Hz, and samples of a window.
    band
        Pass band of the whitening.
    earliest, latest
        The merger lies between these parts of the window.
    """

    detectors: tuple[str, ...]
    sample_rate: int
    samples: int
    band: Band
    earliest: float
    latest: float

    @classmethod
    def from_section(cls, section: Mapping[str, Any]) -> Self:
        """Return what the configuration's keys of these names say."""
        return cls(
            tuple(section["detectors"]),
            section["sample_rate"],
            section["window_s"] * section["sample_rate"],
            Band(section["low_hz"], section["high_hz"]),
            section["merger_earliest"],
            section["merger_latest"],
        )

    @property
    def window_s(self) -> float:
        """Length of a window, s."""
        return self.samples / self.sample_rate

    @property
    def merger(self) -> int:
        """Sample of a kept signal at which the pair merges in the first detector."""
        return int(np.ceil(self.latest * self.samples))

    @property
    def kept(self) -> int:
        """Samples that are kept of a signal: enough for every place of the merger."""
        return self.merger + self.samples - int(self.earliest * self.samples)


@dataclass(frozen=True)
class Masses:
    """The binaries that are searched for: detector-frame masses in solar masses, aligned spins.

    Both masses are drawn evenly between ``low`` and ``high``, spins between ``-spin`` and
    ``spin``; a pair is isotropic in the sky and in its orientation.
    """

    low: float
    high: float
    spin: float

    def draw(self, rng: np.random.Generator) -> Binary:
        """Draw one pair."""
        light, heavy = np.sort(rng.uniform(self.low, self.high, 2)).tolist()
        spins = rng.uniform(-self.spin, self.spin, 2).tolist()
        return Binary(
            mass_1=heavy,
            mass_2=max(light, heavy / _LARGEST_MASS_RATIO),
            spin_1=spins[0],
            spin_2=spins[1],
            right_ascension=float(rng.uniform(0, 2 * np.pi)),
            declination=float(np.arcsin(rng.uniform(-1, 1))),
            polarization=float(rng.uniform(0, np.pi)),
            inclination=float(np.arccos(rng.uniform(-1, 1))),
            phase=float(rng.uniform(0, 2 * np.pi)),
        )


def model_spectra(look: Look) -> Spectra:
    """Return the true spectrum of each detector's simulated noise, without lines (1/Hz)."""
    frequencies = rfftfreq(_SPECTRUM_S * look.sample_rate, 1 / look.sample_rate)
    return {
        detector: background_psd(detector, frequencies, look.sample_rate)
        for detector in look.detectors
    }


def whitening_taps(spectra: Spectra, look: Look) -> dict[str, NDArray[np.float64]]:
    """Return each detector's whitening filter.

    Raises
    ------
    StrainError
        As `gwmorph.spectra.conditioning.whitening_filter`.
    """
    return {
        detector: whitening_filter(spectra[detector], look.sample_rate, look.band)
        for detector in look.detectors
    }


@dataclass(frozen=True)
class Signals:
    """Whitened binaries at a common distance.

    Attributes
    ----------
    binaries
        The n pairs.
    white
        Float32 [n, detectors, look.kept]; the merger lies at sample ``look.merger`` of the first
        detector, and where light travels to in the others.
    """

    binaries: tuple[Binary, ...]
    white: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.binaries)


def draw_signals(
    masses: Masses, look: Look, spectra: Spectra, count: int, seed: int, role: str
) -> Signals:
    """Draw and whiten pairs: IMRPhenomD (arXiv:1508.07253), as each detector sees it.

    ``role`` names the use, whose pairs have nothing to do with those of another.
    """
    taps = whitening_taps(spectra, look)
    binaries = []
    white = np.empty((count, len(look.detectors), look.kept), np.float32)
    for number in range(count):
        rng = stream(seed, "chirp search", role, number)
        binary = masses.draw(rng)
        white[number] = _whitened(binary, _FIRST_GPS + rng.uniform(0, _DAY_S), taps, look)
        binaries.append(binary)
    # Signals of a common size keep single precision from going under.
    white /= np.sqrt(np.mean(np.sum(white.astype(np.float64) ** 2, axis=(1, 2))))
    return Signals(tuple(binaries), white)


def _whitened(
    binary: Binary, gps_time: float, taps: Mapping[str, NDArray[np.float64]], look: Look
) -> NDArray[np.float64]:
    rate = look.sample_rate
    out = np.zeros((len(look.detectors), look.kept))
    start = None
    for channel, detector in enumerate(look.detectors):
        first, strain = project(binary, detector, gps_time, rate)
        if start is None:
            merger_s = gps_time + arrival_delay(detector, binary, gps_time)
            start = round(merger_s * rate) - look.merger
        white = convolve(strain, taps[detector])
        shift = first - REACH_S * rate - start
        low, high = max(shift, 0), min(shift + len(white), look.kept)
        out[channel, low:high] = white[low - shift : high - shift]
    return out


def write_signals(path: Path | str, signals: Signals) -> None:
    """Write signals; `read_signals` reads them.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    about = np.array([astuple(binary) for binary in signals.binaries])
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, binaries=about, white=signals.white)


def read_signals(path: Path | str) -> Signals:
    """Return the signals that `write_signals` wrote.

    Raises
    ------
    TableError
        The file is damaged or holds something else.
    """
    held = read_arrays(path)
    require_arrays(path, held, {"binaries": ("f8", 2), "white": ("f4", 3)})
    about, white = held["binaries"], held["white"]
    names = [field.name for field in fields(Binary)]
    if about.shape != (len(white), len(names)):
        raise TableError(
            f"{path}: expected {len(names)} numbers of each of {len(white)} signals, got "
            f"{list(about.shape)}. Remove the file and run again."
        )
    binaries = (dict(zip(names, row, strict=True)) for row in about.tolist())
    return Signals(tuple(Binary(**binary) for binary in binaries), white)


def place(
    white: NDArray[np.float32],
    places: NDArray[np.floating],
    snrs: NDArray[np.floating],
    look: Look,
) -> NDArray[np.float32]:
    """Cut signals to windows and scale them.

    Parameters
    ----------
    white
        Of `Signals`, [n, detectors, look.kept].
    places
        Part of the window at which each pair merges in the first detector, [n].
    snrs
        Optimal network SNR of what lies inside the window, [n].

    Returns
    -------
    Float32 [n, detectors, samples].
    """
    first = look.merger - np.round(places * look.samples).astype(np.int64)
    inside = first[:, None] + np.arange(look.samples)
    cut = np.take_along_axis(white, inside[:, None, :], axis=2)
    norm = np.sqrt(np.einsum("ndt,ndt->n", cut, cut, dtype=np.float64))
    return cut * (snrs / norm)[:, None, None].astype(np.float32)


class Noise(Protocol):
    """Where windows of whitened noise come from."""

    def windows(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw windows of noise, float32 [count, detectors, samples]."""
        ...

    def streams(self, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw one stretch of noise of every detector, float32 [detectors, samples]."""
        ...


class GaussianNoise:
    """Stationary Gaussian noise with known spectra, as the whitening filter leaves it.

    That is white noise with the filter's response times the root of the spectrum, so it is drawn
    as such: strain need not be coloured only to be whitened again.
    """

    def __init__(self, spectra: Spectra, look: Look) -> None:
        self._look = look
        self._spectra = spectra
        self._taps = whitening_taps(spectra, look)
        self._gains: dict[int, NDArray[np.float32]] = {}

    def windows(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw windows of noise, float32 [count, detectors, samples]; none shares samples."""
        look = self._look
        # ASSUME: what the filter's response changes within 1/(2 windows) does not matter, so that
        # a stretch twice as long may be periodic.
        size = 2 * look.samples
        return self._shaped((count, len(look.detectors), size), rng)[..., : look.samples]

    def streams(self, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw one stretch of noise of every detector, float32 [detectors, samples]."""
        size = next_fast_len(samples + 2 * REACH_S * self._look.sample_rate, real=True)
        return self._shaped((len(self._look.detectors), size), rng)[..., :samples]

    def _shaped(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        spectrum = rfft(rng.standard_normal(shape, np.float32), overwrite_x=True)
        spectrum *= self._gain(shape[-1])
        return irfft(spectrum, shape[-1], overwrite_x=True)

    def _gain(self, size: int) -> NDArray[np.float32]:
        if size not in self._gains:
            self._gains[size] = np.stack([self._response(d, size) for d in self._look.detectors])
        return self._gains[size]

    def _response(self, detector: str, size: int) -> NDArray[np.float32]:
        """Return the amplitude of whitened noise at the frequencies of an FFT of that size."""
        rate, psd, taps = self._look.sample_rate, self._spectra[detector], self._taps[detector]
        fine = next_fast_len(max(len(taps), size), real=True)
        gain = np.abs(rfft(taps, fine))
        grid = rfftfreq(2 * (len(psd) - 1), 1 / rate)
        frequencies = rfftfreq(fine, 1 / rate)
        amplitude = np.sqrt(np.interp(frequencies, grid, psd) * rate / 2)
        return np.interp(rfftfreq(size, 1 / rate), frequencies, gain * amplitude).astype(
            np.float32
        )


@dataclass(frozen=True)
class RecordedNoise:
    """Stretches of whitened strain, of which windows are cut at random times.

    ``white`` holds for each detector, in the order of the look's, stretches float32 [n]. The
    detectors' times are drawn on their own: a window's strain was not measured at one moment, so
    that it holds no signal in both, and there are many more windows than there is time.
    """

    white: tuple[tuple[NDArray[np.float32], ...], ...]
    look: Look

    def windows(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw windows of noise, float32 [count, detectors, samples]."""
        size = self.look.samples
        out = np.empty((count, len(self.white), size), np.float32)
        for channel, stretches in enumerate(self.white):
            views = [np.lib.stride_tricks.sliding_window_view(held, size) for held in stretches]
            ends = np.cumsum([len(view) for view in views])
            drawn = rng.integers(ends[-1], size=count)
            which = np.searchsorted(ends, drawn, side="right")
            for row, (number, at) in enumerate(zip(which, drawn, strict=True)):
                out[row, channel] = views[number][at - ends[number]]
        return out

    def streams(self, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the longest stretch of every detector, as long as all have, at most ``samples``.

        They were not measured at the same time, which makes a slide of each.
        """
        longest = [max(stretches, key=len) for stretches in self.white]
        length = min(samples, *map(len, longest))
        return np.stack([held[:length] for held in longest])


def slid_windows(
    streams: NDArray[np.float32], look: Look, step: int, shift: int
) -> Iterator[NDArray[np.float32]]:
    """Yield windows of a ring of noise, all detectors but the first being slid past it.

    Parameters
    ----------
    streams
        Float32 [detectors, samples]; the end is joined to the beginning.
    step
        Samples from one window to the next.
    shift
        Samples that each further detector is slid by; 0 is the stretch as it was.

    Yields
    ------
    Float32 [n, detectors, look.samples], a few hundred windows at once.
    """
    length = streams.shape[1]
    joined = np.concatenate([streams, streams[:, : look.samples]], axis=1)
    views = np.lib.stride_tricks.sliding_window_view(joined, look.samples, axis=1)
    starts = np.arange(0, length, step)
    for part in np.array_split(starts, -(-len(starts) // 256)):
        moved = [(part + channel * shift) % length for channel in range(len(streams))]
        yield np.stack([views[channel, at] for channel, at in enumerate(moved)], axis=1)


def batches(total: int, largest: int) -> Sequence[int]:
    """Return the sizes of as few parts of at most ``largest`` as ``total`` needs."""
    return [min(largest, total - done) for done in range(0, total, largest)]
