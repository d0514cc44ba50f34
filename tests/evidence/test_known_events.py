"""Known events and injections against windows and triggers: found, missed, flagged, kept out."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist

from filled import filled
from gwmorph.evidence.known_events import (
    NO_DETECTOR,
    NO_SPAN,
    NO_TRIGGER,
    NO_WINDOW,
    Injected,
    chance,
    find_known,
    flag,
    free_segments,
    injected_in,
    injected_spans,
    known_spans,
    outside_known,
    shows_known,
    without_known,
)
from gwmorph.formats.gwosc_layout import NO_INJECTIONS
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.files import describe
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.known_events import CATALOG, FLAGGED, FOUND, KNOWN_EVENTS, KNOWN_SPANS
from gwosc_files import write_gwosc_file

START = 1_262_304_000
SPAN = (START, START + 4096)
ALL = ("cbc", "burst", "detchar", "cw", "stoch")


def catalog(**events: float) -> pa.Table:
    rows = [
        {"name": name, "gps_time": time, "version": 1, "release": "R", "detectors": None}
        for name, time in events.items()
    ]
    return pa.Table.from_pylist(rows, schema=CATALOG)


def spans_of(detectors=("H1",), injected=(), **events: float) -> pa.Table:
    return known_spans(catalog(**events), injected, list(detectors))


def windows(*starts: int, detector: str = "H1", lost: dict[int, Reason] | None = None) -> pa.Table:
    rows = [
        excluded_row(detector, start, 32, START, reason=(lost or {})[start], detail="x")
        if start in (lost or {})
        else analysed_row(detector, start, 32, START)
        for start in starts
    ]
    return pa.Table.from_pylist(rows, schema=LEDGER)


def triggers(*peaks: float, snr=10.0, long=0.2, detector: str = "H1") -> pa.Table:
    snrs = np.broadcast_to(snr, len(peaks))
    rows = [
        {
            "detector": detector,
            "gps_start": int(peak // 32 * 32),
            "peak_time": float(peak),
            "tstart": peak - long / 2,
            "tend": peak + long / 2,
            "snr": float(loud),
        }
        for peak, loud in zip(peaks, snrs, strict=True)
    ]
    return filled(TRIGGERS, *rows)


def found(spans, ledger, claimed, near_s=0.5, detectors=("H1",)) -> list[dict]:
    table = find_known(spans, ledger, claimed, SPAN, list(detectors), near_s)
    assert table.schema.equals(KNOWN_EVENTS)
    return table.to_pylist()


# -- injections -----------------------------------------------------------------------------


def test_stretches_of_unset_bits_are_injections_by_kind():
    mask = np.full(10, NO_INJECTIONS)
    mask[2:5] &= ~1
    mask[9] &= ~1
    mask[4:6] &= ~2
    assert injected_spans("H1", 100, mask, ALL) == [
        Injected("H1", "cbc", 102, 105),
        Injected("H1", "cbc", 109, 110),
        Injected("H1", "burst", 104, 106),
    ]


def test_continuous_waves_that_are_always_there_count_only_if_asked_for():
    mask = np.full(6, NO_INJECTIONS & ~8)  # as in all of O1 at L1
    assert injected_spans("L1", 0, mask, ("cbc", "burst", "detchar")) == []
    assert injected_spans("L1", 0, mask, ("cw",)) == [Injected("L1", "cw", 0, 6)]


def test_what_nobody_tells_is_no_injection():
    assert injected_spans("H1", 0, np.full(5, -1), ALL) == []


@given(st.lists(st.integers(-1, NO_INJECTIONS), max_size=60))
@settings(max_examples=50)
def test_stretches_hold_exactly_the_seconds_without_the_bit(values):
    mask = np.array(values, dtype=np.int64)
    for bit, kind in enumerate(ALL):
        stretches = injected_spans("H1", 7, mask, (kind,))
        seconds = [s - 7 for span in stretches for s in range(span.start, span.end)]
        assert seconds == [i for i, v in enumerate(values) if not v >> bit & 1]
        assert all(a.end < b.start for a, b in pairwise(stretches))


def receipt(path, detector="H1", start=START, seconds=64, rate=256, rank=0) -> LocalFile:
    file = StrainFile(detector, start, seconds, rate, str(path), rank=rank)
    return LocalFile.receipt(file, path, "gwosc")


def test_files_tell_of_injections_where_they_have_data(tmp_path):
    noise = np.random.default_rng(3).standard_normal(64 * 256)
    noise[40 * 256 : 50 * 256] = np.nan
    mask = np.full(64, NO_INJECTIONS)
    mask[10:12] &= ~2
    mask[40:50] = 0  # without data no bit means anything
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", START, noise, 256, injmask=mask)
    told = injected_in("H1", [receipt(path)], ALL)
    assert told.spans == [Injected("H1", "burst", START + 10, START + 12)]
    assert (told.told_s, told.untold_s) == (54, 10)


def test_an_injection_over_the_border_of_two_files_is_one(tmp_path):
    files = []
    for number in range(2):
        mask = np.full(64, NO_INJECTIONS)
        mask[[60, 61, 62, 63] if number == 0 else [0, 1]] &= ~1
        start = START + 64 * number
        path = tmp_path / f"{number}.hdf5"
        write_gwosc_file(path, "H1", start, np.ones(64 * 256), 256, injmask=mask)
        files.append(receipt(path, start=start))
    spans = injected_in("H1", files[::-1], ALL).spans
    assert spans == [Injected("H1", "cbc", START + 60, START + 66)]


# -- found, missed, not analysed ------------------------------------------------------------


def test_an_event_is_found_by_the_trigger_whose_span_holds_it():
    (row,) = found(
        spans_of(GW=START + 40.0), windows(START, START + 32), triggers(START + 10, START + 40.3)
    )
    assert (row["fate"], row["reason"], row["gps_start"]) == (FOUND, None, START + 32)
    assert row["trigger_time"] == START + 40.3
    assert row["offset_s"] == pytest.approx(0.3, abs=1e-6)


def test_of_several_the_nearest_peak_counts_for_an_event():
    claimed = triggers(START + 40.4, START + 39.9, START + 39.7, snr=[90, 9, 50])
    (row,) = found(spans_of(GW=START + 40.0), windows(START + 32), claimed)
    assert row["trigger_time"] == START + 39.9


@pytest.mark.parametrize(("away", "fate"), [(0.59, FOUND), (0.61, "missed")])
def test_a_trigger_is_near_as_far_as_asked_for(away, fate):
    # Half a trigger's length is 0.1 s.
    (row,) = found(spans_of(GW=START + 40.0), windows(START + 32), triggers(START + 40 - away))
    assert row["fate"] == fate


def test_each_reason_is_told():
    lost = {START + 64: Reason.DQ}
    spans = spans_of(
        ("H1", "V1"),
        MISSED=START + 40.0,
        LOST=START + 70.0,
        BEFORE=START - 5.0,
        AFTER=SPAN[1] + 5.0,
        OFF_GRID=START + 500.0,
    )
    rows = found(spans, windows(START, START + 32, START + 64, lost=lost), triggers())
    reasons = {
        row["name"]: (row["fate"], row["reason"]) for row in rows if row["detector"] == "H1"
    }
    assert reasons == {
        "MISSED": ("missed", NO_TRIGGER),
        "LOST": ("not analysed", "dq"),
        "BEFORE": ("not analysed", NO_SPAN),
        "AFTER": ("not analysed", NO_SPAN),
        "OFF_GRID": ("not analysed", NO_WINDOW),
    }
    assert {row["reason"] for row in rows if row["detector"] == "V1"} == {NO_DETECTOR}


def test_an_event_at_a_border_lies_in_the_later_window():
    lost = {START: Reason.GAP}
    (row,) = found(spans_of(GW=START + 32.0), windows(START, START + 32, lost=lost), triggers())
    assert (row["fate"], row["gps_start"]) == ("missed", START + 32)


def test_a_window_does_not_hold_its_end():
    (row,) = found(spans_of(GW=START + 32.0), windows(START), triggers())
    assert row["reason"] == NO_WINDOW


def test_of_windows_that_overlap_an_analysed_one_counts():
    lost = {START: Reason.NAN}
    (row,) = found(spans_of(GW=START + 20.0), windows(START, START + 16, lost=lost), triggers())
    assert (row["fate"], row["gps_start"]) == ("missed", START + 16)


def test_an_injection_is_found_by_its_loudest_trigger():
    spans = spans_of(injected=[Injected("H1", "cbc", START + 30, START + 70)])
    claimed = triggers(START + 35, START + 65, START + 80, snr=[9, 30, 99])
    (row,) = found(spans, windows(START, START + 32, START + 64), claimed)
    assert (row["fate"], row["trigger_time"], row["offset_s"]) == (FOUND, START + 65, 0)


def test_a_detector_that_a_release_names_and_the_run_has_not_is_told():
    events = catalog(GW=START + 40.0).set_column(
        4, CATALOG.field("detectors"), pa.array([["H1", "V1"]])
    )
    rows = found(known_spans(events, [], ["H1"]), windows(START + 32), triggers())
    assert {row["detector"]: row["reason"] for row in rows} == {
        "H1": NO_TRIGGER,
        "V1": NO_DETECTOR,
    }


def test_a_detector_that_a_release_does_not_name_is_told_from_one_of_which_it_is_silent():
    silent = catalog(GW1=START + 40.0, GW2=START + 50.0)
    events = silent.set_column(4, CATALOG.field("detectors"), pa.array([["L1"], None]))
    injected = [Injected("H1", "cbc", START + 60, START + 61)]
    spans = known_spans(events, injected, ["H1", "L1"])
    rows = found(spans, windows(START + 32), triggers(), detectors=("H1", "L1"))
    assert {(row["name"], row["detector"]): row["in_release"] for row in rows} == {
        ("GW1", "H1"): False,
        ("GW1", "L1"): True,
        ("GW2", "H1"): None,
        ("GW2", "L1"): None,
        ("cbc", "H1"): None,
    }


def test_nothing_known_gives_empty_tables():
    spans = spans_of()
    assert spans.schema.equals(KNOWN_SPANS)
    assert found(spans, windows(START), triggers()) == []


def test_a_run_without_any_window_analyses_nothing():
    (row,) = found(spans_of(GW=START + 40.0), LEDGER.empty_table(), triggers())
    assert row["reason"] == NO_WINDOW


def test_chance_is_the_share_of_analysed_time_near_triggers():
    ledger = windows(START, START + 32, START + 64, lost={START + 64: Reason.DQ})
    claimed = triggers(START + 10, START + 10.5, START + 31.9, START + 70)
    # 9.4 … 11.1 and 31.3 … 32.5, of 64 s; the last lies in a window that was lost.
    assert chance(claimed, ledger, "H1", 0.5) == pytest.approx((1.7 + 1.2) / 64, abs=1e-6)
    assert np.isnan(chance(claimed, ledger, "L1", 0.5))


# -- flags ----------------------------------------------------------------------------------


def test_windows_and_the_event_that_show_something_known_are_flagged():
    lost = {START + 64: Reason.DQ}
    ledger = windows(START, START + 32, START + 64, START + 96, lost=lost)
    spans = spans_of(GW=START + 10.0, injected=[Injected("H1", "burst", START + 63, START + 96)])
    known = find_known(spans, ledger, triggers(START + 10.1), SPAN, ["H1"], 0.5)
    table = flag(known, ledger)
    assert table.schema.equals(FLAGGED)
    rows = [(row["view"], row["gps_start"], row["name"]) for row in table.to_pylist()]
    assert rows == [
        ("event", START, "GW"),
        ("window", START, "GW"),
        ("window", START + 32, "burst"),
        ("window", START + 64, "burst"),  # a lost window, too
    ]


# -- kept out -------------------------------------------------------------------------------


def rows_of(view: str, *times: float, detector: str = "H1") -> pa.Table:
    return pa.table(
        {
            "detector": [detector] * len(times),
            "gps_start": [int(t) if view == "window" else int(t // 32 * 32) for t in times],
            "trigger_time": pa.array(
                [None if view == "window" else float(t) for t in times], pa.float64()
            ),
        }
    )


def test_windows_within_the_margin_are_shown_to_hold_something_known():
    starts = [START + 32 * i for i in range(5)]
    spans = spans_of(GW=START + 70.0)
    assert shows_known(rows_of("window", *starts), spans, 32, 0.0).tolist() == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert shows_known(rows_of("window", *starts), spans, 32, 8.0).tolist() == [
        False, True, True, False, False,
    ]  # fmt: skip
    other = rows_of("window", *starts, detector="L1")
    assert not shows_known(other, spans, 32, 8.0).any()


def test_an_event_shows_two_seconds_on_both_sides():
    rows = rows_of("event", START + 67.9, START + 68.1, START + 71.9, START + 72.1)
    spans = spans_of(GW=START + 70.0)
    assert shows_known(rows, spans, 32, 0.0).tolist() == [False, True, True, False]
    assert without_known(rows, spans, 32, 3.0).num_rows == 0


def test_without_anything_known_nothing_is_left_out():
    rows = rows_of("window", START, START + 32)
    assert without_known(rows, spans_of(), 32, 8.0).equals(rows)


def test_segments_lose_what_is_near_something_known():
    segments = segmentlist([segment(START, START + 100)])
    spans = spans_of(GW=START + 50.5, injected=[Injected("H1", "cbc", START + 80, START + 82)])
    assert outside_known(segments, spans, "H1", 4.0) == segmentlist(
        [segment(START, START + 46), segment(START + 55, START + 76),
         segment(START + 86, START + 100)]
    )  # fmt: skip
    assert outside_known(segments, spans, "H1", 0.0) == segmentlist(
        [segment(START, START + 50), segment(START + 51, START + 80),
         segment(START + 82, START + 100)]
    )  # fmt: skip
    assert outside_known(segments, spans, "L1", 4.0) == segments


def test_an_event_on_the_second_takes_that_second():
    segments = segmentlist([segment(START, START + 100)])
    spans = spans_of(GW=START + 50.0)
    assert START + 50 not in outside_known(segments, spans, "H1", 0.0)


def test_strain_to_train_on_is_free_of_events_and_injections(tmp_path):
    mask = np.full(64, NO_INJECTIONS)
    mask[10:12] &= ~4
    path = tmp_path / "a.hdf5"
    write_gwosc_file(path, "H1", START, np.ones(64 * 256), 256, injmask=mask)
    whole = segmentlist([segment(START, START + 64)])
    free = free_segments(
        "H1", [receipt(path)], whole, [catalog(GW=START + 40.5)], ("detchar",), 2.0
    )
    assert free == segmentlist(
        [segment(START, START + 8), segment(START + 14, START + 38),
         segment(START + 43, START + 64)]
    )  # fmt: skip


@pytest.mark.parametrize("ending", ["hdf5", "gwf"])
def test_gw150914_s_own_files_hold_continuous_waves_in_l1_alone(real_data, ending):
    found = {}
    for detector in ("H1", "L1"):
        path = real_data / "strain" / f"{detector[0]}-{detector}_LOSC_4_V2-1126259446-32.{ending}"
        about = describe(path)
        file = StrainFile(detector, about.gps_start, about.duration, about.sample_rate, str(path))
        whole = LocalFile.receipt(file, path, about.layout, about.dataset_or_channel)
        found[detector] = injected_in(detector, [whole], ALL)
        assert found[detector].told_s == 32
    assert found["H1"].spans == []
    assert found["L1"].spans == [Injected("L1", "cw", 1126259446, 1126259478)]
