"""Noise spectra, whitening, and how far a sample's influence reaches."""

import numpy as np
import pytest
from gwpy.frequencyseries import FrequencySeries
from gwpy.timeseries import TimeSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt, sosfreqz, welch

from gwmorph.errors import StrainError
from gwmorph.spectra.band import Band
from gwmorph.spectra.conditioning import REACH_S, median_psd, whiten, whitening_filter

RATE = 2048
BAND = Band(20, 1700)
COLOUR = butter(2, [60, 300], "bandpass", fs=RATE, output="sos")


def coloured(seconds: int, seed: int) -> np.ndarray:
    """Noise with a broad hump at 60–300 Hz, in units of strain."""
    white = np.random.default_rng(seed).standard_normal(seconds * RATE)
    return 1e-21 * (sosfilt(COLOUR, white) + 0.05 * white)


def test_psd_of_known_noise():
    frequency, psd = np.fft.rfftfreq(4 * RATE, 1 / RATE), median_psd(coloured(512, 1), RATE, 4)
    inside = (frequency > 80) & (frequency < 250)
    _, response = sosfreqz(COLOUR, frequency[inside], fs=RATE)
    expected = 1e-42 * np.abs(response + 0.05) ** 2 * 2 / RATE
    ratio = psd[inside] / expected
    assert ratio.mean() == pytest.approx(1, abs=0.02)
    assert ratio.std() < 0.15


def test_a_loud_glitch_leaves_the_median_alone():
    quiet, loud = coloured(256, 2), coloured(256, 2)
    loud[100 * RATE : 101 * RATE] += 1e-18
    ratio = median_psd(loud, RATE, 4) / median_psd(quiet, RATE, 4)
    assert np.median(np.abs(ratio - 1)) < 0.02


@pytest.mark.parametrize("segment_s", [2, 4])
def test_whitened_noise_is_flat_inside_the_band_and_absent_outside(segment_s):
    strain = coloured(512, 3)
    psd = median_psd(strain, RATE, segment_s)
    white = whiten(strain, whitening_filter(psd, RATE, BAND), RATE, 0)
    inner = white[4 * RATE : -4 * RATE].astype(float)
    frequency, psd = welch(inner, RATE, "blackmanharris", 2 * RATE, detrend=False)
    inside = (frequency > 21) & (frequency < BAND.upper(RATE))
    assert psd[inside].mean() * RATE / 2 == pytest.approx(1, abs=0.03)
    assert psd[inside].std() * RATE / 2 < 0.15
    assert psd[(frequency < 11)].max() < 1e-6 * psd[inside].mean()


def test_whitening_agrees_with_gwpys():
    strain = coloured(64, 4)
    psd = median_psd(strain, RATE, 4)
    ours = whiten(strain, whitening_filter(psd, RATE, BAND), RATE, 0)
    series = TimeSeries(strain, sample_rate=RATE, epoch=0)
    theirs = series.whiten(asd=FrequencySeries(np.sqrt(psd), df=0.25), fduration=4, highpass=15)
    spectra = [np.fft.rfft(x[8 * RATE : -8 * RATE]) for x in (ours.astype(float), theirs.value)]
    frequency = np.fft.rfftfreq(48 * RATE, 1 / RATE)
    a, b = (s[(frequency > 25) & (frequency < 800)] for s in spectra)
    assert abs(np.vdot(a, b)) / np.sqrt(np.vdot(a, a).real * np.vdot(b, b).real) > 0.999


def test_a_seismic_wall_does_not_leak_into_the_band():
    """Motion below 3 Hz a million times above the noise, as in raw strain."""
    white = np.random.default_rng(5).standard_normal(256 * RATE)
    wall = sosfilt(butter(10, 3, "low", fs=RATE, output="sos"), white[::-1]) * 1e6
    clean, dirty = 1e-21 * white, 1e-21 * (white + wall)
    taps = whitening_filter(median_psd(dirty, RATE, 4), RATE, BAND)
    a, b = (whiten(x, taps, RATE, 0)[8 * RATE : -8 * RATE] for x in (clean, dirty))
    assert np.std(b - a) < 0.02 * np.std(a)


def test_influence_reaches_no_further_than_stated():
    taps = whitening_filter(median_psd(coloured(64, 6), RATE, 4), RATE, BAND)
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-9 * np.abs(taps).max())
    assert len(taps) == 2 * REACH_S * RATE + 1
    quiet, poked = coloured(128, 7), coloured(128, 7)
    poked[64 * RATE] += 1e-15
    difference = whiten(poked, taps, RATE, 0) != whiten(quiet, taps, RATE, 0)
    touched = np.abs(np.flatnonzero(difference) - 64 * RATE)
    loud = np.abs(whiten(poked, taps, RATE, 0) - whiten(quiet, taps, RATE, 0)) > 1e-3
    assert np.abs(np.flatnonzero(loud) - 64 * RATE).max() <= REACH_S * RATE
    assert touched.max() <= (32 + 2 * REACH_S) * RATE  # rounding within one FFT at most


@settings(max_examples=10)
@given(cut=st.integers(1, 70), start=st.integers(0, 10**9))
def test_samples_do_not_depend_on_where_the_stretch_starts(cut, start):
    strain = coloured(128, 8)
    taps = whitening_filter(median_psd(strain, RATE, 4), RATE, BAND)
    whole = whiten(strain, taps, RATE, start)[(cut + REACH_S) * RATE : -REACH_S * RATE]
    part = whiten(strain[cut * RATE :], taps, RATE, start + cut)
    np.testing.assert_allclose(part[REACH_S * RATE : -REACH_S * RATE], whole, atol=1e-6)


def test_constant_strain_has_no_whitening_filter():
    psd = median_psd(np.zeros(16 * RATE), RATE, 4)
    with pytest.raises(StrainError, match="noise spectrum is zero"):
        whitening_filter(psd, RATE, BAND)


def test_less_than_one_segment_is_refused():
    with pytest.raises(ValueError, match="fewer than one segment"):
        median_psd(np.zeros(3 * RATE), RATE, 4)


def test_band_edges_are_as_steep_as_stated():
    """100 dB between low and 0.6 low, and nothing left 8 % above high."""
    band = Band(20, 400)
    white = np.full(4 * RATE // 2 + 1, 2 / RATE)
    taps = whitening_filter(white, RATE, band)
    gain = np.abs(np.fft.rfft(taps))
    f = np.fft.rfftfreq(len(taps), 1 / RATE)
    assert np.abs(gain[(f > 20.5) & (f < 399)] - 1).max() < 0.01
    assert gain[f < 12].max() < 1e-4
    assert gain[(f > 1.085 * 400) & (f < 0.99 * RATE / 2)].max() < 1e-3
    assert 0.4 < gain[np.argmin(np.abs(f - 1.04 * 400))] < 0.6
