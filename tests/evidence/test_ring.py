import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist

from gwmorph.evidence.ring import CoincidenceError, Ring, analysed_time, coincident_ring
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.tables.block import LEDGER

START = 1262301184


def ledger_of(**starts):
    rows = [
        analysed_row(detector, START + 32 * number, 32, START)
        for detector, numbers in starts.items()
        for number in numbers
    ]
    lost = excluded_row("L1", START + 32 * 3, 32, START, reason=Reason.NAN, detail="")
    return pa.Table.from_pylist([*rows, lost], schema=LEDGER)


def test_the_ring_is_what_both_analysed():
    ring = coincident_ring(ledger_of(H1=[0, 1, 2, 3, 6], L1=[1, 2, 6, 7]), ["H1", "L1"])
    assert ring.starts.tolist() == [START + 32, START + 192]
    assert ring.ends.tolist() == [START + 96, START + 224]
    assert ring.livetime_s == 96


def test_windows_that_overlap_are_counted_once():
    rows = [analysed_row("H1", START + 16 * n, 32, START) for n in range(4)]
    assert abs(analysed_time(pa.Table.from_pylist(rows, schema=LEDGER), "H1")) == 80


def test_the_start_of_a_span_is_inside_and_its_end_is_not():
    ring = coincident_ring(ledger_of(H1=[1, 6], L1=[1, 6]), ["H1", "L1"])
    edges = np.array([31.999, 32, 63.999, 64, 191.999, 192, 223.999, 224, -1e9, 1e9]) + START
    expected = [False, True, True, False, False, True, True, False, False, False]
    assert ring.inside(edges).tolist() == expected


def test_without_time_together_the_error_has_the_own_times():
    with pytest.raises(CoincidenceError, match=r"H1 64 s, L1 32 s, and none of it together"):
        coincident_ring(ledger_of(H1=[0, 1], L1=[4]), ["H1", "L1"])
    with pytest.raises(CoincidenceError, match="L1 0 s"):
        coincident_ring(ledger_of(H1=[0, 1]), ["H1", "L1"])


SPANS = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=8)


@given(SPANS, st.floats(0, 0.999999))
def test_positions_go_back_to_their_times(spans, share):
    edges = START + np.cumsum(np.array(spans).ravel())
    ring = Ring.of(
        segmentlist(segment(*pair) for pair in edges.reshape(-1, 2).tolist()).coalesce()
    )
    position = np.array([share * ring.livetime_s])
    gps = ring.gps(position)
    assert ring.inside(gps)
    # As good as a GPS time in double precision is.
    assert np.abs(ring.position(gps) - position) < 1e-6
