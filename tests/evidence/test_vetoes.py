"""Vetoes are judged as one would by looking at every second and every trigger."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist

from closeness import near
from gwmorph.evidence.vetoes import dead_time, judge_veto, segments_around, spans

GPS = 1262301184


def in_ms(*pairs: tuple[float, float]) -> segmentlist:
    return segmentlist(segment(round(1000 * a), round(1000 * b)) for a, b in pairs)


def test_segments_hold_what_they_are_made_around():
    found = segments_around([GPS + 0.1234, GPS + 0.5], [GPS + 0.25, GPS + 0.70312], 0.0625)
    assert found == in_ms((GPS + 0.060, GPS + 0.313), (GPS + 0.437, GPS + 0.766))
    whole = segments_around([GPS + 0.1234, GPS + 1.5], [GPS + 0.2, GPS + 1.7], 0.0, 1000)
    assert whole == in_ms((GPS, GPS + 2))  # they touch, and are one
    assert segments_around([], [], 0.1) == segmentlist()


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 900), st.integers(1, 300)), max_size=12
    ),
    st.lists(st.integers(0, 6500), max_size=20),
)
def test_figures_are_those_of_every_millisecond(cuts, peaks):
    """Against a list of milliseconds, each vetoed or not."""
    vetoes = segmentlist(segment(a + b, a + b + length) for a, b, length in cuts).coalesce()
    analysed = segmentlist([segment(0, 4000), segment(4500, 7000)])
    vetoes &= analysed
    line = np.zeros(8000, bool)
    for start, stop in vetoes:
        line[start:stop] = True
    live = np.zeros(8000, bool)
    live[0:4000] = live[4500:7000] = True
    found = judge_veto(vetoes, analysed, np.array(peaks, float) / 1000)
    hit = [peak for peak in peaks if line[peak]]
    assert (found.triggers, found.vetoed) == (len(peaks), len(hit))
    holding = [s for s in vetoes if any(s[0] <= peak < s[1] for peak in peaks)]
    assert found.used == len(holding)
    assert dead_time(vetoes, analysed) == near((line & live).sum() / live.sum())
    if peaks:
        assert found.efficiency == near(len(hit) / len(peaks))
    else:
        assert isnan(found.efficiency)
    if vetoes:
        assert found.use_percentage == near(100 * len(holding) / len(vetoes))
    else:
        assert isnan(found.use_percentage)
        assert isnan(found.efficiency_over_dead_time)


def test_a_veto_that_knows_nothing_has_a_ratio_of_one():
    rng = np.random.default_rng(3)
    starts = GPS + rng.uniform(0, 3999, 60)
    analysed = in_ms((GPS, GPS + 4000))
    vetoes = segments_around(starts, starts + 0.5, 0.1) & analysed
    found = judge_veto(vetoes, analysed, GPS + rng.uniform(0, 4000, 20_000))
    assert found.efficiency_over_dead_time == pytest.approx(1, abs=0.1)


def test_windows_that_overlap_count_once():
    assert spans([GPS, GPS + 16, GPS + 64], 32) == in_ms((GPS, GPS + 48), (GPS + 64, GPS + 96))
    assert isnan(dead_time(segmentlist(), segmentlist()))
