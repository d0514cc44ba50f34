"""Bad input ends a run with a clear message and an exit code, and leaves nothing half-made."""

import json
import subprocess
import sys
from zipfile import ZipFile

import pytest
from safetensors import numpy
from workflow_project import FIRST, HALF_S, border

from gwmorph.tables.block import LEDGER
from gwmorph.tables.parquet import read_tables

pytestmark = pytest.mark.workflow


def refused(project, *said):
    """Run snakemake, which must fail with one message and no traceback; return what it printed."""
    done = project.snakemake("--dry-run")
    assert done.returncode != 0
    for text in said:
        assert text in done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def test_a_mistyped_key_names_the_nearest_one(unfinished):
    project = unfinished.change(clustering={"umap": {"neigbors": 6}})
    refused(project, "clustering.umap.neigbors: unknown key", "'clustering.umap.neighbors'")
    assert not (project.folder / "results").exists()


def test_a_section_that_stands_twice_is_named_by_file_and_line(unfinished):
    path = unfinished.folder / "config" / "config.yaml"
    first = path.read_text().splitlines().index("window:") + 1
    path.write_text(path.read_text() + "window: {stride_s: 16}\n")
    last = len(path.read_text().splitlines())
    said = f"config.yaml, line {last}, column 1: is not valid YAML: the key 'window' stands in "
    refused(unfinished, said, f"line {first} already")


def test_what_is_no_yaml_is_named_by_file_and_line(unfinished):
    path = unfinished.folder / "config" / "config.yaml"
    path.write_text(path.read_text() + "more:\n\tkey: 1\n")
    last = len(path.read_text().splitlines())
    refused(unfinished, f"config/config.yaml, line {last}, column 1: is not valid YAML: found")


def test_a_reversed_span_is_refused(unfinished):
    project = unfinished.change(run={"gps_end": FIRST - 1})
    refused(project, f"gps_end ({FIRST - 1}) must be greater than gps_start ({FIRST})")
    assert not (project.folder / "results").exists()


def test_a_span_without_a_window_says_what_is_there(unfinished):
    project = unfinished.change(run={"gps_end": FIRST + 1000})
    refused(project, "PlanError", "H1: 4 files cover GPS", "run.gps_start")


