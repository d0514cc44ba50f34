"""The true noise spectra of the simulated detectors, with their lines.

The background follows the O3 curves of LIGO-T1800545, as the LALSimulation tables give them,
for H1, L1, V1 and K1, and the analytic GEO-HF curve for G1. Below 30 Hz and near Nyquist the
models say nothing about published files, so the shape seen in public O1 files is used there:
a seismic wall with its peak near 6 Hz, a high-pass below it, and the fall of the decimation
filter above 0.83 of Nyquist.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lal
import lalsimulation
import numpy as np

from gwmorph.errors import ConfigError

DETECTORS = ("H1", "L1", "V1", "K1", "G1")
MAINS_HZ = {"H1": 60.0, "L1": 60.0, "V1": 50.0, "K1": 60.0, "G1": 50.0}
# Spectra of 4 s with a Hann window, which the analysis whitens with, show a line this wide.
LINE_RESOLUTION_HZ = 0.15

_TABLES = {
    "H1": "SimNoisePSDaLIGOaLIGOO3LowT1800545",
    "L1": "SimNoisePSDaLIGOaLIGOO3LowT1800545",
    "V1": "SimNoisePSDAdVO3LowT1800545",
    "K1": "SimNoisePSDKAGRA25MpcT1800545",
}
_TABLE_LOW_HZ = 12.0
_TABLE_HIGH_HZ = 4900.0
_TABLE_STEP_HZ = 0.25
# ASSUME: one wall for all detectors, read off the public H1 and L1 files around GW150914.
_WALL_HZ = np.array([0.05, 2, 4, 6, 8, 10, 12, 15, 18, 20, 25, 30, 40])
_WALL_ASD = np.array(
    [
        1e-24,
        6e-23,
        6e-21,
        1.5e-19,
        7e-20,
        2e-20,
        7e-21,
        1.5e-21,
        3e-22,
        1.2e-22,
        2e-23,
        5e-24,
        1e-25,
    ]
)
_ROLLOFF_NYQUIST = np.array([0.83, 0.85, 0.88, 0.93, 0.98])
_ROLLOFF_GAIN = np.array([1.0, 0.75, 0.2, 0.03, 0.007])

# ASSUME: line frequencies as seen in public O1 files of H1 and L1; plausible inventions for the
# other detectors, which have their suspensions' modes elsewhere.
_VIOLIN_HZ = {
    "H1": (501.75, 502.625, 504.75, 508.625, 991.75, 994.25, 995.625, 997.875, 1004.5, 1009.625),
    "L1": (499.625, 503.125, 509.0, 511.0, 513.25, 515.375, 1010.875, 1014.75, 1020.625, 1024.5),
    "V1": (493.5, 495.25, 498.0, 502.375, 506.0, 987.5, 991.0, 996.25, 1004.0, 1011.5),
    "K1": (497.0, 499.5, 503.25, 995.0, 1001.25, 1006.5),
    "G1": (496.0, 501.0, 505.5, 993.0, 1002.5, 1010.0),
}
_CALIBRATION_HZ = {
    "H1": (35.875, 36.75, 331.875, 1083.75),
    "L1": (34.75, 35.25, 331.25, 1083.125),
    "V1": (37.5, 60.5, 355.0, 1111.0),
    "K1": (),
    "G1": (),
}
_MAINS_AMPLITUDES = (6e-22, 5e-23, 1e-22, 8e-24, 3e-23)
_CALIBRATION_AMPLITUDE_OVER_ASD = 40.0
_VIOLIN_AMPLITUDE_OVER_ASD = 100.0


@dataclass(frozen=True)
class Line:
    """Spectral line: ``frequency`` (Hz), mean ``amplitude``, ``harmonic`` of the mains or 0."""

    frequency: float
    amplitude: float
    harmonic: int


def background_psd(detector: str, frequencies: Any, sample_rate: int) -> np.ndarray:
    """Return the detector's one-sided PSD without lines.

    Parameters
    ----------
    detector : one of ``DETECTORS``.
    frequencies : Hz, 0 to Nyquist, any shape.
    sample_rate : Hz, of the file in which the noise is published; the decimation filter's fall
        near its Nyquist frequency is part of the spectrum.

    Returns
    -------
    float64 array of the shape of ``frequencies``, 1/Hz, positive and finite everywhere.

    Raises
    ------
    ConfigError
        There is no model for the detector.
    """
    f = np.asarray(frequencies, dtype=float)
    grid, log_table = _table(detector)
    table = np.exp(np.interp(np.clip(f, grid[0], grid[-1]), grid, log_table))
    safe = np.maximum(f, _WALL_HZ[0])
    wall = np.exp(np.interp(np.log(safe), np.log(_WALL_HZ), 2 * np.log(_WALL_ASD), right=-np.inf))
    # The high-pass of published files acts on the model's own low-frequency noise, too.
    high_pass = np.exp(np.interp(np.log(safe), np.log([0.05, 6.0]), [np.log(1e-8), 0.0]))
    return (table * high_pass + wall) * antialias_gain(f, sample_rate) ** 2


def antialias_gain(frequencies: Any, sample_rate: int) -> np.ndarray:
    """Return the amplitude response of the filter before decimation to ``sample_rate``."""
    f = np.asarray(frequencies, dtype=float)
    return np.exp(np.interp(2 * f / sample_rate, _ROLLOFF_NYQUIST, np.log(_ROLLOFF_GAIN)))


@lru_cache(maxsize=len(DETECTORS))
def _table(detector: str) -> tuple[np.ndarray, np.ndarray]:
    grid = np.arange(_TABLE_LOW_HZ, _TABLE_HIGH_HZ, _TABLE_STEP_HZ)
    if detector == "G1":
        return grid, np.log([lalsimulation.SimNoisePSDGEOHF(float(f)) for f in grid])
    if detector not in _TABLES:
        raise ConfigError(
            f"no noise model for detector {detector!r}: simulated strain exists for "
            f"{', '.join(DETECTORS)}."
        )
    size = int(_TABLE_HIGH_HZ / _TABLE_STEP_HZ) + 1
    series = lal.CreateREAL8FrequencySeries(
        detector, lal.LIGOTimeGPS(0), 0.0, _TABLE_STEP_HZ, lal.DimensionlessUnit, size
    )
    getattr(lalsimulation, _TABLES[detector])(series, _TABLE_LOW_HZ / 2)
    first = int(_TABLE_LOW_HZ / _TABLE_STEP_HZ)
    return grid, np.log(series.data.data[first : first + len(grid)])


@lru_cache(maxsize=2 * len(DETECTORS))
def spectral_lines(detector: str, sample_rate: int) -> tuple[Line, ...]:
    """Return the detector's lines below 0.95 of the Nyquist frequency of ``sample_rate``."""
    mains = [
        Line(MAINS_HZ[detector] * n, amplitude, n)
        for n, amplitude in enumerate(_MAINS_AMPLITUDES, start=1)
    ]
    others = [
        Line(f, over_asd * float(np.sqrt(background_psd(detector, f, sample_rate))), 0)
        for frequencies, over_asd in (
            (_CALIBRATION_HZ[detector], _CALIBRATION_AMPLITUDE_OVER_ASD),
            (_VIOLIN_HZ[detector], _VIOLIN_AMPLITUDE_OVER_ASD),
        )
        for f in frequencies
    ]
    return tuple(line for line in mains + others if line.frequency < 0.475 * sample_rate)


def noise_psd(detector: str, frequencies: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the one-sided PSD of background and lines, as 4 s spectra resolve it.

    This is the "true PSD" of every SNR in the truth tables: a line is as wide in it as in the
    spectra that the analysis whitens with, so a transient under a line counts for what is left
    of it after whitening. Units and shapes as in :func:`background_psd`.
    """
    total = background_psd(detector, frequencies, sample_rate)
    for line in spectral_lines(detector, sample_rate):
        near = np.flatnonzero(np.abs(frequencies - line.frequency) < 6 * LINE_RESOLUTION_HZ)
        offset = (frequencies[near] - line.frequency) / LINE_RESOLUTION_HZ
        profile = np.exp(-0.5 * offset**2) / (np.sqrt(2 * np.pi) * LINE_RESOLUTION_HZ)
        total[near] += 0.5 * line.amplitude**2 * profile
    return total
