"""What jobs ask a batch system for."""

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import get_argument_parser
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.types import MaxJobsPerTimespan

from gwmorph.batch.measured import Measured, measured, read_measured, write_measured
from gwmorph.batch.profiles import MARK, MEASURED, rewritten
from gwmorph.batch.requests import Headroom, group_size, requests
from gwmorph.batch.rules import Rule, rules_of
from gwmorph.cli import main
from gwmorph.errors import StorageError

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflow"
RULES = rules_of(WORKFLOW / "rules")
PROFILES = sorted((WORKFLOW / "profiles").glob("*/config.yaml"))
WRITTEN = [path for path in PROFILES if MARK in path.read_text()]
# One job for each block, one for the run, and one that is not submitted.
BLOCK = Rule("block", 800, 30, False, "block/{detector}-{block}.tsv")
CLUSTER = Rule("cluster", 8000, 720, False, "cluster/{view}.tsv")
DOWNLOAD = Rule("download", 500, 60, True, "download/{detector}-{block}.tsv")
EXPLORER = Rule("explorer", None, None, False, "explorer.tsv")
PLAIN = Headroom(1.0, 1.0, 0.0, 0.0, 0.0)


def benchmark_file(path: Path, seconds: float, size: str = "100.00", cpu: str = "1.00") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
    row = f"{seconds}\t0:00:09\t{size}\t1\t1\t1\t1\t1\t1\t{cpu}"
    path.write_text(f"{header}\n{row}\n")


def asked(rule: Rule, found: Measured | None, headroom: Headroom = PLAIN) -> tuple:
    (one,) = requests([rule], {} if found is None else {rule.name: found}, headroom)
    return one.mem_mb, one.runtime, one.is_measured


def test_jobs_are_read_from_where_their_rules_put_their_benchmarks(tmp_path):
    run = tmp_path / "results" / "a"
    for block, seconds, size, cpu in ((10, 9.5, "400.25", "4.0"), (20, 30.0, "380.00", "3.5")):
        benchmark_file(run / "benchmarks" / "block" / f"H1-{block}.tsv", seconds, size, cpu)
    benchmark_file(run / "benchmarks" / "cluster" / "event.tsv", 0.1, "NA", "NA")
    benchmark_file(run / "benchmarks" / "gone" / "event.tsv", 7)  # of an older revision
    found = measured([run], [BLOCK, CLUSTER, DOWNLOAD])
    assert found == {
        "block": Measured("block", 2, 3.5, 30.0, 400.0),
        "cluster": Measured("cluster", 1, 0.0, 0.1, 0.0),
    }
    write_measured(tmp_path / MEASURED, found.values())
    assert read_measured(tmp_path / MEASURED) == found


@pytest.mark.parametrize("text", ["", "s\tmax_rss\n", "s\tmax_rss\tcpu_time\nx\t1\t1\n"])
def test_a_benchmark_that_cannot_be_read_is_named(tmp_path, text):
    path = tmp_path / "benchmarks" / "cluster" / "event.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(StorageError, match=r"event\.tsv: is no benchmark"):
        measured([tmp_path], [CLUSTER])


def test_a_run_without_benchmarks_is_named(tmp_path):
    with pytest.raises(StorageError, match="finished run"):
        measured([tmp_path], [CLUSTER])


def test_a_job_of_one_block_asks_for_what_was_measured():
    found = Measured("block", 3, 5.0, 120.0, 400.0)
    assert asked(BLOCK, found) == (400, 2, True)
    assert asked(BLOCK, found, Headroom(1.5, 3.0, 250.0, 60.0, 0.0)) == (1100, 7, True)


def test_a_job_of_a_run_asks_for_no_less_than_is_declared():
    small = Measured("cluster", 2, 5.0, 60.0, 400.0)
    assert asked(CLUSTER, small) == (8000, 720, True)
    assert asked(CLUSTER, replace(small, longest_s=60_000.0, largest_mb=9001.0)) == (
        9100,
        1000,
        True,
    )


def test_what_was_not_measured_is_asked_for_as_declared_beside_snakemake():
    assert asked(CLUSTER, None, replace(PLAIN, snakemake_mb=250.0)) == (8500, 720, False)


def test_a_rule_that_works_its_request_out_keeps_it():
    assert asked(EXPLORER, Measured("explorer", 1, 1.0, 1.0, 1.0)) == (None, None, True)


def test_what_is_not_submitted_asks_for_nothing():
    assert requests([DOWNLOAD], {}, PLAIN) == []


@given(st.floats(0.1, 1e5), st.floats(0.0, 1e5), st.floats(1.0, 9.0), st.floats(1.0, 9.0))
def test_no_job_asks_for_less_than_was_measured(seconds, size, memory, time):
    found = Measured("block", 1, 1.0, seconds, size)
    mb, minutes, _ = asked(BLOCK, found, Headroom(memory, time))
    assert mb >= size + 2 * Headroom().snakemake_mb
    assert 60 * minutes >= seconds + Headroom().snakemake_s


