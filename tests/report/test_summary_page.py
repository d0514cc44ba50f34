from pathlib import Path

import pytest

from gwmorph.report.summary_page import summary_page
from whole_pictures import SVG

H1 = {
    "science_s": 7200,
    "gridded_s": 5000,
    "context_limited_s": 4000,
    "analysed_s": 3600,
    "planned_windows": 200,
    "analysed_windows": 113,
    "excluded_windows": 1,
    "excluded_by_reason": {"nan": 1},
    "triggered_windows": 5,
    "triggers": 1,
    "triggers_without_view": 0,
    "events_by_score": {"tile": 0, "excess": 1, "track": 0, "chirp": 1},
    "windows_above_limit": 3,
    "windows_above_limit_by": {
        **dict.fromkeys(("tile", "excess", "track", "chirp", "distance", "none"), 0),
        "line": 3,
    },
    "expected_false_alarms": 1.13,
    "false_alarms_95": [0, 4],
}
EVENTS = {
    "members": 3,
    "clusters": 2,
    "clusters_supported": 1,
    "clusters_outside_umap": 2,
    "outliers": 1,
    "largest_cluster_share": 2 / 3,
    "clustered": True,
    "mixture_converged": True,
}


def page_of(folder: Path, **changes) -> str:
    (folder / "map.svg").write_bytes(SVG)
    summary = {
        "run": "t<1>",
        "events_snr": 7.5,
        "false_alarm_fraction": 0.01,
        "detectors": {"H1": H1},
        "views": {"event": EVENTS},
        "statuses": {},
        "classes_named": {"event": 2},
    }
    return summary_page(summary | changes, "event", folder / "map.svg")


def test_page_says_in_words_what_was_analysed_and_found(tmp_path):
    page = page_of(tmp_path)
    assert "Run t&lt;1&gt;" in page
    assert (
        "H1: 50.0% of 2.00 h of science data were analysed, in 113 windows; 1 window had" in page
    )
    found = "holds 1 trigger of SNR 7.5 or more, and 2 events that only the score finds."
    assert f"What was analysed {found}" in page
    assert (
        "2 clusters of 3 events, 1 of them supported, 2 found without UMAP, too; the largest "
        "holds 66.7%; 1 outlier." in page
    )


def test_every_count_stands_beside_its_meaning(tmp_path):
    page = page_of(tmp_path)
    rows = [row for row in page.split("<tr>")[1:] if "<td" in row]
    assert len(rows) == 4 + 4 + 7
    assert all(row.count("<td") == 3 for row in rows)
    assert not [row for row in rows if '<td class="words"></td>' in row]
    assert any("of these nan" in row and "missing (NaN)" in row for row in rows)


def test_map_stands_between_the_sentences_and_the_table(tmp_path):
    page = page_of(tmp_path)
    places = [
        page.index(part) for part in ("analysed holds", "<img", "Map of all events", "<table")
    ]
    assert places == sorted(places)


def test_page_warns_of_a_mixture_that_did_not_converge(tmp_path):
    assert "did not converge" not in page_of(tmp_path)
    assert "did not converge" in page_of(
        tmp_path, views={"event": EVENTS | {"mixture_converged": False}}
    )


def test_page_of_a_detector_without_science_data_is_zeros(tmp_path):
    nothing = H1 | {"science_s": 0, "analysed_s": 0}
    assert "H1: 0.0% of 0.00 h of science" in page_of(tmp_path, detectors={"H1": nothing})


def test_page_says_what_became_of_the_events(tmp_path):
    found = {"EXCLUDED": 0, "QUIET": 0, "KNOWN": 1200, "AMBIGUOUS": 3, "NOVEL": 0}
    page = page_of(tmp_path, statuses={"event": found})
    assert "<p>Of 1,203 events: 3 AMBIGUOUS, 1,200 KNOWN.</p>" in page


def test_the_page_may_stand_in_a_script_as_the_start_page_of_the_report_does(tmp_path):
    assert "</script" not in page_of(tmp_path).lower()


def test_a_map_that_is_missing_is_not_left_out(tmp_path):
    with pytest.raises(FileNotFoundError):
        summary_page(
            {
                **{"run": "t", "detectors": {}, "views": {}, "statuses": {}, "classes_named": {}},
                **{"events_snr": 7, "false_alarm_fraction": 1},
            },
            "event",
            tmp_path / "none.svg",
        )


def test_page_says_how_much_shows_something_known(tmp_path):
    looked = page_of(tmp_path, detectors={"H1": H1 | {"known_windows": 2, "known_events": 1}})
    known = "; 2 windows and 1 event of it show a published event or a hardware injection."
    assert known in looked
    assert ">windows that show something known<" in looked
    assert "a published event" not in page_of(tmp_path)


def test_the_page_leads_to_the_explorer_beside_it(tmp_path):
    assert 'href="../explorer/index.html"' in page_of(tmp_path)
