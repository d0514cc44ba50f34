"""What the profile for HTCondor would submit: ``make test-htcondor``.

HTCondor itself is not needed. Snakemake reads the profile, its plugin makes the submit description
of a job, HTCondor's own bindings make a job of that, and its command is run here as a node would.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_project import BLOCK_S, FIRST, Project, build

# Snakemake, in whose process a queue keeps what it is given in a file, and refuses it.
SNAKEMAKE = """
import sys
from pathlib import Path

import htcondor2

class Queue:
    def submit(self, description):
        Path("submitted.txt").write_text(str(description))
        raise RuntimeError("this queue takes no jobs")

htcondor2.Schedd = Queue
htcondor2.Submit.issue_credentials = lambda self: None

from snakemake.cli import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return build(tmp_path_factory.mktemp("htcondor") / "project")


def snakemake(project: Project, *arguments: str) -> "subprocess.CompletedProcess[str]":
    project.command()  # writes the configuration
    call = [sys.executable, "-c", SNAKEMAKE, "--nocolor", *arguments]
    profile = ["--workflow-profile", "workflow/profiles/htcondor", "--configfile", "run.yaml"]
    paths = [str(project.folder / "src"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [*call, *profile],
        cwd=project.folder,
        env={**project.environment, "PYTHONPATH": os.pathsep.join(paths)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )


def described(path: Path) -> dict[str, str]:
    """Return a submit description as HTCondor's bindings printed it."""
    lines = [line.partition("=") for line in path.read_text().splitlines() if "=" in line]
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def test_the_plugin_knows_every_key_of_the_profile(project):
    done = snakemake(project, "all", "--dry-run", "--quiet")
    assert done.returncode == 0, done.stdout


def test_a_submitted_job_asks_for_what_the_profile_says(project):
    block = f"H1-GWMORPH_LEDGER-{FIRST}-{BLOCK_S}.parquet"
    made = project.snakemake("--until", "collect")  # what blocks need, without HTCondor
    assert made.returncode == 0, made.stdout
    done = snakemake(project, f"results/t/ledger/{block}", "--retries", "0")
    assert "this queue takes no jobs" in done.stdout, done.stdout
    job = described(project.folder / "submitted.txt")
    assert job["request_memory"] in ("1200MB", str(1200 * 1024))
    assert job["request_disk"] in ("4000MB", str(4000 * 1024))
    assert job["request_cpus"] == "1"
    assert "blocks" in job["batch_name"]
    assert "GWMORPH_RUN=" in job["environment"].replace(" ", "")
    assert "snakemake" in job["arguments"]
    # The disk is shared: nothing is to be copied.
    assert "transfer_input_files" not in job
