"""The matched filter: a bank of templates, and the network SNR of windows of whitened strain.

Conventions are PyCBC's (Usman et al. 2016, arXiv:1508.02357): the SNR of a template is the
modulus of the complex filter output, so that it is maximised over the coalescence phase and has
mean square 2 in noise; the same template must match in all detectors, within the light's travel
time and 5 ms; the network SNR is the root of the sum of squares. There is no threshold on single
detectors and no signal-based veto, which Gaussian noise does not need. With three detectors each
one's time is compared with the first one's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.fft import fft, ifft, next_fast_len, rfft
from scipy.ndimage import maximum_filter1d

from gwmorph.evidence.chirp_windows import (
    Look,
    Masses,
    Signals,
    Spectra,
    place,
    whitening_taps,
)
from gwmorph.evidence.timing import light_travel_s
from gwmorph.filters import convolve
from gwmorph.simulation.binaries import Binary, overhead_chirp
from gwmorph.simulation.streams import stream
from gwmorph.spectra.conditioning import REACH_S
from gwmorph.tables.chirp_search import TEMPLATES

# Added to the light's travel time between detectors: errors of the arrival times.
TIMING_S = 0.005
_FACE_ON = dict.fromkeys(
    ("right_ascension", "declination", "polarization", "inclination", "phase"), 0.0
)
# Windows and templates that are filtered at once.
_WINDOWS, _TEMPLATES = 32, 16


@dataclass(frozen=True)
class Bank:
    """Templates, each whitened by one detector's spectrum.

    Attributes
    ----------
    binaries
        The m pairs that the templates are of.
    waves
        For each detector the analytic signal of each template, complex64 [m, detectors, length]:
        its real part is the template, its imaginary part the template a quarter of a wave later.
        The merger lies at sample ``look.merger``. Norm 1 for each part.
    """

    binaries: tuple[Binary, ...]
    waves: NDArray[np.complex64]
    look: Look

    def __len__(self) -> int:
        """Return the number of templates."""
        return len(self.binaries)


def place_bank(
    masses: Masses, look: Look, spectra: Spectra, minimal_match: float, patience: int, seed: int
) -> Bank:
    """Place templates at random until nearly every pair of the masses matches one.

    A pair that is drawn becomes a template if it matches none so far by ``minimal_match``
    (stochastic placement, Harry et al. 2009, arXiv:0908.2090). The match is that of the whitened
    part that fits into a window, maximised over time and phase. It ends after ``patience`` pairs
    in a row that are matched already; `match_of` says what was achieved.
    """
    drawn = _drawn(masses, look, spectra, seed, "bank")
    binary, wave = next(drawn)
    binaries, waves = [binary], wave[None]
    in_row = 0
    while in_row < patience:
        binary, wave = next(drawn)
        if best_match(wave[None], waves, look)[0] < minimal_match:
            binaries.append(binary)
            waves = np.concatenate([waves, wave[None]])
            in_row = 0
        else:
            in_row += 1
    return Bank(tuple(binaries), waves, look)


def bank_of(binaries: Iterable[Binary], look: Look, spectra: Spectra) -> Bank:
    """Return the bank of these pairs."""
    held, taps = tuple(binaries), whitening_taps(spectra, look)
    return Bank(held, np.stack([template(binary, look, taps) for binary in held]), look)


def bank_table(bank: Bank) -> pa.Table:
    """Return the bank's pairs as rows of ``TEMPLATES``."""
    names = TEMPLATES.names
    return pa.table(
        {name: [getattr(binary, name) for binary in bank.binaries] for name in names},
        schema=TEMPLATES,
    )


def binaries_of(templates: pa.Table) -> list[Binary]:
    """Return the pairs of rows of ``TEMPLATES``, face-on."""
    return [Binary(**row, **_FACE_ON) for row in templates.to_pylist()]


def match_of(bank: Bank, signals: Signals) -> NDArray[np.float64]:
    """Return the share of each signal's SNR that the bank recovers, float64 [n].

    The signals are seen without noise, in the middle of where mergers lie; 1 is all of it. This
    is what a placement promises and more: the sampling of the output counts, too, and that one
    template must serve all detectors.
    """
    look = bank.look
    count = len(signals)
    places = np.full(count, (look.earliest + look.latest) / 2)
    return MatchedFilter(bank)(place(signals.white, places, np.ones(count), look))


def _drawn(
    masses: Masses, look: Look, spectra: Spectra, seed: int, role: str
) -> Iterator[tuple[Binary, NDArray[np.complex64]]]:
    rng = stream(seed, "chirp search", role)
    taps = whitening_taps(spectra, look)
    while True:
        binary = replace(masses.draw(rng), **_FACE_ON)
        yield binary, template(binary, look, taps)


