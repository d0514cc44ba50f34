"""The GWOSC source against the loopback replica, good and faulty, and without it."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from gwosc import locate
from gwosc.api import v2 as api
from gwosc.timeline import get_segments
from igwn_segments import segment, segmentlist

import replica as replica_module
from gwmorph.errors import DownloadError, StrainError
from gwmorph.evidence.catalog import catalog_of
from gwmorph.storage import record_path
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.gwosc import GwoscSource
from gwosc_files import ALL_DQ, gwosc_file_name, write_gwosc_file
from replica import GwoscReplica, segments_of

GPS = 1368195072
BLOCK = 4096
SPAN = (GPS, GPS + 3 * BLOCK)


@pytest.fixture(scope="module")
def block_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole block: noise in its first second, then zeros, which compress to nothing."""
    values = np.zeros(BLOCK * 4096)
    values[:4096] = np.random.default_rng(2).normal(size=4096)
    path = tmp_path_factory.mktemp("block") / gwosc_file_name("H1", GPS)
    return write_gwosc_file(path, "H1", GPS, values, 4096)


@pytest.fixture
def unread(tmp_path: Path) -> Any:
    """Make files of which only the names are looked at."""

    def make(*names: str) -> list[Path]:
        paths = [tmp_path / "served" / name for name in names]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_text("not read")
        return paths

    return make


@pytest.fixture(autouse=True)
def _forget_pages() -> Iterator[None]:
    yield
    api.JSON_CACHE.clear()


def source(replica: GwoscReplica | str, cache: Path, **options: Any) -> GwoscSource:
    host = replica if isinstance(replica, str) else replica.url
    settings = {"flag": "DATA", "sample_rate": 4096, "attempts": 3, "timeout_s": 5.0} | options
    return GwoscSource(host=host, cache=cache, first_wait_s=0.001, **settings)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ----------------------------------------------------------------- segments


def test_segments_are_coalesced_and_clipped(tmp_path: Path) -> None:
    released = [(GPS - 50, GPS + 100), (GPS + 100, GPS + 200), (GPS + 300, GPS + 90_000)]
    with GwoscReplica([], {"H1_DATA": released, "H1_CBC_CAT1": [(GPS, GPS + 7)]}) as replica:
        found = source(replica, tmp_path).segments("H1", *SPAN)
        assert found == segmentlist([segment(GPS, GPS + 200), segment(GPS + 300, GPS + 3 * BLOCK)])
        cat1 = source(replica, tmp_path, flag="CBC_CAT1").segments("H1", *SPAN)
        assert cat1 == segmentlist([segment(GPS, GPS + 7)])
        assert replica.count() == 2


def test_every_page_is_read(tmp_path: Path) -> None:
    released = [(GPS + 8 * i, GPS + 8 * i + 5) for i in range(1201)]
    with GwoscReplica([], {"L1_DATA": released}) as replica:
        found = source(replica, tmp_path).segments("L1", *SPAN)
        assert [tuple(pair) for pair in found] == released
        assert replica.count("/api/v2/timelines/L1_DATA/segments") == 3


def test_second_call_reads_the_cache(tmp_path: Path) -> None:
    with GwoscReplica(
        [], {"H1_DATA": [SPAN], "L1_DATA": [SPAN], "H1_CBC_CAT1": [SPAN]}
    ) as replica:
        first = source(replica, tmp_path).segments("H1", *SPAN)
        assert source(replica, tmp_path).segments("H1", *SPAN) == first
        assert replica.count() == 1
        source(replica, tmp_path).segments("L1", *SPAN)
        source(replica, tmp_path).segments("H1", SPAN[0], SPAN[1] - 1)
        source(replica, tmp_path, flag="CBC_CAT1").segments("H1", *SPAN)
        source(replica.url.replace("127.0.0.1", "localhost"), tmp_path).segments("H1", *SPAN)
        assert replica.count() == 5
    assert source(replica, tmp_path).segments("H1", *SPAN) == first


