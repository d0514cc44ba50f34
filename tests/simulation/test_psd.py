import lal
import lalsimulation
import numpy as np
import pytest

from closeness import near
from gwmorph.errors import ConfigError
from gwmorph.simulation.psd import (
    DETECTORS,
    antialias_gain,
    background_psd,
    noise_psd,
    spectral_lines,
)


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("rate", [2048, 4096, 16384])
def test_psd_is_positive_and_finite_from_zero_to_nyquist(detector, rate):
    psd = noise_psd(detector, np.linspace(0, rate / 2, 5001), rate)
    assert np.isfinite(psd).all()
    assert psd.min() > 0
    assert psd.max() < (1e-16) ** 2


@pytest.mark.parametrize(
    ("detector", "model"),
    [
        ("H1", "SimNoisePSDaLIGOaLIGOO3LowT1800545"),
        ("L1", "SimNoisePSDaLIGOaLIGOO3LowT1800545"),
        ("V1", "SimNoisePSDAdVO3LowT1800545"),
        ("K1", "SimNoisePSDKAGRA25MpcT1800545"),
    ],
)
def test_background_is_the_published_curve_in_band(detector, model):
    series = lal.CreateREAL8FrequencySeries(
        "", lal.LIGOTimeGPS(0), 0.0, 1.0, lal.DimensionlessUnit, 2049
    )
    getattr(lalsimulation, model)(series, 9.0)
    f = np.arange(45, 1690)
    np.testing.assert_allclose(
        background_psd(detector, f, 4096), series.data.data[45:1690], rtol=0.02
    )


def test_geo_is_the_analytic_curve():
    expected = [lalsimulation.SimNoisePSDGEOHF(f) for f in (100.0, 800.0)]
    np.testing.assert_allclose(background_psd("G1", [100.0, 800.0], 4096), expected, rtol=1e-3)


def test_low_frequencies_are_those_of_published_files():
    asd = np.sqrt(background_psd("H1", np.array([2.0, 6.0, 10.0, 20.0]), 4096))
    assert asd[0] < 1e-22
    np.testing.assert_allclose(asd[1:], [1.5e-19, 2e-20, 1.3e-22], rtol=0.1)


def test_decimation_filter_leaves_the_trusted_band_alone():
    assert antialias_gain(1690, 4096) == 1
    assert antialias_gain(2000, 4096) < 0.01
    assert antialias_gain(2000, 16384) == 1


@pytest.mark.parametrize(("detector", "mains"), [("H1", 60), ("L1", 60), ("V1", 50)])
def test_lines_are_mains_and_violin_modes(detector, mains):
    frequencies = [line.frequency for line in spectral_lines(detector, 4096)]
    assert {mains, 2 * mains, 3 * mains} <= set(frequencies)
    for centre in (500, 1000):
        assert sum(abs(f - centre) < 30 for f in frequencies) >= 4


def test_a_line_adds_its_power():
    f = np.arange(0, 2048, 0.01)
    mains = spectral_lines("V1", 4096)[0]
    around = np.abs(f - mains.frequency) < 5
    added = (noise_psd("V1", f, 4096) - background_psd("V1", f, 4096))[around].sum() * 0.01
    assert added == near(0.5 * mains.amplitude**2, rel=1e-3)


def test_unknown_detector_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'A1'.*H1, L1, V1"):
        background_psd("A1", np.array([100.0]), 4096)
