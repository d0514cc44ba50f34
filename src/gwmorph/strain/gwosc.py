"""Public strain from the Gravitational Wave Open Science Center, or a server that speaks its API.

Everything that the ``gwosc`` client asks for goes through one session with the configured
patience, since the client's own tries and time-out are fixed. Lists are asked for once: the
answers are kept in the cache and checked when read. They are made again when removed.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from gwosc.api import v2 as api
from gwosc.timeline import get_segments
from gwosc.urls import URL_REGEX
from igwn_segments import segment, segmentlist

from gwmorph.errors import DownloadError, StrainError
from gwmorph.formats.gwosc_layout import DQ_MASK, INJECTION_MASK
from gwmorph.hdf5_files import open_hdf5
from gwmorph.segments import LATEST_GPS, clip
from gwmorph.storage import content_hash, parse_json, recorded_sha256, write_json
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.download import (
    Patience,
    TryFailedError,
    download,
    failed_request,
    patiently,
)
from gwmorph.strain.files import describe
from gwmorph.strain.hosts import Hosts
from gwmorph.strain.reader import read_faults

BLOCK_S = 4096
_PAGE_SIZE = 500
_CHECK_SAMPLES = 1 << 20
# A name that neither hides nor leads elsewhere.
_PLAIN = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_PAGE_KEYS = frozenset({"results", "next", "num_pages"})

_log = logging.getLogger(__name__)


class _PatientSession:
    """What the ``gwosc`` client uses as its session: it tries again and waits as configured.

    A page whose rows are not what was asked for counts as a failed try: the client would take
    them as they are, or fail on them in its own way.
    """

    def __init__(
        self,
        session: requests.Session,
        patience: Patience,
        hosts: Hosts,
        is_row: Callable[[Any], bool],
    ) -> None:
        self._session = session
        self._patience = patience
        self._hosts = hosts
        self._is_row = is_row
        self._followed: set[str] = set()

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        """Return the response that holds a page of a list, or raise DownloadError."""
        # Pages name the address of the next one.
        self._hosts.require(url)
        kwargs |= {"timeout": self._patience.timeout_s, "hooks": {"response": self._hosts.follow}}
        return patiently(lambda: self._get_once(url, **kwargs), url, self._patience)

    def _get_once(self, url: str, **kwargs: Any) -> requests.Response:
        try:
            response = self._session.get(url, **kwargs)
            response.raise_for_status()
            page = parse_json(response.content)
        except requests.RequestException as error:
            raise failed_request(url, error) from error
        except ValueError as error:
            raise TryFailedError(f"the answer is not JSON ({error})") from error
        if not isinstance(page, dict) or not page.keys() >= _PAGE_KEYS:
            raise TryFailedError("the answer is not a page of the GWOSC API")
        rows = page["results"]
        if not isinstance(rows, list) or not isinstance(page["num_pages"], int):
            raise TryFailedError("the answer is not a page of the GWOSC API")
        for row in rows:
            if not self._is_row(row):
                raise TryFailedError(f"the answer holds what was not asked for: {row!r}")
        self._follow(page["next"])
        return response

    def _follow(self, address: Any) -> None:
        """Refuse a page that leads nowhere, or back to one that was read, without an end."""
        if address is None:
            return
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            raise TryFailedError(f"the answer's next page is {address!r}, which is no address")
        if address in self._followed:
            raise TryFailedError(f"the answer's next page is {address!r} a second time")
        self._followed.add(address)


@dataclass(frozen=True)
class GwoscSource:
    """Segments and 4096 s HDF5 files of one science flag and sample rate.

    Parameters
    ----------
    host : address of the server, as ``https://gwosc.org``.
    flag : science flag without the detector: DATA, CBC_CAT1, ...
    sample_rate : Hz, of the files to fetch: 4096 or 16384.
    cache : folder that holds lists and files (under gwosc/), each under its host's name.
    attempts, timeout_s : tries, and longest silence of the server in one of them.
    first_wait_s : wait after the first failed try; it doubles with each further one.
    file_hosts : hosts that files may come from beside that of ``host``.
    """

    host: str
    flag: str
    sample_rate: int
    cache: Path
    attempts: int
    timeout_s: float
    first_wait_s: float = 1.0
    file_hosts: Sequence[str] = ()

    @property
    def _hosts(self) -> Hosts:
        return Hosts(self._address, self.file_hosts)

    @property
    def _patience(self) -> Patience:
        return Patience(self.attempts, self.timeout_s, self.first_wait_s)

    @property
    def _address(self) -> str:
        return self.host.rstrip("/")

    @property
    def _folder(self) -> Path:
        return Path(self.cache) / "gwosc"

    def segments(self, detector: str, start: int, end: int) -> segmentlist:
        """Return the segments of ``{detector}_{flag}``, coalesced, clipped to [start, end).

        A flag that exists and has no segments there gives an empty list: the detector was off.

        Raises
        ------
        DownloadError
            The server gave no usable answer, or does not know the flag.
        """
        flag = f"{detector}_{self.flag}"
        what = f"segments of {flag} in [{start}, {end})"

        def ask(session: _PatientSession) -> list[list[int]]:
            pairs = get_segments(
                flag, start, end, host=self._address, session=session, pagesize=_PAGE_SIZE
            )
            return [list(pair) for pair in pairs]

        key = f"{flag}-{start}-{end - start}"
        pairs = self._remembered("segments", what, key, ask, _is_segment)
        return clip(segmentlist(segment(*pair) for pair in pairs), start, end)

    def files(self, detector: str, start: int, end: int) -> list[StrainFile]:
        """Return the 4096 s files that hold a part of [start, end), sorted, one for each start.

        The bulk releases of observing runs are asked for, on whose grid blocks lie;
        `gwosc.locate.get_urls` would prefer the files cut around an event. Where several
        releases hold the same 4096 s, the highest revision serves (R2 before R1), and among
        equal ones the first by file name.

        Raises
        ------
        StrainError
            The server answered that there are none.
        DownloadError
            The server gave no usable answer, or names files of other hosts.
        """
        what = self._what(detector, start, end)
        key = f"{detector}_{self.sample_rate}-{start}-{end - start}"
        ask = self._file_question(detector, start, end)
        urls = self._remembered("files", what, key, ask, _is_file)
        found = self._files_of(detector, start, end, urls)
        if not found:
            raise StrainError(
                f"{self.host} holds no {what}. Check run.gps_start, run.gps_end, run.detectors "
                "and source.gwosc.sample_rate against the released runs."
            )
        return found

    def released(self, detector: str, start: int, end: int) -> list[StrainFile]:
        """Return what `files` would if the server were asked now, which it is; none is no error.

        Raises
        ------
        DownloadError
            The server gave no usable answer.
        """
        ask = self._file_question(detector, start, end)
        urls = self._asked(self._what(detector, start, end), ask, _is_file)
        return self._files_of(detector, start, end, urls)

    def newest_end(self, detector: str) -> int | None:
        """Return the GPS second at which the newest released run of a detector ends, if any.

        Raises
        ------
        DownloadError
            The server gave no usable answer.
        """

        def ask(session: _PatientSession) -> list[dict[str, Any]]:
            return list(api.fetch_runs(host=self._address, session=session, pagesize=_PAGE_SIZE))

        runs = self._asked("list of runs", ask, _is_run)
        ends = [run["gps_end"] for run in runs if detector in run["detectors"]]
        return max((end for end in ends if end is not None), default=None)

    def _what(self, detector: str, start: int, end: int) -> str:
        rate = self.sample_rate
        return f"{BLOCK_S} s HDF5 files of {detector} at {rate} Hz in [{start}, {end})"

    def _file_question(
        self, detector: str, start: int, end: int
    ) -> Callable[[_PatientSession], list[str]]:
        def ask(session: _PatientSession) -> list[str]:
            files = api.fetch_run_strain_files(
                detector=detector,
                start=start,
                end=end,
                sample_rate=self.sample_rate,
                host=self._address,
                session=session,
                pagesize=_PAGE_SIZE,
            )
            return [file["hdf5_url"] for file in files]

        return ask

    def _files_of(
        self, detector: str, start: int, end: int, urls: Iterable[str]
    ) -> list[StrainFile]:
        for url in urls:
            self._hosts.require(url)
        return [
            StrainFile(detector, gps, BLOCK_S, self.sample_rate, url)
            for gps, url in sorted(_best_releases(urls).items())
            if gps < end and gps + BLOCK_S > start
        ]

    def event_versions(self) -> list[dict[str, Any]]:
        """Return GWOSC's rows of all versions of all events, as it gives them.

        Raises
        ------
        DownloadError
            The server gave no usable answer.
        """

        def ask(session: _PatientSession) -> list[dict[str, Any]]:
            return list(
                api.fetch_event_versions(host=self._address, session=session, pagesize=_PAGE_SIZE)
            )

        return self._remembered(
            "events", "versions of all events", "versions", ask, _is_event_version
        )

    def obtain(self, file: StrainFile) -> LocalFile:
        """Return the receipt of a checked local copy, fetched where the cache has none.

        A cached file whose content no longer has the SHA-256 recorded beside it is fetched
        again, never used.

        Raises
        ------
        DownloadError
            The file could not be had whole and good.
        StorageError
            The disk is full or the cache cannot be written.
        """
        self._hosts.require(file.location)
        path = self._path_of(file)
        kept = _receipt_if_intact(file, path)
        if kept is not None:
            return kept
        try:
            download(
                file.location,
                path,
                self._patience,
                hosts=self._hosts,
                check=lambda partial: check_strain_file(partial, file),
                sha256=file.sha256,
            )
        except DownloadError as error:
            raise DownloadError(
                f"The strain of {file.detector} from GPS {file.gps_start} on could not be had. "
                f"{error} Run again later, or raise source.gwosc.attempts and "
                "source.gwosc.timeout_s; files that have arrived are kept."
            ) from error
        return LocalFile.receipt(file, path, "gwosc")

    def _path_of(self, file: StrainFile) -> Path:
        """Return where ``file`` is kept: host, then the last two folders of its URL.

        The host is part of it because another server may hold another file of that name.

        Raises
        ------
        DownloadError
            They are no plain names, so that the file would lie outside of the cache.
        """
        parts = _last_parts(file.location)
        if not _are_plain(parts):
            raise DownloadError(
                f"{file.location}: expected an address that ends in plain names of folders and a "
                f"file, got {'/'.join(parts)!r}, which is not followed into the cache."
            )
        return self._folder.joinpath(_host_folder(file.location), *parts)

    def _remembered(
        self,
        kind: str,
        what: str,
        key: str,
        ask: Callable[[_PatientSession], list[Any]],
        is_row: Callable[[Any], bool],
    ) -> list[Any]:
        """Return the cached answer, or ask the server and keep what it says.

        ``is_row`` tells rows that belong in the answer from others. An empty answer is not kept:
        the data may be released tomorrow.
        """
        path = self._folder / kind / f"{_host_folder(self.host)}-{key}.json"
        question = {"host": self.host, "what": what}
        kept = _read_answer(path, question)
        if kept is not None:
            return kept
        answer = self._asked(what, ask, is_row)
        if answer:
            write_json(
                path, {"question": question, "answer": answer, "hash": content_hash(answer)}
            )
        return answer

    def _asked(
        self,
        what: str,
        ask: Callable[[_PatientSession], list[Any]],
        is_row: Callable[[Any], bool],
    ) -> list[Any]:
        """Ask the server, whatever is in the cache; errors as `_remembered`."""
        # The client remembers pages for the life of the process, unchecked.
        api.JSON_CACHE.clear()
        try:
            with requests.Session() as session:
                return ask(_PatientSession(session, self._patience, Hosts(self._address), is_row))
        except DownloadError as error:
            raise DownloadError(
                f"The {what} could not be had from {self.host}. {error} Check the network, "
                "source.gwosc.host and source.gwosc.flag, or raise source.gwosc.attempts and "
                "source.gwosc.timeout_s; what is already in the cache needs no network."
            ) from error


def _is_run(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("gps_end"), int | None)
        and isinstance(row.get("detectors"), list)
    )


def _is_segment(row: Any) -> bool:
    # The client takes both values in their order, whatever they are called.
    edges = list(row.values()) if isinstance(row, dict) else []
    whole = len(edges) == 2 and all(type(edge) is int for edge in edges)
    return whole and 0 <= edges[0] < edges[1] <= LATEST_GPS


def _is_file(row: Any) -> bool:
    url = row.get("hdf5_url") if isinstance(row, dict) else None
    try:
        return isinstance(url, str) and bool(_release(url))
    except DownloadError:
        return False


def _is_event_version(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("name"), str) and "gps" in row


def _last_parts(url: str) -> tuple[str, ...]:
    return PurePosixPath(urlsplit(url).path.lstrip("/")).parts[-3:]


def _are_plain(parts: Sequence[str]) -> bool:
    return bool(parts) and all(map(_PLAIN.fullmatch, parts))


class _Release(NamedTuple):
    """What the address of a file says, those that serve first in order."""

    minus_version: int  # the newest release serves
    name: str
    gps_start: int
    duration_s: int
    url: str


def _release(url: str) -> _Release:
    """Return what the address of a release's file says.

    Raises
    ------
    DownloadError
        It is none of GWOSC's.
    """
    try:
        parts = _last_parts(url)
    except ValueError:  # what stands between brackets is no address
        parts = ()
    said = URL_REGEX.match(parts[-1]) if _are_plain(parts) else None
    if said is None or not all(map(_WHOLE.fullmatch, said.group("version", "strt", "dur"))):
        raise DownloadError(f"{url}: expected the address of a file of a GWOSC release.")
    version, start, duration = map(int, said.group("version", "strt", "dur"))
    return _Release(-version, parts[-1], start, duration, url)


def _read_answer(path: Path, question: dict[str, str]) -> list[Any] | None:
    """Return the answer kept at ``path``, or None where it is absent, damaged or another's."""
    if not path.is_file():
        return None
    try:
        kept = parse_json(path.read_text(encoding="utf-8"))
        intact = kept["question"] == question and kept["hash"] == content_hash(kept["answer"])
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        _log.warning("%s is damaged: the list is asked for again", path)
        return None
    return kept["answer"]


