"""Recall curves and the tables beside them."""

import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.report.recall import (
    achieved_text,
    draw_agreement,
    draw_recall,
    half_recall_text,
    noise_text,
    write_table_page,
)
from gwmorph.tables.injections import AGREEMENT, HALF_RECALL, NOISE_COUNTS, RECALL

MORPHOLOGIES = {"blip": "blip, 2 to 10 ms", "comb": "comb"}
STATISTICS = {"a": "first", "b": "second"}
SNRS = [8.0, 20.0]


@pytest.fixture
def recall():
    rows = [
        {
            "statistic": s,
            "false_alarm_fraction": fraction,
            "limit": 1.0,
            "morphology": m,
            "snr": snr,
            "injections": 10,
            "found": 5,
            "recall": 0.5,
            "low": 0.24,
            "high": 0.76,
        }
        for s in STATISTICS
        for fraction in (0.01, 0.001)
        for m in MORPHOLOGIES
        for snr in SNRS
    ]
    return pa.Table.from_pylist(rows, schema=RECALL)


def test_equal_recall_gives_equal_bytes(recall, tmp_path):
    said = drawn_twice(tmp_path / "one.svg", draw_recall, recall, MORPHOLOGIES, STATISTICS)
    assert {*MORPHOLOGIES.values(), *STATISTICS.values()} <= set(said)


def test_curves_show_what_the_table_says(recall, tmp_path):
    """Another recall gives another picture, and so does another interval."""
    pictures = set()
    for column, value in ((None, None), ("recall", 0.9), ("low", 0.1)):
        changed = recall
        if column:
            index = recall.schema.get_field_index(column)
            changed = recall.set_column(index, recall.schema[index], [[value] * len(recall)])
        draw_recall(changed, MORPHOLOGIES, STATISTICS, tmp_path / "curve.svg")
        pictures.add((tmp_path / "curve.svg").read_bytes())
    assert len(pictures) == 3


def test_half_recall_says_what_was_not_reached():
    rows = [
        {"statistic": s, "false_alarm_fraction": 0.01, "morphology": m, "reached": r, "snr": x}
        for s, m, r, x in (
            ("a", "blip", "inside", 9.4321),
            ("b", "blip", "below", None),
            ("a", "comb", "not", None),
            ("b", "comb", "inside", 12.0),
        )
    ]
    half = pa.Table.from_pylist(rows, schema=HALF_RECALL)
    headings, text = half_recall_text(half, SNRS, MORPHOLOGIES, STATISTICS)
    assert headings == ["false alarms", "morphology", "first", "second"]
    assert text == [
        ["1 %", "blip, 2 to 10 ms", "9.4", "< 8"],
        ["1 %", "comb", "> 20", "12.0"],
    ]


def test_achieved_fractions_are_given_in_percent():
    row = {
        "statistic": "a", "false_alarm_fraction": 0.001, "limit": 6.51234,
        "calibration_windows": 10000, "test_windows": 9000, "above": 12, "achieved": 12 / 9000,
        "low": 0.00076, "high": 0.00233, "expected_low": 0.0002, "expected_high": 0.0021,
    }  # fmt: skip
    headings, (text,) = achieved_text([row], STATISTICS)
    assert len(headings) == len(text)
    assert text == [
        "first", "0.1 %", "6.512", "10000", "9000", "12", "0.133 %", "0.076 to 0.233 %",
        "0.02 to 0.21 %",
    ]  # fmt: skip


def test_counts_in_noise_begin_with_windows_without_an_injection(tmp_path):
    rows = [
        {
            "detector": "H1",
            "statistic": s,
            "false_alarm_fraction": 0.01,
            "limit": 1.0,
            "morphology": m,
            "snr": None if m is None else 8.0,
            "windows": 15,
            "above": above,
        }
        for m, counts in ((None, (1, 2)), ("blip", (9, 3)))
        for s, above in zip(STATISTICS, counts, strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=NOISE_COUNTS)
    text = noise_text(table, MORPHOLOGIES, STATISTICS)
    assert text[1] == [
        ["1 %", "H1", "none", "", "15", "1", "2"],
        ["1 %", "H1", "blip, 2 to 10 ms", "8", "15", "9", "3"],
    ]
    write_table_page("Counts <here>", text, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Counts &lt;here&gt;" in page
    assert page.count("<tr>") == 3


def test_agreement_without_anything_found_says_so(tmp_path):
    nothing = drawn_twice(tmp_path / "none.svg", draw_agreement, AGREEMENT.empty_table())
    rows = [
        {
            "features": kind,
            "snr": snr,
            "injections": 9,
            "classes": 2,
            "top1": 0.5,
            "top1_low": 0.2,
            "top1_high": 0.8,
            **dict.fromkeys(
                ("ari", "ami", "purity", "largest_share", "ari_without_largest"),
                0.4 if kind == "event view" else None,
            ),
        }
        for kind in ("event view", "trigger columns")
        for snr in SNRS
    ]
    table = pa.Table.from_pylist(rows, schema=AGREEMENT)
    something = drawn_twice(tmp_path / "some.svg", draw_agreement, table)
    assert (nothing.count("too few found"), something.count("too few found")) == (2, 0)
    assert {"event view", "trigger columns", "ARI", "AMI"} <= set(something) - set(nothing)