def template(
    binary: Binary, look: Look, taps: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.complex64]:
    """Return a template as `Bank.waves` holds it, complex64 [detectors, length]."""
    rate = look.sample_rate
    merger, strain = overhead_chirp(binary, rate)
    out = np.zeros((len(look.detectors), look.kept), np.complex64)
    for channel, detector in enumerate(look.detectors):
        white = convolve(strain, taps[detector])
        low = merger + REACH_S * rate - look.merger
        cut = white[max(low, 0) : low + look.kept]
        padded = np.zeros(look.kept)
        padded[max(-low, 0) : max(-low, 0) + len(cut)] = cut
        analytic = _analytic(padded)
        out[channel] = analytic * np.sqrt(2 / np.sum(np.abs(analytic) ** 2))
    return out


def _analytic(real: NDArray[np.float64]) -> NDArray[np.complex128]:
    size = next_fast_len(2 * len(real))
    spectrum = fft(real, size)
    spectrum[1 : (size + 1) // 2] *= 2
    spectrum[size // 2 + 1 :] = 0
    return ifft(spectrum)[: len(real)]


def best_match(
    waves: NDArray[np.complex64], others: NDArray[np.complex64], look: Look
) -> NDArray[np.float64]:
    """Return how well each of n templates is matched by the best of m others, float64 [n].

    In the first detector, maximised over time and phase: 1 where they are the same.
    """
    reach = round(0.02 * look.sample_rate)
    size = next_fast_len(look.kept + reach)
    spectra = fft(others[:, 0], size).conj()
    best = np.empty(len(waves))
    for number, wave in enumerate(waves):
        overlap = np.abs(ifft(fft(wave[0], size) * spectra)) / 2
        near = np.concatenate([overlap[:, : reach + 1], overlap[:, -reach:]], axis=1)
        best[number] = near.max()
    return best


class MatchedFilter:
    """The network SNR of windows, maximised over templates and over where the merger may lie."""

    def __init__(self, bank: Bank) -> None:
        look = bank.look
        self._samples = look.samples
        # Only positive frequencies are used: every second sample in time holds all of the output.
        slack = [_slack(look.detectors[0], other, look) for other in look.detectors]
        widest = max(slack)
        first = int(look.earliest * look.samples) // 2 - widest
        last = -(-look.merger // 2) + widest
        # Windows are padded with zeros as far as templates reach out of them.
        self._size = next_fast_len(2 * last + look.kept - look.merger + 2 * widest, real=True)
        self._size += self._size % 2
        self._lags = slice(first, last + 1)
        self._slack, self._widest = slack, widest
        self._filters = _filters(bank, self._size)
        self._gains = 1 / _norms(bank, 2 * np.arange(first, last + 1)) ** 2

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the network SNR of windows float32 [n, detectors, samples]: float64 [n]."""
        found = np.zeros(len(windows))
        half = self._size // 2
        for first in range(0, len(windows), _WINDOWS):
            part = slice(first, first + _WINDOWS)
            spectra = rfft(windows[part], self._size)[..., :half].astype(np.complex64)
            for low in range(0, len(self._filters), _TEMPLATES):
                best = self._power(spectra, slice(low, low + _TEMPLATES))
                found[part] = np.maximum(found[part], best)
        return np.sqrt(found)

    def _power(self, spectra: NDArray[np.complex64], templates: slice) -> NDArray[np.float32]:
        """Return the largest squared network SNR of any of some templates, [windows]."""
        total = 0.0
        for channel, slack in enumerate(self._slack):
            product = spectra[:, None, channel] * self._filters[None, templates, channel]
            output = ifft(product, overwrite_x=True)[..., self._lags]
            power = (output.real**2 + output.imag**2) * self._gains[None, templates, channel]
            if slack:
                power = maximum_filter1d(power, 2 * slack + 1, axis=-1, mode="constant")
            total = total + power[..., self._widest : power.shape[-1] - self._widest]
        return np.asarray(total).max(axis=(1, 2))


def _slack(first: str, other: str, look: Look) -> int:
    """Return by how many steps of the output two detectors' times may differ."""
    if first == other:
        return 0
    differ_s = light_travel_s(first, other) + TIMING_S
    return int(np.ceil(differ_s * look.sample_rate / 2))


def _filters(bank: Bank, size: int) -> NDArray[np.complex64]:
    """Return the spectra that windows are multiplied with, complex64 [m, detectors, size // 2].

    Output k is that of a merger at sample 2·k.
    """
    padded = np.zeros((*bank.waves.shape[:2], size), np.complex64)
    padded[..., : bank.look.kept] = bank.waves
    spectra = fft(np.roll(padded, -bank.look.merger, axis=-1), overwrite_x=True)
    # Half as many terms in a sum that is divided by half as many.
    return np.ascontiguousarray(spectra[..., : size // 2].conj() / 2)


def _norms(bank: Bank, lags: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the norm of what lies inside a window of a template whose merger is at each lag.

    Float32 [m, detectors, lags].
    """
    look = bank.look
    energy = np.abs(bank.waves.astype(np.complex128)) ** 2 / 2
    below = np.concatenate([np.zeros((*energy.shape[:2], 1)), np.cumsum(energy, axis=-1)], axis=-1)
    low = np.clip(look.merger - lags, 0, look.kept)
    high = np.clip(look.merger - lags + look.samples, 0, look.kept)
    return np.sqrt(below[..., high] - below[..., low]).astype(np.float32)
