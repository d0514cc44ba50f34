"""Figures and page of time slides: drawn for any table, and true to it."""

import re

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.naming import event_name, span_name
from gwmorph.report.timeslides import (
    draw_inverse_rates,
    draw_window_counts,
    write_timeslides_page,
)
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.timeslides import (
    CANDIDATES,
    EFFICIENCY,
    LIMITS,
    SEARCHED,
    SUMMARY,
    WINDOW_COUNTS,
)

START = 1262301184
YEAR_S = 365.25 * 86400


def summary_row(detectors, **other):
    row = {
        "detectors": detectors, "reason": None, "livetime": 1e5, "step": 5.0, "least_shift": 12.8,
        "correlation": 12.8, "widest_window": 0.4, "slides": 1000, "background": 1e8,
        "candidates": 3, "chance": 2.5, "p_loudest": 0.02, "far_floor_per_year": YEAR_S / 1e8,
        "slides_that_teach": 140.0, "windows": 3125, "windows_both": 7, "windows_chance": 4.5,
        "window_slides": 3000, "p_windows": 0.125,
    }  # fmt: skip
    return row | other


def candidate_row(number, detectors="H1 L1", **other):
    floor = YEAR_S / 1e8
    row = dict.fromkeys(CANDIDATES.names) | {
        "detectors": detectors, "time_difference": -0.0042, "similarity": 0.91,
        "known": number == 0,
        "rank": 9.0 - number, "louder": number, "louder_without": number,
        "far_per_year": (number + 1) * floor, "far_low_per_year": number * floor / 2,
        "far_high_per_year": (number + 4) * floor, "far_without_per_year": (number + 1) * floor,
        "p_run": 0.001 * (number + 1), "p_loudest": 0.002,
    }  # fmt: skip
    for place in ("one", "other", "third")[: len(detectors.split())]:
        row |= {
            f"gps_start_{place}": START, f"gps_time_{place}": START + 3.5 + number,
            f"error_{place}": 0.01, f"snr_{place}": 12.3, f"frequency_{place}": 150.0,
            f"view_{place}": number != 2,
        }  # fmt: skip
    return row | other


def tables(candidates=3, groups=("H1 L1",), truth=True):
    rows = {
        "candidates": (
            CANDIDATES,
            [candidate_row(n, group) for group in groups for n in range(candidates)],
        ),
        "summary": (SUMMARY, [summary_row(group) for group in groups]),
        "searched": (
            SEARCHED,
            [
                {
                    "detectors": group, "detector": name, "searched": 40, "outside": 3,
                    "extended": 2, "without_view": 1, "correlation": 6.4, "windows_anomalous": 9,
                }
                for group in groups
                for name in group.split()
            ],
        ),
        "window_counts": (
            WINDOW_COUNTS,
            [{"detectors": g, "both": n, "slides": 10 * n} for g in groups for n in range(8)],
        ),
        "limits": (
            LIMITS,
            [
                {
                    "detectors": group, "method": method, "morphology": None, "snr": None,
                    "efficiency": 1.0, "events": 1, "rate_per_year": 1228.0,
                }
                for group in groups
                for method in ("poisson", "loudest event")
            ],
        ),
        "efficiency": (
            EFFICIENCY,
            [
                {
                    "detectors": "H1 L1", "morphology": "chirp", "signals": 44, "triggered": 16,
                    "coincident": 8, "efficiency": 8 / 44, "low": 0.1, "high": 0.3,
                }
            ]
            * truth,
        ),
    }  # fmt: skip
    return {name: pa.Table.from_pylist(made, schema=s) for name, (s, made) in rows.items()}


@pytest.fixture
def pictures(tmp_path):
    folders = []
    for detector in ("H1", "L1", "V1"):
        folder = tmp_path / span_name(detector, "EVENTS", START, 4096)
        folder.mkdir()
        folders.append(folder)
        for number in range(2):
            write_picture(
                folder / event_name(detector, START + 3.5 + number),
                np.full((28, 28), 9, np.uint8),
                PictureScale("linear", 25.5, "cividis"),
            )
    return Pictures(folders, 32)