@pytest.mark.parametrize("damage", ["text", "answer", "empty", "another question"])
def test_damaged_cache_is_asked_for_again(damage: str, tmp_path: Path) -> None:
    with GwoscReplica([], {"H1_DATA": [(GPS, GPS + 100)]}) as replica:
        first = source(replica, tmp_path).segments("H1", *SPAN)
        (kept,) = files_in(tmp_path / "gwosc" / "segments")
        content = json.loads(kept.read_text())
        if damage == "answer":
            content["answer"][0][1] += 1
        if damage == "another question":
            content["question"]["host"] = "https://example.org"
        kept.write_text({"text": "{", "empty": "[]"}.get(damage, json.dumps(content)))
        assert source(replica, tmp_path).segments("H1", *SPAN) == first
        assert replica.count() == 2
        assert source(replica, tmp_path).segments("H1", *SPAN) == first
        assert replica.count() == 2


def test_a_detector_that_was_off_has_no_segments_and_is_asked_again(tmp_path: Path) -> None:
    with GwoscReplica([], {"H1_DATA": [(0, 100)]}) as replica:
        assert source(replica, tmp_path).segments("H1", *SPAN) == segmentlist()
        assert files_in(tmp_path) == []
        replica.segments = {"H1_DATA": [SPAN]}  # released since
        assert source(replica, tmp_path).segments("H1", *SPAN) == segmentlist([segment(*SPAN)])


def test_unknown_flag_is_refused_at_once(tmp_path: Path) -> None:
    with GwoscReplica([], {"H1_DATA": [SPAN]}) as replica:
        with pytest.raises(DownloadError) as caught:
            source(replica, tmp_path, flag="CBC_CAT9").segments("H1", *SPAN)
        assert "H1_CBC_CAT9" in str(caught.value)
        assert "HTTP 404" in str(caught.value)
        assert replica.count() == 1


