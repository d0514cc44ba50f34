"""A server that speaks GWOSC's API, asked again and again for files that were not there before."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from gwmorph.errors import DownloadError
from gwmorph.scanner.arrivals import ArrivedFile, Served, Tell
from gwmorph.segments import LATEST_GPS
from gwmorph.strain.base import StrainFile
from gwmorph.strain.gwosc import BLOCK_S, GwoscSource

# How long after a newer file an older one may still be released.
_LATE_S = 64 * BLOCK_S
_TICK_S = 1.0
Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


def polled_endpoint(
    source: GwoscSource,
    detectors: Sequence[str],
    since: int | None,
    poll_s: float,
    longest_wait_s: float,
    *,
    tell: Tell = _log.warning,
    pause: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ArrivedFile | None]:
    """Yield files as a server releases them, each fetched and checked, for ever; None meanwhile.

    Parameters
    ----------
    source : where from, and the cache to keep files in. Every request is tried once: what fails
        is asked for again at the next round.
    detectors : prefixes, as H1.
    since : GPS second; files that end before it are not asked for. None begins with the newest
        file that is there.
    poll_s : seconds between two rounds; after a failed one they double, up to ``longest_wait_s``.
    tell : is given sentences on failures, gaps and late files.
    pause : waits for so many seconds, or less where somebody has said stop.
    clock : seconds since any moment.
    """
    rounds = _Rounds(replace(source, attempts=1), detectors, since, tell)
    wait_s, next_round = poll_s, clock()
    while True:
        left_s = next_round - clock()
        if left_s > 0:
            pause(min(left_s, _TICK_S))
            yield None
            continue
        yield from rounds.ask()
        wait_s = min(2 * wait_s, longest_wait_s) if rounds.failed else poll_s
        next_round = clock() + wait_s


class _Rounds:
    """What a server has released so far, and what of it could not be had."""

    def __init__(
        self, source: GwoscSource, detectors: Sequence[str], since: int | None, tell: Tell
    ) -> None:
        self._source = source
        self._since: dict[str, int | None] = dict.fromkeys(detectors, since)
        self._had: dict[str, set[int]] = {detector: set() for detector in detectors}
        self._served = Served(tell)
        self._tell = tell
        self._told: set[str] = set()
        self.failed = False

    def ask(self) -> Iterator[ArrivedFile]:
        """Yield what is new; sets ``failed`` where something could not be had."""
        self.failed = False
        for detector in self._since:
            for file in self._tried(partial(self._new_files, detector)) or []:
                path = self._tried(partial(self._fetched, file))
                if path is None:
                    continue
                self._had[detector].add(file.gps_start)
                arrived = ArrivedFile(path, detector, file.gps_start, file.duration)
                if (admitted := self._served.admit(arrived)) is not None:
                    yield admitted
        if not self.failed:
            self._told.clear()

    def _new_files(self, detector: str) -> list[StrainFile]:
        if self._since[detector] is None:
            self._since[detector] = self._newest_start(detector)
        since = self._since[detector]
        if since is None:
            return []
        listed = self._source.released(detector, since, LATEST_GPS)
        had = self._had[detector]
        if listed:
            since = max(since, listed[-1].gps_start - _LATE_S)
            self._since[detector] = since
            self._had[detector] = {start for start in had if start + BLOCK_S > since}
        return [file for file in listed if file.gps_start not in had]

    def _newest_start(self, detector: str) -> int | None:
        end = self._source.newest_end(detector)
        if end is None:
            return None
        # Where a run ends is not where its last file does.
        listed = self._source.released(detector, end - _LATE_S, LATEST_GPS)
        return listed[-1].gps_start if listed else None

    def _fetched(self, file: StrainFile) -> Path:
        return Path(self._source.obtain(file).path)

    def _tried(self, action: Callable[[], Answer]) -> Answer | None:
        """Return what an action returns; None where it failed, which is told once."""
        try:
            return action()
        except DownloadError as error:
            self.failed = True
            if str(error) not in self._told:
                self._tell(f"{error} It is asked for again and again.")
            self._told.add(str(error))
            return None
