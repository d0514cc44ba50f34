"""What a person sees of a run while it goes on and when it has ended: status, logs, report."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.workflow


def status(project, run: str = "t") -> str:
    """What ``gwmorph status`` prints of a run."""
    call = [sys.executable, "-m", "gwmorph.cli", "status", f"results/{run}"]
    done = subprocess.run(
        call, cwd=project.folder, env=project.environment, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def test_a_finished_run_says_so_and_every_log_ends_with_what_was_done(finished):
    said = status(finished)
    jobs = int(re.search(r"Done: (\d+) of (\d+) jobs", said)[2])
    assert f"Done: {jobs} of {jobs} jobs" in said
    assert "results/t: finished (snakemake all" in said
    logs = sorted((finished.folder / "results/t/logs").rglob("*.log"))
    assert len(logs) == jobs
    for log in logs:
        lines = log.read_text().splitlines()
        assert lines[-1].startswith("Took "), log
        assert any(line.startswith("Wrote ") for line in lines), log
        assert len(lines) < 20, log


@pytest.mark.parametrize(
    ("log", "parts"),
    [
        ("block/*", "reading and whitening, drawing"),
        ("embed/*/*", "loading the encoder, encoding"),
        ("cluster/window", "layout, groups, placing, outliers and separation"),
    ],
)
def test_long_rules_say_how_long_each_part_took(finished, log, parts):
    logs = list((finished.folder / "results/t/logs").glob(f"{log}.log"))
    assert logs
    for path in logs:
        took = path.read_text().splitlines()[-1].partition(": ")[2]
        assert re.sub(r" [\d.]+ s", "", took) == parts


def test_a_killed_run_is_told_from_one_that_goes_on(emptied):
    process = subprocess.Popen(
        emptied.command(cores=1), cwd=emptied.folder, env=emptied.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    measured = emptied.folder / "results/t/measurements"
    try:
        give_up = time.monotonic() + 200
        while not list(measured.glob("*.parquet")):
            assert time.monotonic() < give_up
            assert process.poll() is None
            time.sleep(0.2)
        said = status(emptied)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert "results/t: under way for" in said
    assert "Left: " in said
    assert "unknown for" in said
    said = status(emptied)
    assert "interrupted, killed" in said
    assert "Left: " not in said


def test_a_failed_job_is_named_with_its_error_and_its_log(copy):
    project = copy().change(run={"max_excluded_fraction": 0.0})
    assert project.snakemake().returncode == 1
    said = status(project)
    assert "results/t: failed (snakemake all" in said
    assert "Failed: Judging" in said
    assert "log: results/t/logs/verdict.log" in said
    assert "max_excluded_fraction" in said.split("verdict.log")[1]