FAULTS = {
    "429": lambda replica, times: replica.refuse("", status=429, times=times, retry_after_s=0),
    "500": lambda replica, times: replica.refuse("", status=500, times=times),
    "stall": lambda replica, times: replica.stall("", times=times),
    "cut": lambda replica, times: replica.cut_short("", times=times),
    "cut in silence": lambda replica, times: replica.cut_short("", times=times, announced=False),
    "corrupt": lambda replica, times: replica.corrupt("", times=times),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_lists_survive_passing_faults(fault: str, tmp_path: Path, unread: Any) -> None:
    with GwoscReplica(unread(gwosc_file_name("H1", GPS)), {"H1_DATA": [SPAN]}) as replica:
        asking = source(replica, tmp_path, timeout_s=0.2)
        FAULTS[fault](replica, 2)
        assert asking.segments("H1", *SPAN) == segmentlist([segment(*SPAN)])
        FAULTS[fault](replica, 2)
        assert [file.gps_start for file in asking.files("H1", *SPAN)] == [GPS]
        assert replica.count("timelines") == replica.count("strain-files") == 3


@pytest.mark.parametrize("fault", FAULTS)
def test_lists_that_cannot_be_had_are_an_error(fault: str, tmp_path: Path) -> None:
    with GwoscReplica([], {"H1_DATA": [SPAN]}) as replica:
        FAULTS[fault](replica, np.inf)
        asking = source(replica, tmp_path, timeout_s=0.1)
        for ask, wanted in ((asking.segments, "H1_DATA"), (asking.files, "H1 at 4096 Hz")):
            with pytest.raises(DownloadError) as caught:
                ask("H1", *SPAN)
            for part in (wanted, str(SPAN[0]), str(SPAN[1]), replica.url, "gave up after 3",
                         "source.gwosc.attempts"):  # fmt: skip
                assert part in str(caught.value)
        assert replica.count() == 6
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"hello": "world"},
        ["a", "list"],
        {"next": None, "num_pages": 1, "results": None},
        {"next": None, "num_pages": 1, "results": [{"start": "soon", "stop": "later"}]},
        *(
            {"next": None, "num_pages": 1, "results": [{"hdf5_url": f"https://{address}"}]}
            for address in (
                "x.org/readme.txt",
                "[x/a/b/H-H1_GWOSC_4KHZ_R1-1262301184-4096.hdf5",
                "x.org/a/$b/H-H1_GWOSC_4KHZ_R1-1262301184-4096.hdf5",
                "x.org/a/b/H-H1_GWOSC_4KHZ_R1-soon-4096.hdf5",
                "x.org/a/b/H-H1_GWOSC_4KHZ_R1-1262301184-long.hdf5",
            )
        ),
    ],
)
def test_server_that_speaks_otherwise_is_not_believed(
    answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GwoscReplica([], {"H1_DATA": [SPAN]}) as replica:
        monkeypatch.setattr("replica._Handler._page", lambda *_: answer)
        for ask in (source(replica, tmp_path).segments, source(replica, tmp_path).files):
            with pytest.raises(DownloadError, match=r"the answer (is not a page|holds what was)"):
                ask("H1", *SPAN)
    assert files_in(tmp_path) == []


def test_nobody_listening(tmp_path: Path) -> None:
    with GwoscReplica([]) as replica:
        address = replica.url
    with pytest.raises(DownloadError, match=re.escape(address)):
        source(address, tmp_path).segments("H1", *SPAN)


# -------------------------------------------------------------------- files


def test_files_overlap_the_span_and_are_sorted(tmp_path: Path, unread: Any) -> None:
    starts = [GPS + k * BLOCK for k in (3, -1, 0, 2, 1, 4)]
    names = [gwosc_file_name("H1", gps) for gps in starts]
    names += [gwosc_file_name("L1", GPS), gwosc_file_name("H1", GPS, sample_rate=16384)]
    names += [gwosc_file_name("H1", GPS + 7, duration=32)]
    with GwoscReplica(unread(*names), {}, page_size=2) as replica:
        found = source(replica, tmp_path).files("H1", GPS + 10, GPS + 3 * BLOCK)
        assert [file.gps_start for file in found] == [GPS, GPS + BLOCK, GPS + 2 * BLOCK]
        assert {(file.detector, file.duration, file.sample_rate) for file in found} == {
            ("H1", BLOCK, 4096)
        }
        assert all(file.location.endswith(f"-{file.gps_start}-4096.hdf5") for file in found)
        fast = source(replica, tmp_path, sample_rate=16384).files("H1", *SPAN)
        assert [file.sample_rate for file in fast] == [16384]
        assert "_16KHZ_" in fast[0].location
        before = replica.count()
        assert source(replica, tmp_path).files("H1", GPS + 10, GPS + 3 * BLOCK) == found
        assert replica.count() == before


def test_one_release_serves_each_block(tmp_path: Path, unread: Any) -> None:
    names = [
        gwosc_file_name("H1", GPS, release="O4a", revision="R2"),
        gwosc_file_name("H1", GPS, release="O4a", revision="R1"),
        gwosc_file_name("H1", GPS, release="O4z", revision="R2"),
        gwosc_file_name("H1", GPS + BLOCK, release="O4z", revision="R1"),
    ]
    chosen = []
    for order in (names, names[::-1]):
        with GwoscReplica(unread(*order), {}) as replica:
            found = source(replica, tmp_path).files("H1", *SPAN)
            chosen.append([file.location.rsplit("/", 1)[-1] for file in found])
    assert chosen == [[names[0], names[3]]] * 2


def test_no_files_is_an_answer_that_says_what_to_check(tmp_path: Path, unread: Any) -> None:
    with GwoscReplica(unread(gwosc_file_name("L1", GPS)), {}) as replica:
        with pytest.raises(StrainError) as caught:
            source(replica, tmp_path).files("H1", *SPAN)
        for part in ("H1 at 4096 Hz", str(SPAN[0]), str(SPAN[1]), "source.gwosc.sample_rate"):
            assert part in str(caught.value)
    assert files_in(tmp_path / "gwosc") == []


# ------------------------------------------------------------------- obtain


def test_file_is_obtained_once_and_then_without_the_server(
    tmp_path: Path, block_file: Path
) -> None:
    with GwoscReplica([block_file]) as replica:
        asking = source(replica, tmp_path)
        (file,) = asking.files("H1", *SPAN)
        segments = asking.segments("H1", *SPAN)
        local = asking.obtain(file)
        assert asking.obtain(file) == local
        assert replica.count("archive") == 1
    digest = hashlib.sha256(block_file.read_bytes()).hexdigest()
    assert (local.layout, local.sha256, local.size) == ("gwosc", digest, block_file.stat().st_size)
    assert (local.detector, local.gps_start, local.duration) == ("H1", GPS, BLOCK)
    assert Path(local.path).read_bytes() == block_file.read_bytes()
    assert "O4a_4KHZ_R1" in local.path
    local.verify()
    again = source(replica, tmp_path)
    assert again.files("H1", *SPAN) == [file]
    assert again.segments("H1", *SPAN) == segments == segmentlist([segment(GPS, GPS + BLOCK)])
    assert again.obtain(StrainFile.from_json(file.to_json())) == local


@pytest.mark.parametrize("damage", ["content", "no record", "wrong record", "empty record"])
def test_cached_file_that_differs_from_its_record_is_fetched_again(
    damage: str, tmp_path: Path, block_file: Path
) -> None:
    with GwoscReplica([block_file]) as replica:
        asking = source(replica, tmp_path)
        (file,) = asking.files("H1", *SPAN)
        local = asking.obtain(file)
        path = Path(local.path)
        if damage == "content":
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        elif damage == "no record":
            record_path(path).unlink()
        else:
            record_path(path).write_text({"wrong record": "0" * 64, "empty record": ""}[damage])
        assert asking.obtain(file) == local
        assert replica.count("archive") == 2
        assert path.read_bytes() == block_file.read_bytes()
        assert {p.name for p in path.parent.iterdir()} == {path.name, record_path(path).name}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"detector": "L1"}, "expected detector L1, got H1"),
     ({"gps_start": GPS + BLOCK}, f"expected gps_start {GPS + BLOCK}, got {GPS}"),
     ({"sample_rate": 16384}, "expected sample_rate 16384, got 4096")],
)  # fmt: skip
def test_file_that_is_not_what_the_list_said_is_refused(
    wrong: dict[str, Any], message: str, tmp_path: Path, block_file: Path
) -> None:
    with GwoscReplica([block_file]) as replica:
        asking = source(replica, tmp_path)
        (file,) = asking.files("H1", *SPAN)
        with pytest.raises(DownloadError, match=message) as caught:
            asking.obtain(replace(file, **wrong))
        assert file.location in str(caught.value)
        assert "source.gwosc.attempts" in str(caught.value)
    assert not [path for path in files_in(tmp_path / "gwosc") if path.suffix != ".json"]


