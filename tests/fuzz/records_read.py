"""Readers of JSON and lists that come from servers, or that this program wrote earlier."""

import json
import math
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from hypothesis import strategies as st
from igwn_segments import segment

from fuzzing import ODD_VALUES, Reader, odd_copy, register, require, same
from gwmorph.batch.benchmarks import read_job
from gwmorph.errors import (
    CalibrationError,
    DownloadError,
    PlanError,
    StorageError,
    StrainError,
)
from gwmorph.grid import Grid
from gwmorph.jobs import JOBS, Call, Job, read_call
from gwmorph.morphology.manifest import About, manifest_of, read_manifest
from gwmorph.plan import DetectorPlan, load_plan
from gwmorph.provenance.hashes import HashedFile, read_hashes, write_hashes
from gwmorph.provenance.times import span_of_jobs
from gwmorph.scanner.record import LATE, RECORD, read_late, read_record
from gwmorph.scanner.summary import BlockSummary
from gwmorph.segments import segmentlist
from gwmorph.storage import content_hash, recorded_sha256, write_json
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.gwosc import GwoscSource
from gwmorph.strain.receipts import read_receipts, write_receipts


def _json(value: Any) -> bytes:
    return json.dumps(value).encode(errors="surrogatepass")


_DEEP = st.integers(1, 3000).map(lambda depth: b'{"segments": ' + b"[" * 50 * depth)


def _odd_json(good: Any) -> st.SearchStrategy[bytes]:
    return st.one_of(odd_copy(good).map(_json), ODD_VALUES.map(_json), _DEEP)


# -- GWOSC ------------------------------------------------------------------------------------

_SPAN = (1126256640, 1126256640 + 3 * 4096)
_URL = "https://gwosc.org/archive/data/O1/1125122048/H-H1_LOSC_4_V1-{}-4096.hdf5"
_PAGES: dict[str, list[Any]] = {
    "segments": [
        {"start": 1126256640, "stop": 1126256700},
        {"start": 1126257000, "stop": 1126257415},
    ],
    "files": [{"hdf5_url": _URL.format(1126256640), "gps_start": 1126256640}],
    "events": [{"name": "GW150914", "gps": 1126259462.4, "version": 3, "catalog": "GWTC-1"}],
}  # fmt: skip


def _page(rows: Any) -> dict[str, Any]:
    return {"results": rows, "next": None, "num_pages": 1, "results_count": 1}


class _Server:
    """A session of requests that gives the same bytes whatever is asked."""

    def __init__(self, content: bytes) -> None:
        self._content, self.asked = content, 0

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, url: str, **_: Any) -> requests.Response:
        self.asked += 1
        require(self.asked < 100, "pages are asked for without an end")
        response = requests.Response()
        response.status_code, response.url = 200, url
        response._content, response.encoding = self._content, "utf-8"
        return response


def _source(cache: Path) -> GwoscSource:
    return GwoscSource("https://gwosc.org", "DATA", 4096, cache, attempts=1, timeout_s=1)


def _asked(path: Path, server: bytes) -> dict[str, Any]:
    """Ask a server for everything; what all of it refuses is refused."""
    found, refused = {}, []
    for what in _PAGES:
        try:
            with patch("gwmorph.strain.gwosc.requests.Session", lambda: _Server(server)):
                found[what] = _answer(path.parent, what)
        except (DownloadError, StrainError) as error:
            refused.append(error)
    if not found:
        raise DownloadError(f"{path}: {refused[0]}") from refused[0]
    return found


def _answer(cache: Path, what: str) -> Any:
    source = _source(cache)
    if what == "segments":
        return source.segments("H1", *_SPAN)
    if what == "files":
        return source.files("H1", *_SPAN)
    return source.event_versions()


def _read_pages(path: Path) -> dict[str, Any]:
    shutil.rmtree(path.parent / "gwosc", ignore_errors=True)
    return _asked(path, path.read_bytes())


