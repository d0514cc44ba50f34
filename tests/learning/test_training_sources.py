from pathlib import Path

import numpy as np
import pytest

from gwmorph.errors import ConfigError
from gwmorph.learning import sources as module
from gwmorph.learning.sources import (
    CHIRP,
    COMPOSITION,
    composition,
    elements_without,
    training_sources,
)
from gwmorph.simulation.morphologies import INJECTED
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
    signals = [
        composition(rng, elements_without([])).draw(rng, spectrum, 2048).strain for _ in range(12)
    ]
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


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Largest normalised correlation of two signals over all shifts and one phase."""
    spectra = [np.fft.fft(signal - signal.mean()) for signal in (first, second)]
    spectra[0][len(first) // 2 :] = 0
    matched = 2 * np.abs(np.fft.ifft(spectra[0] * spectra[1].conj())).max()
    return float(matched / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize(
    ("element", "morphology", "parameters", "drawn"),
    [
        ("packet", "sine_gaussian_q8", {"frequency_hz": 100, "q": 8}, (100, 40 / 628.3, 0)),
        ("ring", "ring_up", {"frequency_hz": 100, "q": 20}, (100, 60 / 314.2, -1)),
    ],
)
def test_an_element_is_an_excluded_shape_under_another_name(
    element, morphology, parameters, drawn
):
    times, rng = np.arange(-4096, 4096) / 4096, np.random.default_rng(3)
    signals = (
        module._ELEMENTS[element](times, *drawn, rng),
        INJECTED[morphology].shape(times, parameters, rng),
    )
    assert overlap(*signals) > 0.95
    assert element in elements_without([])
    assert element not in elements_without([morphology])


@pytest.mark.parametrize(
    ("excluded", "without"),
    [("sine_gaussian_q4", "packet"), ("noise_burst", "noise"), ("ring_up", "ring")],
)
def test_compositions_lack_the_elements_of_excluded_shapes(excluded, without):
    rng = np.random.default_rng(5)
    sources = training_sources([POPULATION], [excluded], 0.3)
    drawn = [sources.draw(rng) for _ in range(400)]
    kinds = {kind for name, s in drawn if name == COMPOSITION for kind in s.shape.args[0]}
    assert kinds == set(elements_without([])) - {without}


def test_without_elements_nothing_is_composed():
    everything = ["ring_up", "noise_burst", "sine_gaussian_q4", "blip", "whistle"]
    sources = training_sources(
        [POPULATION], [*everything, "wandering_line", "paired_doves"], spread=0.3
    )
    rng = np.random.default_rng(6)
    assert not sources.elements
    assert COMPOSITION not in {sources.draw(rng)[0] for _ in range(200)}


def test_every_element_says_what_it_makes():
    known = {*POPULATION.glitches, *INJECTED}
    assert module._SAME_AS.keys() == module._ELEMENTS.keys()
    assert all(names and known.issuperset(names) for names in module._SAME_AS.values())
