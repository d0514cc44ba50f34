"""What the profile for HTCondor would submit: ``make test-htcondor``.

HTCondor itself is not needed. Snakemake reads the profile, its plugin makes the submit description
of a job, HTCondor's own bindings make a job of that, and its command is run here as a node would.
"""

import json
import os
import subprocess
import sys

import pytest
from workflow_project import FIRST, Project, build

# Snakemake, in whose process a queue keeps what it would be given and runs it, as a node would:
# in the folder that all share, with the environment of the job alone, and with scratch of its own.
SNAKEMAKE = """
import json, os, shlex, subprocess, sys
from pathlib import Path

import htcondor, htcondor2

def environment_of(job):
    # Single quotes quote in it, double ones are signs like others.
    lexer = shlex.shlex(job.get("Environment", ""), posix=True)
    lexer.whitespace_split, lexer.quotes, lexer.escape = True, "'", ""
    return dict(word.partition("=")[::2] for word in lexer)

class Queue:
    def submit(self, description):
        (job,) = htcondor.Submit(dict(description)).jobs(count=1)
        kept = {name: job.get(name) for name in KEPT} | {"Described": dict(description)}
        kept["Variables"] = environment_of(job)
        Path("submitted.json").write_text(json.dumps(kept, default=str))
        node = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH")}
        done = subprocess.run(
            [job["Cmd"], *shlex.split(description["arguments"])],
            env=node | kept["Variables"] | {"_CONDOR_SCRATCH_DIR": str(Path("scratch").resolve())},
            stdout=Path("node.log").open("w"), stderr=subprocess.STDOUT,
        )
        raise RuntimeError(f"this queue has run it: {done.returncode}")

KEPT = ("RequestMemory", "RequestDisk", "RequestCpus", "Environment", "JobBatchName", "Cmd")
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
        timeout=3600,
        check=False,
    )


def test_the_plugin_knows_every_key_of_the_profile(project):
    done = snakemake(project, "all", "--dry-run", "--quiet")
    assert done.returncode == 0, done.stdout


def test_a_submitted_job_asks_for_what_the_profile_says_and_does_its_work(project):
    planned = project.snakemake("results/t/plan/H1.json")
    assert planned.returncode == 0, planned.stdout
    (project.folder / "scratch").mkdir()
    receipt = f"results/t/strain/H1/{FIRST}.json"
    done = snakemake(project, receipt, "--retries", "0")
    told = done.stdout + (project.folder / "node.log").read_text()
    assert "this queue has run it: 0" in done.stdout, told
    assert "Checking H1 strain" in told
    job = json.loads((project.folder / "submitted.json").read_text())
    assert job["RequestMemory"] == 1000  # MB
    assert job["RequestDisk"] == 4000 * 1024  # KB
    assert job["RequestCpus"] == 1
    assert "strain" in job["JobBatchName"]
    # The plugin hands the mark of the run over in quotes, which are HTCondor's no more.
    assert job["Variables"]["GWMORPH_RUN"].startswith('"')
    # The disk is shared: nothing is to be copied.
    assert "transfer_input_files" not in job["Described"]
