"""What the simulation draws, against values that were written down.

Trained weights, quiet windows and every measured figure stand on these draws: whoever changes one
on purpose trains and measures anew, and writes the values anew with ``pytest --force-regen``.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy import fft

from gwmorph.simulation.blocks import Simulation, simulate
from gwmorph.simulation.morphologies import INJECTED
from gwmorph.simulation.noise import DetectorNoise
from gwmorph.simulation.population import load_population
from gwmorph.simulation.psd import DETECTORS, background_psd, noise_psd, spectral_lines
from gwmorph.simulation.quality import gaps
from gwmorph.simulation.streams import stream
from reference import check

RATE = 4096
GPS = 1262301184
CONFIG = Path(__file__).parents[2] / "config"
MOMENTS = ("energy", "time", "length", "lag", "skewness", "hertz", "bandwidth")
SIGNED = ("lag", "skewness")


def moments(wave):
    """Energy, mean time and length (s), correlation at 2 ms, skewness, mean and width in Hz."""
    power = wave**2 / np.sum(wave**2)
    times = np.arange(len(wave)) / RATE
    time = times @ power
    f = fft.rfftfreq(len(wave), 1 / RATE)
    spectrum = np.abs(fft.rfft(wave)) ** 2
    spectrum /= spectrum.sum()
    scaled = wave / np.sqrt(np.mean(wave**2))
    return [
        np.sum(wave**2),
        time,
        np.sqrt((times - time) ** 2 @ power),
        np.mean(scaled[8:] * scaled[:-8]),
        np.mean(scaled**3),
        f @ spectrum,
        np.sqrt((f - f @ spectrum) ** 2 @ spectrum),
    ]


@pytest.mark.parametrize("population", ["population", "population_o3"])
def test_glitches_of_a_population(num_regression, population):
    glitches = load_population(CONFIG / f"{population}.yaml")
    rows = []
    for number in range(4):
        for name, drawn in glitches.glitches.items():
            rng = stream(7, name, number)
            shape = glitches.shape_of(name)
            parameters = {key: drawn.parameters[key].draw(rng) for key in sorted(drawn.parameters)}
            parameters |= {"mains_hz": 60.0} if "mains_hz" in shape.parameters else {}
            reach = shape.reach(parameters)
            half = int(np.ceil(reach))
            times = np.arange(-half * RATE, half * RATE) / RATE
            wave = shape.shape(times, parameters, rng)
            rows.append([number, reach, drawn.snr.draw(rng), *moments(wave)])
    check(num_regression, ("number", "reach", "snr", *MOMENTS), rows, signed=SIGNED)


def test_injected_morphologies(num_regression):
    rows = []
    for seed in range(4):
        for morphology in INJECTED.values():
            drawn = morphology.draw(
                np.random.default_rng(seed), lambda f: background_psd("H1", f, RATE), RATE
            )
            scaled = drawn.strain * 1e21
            rows.append([drawn.anchor, np.sum(list(drawn.parameters.values())), *moments(scaled)])
    check(num_regression, ("anchor", "parameters", *MOMENTS), rows, signed=SIGNED)


def test_noise_spectra(num_regression):
    f = np.geomspace(0.02, 2048, 120)
    spectra = [np.log(background_psd(name, f, RATE)) for name in DETECTORS]
    faster = np.log(background_psd("H1", f, 16384))
    check(
        num_regression, ("hertz", *DETECTORS, "H1 at 16384 Hz"), np.array([f, *spectra, faster]).T
    )


def test_lines(num_regression):
    rows = [
        [
            number,
            line.frequency,
            line.amplitude * 1e21,
            line.harmonic,
            noise_psd(name, np.array([line.frequency, line.frequency + 0.3]), RATE).sum() * 1e42,
        ]
        for number, name in enumerate(DETECTORS)
        for line in spectral_lines(name, RATE)
    ]
    check(num_regression, ("detector", "hertz", "amplitude", "harmonic", "power"), rows)


def test_noise(num_regression):
    rows = []
    for detector in DETECTORS:
        noise = DetectorNoise(detector, RATE, 5)
        second = noise.strain(GPS + 31, GPS + 33) * 1e21
        rows.append([*noise.level(np.array([GPS, GPS + 900.0])), *moments(second)])
    check(num_regression, ("level", "level later", *MOMENTS), rows, signed=SIGNED)


def test_events_of_a_span(num_regression):
    population = load_population(CONFIG / "population.yaml")
    chirps = population.binaries.model_copy(update={"rate_per_hour": 60.0})
    busy = Simulation(3, population.model_copy(update={"binaries": chirps}), 10.0, 1.0, 2048)
    rows = [
        [
            row["event"] % 2**20,
            row["gps_time"] - GPS,
            row["snr"],
            row["frequency"],
            row["duration"],
        ]
        for row in simulate(busy, "V1", GPS, GPS + 64).truth
    ]
    check(num_regression, ("event", "second", "snr", "frequency", "duration"), rows)


def test_gaps(num_regression):
    kinds = ("missing", "off", "veto")
    rows = [
        [gap.start - GPS, gap.end - GPS, kinds.index(gap.kind), gap.bits]
        for gap in gaps(4, "L1", 0.7, GPS, GPS + 100_000)
    ]
    check(num_regression, ("start", "end", "kind", "bits"), rows)
