import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml

from closeness import near
from gwmorph.errors import ConfigError
from gwmorph.simulation.population import (
    PowerLaw,
    Range,
    binary_events,
    glitch_events,
    load_population,
)
from gwmorph.simulation.transients import MORPHOLOGIES, SHAPES

POPULATION = Path(__file__).parents[2] / "config" / "population.yaml"
GPS = 1262301184


@pytest.fixture(scope="module")
def population():
    return load_population(POPULATION)


@pytest.fixture
def changed(tmp_path):
    """Population file with one change made by a function of its content."""

    def make(change):
        content = yaml.safe_load(POPULATION.read_text())
        change(content)
        path = tmp_path / "population.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return make


def test_every_morphology_is_in_the_population_with_sources(population):
    assert set(population.glitches) == set(MORPHOLOGIES)
    assert all(glitches.sources for glitches in population.glitches.values())


def test_ranges_overlap_between_classes(population):
    bands = {
        name: glitches.parameters["frequency_hz"]
        for name, glitches in population.glitches.items()
        if "frequency_hz" in glitches.parameters
    }
    for name, band in bands.items():
        if name == "lines_1080":  # alone at its frequency, but for wandering lines
            continue
        others = [o for other, o in bands.items() if other != name]
        assert sum(band.low < other.high and other.low < band.high for other in others) >= 2


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_no_number_may_be_infinite_or_not_a_number(changed, value):
    path = changed(lambda c: c["glitches"]["blip"]["snr"].update(high=value))
    with pytest.raises(ConfigError, match=r"snr\.high: Input should be a finite number"):
        load_population(path)


def test_unknown_morphology_names_the_nearest(changed):
    path = changed(lambda c: c["glitches"].update(blipp=c["glitches"].pop("blip")))
    with pytest.raises(ConfigError, match=r"population.yaml.*(?s:.)*glitches.blipp.*'blip'"):
        load_population(path)


def test_unknown_and_missing_parameters_are_named(changed):
    def rename(content):
        parameters = content["glitches"]["tomte"]["parameters"]
        parameters["frequency"] = parameters.pop("frequency_hz")

    with pytest.raises(ConfigError, match=r"tomte.parameters.frequency: .*'frequency_hz'"):
        load_population(changed(rename))
    with pytest.raises(ConfigError, match=r"tomte.parameters.hat: missing"):
        load_population(changed(lambda c: c["glitches"]["tomte"]["parameters"].pop("hat")))


def test_a_class_is_drawn_by_the_shape_that_its_population_names(population):
    other = load_population(POPULATION.with_name("population_o3.yaml"))
    assert set(other.glitches) == set(population.glitches)
    assert population.shape_of("whistle") is MORPHOLOGIES["whistle"]
    assert other.shape_of("whistle") is SHAPES["beat_note"]
    assert other.shape_of("blip") is MORPHOLOGIES["blip"]


def test_unknown_shape_names_the_nearest(changed):
    path = changed(lambda c: c["glitches"]["whistle"].update(shape="beatnote"))
    with pytest.raises(ConfigError, match=r"glitches.whistle.shape: unknown.*'beat_note'"):
        load_population(path)


def test_reversed_range_is_refused_with_its_key(changed):
    def turn(content):
        content["glitches"]["blip"]["parameters"]["octaves"] = {"low": 2.0, "high": 1.0}

    with pytest.raises(ConfigError, match=r"glitches.blip.parameters.octaves.*reversed.*2.0.*1.0"):
        load_population(changed(turn))


@pytest.mark.parametrize(
    ("key", "value"),
    [("rate_per_hour", {"X1": 1.0}), ("rate_per_hour", {"H1": -1.0}), ("colour", "red")],
)
def test_other_faults_are_refused(changed, key, value):
    with pytest.raises(ConfigError, match=r"glitches\.blip"):
        load_population(changed(lambda c: c["glitches"]["blip"].update({key: value})))


def test_missing_file_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_population(tmp_path / "absent.yaml")


def test_power_law_has_its_bounds_and_slope():
    rng = np.random.default_rng(0)
    values = np.array([PowerLaw(low=8, high=800, slope=3).draw(rng) for _ in range(20000)])
    assert 8 <= values.min() < 8.01
    assert values.max() <= 800
    # Above twice the limit lie 2**-(slope - 1) of all.
    assert np.mean(values > 16) == pytest.approx(0.25, abs=0.015)


def test_log_range_is_even_in_its_logarithm():
    rng = np.random.default_rng(0)
    limits = Range(low=1, high=100, scale="log")
    assert np.mean([limits.draw(rng) < 10 for _ in range(5000)]) == pytest.approx(0.5, abs=0.03)


def arrivals(population, start, end, detector="L1", seed=11, scale=1.0):
    return [
        (e.number, e.morphology, e.gps_time, e.snr)
        for e in glitch_events(population, seed, scale, detector, start, end)
        if start <= e.gps_time < end
    ]


