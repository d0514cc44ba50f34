"""The matched filter against sums over time, against PyCBC, and on what was planted."""

import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from searched import LOOK, MASSES

from closeness import near
from gwmorph.evidence.chirp_windows import (
    GaussianNoise,
    Look,
    draw_signals,
    model_spectra,
    place,
)
from gwmorph.evidence.matched_filter import (
    Bank,
    MatchedFilter,
    bank_of,
    bank_table,
    best_match,
    binaries_of,
    match_of,
    place_bank,
)
from gwmorph.evidence.timing import light_travel_s
from gwmorph.spectra.band import Band


@pytest.fixture(scope="module")
def bank(spectra):
    return place_bank(MASSES, LOOK, spectra, 0.95, 30, 7)


def by_sums(bank: Bank, window: np.ndarray) -> float:
    """Network SNR of one window by sums over samples, at every second sample."""
    look, best = bank.look, 0.0
    reach = int(np.ceil((light_travel_s("H1", "L1") + 0.005) * look.sample_rate / 2))
    lags = 2 * np.arange(int(look.earliest * look.samples) // 2, -(-look.merger // 2) + 1)
    more = 2 * np.arange(lags[0] // 2 - reach, lags[-1] // 2 + reach + 1)
    for waves in bank.waves:
        powers = []
        for channel, wave in enumerate(waves):
            power = []
            for lag in more:
                low = look.merger - lag
                at = np.arange(max(-low, 0), min(look.kept - low, look.samples))
                inside = wave[at + low].astype(complex)
                norm = (np.abs(inside) ** 2).sum() / 2
                power.append(np.abs((window[channel, at] * inside.conj()).sum()) ** 2 / norm)
            powers.append(np.array(power))
        for n in range(len(lags)):
            best = max(best, powers[0][n + reach] + powers[1][n : n + 2 * reach + 1].max())
    return float(np.sqrt(best))


def test_the_filter_is_the_sum_over_samples(bank, spectra):
    few = replace(bank, binaries=bank.binaries[:2], waves=bank.waves[:2])
    noise = GaussianNoise(spectra, LOOK)
    windows = noise.windows(2, np.random.default_rng(1))
    windows[1] += place(
        draw_signals(MASSES, LOOK, spectra, 1, 1, "a").white, np.array([0.95]), np.array([9]), LOOK
    )[0]
    assert MatchedFilter(few)(windows) == near([by_sums(few, w) for w in windows], rel=2e-3)
    # Waves as loud at their beginning as at their end, which windows cut on both sides.
    tones = np.exp(2j * np.pi * np.array([[[0.05]], [[0.11]]]) * np.arange(LOOK.kept))
    tones = np.repeat(tones * np.sqrt(2 / LOOK.kept), 2, axis=1).astype(np.complex64)
    few = replace(few, waves=tones)
    assert MatchedFilter(few)(windows) == near([by_sums(few, w) for w in windows], rel=1e-2)


def test_templates_have_norm_one_and_match_themselves(bank):
    energy = (np.abs(bank.waves.astype(complex)) ** 2).sum(axis=-1) / 2
    assert energy == near(np.ones_like(energy), rel=1e-5)
    assert best_match(bank.waves[:3], bank.waves[:3], LOOK) == near(np.ones(3), rel=1e-5)


def test_a_template_is_placed_only_where_none_matches(bank):
    for number in range(1, len(bank)):
        assert best_match(bank.waves[[number]], bank.waves[:number], LOOK)[0] < 0.95


def test_a_bank_recovers_signals_and_a_single_template_does_not(bank, spectra):
    signals = draw_signals(MASSES, LOOK, spectra, 40, 3, "match")
    recovered = match_of(bank, signals)
    assert np.quantile(recovered, 0.1) > 0.93
    assert recovered.max() < 1 + 1e-3
    one = replace(bank, binaries=bank.binaries[:1], waves=bank.waves[:1])
    assert match_of(one, signals).min() < 0.9


def test_noise_has_mean_square_two_in_each_detector(spectra):
    """With one template, at one lag, in one detector: chi-square of two degrees of freedom."""
    look = Look(("H1",), 2048, 2048, Band(20.0, 900.0), 0.75, 0.7505)
    single = place_bank(MASSES, look, model_spectra(look), 0.5, 1, 3)
    single = replace(single, binaries=single.binaries[:1], waves=single.waves[:1])
    windows = GaussianNoise(model_spectra(look), look).windows(4000, np.random.default_rng(2))
    found = MatchedFilter(single)(windows) ** 2
    # The largest of two correlated lags: a little above 2.
    assert 1.9 < found.mean() < 2.5


def test_a_loud_signal_is_found_at_its_snr(bank, spectra):
    signals = draw_signals(MASSES, LOOK, spectra, 30, 9, "b")
    windows = place(signals.white, np.linspace(0.75, 0.95, 30), np.full(30, 20.0), LOOK)
    windows += GaussianNoise(spectra, LOOK).windows(30, np.random.default_rng(4))
    found = MatchedFilter(bank)(windows)
    assert found.mean() == near(20.0, rel=0.04)
    assert (np.abs(found - 20) < 4.5).all()


def test_a_bank_is_remade_from_its_table(bank, spectra):
    again = bank_of(binaries_of(bank_table(bank)), LOOK, spectra)
    assert np.abs(again.waves - bank.waves).max() < 1e-6


PYCBC = """
import sys
import numpy as np
from pycbc.filter import matched_filter
from pycbc.types import FrequencySeries, TimeSeries
wave, window, rate = np.load(sys.argv[1]), np.load(sys.argv[2]), int(sys.argv[3])
step = 1.0 / rate
template, data = (TimeSeries(x.astype(float), delta_t=step) for x in (wave, window))
flat = FrequencySeries(np.full(len(window) // 2 + 1, 2.0 / rate), delta_f=rate / len(window))
snr = matched_filter(template, data, psd=flat)
np.save(sys.argv[4], np.abs(snr.numpy()))
"""


def test_the_snr_is_pycbcs(tmp_path, bank, spectra):
    python = os.environ.get("GWMORPH_PYCBC")
    if not python:
        pytest.skip("GWMORPH_PYCBC names no Python that has PyCBC; see benchmarks/README.md")
    look = replace(LOOK, detectors=("H1",))
    one = Bank(bank.binaries[:1], bank.waves[:1, :1], look)
    window = GaussianNoise(model_spectra(look), look).windows(1, np.random.default_rng(6))
    wave = bank.waves[0, 0].real
    padded = np.zeros(4096)
    padded[: len(wave)] = wave
    data = np.zeros(4096)
    data[:2048] = window[0, 0]
    names = [str(tmp_path / f"{name}.npy") for name in ("wave", "data", "snr")]
    # PyCBC's template has its merger at its first sample.
    np.save(names[0], np.roll(padded, -look.merger)), np.save(names[1], data)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [python, "-c", PYCBC, *names[:2], "2048", names[2]], check=True, env=environment
    )
    lags = np.arange(int(0.75 * 2048) // 2 * 2, look.merger + 2, 2)
    assert MatchedFilter(one)(window)[0] == near(np.load(names[2])[lags].max(), rel=5e-3)
