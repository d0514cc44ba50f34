"""Machine, packages and times of a record."""

import getpass
import os
import platform
import socket

import pytest

from gwmorph.errors import StorageError
from gwmorph.provenance.machine import describe_machine
from gwmorph.provenance.packages import Package, installed_packages
from gwmorph.provenance.times import span_of_jobs

COLUMNS = "s\th:m:s\tmax_rss\tcpu_time\n"


def test_the_processor_is_what_the_system_says(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n")
    assert describe_machine(cpuinfo)["processor"] == "A CPU @ 2 GHz"


def test_without_a_model_there_is_the_architecture(tmp_path):
    assert describe_machine(tmp_path / "none")["processor"]


def test_neither_host_nor_user_is_said():
    words = {str(value) for value in describe_machine().values()}
    assert not words & {socket.gethostname(), platform.node(), getpass.getuser()}


def test_packages_of_a_lock_are_compared_with_what_is_installed(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("# a comment==1\nNumPy==0.0.1  # via x\npyyaml==1\nnot-installed-here==3\n")
    found = {one.name: one for one in installed_packages(lock)}
    assert found.keys() == {"numpy", "pyyaml"}
    assert found["numpy"].locked == "0.0.1"
    assert not found["numpy"].is_locked


def test_a_local_part_is_no_other_version():
    assert Package("torch", "2.13.0+cpu", "2.13.0").is_locked
    assert not Package("torch", "2.13.1", "2.13.0").is_locked


def benchmark(folder, name, end, seconds):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{COLUMNS}{seconds}\t0:00:01\t1\t1\n")
    os.utime(path, (end, end))


def test_a_run_lasts_from_its_first_job_to_its_last(tmp_path):
    benchmark(tmp_path, "block/H1.tsv", 1000, 100.5)
    benchmark(tmp_path, "map.tsv", 2000.9, 1)
    benchmark(tmp_path, "provenance_record.tsv", 9000, 1)
    span = span_of_jobs(tmp_path, apart=["provenance"])
    assert span.start == "1970-01-01T00:14:59+00:00"
    assert span.end == "1970-01-01T00:33:20+00:00"


def test_a_run_without_times_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="nobody can say when"):
        span_of_jobs(tmp_path)


def test_a_file_without_seconds_is_named(tmp_path):
    (tmp_path / "map.tsv").write_text("x\n1\n")
    with pytest.raises(StorageError, match=r"map\.tsv: is no benchmark of one job"):
        span_of_jobs(tmp_path)
