"""Labels of transients that somebody else gave: Gravity Spy's CSV, and where a run meets them.

One row is one transient of one detector. The columns are those of Gravity Spy's releases
(doi:10.5281/zenodo.5649212); a user's own labels come in the same form.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.config import Detector
from gwmorph.errors import TableError
from gwmorph.ledger import ANALYSED
from gwmorph.tables.labels import LABELS
from gwmorph.wording import counted

# Column of the table: column of the file, and whether every file must have it.
_COLUMNS = {
    "detector": ("ifo", True),
    "gps_time": ("GPStime", True),
    "label": ("label", True),
    "confidence": ("confidence", True),
    "gravityspy_id": ("id", True),
    "snr": ("snr", True),
    "peak_frequency": ("peakFreq", True),
    "central_frequency": ("centralFreq", False),
    "bandwidth": ("bandwidth", False),
    "duration": ("duration", False),
    "amplitude": ("amplitude", False),
    "q": ("Q-value", False),
}
_DELIMITERS = (",", ";", "\t")
_TEXTS = ("detector", "label", "gravityspy_id")
_EXPECTED = (
    "Expected UTF-8, a header line with the columns of Gravity Spy's releases, and one line for "
    "each labelled transient, with commas, semicolons or tabs."
)
# What an error names before it says how many more there are.
_NAMED = 5
# ASSUME: labels of one detector that are nearer than this mean one transient: searches join what
# is so near into one trigger, and times are often rounded to 1 ms.
ONE_TIME_S = 0.002
# A label's time is that of another search's loudest tile: it may lie this far outside of our
# trigger, which for a long signal reaches far beyond its own loudest tile.
NEAR_S = 0.25

# What becomes of a label in a run.
NO_DETECTOR = "detector not in the run"
NO_WINDOW = "outside the planned windows"
EXCLUDED = "in an excluded window"
WITHOUT_TRIGGER = "analysed, no trigger"
WITH_TRIGGER = "analysed, with a trigger"
FATES = (WITH_TRIGGER, WITHOUT_TRIGGER, EXCLUDED, NO_WINDOW, NO_DETECTOR)


@dataclass(frozen=True)
class _Written:
    """What a file says: its known columns as text, and the line that each row begins on."""

    path: Path | str
    columns: Mapping[str, NDArray[np.str_]]
    lines: NDArray[np.int64]

    def refuse(self, wrong: NDArray[np.bool_], values: NDArray, noun: str, fault: str) -> None:
        """Raise an error that names lines, unless no row is ``wrong``."""
        places = np.flatnonzero(wrong)
        if len(places):
            named = [f"{values[i]!s} (line {self.lines[i]})".strip() for i in places[:_NAMED]]
            raise TableError(
                f"{self.path}: {counted(len(places), noun)} {fault}: {_some(named, len(places))}. "
                "Correct these lines or take them out."
            )


def _some(named: Sequence[str], count: int) -> str:
    return ", ".join(named) + (f" and {count - len(named)} more" if count > len(named) else "")


def read_labels(path: Path | str) -> pa.Table:
    """Read labels from a CSV file with a header line, with commas, semicolons or tabs.

    Returns
    -------
    Rows of ``LABELS`` by detector and time. Columns that the file need not have are null
    where it has not; of rows that say the same of one transient only the first is kept.

    Raises
    ------
    TableError
        The file cannot be read as CSV in UTF-8, holds no row, lacks a column, or has lines of
        another number of values than its header; a detector is unknown; a label or an id is
        empty; a number is none, or a time is not positive; one transient (a detector's id, or
        its time within ``ONE_TIME_S``) has two classes. The error names lines of the file.
    """
    written = _read_text(path)
    columns: dict[str, NDArray[Any]] = {
        name: _texts(written, name) if name in _TEXTS else _numbers(written, name)
        for name in _COLUMNS
    }
    known = get_args(Detector)
    written.refuse(
        ~np.isin(columns["detector"], known),
        columns["detector"],
        "ifo value",
        f"unknown; known are {', '.join(known)}",
    )
    times = columns["gps_time"]
    written.refuse(~(times > 0), times, "GPS time", "not positive")
    kept = _one_of_each(written, columns)
    order = np.lexsort((times[kept], columns["detector"][kept]))
    return _table({name: values[kept][order] for name, values in columns.items()})


def _table(columns: Mapping[str, NDArray]) -> pa.Table:
    arrays = {
        # A column that the file does not have is null, not a number.
        name: pa.array(values, from_pandas=name not in _TEXTS)
        for name, values in columns.items()
    }
    return pa.table(arrays, schema=LABELS)


def _read_text(path: Path | str) -> _Written:
    """Return the columns that are known, by their own names, as text; lines keep their order."""
    (_, names), *records = list(_records(path, _decoded(path))) or [(1, [])]
    places = _places_of_columns(path, names)
    other = [(line, len(values)) for line, values in records if len(values) != len(names)]
    if other:
        named = [f"{count} (line {line})" for line, count in other[:_NAMED]]
        raise TableError(
            f"{path}: the header names {len(names)} columns, but there is another number of "
            f"values in {counted(len(other), 'line')}: {_some(named, len(other))}. Put quotes "
            "around values that hold the delimiter, and write numbers with a decimal point."
        )
    if not records:
        raise TableError(f"{path}: holds no label: there is nothing below its header line.")
    columns = {
        column: np.array([values[place].strip() for _, values in records])
        for column, place in places.items()
    }
    return _Written(path, columns, np.array([line for line, _ in records]))


def _decoded(path: Path | str) -> str:
    """Return the text of a file, in UTF-8 or with the mark that spreadsheets begin UTF-16 with."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read as CSV ({error}). {_EXPECTED}") from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        before = content[: error.start] if isinstance(error, UnicodeDecodeError) else b""
        raise TableError(
            f"{path}: cannot be read as CSV: line {before.count(bytes([10])) + 1} is not in UTF-8 "
            f"({error}). {_EXPECTED}"
        ) from error
    # Where a text begins with one it would be taken for an empty one.
    if "\0" in text:
        line = text.partition("\0")[0].count("\n") + 1
        raise TableError(f"{path}: cannot be read as CSV: line {line} holds a NUL. {_EXPECTED}")
    return text


