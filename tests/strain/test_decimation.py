"""The anti-alias filter, and decimation of gappy data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closeness import near
from gwmorph.strain.decimation import PASS_BAND, STOP_BAND_DB, anti_alias_filter, decimate

RATE = 16384


def tone(frequency: float, seconds: int = 2, rate: int = RATE) -> np.ndarray:
    return np.cos(2 * np.pi * frequency * np.arange(seconds * rate) / rate + 0.3)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_the_filter_passes_its_band_and_stops_from_the_new_nyquist_on(factor: int) -> None:
    taps = anti_alias_filter(factor)
    response = np.fft.rfft(taps, 1 << 18)
    frequency = np.fft.rfftfreq(1 << 18) * 2 * factor  # of the new Nyquist
    assert np.array_equal(taps, taps[::-1])
    assert (len(taps) // 2) % factor == 0
    assert np.abs(np.abs(response[frequency <= PASS_BAND]) - 1).max() < 1e-4
    assert np.abs(response[frequency >= 1]).max() < 1.5 * 10 ** (-STOP_BAND_DB / 20)


@pytest.mark.parametrize("frequency", [30.0, 500.0, 1700.0])
def test_tones_in_the_band_keep_amplitude_and_phase(frequency: float) -> None:
    inner = slice(100, -100)
    expected = tone(frequency, rate=4096)[inner]
    assert np.abs(decimate(tone(frequency), 4)[inner] - expected).max() < 1e-4


@pytest.mark.parametrize("frequency", [2100.0, 3000.0, 4096.0, 5000.0, 8000.0])
def test_tones_above_the_new_nyquist_vanish(frequency: float) -> None:
    assert np.abs(decimate(tone(frequency), 4)[100:-100]).max() < 3e-5


def test_a_steep_line_is_kept_up_to_its_very_ends() -> None:
    line = 5 - 3.0 * np.arange(4096)
    assert decimate(line, 4) == pytest.approx(line[::4], abs=0.1)


@given(
    gaps=st.lists(st.tuples(st.integers(0, 4095), st.integers(1, 300)), max_size=5),
    factor=st.sampled_from([2, 4, 8]),
)
def test_missing_samples_are_missing_in_the_result_and_nowhere_else(
    gaps: list[tuple[int, int]], factor: int
) -> None:
    samples = np.full(4096, 2.5)
    for start, length in gaps:
        samples[start : start + length] = np.nan
    result = decimate(samples, factor)
    assert np.array_equal(np.isnan(result), np.isnan(samples.reshape(-1, factor)).any(axis=1))
    assert result[~np.isnan(result)] == near(2.5, rel=1e-4)


def test_a_gap_does_not_ring_in_coloured_data() -> None:
    slow = 1000 * tone(0.5)
    slow[RATE : RATE + 400] = np.nan
    expected = 1000 * tone(0.5, rate=4096)
    result = decimate(slow, 4)
    kept = ~np.isnan(result)
    assert np.abs(result[kept] - expected[kept]).max() < 0.5