def _pages_proven(path: Path, found: dict[str, Any]) -> None:
    for start, end in found.get("segments", ()):
        require(type(start) is int and _SPAN[0] <= start < end <= _SPAN[1], "no such segment")
    for file in found.get("files", ()):
        require(file.gps_start < _SPAN[1] and file.gps_end > _SPAN[0], "a file of another time")
        require(file.detector == "H1" and file.sample_rate == 4096, "another file")
        kept = _source(path.parent)._path_of(file).resolve()
        require(kept.is_relative_to((path.parent / "gwosc").resolve()), f"would be kept at {kept}")
    for row in found.get("events", ()):
        require(isinstance(row["name"], str), "an event without a name")
    kept = {what: answer for what, answer in found.items() if answer}
    again = _asked(path, b"gone") if kept else {}  # from the cache now
    for what, answer in kept.items():
        require(again.get(what) == answer, f"{what}: the cache says something else")


register(
    Reader(
        "gwosc_pages",
        ".json",
        "lists from GWOSC's API",
        lambda: [_json(_page(rows)) for rows in _PAGES.values()],
        _read_pages,
        _pages_proven,
        st.one_of(*(_odd_json(_page(rows)) for rows in _PAGES.values())),
        (DownloadError,),
    )
)

_QUESTION = f"segments of H1_DATA in [{_SPAN[0]}, {_SPAN[1]})"
_KEPT_NAME = f"gwosc.org-H1_DATA-{_SPAN[0]}-{_SPAN[1] - _SPAN[0]}.json"
_KEPT_ANSWER = [[1126256640, 1126256700], [1126257000, 1126257415]]


def _kept(answer: Any) -> dict[str, Any]:
    question = {"host": "https://gwosc.org", "what": _QUESTION}
    return {"question": question, "answer": answer, "hash": content_hash(answer)}


def _read_kept(path: Path) -> Any:
    place = path.parent / "gwosc" / "segments" / _KEPT_NAME
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(path.read_bytes())
    served = _json(_page(_PAGES["segments"]))
    with patch("gwmorph.strain.gwosc.requests.Session", lambda: _Server(served)):
        return _answer(path.parent, "segments")


def _kept_proven(path: Path, found: Any) -> None:
    """What is damaged is asked for again, so that the answer is always the good one."""
    same([list(span) for span in found], _KEPT_ANSWER, "a damaged answer")


register(
    Reader(
        "gwosc_cache",
        ".json",
        "answers of GWOSC's API that the cache keeps",
        lambda: [_json(_kept(_KEPT_ANSWER))],
        _read_kept,
        _kept_proven,
        _odd_json(_kept(_KEPT_ANSWER)),
    )
)

# -- the workflow's own records ---------------------------------------------------------------

_STRAIN_FILE = StrainFile("H1", 1126256640, 4096, 4096, "data/a.hdf5", "0" * 64)
_PLAN = DetectorPlan(
    "H1",
    *_SPAN,
    Grid(32, 32, 4),
    segmentlist([segment(1126256640, 1126256700)]),
    (_STRAIN_FILE,),
)


def _read_plan(path: Path) -> DetectorPlan:
    return load_plan(path.parent, [path.stem])[path.stem]


def _plan_proven(path: Path, found: DetectorPlan) -> None:
    require(found.gps_start < found.gps_end, "a reversed span")
    for start, end in found.segments:
        require(type(start) is int and start < end, "a segment that is none")
    write_json(path, found.to_json())
    same(_read_plan(path), found, "written again")


register(
    Reader(
        "plan",
        ".json",
        "the stored plan",
        lambda: [_json(_PLAN.to_json())],
        _read_plan,
        _plan_proven,
        _odd_json(_PLAN.to_json()),
        (PlanError,),
    )
)

_RECEIPT = LocalFile("H1", 1126256640, 4096, 4096, "a.hdf5", "0" * 64, 100, "gwosc")


def _receipts_proven(path: Path, found: list[LocalFile]) -> None:
    for file in found:
        require(isinstance(file.path, str) and isinstance(file.detector, str), "no texts")
        whole = (file.gps_start, file.duration, file.sample_rate, file.size, file.rank)
        require(all(type(number) is int for number in whole), "no whole numbers")
    write_receipts(path, found)
    same(read_receipts(path), found, "written again")


register(
    Reader(
        "receipts",
        ".json",
        "receipts of strain files",
        lambda: [_json([_RECEIPT.to_json()])],
        read_receipts,
        _receipts_proven,
        _odd_json([_RECEIPT.to_json()]),
        (StrainError,),
    )
)

