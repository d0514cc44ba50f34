"""Ctrl-C while a job is being started: it ends, and what it wrote is made again. And SIGTERM."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from workflow_project import HEARING, build

RULES = Path(__file__).resolve().parents[2] / "workflow" / "rules" / "interrupts.smk"
# Interrupted when a job is with the executor and not yet marked as under way; its process starts
# after that. So it is on a busy machine.
SNAKEFILE = """
import signal, time
from snakemake.executors import local

include: {rules!r}

if config["interrupted"]:
    run = local.run_wrapper

    def run_later(*arguments):
        time.sleep(1)
        return run(*arguments)

    local.run_wrapper = run_later
    local.Executor.report_job_submission = lambda *_: signal.raise_signal(signal.SIGINT)

rule one:
    output: "made.txt"
    params: value=config["value"]
    shell: {command!r}
"""
AT_ONCE = "echo {params.value} > {output}"
SLOWLY = "sleep 0.5; (sleep 20; echo {params.value} > {output}) & wait"


def snakemake(folder: Path, value: str, interrupted: bool, *arguments: str):
    options = ["--cores", "1", "--nocolor", "--rerun-incomplete", *arguments]
    config = ["--config", f"value={value}", f"interrupted={interrupted}"]
    call = [sys.executable, "-m", "snakemake", *options, *config]
    return subprocess.run(
        [sys.executable, "-c", HEARING, *call],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )


@pytest.fixture
def interrupted(tmp_path):
    """Return a function that interrupts the job of another value than the one of ``made.txt``."""

    def run(command: str) -> Path:
        text = SNAKEFILE.format(rules=str(RULES), command=AT_ONCE)
        (tmp_path / "Snakefile").write_text(text)
        made = snakemake(tmp_path, "old", False)
        assert made.returncode == 0, made.stdout
        text = SNAKEFILE.format(rules=str(RULES), command=command)
        (tmp_path / "Snakefile").write_text(text)
        ended = snakemake(tmp_path, "new", True)
        assert ended.returncode != 0
        assert ended.stdout.splitlines()[-1].startswith("Interrupted. What is finished is kept")
        return tmp_path

    return run


def test_what_a_job_wrote_that_was_just_being_started_is_made_again(interrupted):
    folder = interrupted(AT_ONCE)
    again = snakemake(folder, "old", False)
    assert again.returncode == 0, again.stdout
    assert (folder / "made.txt").read_text() == "old\n"


def test_jobs_that_start_after_the_interrupt_end_with_all_that_they_started(interrupted):
    folder = interrupted(SLOWLY)
    assert not (folder / "made.txt").exists()
    left = [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(folder)]
    assert not left


# Behind all rules of the workflow: SIGTERM whenever jobs have been chosen and their resources are
# counted, which Snakemake does with its lock held.
TERMINATED = """
import signal
from snakemake.scheduling.job_scheduler import JobScheduler

count = JobScheduler.update_available_resources

def count_terminated(self, jobs):
    signal.raise_signal(signal.SIGTERM)
    count(self, jobs)

JobScheduler.update_available_resources = count_terminated
"""


@pytest.mark.workflow
def test_a_run_that_is_terminated_while_it_chooses_jobs_ends(tmp_path):
    project = build(tmp_path / "project")
    with (project.folder / "Snakefile").open("a") as file:
        file.write(TERMINATED)
    done = project.snakemake("tables")
    assert done.returncode != 0
    assert "Will exit after finishing currently running jobs" in done.stdout
    assert "Interrupted. What is finished is kept" in done.stdout
    assert "The workflow failed" not in done.stdout
    assert list(project.folder.glob("results/t/strain/*/*.json"))  # which those that ran left
