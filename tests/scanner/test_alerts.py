"""Which rows of a block become event records, and what stands in them."""

import json

from scanned import GPS, trigger, triggers_of, window, windows_of

from gwmorph.scanner.alerts import Origin, event_records

ORIGIN = Origin("0.1.0", "0123456789abcdef0123", "render", "encoder")
BLOCK = f"H1-GWMORPH_SCAN-{GPS}-4096"


def records(windows=(), triggers=(), origin=ORIGIN):
    return event_records(BLOCK, windows_of(*windows), triggers_of(*triggers), origin)


def test_nothing_novel_is_nothing_to_tell():
    windows = [window(GPS, "QUIET"), window(GPS + 32, "KNOWN"), window(GPS + 64, "EXCLUDED")]
    triggers = [trigger(GPS + 40.5, "KNOWN"), trigger(GPS + 41.0, None)]
    assert records(windows, triggers) == []
    assert records() == []


def test_each_novel_event_is_a_record_in_order_of_time():
    triggers = [trigger(GPS + 40.5, "NOVEL"), trigger(GPS + 7.25, "NOVEL")]
    found = records([window(GPS, "NOVEL"), window(GPS + 32, "AMBIGUOUS")], triggers)
    assert [record["gpstime"] for record in found] == [GPS + 7.25, GPS + 40.5]


def test_a_novel_window_is_one_where_no_event_of_it_is():
    windows = [window(GPS, "NOVEL"), window(GPS + 32, "NOVEL")]
    found = records(windows, [trigger(GPS + 40.5, "NOVEL"), trigger(GPS + 9.0, "KNOWN")])
    assert [record["extra_attributes"]["Morphology"]["view"] for record in found] == [
        "window",
        "event",
    ]
    whole, _ = found
    burst = whole["extra_attributes"]["SingleBurst"]
    assert (whole["gpstime"], burst["start_time"], burst["duration"]) == (GPS + 7.25, GPS, 32)
    assert whole["links"]["picture"] == f"{BLOCK}/pictures/H1-GWMORPH_WINDOW-{GPS}-32.png"


def test_a_record_says_what_gracedb_says_of_an_event():
    (record,) = records(triggers=[trigger(GPS + 7.25, "NOVEL", chirp_likeness=0.2)])
    assert record["instruments"] == "H1"
    assert record["far_hz"] is None
    assert (record["group"], record["pipeline"], record["version"]) == (
        "Burst",
        "gwmorph",
        "0.1.0",
    )
    assert record["labels"] == ["NOVEL", "CHIRP_LIKE"]
    burst = record["extra_attributes"]["SingleBurst"]
    assert burst["ifo"] == "H1"
    assert (burst["duration"], burst["bandwidth"], burst["snr"]) == (0.75, 250.0, 12.5)
    assert record["links"] == {
        "picture": f"{BLOCK}/pictures/H1-GWMORPH_EVENT-{GPS + 7}.250000000-4.png",
        "summary": f"{BLOCK}/summary.json",
    }
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_links_begin_where_the_scan_is_served():
    origin = Origin("0.1.0", "0123456789abcdef", "r", "e", "https://page.example/scan/")
    (record,) = records([window(GPS, "NOVEL")], origin=origin)
    assert record["links"]["summary"] == f"https://page.example/scan/{BLOCK}/summary.json"


def test_ids_are_the_same_each_time_and_others_for_other_events_and_atlases():
    one = records([window(GPS, "NOVEL")], [trigger(GPS + 40.5, "NOVEL", latency_s=1.0)])
    again = records([window(GPS, "NOVEL")], [trigger(GPS + 40.5, "NOVEL", latency_s=2.0)])
    other = records(
        [window(GPS, "NOVEL")],
        [trigger(GPS + 40.5, "NOVEL")],
        Origin("0.1.0", "f" * 16, "render", "encoder"),
    )
    ids = [record["event_id"] for record in one]
    assert ids == [record["event_id"] for record in again]
    assert len(set(ids) | {record["event_id"] for record in other}) == 4


def test_a_window_without_a_tile_is_told_at_its_middle():
    (record,) = records([window(GPS, "NOVEL", tile_time=None, tile_snr=None)])
    assert record["gpstime"] == GPS + 16
