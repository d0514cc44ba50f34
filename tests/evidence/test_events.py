"""Which candidates are events, and what became of every window above the limit."""

import numpy as np
import pyarrow as pa
import pytest

from gwmorph.errors import TableError
from gwmorph.evidence.events import admit, admit_tiles
from gwmorph.evidence.score import PARTS, combine
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.scores import ABOVE_LIMIT, SCORES

ALL = ("tile", "excess", "track", "chirp")
LIMIT = 2.0
HIGH, LOW = 4.0, 1.0


def scores(*windows: dict, detector: str = "H1") -> pa.Table:
    """Windows 0, 32, … with the surprises given, the others 0.3."""
    rows = []
    for number, given in enumerate(windows):
        surprises = dict.fromkeys(PARTS, 0.3) | given
        own = {f"surprise_{part}": value for part, value in surprises.items()}
        own |= {"detector": detector, "gps_start": 32 * number, "limit": LIMIT, "quiet": False}
        own["score"] = float(combine({k: np.array([v]) for k, v in surprises.items()})[0])
        rows.append({field.name: 0 for field in SCORES} | own | {"tile_energy": 20.0})
    return pa.Table.from_pylist(rows, schema=SCORES)


def claim(found_by: str, gps: int, at: float = 10.0, snr: float = 5.0, **own) -> dict:
    peak = gps + at
    row = {field.name: 1 for field in TRIGGERS} | {
        "detector": "H1", "gps_start": gps, "found_by": found_by, "snr": snr, "view": True,
        "significance": None, "line_share": None if found_by == "tile" else 0.1,
        "chirp_mass": 12.5 if found_by == "chirp" else None,
        "time": peak, "peak_time": peak, "tstart": peak - 0.5, "tend": peak + 0.5,
        "fstart": 50, "fend": 100,
    }  # fmt: skip
    return row | own


def admitted(claims: list[dict], scored: pa.Table, parts=ALL) -> tuple[list[dict], dict[int, str]]:
    table = pa.Table.from_pylist(claims, schema=TRIGGERS)
    events, above = admit(table, scored, 7.5, parts, 32)
    assert events.schema.equals(TRIGGERS)
    assert above.schema.equals(ABOVE_LIMIT)
    outcome = {row["gps_start"]: row["outcome"] for row in above.to_pylist()}
    return events.to_pylist(), outcome


@pytest.mark.parametrize("part", ALL)
def test_a_candidate_is_an_event_when_its_own_part_passes(part):
    column = "tile_energy" if part == "tile" else part
    other = "track" if part != "track" else "excess"
    scored = scores({column: HIGH}, {other: HIGH}, {})
    claims = [claim(part, gps, energy=20.0) for gps in (0, 32, 64)]
    (event,), outcome = admitted(claims, scored)
    assert (event["gps_start"], event["found_by"]) == (0, part)
    assert event["significance"] == HIGH
    assert event["chirp_mass"] == (12.5 if part == "chirp" else None)
    assert outcome == {0: part, 32: "none"}


def test_the_limit_counts_for_each_part_as_if_it_were_the_largest():
    """Five parts at their largest surprise: what reaches the limit is known exactly."""
    least = -np.log10(-np.expm1(np.log1p(-(10**-LIMIT)) / 5))
    scored = scores({"track": least + 1e-9}, {"track": least - 1e-6})
    events, outcome = admitted([claim("track", 0), claim("track", 32)], scored)
    assert [event["gps_start"] for event in events] == [0]
    assert outcome == {0: "track"}


def test_a_loud_tile_needs_no_score_and_parts_can_be_left_out():
    scored = scores({}, {"track": HIGH}, {"tile_energy": HIGH})
    claims = [claim("tile", 0, snr=7.5), claim("track", 32), claim("tile", 64, snr=7.4)]
    assert len(admitted(claims, scored)[0]) == 3
    events, outcome = admitted(claims, scored, parts=())
    assert [event["gps_start"] for event in events] == [0]
    assert outcome == {32: "none", 64: "none"}