def test_servers_do_not_share_files_of_one_name(
    tmp_path: Path, block_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / block_file.name
    write_gwosc_file(other, "H1", GPS, np.ones(BLOCK * 4096), 4096)
    obtained: list[LocalFile] = []
    with GwoscReplica([block_file]) as first, GwoscReplica([other]) as second:
        for replica in (first, second):
            asking = source(replica, tmp_path)
            obtained.append(asking.obtain(asking.files("H1", *SPAN)[0]))
    for local, served in zip(obtained, (block_file, other), strict=True):
        assert Path(local.path).read_bytes() == served.read_bytes()


# -------------------------------------------------------------- the replica


def test_replica_answers_whatever_the_client_asks(unread: Any) -> None:
    names = [gwosc_file_name("H1", GPS + k * BLOCK) for k in range(30)]
    span = (GPS, GPS + 30 * BLOCK)
    with GwoscReplica(unread(*names), {"H1_DATA": [(GPS, GPS + 10)]}, page_size=7) as replica:
        urls = locate.get_urls("H1", *span, host=replica.url)
        assert [url.rsplit("/", 1)[-1] for url in urls] == names
        assert locate.get_run_urls("O4a", "H1", *span, host=replica.url) == urls
        assert get_segments("H1_DATA", *span, host=replica.url) == [(GPS, GPS + 10)]
        assert replica.count("/runs/O4a/strain-files") == 5
        assert requests.get(urls[0], timeout=5).text == "not read"
        assert requests.get(f"{replica.url}/elsewhere", timeout=5).status_code == 404


def test_segments_come_from_the_masks(tmp_path: Path) -> None:
    dqmask = np.full(32, ALL_DQ)
    dqmask[10:12] = 0
    dqmask[20:25] = 1  # data, but no category passed
    paths = [
        write_gwosc_file(
            tmp_path / gwosc_file_name("H1", start, duration=32),
            "H1", start, np.zeros(32 * 512), 512, dqmask=mask,
        )
        for start, mask in ((GPS, dqmask), (GPS + 32, np.full(32, ALL_DQ)))
    ]  # fmt: skip
    found = segments_of(paths)
    assert found["H1_DATA"] == [(GPS, GPS + 10), (GPS + 12, GPS + 64)]
    assert found["H1_CBC_CAT1"] == [(GPS, GPS + 10), (GPS + 12, GPS + 20), (GPS + 25, GPS + 64)]


def test_replica_serves_a_folder_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / gwosc_file_name("L1", GPS, duration=32)
    path.parent.mkdir()
    write_gwosc_file(path, "L1", GPS, np.zeros(32 * 4096), 4096)
    command = [sys.executable, replica_module.__file__, "--folder", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split()[-1]
            assert get_segments("L1_DATA", *SPAN, host=address) == [(GPS, GPS + 32)]
            (url,) = locate.get_run_urls("O4a", "L1", *SPAN, host=address)
            assert requests.get(url, timeout=5).content == path.read_bytes()
        finally:
            server.terminate()


# ------------------------------------------------------------------- events


def event_row(name: str, gps: float, version: int = 1) -> dict[str, object]:
    """As GWOSC's API gives it."""
    return {
        "name": name,
        "shortName": f"{name}-v{version}",
        "gps": gps,
        "version": version,
        "catalog": "GWTC-1-confident",
        "doi": "https://doi.org/10.7935/82H3-HH23",
        "detectors": ["H1", "L1"],
        "detail_url": f"https://gwosc.org/api/v2/event-versions/{name}-v{version}",
    }


def test_every_version_of_every_event_is_listed_once_asked_for(tmp_path: Path) -> None:
    rows = [event_row(f"GW{i}", GPS + i) for i in range(700)]
    with GwoscReplica([], {}, events=rows) as replica:
        made = source(replica, tmp_path)
        assert made.event_versions() == rows
        assert replica.count("/event-versions") == 2  # two pages
        assert made.event_versions() == rows
        assert replica.count("/event-versions") == 2
    assert catalog_of(rows, [], "there")["name"].to_pylist() == [f"GW{i}" for i in range(700)]


def test_a_list_of_events_that_is_none_is_an_error(tmp_path: Path) -> None:
    with GwoscReplica([], {}, events=[{"label": "Blip"}]) as replica:
        with pytest.raises(DownloadError, match="versions of all events could not be had"):
            source(replica, tmp_path).event_versions()
        assert not files_in(tmp_path)


class Answering:
    """A session that gives the same page whatever is asked."""

    def __init__(self, page: Any) -> None:
        self._page, self.asked = page, 0

    def __enter__(self) -> "Answering":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, url: str, **_: Any) -> requests.Response:
        self.asked += 1
        assert self.asked < 50, "asked without an end"
        response = requests.Response()
        response.status_code, response.url = 200, url
        response._content = json.dumps(self._page).encode()
        return response


@pytest.mark.parametrize(
    "change",
    [
        {"next": "https://example.org/api/v2/again"},
        {"next": "file:///etc/passwd"},
        {"next": 3},
        {"num_pages": None},
        {"results": {"start": GPS, "stop": GPS + 9}},
        {"results": [{"start": GPS + 9, "stop": GPS}]},
        {"results": [{"start": True, "stop": GPS}]},
        {"results": [{"start": GPS, "stop": 2**40}]},
    ],
)
def test_a_page_that_makes_no_sense_or_leads_back_is_refused(
    change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = {"results": [{"start": GPS, "stop": GPS + 9}], "next": None, "num_pages": 1} | change
    monkeypatch.setattr("gwmorph.strain.gwosc.requests.Session", lambda: Answering(page))
    with pytest.raises(DownloadError):
        source("https://example.org", tmp_path, attempts=1).segments("H1", *SPAN)
