"""The tiling is gwpy's, row by row."""

import warnings

import pytest
from gwpy.signal.qtransform import QTiling
from hypothesis import given, settings
from hypothesis import strategies as st

from gwmorph.spectra.tiling import Tiling


@settings(deadline=None, max_examples=20)
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