@pytest.mark.parametrize("groups", [("H1 L1",), ("H1 L1", "H1 V1", "L1 V1", "H1 L1 V1")])
@pytest.mark.parametrize("candidates", [0, 1, 3])
def test_figures_are_drawn_for_any_number_of_detectors_and_candidates(
    tmp_path, groups, candidates
):
    made = tables(candidates, groups)
    rates, windows = tmp_path / "rates.svg", tmp_path / "windows.svg"
    summary = made["summary"]
    said = drawn_twice(rates, draw_inverse_rates, made["candidates"], summary)
    assert all(any(text.startswith(group) for text in said) for group in groups)
    assert ("inverse false-alarm rate [yr]" in said, "slides" in said) == (True, False)
    said = drawn_twice(windows, draw_window_counts, made["window_counts"], summary)
    assert "slides" in said


def page_of(tmp_path, made, pictures, listed=10):
    write_timeslides_page(made, pictures, listed, tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_has_both_pictures_side_by_side(tmp_path, pictures):
    text = page_of(tmp_path, tables(), pictures)
    rows = re.findall(r"<tr>(?:(?!</tr>).)*data:image(?:(?!</tr>).)*</tr>", text, re.DOTALL)
    assert len(rows) == 2
    assert all(row.count("data:image/png") == 2 for row in rows)
    assert text.count("no view") == 2
    assert "-4.2" in text.replace("\N{MINUS SIGN}", "-")


def test_a_rate_at_the_floor_says_that_it_is_a_bound(tmp_path, pictures):
    text = page_of(tmp_path, tables(), pictures)
    floor = f"{YEAR_S / 1e8:.3g}"
    assert f"&lt; {floor}" in text
    assert f"&lt; {2 * YEAR_S / 1e8:.3g}" not in text


def test_the_loudest_are_listed(tmp_path, pictures):
    text = page_of(tmp_path, tables(), pictures, listed=1)
    assert "The loudest 1 of 3." in text
    assert text.count("data:image/png") == 2


def test_nothing_is_a_result_and_a_failure_has_its_reason(tmp_path, pictures):
    made = tables(0)
    failed = {"detectors": "H1 V1", "reason": "no coincident time: H1 5 s"}
    made["summary"] = pa.Table.from_pylist(
        [summary_row("H1 L1", slides_that_teach=np.inf), failed], schema=SUMMARY
    )
    text = page_of(tmp_path, made, pictures)
    assert "In real time nothing coincides. That is a result, not a failure." in text
    assert "not compared: no coincident time: H1 5 s" in text
    assert text.count("Candidates of") == 1
    draw_inverse_rates(made["candidates"], made["summary"], tmp_path / "rates.svg")


def test_too_few_windows_to_be_slid_are_said(tmp_path, pictures):
    made = tables()
    row = summary_row("H1 L1", windows=1, windows_chance=None, window_slides=None, p_windows=None)
    made["summary"] = pa.Table.from_pylist([row], schema=SUMMARY)
    made["window_counts"] = WINDOW_COUNTS.empty_table()
    assert "7; " in page_of(tmp_path, made, pictures)
    draw_window_counts(made["window_counts"], made["summary"], tmp_path / "windows.svg")


def test_a_run_that_is_not_simulated_has_no_efficiency(tmp_path, pictures):
    assert "Simulated signals" in page_of(tmp_path, tables(), pictures)
    assert "Simulated signals" not in page_of(tmp_path, tables(truth=False), pictures)


def test_a_triple_has_three_pictures(tmp_path, pictures):
    text = page_of(tmp_path, tables(1, ("H1 L1 V1",)), pictures)
    assert text.count("data:image/png") == 3
