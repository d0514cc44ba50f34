"""Labels of transients that somebody else gave: Gravity Spy's CSV, and where a run meets them.

One row is one transient of one detector. The columns are those of Gravity Spy's releases
(doi:10.5281/zenodo.5649212); a user's own labels come in the same form.
"""

import codecs
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from gwmorph.config import Detector
from gwmorph.errors import TableError
from gwmorph.ledger import ANALYSED
from gwmorph.tables.labels import LABELS

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
# What an error names before it says how many more there are.
_NAMED = 5
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


def read_labels(path: Path | str) -> pa.Table:
    """Read labels from a CSV file with a header line, with commas, semicolons or tabs.

    Returns
    -------
    Rows of ``LABELS`` by detector and time. Columns that the file need not have are null
    where it has not; of rows that say the same of one transient only the first is kept.

    Raises
    ------
    TableError
        The file cannot be read as CSV, holds no row, or lacks a column; a detector is unknown; a
        label or an id is empty; a number is none, or a time is not positive; one transient (a
        detector's id, or its time) has two classes. The error names lines of the file.
    """
    held = _read_text(path)
    columns: dict[str, NDArray[Any]] = {
        name: _texts(path, held, name) if name in _TEXTS else _numbers(path, held, name)
        for name in _COLUMNS
    }
    known = get_args(Detector)
    _refuse(
        path,
        ~np.isin(columns["detector"], known),
        columns["detector"],
        f"detectors are unknown; known are {', '.join(known)}",
    )
    _refuse(path, ~(columns["gps_time"] > 0), columns["gps_time"], "GPS times are not positive")
    kept = _one_of_each(path, columns)
    order = np.lexsort((columns["gps_time"][kept], columns["detector"][kept]))
    return _table({name: values[kept][order] for name, values in columns.items()})


def _table(columns: Mapping[str, NDArray]) -> pa.Table:
    arrays = {
        # A column that the file does not have is null, not a number.
        name: pa.array(values, from_pandas=name not in _TEXTS)
        for name, values in columns.items()
    }
    return pa.table(arrays, schema=LABELS)


def _read_text(path: Path | str) -> pa.Table:
    """Return the columns that are known, by their own names, as text; lines keep their order."""
    try:
        encoding, delimiter = _dialect(path)
        read, parse = csv.ReadOptions(encoding=encoding), csv.ParseOptions(delimiter=delimiter)
        names = csv.open_csv(path, read, parse).schema.names
        written = _as_written(path, names)
        options = csv.ConvertOptions(
            include_columns=list(written), column_types=dict.fromkeys(written, pa.string())
        )
        held = csv.read_csv(path, read, parse, options)
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise TableError(
            f"{path}: cannot be read as CSV ({error}). Expected a header line and one line for "
            "each labelled transient, as in Gravity Spy's releases, in UTF-8."
        ) from error
    if not held.num_rows:
        raise TableError(f"{path}: holds no label: there is nothing below its header line.")
    return held.rename_columns(list(written.values()))


def _dialect(path: Path | str) -> tuple[str, str]:
    """Return encoding, by the mark that spreadsheets begin a file with, and what parts columns."""
    with Path(path).open("rb") as file:
        beginning = file.readline()
    wide = beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    counts = {mark: beginning.count(mark.encode()) for mark in _DELIMITERS}
    return "utf-16" if wide else "utf-8", max(counts, key=lambda mark: counts[mark])


def _as_written(path: Path | str, names: Sequence[str]) -> dict[str, str]:
    """Return the known column that each name of the file means, letters of any case.

    Of names that differ in nothing else the one that is written as in the releases, or the first.
    """
    known = {column.casefold(): column for column, _ in _COLUMNS.values()}
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name not in known.values()):
        column = known.get(name.strip().casefold())
        if column is not None and column not in found.values():
            found[name] = column
    missing = [
        column for column, needed in _COLUMNS.values() if needed and column not in found.values()
    ]
    if missing:
        raise TableError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(names)}. Expected the "
            "columns of Gravity Spy's releases: add them, or rename yours."
        )
    return found


def _texts(path: Path | str, held: pa.Table, name: str) -> NDArray[np.str_]:
    column = _COLUMNS[name][0]
    values = np.array([value.strip() for value in held[column].to_pylist()], dtype=np.str_)
    _refuse(path, values == "", values, f"values of {column} are empty")
    return values


def _numbers(path: Path | str, held: pa.Table, name: str) -> NDArray[np.float64]:
    column = _COLUMNS[name][0]
    if column not in held.column_names:
        return np.full(held.num_rows, np.nan)
    texts = held[column].to_pylist()
    values = np.array([_number(text) for text in texts])
    _refuse(path, ~np.isfinite(values), np.array(texts), f"values of {column} are no numbers")
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _refuse(path: Path | str, wrong: NDArray[np.bool_], values: NDArray, what: str) -> None:
    places = np.flatnonzero(wrong)
    if len(places):
        some = ", ".join(f"{values[i]!s} (line {i + 2})" for i in places[:_NAMED])
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        raise TableError(
            f"{path}: {len(places)} {what}: {some}{more}. Correct these lines or take them out."
        )


def _one_of_each(path: Path | str, columns: Mapping[str, NDArray]) -> NDArray[np.intp]:
    """Return the first line of every transient."""
    first: dict[tuple[str, str | float], int] = {}
    kept = []
    detectors, labels = columns["detector"], columns["label"]
    for i, place in enumerate(zip(columns["gravityspy_id"], columns["gps_time"], strict=True)):
        others = [first.setdefault((str(detectors[i]), key), i) for key in place]
        for other in others:
            if labels[other] != labels[i]:
                raise TableError(
                    f"{path}: line {other + 2} says {labels[other]} and line {i + 2} says "
                    f"{labels[i]} of one transient of {detectors[i]} (id {place[0]}, GPS "
                    f"{place[1]:.6f}). One transient has one class: take one of them out."
                )
        if i in others:
            kept.append(i)
    return np.array(kept)


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
