"""Everything that a simulated detector records in a span: noise, events, quality, truth.

To put other strain into a simulated block, change ``data.strain`` of what :func:`simulate`
returns and write it with :func:`gwmorph.formats.gwosc_layout.write_gwosc_block`.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import fft

from gwmorph.config import Detector
from gwmorph.formats.gwosc_layout import NO_INJECTIONS, GwoscBlock
from gwmorph.naming import span_name
from gwmorph.simulation.binaries import REFERENCE_MPC, arrival_delay, project
from gwmorph.simulation.loudness import Loudness, measure, optimal_snr
from gwmorph.simulation.noise import DetectorNoise
from gwmorph.simulation.population import (
    CHIRP,
    BinaryEvent,
    GlitchEvent,
    Population,
    binary_events,
    glitch_events,
)
from gwmorph.simulation.psd import antialias_gain, background_psd, noise_psd
from gwmorph.simulation.quality import dq_mask, gaps, missing_seconds
from gwmorph.simulation.transients import colour

# A chirp's distance is set by its SNR in these, whatever detectors a run analyses.
NETWORK: tuple[Detector, ...] = ("H1", "L1", "V1")
_SHAPE_RATE = 4096
_SMALLEST_SNR = 1.0
_MARGIN_S = 1.0  # room for the noise spectrum's colour around a glitch


@dataclass(frozen=True)
class Simulation:
    """What to simulate.

    Attributes
    ----------
    seed : of every random choice.
    population : what happens besides noise.
    rate_scale : factor on all rates.
    duty_cycle : fraction of the time in which a detector observes, (0, 1].
    sample_rate : Hz.
    """

    seed: int
    population: Population
    rate_scale: float
    duty_cycle: float
    sample_rate: int


@dataclass(frozen=True)
class SimulatedSpan:
    """A span of one detector; ``truth`` has one row (``TRUTH``) for each event in it."""

    data: GwoscBlock
    truth: list[dict[str, Any]]


@dataclass(frozen=True)
class PlacedWaveform:
    """Strain of one event: samples ``[first, first + len(strain))`` from GPS 0, and its row."""

    first: int
    strain: np.ndarray
    row: dict[str, Any]


def simulate(simulation: Simulation, detector: Detector, start: int, end: int) -> SimulatedSpan:
    """Return what ``detector`` records in ``[start, end)`` (integer GPS seconds).

    Every second is the same in every span that holds it. The truth has the events whose peak
    lies in the span where strain is not missing, in order of time; a waveform that reaches over
    the span's border is whole across both sides, with its row on the side of its peak.

    Raises
    ------
    ConfigError
        There is no noise model for the detector.
    """
    rate = simulation.sample_rate
    strain = DetectorNoise(detector, rate, simulation.seed).strain(start, end)
    found = gaps(simulation.seed, detector, simulation.duty_cycle, start, end)
    missing = missing_seconds(found, start, end)
    truth = []
    for placed in waveforms(simulation, detector, start, end):
        low = max(placed.first, start * rate)
        high = min(placed.first + len(placed.strain), end * rate)
        if low < high:
            part = placed.strain[low - placed.first : high - placed.first]
            strain[low - start * rate : high - start * rate] += part
        peak = placed.row["gps_time"]
        if start <= peak < end and not missing[int(peak) - start]:
            truth.append(placed.row)
    # Single precision, as the calibration pipelines write it, far below the noise: quantisation
    # is at 1e-28 /rtHz. It halves the size of the compressed file.
    strain[:] = strain.astype(np.float32)
    for second in np.flatnonzero(missing):
        strain[second * rate : (second + 1) * rate] = np.nan
    data = GwoscBlock(
        detector=detector,
        gps_start=start,
        sample_rate=rate,
        strain=strain,
        dq_mask=dq_mask(found, start, end),
        injection_mask=np.full(end - start, NO_INJECTIONS, dtype=np.uint32),
    )
    return SimulatedSpan(data, sorted(truth, key=lambda row: (row["gps_time"], row["event"])))


def waveforms(
    simulation: Simulation, detector: Detector, start: int, end: int
) -> Iterator[PlacedWaveform]:
    """Yield the strain of every event that may touch ``[start, end)`` in ``detector``."""
    what = (simulation.population, simulation.seed, simulation.rate_scale)
    for glitch in glitch_events(*what, detector, start, end):
        placed = _place_glitch(simulation, detector, glitch)
        if placed is not None:
            yield placed
    for coalescence in binary_events(*what, start, end):
        yield _place_binary(simulation, detector, coalescence)


def _place_glitch(
    simulation: Simulation, detector: Detector, event: GlitchEvent
) -> PlacedWaveform | None:
    """Return the glitch's strain, or nothing where the file's rate is too low to hold it."""
    rate = simulation.sample_rate
    # Shapes are drawn and made loud at 4096 Hz or more, so that a file of a lower rate has the
    # same glitch without what its decimation filter takes, and nothing is aliased.
    fine = max(rate, _SHAPE_RATE)
    morphology = simulation.population.shape_of(event.morphology)
    half_s = 2 ** int(np.ceil(np.log2(morphology.reach(event.parameters) + _MARGIN_S)))
    first = int(np.floor(event.gps_time * rate)) - half_s * rate
    size = 2 * half_s * fine
    times = (np.arange(size) - (event.gps_time * rate - first) * (fine / rate)) / fine
    whitened = morphology.shape(times, event.parameters, event.details)
    shape = colour(whitened, _background(detector, size, fine), fine)
    level = _level(simulation, detector, event.gps_time)
    unscaled = optimal_snr(shape, _true_psd(detector, size, fine), fine)
    strain = shape * (event.snr * level / unscaled)
    if rate < fine:
        strain = _decimate(strain, fine, rate)
    psd = _true_psd(detector, len(strain), rate)
    if optimal_snr(strain, psd, rate) < _SMALLEST_SNR:
        return None
    loudness = measure(strain, psd, rate)
    return PlacedWaveform(
        first,
        strain,
        _row(
            detector,
            event.number,
            event.morphology,
            first / rate + loudness.peak,
            loudness.snr / level,
            loudness,
            dict(event.parameters),
        ),
    )


def _decimate(strain: np.ndarray, rate: int, lower: int) -> np.ndarray:
    size = len(strain) * lower // rate
    spectrum = fft.rfft(strain)[: size // 2 + 1]
    gain = antialias_gain(fft.rfftfreq(size, 1 / lower), lower)
    return fft.irfft(spectrum * gain, size) * (lower / rate)


def _place_binary(
    simulation: Simulation, detector: Detector, event: BinaryEvent
) -> PlacedWaveform:
    rate = simulation.sample_rate
    network = [
        _snr_at_reference(
            simulation, name, event, project(event.binary, name, event.gps_time, rate)[1]
        )
        for name in NETWORK
    ]
    scale = event.network_snr / float(np.linalg.norm(network))
    first, strain = project(event.binary, detector, event.gps_time, rate)
    strain *= scale
    loudness = measure(strain, _true_psd(detector, len(strain), rate), rate)
    return PlacedWaveform(
        first,
        strain,
        _row(
            detector,
            event.number,
            CHIRP,
            event.gps_time + arrival_delay(detector, event.binary, event.gps_time),
            loudness.snr / _level(simulation, detector, event.gps_time),
            loudness,
            {
                **asdict(event.binary),
                "distance_mpc": REFERENCE_MPC / scale,
                "network_snr": event.network_snr,
                "geocentre_gps": event.gps_time,
            },
        ),
    )


def _snr_at_reference(
    simulation: Simulation, detector: Detector, event: BinaryEvent, strain: np.ndarray
) -> float:
    psd = _true_psd(detector, len(strain), simulation.sample_rate)
    level = _level(simulation, detector, event.gps_time)
    return optimal_snr(strain, psd, simulation.sample_rate) / level


def _row(
    detector: str,
    number: int,
    morphology: str,
    gps_time: float,
    snr: float,
    loudness: Loudness,
    parameters: dict[str, float],
) -> dict[str, Any]:
    return {
        "detector": detector,
        "event": number,
        "gps_time": gps_time,
        "morphology": morphology,
        "snr": snr,
        "frequency": loudness.frequency,
        "duration": loudness.duration,
        "parameters": json.dumps(parameters, sort_keys=True),
    }


def _level(simulation: Simulation, detector: Detector, gps_time: float) -> float:
    noise = DetectorNoise(detector, simulation.sample_rate, simulation.seed)
    return float(noise.level(np.array([gps_time]))[0])


def truth_path(strain_path: Path | str) -> Path:
    """Return where the truth table (``TRUTH``) of a simulated strain file lies."""
    path = Path(strain_path)
    _, description, gps_start, duration = path.stem.split("-")
    detector = description.partition("_")[0]
    return path.with_name(span_name(detector, "TRUTH", int(gps_start), int(duration), "parquet"))


@lru_cache(maxsize=8)
def _background(detector: str, size: int, sample_rate: int) -> np.ndarray:
    return background_psd(detector, fft.rfftfreq(size, 1 / sample_rate), sample_rate)


@lru_cache(maxsize=8)
def _true_psd(detector: str, size: int, sample_rate: int) -> np.ndarray:
    return noise_psd(detector, fft.rfftfreq(size, 1 / sample_rate), sample_rate)
