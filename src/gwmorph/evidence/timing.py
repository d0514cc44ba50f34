"""How well a trigger's peak time is that of its signal, and how far apart detectors are.

A tile of the Q-transform is long: 0.2 s at 30 Hz and Q 45. Where noise puts the loudest tile
beside the signal's peak, and where two detectors see the peak of one signal in other tiles, the
two times differ by more than light takes. By how much is measured: signals are injected into the
noise of two detectors (`gwmorph.evidence.arrivals`) and their peak times compared.
"""

from typing import Any

import lal
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gwmorph.evidence.arrivals import SeenTwice
from gwmorph.spectra.triggers import tile_bandwidth

# σ = tile length · √((NOISE/ρ²)² + FLOOR²), fitted by `make bench BENCH=timing_noise` and
# `timing_floor`, which print them again. Three σ hold 95 % of what they are fitted to.
NOISE = 45.0
FLOOR = 0.035
SIGMAS = 3.0
_FITTED_SHARE = 0.95
# Signals that are loudest at one moment. Others (repeated pulses, arches, whistles) may have the
# loudest tile of one detector seconds from the other's: no window is meant for them.
ONE_MOMENT = (
    "air_compressor",
    "blip",
    "chirp",
    "chirp_10_10",
    "chirp_30_30",
    "koi_fish",
    "low_frequency_blip",
    "low_frequency_burst",
    "noise_burst",
    "power_line",
    "ring_up",
    "sine_gaussian_q32",
    "sine_gaussian_q4",
    "sine_gaussian_q8",
    "tomte",
    "violin_mode_ring",
)
_SITES = {
    "H1": lal.LHO_4K_DETECTOR,
    "L1": lal.LLO_4K_DETECTOR,
    "V1": lal.VIRGO_DETECTOR,
    "K1": lal.KAGRA_DETECTOR,
    "G1": lal.GEO_600_DETECTOR,
}


def light_travel_s(one: str, other: str) -> float:
    """Return how long light takes from one detector to the other, s: 10.0 ms from H1 to L1."""
    first, second = (lal.CachedDetectors[_SITES[name]] for name in (one, other))
    return 1e-9 * lal.LightTravelTime(first, second)


def peak_time_error(
    frequency: Any, q: Any, snr: Any, noise: float = NOISE, floor: float = FLOOR
) -> NDArray[np.float64]:
    """Return one standard deviation of triggers' peak times, s, as arrays or numbers come.

    σ = Q/(2√π f) · √((noise/ρ²)² + floor²): in units of the tile's length it falls as the square
    of the SNR, from seven tenths at 8, and stays above the distance at which the tiles lie.

    Parameters
    ----------
    frequency, q, snr
        Hz, the loudest tile's Q, and Omicron's SNR.
    noise, floor
        The fitted numbers.
    """
    return np.hypot(noise / np.square(snr), floor) / tile_bandwidth(frequency, q)


def fit_errors(seen: SeenTwice) -> tuple[float, float]:
    """Fit ``noise`` and ``floor`` of `peak_time_error` to signals with one moment.

    So that `SIGMAS` of both errors, added in squares, are the 95 % quantile of how far the peak
    times are apart beyond the arrivals: the two numbers minimise the quantile's loss (Koenker &
    Bassett 1978, doi:10.2307/1913643) of the distance in units of the tiles' length.
    """
    chosen = np.isin(seen.morphology, ONE_MOMENT)
    frequency, q, snr = seen.frequency[chosen], seen.q[chosen], seen.snr[chosen]
    length = np.hypot(*(1 / tile_bandwidth(frequency, q)).T)
    apart = np.abs(seen.lag_error[chosen])

    def loss(logs: NDArray[np.float64]) -> float:
        error = peak_time_error(frequency, q, snr, *np.exp(logs))
        beyond = (apart - SIGMAS * np.hypot(*error.T)) / length
        return float(np.maximum(_FITTED_SHARE * beyond, (_FITTED_SHARE - 1) * beyond).mean())

    found = minimize(loss, np.log([NOISE, FLOOR]), method="Nelder-Mead")
    noise, floor = np.exp(found.x)
    return float(noise), float(floor)


def inside_window(seen: SeenTwice, sigmas: float = SIGMAS) -> NDArray[np.bool_]:
    """Return which signals' peak times are no farther apart than their errors allow: bool [n].

    The time that light takes is left out: it is used up by the arrivals.
    """
    error = peak_time_error(seen.frequency, seen.q, seen.snr)
    return np.abs(seen.lag_error) <= sigmas * np.hypot(*error.T)
