"""The tiling is gwpy's, row by row."""

import warnings

import pytest
from gwpy.signal.qtransform import QTiling
from hypothesis import given, settings
from hypothesis import strategies as st

from gwmorph.errors import ConfigError
from gwmorph.spectra.band import Band
from gwmorph.spectra.tiling import Tiling


@settings(max_examples=20)
@given(
    duration=st.sampled_from([8, 20, 36, 40]),
    sample_rate=st.sampled_from([2048, 4096]),
    q_low=st.floats(4, 11),
    q_ratio=st.floats(1.5, 20),
    f_low=st.floats(10, 60),
    f_high=st.floats(200, 4096),
    mismatch=st.floats(0.1, 0.35),
)
def test_every_row_equals_gwpys(duration, sample_rate, q_low, q_ratio, f_low, f_high, mismatch):
    ours = Tiling(duration, sample_rate, q_low, q_low * q_ratio, f_low, f_high, mismatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = QTiling(
            duration, sample_rate, (q_low, q_low * q_ratio), (f_low, f_high), mismatch
        )
    assert list(ours.qs) == list(theirs.qs)
    for plane, reference in zip(ours.planes, theirs, strict=True):
        assert [row.frequency for row in plane] == list(reference.frequencies)
        for row, tile in zip(plane, reference, strict=True):
            assert row.tiles == tile.ntiles
            indices = tile.get_data_indices()
            assert (row.first, len(row.window)) == (indices[0], tile.windowsize)
            assert row.first + len(row.window) <= duration * sample_rate // 2 + 1


def test_top_of_the_band_for_4_khz_data():
    tiling = Tiling(36, 4096, 4, 64, 20, 2048, 0.2)
    assert tiling.f_top == pytest.approx(1291, abs=0.1)
    assert [round(q, 1) for q in tiling.qs] == [5.7, 11.3, 22.6, 45.3]


# -- the pass band --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("band", "q_low", "expected"),
    [
        (Band(20, 1700), 4, (20, 1291)),
        (Band(100, 1700), 4, (100, 1291)),
        (Band(20, 200), 4, (20, 200)),
        (Band(20, 1700), 60, (20, 1700)),
        (Band(10, 1700), 4, (20, 1291)),
    ],
)
def test_tiles_lie_inside_the_pass_band(band, q_low, expected):
    tiles = Tiling(36, 4096, q_low, 64, 20, 2048, 0.2).within(band)
    assert (tiles.f_low, tiles.f_top) == pytest.approx(expected, abs=0.2)
    frequencies = [row.frequency for plane in tiles.planes for row in plane]
    assert band.low_hz - 1 / 36 <= min(frequencies) < max(frequencies) <= band.high_hz


def test_a_tiling_that_ends_inside_the_pass_band_is_left_alone():
    tiles = Tiling(36, 4096, 4, 64, 20, 2048, 0.2)
    assert tiles.within(Band(20, 1700)) == tiles


@pytest.mark.parametrize(
    ("f_low", "f_high", "band"),
    [(20, 50, Band(100, 1700)), (300, 2048, Band(20, 200)), (1500, 2048, Band(20, 1700))],
    ids=["below the pass band", "above the pass band", "above what Q 4 reaches"],
)
def test_a_tiling_without_a_band_is_refused(f_low, f_high, band):
    with pytest.raises(ConfigError, match="no tiles from"):
        Tiling(36, 4096, 4, 64, f_low, f_high, 0.2).within(band)
