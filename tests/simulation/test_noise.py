import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from closeness import near
from gwmorph.simulation.noise import HOP_S, DetectorNoise
from gwmorph.simulation.psd import noise_psd, spectral_lines

GPS = 1262301184
RATE = 2048


@pytest.fixture(scope="module")
def noise():
    return DetectorNoise("H1", RATE, 5)


@pytest.fixture(scope="module")
def stretch(noise):
    return noise.strain(GPS, GPS + 1024)


@settings(max_examples=10)
@given(start=st.integers(0, 200), length=st.integers(1, 100))
def test_any_span_holds_the_same_samples(stretch, start, length):
    again = DetectorNoise("H1", RATE, 5).strain(GPS + start, GPS + start + length)
    assert again.tobytes() == stretch[start * RATE : (start + length) * RATE].tobytes()


def test_spectrum_is_the_model_within_its_statistical_error(noise, stretch):
    level = noise.level(np.arange(GPS, GPS + 1024.0))
    f, measured = signal.welch(stretch, RATE, nperseg=4 * RATE, noverlap=0)
    clear = (f > 22) & (f < 840)
    for line in spectral_lines("H1", RATE):
        clear &= np.abs(f - line.frequency) > 2
    ratio = (measured / noise_psd("H1", f, RATE))[clear] / np.mean(level**2)
    spectra = 256
    assert np.mean(ratio) == pytest.approx(1, abs=4 / np.sqrt(spectra * clear.sum()) + 0.005)
    assert np.std(ratio) == near(1 / np.sqrt(spectra), rel=0.15)
    # No octave is off: an error that grows with frequency would hide in the mean over all bins.
    for low in (22, 45, 90, 180, 360):
        octave = ratio[(f[clear] >= low) & (f[clear] < 2 * low)]
        assert np.mean(octave) == pytest.approx(1, abs=4 / np.sqrt(spectra * len(octave)) + 0.01)


def test_lines_have_the_power_of_the_model():
    """In the mean over seeds, since amplitudes wander by 15 % and the level by 8 %."""
    seeds, lines = range(24), spectral_lines("H1", RATE)
    f = np.arange(2 * RATE + 1) / 4
    around = [np.abs(f - line.frequency) < 1.5 for line in lines]
    model = noise_psd("H1", f, RATE)
    ratios = np.empty((len(seeds), len(lines)))
    for seed in seeds:
        strain = DetectorNoise("H1", RATE, seed).strain(GPS, GPS + 32)
        measured = signal.welch(strain, RATE, nperseg=4 * RATE)[1]
        ratios[seed] = [measured[near_it].sum() / model[near_it].sum() for near_it in around]
    # A fluctuation of exp(0.15 x) twice, of the level likewise.
    expected = np.exp(2 * (0.15**2 + 0.08**2))
    assert np.mean(ratios) == near(expected, rel=0.1)
    assert np.abs(ratios.mean(axis=0) / expected - 1).max() < 0.35


def test_nothing_happens_at_chunk_and_block_borders(stretch):
    high_passed = signal.sosfiltfilt(
        # Below 60 Hz there are too few cycles at the borders to know their power.
        signal.butter(8, [60, 800], "bandpass", fs=RATE, output="sos"),
        stretch,
    )
    freed = signal.sosfiltfilt(
        np.vstack([signal.tf2sos(*signal.iirnotch(f, 20, RATE)) for f in (60, 331.875, 503)]),
        high_passed,
    )
    seconds = freed[RATE:-RATE].reshape(-1, RATE)
    # Second 0 of this array is second 1 of the stretch.
    borders = np.arange(HOP_S - 1, len(seconds), HOP_S)
    wide = 64
    joints = np.array([freed[(b + 1) * RATE - wide : (b + 1) * RATE + wide] for b in borders])
    assert joints.std() == near(seconds.std(), rel=0.05)
    assert np.abs(joints).max() < 6 * seconds.std()
    # A step of the strong noise below 10 Hz would give one large difference between neighbours.
    steps = np.abs(np.diff(stretch))
    joint_steps = steps[HOP_S * RATE - 1 :: HOP_S * RATE]
    assert joint_steps.max() < np.quantile(steps, 0.9999) * 1.5
    assert np.median(joint_steps) == near(np.median(steps), rel=0.5)


def test_variance_is_the_same_throughout_a_chunk(stretch, noise):
    level = np.repeat(noise.level(np.arange(GPS, GPS + 1024) + 0.5), RATE)
    whitened = signal.sosfilt(
        signal.butter(4, [100, 300], "bandpass", fs=RATE, output="sos"), stretch / level
    )
    by_phase = whitened.reshape(-1, HOP_S, RATE).var(axis=(0, 2))
    # 32 hops x 1 s x 200 Hz of bandwidth: 1.3 % statistical error each.
    assert np.abs(by_phase[1:] / by_phase[1:].mean() - 1).max() < 0.08


def test_seeds_and_detectors_are_independent(stretch):
    # Between 180 and 240 Hz: the mains' harmonics would correlate at any two sites.
    band = signal.butter(8, [195, 225], "bandpass", fs=RATE, output="sos")
    ours = signal.sosfilt(band, stretch[: 64 * RATE])
    for other in (DetectorNoise("H1", RATE, 6), DetectorNoise("L1", RATE, 5)):
        theirs = signal.sosfilt(band, other.strain(GPS, GPS + 64))
        settled = slice(4 * RATE, None)
        assert abs(np.corrcoef(ours[settled], theirs[settled])[0, 1]) < 0.08


def test_level_breathes_slowly_by_ten_to_twenty_percent(noise):
    times = np.arange(GPS, GPS + 86400.0)
    level = noise.level(times)
    assert 0.05 < level.std() < 0.15
    assert 0.6 < level.min() < 0.9
    assert 1.1 < level.max() < 1.5
    assert np.abs(np.diff(level)).max() < 0.005
    assert np.array_equal(noise.level(times[500:600]), level[500:600])


def test_lines_wander_without_jumps(noise, stretch):
    times = np.arange(len(stretch)) / RATE
    rotated = stretch * np.exp(-2j * np.pi * 60 * times)
    envelope = signal.decimate(signal.decimate(rotated, 16, ftype="fir"), 16, ftype="fir")[
        80:-80
    ]  # 8 Hz; edges belong to the filter
    smooth = np.convolve(envelope, np.hanning(24) / np.hanning(24).sum(), mode="valid")
    turns = np.abs(np.diff(np.unwrap(np.angle(smooth))))
    assert turns.max() < 0.2
    assert 0.02 < np.abs(smooth).std() / np.abs(smooth).mean() < 0.5
