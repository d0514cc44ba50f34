from pathlib import Path

import numpy as np
import pytest

from gwmorph.errors import ConfigError
from gwmorph.learning.sources import CHIRP, COMPOSITION, composition, training_sources
from gwmorph.simulation.population import load_population
from gwmorph.simulation.psd import background_psd

POPULATION_FILE = Path(__file__).resolve().parents[2] / "config" / "population.yaml"
POPULATION = load_population(POPULATION_FILE)


def spectrum(frequencies):
    return background_psd("H1", frequencies, 2048)


def test_every_kind_of_source_is_drawn_unless_excluded():
    rng = np.random.default_rng(0)
    everything = {training_sources([POPULATION], [], 0.3).draw(rng)[0] for _ in range(600)}
    assert {"blip", "helix", "staircase", "ring_up", CHIRP, COMPOSITION} <= everything
    left_out = {"blip", "staircase", CHIRP}
    rest = training_sources([POPULATION], left_out, 0.3)
    assert {rest.draw(rng)[0] for _ in range(600)} == everything - left_out


def test_an_unknown_exclusion_is_refused():
    with pytest.raises(ConfigError, match=r"training\.excluded: unknown morphologies blop"):
        training_sources([POPULATION], ["blop", "blip"], 0.3)


def test_ranges_are_wider_than_what_is_scored():
    glitches = training_sources([POPULATION], [], 0.3).glitches
    scored = POPULATION.glitches["whistle"].parameters
    for name, (low, high) in glitches["whistle"][0].ranges.items():
        assert low < scored[name].low < scored[name].high < high


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_signals_of_one_source_are_alike(spread):
    rng = np.random.default_rng(1)
    glitches = training_sources([POPULATION], [], spread)
    while (drawn := glitches.draw(rng))[0] != "air_compressor":
        pass
    source, (low, high) = drawn[1], glitches.glitches["air_compressor"][0].ranges["frequency_hz"]
    signals = [source.draw(rng, spectrum, 2048).parameters["frequency_hz"] for _ in range(20)]
    extent = np.log(max(signals) / min(signals)) / np.log(high / low)
    assert extent <= spread + 1e-9
    assert extent > 0.5 * spread or spread == 0


def test_compositions_are_finite_and_never_the_same():
    rng = np.random.default_rng(2)
    signals = [composition(rng).draw(rng, spectrum, 2048).strain for _ in range(12)]
    assert all(np.isfinite(strain).all() and strain.any() for strain in signals)
    assert len({strain.tobytes() for strain in signals}) == len(signals)


def test_equal_seeds_give_equal_sources():
    sources = training_sources([POPULATION], [], 0.3)
    first, again = (
        sources.draw(rng)[1].draw(rng, spectrum, 2048).strain
        for rng in (np.random.default_rng(4), np.random.default_rng(4))
    )
    np.testing.assert_array_equal(first, again)


def test_a_class_that_two_populations_draw_differently_is_drawn_in_both_ways():
    other = load_population(POPULATION_FILE.with_name("population_o3.yaml"))
    ways = training_sources([POPULATION, other], [], 0.3).glitches
    assert [glitch.shape for glitch in ways["whistle"]] == [
        population.shape_of("whistle").shape for population in (POPULATION, other)
    ]
    assert len(ways["helix"]) == 1
    one = training_sources([POPULATION], [], 0.3).glitches
    assert training_sources([POPULATION, POPULATION], [], 0.3).glitches == one
