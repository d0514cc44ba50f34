"""A folder in which strain files appear: renamed into place, copied slowly, or cut short.

A file counts as whole when its size and time of change rest, and it can be opened. What rests and
cannot be opened is waited for, since a copy may stall; after a while it is handed on all the same,
so that its time is reported as failed, not as missing. Folders are looked at again and again:
notices of the operating system (inotify) do not come from network file systems.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gwmorph.errors import StrainError
from gwmorph.scanner.arrivals import (
    IN_TIME,
    ArrivedFile,
    Served,
    Tell,
    is_strain_file,
    look_at,
)
from gwmorph.strain.files import describe_each

_LONGEST_PAUSE_S = 60.0
_log = logging.getLogger(__name__)

# Inode, size in bytes, time of change in ns: another value, another content.
_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Rest:
    """When a file in a folder is taken as it is; seconds.

    ``settle_s`` is how long it must not have changed; ``give_up_s`` is how long one that rests may
    be unreadable before it counts as damaged.
    """

    settle_s: float
    give_up_s: float


def watched_folder(
    folder: Path,
    rest: Rest,
    poll_s: float,
    *,
    tell: Tell = _log.warning,
    pause: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> Iterator[ArrivedFile | None]:
    """Yield strain files of a folder as they become whole, for ever; None when none did.

    Parameters
    ----------
    folder : is looked at without its subfolders; it need not be there all the time.
    rest : when a file is whole, or damaged.
    poll_s : seconds between two looks; while the folder cannot be read they double, up to 60.
    tell : is given sentences on gaps, damage, what is passed over, and a folder that is gone.
    pause : waits for so many seconds, or less where somebody has said stop.
    clock : the time in seconds since 1970, as the folder's file system has it.
    """
    served, looks = Served(tell), _Looks(folder, rest, tell, clock)
    wait_s = poll_s
    while True:
        try:
            found = looks.look()
        except OSError as error:
            if wait_s == poll_s:
                tell(f"{folder}: cannot be read ({error}); it is looked for again and again.")
            wait_s = min(2 * wait_s, _LONGEST_PAUSE_S)
            found = []
        else:
            wait_s = poll_s
        for file, whole in sorted(found, key=lambda each: IN_TIME(each[0])):
            # A damaged one serves nothing: the same time may still come whole.
            if (admitted := served.admit(file, replaces=True) if whole else file) is not None:
                yield admitted
        if not found:
            pause(wait_s)
            yield None


class _Looks:
    """What was seen of a folder so far."""

    def __init__(self, folder: Path, rest: Rest, tell: Tell, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._rest = rest
        self._tell = tell
        self._clock = clock
        self._since: dict[Path, tuple[_Stamp, float]] = {}  # and since when it looks so
        self._done: dict[Path, _Stamp] = {}

    def look(self) -> list[tuple[ArrivedFile, bool]]:
        """Return the files that became ready since the last look, and whether each is whole."""
        ready = []
        stamps = dict(self._stamps())
        for path, stamp in stamps.items():
            if self._done.get(path) != stamp:
                ready += self._judged(path, stamp)
        for memory in (self._since, self._done):
            for path in memory.keys() - stamps.keys():
                del memory[path]
        return ready

    def _stamps(self) -> Iterator[tuple[Path, _Stamp]]:
        for path in self._folder.iterdir():
            try:
                if is_strain_file(path):
                    found = path.stat()
                    yield path, (found.st_ino, found.st_size, found.st_mtime_ns)
            except FileNotFoundError:  # renamed or removed since it was listed
                continue

    def _judged(self, path: Path, stamp: _Stamp) -> list[tuple[ArrivedFile, bool]]:
        now = self._clock()
        known, since = self._since.get(path, (None, now))
        if known != stamp:
            since = now
            self._since[path] = stamp, now
        # One that was renamed into place may have rested under its other name.
        if now - min(since, stamp[2] / 1e9) < self._rest.settle_s:
            return []
        fault = _fault_of(path)
        if fault is not None and now - since < self._rest.give_up_s:
            return []
        self._done[path] = stamp
        del self._since[path]
        if fault is not None:
            self._tell(f"{fault} It is handed on as damaged.")
        try:
            return [(file, fault is None) for file in look_at(path)]
        except StrainError as error:
            self._tell(f"{error} It is passed over: nobody can tell which time it is of.")
            return []


def _fault_of(path: Path) -> str | None:
    """Return what is wrong with a file that should be whole, None where it can be opened."""
    try:
        contents, promised = describe_each(path), look_at(path)
    except StrainError as error:
        return str(error)
    if len(contents) != len(promised):
        return f"{path}: expected one series of samples as its name says, got {len(contents)}."
    for found, named in zip(contents, promised, strict=True):
        got = (found.detector or named.detector, found.gps_start, found.duration)
        expected = (named.detector, named.start, named.duration)
        if got != expected:
            return (
                f"{path}: expected detector, GPS start and seconds {expected} by its name, got "
                f"{got}."
            )
    return None
