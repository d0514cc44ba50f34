"""A loopback replica of the GWOSC server, which can also misbehave on request.

It answers the paths of ``gwosc.org`` that the pinned ``gwosc`` client asks for when it looks for
segments and strain files, with the same JSON, and serves the files themselves:

=====================================================  =========================================
``/api/v2/timelines/{flag}/segments?start&stop``        segments, clipped to [start, stop)
``/api/v2/strain-files?detector&start&stop&sample-rate``  bulk files that overlap [start, stop)
``/api/v2/runs``, ``/api/v2/runs/{run}/strain-files``   the same, by run
``/api/v2/event-versions``                              the events that it was given
``/archive/data/{dataset}/{folder}/{name}``             one file
=====================================================  =========================================

Lists come in pages (``page``, ``pagesize``; 20 rows each by default, as there), ``next`` holding
the whole address of the page that follows.

In a test::

    with GwoscReplica([path], {"H1_DATA": [(0, 4096)]}) as replica:
        replica.refuse("/timelines/", status=429, times=2, retry_after_s=0)
        ...  # ask replica.url
        assert replica.count("/timelines/") == 3

By hand, for a folder of GWOSC-named files, with segments from their data-quality masks::

    python tests/replica.py --folder FOLDER --port 8080
"""

import argparse
import json
import math
import re
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import h5py
import numpy as np
from gwosc.urls import URL_REGEX

Segments = Mapping[str, Sequence[tuple[int, int]]]

_FOLDER_S = 1 << 20  # GWOSC keeps about 12 days of files in one folder, named by its GPS start


@dataclass(frozen=True)
class ServedFile:
    """A file with what its name says about it."""

    path: Path
    detector: str
    run: str
    rate_khz: int
    revision: str
    gps_start: int
    duration: int

    @classmethod
    def named(cls, path: Path) -> Self:
        """Read the name of ``path``; ValueError where GWOSC would not call a file that."""
        parts = URL_REGEX.match(path.name)
        if parts is None:
            raise ValueError(f"{path.name} is not named as GWOSC names its files")
        tag = (parts["tag"] or "O1").removesuffix(f"_{parts['samp']}")
        return cls(
            path,
            parts["ifo"],
            tag,
            int(parts["samp"].removesuffix("KHZ")),
            f"R{parts['version']}",
            int(parts["strt"]),
            int(parts["dur"]),
        )

    @property
    def gps_end(self) -> int:
        return self.gps_start + self.duration

    @property
    def url_path(self) -> str:
        folder = self.gps_start // _FOLDER_S * _FOLDER_S
        dataset = f"{self.run}_{self.rate_khz}KHZ_{self.revision}"
        return f"/archive/data/{dataset}/{folder}/{self.path.name}"


@dataclass
class Fault:
    """One way to misbehave, for the requests whose address matches ``pattern``.

    ``left`` counts down to 0, when the fault is over; it is infinite for one that stays.
    """

    pattern: str
    kind: Literal["refuse", "stall", "cut", "corrupt", "redirect"]
    left: float
    status: int = 200
    retry_after_s: int | None = None
    announced: bool = True
    to: str = ""