_HASHES = f"{'0a' * 32}  tables/a.parquet\n{'1b' * 32} *figures/b c.png\n".encode()


def _hashes_proven(path: Path, found: dict[str, str]) -> None:
    require(all(len(digest) == 64 for digest in found.values()), "a short hash")
    write_hashes(path, [HashedFile(name, digest, 0) for name, digest in found.items()])
    same(read_hashes(path), found, "written again")


register(
    Reader(
        "hashes",
        ".txt",
        "lists of files with their SHA-256",
        lambda: [_HASHES],
        read_hashes,
        _hashes_proven,
        st.lists(
            st.tuples(st.text("0123456789abcdef", min_size=63, max_size=65), st.text(max_size=8))
        ).map(lambda rows: "\n".join(f"{a}  {b}" for a, b in rows).encode(errors="surrogatepass")),
        (StorageError,),
    )
)


def _read_recorded(path: Path) -> str | None:
    target = path.with_suffix("")
    shutil.copyfile(path, target.with_name(f"{target.name}.sha256"))
    return recorded_sha256(target)


def _recorded_proven(path: Path, found: str | None) -> None:
    require(found is None or (len(found) == 64 and int(found, 16) >= 0), f"no SHA-256: {found!r}")


register(
    Reader(
        "cache_record",
        ".record",
        "SHA-256 beside a file of the cache",
        lambda: [f"{'0a' * 32}  a.hdf5\n".encode(), b""],
        _read_recorded,
        _recorded_proven,
        st.text(max_size=80).map(lambda text: text.encode(errors="surrogatepass")),
    )
)

_CALL = {
    "jobs": [{"rule": "block", "message": "Drawing", "log": "logs/a.log", "benchmark": "b.tsv",
              "threads": 1}],
    "targets": ["all"],
    "at_once": 2,
    "in_cores": True,
    "logs": [".snakemake/log/a.log"],
    "began_ns": 10**18,
}  # fmt: skip


def _read_jobs(path: Path) -> Call:
    place = path.parent / JOBS
    place.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, place)
    try:
        return read_call(path.parent)
    except StorageError as error:
        require(JOBS in str(error), "does not name the file")
        raise StorageError(f"{path}: {error}") from error


def _jobs_proven(path: Path, found: Call) -> None:
    require(type(found.at_once) is int and type(found.began_ns) is int, "no whole numbers")
    for job in found.jobs:
        require(isinstance(job, Job) and isinstance(job.log, str), "no job")
        require(type(job.threads) is int, "no number of threads")
        require(0 <= found.share(job) <= 1, "no share of the cores")


register(
    Reader(
        "jobs",
        ".json",
        "the jobs of a call of the workflow",
        lambda: [_json(_CALL)],
        _read_jobs,
        _jobs_proven,
        _odd_json(_CALL),
        (StorageError,),
    )
)


def _read_times(path: Path) -> Any:
    place = path.parent / "benchmarks" / "outside.tsv"
    place.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, place)
    try:
        return span_of_jobs(place.parent), read_job(place)
    except StorageError as error:
        require("outside.tsv" in str(error), "does not name the file")
        raise


def _times_proven(path: Path, found: Any) -> None:
    require(found[0].start <= found[0].end, "ends before it began")
    require(0 <= found[1].wall_s < math.inf, f"took {found[1].wall_s} s")


register(
    Reader(
        "times",
        ".tsv",
        "times of jobs as Snakemake writes them",
        lambda: [b"s\th:m:s\tmax_rss\tcpu_time\n1.5\t0:00:01\t100.2\t1.2\n"],
        _read_times,
        _times_proven,
        st.lists(st.lists(st.sampled_from(["s", "1", "nan", "1e400", "-5", "x", ""]))).map(
            lambda rows: "\n".join("\t".join(row) for row in [["s", "m"], *rows]).encode()
        ),
        (StorageError,),
    )
)

# -- a scan's records -------------------------------------------------------------------------

