"""Runs of the workflow through a real SLURM: ``make test-slurm``.

Not among those of ``make test-workflow``, since few machines have SLURM and these take minutes.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_slurm import SlurmMissingError, SmallSlurm, small_slurm
from workflow_project import BLOCK_S, FIRST, Project, build, copied

# Two blocks of one detector; one view is enough to have every group of jobs.
SMALL = {
    "run": {"gps_end": FIRST + 2 * BLOCK_S, "detectors": ["H1"]},
    "clustering": {"views": ["window"]},
    "score": {"background": "none"},
}
# Answers of the test's SLURM come at once; there is no database of jobs.
QUICK = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3")
PROFILE = ("--workflow-profile", "workflow/profiles/slurm", "--latency-wait", "10")
# A busy machine takes its time.
_PATIENCE_S = 3600


@pytest.fixture(scope="module")
def slurm() -> Iterator[SmallSlurm]:
    try:
        with small_slurm(cpus=2, memory_mb=24_000) as one:
            yield one
    except SlurmMissingError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run without a batch system."""
    project = build(tmp_path_factory.mktemp("local") / "project").change(**SMALL)
    done = subprocess.run(
        project.command("all"),
        cwd=project.folder,
        env=project.environment,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0
    return project


@pytest.fixture
def fresh(local: Project, tmp_path: Path) -> Project:
    """A copy of it in which nothing ran yet."""
    project = copied(local, tmp_path / "project")
    for name in ("results", ".snakemake", "cache"):
        shutil.rmtree(project.folder / name, ignore_errors=True)
    return project


def started(project: Project, slurm: SmallSlurm, *arguments: str) -> "subprocess.Popen[str]":
    """Start snakemake with the profile for SLURM; it tells its output in a file."""
    # A test in the background of a shell ignores Ctrl-C, and so would what it starts.
    hearing = ["env", "--default-signal=INT", sys.executable, "-m", "snakemake", "--nocolor"]
    project.command()  # writes the configuration
    return subprocess.Popen(
        [*hearing, *arguments, *PROFILE, *QUICK, "--configfile", "run.yaml"],
        cwd=project.folder,
        env={**project.environment, **slurm.environment, "PYTHONPATH": python_path(project)},
        text=True,
        stdout=(project.folder / "told.log").open("a"),
        stderr=subprocess.STDOUT,
    )


def python_path(project: Project) -> str:
    """Return where modules are looked for: in the project first."""
    return os.pathsep.join([str(project.folder / "src"), os.environ.get("PYTHONPATH", "")])


def ended(running: "subprocess.Popen[str]", project: Project) -> tuple[int, str]:
    """Wait for snakemake, and return its exit status and all that it told."""
    try:
        code = running.wait(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    return code, (project.folder / "told.log").read_text()


def ledger(number: int) -> str:
    """Return the ledger of one block of H1, as snakemake is asked for it."""
    return f"results/t/ledger/H1-GWMORPH_LEDGER-{FIRST + number * BLOCK_S}-{BLOCK_S}.parquet"


def awaited(
    what: Callable[[], object], running: "subprocess.Popen[str]", project: Project
) -> object:
    """Return what a function returns once that is something; snakemake must not end before."""
    while running.poll() is None:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError((project.folder / "told.log").read_text())


def within_a_minute(what: Callable[[], object]) -> object:
    """Return what a function returns once that is something."""
    for _ in range(600):
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("nothing happened for a minute")


def job_of(slurm: SmallSlurm, word: str, state: str, but: set[str]) -> Callable[[], str | None]:
    """Return a function that looks for a job of a rule or group in a state, and its number."""

    def look() -> str | None:
        for job in slurm.jobs():
            is_new = job["JobId"] not in but
            if is_new and job["JobState"] == state and word in job.get("Comment", ""):
                return job["JobId"]
        return None

    return look


def assert_same(project: Project, local: Project, *made: str) -> None:
    """Raise unless some files were made, and all files of a run are those of another.

    The configuration, which is recorded behind all results, is not there while some are asked for.
    """
    own, others = project.results(), local.results()
    assert {path.removeprefix("results/t/") for path in made} <= own.keys()
    assert own.items() <= others.items()
    assert others.keys() - own.keys() <= {"config.yaml"}


def numbers(slurm: SmallSlurm) -> set[str]:
    return {job["JobId"] for job in slurm.jobs()}


def test_a_run_has_the_bytes_of_a_local_one_though_a_job_of_it_is_cancelled(slurm, local, fresh):
    before = numbers(slurm)
    running = started(fresh, slurm, "all")
    cancelled = awaited(job_of(slurm, "block", "RUNNING", before), running, fresh)
    slurm.call("scancel", cancelled)
    code, told = ended(running, fresh)
    assert code == 0, told + slurm.logs()
    assert fresh.results() == local.results()

    jobs = {job["JobId"]: job for job in slurm.jobs() if job["JobId"] not in before}
    assert jobs[cancelled]["JobState"] == "CANCELLED"
    assert "Trying to restart" in told
    # One job for all blocks, and one more for it; nothing of the login node was submitted.
    submitted = [job["Comment"] for job in jobs.values()]
    assert sum("block" in comment for comment in submitted) == 2, submitted
    assert not [c for c in submitted if re.search("rule_(plan|resolved_config|verdict)", c)]
    assert len(jobs) < 15
    # A group asks for one core, the memory of its largest, and the time of all.
    asked = jobs[cancelled]
    assert asked["NumCPUs"] == "1"
    assert asked["MinMemoryNode"] == "1200M"
    assert asked["TimeLimit"] == "00:06:00"  # 2 blocks of 3 minutes


# Python runs this first: what does a rule's script take for the place of temporary files?
WHERE = """
import os, sys, tempfile
if any(".snakemake/scripts" in argument for argument in sys.orig_argv):
    with open(os.environ["SEEN"], "a") as seen:
        print(tempfile.gettempdir(), file=seen)
"""


def test_a_job_that_is_killed_for_memory_is_tried_again_with_more(
    slurm, local, tmp_path, monkeypatch
):
    project = copied(local, tmp_path / "project")
    (project.folder / ledger(0)).unlink()
    before = numbers(slurm)
    scratch, seen = tmp_path / "scratch", tmp_path / "seen.txt"
    scratch.mkdir()
    (project.folder / "src" / "sitecustomize.py").write_text(WHERE)
    monkeypatch.setenv("SEEN", str(seen))
    # As a cluster's prologue does it.
    monkeypatch.setitem(slurm.environment, "SLURM_TMPDIR", str(scratch))
    # More than a Snakemake holds, and less than it holds with a block's work.
    running = started(project, slurm, ledger(0), "--set-resources", "block:mem_mb=attempt*450")
    code, told = ended(running, project)
    assert code == 0, told + slurm.logs()
    assert_same(project, local, ledger(0))
    jobs = sorted(
        (job for job in slurm.jobs() if job["JobId"] not in before),
        key=lambda job: int(job["JobId"]),
    )
    assert [job["MinMemoryNode"] for job in jobs] == ["450M", "900M"]
    assert jobs[0]["JobState"] in ("FAILED", "OUT_OF_MEMORY", "CANCELLED")
    assert jobs[1]["JobState"] == "COMPLETED"
    (log,) = (project.folder / ".snakemake" / "slurm_logs").rglob(f"{jobs[0]['JobId']}.log")
    assert "exceeded memory limit" in log.read_text()
    assert set(seen.read_text().split()) == {str(scratch)}


def test_a_run_that_was_cancelled_goes_on_with_the_same_command(slurm, local, tmp_path):
    project = copied(local, tmp_path / "project")
    for number in (0, 1):
        (project.folder / ledger(number)).unlink()
    before = numbers(slurm)
    targets = [ledger(number) for number in (0, 1)]
    running = started(project, slurm, *targets)
    job = awaited(job_of(slurm, "block", "RUNNING", before), running, project)
    running.send_signal(signal.SIGINT)
    code, told = ended(running, project)
    assert code != 0, told
    within_a_minute(job_of(slurm, "block", "CANCELLED", before))  # none is left behind
    assert job not in slurm.call("squeue", "--noheader", "--format=%i").split()
    code, told = ended(started(project, slurm, *targets), project)
    assert code == 0, told + slurm.logs()
    assert_same(project, local, *targets)