class GwoscReplica:
    """A server on 127.0.0.1 while the ``with`` block lasts.

    Parameters
    ----------
    files : strain files with GWOSC's names; two releases of the same span may be among them.
    segments : for each flag, such as ``H1_DATA``, its [start, end) pairs; by default what the
        files' data-quality masks say. Any other flag is answered by 404.
    page_size : rows on a page when the client does not ask for more.
    events : rows of all versions of events.
    port : 0 takes a free one.

    Attributes
    ----------
    requests : path and query of every request so far, in order of arrival.
    """

    def __init__(
        self,
        files: Sequence[Path],
        segments: Segments | None = None,
        *,
        page_size: int = 20,
        port: int = 0,
        events: Sequence[Mapping[str, object]] = (),
    ) -> None:
        self.files = [ServedFile.named(Path(path)) for path in files]
        self.segments = segments_of(files) if segments is None else segments
        self.page_size = page_size
        self.events = list(events)
        self.requests: list[str] = []
        self.closing = threading.Event()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Address of the server, for ``source.gwosc.host``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def count(self, pattern: str = "") -> int:
        """Return how many requests so far match the regular expression ``pattern``."""
        return sum(re.search(pattern, request) is not None for request in self.requests)

    def refuse(
        self,
        pattern: str,
        *,
        status: int = 500,
        times: float = math.inf,
        retry_after_s: int | None = None,
    ) -> None:
        """Answer the next ``times`` requests that match ``pattern`` by an HTTP error."""
        self._add(Fault(pattern, "refuse", times, status, retry_after_s))

    def redirect(self, pattern: str, *, to: str, times: float = math.inf) -> None:
        """Send the client to another address."""
        self._add(Fault(pattern, "redirect", times, to=to))

    def stall(self, pattern: str, *, times: float = math.inf) -> None:
        """Send half of the answer, then nothing, until the client goes or the replica closes."""
        self._add(Fault(pattern, "stall", times))

    def cut_short(self, pattern: str, *, times: float = math.inf, announced: bool = True) -> None:
        """Send half of the answer; ``announced`` lets the header promise the whole of it."""
        self._add(Fault(pattern, "cut", times, announced=announced))

    def corrupt(self, pattern: str, *, times: float = math.inf) -> None:
        """Send an answer of the right length with wrong bytes in its middle."""
        self._add(Fault(pattern, "corrupt", times))

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def note(self, request: str) -> Fault | None:
        """Record a request and return the fault that it is to meet, if any."""
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault.left > 0 and re.search(fault.pattern, request):
                    fault.left -= 1
                    return fault
        return None

    def rows(self, path: str, query: Mapping[str, str]) -> list[dict[str, object]] | None:
        """Return all rows of the list at ``path``, or None where there is no such list."""
        start, stop = (float(query.get(key, default)) for key, default in _WHOLE_SPAN)
        if flag := re.fullmatch(r"/api/v2/timelines/(\w+)/segments", path):
            return self._segment_rows(flag[1], start, stop)
        if path == "/api/v2/runs":
            return self._run_rows()
        if path == "/api/v2/event-versions":
            return self.events
        if run := re.fullmatch(r"/api/v2/(?:runs/(\w+)/)?strain-files", path):
            return [
                self._file_row(file)
                for file in self.files
                if file.gps_start < stop
                and file.gps_end > start
                and run[1] in {None, file.run}
                and query.get("detector") in {None, file.detector}
                and float(query.get("sample-rate", file.rate_khz)) == file.rate_khz
            ]
        return None

    def _segment_rows(
        self, flag: str, start: float, stop: float
    ) -> list[dict[str, object]] | None:
        if flag not in self.segments:
            return None
        clipped = [(max(a, start), min(b, stop)) for a, b in self.segments[flag]]
        return [{"start": int(a), "stop": int(b)} for a, b in clipped if a < b]

    def _run_rows(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for run in sorted({file.run for file in self.files}):
            files = [file for file in self.files if file.run == run]
            rows.append(
                {
                    "name": run,
                    "gps_start": min(file.gps_start for file in files),
                    "gps_end": max(file.gps_end for file in files),
                    "detectors": sorted({file.detector for file in files}),
                    "detail_url": f"{self.url}/api/v2/runs/{run}",
                }
            )
        return rows

    def _file_row(self, file: ServedFile) -> dict[str, object]:
        url = f"{self.url}{file.url_path}"
        key = f"{file.detector}-{file.gps_start}-{file.rate_khz}kHz"
        return {
            "gps_start": file.gps_start,
            "detector": file.detector,
            "sample_rate_kHz": float(file.rate_khz),
            "hdf5_url": url,
            "gwf_url": re.sub(r"hdf5$", "gwf", url),
            "detail_url": f"{self.url}/api/v2/strain-files/{key}",
        }


_WHOLE_SPAN = (("start", "-inf"), ("stop", "inf"))


class _Handler(BaseHTTPRequestHandler):
    """Answers one request; http.server makes one for each connection."""

    def __init__(self, replica: GwoscReplica, *args: object) -> None:
        self.replica = replica
        super().__init__(*args)

    def do_GET(self) -> None:
        # A client that has given up closes the connection while it is written to.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer(self.replica.note(self.path))

    def _answer(self, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "refuse":
            self._refuse(fault.status, fault.retry_after_s)
            return
        if fault is not None and fault.kind == "redirect":
            self._head(HTTPStatus.FOUND, "text/plain", 0, Location=fault.to)
            return
        address = urlsplit(self.path)
        path, query = unquote(address.path), dict(parse_qsl(address.query))
        file = next((file.path for file in self.replica.files if file.url_path == path), None)
        if file is not None and fault is None:
            self._head(HTTPStatus.OK, "application/x-hdf5", file.stat().st_size)
            with file.open("rb") as stream:
                shutil.copyfileobj(stream, self.wfile)
            return
        if file is not None:
            self._send(file.read_bytes(), "application/x-hdf5", fault)
            return
        rows = self.replica.rows(path, query)
        if rows is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        page = json.dumps(self._page(rows, path, query)).encode()
        self._send(page, "application/json", fault)

    def _page(
        self, rows: list[dict[str, object]], path: str, query: Mapping[str, str]
    ) -> dict[str, object]:
        size = int(query.get("pagesize", self.replica.page_size))
        number = int(query.get("page", 1))
        pages = max(1, -(-len(rows) // size))

        def address(page: int) -> str | None:
            if not 1 <= page <= pages:
                return None
            return f"{self.replica.url}{path}?{urlencode({**query, 'page': page})}"

        return {
            "next": address(number + 1),
            "previous": address(number - 1),
            "results_count": len(rows),
            "results_per_page": size,
            "num_pages": pages,
            "page_number": number,
            "results": rows[(number - 1) * size : number * size],
        }

    def _head(self, status: int, kind: str, length: int, **headers: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def _refuse(self, status: int, retry_after_s: int | None = None) -> None:
        body = json.dumps({"detail": HTTPStatus(status).phrase}).encode()
        headers = {} if retry_after_s is None else {"Retry_After": retry_after_s}
        self._head(status, "application/json", len(body), **headers)
        self.wfile.write(body)

    def _send(self, body: bytes, kind: str, fault: Fault | None) -> None:
        half = body[: len(body) // 2]
        if fault is not None and fault.kind == "corrupt":
            body = _with_wrong_middle(body)
        announced = half if fault is not None and not fault.announced else body
        self._head(HTTPStatus.OK, kind, len(announced))
        if fault is None or fault.kind == "corrupt":
            self.wfile.write(body)
            return
        self.wfile.write(half)
        if fault.kind == "stall":
            self.wfile.flush()
            self.replica.closing.wait()

    def log_message(self, *_: object) -> None:
        """Keep quiet: `GwoscReplica.requests` is the log."""


def _with_wrong_middle(body: bytes) -> bytes:
    first, last = len(body) * 3 // 8, len(body) * 5 // 8
    wrong = bytes(byte ^ 0xFF for byte in body[first:last])
    return body[:first] + wrong + body[last:]


def segments_of(files: Iterable[Path]) -> dict[str, list[tuple[int, int]]]:
    """Return the segments of every flag in the files' data-quality masks, coalesced."""
    seconds: dict[str, set[int]] = {}
    for path in files:
        with h5py.File(path) as content:
            detector = content["meta/Detector"].asstr()[()]
            start = int(content["meta/GPSstart"][()])
            mask = content["quality/simple/DQmask"][()]
            for bit, name in enumerate(content["quality/simple/DQShortnames"].asstr()):
                passed = start + np.flatnonzero(mask >> bit & 1)
                seconds.setdefault(f"{detector}_{name}", set()).update(passed.tolist())
    return {flag: _runs_of(sorted(passed)) for flag, passed in seconds.items()}


def _runs_of(seconds: Sequence[int]) -> list[tuple[int, int]]:
    if not seconds:
        return []
    breaks = np.flatnonzero(np.diff(seconds) > 1)
    starts = [seconds[0], *(seconds[i + 1] for i in breaks)]
    ends = [*(seconds[i] for i in breaks), seconds[-1]]
    return [(start, end + 1) for start, end in zip(starts, ends, strict=True)]


def main() -> None:
    """Serve a folder until interrupted."""
    parser = argparse.ArgumentParser(description="Serve GWOSC-named HDF5 files as GWOSC does.")
    parser.add_argument("--folder", type=Path, required=True, help="searched with its subfolders")
    parser.add_argument("--port", type=int, default=8080, help="8080 by default; 0 takes any")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.rglob("*.hdf5") if URL_REGEX.match(path.name))
    if not files:
        parser.error(f"{arguments.folder} holds no HDF5 file with a name as GWOSC gives it")
    with GwoscReplica(files, port=arguments.port) as replica:
        print(f"Serving {len(files)} files; set source.gwosc.host to {replica.url}", flush=True)
        with suppress(KeyboardInterrupt):
            replica.closing.wait()


if __name__ == "__main__":
    main()
