"""Lists of gravitational-wave events that were published: GWOSC's table of event versions.

Its columns are those of the CSV that gwosc.org exports and of the rows of its API
(https://gwosc.org/api/v2/event-versions): ``name``, ``gps``, ``version`` and ``catalog`` are read,
and ``detectors``, which the export leaves out. Of an event the latest version counts.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from gwmorph.config import Detector
from gwmorph.errors import TableError
from gwmorph.segments import LATEST_GPS
from gwmorph.tables.known_events import CATALOG

_NEEDED = ("name", "gps", "version", "catalog")
_EXPECTED = (
    "Expected a CSV in UTF-8 with the columns of GWOSC's table of event versions (name, gps, "
    "version, catalog; detectors, as in 'H1 L1', if it is known) and one line for each version."
)
# Detectors whose data nobody takes any more; no run has them.
_RETIRED = ("H2",)


@dataclass(frozen=True)
class _Version:
    """One version of an event; ``detectors`` is None where the table does not tell."""

    name: str
    gps_time: float
    version: int
    release: str
    detectors: tuple[str, ...] | None


def read_catalog(path: Path | str, releases: Collection[str] = ()) -> pa.Table:
    """Read the events of a CSV file.

    Parameters
    ----------
    path
        CSV with a header line.
    releases
        Releases (column ``catalog``) whose versions count; all of them, where none is named.

    Returns
    -------
    Rows of ``CATALOG``, the latest version of each event, in order of time.

    Raises
    ------
    TableError
        The file cannot be read as CSV in UTF-8, lacks a column or holds no event; a name is empty,
        a number is none or no GPS time, a detector is unknown, a version stands twice; a release
        is not in it. The error names the line.
    """
    versions = []
    for line, row in _lines(path):
        try:
            versions.append(_version(row))
        except ValueError as error:
            raise TableError(f"{path}: line {line}: {error} {_EXPECTED}") from error
    if not versions:
        raise TableError(f"{path}: holds no event. {_EXPECTED}")
    return _latest(versions, releases, str(path))


def catalog_of(
    rows: Iterable[Mapping[str, Any]], releases: Collection[str], where: str
) -> pa.Table:
    """Return rows of GWOSC's API as `read_catalog` returns a file's; there may be none.

    ``where`` is what errors call them.

    Raises
    ------
    TableError
        A row lacks a value, or has another one than GWOSC gives.
    """
    versions = []
    for number, row in enumerate(rows):
        try:
            versions.append(_version(row))
        except ValueError as error:
            raise TableError(
                f"{where}: row {number}: {error} GWOSC's API has changed, or the server is none "
                "of GWOSC's: name a file instead (known_events.catalog: file)."
            ) from error
    # A release without an event in the run's span is no mistake here.
    there = {version.release for version in versions}
    named = there & set(releases) if releases else there
    return _latest(versions, named, where) if named else CATALOG.empty_table()


def _lines(path: Path | str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            names = reader.fieldnames or []
            missing = [name for name in _NEEDED if name not in names]
            if missing:
                raise TableError(
                    f"{path}: no column {', '.join(missing)}; it has "
                    f"{', '.join(names) or 'none'}. {_EXPECTED}"
                )
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: cannot be read as CSV ({error}). {_EXPECTED}") from error


def _version(row: Mapping[str, Any]) -> _Version:
    """Return a version of an event; ValueError says what is wrong with it."""
    absent = [name for name in _NEEDED if row.get(name) in (None, "")]
    if absent:
        raise ValueError(f"no value of {', '.join(absent)}.")
    gps = _number(row["gps"], "gps")
    if not 0 < gps < LATEST_GPS:
        raise ValueError(f"gps is {row['gps']}, which is no GPS time in seconds.")
    version = _number(row["version"], "version")
    if not (version.is_integer() and 0 <= version < 2**31):
        raise ValueError(f"version is {row['version']}, expected a whole number below 2^31.")
    name, release = str(row["name"]).strip(), str(row["catalog"]).strip()
    return _Version(name, gps, int(version), release, _detectors(row.get("detectors")))


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}, expected a number.") from error


def _detectors(value: Any) -> tuple[str, ...] | None:
    """Return the detectors that a cell or a list names: "H1 L1", "H1,L1", "['H1', 'L1']"."""
    names = re.findall(r"\w+", " ".join(value) if isinstance(value, list) else value or "")
    known = (*get_args(Detector), *_RETIRED)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"unknown detector {unknown[0]!r}; known are {', '.join(known)}.")
    return tuple(dict.fromkeys(names)) or None


def _latest(versions: list[_Version], releases: Collection[str], where: str) -> pa.Table:
    there = sorted({version.release for version in versions})
    absent = sorted(set(releases) - set(there))
    if absent:
        raise TableError(
            f"known_events.releases: {where} has no event of {', '.join(absent)}; its releases "
            f"are {', '.join(there)}."
        )
    latest: dict[str, _Version] = {}
    for version in versions:
        other = latest.get(version.name)
        if releases and version.release not in releases:
            continue
        if other is not None and other.version == version.version:
            raise TableError(
                f"{where}: version {version.version} of {version.name} stands there twice, "
                f"of {other.release} and of {version.release}: take one of them out."
            )
        if other is None or version.version > other.version:
            latest[version.name] = version
    rows = sorted(latest.values(), key=lambda event: (event.gps_time, event.name))
    return pa.Table.from_pylist([_row(event) for event in rows], schema=CATALOG)


def _row(event: _Version) -> dict[str, Any]:
    return {
        "name": event.name,
        "gps_time": event.gps_time,
        "version": event.version,
        "release": event.release,
        "detectors": None if event.detectors is None else list(event.detectors),
    }
