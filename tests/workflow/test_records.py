"""What a run promises is there, and what is said of it is true: lost outputs, records."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from workflow_project import BLOCK_S, FIRST, HEARING, ROOT, Project

from gwmorph.results import is_recorded

pytestmark = pytest.mark.workflow

# What Snakemake leaves of each job, what another target makes, and what simulated runs have.
_NOT_OF_THIS_RUN = {
    "logs/",
    "autoencoder/",
    "benchmarks/",
    "chirp_search/",
    "finetune/",
    "known_events/",
    "provenance/",
    "ro-crate-metadata.json",
    "learning/",
    "scan/",
    "supervised/",
    "timeslides/",
    "training/",
    "validation/",
    "truth.parquet",
}
CLUSTERING = [f"Clustering the {view} views of run t" for view in ("window", "event")]
RECORD = "Recording the configuration of run t"


def promised() -> list[str]:
    """Outputs that the documentation's table promises of a run."""
    lines = (ROOT / "docs" / "outputs.md").read_text().splitlines()
    cells = [line.split("|")[1] for line in lines if line.startswith("| `")]
    return [name for cell in cells for name in re.findall("`([^`]+)`", cell)]


def asked_for(project: Project) -> list[str]:
    """Files of the run that `all` asks for."""
    found = re.search(
        r"Asking for all.*\nReason: Input files updated by another job: (.*)",
        project.make("--dry-run"),
    )
    return [path.removeprefix("results/t/") for path in found[1].split(", ")]


def test_all_asks_for_everything_that_is_promised(unfinished):
    asked = asked_for(unfinished)
    names = promised()
    assert {"clusters/", "triggers.parquet", "summary.json"} <= set(names)
    for name in set(names) - _NOT_OF_THIS_RUN:
        assert [path for path in asked if f"{path}/".startswith(name)], name
    # Of every block, and in every view.
    for folder in ("ledger", "measurements", "triggers", "pictures", "events"):
        assert len([path for path in asked if path.startswith(f"{folder}/")]) == 6
    for folder in ("embeddings", "clusters", "figures", "tables"):
        views = {path.split("/")[1] for path in asked if path.startswith(f"{folder}/")}
        assert {"window", "event"} <= views


def test_all_asks_for_names_where_there_are_labels_and_for_no_validation(unfinished):
    assert not [path for path in asked_for(unfinished) if path.startswith("validation/")]
    (unfinished.folder / "labels.csv").write_text(
        f"GPStime,peakFreq,snr,confidence,id,ifo,label\n{FIRST},100,10,1,a,H1,Blip\n"
    )
    named = unfinished.change(validation={"similarity": {"labels": "labels.csv"}})
    asked = {path for path in asked_for(named) if path.startswith("validation/")}
    names = ("reference", "named_rows", "named_clusters")
    views = ("window", "event")
    assert asked == {f"validation/{view}/{name}.parquet" for view in views for name in names}


@pytest.mark.parametrize(
    ("lost", "job"),
    [
        ("triggers.parquet", "Joining the triggers of run t"),
        (f"pictures/H1-GWMORPH_PICTURES-{FIRST}-4096", "Drawing H1 block 0"),
        ("clusters/event/clusters.parquet", CLUSTERING[1]),
    ],
)
def test_a_lost_output_is_made_again(copy, lost, job):
    project = copy()
    path = project.folder / "results" / "t" / lost
    path.rename(project.folder / "lost")
    jobs = project.would_run()
    assert {job, RECORD} <= set(jobs)
    assert not [one for one in jobs if "Checking" in one]


def test_a_lost_plan_is_made_again_alone(copy):
    project = copy()
    before = project.results()
    for path in (project.folder / "results" / "t" / "plan").iterdir():
        path.unlink()
    assert project.would_run() == ["Keeping the plan of run t"]
    project.make()
    assert project.results() == before


def test_a_dry_run_writes_nothing(copy, unfinished):
    unfinished.make("--dry-run")
    assert not (unfinished.folder / "results").exists()
    project = copy()
    before = project.results(), project.times()
    other = project.change(run={"gps_end": FIRST + BLOCK_S}, events={"snr": 8.0})
    assert "Drawing L1 block 0" in other.would_run()
    assert (project.results(), project.times()) == before


@pytest.mark.parametrize("whose", ["0123456789abcdef", ""])
def test_a_job_of_another_plan_or_configuration_is_refused(copy, whose):
    project = copy()
    receipt = f"results/t/strain/H1/{FIRST}.json"
    (project.folder / receipt).unlink()
    # As an executor starts a job on another node.
    target = f"collect:run=t,detector=H1,block={FIRST}"
    job = project.command(
        "--mode", "remote", "--allowed-rules", "collect", "--target-jobs", target
    )
    done = subprocess.run(
        job,
        cwd=project.folder,
        env={**project.environment, "GWMORPH_RUN": whose},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert "PlanError: results/t: this job was started for another plan" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.folder / receipt).exists()


