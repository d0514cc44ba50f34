"""Fetching from servers that are busy, slow, or cut a body short: whole and checked, or an error.

pooch streams the body; what it leaves to its callers is here: which failures are worth another
try, how long to wait for it, and what a file must pass before it gets its final name.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pooch
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from gwmorph.errors import DownloadError, StrainError
from gwmorph.storage import atomic_path, record_sha256, sha256_of_file
from gwmorph.strain.hosts import Hosts

Answer = TypeVar("Answer")

_BUSY_OR_BROKEN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Patience:
    """How often a server is asked, and how long it is waited for.

    ``timeout_s`` is the longest silence in one try (to connect, or between two bytes). The wait
    after the first failed try is ``first_wait_s`` and doubles each time; a ``Retry-After``
    header overrides it. No wait is longer than ``longest_wait_s``.
    """

    attempts: int = 6
    timeout_s: float = 60.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 120.0

    def wait_s(self, failures: int, retry_after_s: float | None) -> float:
        """Return the seconds to wait after ``failures`` failed tries."""
        wanted = self.first_wait_s * 2 ** (failures - 1)
        return min(wanted if retry_after_s is None else retry_after_s, self.longest_wait_s)


class TryFailedError(Exception):
    """One try failed in a way that another may mend."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        """Take what failed, and the wait that the server asked for."""
        super().__init__(reason)
        self.retry_after_s = retry_after_s


def patiently(action: Callable[[], Answer], url: str, patience: Patience) -> Answer:
    """Return what ``action`` returns, trying again while it raises `TryFailedError`.

    Raises
    ------
    DownloadError
        Every one of ``patience.attempts`` tries failed.
    """
    failures = 0
    while True:
        try:
            return action()
        except TryFailedError as failure:
            failures += 1
            if failures == patience.attempts:
                raise DownloadError(
                    f"{url}: gave up after {failures} tries; the last one: {failure}"
                ) from failure
            time.sleep(patience.wait_s(failures, failure.retry_after_s))


def failed_request(url: str, error: requests.RequestException) -> TryFailedError | DownloadError:
    """Say whether a failed request to ``url`` is worth another try, or is an error for good."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = f"HTTP {error.response.status_code} {error.response.reason}"
        if error.response.status_code in _BUSY_OR_BROKEN:
            return TryFailedError(status, _retry_after_s(error.response))
        return DownloadError(f"{url}: the server refuses it ({status}).")
    mendable = (
        requests.Timeout,
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    if isinstance(error, mendable) and not isinstance(error, requests.exceptions.SSLError):
        return TryFailedError(f"{type(error).__name__}: {error}")
    return DownloadError(f"{url}: cannot be asked for ({type(error).__name__}: {error}).")


def _retry_after_s(response: requests.Response) -> float | None:
    header = response.headers.get("Retry-After")
    if header is None:
        return None
    try:
        return Retry().parse_retry_after(header)
    except InvalidHeader:
        return None


def download(
    url: str,
    path: Path,
    patience: Patience,
    *,
    hosts: Hosts,
    check: Callable[[Path], None],
    sha256: str | None = None,
) -> str:
    """Fetch ``url`` to ``path`` and return the SHA-256 of its content, recorded beside it.

    Each try starts from nothing, in a file of its own, which gets the final name only when it
    is whole: so a killed job leaves no half file under that name, and processes that fetch the
    same file at once cannot mix their bytes. A progress bar is drawn on a terminal.

    Parameters
    ----------
    url, path
        From where, and to where; the folder is made.
    patience
        Tries, time-out and waits.
    hosts
        What may be asked: ``url`` and all that it redirects to.
    check
        Opens the fetched file (under a temporary name) and raises StrainError when it is not
        what was wanted; that try then counts as failed.
    sha256
        Hexadecimal SHA-256 that the content must have, where one was promised.

    Raises
    ------
    DownloadError
        The server refuses the file, or no try brought a whole and good one; the address, or one
        that it redirects to, is at another host. This is not tried again.
    StorageError
        The disk is full or the folder cannot be written; this is not tried again.
    """

    def fetch_once() -> str:
        with atomic_path(path, locked_by_others=True) as partial:
            _stream(url, partial, patience.timeout_s, hosts)
            digest = sha256_of_file(partial)
            if sha256 is not None and digest != sha256:
                raise TryFailedError(f"{path.name} has SHA-256 {digest}, expected {sha256}")
            try:
                check(partial)
            except StrainError as error:
                # The temporary name would tell the user nothing.
                reason = str(error).replace(str(partial), path.name)
                raise TryFailedError(f"the file for {path} is damaged: {reason}") from error
            # Before the file gets its name: one without its record was not left by a download.
            record_sha256(path, digest)
        return digest

    hosts.require(url)
    return patiently(fetch_once, url, patience)


def _stream(url: str, partial: Path, timeout_s: float, hosts: Hosts) -> None:
    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        chunk_size=_CHUNK_BYTES,
        timeout=timeout_s,
        hooks={"response": hosts.follow},
    )
    try:
        downloader(url, str(partial), None)
    except requests.RequestException as error:
        # requests' errors are OSErrors too: they must not leave as "the disk cannot be written".
        raise failed_request(url, error) from error
