"""Shapes that are injected: where they lie, how long they are, and that seeds decide them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import fft, signal

from closeness import near
from gwmorph.errors import ConfigError
from gwmorph.simulation.binaries import Binary, overhead_chirp
from gwmorph.simulation.loudness import measure, optimal_snr
from gwmorph.simulation.morphologies import INJECTED, choose_morphologies, families
from gwmorph.simulation.population import load_population
from gwmorph.simulation.psd import background_psd

RATE = 4096
POPULATION = Path(__file__).parents[2] / "config" / "population.yaml"
LONG = "chirp_1.4_1.4"
# Of the named 18, what the published classes of glitches do not have.
NOVEL = ("staircase", "ring_up")


def background(frequencies):
    return background_psd("H1", frequencies, RATE)


def drawn(name, seed, rate=RATE):
    return INJECTED[name].draw(np.random.default_rng(seed), background, rate)


def loudness(waveform):
    return measure(waveform.strain, psd_of(waveform.strain), RATE)


def psd_of(strain):
    return background(fft.rfftfreq(len(strain), 1 / RATE))


@pytest.mark.parametrize("name", INJECTED)
def test_waveform_is_finite_over_at_its_ends_and_decided_by_its_seed(name):
    first, again, other = drawn(name, 1), drawn(name, 1), drawn(name, 2)
    assert np.isfinite(first.strain).all()
    whitened = np.abs(whiten(first.strain))
    edge = RATE // 8
    assert max(whitened[:edge].max(), whitened[-edge:].max()) < 0.02 * whitened.max()
    assert np.array_equal(first.strain, again.strain)
    assert dict(first.parameters) == dict(again.parameters)
    assert not np.array_equal(first.strain, other.strain)


def whiten(strain):
    spectrum = fft.rfft(strain) / np.sqrt(psd_of(strain))
    frequencies = fft.rfftfreq(len(strain), 1 / RATE)
    return fft.irfft(np.where((frequencies > 20) & (frequencies < 1700), spectrum, 0))


@pytest.mark.parametrize("q", [2, 4, 8, 32, 100])
def test_sine_gaussian_has_its_q(q):
    waveform = drawn(f"sine_gaussian_q{q}", 4)
    sigma = q / (2 * np.pi * waveform.parameters["frequency_hz"])
    # 90 % of a Gaussian's power, whose sigma is that of the amplitude over the root of two.
    expected = 2 * 1.645 * sigma / np.sqrt(2)
    assert loudness(waveform).duration == pytest.approx(expected, rel=0.2, abs=2 / RATE)
    assert waveform.parameters["q"] == near(q)


def test_blips_last_two_to_ten_milliseconds():
    durations = [loudness(drawn("blip", seed)).duration for seed in range(60)]
    assert 0.0018 < min(durations) < 0.003
    assert 0.007 < max(durations) < 0.0105


def test_noise_burst_lasts_a_tenth_of_a_second():
    durations = [loudness(drawn("noise_burst", seed)).duration for seed in range(20)]
    assert np.mean(durations) == pytest.approx(0.07, abs=0.015)  # 90 % of it, with soft edges
    assert max(durations) < 0.1


def test_staircase_rests_on_equal_steps():
    waveform = drawn("staircase", 5)
    steps = round(waveform.parameters["steps"])
    whitened = whiten(waveform.strain)
    turns = np.unwrap(np.angle(signal.hilbert(whitened)))
    first = waveform.anchor - int(0.5 * waveform.parameters["duration_s"] * RATE)
    length = int(waveform.parameters["duration_s"] * RATE / steps)
    rests = [
        (turns[first + (i + 1) * length - length // 4] - turns[first + i * length + length // 4])
        / (length / 2 / RATE)
        / (2 * np.pi)
        for i in range(steps)
    ]
    octaves = np.diff(np.log2(rests))
    expected = waveform.parameters["octaves"] / (steps - 1)
    np.testing.assert_allclose(np.abs(octaves), expected, rtol=0.1)
    assert len(set(np.sign(octaves))) == 1


def test_ring_up_grows_and_then_stops():
    waveform = drawn("ring_up", 1)
    energy = whiten(waveform.strain) ** 2
    before, after = energy[: waveform.anchor].sum(), energy[waveform.anchor :].sum()
    assert after < 0.25 * before


def test_comb_has_its_teeth():
    waveform = drawn("comb", 2)
    power = np.abs(fft.rfft(whiten(waveform.strain))) ** 2
    step = RATE / len(waveform.strain)
    first, spacing = waveform.parameters["first_hz"], waveform.parameters["spacing_hz"]
    teeth = first + spacing * np.arange(round(waveform.parameters["teeth"]))
    near = sum(power[int(f / step) - 8 : int(f / step) + 9].sum() for f in teeth)
    assert near > 0.95 * power.sum()


def test_a_lower_rate_gives_the_same_glitch():
    fast, slow = drawn("tomte", 6), drawn("tomte", 6, RATE // 2)
    assert slow.anchor == fast.anchor // 2
    assert dict(slow.parameters) == dict(fast.parameters)
    difference = np.abs(slow.strain - fast.strain[::2]).max()
    assert difference < 0.02 * np.abs(fast.strain).max()


def test_lighter_pairs_are_longer():
    durations = [loudness(drawn(f"chirp_{m}_{m}", 1)).duration for m in (30, 10)]
    assert durations[0] < durations[1]
    waveform = drawn(LONG, 1)
    assert waveform.anchor > 100 * RATE
    assert optimal_snr(waveform.strain, psd_of(waveform.strain), RATE) > 10


def test_two_shapes_are_in_no_population():
    population = load_population(POPULATION).glitches
    assert not {INJECTED[name].label for name in NOVEL} & set(population)
    assert {INJECTED[name].family for name in NOVEL} == {"unlike any class"}


def test_names_are_checked_and_none_means_all():
    assert choose_morphologies([]) == INJECTED
    assert list(choose_morphologies(["tomte", "blip"])) == ["tomte", "blip"]
    with pytest.raises(ConfigError, match=r"'blib'; did you mean 'blip'"):
        choose_morphologies(["blib"])


def test_families_hold_each_chosen_morphology_once():
    assert families(["tomte", "comb", "blip"]) == {
        "glitches": {"tomte": "tomte", "blip": "blip, 2 to 10 ms"},
        "steady": {"comb": "comb, 10 s"},
    }
    assert sum(len(part) for part in families([]).values()) == len(INJECTED)


def test_binaries_do_not_spin_and_are_seen_face_on():
    waveform = drawn("chirp_30_30", 1)
    plain = Binary(30, 30, 0, 0, 0, 0, 0, 0, waveform.parameters["phase"])
    merger, strain = overhead_chirp(plain, RATE)
    assert waveform.anchor == merger
    np.testing.assert_array_equal(waveform.strain, strain)
    for spin in ({"spin_1": 1}, {"spin_2": 1}, {"inclination": 1}):
        assert not np.array_equal(overhead_chirp(replace(plain, **spin), RATE)[1], strain)
