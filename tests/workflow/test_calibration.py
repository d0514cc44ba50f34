"""Limits, statuses and the atlas of a small run through the real workflow."""

import dataclasses
import json
import shutil

import numpy as np
import pyarrow.compute as pc
import pytest
from workflow_project import BLOCK_S, FIRST, Project, copied

from gwmorph.morphology.atlas import limits_in, read_atlas, write_atlas
from gwmorph.tables.block import LEDGER
from gwmorph.tables.calibration import ACHIEVED_RATES, DRIFT, STATUSES, THRESHOLDS
from gwmorph.tables.parquet import read_metadata, read_table, read_tables, write_table
from gwmorph.tables.scan import SCAN_WINDOWS
from gwmorph.tables.scores import SCORES
from gwmorph.tables.validation import REFERENCE

pytestmark = pytest.mark.workflow

FOLDER = "calibration/window"
ATLAS = "results/t/calibration/atlas"
KEY = [("detector", "ascending"), ("gps_start", "ascending")]


@pytest.fixture(scope="module")
def calibrated(labelled, tmp_path_factory):
    project = copied(labelled, tmp_path_factory.mktemp("calibrated") / "project")
    project.make("all", "calibrate")
    return project


def table(project, name, schema, run="t"):
    return read_table(project.folder / "results" / run / FOLDER / f"{name}.parquet", schema)


def test_every_planned_window_has_a_status_that_the_summary_counts(calibrated):
    run = calibrated.folder / "results/t"
    statuses = table(calibrated, "status", STATUSES)
    planned = read_tables(sorted((run / "ledger").glob("*.parquet")), LEDGER)
    assert len(statuses) == len(planned)
    told = json.loads((run / "summary.json").read_text())["statuses"]["window"]
    found = statuses["status"].to_pylist()
    assert told == {status: found.count(status) for status in told}
    lost = [status == "excluded" for status in planned["status"].to_pylist()]
    assert [status == "EXCLUDED" for status in found] == lost
    assert 0 < sum(lost) < len(lost)
    assert set(found) & {"KNOWN", "AMBIGUOUS"}
    assert "Nothing to be done" in calibrated.make()


def test_calibrate_leaves_figures_a_page_and_a_whole_atlas(calibrated):
    made = set(calibrated.results())
    shown = ("limits.svg", "novelty.svg", "limits.html")
    assert {f"{FOLDER}/{name}" for name in shown} | {"calibration/config.yaml"} <= made
    assert "figures/window/status.svg" in made
    achieved = table(calibrated, "achieved", ACHIEVED_RATES)
    assert set(achieved["rate"].to_pylist()) == {0.1, 0.2}  # the one in use, and that asked for
    atlas = read_atlas(calibrated.folder / ATLAS)
    assert atlas.about.detectors == ("H1", "L1")
    assert atlas.about.views == ("window",)
    assert atlas.limits("window") == limits_in(table(calibrated, "thresholds", THRESHOLDS))
    before = calibrated.times()
    assert "Nothing to be done" in calibrated.make("calibrate")
    assert calibrated.times() == before


