import logging
import os
import signal
import warnings

import pytest

from gwmorph.errors import StrainError
from gwmorph.joblog import JobLog


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


def interrupt():
    raise KeyboardInterrupt


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("end_it", [interrupt, terminate])
def test_an_interrupted_job_cleans_up_and_says_so_in_its_log_alone(tmp_path, capfd, end_it):
    log = tmp_path / "job.log"
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []
    with pytest.raises(SystemExit) as end, JobLog(log):
        try:
            end_it()
        finally:
            cleaned.append(True)
    assert end.value.code == 130
    assert cleaned
    assert log.read_text() == "Interrupted.\n"
    assert capfd.readouterr() == ("", "")
    assert signal.getsignal(signal.SIGTERM) == before
