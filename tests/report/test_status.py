import os
import shutil
import time
from pathlib import Path

import pytest

from closeness import near
from gwmorph.cli import main
from gwmorph.errors import StorageError
from gwmorph.jobs import JOBS, Call, Job, is_under_way, keep_call, read_call
from gwmorph.report.status import State, lines_of, progress_of

BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{}\t0:00:01\t5\t1\n"
AT = 1_700_000_000


class Run:
    """A call of jobs ``block 0`` … and ``cluster`` in a folder, and what they leave."""

    def __init__(self, folder: Path, blocks: int = 4, **changes) -> None:
        self.folder = folder / "results" / "t"
        names = [*(f"block/{number}" for number in range(blocks)), "cluster"]
        self.jobs = {name: self._job(name) for name in names}
        values = {
            "targets": ("all",),
            "at_once": 2,
            "in_cores": True,
            "logs": (),
            "began_ns": AT * 10**9,
        }
        self.call = Call(jobs=tuple(self.jobs.values()), **values | changes)
        self.held = keep_call(self.folder, self.call)

    def _job(self, name: str) -> Job:
        paths = (f"{kind}/{name}" for kind in ("logs", "benchmarks"))
        log, benchmark = (f"{p}.{e}" for p, e in zip(paths, ("log", "tsv"), strict=True))
        return Job(name.split("/", maxsplit=1)[0], f"Doing {name}", log, benchmark, 1)

    def _write(self, path: str, text: str, at: float) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (at, at))

    def log(self, name: str, text: str = "", at: float = AT + 1) -> None:
        self._write(self.jobs[name].log, text, at)

    def done(self, name: str, seconds: float, at: float = AT + 9) -> None:
        self.log(name, "Took 1 s\n", at)
        self._write(self.jobs[name].benchmark, BENCHMARK.format(seconds), at)

    def end(self) -> None:
        self.held.close()

    def progress(self, now: float = AT + 20):
        return progress_of(self.folder, now)

    def text(self) -> str:
        return "\n".join(lines_of(self.progress(), self.folder))


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path)
    yield run
    run.end()


def test_a_call_is_read_as_it_was_kept(run):
    assert read_call(run.folder) == run.call


def test_a_call_is_under_way_until_it_lets_go(run):
    assert is_under_way(run.folder)
    run.end()
    assert not is_under_way(run.folder)


def test_a_killed_call_is_not_under_way(tmp_path):
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        held = Run(tmp_path).held
        os.write(tell, b"x")
        time.sleep(60)
        held.close()
        os._exit(0)
    os.read(ready, 1)
    folder = tmp_path / "results" / "t"
    assert is_under_way(folder)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert not is_under_way(folder)


def test_each_state_is_told_from_what_jobs_leave(run):
    run.done("block/0", 4)
    run.log("block/1")
    run.log("block/2", "StrainError: a.hdf5: damaged.\n")
    found = dict(zip(run.jobs, run.progress().states, strict=True))
    assert found == {
        "block/0": State.DONE,
        "block/1": State.RUNNING,
        "block/2": State.FAILED,
        "block/3": State.WAITING,
        "cluster": State.WAITING,
    }


def test_what_an_earlier_call_left_is_not_done(run):
    run.done("block/0", 4, at=AT - 100)
    assert run.progress().states[0] is State.WAITING


def test_time_left_is_by_rule_and_shared_by_the_cores(run):
    run.done("block/0", 4)
    run.done("block/1", 8)
    run.log("block/2", at=AT + 18)
    progress = run.progress()
    assert progress.took_s == {"block": 6.0}
    # 4 s of the one that runs and 6 s of the one that waits, on two cores, but 6 s for one.
    assert progress.left_s() == near(6)
    assert [job.rule for job in progress.unknown] == ["cluster"]
    assert "Left: about 6 s with 2 cores kept busy, and unknown for 1 job (cluster)" in run.text()


def test_many_jobs_share_the_cores(tmp_path):
    run = Run(tmp_path, blocks=101)
    run.done("block/0", 10)
    assert run.progress().left_s() == near(500)
    run.end()


def test_jobs_on_other_machines_count_by_number_and_not_by_cores(tmp_path):
    run = Run(tmp_path, blocks=101, at_once=50, in_cores=False)
    run.done("block/0", 10)
    assert run.progress().left_s() == near(20)
    assert "50 jobs at once kept busy" in run.text()
    run.end()


def test_without_times_or_limit_the_time_left_is_unknown(tmp_path):
    run = Run(tmp_path, at_once=0, in_cores=False)
    assert run.progress().left_s() is None
    assert "Left: unknown for 5 jobs (block, cluster)" in run.text()
    run.done("block/0", 10)
    assert run.progress().left_s() is None
    run.end()


def test_times_of_an_earlier_call_serve_where_there_are_no_others(run):
    run.done("cluster", 30, at=AT - 100)
    progress = run.progress()
    assert progress.took_s == {"cluster": 30.0}
    assert progress.earlier == {"cluster"}
    run.done("block/0", 4)
    run.done("block/1", 400, at=AT - 100)
    assert run.progress().took_s["block"] == 4.0