def interrupted(project: Project, lost: Path) -> tuple[str, int]:
    """Press Ctrl-C once a job has removed its old output; return what is said, and the status."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEARING, *project.command()],
        cwd=project.folder,
        env=project.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    while lost.exists() and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    return said, process.returncode


def test_an_interrupted_rerun_leaves_no_run_that_calls_itself_finished(copy):
    project = copy()
    record = project.folder / "results" / "t" / "config.yaml"
    assert yaml.safe_load(record.read_text())["clustering"]["umap"]["neighbors"] == 5
    changed = project.change(clustering={"umap": {"neighbors": 6}})
    said, status = interrupted(
        changed, project.folder / "results" / "t" / "clusters" / "window" / "clusters.parquet"
    )
    assert status != 0
    assert "Traceback" not in said
    assert "Error" not in said
    assert said.splitlines()[-1].startswith("Interrupted. What is finished is kept")
    assert not record.exists()
    refused = project.snakemake("--report", "report.zip")
    assert refused.returncode != 0
    assert (
        "results/t/config.yaml: no such record, so these results are not finished"
        in refused.stdout
    )
    # With the old key again, what the interrupt took is made again, and only then recorded.
    jobs = project.would_run()
    assert RECORD in jobs
    assert "Clustering the window views of run t" in jobs


def test_a_run_that_its_own_record_started_goes_on_with_the_same_command(copy):
    project = copy()
    folder = project.folder / "results" / "t"
    record, shard = folder / "config.yaml", next((folder / "embeddings" / "window").iterdir())
    recorded, content = record.read_bytes(), shard.read_bytes()

    def rerun():
        call = [*project.command()[:-1], "results/t/config.yaml"]
        return subprocess.run(
            call, cwd=project.folder, env=project.environment, capture_output=True, check=False
        )

    shard.write_bytes(content[:99])
    assert rerun().returncode != 0
    assert not is_recorded(record)
    shard.write_bytes(content)
    done = rerun()
    assert done.returncode == 0, done.stderr
    assert record.read_bytes() == recorded
    assert project.would_run() == []


def test_a_result_that_was_made_alone_leaves_the_record_to_the_next_call(copy):
    project = copy()
    folder = project.folder / "results" / "t"
    record, figure = folder / "config.yaml", folder / "figures" / "window" / "map.svg"
    recorded, drawn = record.read_bytes(), figure.read_bytes()
    figure.unlink()
    for asked in ("results/t/figures/window/map.svg", "all"):
        call = [*project.command(asked)[:-1], "results/t/config.yaml"]
        subprocess.run(
            call, cwd=project.folder, env=project.environment, capture_output=True, check=True
        )
        assert is_recorded(record) is (asked == "all")
    assert (record.read_bytes(), figure.read_bytes()) == (recorded, drawn)


def test_a_report_of_another_configuration_is_refused(copy):
    project = copy().change(clustering={"umap": {"neighbors": 6}})
    done = project.snakemake("--report", "report.zip")
    assert done.returncode != 0
    assert "PlanError: results/t was made with another configuration" in done.stdout
    assert "clustering.umap.neighbors: 6 here, 5 there" in done.stdout
    assert "--configfile results/t/config.yaml" in done.stdout
    assert not (project.folder / "report.zip").exists()


def test_the_printed_command_makes_the_report_as_pasted(copy):
    project = copy()

    def summary() -> str:
        return subprocess.run(
            [sys.executable, "-m", "gwmorph.cli", "summary", "results/t"],
            cwd=project.folder,
            env=project.environment,
            text=True,
            capture_output=True,
            check=True,
        ).stdout

    command = shlex.split(re.search(r"snakemake .*", summary())[0])
    assert command[0] == "snakemake"
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project.folder,
        env=project.environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (project.folder / "results" / "t" / "report.zip").is_file()
    assert "Not finished" not in summary()
    (project.folder / "results" / "t" / "config.yaml").unlink()
    assert "Not finished" in summary()


def test_a_moved_checkout_and_touched_weights_rerun_nothing(copy):
    quiet = "results/t/quiet/simulated/H1.parquet"
    project = copy().change(encoder={"name": "indomain"}, picture={"height": 112, "width": 112})
    project.make(quiet)
    weights = project.folder / "src/gwmorph/encoders/indomain.safetensors"
    weights.touch()
    moved = Project(project.folder.rename(project.folder.with_name("moved")), project.config)
    assert "Nothing to be done" in moved.make(quiet)
    # The same weights at another place are the same, others are not.
    other = moved.folder / "weights.safetensors"
    other.write_bytes((moved.folder / weights.relative_to(project.folder)).read_bytes())
    named = moved.change(encoder={"indomain": {"path": other.name}})
    assert "Nothing to be done" in named.make(quiet)
    content = bytearray(other.read_bytes())
    content[-1] ^= 1
    other.write_bytes(content)
    assert "Simulating quiet windows of H1" in named.make("--dry-run", quiet)