def _records(path: Path | str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line that each record begins on, and its values; an empty line is none."""
    header = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(
            f"{path}: cannot be read as CSV: {error} (line {line}). {_EXPECTED}"
        ) from error


def _places_of_columns(path: Path | str, names: Sequence[str]) -> dict[str, int]:
    """Return where each known column stands, letters of any case.

    Of names that differ in nothing else the one that is written as in the releases, or the first.
    """
    known = {column.casefold(): column for column, _ in _COLUMNS.values()}
    found: dict[str, int] = {}
    for place in sorted(range(len(names)), key=lambda place: names[place] not in known.values()):
        column = known.get(names[place].strip().casefold())
        if column is not None:
            found.setdefault(column, place)
    missing = [column for column, needed in _COLUMNS.values() if needed and column not in found]
    if missing:
        has = ", ".join(names) or "none"
        raise TableError(f"{path}: no column {', '.join(missing)}; it has {has}. {_EXPECTED}")
    return found


def _texts(written: _Written, name: str) -> NDArray[np.str_]:
    column = _COLUMNS[name][0]
    values = written.columns[column]
    written.refuse(values == "", values, f"{column} value", "empty")
    return values


def _numbers(written: _Written, name: str) -> NDArray[np.float64]:
    column = _COLUMNS[name][0]
    if column not in written.columns:
        return np.full(len(written.lines), np.nan)
    texts = written.columns[column]
    values = np.array([_number(text) for text in texts])
    written.refuse(
        ~np.isfinite(values), texts, f"{column} value", "no number with a decimal point"
    )
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _one_of_each(written: _Written, columns: Mapping[str, NDArray]) -> NDArray[np.intp]:
    """Return the first line of every transient, in the order of the file."""
    detectors, times = columns["detector"], columns["gps_time"]
    first: dict[tuple[str, str], int] = {}
    same = [
        (first.setdefault((str(detectors[i]), str(name)), i), i)
        for i, name in enumerate(columns["gravityspy_id"])
    ]
    order = np.lexsort((times, detectors))
    before, after = order[:-1], order[1:]
    close = (detectors[before] == detectors[after]) & (times[after] - times[before] < ONE_TIME_S)
    same += zip(before[close].tolist(), after[close].tolist(), strict=True)
    repeated = set()
    for one, other in (sorted(pair) for pair in same if pair[0] != pair[1]):
        _require_one_class(written, columns, one, other)
        repeated.add(other)
    return np.array([i for i in range(len(times)) if i not in repeated])


def _require_one_class(
    written: _Written, columns: Mapping[str, NDArray], one: int, other: int
) -> None:
    labels, lines = columns["label"], written.lines
    if labels[one] != labels[other]:
        raise TableError(
            f"{written.path}: line {lines[one]} says {labels[one]} and line {lines[other]} says "
            f"{labels[other]} of one transient of {columns['detector'][one]} (id "
            f"{columns['gravityspy_id'][other]}, GPS {columns['gps_time'][other]:.6f}). One "
            "transient has one class: take one of them out."
        )


def matching_triggers(labels: pa.Table, triggers: pa.Table) -> list[int | None]:
    """Return for every label the row of the trigger that it means, or None.

    It is the trigger of its detector whose span, widened by ``NEAR_S``, holds the label's time;
    of several the one whose peak is nearest.

    Parameters
    ----------
    labels, triggers
        Rows of ``LABELS`` and ``TRIGGERS``, in any order.
    """
    found: list[int | None] = [None] * len(labels)
    detectors = np.array(triggers["detector"].to_pylist(), dtype="U2")
    time = {name: triggers[name].to_numpy() for name in ("peak_time", "tstart", "tend")}
    for name in np.unique(detectors):
        own = np.flatnonzero(detectors == name)
        own = own[np.argsort(time["tstart"][own], kind="stable")]
        start, end, peak = (time[key][own] for key in ("tstart", "tend", "peak_time"))
        longest = (end - start).max()
        of_detector = np.flatnonzero(np.array(labels["detector"].to_pylist()) == name)
        for i, gps in zip(of_detector, labels["gps_time"].to_numpy()[of_detector], strict=True):
            bounds = [gps - longest - NEAR_S, gps + NEAR_S]
            near = np.arange(*np.searchsorted(start, bounds, side="right"))
            near = near[end[near] >= gps - NEAR_S]
            if len(near):
                found[i] = int(own[near[np.abs(peak[near] - gps).argmin()]])
    return found


def fates(labels: pa.Table, ledger: pa.Table, matched: Sequence[int | None]) -> list[str]:
    """Return what becomes of every label in a run: one of ``FATES``.

    Parameters
    ----------
    labels
        Rows of ``LABELS``.
    ledger
        Rows of ``LEDGER`` of all blocks and detectors of the run. A label is in the window
        that holds its time; of windows that overlap an analysed one counts.
    matched
        What `matching_triggers` returned. A label with a trigger is analysed, even where its own
        time lies just outside of a window.
    """
    windows = {
        name: _windows(ledger.filter(pc.equal(ledger["detector"], name)))
        for name in pc.unique(ledger["detector"]).to_pylist()
    }
    names, times = labels["detector"].to_pylist(), labels["gps_time"].to_pylist()
    return [
        WITH_TRIGGER if trigger is not None else _without_trigger(windows.get(name), gps)
        for name, gps, trigger in zip(names, times, matched, strict=True)
    ]


def _windows(ledger: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    """Return starts of windows, sorted, which of them were analysed, and their length in s."""
    starts = ledger["gps_start"].to_numpy()
    order = np.argsort(starts, kind="stable")
    analysed = np.array(ledger["status"].to_pylist()) == ANALYSED
    return starts[order], analysed[order], int(ledger["duration_s"][0].as_py())


def _without_trigger(
    windows: tuple[NDArray[np.int64], NDArray[np.bool_], int] | None, gps: float
) -> str:
    if windows is None:
        return NO_DETECTOR
    starts, analysed, length = windows
    own = slice(*np.searchsorted(starts, [gps - length, gps], side="right"))
    if not len(starts[own]):
        return NO_WINDOW
    return WITHOUT_TRIGGER if analysed[own].any() else EXCLUDED