def test_what_a_log_says_of_its_own_time_counts_more_than_what_others_took(run):
    run.done("block/0", 4)
    run.log("block/1", "64 of 128 windows, 30 s, about 90 s left\n", at=AT + 10)
    progress = run.progress()
    # At ten seconds after it was said.
    assert list(progress.said_s.values()) == [80.0]
    # 80 s of one core and 4 + 4 s of the other's.
    assert progress.left_s() == near(80)
    run.log("cluster", "3 of 9 variants, 10 s, about 200 s left\n", at=AT + 20)
    progress = run.progress()
    assert progress.left_s() == near(200)
    assert progress.unknown == []


def test_lines_without_an_end_say_how_long_a_job_has_been_at_work(run):
    run.done("block/0", 60)
    run.log("block/1", "WARNING: slow\n640 windows, 30 s\n", at=AT + 10)
    progress = run.progress()
    assert progress.elapsed_s[run.jobs["block/1"]] == near(40)
    assert progress.said_s == {}


@pytest.mark.parametrize("keep_times", [True, False])
def test_a_run_that_was_copied_or_renamed_is_the_same(run, tmp_path, keep_times):
    for name in run.jobs:
        run.done(name, 3)
    run.end()
    other = tmp_path / "elsewhere"
    shutil.copytree(run.folder, other, copy_function=shutil.copy2 if keep_times else shutil.copy)
    text = "\n".join(lines_of(progress_of(other, AT + 20), other))
    assert "finished (snakemake all, begun 2023-11-14 22:13:20 UTC)" in text
    assert "Done: 5 of 5 jobs" in text


def test_what_runs_shows_the_last_line_of_its_log(run):
    run.log("block/1", "WARNING: slow\n64 of 128 windows, 30 s, about 30 s left\n")
    assert "Running: Doing block/1: 64 of 128 windows, 30 s, about 30 s left" in run.text()


def test_what_failed_shows_its_error_and_its_log(run):
    run.log("block/2", "WARNING: x\nStrainError: a.hdf5: damaged.\nRemove it.\n")
    said = f"Failed: Doing block/2; log: {run.folder}/logs/block/2.log\n"
    assert f"{said}  StrainError: a.hdf5: damaged.\n  Remove it." in run.text()
    run.end()
    assert "failed (snakemake all, begun 2023-11-14 22:13:20 UTC)" in run.text()


def test_a_killed_run_names_what_was_at_work_and_promises_no_time(run):
    run.done("block/0", 4)
    run.log("block/1")
    run.end()
    text = run.text()
    assert "interrupted, killed" in text
    assert "Not finished when it ended: Doing block/1" in text
    assert "goes on from there" in text
    assert "Left:" not in text
    assert State.RUNNING not in run.progress().states


def test_an_interrupted_job_has_not_failed(run):
    run.log("block/1", "Interrupted.\n")
    run.end()
    assert "Failed" not in run.text()
    assert "interrupted" in run.text()


def test_a_job_that_failed_without_a_word_is_known_by_what_snakemake_wrote(tmp_path):
    log = tmp_path / "snakemake.log"
    log.write_text("Error in rule cluster:\n    jobid: 1\n    log: nowhere.log\n\nx")
    run = Run(tmp_path, logs=(str(log),))
    run.end()
    assert "failed (snakemake all" in run.text()
    assert "Rule cluster failed; its log is nowhere.log" in run.text()


def test_a_finished_run_says_so(run):
    for name in run.jobs:
        run.done(name, 3)
    run.end()
    assert "t: finished (snakemake all" in run.text()
    assert "Done: 5 of 5 jobs" in run.text()


def test_ten_thousand_jobs_take_a_few_lines_and_little_time(tmp_path):
    run = Run(tmp_path, blocks=10_000)
    for number in range(0, 10_000, 2):
        run.done(f"block/{number}", 3)
    for number in range(1, 3_000, 2):
        run.log(f"block/{number}")
    start = time.perf_counter()
    assert len(run.text().splitlines()) < 20
    assert time.perf_counter() - start < 5
    run.end()


def test_a_benchmark_that_is_being_written_is_unknown(run):
    run.done("block/0", 4)
    (run.folder / run.jobs["block/0"].benchmark).write_text("s\th:m:s\n")
    assert run.progress().took_s == {}


def test_a_folder_without_a_call_is_refused(tmp_path):
    with pytest.raises(StorageError, match=r"no such file.*start snakemake first"):
        read_call(tmp_path)


def test_a_call_of_another_version_is_refused(run):
    (run.folder / JOBS).write_text('{"jobs": [{"name": "x"}]}')
    with pytest.raises(StorageError, match="another version"):
        read_call(run.folder)


def test_the_command_prints_it_from_anywhere(run, monkeypatch, capsys):
    run.log("block/2", "StrainError: a.hdf5: damaged.\n", at=time.time())
    monkeypatch.chdir(run.folder)
    assert main(["status", "."]) == 0
    assert "Failed: Doing block/2" in capsys.readouterr().out
