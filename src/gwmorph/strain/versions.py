"""Which content of a user's file a plan is for: a file that was only touched is the same one."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gwmorph.storage import sha256_of_file
from gwmorph.strain.base import StrainFile
from gwmorph.strain.receipts import read_receipts

# Size in bytes and time of change in ns.
Stat = tuple[int, int]

_log = logging.getLogger(__name__)


def stat_of(path: str) -> Stat:
    """Return size (bytes) and time of change (ns) of what is at ``path``."""
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


def versioned(
    files: Sequence[StrainFile],
    stats: Mapping[str, Stat],
    planned: Mapping[str, StrainFile],
    seen: Mapping[str, Stat],
    receipts: Iterable[Path],
) -> list[StrainFile]:
    """Return ``files`` with their versions: new ones where the content is not what it was.

    A file keeps its version while its size and time do, and, where only the time changed, while
    its content is that of its receipts. No file is read that was not touched, and none before its
    first receipt, when nothing depends on it yet.

    Parameters
    ----------
    stats : by location, what `stat_of` gives now.
    planned : by location, the files of the last plan.
    seen : by location, what `stat_of` gave then.
    receipts : files of receipts of what was planned then.
    """
    places = [file.location for file in files if file.location in planned]
    touched = {path for path in places if path in seen and _only_touched(stats[path], seen[path])}
    received = defaultdict(set)
    if touched:
        _log.info("%d files have a new time of change: comparing their content.", len(touched))
        for receipt in receipts:
            for file in read_receipts(receipt):
                received[file.path].add(file.sha256)
    same = {path for path in touched if received[path] == {sha256_of_file(path)}}
    same |= {path for path in places if seen.get(path) == stats[path]}
    return [
        replace(file, version=_version(file, planned, same, stats[file.location]))
        for file in files
    ]


def _only_touched(now: Stat, before: Stat) -> bool:
    return now[0] == before[0] and now[1] != before[1]


def _version(
    file: StrainFile, planned: Mapping[str, StrainFile], same: set[str], stat: Stat
) -> str | None:
    return planned[file.location].version if file.location in same else f"{stat[0]}-{stat[1]}"
