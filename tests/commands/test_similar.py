"""What the command prints, for people and for programs."""

import json

import pytest
from made_run import START, make_run

from gwmorph.cli import main


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "demo")


def test_the_nearest_are_printed_with_what_the_run_says(run, capsys):
    asked = ["similar", str(run), "--detector", "H1", "--gps", str(START + 10.3), "--count", "3"]
    assert main(asked) == 0
    first, second, heads, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("H1 GPS 1262301194.250 (2020-01-05 23:12:56.250 UTC), SNR 6.0, 120 Hz")
    assert "cluster 0?* blip, KNOWN" in first
    assert second.startswith(f"Most like it of 52 events in {run}")
    assert len(rows) == 3
    column = heads.index("picture")
    assert all(row[column:].startswith(str(run / "events")) for row in rows)


def test_json_says_the_same_with_units(run, capsys):
    asked = ["similar", str(run), "--detector", "L1", "--gps", str(START + 5), "--view", "window"]
    assert main([*asked, "--json", "--count", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["asked"]["gps_s"] == START
    assert found["asked"]["utc"] == "2020-01-05 23:12:46.000"
    assert [row["cosine"] for row in found["nearest"]] == sorted(
        (row["cosine"] for row in found["nearest"]), reverse=True
    )
    assert found["nearest"][0]["picture"] is None  # none was drawn in this run
    assert found["rows_searched"] == 78


def test_an_error_is_one_line_and_exit_code_1(run, capsys):
    assert main(["similar", str(run), "--detector", "H1", "--gps", "5"]) == 1
    assert "no event of H1 within 0.5 s of GPS 5.000" in capsys.readouterr().err
