"""The table and the figure of a comparison of encoders."""

import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.report.comparison import (
    comparison_text,
    draw_comparison,
    named_text,
    recall_by_snr,
)
from gwmorph.tables.comparison import ENCODER_QUALITY, NAMED, REAL_STRAIN
from gwmorph.tables.injections import RECALL

FIGURES = (("seen", "top1"), ("seen", "cluster_ami"), ("real", "top1_any"))


@pytest.fixture
def quality():
    rows = [
        {
            "features": features,
            "data": data,
            "figure": figure,
            "morphology": morphology,
            "value": 0.5,
            "low": 0.4,
            "high": 0.625,
            "pictures": 40,
        }
        for features in ("dct", "triggers")
        for data, figure in FIGURES
        for morphology in (None, "blip")
        if features == "dct" or figure == "top1"
    ]
    return pa.Table.from_pylist(rows, schema=ENCODER_QUALITY)


@pytest.fixture
def recall():
    rows = [
        {
            "statistic": statistic,
            "false_alarm_fraction": 0.01,
            "limit": 1.0,
            "morphology": morphology,
            "snr": snr,
            "injections": 10,
            "found": found,
            "recall": found / 10,
            "low": 0.0,
            "high": 1.0,
        }
        for statistic in ("loudest_tile", "window_vector_dct", "event_vector_dct")
        for morphology, found in (("blip", 9), ("comb", 1))
        for snr in (8.0, 20.0)
    ]
    return recall_by_snr(pa.Table.from_pylist(rows, schema=RECALL))


def test_recall_is_the_share_of_all_injections_of_one_snr(recall):
    value, low, high = recall["window_vector_dct"][8.0]
    assert value == 0.5
    assert 0.25 < low < 0.35
    assert 0.65 < high < 0.75


def test_table_shows_what_was_measured_and_leaves_the_rest_empty(quality, recall):
    headings, rows = comparison_text(quality, recall, {"dct": 1.23}, {"dct": 0.0})
    assert all(len(row) == len(headings) for row in rows)
    dct, triggers = (dict(zip(headings, row, strict=True)) for row in rows)
    assert dct["compared by"] == "dct"
    assert dct["top-1, population's classes"] == "0.50 (0.40 to 0.62)"
    assert dct["recall of the event view, SNR 20"] == "0.50"
    assert dct["ms a picture"] == "1.2"
    assert triggers["compared by"] == "trigger columns"
    assert triggers["AMI"] == triggers["ms a picture"] == ""
    assert not [heading for heading in headings if "other shapes" in heading]


def test_equal_comparisons_give_equal_bytes(quality, recall, tmp_path):
    said = drawn_twice(tmp_path / "one.svg", draw_comparison, quality, recall)
    assert {"dct", "trigger columns", "Found of all injections"} <= set(said)


def test_every_real_glitch_is_listed_with_what_it_is_taken_for():
    glitch = {
        "name": "a",
        "detector": "H1",
        "label": "Tomte",
        "snr": 12.0,
        "glitch_time": 7.0,
        "tile_snr": 11.5,
        "tile_time": 7.1,
        "triggers": 1,
    }
    shown = {"trigger_time": 7.25, "trigger_snr": 11.5}
    glitches = pa.Table.from_pylist(
        [{**glitch, **shown}, {**glitch, "name": "b"}], schema=REAL_STRAIN
    )
    said = {"features": "pixels", "name": "a", "label": "Tomte", "nearest": "c"}
    named = [{**said, "nearest_label": "Blip", "named": "koi_fish"}]
    headings, rows = named_text(glitches, pa.Table.from_pylist(named, schema=NAMED))
    assert len(headings) == len(rows[0]) == len(rows[1])
    assert rows[0] == ["a", "Tomte", "12.0", "11.5", "+0.25", "Blip", "koi_fish"]
    assert rows[1] == ["b", "Tomte", "12.0", "none; loudest tile 11.5", "", "", ""]
