"""Downloads meet every fault that a server can have, and end whole or in a clear error."""

import errno
import hashlib
import multiprocessing
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.errors import DownloadError, StorageError
from gwmorph.storage import recorded_sha256
from gwmorph.strain.base import StrainFile
from gwmorph.strain.download import Patience, download
from gwmorph.strain.gwosc import check_strain_file
from gwmorph.strain.hosts import Hosts
from gwosc_files import gwosc_file_name, write_gwosc_file
from replica import GwoscReplica

GPS = 1368195072
SECONDS = 4
QUICK = Patience(attempts=4, timeout_s=5, first_wait_s=0.001)
DESCRIBED = StrainFile("H1", GPS, SECONDS, 4096, "")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = np.random.default_rng(1).normal(size=SECONDS * 4096)
    path = tmp_path_factory.mktemp("served") / gwosc_file_name("H1", GPS, duration=SECONDS)
    return write_gwosc_file(path, "H1", GPS, values, 4096)


@pytest.fixture
def replica(served: Path) -> Iterator[GwoscReplica]:
    with GwoscReplica([served]) as running:
        yield running


def fetch(replica: GwoscReplica, path: Path, patience: Patience = QUICK, **options: Any) -> str:
    return download(
        replica.url + replica.files[0].url_path,
        path,
        patience,
        hosts=Hosts(replica.url),
        check=check,
        **options,
    )


def check(path: Path) -> None:
    check_strain_file(path, DESCRIBED)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_whole(path: Path, served: Path) -> None:
    assert path.read_bytes() == served.read_bytes()
    assert names_in(path.parent) == {path.name, f"{path.name}.sha256"}


