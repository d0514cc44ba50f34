"""What is known beforehand is marked where a user looks."""

import pyarrow as pa
import pytest

from filled import filled
from gwmorph.evidence.known_events import Injected, find_known, flag, known_spans
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.report.flags import known_as, known_in, known_members, name_of
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.known_events import CATALOG, FLAGGED

START = 1262301184


def trigger(time: float, view: bool = True) -> dict:
    """A trigger of H1, ``time`` s after the start."""
    peak = START + time
    own = {"gps_start": int(peak // 32 * 32), "peak_time": peak, "snr": 9.0, "view": view}
    return own | {"detector": "H1", "tstart": peak - 0.1, "tend": peak + 0.1}


LEDGER_ROWS = pa.Table.from_pylist(
    [
        *(analysed_row("H1", START + 32 * n, 32, START) for n in range(4)),
        excluded_row("H1", START + 128, 32, START, reason=Reason.NAN, detail="x"),
        analysed_row("L1", START, 32, START),
    ],
    schema=LEDGER,
)
TRIGGER_ROWS = filled(
    TRIGGERS, trigger(10.25), trigger(40.5), trigger(70.5), trigger(70.75, False)
)


def member(number: int, start: int, time: float | None = None, detector: str = "H1") -> dict:
    peak = None if time is None else START + time
    own = {"gps_start": START + start, "trigger_time": peak, "cluster": number}
    return own | {"detector": detector, "view": "window" if time is None else "event"}


@pytest.fixture
def flagged() -> pa.Table:
    """An event at 10.2 s, two injections of one kind and one of another, an event in the NaNs."""
    catalog = [
        {"name": name, "gps_time": START + time, "version": 1, "release": "R", "detectors": None}
        for name, time in (("GW1", 10.2), ("GW2", 140.0))
    ]
    injected = [
        Injected("H1", "cbc", START + 40, START + 41),
        Injected("H1", "cbc", START + 50, START + 52),
        Injected("H1", "burst", START + 40, START + 42),
    ]
    spans = known_spans(pa.Table.from_pylist(catalog, schema=CATALOG), injected, ["H1", "L1"])
    span = (START, START + 160)
    return flag(find_known(spans, LEDGER_ROWS, TRIGGER_ROWS, span, ["H1", "L1"], 0.5), LEDGER_ROWS)


def test_events_are_marked_with_all_that_they_show(flagged):
    rows = filled(CLUSTERS, member(0, 0, 10.25), member(0, 32, 40.5), member(1, 64, 70.5))
    assert known_as(rows, flagged) == ["GW1", "burst injection, cbc injection", ""]
    assert known_members(rows, flagged) == {0: 2, 1: 0}


def test_windows_are_marked_by_what_lies_in_them_found_or_not(flagged):
    rows = filled(
        CLUSTERS, member(2, 0), member(2, 32), member(2, 64), member(3, 0, detector="L1")
    )
    assert known_as(rows, flagged) == ["GW1", "burst injection, cbc injection", "", "GW1"]
    assert known_members(rows, flagged) == {2: 2, 3: 1}


def test_what_was_analysed_and_shows_something_known_is_counted_once(flagged):
    assert known_in(flagged, LEDGER_ROWS, TRIGGER_ROWS, "H1") == {
        "known_windows": 2,  # the one with GW2 was lost
        "known_events": 2,  # two injections in one
    }
    assert known_in(flagged, LEDGER_ROWS, TRIGGER_ROWS, "L1") == {
        "known_windows": 1,
        "known_events": 0,
    }
    without = filled(TRIGGERS, trigger(10.25, view=False))
    assert known_in(flagged, LEDGER_ROWS, without, "H1")["known_events"] == 0


def test_nothing_known_marks_nothing():
    nothing = FLAGGED.empty_table()
    rows = filled(CLUSTERS, member(0, 0, 10.25))
    assert known_as(rows, nothing) == [""]
    assert known_members(rows, nothing) == {0: 0}
    assert known_as(CLUSTERS.empty_table(), nothing) == []
    assert known_members(CLUSTERS.empty_table(), nothing) == {}
    counts = {"known_windows": 0, "known_events": 0}
    assert known_in(nothing, LEDGER_ROWS, TRIGGER_ROWS, "H1") == counts


def test_an_injection_is_called_one():
    assert name_of({"name": "cbc", "kind": "injection"}) == "cbc injection"
    assert name_of({"name": "GW150914", "kind": "event"}) == "GW150914"
