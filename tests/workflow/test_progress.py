"""What a person sees of a run while it goes on and when it has ended: status, logs, report."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest


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


def variable(html: str, name: str) -> Any:
    """The value of a variable of the report's page."""
    start = re.search(rf"^\s*var {name} *= *(?={{)", html, re.MULTILINE).end()
    return json.JSONDecoder().raw_decode(html[start:])[0]


@pytest.fixture(scope="module")
def report(started) -> dict[str, Any]:
    """The variables of the page of a finished run's report."""
    started.make("--report", "report.zip")
    with ZipFile(started.folder / "report.zip") as zipped:
        html = zipped.read("report/report.html").decode()
    return {name: variable(html, name) for name in ("results", "categories", "rules")} | {
        "runtimes": variable(html, "runtimes_spec")["data"]["values"]
    }


def test_all_that_the_report_shows_is_labelled_and_has_a_caption_of_the_run(report):
    results = report["results"]
    shown = {Path(path).name for path in results}
    assert shown >= {"map.svg", "occupancy.svg", "clusters.html", "events.html", "summary.html"}
    for path, result in results.items():
        assert result["labels"], path
        assert "<p>" in result["caption"], path
        assert "{{" not in result["caption"], path
    placed = [
        path for parts in report["categories"].values() for p in parts.values() for path in p
    ]
    assert sorted(placed) == sorted(results)


def test_every_rule_of_the_report_shows_its_code_and_its_times(report):
    rules = report["rules"]
    asked_for_alone = {"all", "tables"}
    assert {"block", "embed", "cluster", "summary"} <= rules.keys()
    for name, rule in rules.items():
        code = re.sub(r"<[^>]+>", "", "".join(rule["code"]))
        assert name in asked_for_alone or "JobLog(snakemake.log[0]" in code, name
    timed = {entry["rule"] for entry in report["runtimes"]}
    assert rules.keys() - asked_for_alone <= timed
    assert all(entry["runtime"] >= 0 for entry in report["runtimes"])