_BLOCK = BlockSummary(
    "DONE", None, "H1", 1126256640, 4096, 4096, {"QUIET": 3}, {}, {"NOVEL": 1}, (1126256640,),
    4096, 4064, ((1126256640, 1126256650),), ("a.hdf5",), (), 1.5, 0.5, 0.2,
)  # fmt: skip
_LATE_FILE = {"file": "a.hdf5", "detector": "H1", "gps_start": 1, "file_gps_start": 2,
              "file_duration_s": 3}  # fmt: skip


def _read_scan(path: Path) -> Any:
    shutil.copyfile(path, path.parent / RECORD)
    return read_record(path.parent)


def _scan_proven(path: Path, found: Any) -> None:
    for (detector, start), block in found.items():
        require(isinstance(detector, str) and type(start) is int, "no block")
        require(block.status in ("DONE", "FAILED"), f"status {block.status!r}")
        require(all(type(n) is int for n in block.windows.values()), "no counts")
        require(type(block.gps_end) is int, "no end")
    lines = [json.dumps(block.to_json()) + "\n" for block in found.values()]
    path.write_text("".join(lines), encoding="utf-8", errors="surrogatepass")
    same(_read_scan(path), found, "written again")


def _renamed(read: Any, name: str) -> Any:
    """Return a reader that reads under a name of its own, which errors must say."""

    def named(path: Path) -> Any:
        try:
            return read(path)
        except StorageError as error:
            require(name in str(error), f"does not name the file: {error}")
            raise StorageError(f"{path}: {error}") from error

    return named


register(
    Reader(
        "scan_record",
        ".jsonl",
        "the blocks of a scan",
        lambda: [_json(_BLOCK.to_json()) + b"\n"],
        _renamed(_read_scan, RECORD),
        _scan_proven,
        _odd_json(_BLOCK.to_json()).map(lambda line: line + b"\n"),
        (StorageError,),
    )
)


def _read_late(path: Path) -> Any:
    shutil.copyfile(path, path.parent / LATE)
    return read_late(path.parent)


def _late_proven(path: Path, found: Any) -> None:
    for late in found:
        require(type(late.gps_start) is int and isinstance(late.file, str), "no late file")


register(
    Reader(
        "scan_late",
        ".jsonl",
        "files that came too late for a scan",
        lambda: [_json(_LATE_FILE) + b"\n"],
        _renamed(_read_late, LATE),
        _late_proven,
        _odd_json(_LATE_FILE).map(lambda line: line + b"\n"),
        (StorageError,),
    )
)

# -- an atlas's manifest ----------------------------------------------------------------------

_ABOUT = About(
    "demo", ("H1",), 1000, 9000, "r1", "e1", "c1", "labels", "each_class", 0.05, 0.6, 5, ("event",)
)
_MANIFEST = manifest_of(_ABOUT, {"config.yaml": "0" * 64})


def _sealed(manifest: Any) -> bytes:
    """Return a manifest with its hash, where it can have one: altered on purpose."""
    if isinstance(manifest, dict):
        rest = {key: value for key, value in manifest.items() if key != "sha256"}
        with suppress(ValueError):  # a number that is not finite, of which there is no hash
            manifest = {**rest, "sha256": content_hash(rest)}
    return _json(manifest)


def _read_manifest(path: Path) -> Any:
    folder = path.parent / "atlas"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / "manifest.json")
    try:
        return read_manifest(folder)
    except CalibrationError as error:
        require("manifest.json" in str(error), "does not name the file")
        raise CalibrationError(f"{path}: {error}") from error


def _manifest_proven(path: Path, found: Any) -> None:
    about, parts = found
    require(about.gps_start < about.gps_end, "a reversed span")
    require(all(isinstance(name, str) for name in (*about.detectors, *about.views)), "no names")
    require(all(isinstance(digest, str) for digest in parts.values()), "no hashes")
    write_json(path, manifest_of(about, parts))
    same(_read_manifest(path), found, "written again")


register(
    Reader(
        "manifest",
        ".json",
        "an atlas's manifest",
        lambda: [_json(_MANIFEST)],
        _read_manifest,
        _manifest_proven,
        st.one_of(odd_copy(_MANIFEST).map(_sealed), _odd_json(_MANIFEST)),
        (CalibrationError,),
    )
)
