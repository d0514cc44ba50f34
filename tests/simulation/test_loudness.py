import numpy as np
import pytest

from closeness import near
from gwmorph.simulation.loudness import measure, optimal_snr

RATE = 4096


def sine_gaussian(frequency=200.0, sigma=0.02, centre=1.3):
    t = np.arange(4 * RATE) / RATE
    envelope = np.exp(-0.5 * ((t - centre) / sigma) ** 2)
    return envelope * np.cos(2 * np.pi * frequency * (t - centre))


def test_snr_in_white_noise_is_the_energy_over_the_psd():
    wave = sine_gaussian()
    psd = np.full(2 * RATE + 1, 0.5)
    # 4 int |h|^2 / S df over positive frequencies = (2 / S) int h^2 dt.
    assert optimal_snr(wave, psd, RATE) == near(
        np.sqrt(2 / 0.5 * np.sum(wave**2) / RATE), rel=1e-9
    )


def test_snr_is_the_mean_of_the_matched_filter():
    wave = 0.05 * sine_gaussian()
    rng = np.random.default_rng(1)
    psd = np.full(2 * RATE + 1, 2 / RATE)  # one-sided PSD of unit white noise
    norm = np.sqrt(np.sum(wave**2))
    outputs = [np.sum((wave + rng.standard_normal(len(wave))) * wave) / norm for _ in range(400)]
    assert np.mean(outputs) == pytest.approx(optimal_snr(wave, psd, RATE), abs=4 / np.sqrt(400))


def test_power_below_20_hz_does_not_count():
    slow = np.hanning(4 * RATE) * np.cos(2 * np.pi * 12 * np.arange(4 * RATE) / RATE)
    assert optimal_snr(slow, np.ones(2 * RATE + 1), RATE) < 1e-3 * np.sqrt(np.sum(slow**2) / RATE)


def test_measure_finds_frequency_duration_and_peak():
    found = measure(sine_gaussian(), np.ones(2 * RATE + 1), RATE)
    assert found.frequency == pytest.approx(200, abs=1)
    assert found.peak == pytest.approx(1.3, abs=1 / RATE)
    # The power's sigma is 0.02 / sqrt(2) s; 90 % lie within 1.645 of it on either side.
    assert found.duration == near(2 * 1.645 * 0.02 / np.sqrt(2), rel=0.03)
    assert found.snr == near(optimal_snr(sine_gaussian(), np.ones(2 * RATE + 1), RATE))