@given(st.floats(0.0, 1e4))
def test_a_group_takes_long_enough_and_has_no_job_too_many(least):
    headroom = Headroom()
    size = group_size(["block"], {"block": Measured("block", 1, least, least, 1.0)}, headroom)
    one = least + headroom.snakemake_cpu_s
    assert size * one >= headroom.shortest_job_s
    assert (size - 1) * one < headroom.shortest_job_s


def test_the_shortest_rule_of_a_group_decides_its_size():
    found = {"block": Measured("block", 1, 87.0, 99.0, 1.0)}
    assert group_size(["block", "other"], found, Headroom()) == 2
    found["other"] = Measured("other", 1, 57.0, 99.0, 1.0)
    assert group_size(["block", "other"], found, Headroom()) == 3
    assert group_size(["unknown"], found, Headroom()) == 1


def test_all_rules_that_are_submitted_are_found():
    text = "".join(path.read_text() for path in (WORKFLOW / "rules").glob("*.smk"))
    assert len(RULES) == text.count("benchmark:\n")
    assert {rule.name for rule in RULES if rule.of_a_block} == {
        "block",
        "collect",
        "download",
        "simulate",
    }
    # What asks the network, and what Snakemake is not to wait in a queue for.
    local = {rule.name for rule in RULES if rule.local}
    assert {"download", "event_catalog", "plan", "resolved_config", "verdict"} <= local


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.parent.name)
def test_a_profile_asks_for_what_was_measured(path):
    found = read_measured(WORKFLOW / "profiles" / MEASURED)
    assert path.read_text() == rewritten(path.read_text(), RULES, found, Headroom())


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.parent.name)
def test_a_profile_says_of_every_submitted_rule_what_it_asks_for_again_with_more(path):
    profile = yaml.safe_load(path.read_text())
    own = {rule.name for rule in RULES if rule.mem_mb is None}
    submitted = {rule.name for rule in RULES if not rule.local}
    assert profile["retries"] > 0
    assert profile["set-resources"].keys() | own >= submitted
    for resources in profile["set-resources"].values():
        assert all(value.startswith("attempt * ") for value in resources.values())


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_whenever_a_job_ends_few_of_thousands_that_wait_are_looked_at(path):
    profile = yaml.safe_load(path.read_text())
    assert profile["scheduler"] == "greedy"  # Snakemake's own choice takes 0.5 s of 9,000 blocks
    assert 100 <= profile["scheduler-subsample"] <= 1000


def test_snakemake_still_wakes_for_every_start_what_scheduling_smk_keeps_from_waking():
    """Where it does not any more, `count_no_starts` has nothing left to do: take it out."""
    schedule = inspect.getsource(JobScheduler.schedule)
    assert "if self.job_rate_limiter is not None:" in schedule
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in schedule
    options = (WORKFLOW / "rules" / "scheduling.smk").read_text()
    limit = get_argument_parser().get_default("max_jobs_per_timespan")
    found = MaxJobsPerTimespan.parse_choice(limit)
    assert f"USUAL_STARTS = {found.max_jobs}, {found.timespan:g}" in options


def test_the_profiles_for_batch_systems_are_written():
    assert {path.parent.name for path in WRITTEN} >= {"slurm"}


def test_a_profile_without_the_mark_or_with_a_rule_that_is_not_submitted_is_refused():
    with pytest.raises(StorageError, match="without the line"):
        rewritten("jobs: 3\n", [BLOCK], {}, PLAIN)
    for wrong in ("download", "nothing"):
        with pytest.raises(StorageError, match=wrong):
            rewritten(f"groups:\n  {wrong}: a\n{MARK}\n", [BLOCK, DOWNLOAD], {}, PLAIN)


def test_the_command_writes_profiles_by_a_users_own_run(tmp_path, capsys):
    run, workflow = tmp_path / "results" / "mine", tmp_path / "workflow"
    benchmark_file(run / "benchmarks" / "block" / "H1-10.tsv", 600, "4000", "500")
    (workflow / "profiles" / "slurm").mkdir(parents=True)
    (workflow / "rules").symlink_to(WORKFLOW / "rules")
    profile = workflow / "profiles" / "slurm" / "config.yaml"
    profile.write_text(f"jobs: 3\ngroups:\n  block: blocks\n{MARK}\n")
    assert main(["requests", str(run), "--workflow", str(workflow)]) == 0
    assert profile.read_text().endswith(f"{MARK}\n")  # asked is not written
    command = ["requests", str(run), "--workflow", str(workflow), "--memory", "2", "--write"]
    assert main(command) == 0
    made = yaml.safe_load(profile.read_text())
    assert made["jobs"] == 3
    assert made["set-resources"]["block"] == {
        "mem_mb": "attempt * 8500",
        "runtime": "attempt * 31",
    }
    assert made["group-components"] == {"blocks": 1}
    assert "block" in capsys.readouterr().out
    assert read_measured(workflow / "profiles" / MEASURED)["block"].jobs == 1