def test_events_do_not_depend_on_the_span_asked_for(population):
    whole = arrivals(population, GPS, GPS + 20000)
    cuts = [GPS, GPS + 1, GPS + 4095, GPS + 9000, GPS + 20000]
    parts = [e for a, b in itertools.pairwise(cuts) for e in arrivals(population, a, b)]
    assert sorted(whole) == sorted(parts)
    assert len({number for number, *_ in whole}) == len(whole)


def test_seeds_and_detectors_differ(population):
    one = {number for number, *_ in arrivals(population, GPS, GPS + 40000)}
    assert one.isdisjoint(n for n, *_ in arrivals(population, GPS, GPS + 40000, seed=12))
    assert one.isdisjoint(n for n, *_ in arrivals(population, GPS, GPS + 40000, detector="H1"))


def test_rates_are_those_of_the_file(population):
    days = 20
    found = arrivals(population, GPS, GPS + days * 86400)
    for name in ("blip", "tomte", "scattered_light"):
        glitches = population.glitches[name]
        expected = glitches.rate_per_hour["L1"] * 24 * days
        # Clusters of mean size m inflate the variance of counts about (m + 1)-fold.
        error = np.sqrt(expected * (glitches.burst.mean_size + 1))
        count = sum(morphology == name for _, morphology, *_ in found)
        assert count == pytest.approx(expected, abs=4 * error)


def test_rate_scale_scales_and_zero_is_silence(population):
    assert arrivals(population, GPS, GPS + 86400, scale=0) == []
    assert list(binary_events(population, 1, 0.0, GPS, GPS + 86400)) == []
    triple = len(arrivals(population, GPS, GPS + 86400 * 4, scale=3))
    single = len(arrivals(population, GPS, GPS + 86400 * 4))
    assert triple / single == near(3, rel=0.2)


def test_counts_are_burstier_than_poisson(population):
    """Fano factor (variance over mean of counts in 512 s) of 1 is Poisson's."""
    days = 10
    found = arrivals(population, GPS, GPS + days * 86400)
    for names, limit in (({"scattered_light"}, 2.5), (set(MORPHOLOGIES), 1.5)):
        times = [t for _, name, t, _ in found if name in names]
        counts = np.histogram(times, np.arange(GPS, GPS + days * 86400, 512))[0]
        assert counts.var() / counts.mean() > limit


def test_binaries_are_shared_heavy_side_first_and_spread_over_the_sky(population):
    events = [
        e for e in binary_events(population, 4, 40.0, GPS, GPS + 86400) if e.gps_time < GPS + 86400
    ]
    again = list(binary_events(population, 4, 40.0, GPS + 7000, GPS + 7500))
    assert {e.number for e in again} <= {
        e.number for e in binary_events(population, 4, 40.0, GPS, GPS + 86400)
    }
    masses = np.array([(e.binary.mass_1, e.binary.mass_2) for e in events])
    assert (masses[:, 0] >= masses[:, 1]).all()
    assert (masses[:, 0] / masses[:, 1] <= 8.0001).all()
    assert masses.min() < 2.0
    assert masses.max() > 45
    sines = np.sin([e.binary.declination for e in events])
    assert np.abs(np.mean(sines)) < 0.1
    assert np.var(sines) == near(1 / 3, rel=0.15)


@pytest.mark.parametrize(
    ("section", "key", "fine", "refused"),
    [
        ("snr", "low", [1e-3], [0.0, -1.0]),
        ("snr", "high", [1e6], [0.0, -1.0]),
        ("snr", "slope", [1.001], [1.0, 0.5]),
        ("burst", "mean_size", [1.0], [0.99]),
        ("burst", "spread_s", [1e-3, 14400.0], [0.0, 14401.0]),
        ("rate_per_hour", "H1", [0.0, 3600.0], [-0.01, 3601.0]),
    ],
)
def test_bounds_of_a_class_are_kept(changed, section, key, fine, refused):
    def with_value(value):
        return changed(lambda c: c["glitches"]["blip"][section].update({key: value}))

    for value in fine:
        load_population(with_value(value))
    for value in refused:
        with pytest.raises(ConfigError, match=rf"glitches\.blip\.{section}\.{key}"):
            load_population(with_value(value))


@pytest.mark.parametrize(
    ("key", "fine", "refused"),
    [
        ("rate_per_hour", [0.0, 3600.0], [-0.01, 3601.0]),
        ("largest_mass_ratio", [1.0, 18.0], [0.99, 18.01]),
    ],
)
def test_bounds_of_binaries_are_kept(changed, key, fine, refused):
    for value in fine:
        load_population(changed(lambda c, v=value: c["binaries"].update({key: v})))
    for value in refused:
        with pytest.raises(ConfigError, match=rf"binaries\.{key}"):
            load_population(changed(lambda c, v=value: c["binaries"].update({key: v})))


@pytest.mark.parametrize("place", ["blip", None])
def test_what_happens_has_a_source(changed, place):
    def emptied(content):
        whose = content["glitches"][place] if place else content["binaries"]
        whose["sources"] = []

    with pytest.raises(ConfigError, match=r"sources: List should have at least 1 item"):
        load_population(changed(emptied))
