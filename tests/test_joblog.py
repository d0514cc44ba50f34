import logging
import subprocess
import sys
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gwmorph.errors import StrainError
from gwmorph.joblog import JobLog
from gwmorph.progress import left_out, timed


def test_an_error_for_users_is_one_message_and_exit_code_1(tmp_path, capsys):
    log = tmp_path / "logs" / "job.log"
    with pytest.raises(SystemExit) as end, JobLog(log):
        raise StrainError("a.hdf5: expected H1, got L1.")
    assert end.value.code == 1
    assert log.read_text() == "StrainError: a.hdf5: expected H1, got L1.\n"
    assert capsys.readouterr().err.strip() == "StrainError: a.hdf5: expected H1, got L1."


def test_a_fault_of_ours_keeps_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError), JobLog(tmp_path / "job.log"):
        _ = 1 / 0
    text = (tmp_path / "job.log").read_text()
    assert "Traceback" in text
    assert "ZeroDivisionError" in text


def test_warnings_are_kept_and_an_older_log_is_replaced(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("of an earlier run")
    with JobLog(log):
        logging.getLogger("gwmorph").warning("the server was slow")
        warnings.warn("a filter is short", UserWarning, stacklevel=1)
    text = log.read_text()
    assert "WARNING: the server was slow" in text
    assert "a filter is short" in text
    assert "earlier" not in text


def test_nothing_stays_attached_after_the_job(tmp_path):
    before = list(logging.getLogger().handlers)
    with JobLog(tmp_path / "job.log"):
        pass
    assert logging.getLogger().handlers == before


INTERRUPTED = """
import os, signal, sys
from gwmorph.joblog import JobLog

before = signal.getsignal(signal.SIGTERM)
try:
    with JobLog(sys.argv[1]):
        try:
            if sys.argv[2] == "Ctrl-C":
                raise KeyboardInterrupt
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            print("cleaned", flush=True)
finally:
    assert signal.getsignal(signal.SIGTERM) == before
"""


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_an_interrupted_job_cleans_up_and_says_so_in_its_log_alone(tmp_path, how):
    # In a process of its own, which is all that can die of it.
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "job.log"), how]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "cleaned\n", "")
    assert (tmp_path / "job.log").read_text() == "Interrupted.\n"


def ending(tmp_path, read=(), written=()) -> list[str]:
    log = tmp_path / "logs" / "job.log"
    with JobLog(log, map(str, read), map(str, written)), timed("reading"):
        left_out("windows", {"gap": 3, "nan": 1, "loud": 0})
    return log.read_text().splitlines()


def test_a_log_ends_with_what_was_read_written_and_excluded_and_how_long_it_took(tmp_path):
    one, other, text = (tmp_path / name for name in ("a.parquet", "b.parquet", "c.json"))
    for path, rows in ((one, 3), (other, 1200)):
        pq.write_table(pa.table({"x": range(rows)}), path)
    text.write_bytes(b"x" * 1500)
    folder = tmp_path / "pictures" / "deep"
    folder.mkdir(parents=True)
    (folder / "p.png").write_bytes(b"y" * 500)
    size = sum(path.stat().st_size for path in (one, other))
    read, wrote, excluded, took = ending(tmp_path, [one, other], [text, folder.parent])
    assert read == f"Read 2 files, {size / 1000:.3g} kB; 1,203 rows in 2 tables"
    assert wrote == "Wrote 2 files, 1 folder, 2 kB"
    assert excluded == "Excluded 4 windows (gap 3, nan 1)"
    assert took.startswith("Took ")
    assert ": reading 0.0" in took


def test_a_damaged_table_that_nobody_read_does_not_end_the_job(tmp_path):
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    (tmp_path / "emptied.parquet").touch()
    read = [str(tmp_path / f"{name}.parquet") for name in ("whole", "cut", "emptied")]
    with JobLog(tmp_path / "job.log", read):
        pass
    assert "; 3 rows in 1 table" in (tmp_path / "job.log").read_text()


def test_a_job_without_files_says_so(tmp_path):
    assert ending(tmp_path)[:2] == ["Read no file", "Wrote no file"]


def test_the_ending_of_ten_thousand_inputs_is_short(tmp_path):
    paths = [tmp_path / f"{number}.txt" for number in range(10_000)]
    for path in paths:
        path.touch()
    assert len("\n".join(ending(tmp_path, paths))) < 200


def test_a_folder_that_is_read_is_not_searched(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_text("x")
    assert ending(tmp_path, [tmp_path / "in"])[0] == "Read 1 folder"


def test_a_warning_stays_in_its_place(tmp_path):
    with JobLog(log := tmp_path / "job.log"):
        logging.getLogger("gwmorph").warning("first")
    assert log.read_text().splitlines()[0] == "WARNING: first"