def test_an_environment_in_a_path_with_a_space_is_as_good_as_any_other(new, tmp_path):
    folder = tmp_path / "strain and more"
    project = new(folder / "checkout")
    (folder / "environment").symlink_to(sys.prefix)
    command = project.command("results/t/triggers.parquet", cores=1)
    command[0] = str(folder / "environment" / "bin" / "python")
    done = subprocess.run(
        command,
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (project.folder / "results" / "t" / "triggers.parquet").is_file()


def test_a_reversed_segment_is_named_by_file_and_line(unfinished):
    (unfinished.folder / "segments" / "H1.txt").write_text(f"{FIRST + 100} {FIRST}\n")
    refused(unfinished, "SegmentError", "segments/H1.txt:1", "reversed")


def test_strain_too_slow_for_the_analysis_is_refused_before_any_job(unfinished):
    project = unfinished.change(conditioning={"sample_rate": 4096})
    refused(project, "StrainError: data/H-H1_", "2048 Hz is lower", "conditioning.sample_rate")


def test_pictures_too_small_for_the_encoder_are_refused_before_any_job(unfinished):
    project = unfinished.change(encoder={"name": "indomain"})
    refused(project, "ConfigError: picture.height", "at least 112 pixels, got 28 x 28")


def test_a_tiling_outside_the_pass_band_is_refused_before_any_job(unfinished):
    project = unfinished.change(qtransform={"f_high": 90}, conditioning={"low_hz": 95})
    refused(project, "ConfigError: qtransform: there are no tiles from 95 to 90 Hz")


def test_a_missing_population_names_its_key(unfinished):
    simulated = {"kind": "simulated", "simulated": {"population": "none.yaml"}}
    refused(unfinished.change(source=simulated), "source.simulated.population: 'none.yaml'")


def test_missing_weights_are_named_before_any_picture_is_drawn(unfinished):
    encoder = {"name": "dinov2", "weights": {"path": "nowhere"}}
    refused(unfinished.change(encoder=encoder), "WeightsError", "nowhere: config.json is not")


def test_other_weights_are_named_before_any_picture_is_drawn(unfinished):
    folder = unfinished.folder / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(numpy.save({}))
    encoder = {"name": "dinov2", "weights": {"path": "weights", "sha256": "0" * 64}}
    refused(unfinished.change(encoder=encoder), "WeightsError", f"sha256 = {'0' * 64}, got ")


def test_a_file_that_is_no_strain_is_named(unfinished):
    name = f"H-H1_GWOSC_O4a_2KHZ_R1-{border(0) - HALF_S}-{2 * HALF_S}.hdf5"
    (unfinished.folder / "data" / name).write_bytes(b"not HDF5")
    refused(unfinished, "StrainError", name)


def test_results_of_an_older_schema_version_are_left_alone(copy):
    project = copy()
    marker = project.folder / "results" / "t" / "schema.json"
    marker.write_text(json.dumps({"schema_version": "0"}))
    before = project.results()
    refused(project, "results/t: holds results of schema version 0", "run.name")
    assert project.results() == before


def test_strain_that_changed_under_a_run_says_how_to_go_on(copy):
    project = copy()
    run = project.folder / "results" / "t"
    receipt = run / "strain" / "H1" / f"{FIRST}.json"
    content = json.loads(receipt.read_text())
    content[0]["sha256"] = "0" * 64
    del content[0]["crc32"]
    receipt.write_text(json.dumps(content))
    ledger = run / "ledger" / f"H1-GWMORPH_LEDGER-{FIRST}-4096.parquet"
    done = project.snakemake(ledger.relative_to(project.folder).as_posix())
    assert done.returncode != 0
    assert "StrainError: data/H-H1_" in done.stdout
    assert f"remove results/t/strain/H1/{FIRST}.json and run the workflow again" in done.stdout
    assert "Traceback" not in done.stdout
    log = run / "logs" / "block" / f"H1-{FIRST}.log"
    assert log.read_text().startswith("StrainError: data/H-H1_")
    assert not ledger.exists()
    receipt.unlink()
    project.make(ledger.relative_to(project.folder).as_posix())
    assert ledger.exists()


def test_a_failed_verdict_leaves_every_table_in_place(copy):
    project = copy().change(run={"max_excluded_fraction": 0.1})
    before = project.results()
    done = project.snakemake()
    assert done.returncode != 0
    assert "VerdictError: too many windows were lost." in done.stdout
    assert "context (too little science data beside the window to whiten it)" in done.stdout
    assert "Traceback" not in done.stdout
    # Whatever else was printed in between, the error is repeated at the end.
    ending = done.stdout[done.stdout.index("Rule verdict failed; its log is") :]
    assert "results/t/logs/verdict.log\nVerdictError: too many windows were lost." in ending
    kept = project.results()
    assert {path for path in before if before[path] != kept.get(path)} == {
        "verdict.json",
        "config.yaml",
    }
    ledgers = sorted((project.folder / "results" / "t" / "ledger").glob("*.parquet"))
    assert read_tables(ledgers, LEDGER).num_rows == 30
    printed = project.make("--report", "report.zip")
    assert "Duplicate explicit target name" not in printed
    with ZipFile(project.folder / "report.zip") as report:
        opened = report.read("report/report.html").decode().split("var workflow_desc = ")[1]
    assert (
        opened.index("analysed holds")
        < opened.index("Map of all events")
        < opened.index("Scores.")
    )


def test_a_run_too_short_to_know_its_own_quiet_noise_is_refused_before_any_job(unfinished):
    project = unfinished.change(score={"background": "run"})
    refused(project, "ConfigError: score.background: run: H1 has", "expected at least 100 quiet")


def test_labels_at_fault_are_refused_before_any_job(unfinished):
    (unfinished.folder / "labels.csv").write_text(
        f"GPStime,peakFreq,snr,confidence,id,ifo,label\n{FIRST},100,10,1,a,Hanford,Blip\n"
    )
    project = unfinished.change(validation={"similarity": {"labels": "labels.csv"}})
    refused(project, "labels.csv", "Hanford")
