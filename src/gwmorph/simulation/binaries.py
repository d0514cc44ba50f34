"""Compact-binary chirps as several detectors see them."""

from dataclasses import dataclass
from functools import lru_cache

import lal
import lalsimulation
import numpy as np
from scipy import fft

from gwmorph.simulation.psd import antialias_gain

REFERENCE_MPC = 100.0
AFTER_MERGER_S = 2.0
_TURN_ON_HZ = (17.0, 20.0)
_REFERENCE_HZ = 20.0
_LENGTH_STEP_S = 8
_FADE_S = 0.25

_LAL_DETECTORS = {
    "H1": lal.LHO_4K_DETECTOR,
    "L1": lal.LLO_4K_DETECTOR,
    "V1": lal.VIRGO_DETECTOR,
    "K1": lal.KAGRA_DETECTOR,
    "G1": lal.GEO_600_DETECTOR,
}


@dataclass(frozen=True)
class Binary:
    """Coalescing pair, aligned spins; detector-frame masses in solar masses, angles in rad."""

    mass_1: float
    mass_2: float
    spin_1: float
    spin_2: float
    right_ascension: float
    declination: float
    polarization: float
    inclination: float
    phase: float


def arrival_delay(detector: str, binary: Binary, gps_time: float) -> float:
    """Return how much later (s) than at the Earth's centre the wave arrives at ``detector``."""
    return float(
        lal.TimeDelayFromEarthCenter(
            _site(detector).location,
            binary.right_ascension,
            binary.declination,
            lal.LIGOTimeGPS(gps_time),
        )
    )


def antenna_pattern(detector: str, binary: Binary, gps_time: float) -> tuple[float, float]:
    """Return (F+, Fx) of ``detector`` for the binary's sky position and polarization."""
    plus, cross = lal.ComputeDetAMResponse(
        _site(detector).response,
        binary.right_ascension,
        binary.declination,
        binary.polarization,
        lal.GreenwichMeanSiderealTime(lal.LIGOTimeGPS(gps_time)),
    )
    return float(plus), float(cross)


def waveform_length(binary: Binary) -> float:
    """Return the seconds that the waveform fills, from 17 Hz to 2 s after the merger."""
    bound = lalsimulation.SimInspiralChirpTimeBound(
        _TURN_ON_HZ[0],
        binary.mass_1 * lal.MSUN_SI,
        binary.mass_2 * lal.MSUN_SI,
        binary.spin_1,
        binary.spin_2,
    )
    return float(np.ceil((1.05 * bound + 2 + AFTER_MERGER_S) / _LENGTH_STEP_S) * _LENGTH_STEP_S)


def project(
    binary: Binary, detector: str, gps_time: float, sample_rate: int
) -> tuple[int, np.ndarray]:
    """Return the strain of a binary at ``REFERENCE_MPC`` in one detector.

    Parameters
    ----------
    binary : the source.
    detector : prefix, as H1.
    gps_time : of the merger at the Earth's centre, s.
    sample_rate : Hz.

    Returns
    -------
    first : index of the first sample, counted at ``sample_rate`` from GPS 0.
    strain : float64 ``[n]``; IMRPhenomD (arXiv:1508.07253) from 20 Hz, delayed and weighted for
        the detector, exact between samples, zero at both ends.
    """
    # ASSUME: the Earth does not turn while the signal is in band (0.7 degrees for a neutron-star
    # pair), so that delay and antenna pattern are those of the merger.
    length = waveform_length(binary)
    arrival = gps_time + arrival_delay(detector, binary, gps_time)
    first = int(np.floor((arrival - length + AFTER_MERGER_S) * sample_rate))
    merger = arrival - first / sample_rate
    plus, cross = antenna_pattern(detector, binary, gps_time)
    wave_plus, wave_cross = _polarizations(binary, length, sample_rate)
    frequencies = fft.rfftfreq(int(length * sample_rate), 1 / sample_rate)
    spectrum = (plus * wave_plus + cross * wave_cross) * np.exp(-2j * np.pi * frequencies * merger)
    strain = fft.irfft(spectrum, int(length * sample_rate), overwrite_x=True) * sample_rate
    strain *= _fade(len(strain), sample_rate)
    return first, strain


def overhead_chirp(binary: Binary, sample_rate: int) -> tuple[int, np.ndarray]:
    """Return the + polarization of a binary at ``REFERENCE_MPC``, as one detector sees it at best.

    Returns
    -------
    merger : index of the sample at which the pair merges.
    strain : float64 ``[n]``, faded at both ends as in :func:`project`. The position on the sky
        has no part in it; ``inclination`` and ``phase`` have.
    """
    length = waveform_length(binary)
    size = int(length * sample_rate)
    merger = int((length - AFTER_MERGER_S) * sample_rate)
    plus, _ = _polarizations(binary, length, sample_rate)
    frequencies = fft.rfftfreq(size, 1 / sample_rate)
    shifted = plus * np.exp(-2j * np.pi * frequencies * (merger / sample_rate))
    strain = fft.irfft(shifted, size, overwrite_x=True) * sample_rate
    strain *= _fade(size, sample_rate)
    return merger, strain


def _fade(size: int, sample_rate: int) -> np.ndarray:
    from scipy.signal.windows import tukey  # most jobs find their strain in the cache

    return tukey(size, 2 * int(_FADE_S * sample_rate) / size)


@lru_cache(maxsize=2)
def _polarizations(
    binary: Binary, length: float, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of h+ and hx (1/Hz) at ``REFERENCE_MPC``, merger at time 0."""
    size = int(length * sample_rate)
    waves = lalsimulation.SimInspiralChooseFDWaveform(
        binary.mass_1 * lal.MSUN_SI,
        binary.mass_2 * lal.MSUN_SI,
        *(0.0, 0.0, binary.spin_1),
        *(0.0, 0.0, binary.spin_2),
        REFERENCE_MPC * 1e6 * lal.PC_SI,
        binary.inclination,
        binary.phase,
        *(0.0, 0.0, 0.0),
        1 / length,
        _TURN_ON_HZ[0],
        sample_rate / 2,
        _REFERENCE_HZ,
        lal.CreateDict(),
        lalsimulation.IMRPhenomD,
    )
    frequencies = fft.rfftfreq(size, 1 / sample_rate)
    low, high = _TURN_ON_HZ
    rise = np.sin(0.5 * np.pi * np.clip((frequencies - low) / (high - low), 0, 1)) ** 2
    gain = rise * antialias_gain(frequencies, sample_rate)
    return _padded(waves[0].data.data, gain), _padded(waves[1].data.data, gain)


def _padded(spectrum: np.ndarray, gain: np.ndarray) -> np.ndarray:
    out = np.zeros(len(gain), dtype=complex)
    used = min(len(spectrum), len(gain))
    out[:used] = spectrum[:used] * gain[:used]
    return out


def _site(detector: str) -> "lal.Detector":
    return lal.CachedDetectors[_LAL_DETECTORS[detector]]