def _best_releases(urls: Iterable[str]) -> dict[int, str]:
    """Return, for each GPS start, the URL of the release that serves it."""
    best: dict[int, str] = {}
    for release in sorted(one for one in map(_release, urls) if one.duration_s == BLOCK_S):
        best.setdefault(release.gps_start, release.url)
    return best


def _host_folder(url: str) -> str:
    return re.sub(r"[^\w.-]", "_", urlsplit(url).netloc)


def _receipt_if_intact(file: StrainFile, path: Path) -> LocalFile | None:
    recorded = recorded_sha256(path)
    if recorded is None or not path.is_file():
        return None
    try:
        return LocalFile.receipt(replace(file, sha256=file.sha256 or recorded), path, "gwosc")
    except StrainError as error:
        _log.warning("%s It is fetched again.", error)
        return None


def check_strain_file(path: Path, file: StrainFile) -> None:
    """Read the GWOSC-layout HDF5 file at ``path`` to its end and compare it with ``file``.

    Raises
    ------
    StrainError
        It is no HDF5 file, cut short, damaged within, or not the one that ``file`` describes.
    """
    found = describe(path, layout="gwosc")
    with read_faults(path):
        _read_to_the_end(path)
    for key in ("detector", "gps_start", "duration", "sample_rate"):
        if getattr(found, key) != getattr(file, key):
            raise StrainError(
                f"{path}: expected {key} {getattr(file, key)}, got {getattr(found, key)}."
            )


def _read_to_the_end(path: Path) -> None:
    """Read every chunk once, since only decompressing one compares its checksum."""
    with open_hdf5(path) as content:
        strain = content["strain/Strain"]
        for first in range(0, len(strain), _CHECK_SAMPLES):
            strain[first : first + _CHECK_SAMPLES]
        content[DQ_MASK][()]
        content[INJECTION_MASK][()]
