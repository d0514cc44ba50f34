"""Processes whose death costs one task."""

import os
import signal
import time

import pytest

from gwmorph.errors import StrainError
from gwmorph.scanner.workers import WorkerError, Workers


def work(task):
    what, value = task
    if what == "raise":
        raise StrainError(f"no strain in {value}")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fault":
        raise ZeroDivisionError
    if what == "sleep":
        time.sleep(value)
    return value


@pytest.fixture
def workers():
    made = Workers(1, work)
    yield made
    made.close()


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_death_costs_its_own_task_alone(workers, capfd):
    tasks = [
        ("return", 1), ("raise", "a.hdf5"), ("die", 0), ("return", 2), ("fault", 0), ("return", 3),
    ]  # fmt: skip
    found = [workers.submit(task) for task in tasks]
    assert [found[i].result() for i in (0, 3, 5)] == [1, 2, 3]
    with pytest.raises(StrainError, match=r"no strain in a\.hdf5"):
        found[1].result()
    with pytest.raises(WorkerError, match=r"died over it \(signal 9, SIGKILL\)"):
        found[2].result()
    with pytest.raises(WorkerError, match="exit code 1"):
        found[4].result()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_closing_ends_processes_whatever_they_are_at(workers):
    workers.submit(("return", 0)).result()
    under_way, waiting = workers.submit(("sleep", 600)), workers.submit(("return", 1))
    pids = workers.processes
    while not under_way.running():
        time.sleep(0.01)
    began = time.monotonic()
    workers.close()
    assert time.monotonic() - began < 30
    assert not any(map(is_there, pids))
    assert waiting.cancelled()
    assert isinstance(under_way.exception(), WorkerError)
