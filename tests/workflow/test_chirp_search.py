"""A search for chirps through the real workflow, small enough for a test."""

import re

import pytest

from gwmorph.evidence.injections import read_windows
from gwmorph.learning.chirp_weights import load_chirp_network
from gwmorph.tables.chirp_search import CHIRP_EFFICIENCY, CHIRP_FIGURES
from gwmorph.tables.parquet import read_metadata, read_table

pytestmark = pytest.mark.workflow

SEARCH = {
    "detectors": ["H1"],
    "networks": ["classic"],
    "training_signals": 10,
    "validation_windows": 200,
    "test_signals": 10,
    "noise_windows": 50,
    "snrs": [8.0, 12.0],
    "false_alarm_probabilities": [0.05],
    "repeats": 20,
    "masses": {"low": 30.0, "high": 50.0},
    "bank": {"minimal_match": 0.9, "patience": 5},
    "slides": {"count": 1, "ring_s": 16, "false_alarms_per_hour": [400.0]},
    "steps": 2,
    "batch_size": 8,
}

CAMPAIGN = {
    "reference_windows": 100,
    "quiet_windows": 20,
    "windows_per_job": 4,
    "false_alarm_fractions": [0.1],
}


def test_a_search_leaves_networks_numbers_and_figures(new, tmp_path):
    project = new(tmp_path / "project").change(run={"name": "c"}, chirp_search=SEARCH)
    project.make("chirp_search")
    folder = project.folder / "results" / "c" / "chirp_search"
    assert load_chirp_network(folder / "networks" / "classic.safetensors").look.samples == 2048
    rows = read_table(folder / "efficiency.parquet", CHIRP_EFFICIENCY).to_pylist()
    assert {row["statistic"] for row in rows} == {
        "matched_filter", "classic_unbounded", "classic_softmax",
    }  # fmt: skip
    assert all(row["signals"] == 10 for row in rows)
    best = [r for r in rows if r["statistic"] == "matched_filter" and r["snr"] == 12.0]
    assert best[0]["efficiency"] > 0.8
    figures = read_table(folder / "figures.parquet", CHIRP_FIGURES)
    assert set(figures["figure"].to_pylist()) == {"auc", "relative_efficiency"}
    assert "gwmorph.config_hash" in read_metadata(folder / "figures.parquet")
    for name in ("efficiency.svg", "roc.svg", "curves.svg", "chirp_search.html", "config.yaml"):
        assert (folder / name).stat().st_size > 1000, name
    # Its network is a statistic of the campaign, whose windows it sees once more.
    named = {"campaign_weights": "results/c/chirp_search/networks/classic.safetensors"}
    campaign = project.change(
        chirp_search=named, injections=CAMPAIGN, conditioning={"high_hz": 900.0}
    )
    seen = "results/c/injections/searched/test-0.parquet"
    campaign.make(seen)
    assert len(read_windows([project.folder / seen])["chirp_network"]) == 4
    # A key that only counts reruns no training.
    change = {"false_alarm_probabilities": [0.1]}
    counted = project.change(chirp_search=change).would_run_for("chirp_search")
    assert not [job for job in counted if "Training" in job or "Searching" in job]
    assert [job for job in counted if "Counting" in job]
    # Nothing of it is part of a run, and its captions can be filled in.
    assert not [job for job in project.would_run() if "chirp network" in job]
    printed = project.make("chirp_search", "--report", "report.zip")
    assert re.search(r"report", printed)
