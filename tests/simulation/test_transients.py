from pathlib import Path

import numpy as np
import pytest
from scipy import fft, signal

from closeness import near
from gwmorph.simulation.loudness import measure
from gwmorph.simulation.population import load_population
from gwmorph.simulation.psd import background_psd
from gwmorph.simulation.streams import stream
from gwmorph.simulation.transients import MORPHOLOGIES, SHAPES, colour, pulses, sweep

RATE = 4096
CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def population():
    return load_population(CONFIG / "population.yaml")


@pytest.fixture(scope="module", params=["population.yaml", "population_o3.yaml"])
def either(request):
    return load_population(CONFIG / request.param)


def drawn(population, name, number):
    """Times, whitened waveform and parameters of one example."""
    rng = stream(3, "example", name, number)
    ranges = population.glitches[name].parameters
    morphology = population.shape_of(name)
    parameters = {key: ranges[key].draw(rng) for key in sorted(ranges)}
    if "mains_hz" in morphology.parameters:
        parameters["mains_hz"] = 60.0
    half = 2 ** int(np.ceil(np.log2(morphology.reach(parameters) + 1)))
    times = np.arange(-half * RATE, half * RATE) / RATE
    return times, morphology.shape(times, parameters, rng), parameters


def white(size):
    return np.ones(size // 2 + 1)


def test_there_are_at_least_fourteen():
    assert len(MORPHOLOGIES) >= 14


@pytest.mark.parametrize("name", sorted(MORPHOLOGIES))
def test_waveforms_are_finite_and_end_smoothly(either, name):
    for number in range(4):
        times, wave, _ = drawn(either, name, number)
        assert wave.shape == times.shape
        assert np.isfinite(wave).all()
        edge = int(0.3 * RATE)
        ends = np.concatenate([wave[:edge], wave[-edge:]])
        assert np.abs(ends).max() < 2e-3 * np.abs(wave).max()


@pytest.mark.parametrize("name", sorted(MORPHOLOGIES))
def test_equal_streams_give_equal_waveforms(either, name):
    assert np.array_equal(drawn(either, name, 0)[1], drawn(either, name, 0)[1])
    assert not np.array_equal(drawn(either, name, 0)[1], drawn(either, name, 1)[1])


def test_colour_is_undone_by_whitening_and_leaves_nothing_below_9_hz(population):
    times, wave, _ = drawn(population, "blip", 1)
    psd = background_psd("L1", fft.rfftfreq(len(times), 1 / RATE), RATE)
    strain = colour(wave, psd, RATE)
    frequencies = fft.rfftfreq(len(times), 1 / RATE)
    spectrum = fft.rfft(strain)
    whitened = fft.irfft(np.where(frequencies > 20, spectrum / np.sqrt(psd), 0), len(times))
    passed = fft.irfft(np.where(frequencies > 20, fft.rfft(wave), 0), len(times))
    assert np.abs(whitened - passed).max() < 0.02 * np.abs(passed).max()
    slow = np.abs(spectrum[frequencies < 8]).max()
    assert slow < 1e-2 * np.abs(spectrum).max()
    assert strain[0] == strain[-1] == 0


def test_pulse_stands_at_its_centre_and_frequency():
    times = np.arange(-2 * RATE, 2 * RATE) / RATE
    wave = pulses(times, np.array([0.4]), 150.0, 0.3)
    found = measure(wave, white(len(times)), RATE)
    assert times[0] + found.peak == pytest.approx(0.4, abs=1 / RATE)
    assert found.frequency == near(150, rel=0.05)


def test_sweep_follows_its_frequency_and_is_silent_near_nyquist():
    times = np.arange(4 * RATE) / RATE
    wave = sweep(times, 100 + 700 * times, np.ones_like(times))
    f, t, power = signal.spectrogram(wave, RATE, nperseg=512, noverlap=256)
    inside = (t > 0.5) & (t < 2.0)
    loudest = f[np.argmax(power[:, inside], axis=0)]
    assert np.abs(loudest - (100 + 700 * t[inside])).max() < 20
    assert np.abs(wave[times > 2.6]).max() < 1e-9  # beyond 1843 Hz


@pytest.mark.parametrize("number", range(3))
def test_power_line_burst_is_at_the_mains(population, number):
    times, wave, parameters = drawn(population, "power_line", number)
    found = measure(wave, white(len(times)), RATE)
    assert found.frequency == pytest.approx(60 + parameters["offset_hz"], abs=0.5)


@pytest.mark.parametrize("number", range(3))
def test_violin_ring_starts_at_the_anchor_and_lies_near_500_and_1000_hz(population, number):
    times, wave, _ = drawn(population, "violin_mode_ring", number)
    power = wave**2
    assert power[times < -0.03].sum() < 1e-3 * power.sum()
    spectrum = np.abs(fft.rfft(wave)) ** 2
    f = fft.rfftfreq(len(times), 1 / RATE)
    near = (np.abs(f - 505) < 90) | (np.abs(f - 1005) < 170)
    assert spectrum[near].sum() > 0.8 * spectrum.sum()


def test_scattered_light_draws_arches_and_harmonics():
    parameters = {
        "frequency_hz": 40.0, "arch_s": 4.0, "arches": 1.0, "harmonics": 2.0, "decay": 0.6,
    }  # fmt: skip
    times = np.arange(-4 * RATE, 4 * RATE) / RATE
    wave = MORPHOLOGIES["scattered_light"].shape(times, parameters, stream(1, "arch"))
    f, t, power = signal.spectrogram(wave, RATE, nperseg=RATE // 2, noverlap=RATE // 4, nfft=4096)
    t = t + times[0]
    lower = f < 45
    for moment in (-1.0, 0.0, 1.0):
        column = power[:, np.argmin(np.abs(t - moment))]
        expected = 40 * np.cos(np.pi * moment / 4)
        assert f[lower][np.argmax(column[lower])] == pytest.approx(expected, abs=3)
    middle = power[:, np.argmin(np.abs(t))]
    second = (f > 70) & (f < 90)
    assert middle[second].max() > 20 * np.median(middle[f > 120])


def test_repetitions_repeat():
    parameters = {"frequency_hz": 150.0, "octaves": 0.7, "interval_s": 0.5, "count": 5.0}
    times = np.arange(-4 * RATE, 4 * RATE) / RATE
    wave = MORPHOLOGIES["repeating_blips"].shape(times, parameters, stream(1, "train"))
    envelope = np.abs(signal.hilbert(wave))
    peaks, _ = signal.find_peaks(envelope, height=0.25 * envelope.max(), distance=RATE // 8)
    assert len(peaks) == 5
    assert np.abs(np.diff(times[peaks]) - 0.5).max() < 0.3


def test_whistle_bends(population):
    parameters = {"frequency_hz": 300.0, "sweep_hz": 800.0, "duration_s": 1.0, "exponent": 1.0}
    times = np.arange(-2 * RATE, 2 * RATE) / RATE
    wave = MORPHOLOGIES["whistle"].shape(times, parameters, stream(2, "whistle"))
    f, t, power = signal.spectrogram(wave, RATE, nperseg=256, noverlap=192)
    t = t + times[0]
    track = [f[np.argmax(power[:, np.argmin(np.abs(t - moment))])] for moment in (-0.35, 0, 0.35)]
    assert track[0] == pytest.approx(track[2], abs=60)
    assert abs(track[0] - track[1]) == pytest.approx(0.7 * 800, abs=120)


def test_beat_notes_pass_their_minimum_as_often_as_they_are_told():
    parameters = {
        "frequency_hz": 150.0,
        "sweep_hz": 700.0,
        "duration_s": 0.8,
        "exponent": 1.0,
        "count": 2.0,
        "interval_s": 0.6,
        "fall": 0.0,
    }
    times = np.arange(-2 * RATE, 2 * RATE) / RATE
    wave = SHAPES["beat_note"].shape(times, parameters, stream(1, "beat"))
    f, _, power = signal.spectrogram(wave, RATE, nperseg=200, noverlap=168, nfft=RATE)
    loud = power.max(axis=0) > 0.1 * power.max()
    loudest = f[power.argmax(axis=0)][loud]
    low = (loudest < 300).astype(int)
    assert (np.diff(low) == 1).sum() == 2
    assert loudest.max() > 500


def test_many_bounces_lie_at_equal_distances_and_any_may_be_the_loudest():
    parameters = {
        "frequency_hz": 40.0,
        "order": 4.0,
        "above": 1.0,
        "decay": 0.9,
        "arch_s": 8.0,
        "arches": 1.0,
    }
    times = np.arange(-8 * RATE, 8 * RATE) / RATE
    wave = SHAPES["many_bounces"].shape(times, parameters, stream(4, "arches"))
    top = wave[np.abs(times) < 0.4]
    power = np.abs(fft.rfft(top * np.hanning(len(top)), 8 * RATE)) ** 2
    f = fft.rfftfreq(8 * RATE, 1 / RATE)
    peaks = f[signal.find_peaks(power, height=0.01 * power.max())[0]]
    assert abs(f[power.argmax()] - 40) < 1.5
    # The slowest, 10 Hz, is below what is heard; the others are 10 Hz apart.
    assert np.allclose(sorted(peaks[(peaks > 15) & (peaks < 55)]), [20, 30, 40, 50], atol=1.5)


def test_a_rumble_lies_under_its_spikes():
    parameters = {
        "frequency_hz": 28.0,
        "rumble_octaves": 0.3,
        "spike_hz": 80.0,
        "octaves": 1.0,
        "spike": 1.0,
        "duration_s": 3.0,
        "count": 5.0,
    }
    times = np.arange(-6 * RATE, 6 * RATE) / RATE
    wave = SHAPES["rumble"].shape(times, parameters, stream(5, "rumble"))
    low, high = (
        np.abs(
            signal.hilbert(
                signal.sosfiltfilt(signal.butter(4, b, "band", fs=RATE, output="sos"), wave)
            )
        )
        for b in ((20, 40), (200, 800))
    )
    long, short = ((envelope > 0.3 * envelope.max()).mean() for envelope in (low, high))
    assert long > 5 * short
    assert abs(times[high.argmax()]) < 0.5 * parameters["duration_s"]


def test_fast_scattering_bends_down_to_six_tenths_on_either_side():
    times = np.arange(-2 * RATE, 2 * RATE) / RATE
    ranges = {"count": 1, "interval_s": 1.0, "frequency_hz": 100.0}
    wave = SHAPES["fast_scattering"].shape(times, ranges, np.random.default_rng(4))
    analytic = signal.hilbert(wave)
    centre, track = np.argmax(np.abs(analytic)), np.diff(np.unwrap(np.angle(analytic)))
    hertz = np.convolve(track, np.full(64, 1 / 64), "same") * RATE / (2 * np.pi)
    assert hertz[centre] == pytest.approx(100, abs=3)
    for away in (-0.4, 0.4):  # two standard deviations of the hump
        expected = 100 * (0.6 + 0.4 * np.exp(-2))
        assert hertz[centre + int(away * RATE)] == pytest.approx(expected, abs=5)


def test_a_sweep_is_silent_below_5_hz_and_whole_from_10_hz_on():
    times = np.arange(8 * RATE) / RATE
    for frequency, expected in ((4.9, 0.0), (7.5, 0.5), (10.0, 1.0), (40.0, 1.0)):
        wave = sweep(times, np.full(len(times), frequency), np.ones_like(times))
        assert np.abs(wave).max() == pytest.approx(expected, abs=1e-3)
