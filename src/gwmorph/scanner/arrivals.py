"""Where new strain comes from: files that are given, that appear in a folder, or on a server.

A *source* is an iterator of `ArrivedFile` and None. None says that a moment passed and nothing new
came, so that who waits for a file can give up waiting, and notices that it is told to stop.
"""

import logging
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from gwmorph.errors import StrainError
from gwmorph.segments import LATEST_GPS
from gwmorph.strain.files import describe_each
from gwmorph.strain.patterns import SUFFIXES
from gwmorph.strain.reader import FileDescription

# Names of one detector's files (LIGO-T050017), which GWOSC's follow.
_NAME = re.compile(
    r"(?P<site>[HLVKG])-(?P<detector>(?P=site)1)_.*-(?P<start>\d{1,10})-(?P<duration>\d{1,7})\.\w+"
)

_log = logging.getLogger(__name__)

_START = attrgetter("start")
# The order in which files that are there at once are handed on.
IN_TIME = attrgetter("start", "detector")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class ArrivedFile:
    """Strain of one detector that is there to be read.

    Attributes
    ----------
    path : the file.
    detector : prefix, as H1.
    start, duration : GPS seconds; it covers ``[start, end)``.
    series : data set or channel to read; None for the only one.
    rank : where arrived files overlap, the lowest rank serves the time that they share.
    """

    path: Path
    detector: str
    start: int
    duration: int
    series: str | None = None
    rank: int = 0

    @property
    def end(self) -> int:
        """GPS second after the last one."""
        return self.start + self.duration


def look_at(path: Path) -> list[ArrivedFile]:
    """Return what a strain file holds, one entry for each of its detectors.

    A name as LIGO-T050017 has it (``H-H1_GWOSC_O4a_4KHZ_R1-1368195072-4096.hdf5``) is believed:
    such a file is not opened, so that one that is damaged keeps its place in time. Others are
    looked into.

    Raises
    ------
    StrainError
        Neither name nor content say of which detector and time the file is.
    """
    named = _NAME.fullmatch(path.name)
    if named is not None and int(named["start"]) < LATEST_GPS and int(named["duration"]) > 0:
        return [ArrivedFile(path, named["detector"], int(named["start"]), int(named["duration"]))]
    return [_described(path, found) for found in describe_each(path)]


def _described(path: Path, found: FileDescription) -> ArrivedFile:
    if found.detector is None:
        raise StrainError(
            f"{path}: neither its name nor {found.dataset_or_channel!r} in it says its detector. "
            "Name the file as LIGO-T050017 does: H-H1_<DESCRIPTION>-<GPS start>-<seconds>.hdf5."
        )
    name = found.dataset_or_channel
    return ArrivedFile(path, found.detector, found.gps_start, found.duration, name)


class Served:
    """The time that arrived files hold already, of each detector."""

    def __init__(self, tell: Tell = _log.warning) -> None:
        """Begin with nothing; ``tell`` is given sentences on gaps and on time that comes twice."""
        self._files: dict[str, list[ArrivedFile]] = {}
        self._reached: dict[str, int] = {}
        self._longest = 0
        self._tell = tell

    def admit(self, file: ArrivedFile, *, replaces: bool = False) -> ArrivedFile | None:
        """Return ``file`` with its rank, or None where all of its time is served by others.

        With ``replaces`` one of the same path is no more what it was, and serves nothing.
        """
        held = self._files.setdefault(file.detector, [])
        if replaces:
            held[:] = [other for other in held if other.path != file.path]
        first = bisect_left(held, file.start - self._longest, key=_START)
        near = held[first : bisect_left(held, file.end, key=_START)]
        shared = [other for other in near if other.end > file.start]
        if _covered(file, shared):
            others = " and ".join(str(other.path) for other in shared)
            self._tell(f"{file.path}: all of its time was served by {others}; it is passed over.")
            return None
        for other in shared:
            self._tell(
                f"{file.path} and {other.path} hold the same time of {file.detector}; the second, "
                "which came first, serves it."
            )
        ranked = replace(file, rank=max((other.rank + 1 for other in shared), default=0))
        self._tell_of_gap(ranked)
        insort(held, ranked, key=_START)
        self._longest = max(self._longest, ranked.duration)
        return ranked

    def _tell_of_gap(self, file: ArrivedFile) -> None:
        reached = self._reached.get(file.detector, file.start)
        if file.start > reached:
            self._tell(
                f"{file.detector}: a gap of {file.start - reached} s, no file holds GPS {reached} "
                f"to {file.start} as yet; the next is {file.path}."
            )
        if file.end < reached:
            self._tell(f"{file.path}: comes late; {file.detector} is at GPS {reached} already.")
        self._reached[file.detector] = max(reached, file.end)


def _covered(file: ArrivedFile, others: Iterable[ArrivedFile]) -> bool:
    reached = file.start
    for other in sorted(others, key=_START):
        if other.start <= reached:
            reached = max(reached, other.end)
    return reached >= file.end


def given_files(
    paths: Iterable[Path | str], tell: Tell = _log.warning
) -> Iterator[ArrivedFile | None]:
    """Yield the strain files that are named, and those in folders that are named, in GPS order.

    Where files overlap the one that begins first serves, then the one that is named first. Gaps
    and what is passed over are told to ``tell``.

    Raises
    ------
    StrainError
        A path is not there, a folder holds no strain file, or a file does not say of which
        detector and time it is. Nothing is yielded then.
    """
    served = Served(tell)
    files = [file for path in paths for one in _strain_files(Path(path)) for file in look_at(one)]
    # Of the same time the first that is named serves: `sorted` keeps their order.
    for file in sorted(files, key=IN_TIME):
        if (admitted := served.admit(file)) is not None:
            yield admitted


def _strain_files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.is_file():
            raise StrainError(f"{path}: no such file. Name strain files, or folders of them.")
        return [path]
    found = sorted(one for one in path.iterdir() if is_strain_file(one))
    if not found:
        raise StrainError(
            f"{path}: holds no strain file ({', '.join(SUFFIXES)}). Name a folder that does, or "
            "the files."
        )
    return found


def is_strain_file(path: Path) -> bool:
    """Tell whether a file's name is one of strain; hidden files are others' unfinished ones."""
    return path.suffix in SUFFIXES and not path.name.startswith(".") and path.is_file()
