"""What a run's jobs took and held, summed by rule."""

import json
import random
from dataclasses import astuple
from pathlib import Path

import pytest

from closeness import near
from gwmorph.batch.benchmarks import Job, read_job
from gwmorph.batch.costs import HEADINGS, TOTAL, Cost, costs_of, rows_of
from gwmorph.batch.rules import rules_of
from gwmorph.cli import main
from gwmorph.errors import StorageError

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
RULES = rules_of(WORKFLOW / "rules")
KNOWN = [rule for rule in RULES if rule.name in ("block", "cluster", "download")]


def benchmark_file(path: Path, seconds: float, size: str | float = 1, core: str | float = 1):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
    path.write_text(f"{header}\n{seconds}\t0:00:09\t{size}\t1\t1\t1\t1\t1\t1\t{core}\n")


@pytest.fixture
def run(tmp_path):
    """A run of two blocks, whose clusters ended before Snakemake looked."""
    run = tmp_path / "results" / "a"
    benchmark_file(run / "benchmarks" / "block" / "H1-10.tsv", 9.5, "400.25", "14.10")
    benchmark_file(run / "benchmarks" / "block" / "L1-10.tsv", 30.25, "380.00", "43.20")
    benchmark_file(run / "benchmarks" / "download" / "H1-10.tsv", 70.0, "90.00", "0.50")
    benchmark_file(run / "benchmarks" / "cluster" / "event.tsv", 0.1, "NA", "NA")
    return run


def test_jobs_are_summed_by_rule_and_most_processor_time_comes_first(run):
    found = costs_of(run, KNOWN)
    assert found.by_rule == (
        Cost("block", 2, 39.75, 57.3, 30.25, 400.25),
        Cost("download", 1, 70.0, 0.5, 70.0, 90.0),
        Cost("cluster", 1, 0.1, None, 0.1, None),
    )
    assert found.total == Cost(TOTAL, 4, 109.85, 57.8, 70.0, 400.25)


def test_what_was_not_seen_is_no_zero(run):
    *_, cluster, total = rows_of(costs_of(run, KNOWN))
    assert cluster == ("cluster", "1", "not seen", "0.1", "0.1", "not seen")
    assert total == (TOTAL, "4", "57.8", "109.8", "70.0", "400")
    assert len(total) == len(HEADINGS)


def test_one_job_that_was_seen_counts_beside_one_that_was_not(run):
    benchmark_file(run / "benchmarks" / "cluster" / "window.tsv", 2.0, "50.00", "1.00")
    benchmark_file(run / "benchmarks" / "cluster" / "other.tsv", 0.3, "-", "-")
    (cluster,) = (one for one in costs_of(run, KNOWN).by_rule if one.rule == "cluster")
    assert cluster == Cost("cluster", 3, 2.4, 1.0, 2.0, 50.0)


def test_files_that_are_apart_or_of_an_older_revision_do_not_count(run):
    before = costs_of(run, KNOWN)
    benchmark_file(run / "benchmarks" / "gone" / "event.tsv", 7)
    assert costs_of(run, KNOWN) == before
    without = costs_of(run, KNOWN, apart=["download", "gone"])
    assert [one.rule for one in without.by_rule] == ["block", "cluster"]
    assert without.total.wall_s == 39.85


def test_many_jobs_cost_their_sum(tmp_path):
    draw = random.Random(7)
    jobs = [(draw.uniform(1, 99), draw.uniform(1, 99), draw.uniform(1, 99)) for _ in range(200)]
    for number, (seconds, size, core) in enumerate(jobs):
        benchmark_file(tmp_path / "benchmarks" / "block" / f"H1-{number}.tsv", seconds, size, core)
    total = costs_of(tmp_path, KNOWN).total
    walls, peaks, cores = zip(*jobs, strict=True)
    assert (total.jobs, total.longest_s, total.peak_mb) == (200, max(walls), max(peaks))
    assert [total.wall_s, total.core_s] == near([sum(walls), sum(cores)], rel=1e-5)


@pytest.mark.parametrize(
    "row", ["", "x\t1\t1\n", "1\t-1\t1\n", "1\t1\tnan\n", "inf\t1\t1\n", "1\t1\n", "1\t1\t1\n" * 2]
)
def test_a_damaged_file_is_named(run, row):
    path = run / "benchmarks" / "block" / "H1-20.tsv"
    path.write_text(f"s\tmax_rss\tcpu_time\n{row}")
    with pytest.raises(StorageError, match=r"block/H1-20\.tsv: is no benchmark"):
        costs_of(run, KNOWN)


def test_columns_are_read_by_their_names(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("cpu_time\trule_name\ts\tmax_rss\n3\tblock\t2\t-\n")
    assert read_job(path) == Job(wall_s=2.0, core_s=3.0, peak_mb=None)


def test_what_has_no_costs_says_so(tmp_path, run):
    with pytest.raises(StorageError, match="b: no such folder"):
        costs_of(tmp_path / "results" / "b", KNOWN)
    with pytest.raises(StorageError, match="has no benchmark files"):
        costs_of(tmp_path, KNOWN)
    with pytest.raises(StorageError, match="of any of the workflow's rules"):
        costs_of(run, [])


def test_a_benchmark_is_of_one_rule_alone():
    for rule in RULES:
        path = rule.benchmark.replace("{part}res", "res").replace("{", "").replace("}", "")
        assert [one.name for one in RULES if one.made(path)] == [rule.name]
    for folder in ("", "calibration/", "provenance/"):
        path = f"{folder}resolved_config.tsv"
        assert [one.name for one in RULES if one.made(path)] == ["resolved_config"]


def test_the_command_prints_a_table_and_json(run, capsys):
    command = ["costs", str(run), "--workflow", str(WORKFLOW)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Run a " in printed
    first, last = (printed.index(name) for name in ("block", "total"))
    assert first < printed.index("cluster") < last
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"]["peak_mb"] == 400.25
    assert found["by_rule"][-1]["core_s"] is None
    assert tuple(found["by_rule"][0].values()) == astuple(costs_of(run, RULES).by_rule[0])


def test_the_command_names_what_is_wrong(run, tmp_path, capsys):
    assert main(["costs", str(run), "--workflow", str(tmp_path)]) == 1
    assert "has no rules" in capsys.readouterr().err
    assert main(["costs", str(tmp_path / "no"), "--workflow", str(WORKFLOW)]) == 1
    assert "no such folder" in capsys.readouterr().err