def test_the_shoulder_of_a_line_and_a_picture_alone_are_counted_apart():
    scored = scores({"track": HIGH}, {"distance": HIGH}, {"distance": HIGH, "chirp": 3.0}, {})
    claims = [claim("track", 0, line_share=0.5), claim("chirp", 64), claim("track", 96)]
    events, outcome = admitted(claims, scored)
    assert [event["gps_start"] for event in events] == [64]
    assert outcome == {0: "line", 32: "distance", 64: "chirp"}


def test_where_a_picture_alone_passes_the_most_significant_candidate_tells_the_place():
    scored = scores(
        {"distance": HIGH, "track": 1.5, "excess": 1.4},
        {"distance": HIGH, "track": 1.29},
        {"distance": HIGH, "track": 1.5, "excess": 1.4},
        {"track": 1.5},
        {"distance": HIGH, "track": 1.5, "chirp": 3.0},
    )
    claims = [
        *(
            claim("track", gps, line_share=0.9 if gps == 64 else 0.1)
            for gps in (0, 32, 64, 96, 128)
        ),
        *(claim("excess", gps, 25.0) for gps in (0, 64)),
        claim("chirp", 128, 25.0),
    ]
    events, outcome = admitted(claims, scored)
    assert {event["gps_start"]: event["found_by"] for event in events} == {
        0: "track", 64: "excess", 128: "chirp",
    }  # fmt: skip
    assert outcome == {0: "track", 32: "distance", 64: "excess", 128: "chirp"}


@pytest.mark.parametrize("snr", [6.0, 20.0])
def test_what_a_tile_and_a_part_found_is_one_event_and_the_tiles(snr):
    scored = scores({"tile_energy": 3.0, "track": 9.0, "chirp": 8.0})
    claims = [claim("chirp", 0), claim("tile", 0, snr=snr, energy=20.0), claim("track", 0, 10.4)]
    (event,), outcome = admitted(claims, scored)
    assert (event["found_by"], event["significance"]) == ("tile", 3.0)
    assert outcome == {0: "track"}


def test_the_more_significant_of_two_parts_stays_and_what_is_apart_too():
    scored = scores({"excess": 3.5, "track": 9.0, "chirp": 8.0})
    claims = [claim("chirp", 0), claim("track", 0), claim("excess", 0, 25.0)]
    events, _ = admitted(claims, scored)
    assert [event["found_by"] for event in events] == ["track", "excess"]


def test_a_long_signal_on_a_border_is_one_event():
    scored = scores({"track": 5.0}, {"track": 9.0})
    claims = [
        claim("track", 0, 31.0, tstart=30.0, tend=32.1),
        claim("track", 32, 2.0, tstart=31.9, tend=35.0),
    ]
    (event,), outcome = admitted(claims, scored)
    assert event["gps_start"] == 32
    assert outcome == {0: "track", 32: "track"}


def test_only_the_windows_loudest_tile_has_its_significance():
    scored = scores({"tile_energy": HIGH})
    claims = [
        claim("tile", 0, 5.0, snr=9.0, energy=20.0),
        claim("tile", 0, 15.0, snr=8.0, energy=19.0),
    ]
    events, _ = admitted(claims, scored)
    assert [event["significance"] for event in events] == [HIGH, None]


def test_nothing_claimed_is_nothing_found():
    events, outcome = admitted([], scores({}, {"excess": HIGH}))
    assert events == []
    assert outcome == {32: "none"}


def test_a_claim_without_a_score_is_refused():
    with pytest.raises(TableError, match=r"1 trigger in windows without a score.* GPS 64"):
        admitted([claim("track", 64)], scores({}, {}))


def test_without_scores_events_are_loud_tiles_counted_once():
    claims = [
        claim("tile", 0, at=31.9, snr=9.0),
        claim("tile", 32, at=-0.1, snr=9.0),  # the same, seen by the next window
        claim("tile", 0, at=5.0, snr=7.5),
        claim("tile", 0, at=12.0, snr=7.4),
        *(claim(part, 0, at=20.0, snr=99.0) for part in ALL if part != "tile"),
    ]
    events = admit_tiles(pa.Table.from_pylist(claims, schema=TRIGGERS), 7.5, 32)
    assert events.schema.equals(TRIGGERS)
    assert events["peak_time"].to_pylist() == [5.0, 31.9]
    assert events["significance"].null_count == 2
