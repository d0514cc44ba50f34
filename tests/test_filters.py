import numpy as np
import pytest
from scipy import signal

from gwmorph.filters import (
    convolve,
    hann,
    hann_periodograms,
    kaiser_beta,
    kaiser_highpass,
    kaiser_lowpass,
    kaiser_size,
)

STOP_BAND_DB = 100.0


@pytest.mark.parametrize("size", [7, 8, 4097])
def test_hann_is_scipys(size):
    np.testing.assert_array_equal(hann(size), signal.windows.hann(size))


@pytest.mark.parametrize("transition", [0.4 * 10 / 2048, 0.4 * 20 / 2048, 0.11])
def test_size_and_shape_are_scipys(transition):
    size, beta = signal.kaiserord(STOP_BAND_DB, transition)
    assert kaiser_size(STOP_BAND_DB, transition) == size
    assert kaiser_beta(STOP_BAND_DB) == beta


@pytest.mark.parametrize("cutoff", [0.01, 0.225, 0.7])
def test_filters_are_scipys(cutoff):
    beta = kaiser_beta(STOP_BAND_DB)
    window = ("kaiser", beta)
    np.testing.assert_array_equal(
        kaiser_lowpass(401, cutoff, beta), signal.firwin(401, cutoff, window=window)
    )
    np.testing.assert_array_equal(
        kaiser_highpass(401, cutoff, beta),
        signal.firwin(401, cutoff, window=window, pass_zero=False),
    )


@pytest.mark.parametrize("sizes", [(1000, 301), (301, 1000), (5, 2)])
def test_convolution_is_scipys(sizes):
    a, b = (np.random.default_rng(size).standard_normal(size) for size in sizes)
    np.testing.assert_array_equal(convolve(a, b), signal.fftconvolve(a, b))


@pytest.mark.parametrize("sample_rate", [2048, 4096])
def test_periodograms_are_scipys(sample_rate):
    noise = 1e-21 * np.random.default_rng(1).standard_normal((3, 4 * sample_rate)).cumsum(axis=1)
    expected = signal.periodogram(noise, sample_rate, "hann")[1]
    np.testing.assert_array_equal(hann_periodograms(noise, sample_rate), expected)