def test_a_rate_that_the_data_do_not_support_is_refused_with_those_that_are(calibrated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(calibrated.folder, folder, symlinks=True)
    done = (
        Project(folder, calibrated.config)
        .change(calibration={"rate": 0.001})
        .snakemake("results/t/calibration/window/status.parquet")
    )
    assert done.returncode != 0
    assert "calibration.rate: 0.001" in done.stdout
    assert "They support rates from" in done.stdout
    assert "what becomes of the windows" not in done.stdout


def test_another_run_is_judged_by_an_atlas_where_it_holds(calibrated):
    shutil.copytree(calibrated.folder / ATLAS, calibrated.folder / "copied", dirs_exist_ok=True)
    other = calibrated.change(
        run={"name": "u", "gps_end": FIRST + 2 * BLOCK_S},
        # Of these, the atlas has its own.
        calibration={"atlas": "copied", "rate": 0.3, "promise": "each_class", "agreeing": 1.0},
        validation={"similarity": {"labels": None, "neighbors": 1}},
    )
    other.make(
        "results/u/calibration/window/status.parquet", "results/u/calibration/window/drift.parquet"
    )
    assert table(other, "thresholds", THRESHOLDS, "u").equals(
        table(calibrated, "thresholds", THRESHOLDS)
    )
    own = table(calibrated, "status", STATUSES).to_pylist()
    held = {(row["detector"], row["gps_start"]): row for row in own}
    alike = table(other, "status", STATUSES, "u").to_pylist()
    assert 0 < len(alike) < len(own)
    alike = [row for row in alike if row["status"] != "EXCLUDED"]  # at the end, where strain ends
    assert alike == [held[row["detector"], row["gps_start"]] for row in alike]
    assert len(table(other, "drift", DRIFT, "u")) == 1
    later = other.change(run={"gps_end": FIRST + 4 * BLOCK_S})
    refused = later.snakemake("--dry-run", "results/u/calibration/window/status.parquet")
    assert refused.returncode != 0
    assert "calibration.elsewhere: allowed" in refused.stdout
    later.change(calibration={"elsewhere": "allowed"}).make(
        "--dry-run", "results/u/calibration/window/status.parquet"
    )


def test_an_altered_atlas_is_refused_before_the_first_job(calibrated):
    broken = calibrated.folder / "broken"
    shutil.copytree(calibrated.folder / ATLAS, broken, dirs_exist_ok=True)
    (broken / "config.yaml").write_text("run: {}\n")
    done = calibrated.change(run={"name": "v"}, calibration={"atlas": "broken"}).snakemake()
    assert done.returncode != 0
    assert "broken/config.yaml: this part of the atlas was altered" in done.stdout
    assert not (calibrated.folder / "results/v").exists()


def test_an_atlas_of_another_encoder_is_refused_before_the_first_job(calibrated, tmp_path):
    atlas = read_atlas(calibrated.folder / ATLAS)
    tables = {}
    for name, schema in (("reference", REFERENCE), ("thresholds", THRESHOLDS)):
        own = atlas.folder / "window" / f"{name}.parquet"
        tables[name] = tmp_path / own.name
        metadata = read_metadata(own) | {"gwmorph.encoder_id": "another"}
        write_table(tables[name], schema, read_table(own, schema), metadata)
    about = dataclasses.replace(atlas.about, encoder_id="another")
    write_atlas(calibrated.folder / "encoded", about, {"window": tables}, {}, "")
    other = calibrated.change(run={"name": "x"}, calibration={"atlas": "encoded"})
    refused = other.snakemake("--dry-run")
    assert refused.returncode != 0
    assert "expected vectors of the encoder dct" in refused.stdout
    assert "got those of 'another'" in refused.stdout


def test_a_runs_own_atlas_is_refused_before_the_first_job(calibrated):
    own = calibrated.change(calibration={"atlas": ATLAS}).snakemake("--dry-run", "calibrate")
    assert own.returncode != 0
    assert f"calibration.atlas: {ATLAS} is what this run makes itself" in own.stdout


def test_a_run_without_labels_is_judged_by_its_own_clusters(calibrated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(calibrated.folder, folder, symlinks=True)
    project = Project(folder, calibrated.config).change(
        validation={"similarity": {"labels": None}}
    )
    project.make("all", "calibrate")
    labels = table(project, "thresholds", THRESHOLDS)["label"].to_pylist()
    assert "cluster 0" in labels
    assert not {"Blip", "Whistle"} & set(labels)
    statuses = table(project, "status", STATUSES)
    assert len(statuses) == len(table(calibrated, "status", STATUSES))
    told = json.loads((folder / "results/t/summary.json").read_text())["statuses"]["window"]
    assert told == {status: statuses["status"].to_pylist().count(status) for status in told}


def test_a_scan_of_the_runs_own_blocks_says_what_the_run_says(calibrated):
    project = calibrated.change(scan={"workers": 1})
    project.make("scan")
    run = calibrated.folder / "results/t"
    told = json.loads((run / "scan/summary.json").read_text())
    assert told["blocks_failed"] == 0
    tables = sorted((run / "scan/blocks").glob("*/windows.parquet"))
    assert len(tables) == told["blocks_done"] == 6
    scanned = read_tables(tables, SCAN_WINDOWS).sort_by(KEY)
    own = table(calibrated, "status", STATUSES).sort_by(KEY)
    for name in ("detector", "gps_start", "status", "named", "agreeing"):
        assert scanned[name].to_pylist() == own[name].to_pylist(), name
    for name in ("similarity", "p_value"):
        expected = [np.nan if value is None else value for value in own[name].to_pylist()]
        found = [np.nan if value is None else value for value in scanned[name].to_pylist()]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    scores = read_table(run / "scores.parquet", SCORES).sort_by(KEY)
    kept = scanned.filter(pc.is_valid(scanned["score"]))
    np.testing.assert_allclose(kept["score"], scores["score"], rtol=1e-5)
    np.testing.assert_allclose(kept["score_limit"], scores["limit"], rtol=1e-5)
    assert set(scanned["status"].to_pylist()) >= {"EXCLUDED", "QUIET"}
    assert json.loads((run / "scan/verdict.json").read_text())["verdict"] == "passed"
    assert "Nothing to be done" in project.make("scan")
