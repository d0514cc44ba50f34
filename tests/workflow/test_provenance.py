"""The record of a small run: whether it is whole, and whether its figures' commands work."""

import csv
import json
import shlex
import shutil
import subprocess
import sys

import pytest
from crate_checking import issues
from workflow_project import DETECTORS

from gwmorph.cli import main

pytestmark = pytest.mark.workflow

RECORD = "results/t/provenance"
# Cheap to draw, of both records that speak of figures, and a folder of several.
FIGURES = ("figures/event/occupancy.svg", "figures/window/galleries", "timeslides/rates.svg")


@pytest.fixture(scope="module")
def recorded(started):
    started.make("timeslides", "provenance")
    return started


def facts(project):
    return json.loads((project.folder / RECORD / "record.json").read_text())


def commands(project):
    with (project.folder / RECORD / "commands.tsv").open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return {row["path"]: row["command"] for row in rows}


def verify(project, *options):
    run = str(project.folder / "results" / "t")
    return main(["verify", run, "--base", str(project.folder), *options])


def test_a_run_is_a_crate_that_holds(recorded, capsys):
    assert issues(recorded.folder / "results" / "t") == []
    assert verify(recorded) == 0, capsys.readouterr().out


def test_the_record_speaks_of_everything_that_is_there(recorded):
    known = facts(recorded)
    assert known["targets"] == ["all", "timeslides"]
    assert known["seeds"].keys() == {"run.seed", "score.seed", "timeslides.seed"}
    assert known["checkout"]["why"] == "the workflow's folder is no git checkout"
    assert known["encoder"]["weights_sha256"] is None
    inputs = (recorded.folder / RECORD / "inputs.sha256").read_text().splitlines()
    read = {line.split("  ")[1] for line in inputs}
    assert {"segments/H1.txt", "segments/L1.txt"} <= read
    # Strain lies around four borders, of which the last is outside of the run.
    assert sum(name.startswith("data/") for name in read) == 3 * len(DETECTORS)


def test_recording_again_changes_nothing(recorded):
    before = recorded.results()
    assert recorded.would_run_for("timeslides", "provenance") == []
    recorded.make("--forcerun", "provenance_record", "timeslides", "provenance")
    assert recorded.results() == before


def test_deleted_figures_come_back_the_same_by_their_commands(recorded):
    before = recorded.results()
    for path in FIGURES:
        place = recorded.folder / "results" / "t" / path
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        program, *arguments = shlex.split(commands(recorded)[path])
        assert program == "snakemake"
        subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=recorded.folder,
            env=recorded.environment,
            check=True,
            capture_output=True,
            timeout=300,
        )
    assert recorded.results() == before
    assert verify(recorded) == 0


def test_a_target_of_another_configuration_is_left_out(recorded):
    other = recorded.change(report={"listed_events": 3})
    printed = other.make("--dry-run", "provenance")
    assert "timeslides" not in printed