def test_good_file_arrives_whole_with_its_hash(
    replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    path = tmp_path / "new" / served.name
    digest = fetch(replica, path)
    assert digest == hashlib.sha256(served.read_bytes()).hexdigest() == recorded_sha256(path)
    assert path.with_name(f"{path.name}.sha256").read_text() == f"{digest}  {path.name}\n"
    assert_whole(path, served)
    assert replica.count() == 1


FAULTS = {
    "429": lambda replica, times: replica.refuse("archive", status=429, times=times),
    "500": lambda replica, times: replica.refuse("archive", status=500, times=times),
    "503": lambda replica, times: replica.refuse("archive", status=503, times=times),
    "stall": lambda replica, times: replica.stall("archive", times=times),
    "cut": lambda replica, times: replica.cut_short("archive", times=times),
    "cut in silence": lambda replica, times: replica.cut_short(
        "archive", times=times, announced=False
    ),
    "corrupt": lambda replica, times: replica.corrupt("archive", times=times),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_passing_fault_is_tried_again(
    fault: str, replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    FAULTS[fault](replica, 2)
    path = tmp_path / served.name
    fetch(replica, path, Patience(attempts=3, timeout_s=0.2, first_wait_s=0.001))
    assert_whole(path, served)
    assert replica.count() == 3


@pytest.mark.parametrize("fault", FAULTS)
def test_lasting_fault_ends_in_an_error_and_leaves_nothing(
    fault: str, replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    FAULTS[fault](replica, np.inf)
    path = tmp_path / served.name
    with pytest.raises(DownloadError) as caught:
        fetch(replica, path, Patience(attempts=3, timeout_s=0.1, first_wait_s=0.001))
    assert replica.url + replica.files[0].url_path in str(caught.value)
    assert "gave up after 3 tries" in str(caught.value)
    assert replica.count() == 3
    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("fault", ["cut in silence", "corrupt"])
def test_damaged_body_error_names_the_file_not_its_temporary_name(
    fault: str, replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    FAULTS[fault](replica, np.inf)
    path = tmp_path / served.name
    with pytest.raises(DownloadError, match="damaged") as caught:
        fetch(replica, path)
    assert str(path) in str(caught.value)
    assert ".part" not in str(caught.value)


@pytest.mark.parametrize("fault", ["500", "cut", "corrupt"])
def test_failed_download_leaves_the_old_file(
    fault: str, replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    FAULTS[fault](replica, np.inf)
    path = tmp_path / served.name
    path.write_text("old")
    with pytest.raises(DownloadError):
        fetch(replica, path)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == {path.name}


@pytest.mark.parametrize("status", [400, 403, 404])
def test_refusal_for_good_is_not_tried_again(
    status: int, replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    replica.refuse("archive", status=status)
    with pytest.raises(DownloadError, match=f"HTTP {status}"):
        fetch(replica, tmp_path / served.name)
    assert replica.count() == 1
    assert names_in(tmp_path) == set()


def test_nobody_listening_ends_in_an_error(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.hdf5"
        with pytest.raises(DownloadError, match=r"gave up after 4 tries.*ConnectionError"):
            download(url, tmp_path / "file.hdf5", QUICK, hosts=Hosts(url), check=check)
    assert names_in(tmp_path) == set()


def test_waits_double_and_retry_after_overrides_them(
    replica: GwoscReplica, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("gwmorph.strain.download.time.sleep", waits.append)
    replica.refuse("archive", status=500, times=3)
    replica.refuse("archive", status=429, times=1, retry_after_s=7)
    replica.refuse("archive", status=429, times=1, retry_after_s=3600)
    fetch(replica, tmp_path / served.name, Patience(6, 5, first_wait_s=0.5, longest_wait_s=100))
    assert waits == [0.5, 1.0, 2.0, 7.0, 100.0]


@given(
    st.integers(1, 40),
    st.floats(0.001, 10),
    st.one_of(st.none(), st.floats(0, 1e6)),
)
def test_wait_is_bounded_and_never_shorter_than_asked(
    failures: int, first: float, retry_after: float | None
) -> None:
    patience = Patience(first_wait_s=first, longest_wait_s=60)
    wait = patience.wait_s(failures, retry_after)
    assert 0 <= wait <= 60
    if retry_after is not None:
        assert wait == min(retry_after, 60)
    else:
        assert wait >= min(first, 60)
        assert patience.wait_s(failures + 1, None) >= wait


def test_wrong_checksum_is_refused(replica: GwoscReplica, served: Path, tmp_path: Path) -> None:
    path = tmp_path / served.name
    with pytest.raises(DownloadError, match=f"expected {'0' * 64}"):
        fetch(replica, path, sha256="0" * 64)
    assert replica.count() == QUICK.attempts
    assert names_in(tmp_path) == set()
    fetch(replica, path, sha256=hashlib.sha256(served.read_bytes()).hexdigest())
    assert_whole(path, served)


def test_full_disk_is_a_storage_error_and_not_tried_again(
    replica: GwoscReplica, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_on_a_full_disk(path: str, mode: str) -> IO[bytes]:
        stream = Path(path).open(mode)  # noqa: SIM115

        def write(_: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device", path)

        monkeypatch.setattr(stream, "write", write, raising=False)
        return stream

    monkeypatch.setattr("pooch.downloaders.open", open_on_a_full_disk, raising=False)
    with pytest.raises(StorageError, match="no space left") as caught:
        fetch(replica, tmp_path / served.name)
    assert str(tmp_path / served.name) in str(caught.value)
    assert replica.count() == 1
    assert names_in(tmp_path) == set()


def _fetch_often(url: str, path: Path) -> None:
    for _ in range(5):
        download(url, path, QUICK, hosts=Hosts(url), check=check)


def test_processes_that_fetch_one_file_do_not_disturb_each_other(
    replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    url, path = replica.url + replica.files[0].url_path, tmp_path / served.name
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_fetch_often, args=(url, path)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert replica.count() == 10
    assert_whole(path, served)


def test_killed_download_leaves_no_file_and_can_be_done_again(
    replica: GwoscReplica, served: Path, tmp_path: Path
) -> None:
    replica.stall("archive", times=1)
    url, path = replica.url + replica.files[0].url_path, tmp_path / served.name
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=_fetch_often, args=(url, path))
    worker.start()
    deadline = time.monotonic() + 30
    while replica.count() == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.kill()
    worker.join()
    assert not path.exists()
    assert recorded_sha256(path) is None
    fetch(replica, path)
    assert path.read_bytes() == served.read_bytes()


@pytest.mark.parametrize("is_terminal", [False, True])
def test_progress_is_drawn_on_a_terminal_only(
    is_terminal: bool,
    replica: GwoscReplica,
    served: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    fetch(replica, tmp_path / served.name)
    assert ("100%" in capsys.readouterr().err) == is_terminal
