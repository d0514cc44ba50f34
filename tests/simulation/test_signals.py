"""Signals of a population's classes."""

from pathlib import Path

import numpy as np
import pytest

from gwmorph.errors import ConfigError
from gwmorph.simulation.population import load_population
from gwmorph.simulation.psd import background_psd
from gwmorph.simulation.signals import population_classes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def population():
    return load_population(ROOT / "config" / "population.yaml")


def spectrum(frequencies):
    return background_psd("H1", frequencies, 2048)


def test_parameters_lie_in_the_population_s_ranges(population):
    names = [*population.glitches, "chirp"]
    names.remove("extremely_loud")
    classes = population_classes(population, "H1", names, 12, 50)
    assert list(classes) == names
    rng = np.random.default_rng(1)
    for name in names[:-1]:
        waveform = classes[name].signal.draw(rng, spectrum, 2048)
        assert np.isfinite(waveform.strain).all()
        assert waveform.strain.any()
        assert 0 < waveform.anchor < len(waveform.strain)
        for key, limits in population.glitches[name].parameters.items():
            assert limits.low <= waveform.parameters[key] <= limits.high
    assert classes["power_line"].signal.draw(rng, spectrum, 2048).parameters["mains_hz"] == 60


def test_binaries_are_drawn_from_the_population(population):
    chirp = population_classes(population, "L1", ["chirp"], 12, 50)["chirp"]
    # A light pair lasts minutes; any seed whose pair is heavy will do.
    waveform = chirp.signal.draw(np.random.default_rng(4), spectrum, 2048)
    masses = population.binaries.mass_msun
    assert masses.low <= waveform.parameters["mass_1"] <= masses.high
    peak = np.abs(waveform.strain).argmax()
    assert abs(peak - waveform.anchor) < 0.05 * 2048


def test_snrs_are_those_that_the_population_has(population):
    classes = population_classes(population, "H1", ["blip", "koi_fish"], 12, 50)
    assert (classes["blip"].snr_low, classes["blip"].snr_high) == (12, 50)
    assert (classes["koi_fish"].snr_low, classes["koi_fish"].snr_high) == (25, 50)
    with pytest.raises(ConfigError, match="extremely_loud has SNRs from 200 to 8000"):
        population_classes(population, "H1", ["extremely_loud"], 12, 50)


def test_unknown_class_is_refused_with_the_nearest(population):
    with pytest.raises(ConfigError, match="no class 'koi_fsh'; did you mean 'koi_fish'"):
        population_classes(population, "H1", ["koi_fsh"], 12, 50)
