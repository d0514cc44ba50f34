from pathlib import Path

import pytest

from filled import filled
from gwmorph.report.events import choose_events, events_page
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.known_events import FLAGGED
from whole_pictures import PNG


def trigger(time: float, snr: float, found_by: str = "tile", significance: float | None = None):
    own = {"detector": "H1", "peak_time": time, "snr": snr, "found_by": found_by, "view": True}
    return own | {"significance": significance}


def member(time: float, probability: float) -> dict:
    return {"detector": "H1", "trigger_time": time, "probability": probability}


def about(time: float, status: str = "KNOWN", p: float = 0.5) -> dict:
    own = {"detector": "H1", "trigger_time": time, "status": status}
    return own | {"named": "power_line", "p_value": p}


@pytest.fixture
def chosen() -> dict:
    triggers = [
        trigger(1.5, 9.0, significance=8.0),
        trigger(2.5, 100.0),
        trigger(3.5, 6.0, "excess", 12.0),
        trigger(4.5, 7.0, "tile", 14.0),
        trigger(5.5, 8.0, "chirp", 13.0),
        trigger(6.5, 500.0),  # without a view, so no event
    ]
    members = [
        member(time, p) for time, p in ((1.5, 0.9), (2.5, 0.5), (3.5, 0.5), (4.5, 1), (5.5, 0.8))
    ]
    return choose_events(
        filled(TRIGGERS, *triggers),
        filled(CLUSTERS, *members[::-1]),
        filled(STATUSES, *(about(time) for time in (1.5, 2.5, 3.5, 4.5, 5.5))),
        events_snr=7.5,
        count=3,
    )


def test_the_loudest_and_the_least_probable_are_chosen(chosen):
    times = {name: [event["trigger_time"] for event in some] for name, some in chosen.items()}
    assert times == {
        "NOVEL": [],
        "Loudest": [2.5, 1.5, 5.5],
        "Least probable in noise, without a loud tile": [4.5, 5.5, 3.5],
        # Of equal ones the earliest comes first.
        "Least probable in their cluster": [2.5, 3.5, 5.5],
    }


def test_page_gives_gps_times_with_their_digits_and_pictures(chosen, tmp_path):
    asked = []

    def picture_of(*key) -> Path:
        asked.append(key)
        path = tmp_path / f"{key[2]}.png"
        path.write_bytes(PNG)
        return path

    chosen["Loudest"][0] |= {"trigger_time": 1262301190.421875, "gps_start": 1262301184}
    page = events_page(chosen, picture_of)
    assert asked[0] == ("H1", 1262301184, 1262301190.421875)
    assert "<td>1262301190.422</td>" in page
    assert page.count("<img src=") == page.count("<td>H1</td>") == 9
    assert "<td>100.0</td>" in page


def test_an_empty_list_is_said_to_be(tmp_path):
    nothing = choose_events(
        *(schema.empty_table() for schema in (TRIGGERS, CLUSTERS, STATUSES)), 7.5, 10
    )
    page = events_page(nothing, lambda *key: tmp_path)
    assert page.count("There is none.") == 4
    assert "<table" not in page


def test_a_picture_that_is_missing_is_not_left_out(chosen, tmp_path):
    with pytest.raises(FileNotFoundError):
        events_page(chosen, lambda *key: tmp_path / "none.png")


def test_a_run_without_scores_does_not_say_that_nothing_is_improbable():
    triggers = filled(TRIGGERS, trigger(1.5, 9.0), trigger(2.5, 100.0))
    members = filled(CLUSTERS, member(1.5, 0.9), member(2.5, 0.5))
    lists = choose_events(triggers, members, filled(STATUSES, about(1.5), about(2.5)), 7.5, 3)
    assert list(lists) == ["NOVEL", "Loudest", "Least probable in their cluster"]


def test_what_is_new_comes_first_and_every_event_has_its_status(tmp_path):
    triggers = filled(TRIGGERS, *(trigger(time + 0.5, 9.0) for time in range(1, 5)))
    members = filled(CLUSTERS, *(member(time + 0.5, 0.9) for time in range(1, 5)))
    kinds = (("NOVEL", 0.04), ("KNOWN", 0.5), ("NOVEL", 0.01), ("AMBIGUOUS", 0.3))
    rows = [about(time + 1.5, status, p) for time, (status, p) in enumerate(kinds)]
    lists = choose_events(triggers, members, filled(STATUSES, *rows), 7.5, 4)
    assert [event["trigger_time"] for event in lists["NOVEL"]] == [3.5, 1.5]
    (tmp_path / "a.png").write_bytes(PNG)
    page = events_page(lists, lambda *key: tmp_path / "a.png")
    assert page.index(">NOVEL</h2>") < page.index(">Loudest</h2>")
    assert "<td>AMBIGUOUS</td><td>power line</td>" in page


def test_an_event_that_shows_something_known_is_named_beside_its_time(tmp_path):
    triggers = filled(TRIGGERS, trigger(1.5, 9.0), trigger(2.5, 100.0))
    members = filled(CLUSTERS, member(1.5, 0.9), member(2.5, 0.5))
    statuses = filled(STATUSES, about(1.5), about(2.5))
    known = {"detector": "H1", "view": "event", "trigger_time": 1.5}
    flagged = filled(
        FLAGGED,
        known | {"name": "GW1 <b>", "kind": "event"},
        known | {"name": "cbc", "kind": "injection"},
    )
    (tmp_path / "a.png").write_bytes(PNG)

    def page_of(flags) -> str:
        lists = choose_events(triggers, members, statuses, 7.5, 4, flags)
        return events_page(lists, lambda *key: tmp_path / "a.png")

    page = page_of(flagged)
    named = '<td>1.500</td><td class="words">GW1 &lt;b&gt;, cbc injection</td>'
    assert page.count(named) == 2
    assert page.count('<td>2.500</td><td class="words"></td>') == 2
    assert "known as</th>" in page
    # A run in which nothing is known looks otherwise than one in which nothing was looked for.
    assert "known as</th>" in page_of(FLAGGED.empty_table())
    assert "known as</th>" not in page_of(None)
