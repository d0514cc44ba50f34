"""Which content of a user's file a plan is for: a file that was only touched is the same one."""

import logging
from collections.abc import Iterable, Mapping
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
    files: Iterable[StrainFile],
    planned: Mapping[str, StrainFile],
    seen: Mapping[str, Stat],
    receipts: Iterable[Path],
) -> list[StrainFile]:
    """Return ``files`` with their versions: new ones where the content is not what it was.

    A file keeps its version while its size and time do, and, where only the time changed, while
    its content is that of its receipt. No file is read that was not touched, and none before its
    first receipt, when nothing depends on it yet.

    Parameters
    ----------
    planned : by location, the files of the last plan.
    seen : by location, what `stat_of` gave then.
    receipts : files of receipts of what was planned then.
    """
    files = list(files)
    touched = {file.location for file in files if _only_touched(file, planned, seen)}
    received: dict[str, str] = {}
    if touched:
        _log.info("%d files have a new time of change: comparing their content.", len(touched))
        received = {file.path: file.sha256 for path in receipts for file in read_receipts(path)}
    return [_versioned(file, planned, seen, touched, received) for file in files]


def _only_touched(
    file: StrainFile, planned: Mapping[str, StrainFile], seen: Mapping[str, Stat]
) -> bool:
    if file.location not in planned or file.location not in seen:
        return False
    (size, time), (old_size, old_time) = stat_of(file.location), seen[file.location]
    return size == old_size and time != old_time


def _versioned(
    file: StrainFile,
    planned: Mapping[str, StrainFile],
    seen: Mapping[str, Stat],
    touched: set[str],
    received: Mapping[str, str],
) -> StrainFile:
    location = file.location
    size, time = stat_of(location)
    if location in touched:
        same = received.get(location) == sha256_of_file(location)
    else:
        same = location in planned and seen.get(location) == (size, time)
    version = planned[location].version if same else f"{size}-{time}"
    return replace(file, version=version)
