"""What is known to be in a run's data: published events and hardware injections.

Each is looked for in the run's windows and triggers, detector by detector, and is found, missed or
not analysed. What shows one is flagged, and kept away from what has to be free of them: quiet
windows, labelled references, training.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segment, segmentlist
from numpy.typing import NDArray

from gwmorph.formats.gwosc_layout import INJECTION_KINDS
from gwmorph.ledger import ANALYSED
from gwmorph.spectra.pictures import CROPS_S
from gwmorph.strain.base import LocalFile
from gwmorph.strain.files import read_injections
from gwmorph.tables.known_events import (
    CATALOG,
    EVENT,
    FLAGGED,
    FOUND,
    INJECTION,
    KNOWN_EVENTS,
    KNOWN_SPANS,
    MISSED,
    NOT_ANALYSED,
)

MASK = "Injmask"
NO_DETECTOR = "detector not in the run"
NO_SPAN = "outside the run's span"
NO_WINDOW = "outside the planned windows"
NO_TRIGGER = "no trigger near it"


@dataclass(frozen=True)
class Injected:
    """A stretch of one detector's time, GPS seconds, into which something was injected."""

    detector: str
    kind: str
    start: int
    end: int


def injected_spans(
    detector: str, start: int, mask: NDArray[np.int64], kinds: Collection[str]
) -> list[Injected]:
    """Return the stretches into which something was injected, by kind and time.

    Parameters
    ----------
    detector
        Prefix.
    start
        GPS second of the first value.
    mask
        A value a second, int64 [n], as `strain.files.read_injections` returns it: a set bit says
        that there is none; −1, that nobody knows.
    kinds
        Which of ``INJECTION_KINDS`` count. Continuous waves are injected for months on end.
    """
    found = []
    for bit, kind in enumerate(INJECTION_KINDS):
        if kind not in kinds:
            continue
        # −1 has all bits set.
        second = start
        for injected, run in groupby((mask >> bit & 1) == 0):
            length = len(list(run))
            if injected:
                found.append(Injected(detector, kind, second, second + length))
            second += length
    return found


@dataclass(frozen=True)
class InjectedIn:
    """What the files of one detector tell of injections.

    ``spans`` by kind and time; ``told_s`` and ``untold_s`` count seconds that the files hold.
    """

    spans: list[Injected]
    told_s: int
    untold_s: int


def injected_in(detector: str, files: Sequence[LocalFile], kinds: Collection[str]) -> InjectedIn:
    """Return the stretches into which something was injected, by the masks in strain files.

    Parameters
    ----------
    files
        Receipts of the files of ``detector``, in any order.
    kinds
        As of `injected_spans`.

    Raises
    ------
    StrainError
        A file cannot be read or is not what its receipt says.
    """
    spans, told, untold = list[Injected](), 0, 0
    covered = segmentlist(segment(file.gps_start, file.gps_end) for file in files).coalesce()
    for start, end in covered:
        own = [file for file in files if file.gps_start < end and file.gps_end > start]
        mask = read_injections(own, detector, start, end)
        spans += injected_spans(detector, start, mask, kinds)
        told += int((mask >= 0).sum())
        untold += int((mask < 0).sum())
    return InjectedIn(spans, told, untold)


def told_row(detector: str, found: InjectedIn) -> dict[str, Any]:
    """Return the row of TOLD of a detector."""
    return {"detector": detector, "told_s": found.told_s, "untold_s": found.untold_s}


def known_spans(
    catalog: pa.Table, injected: Iterable[Injected], detectors: Sequence[str]
) -> pa.Table:
    """Return all that is known of some detectors, KNOWN_SPANS by time.

    An event is looked for in all ``detectors``, and in others that its release names.

    Parameters
    ----------
    catalog
        Rows of CATALOG.
    injected
        Stretches with injections; those that touch, of one kind and detector, are one.
    detectors
        Those of the run.
    """
    rows = [
        _known(event["name"], EVENT, event["release"], detector, event["gps_time"])
        | {"in_release": detector in event["detectors"] if event["detectors"] else None}
        for event in catalog.to_pylist()
        for detector in dict.fromkeys([*detectors, *(event["detectors"] or [])])
    ]
    joined: dict[tuple[str, str], segmentlist] = {}
    for span in injected:
        own = joined.setdefault((span.detector, span.kind), segmentlist())
        own.append(segment(span.start, span.end))
    rows += [
        _known(kind, INJECTION, MASK, detector, float(start), float(end))
        for (detector, kind), spans in joined.items()
        for start, end in spans.coalesce()
    ]
    rows.sort(key=lambda row: (row["start"], row["detector"], row["name"]))
    return pa.Table.from_pylist(rows, schema=KNOWN_SPANS)


def _known(
    name: str, kind: str, source: str, detector: str, start: float, end: float | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "source": source,
        "detector": detector,
        "in_release": None,
        "start": start,
        "end": start if end is None else end,
    }


@dataclass(frozen=True)
class _Windows:
    """Windows of one detector by time: start [n], of ``length`` s, reason of loss or None."""

    starts: list[int]
    reasons: list[str | None]
    length: int

    def touching(self, start: float, end: float) -> range:
        """Return the numbers of the windows that hold a moment of ``[start, end)``."""
        first = bisect_right(self.starts, start - self.length)
        # A stretch does not hold its end, an event is there.
        last = (bisect_right if end == start else bisect_left)(self.starts, end)
        return range(first, last)


def find_known(
    spans: pa.Table,
    ledger: pa.Table,
    triggers: pa.Table,
    run_span: tuple[int, int],
    detectors: Collection[str],
    near_s: float,
) -> pa.Table:
    """Say of everything known whether the run found it: KNOWN_EVENTS, in the order of ``spans``.

    An event is found where the span of a trigger, widened by ``near_s``, holds its time: of some
    by the one whose peak is nearest. An injection is found where a trigger's peak lies in its
    stretch, widened as much: by the loudest. It is missed where a window with it was analysed.

    Parameters
    ----------
    spans
        Rows of KNOWN_SPANS.
    ledger, triggers
        Rows of LEDGER of all blocks, and of the run's TRIGGERS.
    run_span
        GPS start and end of the run.
    detectors
        Those of the run.
    near_s
        In seconds.
    """
    windows = {name: _windows_of(ledger, name) for name in detectors}
    found = {name: _Found.of(triggers, name, near_s) for name in detectors}
    rows = []
    for known in spans.to_pylist():
        name = known["detector"]
        if name not in windows:
            rows.append(known | _outcome(NOT_ANALYSED, NO_DETECTOR))
        else:
            rows.append(known | _sought(known, windows[name], found[name], run_span))
    return pa.Table.from_pylist(rows, schema=KNOWN_EVENTS)


def _sought(
    known: Mapping[str, Any], windows: _Windows, found: "_Found", run_span: tuple[int, int]
) -> dict[str, Any]:
    trigger = found.meant_by(known)
    if trigger is not None:
        return trigger
    if known["end"] < run_span[0] or known["start"] >= run_span[1]:
        return _outcome(NOT_ANALYSED, NO_SPAN)
    there = windows.touching(known["start"], known["end"])
    if not there:
        return _outcome(NOT_ANALYSED, NO_WINDOW)
    analysed = [i for i in there if windows.reasons[i] is None]
    if analysed:
        return _outcome(MISSED, NO_TRIGGER, windows.starts[analysed[0]])
    reasons = dict.fromkeys(str(windows.reasons[i]) for i in there)
    return _outcome(NOT_ANALYSED, ", ".join(reasons), windows.starts[there[0]])


def _outcome(fate: str, reason: str, gps_start: int | None = None) -> dict[str, Any]:
    return {"fate": fate, "reason": reason, "gps_start": gps_start}


def _windows_of(ledger: pa.Table, detector: str) -> _Windows:
    own = ledger.filter(pc.equal(ledger["detector"], detector)).sort_by("gps_start")
    reasons = [
        None if status == ANALYSED else reason
        for status, reason in zip(
            own["status"].to_pylist(), own["reason"].to_pylist(), strict=True
        )
    ]
    length = own["duration_s"][0].as_py() if len(own) else 0
    return _Windows(own["gps_start"].to_pylist(), reasons, length)


@dataclass(frozen=True)
class _Found:
    """Triggers of one detector: each column [n]."""

    columns: Mapping[str, NDArray]
    near_s: float

    @classmethod
    def of(cls, triggers: pa.Table, detector: str, near_s: float) -> "_Found":
        own = triggers.filter(pc.equal(triggers["detector"], detector))
        names = ("gps_start", "peak_time", "tstart", "tend", "snr")
        return cls({name: own[name].to_numpy() for name in names}, near_s)

    def meant_by(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the columns of KNOWN_EVENTS that a trigger fills, None where there is none."""
        peaks, own = self.columns["peak_time"], self.columns
        start, end, near = known["start"], known["end"], self.near_s
        # Before and after, positive; 0 inside of an injection's stretch.
        away = peaks - np.clip(peaks, start, end)
        if known["kind"] == EVENT:
            there = (own["tstart"] - near <= start) & (start <= own["tend"] + near)
            order = np.abs(away)
        else:
            there = np.abs(away) <= near
            order = -own["snr"]
        rows = np.flatnonzero(there)
        if not len(rows):
            return None
        row = rows[np.argmin(order[rows])]
        return {
            "fate": FOUND,
            "reason": None,
            "gps_start": int(own["gps_start"][row]),
            "trigger_time": float(peaks[row]),
            "snr": float(own["snr"][row]),
            "offset_s": float(away[row]),
        }


def chance(triggers: pa.Table, ledger: pa.Table, detector: str, near_s: float) -> float:
    """Return the share of a detector's analysed time at which an event would be found by chance.

    That is, what lies within ``near_s`` (s) of a trigger's span; nan without livetime.
    """
    own = triggers.filter(pc.equal(triggers["detector"], detector))
    reach = segmentlist(
        segment(start - near_s, end + near_s)
        for start, end in zip(own["tstart"].to_pylist(), own["tend"].to_pylist(), strict=True)
    ).coalesce()
    windows = _windows_of(ledger, detector)
    live = segmentlist(
        segment(start, start + windows.length)
        for start, reason in zip(windows.starts, windows.reasons, strict=True)
        if reason is None
    ).coalesce()
    return float(abs(reach & live)) / abs(live) if live else float("nan")


def chances(triggers: pa.Table, ledger: pa.Table, near_s: float) -> dict[str, float]:
    """Return for each detector of the ledger what `chance` says of it."""
    detectors = sorted(set(ledger["detector"].to_pylist()))
    return {name: chance(triggers, ledger, name, near_s) for name in detectors}


def shows_known(
    rows: pa.Table, spans: pa.Table, window_s: int, margin_s: float
) -> NDArray[np.bool_]:
    """Return whether each row's picture lies within ``margin_s`` of something known: bool [n].

    Parameters
    ----------
    rows
        With ``detector`` and ``gps_start``, and of events ``trigger_time``, null for windows: a
        window shows ``window_s`` seconds, an event's longest crop four around its trigger.
    spans
        Rows of KNOWN_SPANS.
    window_s, margin_s
        In seconds.
    """
    starts, ends = _shown(rows, window_s)
    of_row = np.array(rows["detector"].to_pylist(), dtype="U2")
    touched = np.zeros(len(rows), bool)
    where = np.array(spans["detector"].to_pylist(), dtype="U2")
    low, high = spans["start"].to_numpy() - margin_s, spans["end"].to_numpy() + margin_s
    for detector in np.unique(where):
        mine = np.flatnonzero(of_row == detector)
        for first, last in zip(low[where == detector], high[where == detector], strict=True):
            touched[mine] |= (starts[mine] <= last) & (first < ends[mine])
    return touched


def without_known(rows: pa.Table, spans: pa.Table, window_s: int, margin_s: float) -> pa.Table:
    """Return the rows that show nothing known; arguments as of `shows_known`."""
    return rows.filter(pa.array(~shows_known(rows, spans, window_s, margin_s), pa.bool_()))


def _shown(rows: pa.Table, window_s: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return GPS start and end of what each row's picture shows: float64 [n] each."""
    starts = rows["gps_start"].to_numpy().astype(float)
    ends = starts + window_s
    if "trigger_time" in rows.column_names:
        times = np.array(rows["trigger_time"].to_pylist(), dtype=float)
        events = np.isfinite(times)
        starts[events] = times[events] - CROPS_S[-1] / 2
        ends[events] = times[events] + CROPS_S[-1] / 2
    return starts, ends


def free_segments(
    detector: str,
    files: Sequence[LocalFile],
    segments: segmentlist,
    catalogs: Iterable[pa.Table],
    kinds: Collection[str],
    margin_s: float,
) -> segmentlist:
    """Return the part of some strain files' segments that is free of all that is known.

    Parameters
    ----------
    files
        Receipts of the files of ``detector``, whose masks tell of injections.
    catalogs
        Tables of CATALOG.
    kinds, margin_s
        As of `injected_spans` and `outside_known`.

    Raises
    ------
    StrainError
        As `injected_in`.
    """
    injected = injected_in(detector, files, kinds).spans
    events = pa.concat_tables([CATALOG.empty_table(), *catalogs])
    return outside_known(segments, known_spans(events, injected, [detector]), detector, margin_s)


def outside_known(
    segments: segmentlist, spans: pa.Table, detector: str, margin_s: float
) -> segmentlist:
    """Return the part of one detector's segments, whole seconds, that is free of all known.

    ``spans`` are rows of KNOWN_SPANS; what lies within ``margin_s`` (s) of one is taken out.
    """
    own = spans.filter(pc.equal(spans["detector"], detector))
    low = np.floor(own["start"].to_numpy() - margin_s).astype(int).tolist()
    high = np.ceil(own["end"].to_numpy() + margin_s).astype(int).tolist()
    # An event of the last instant of a second is in that second.
    taken = segmentlist(
        segment(start, max(end, start + 1)) for start, end in zip(low, high, strict=True)
    )
    return segments - taken.coalesce()


def flag(known: pa.Table, ledger: pa.Table) -> pa.Table:
    """Return the windows and events that show something known, FLAGGED by detector and time.

    A window is flagged where a moment of it is known, analysed or not; an event where it is the
    trigger by which something was found.

    Parameters
    ----------
    known
        What `find_known` returned.
    ledger
        Rows of LEDGER of all blocks.
    """
    rows: list[dict[str, Any]] = []
    detectors = sorted(set(ledger["detector"].to_pylist()))
    windows = {name: _windows_of(ledger, name) for name in detectors}
    for one in known.to_pylist():
        about = {name: one[name] for name in ("name", "kind", "source", "detector")}
        if one["detector"] in windows:
            own = windows[one["detector"]]
            rows += [
                about | {"gps_start": own.starts[i], "view": "window", "trigger_time": None}
                for i in own.touching(one["start"], one["end"])
            ]
        if one["trigger_time"] is not None:
            shown = {name: one[name] for name in ("gps_start", "trigger_time")}
            rows.append(about | shown | {"view": "event"})
    rows.sort(
        key=lambda row: (row["view"], row["detector"], row["gps_start"], row["trigger_time"] or 0)
    )
    return pa.Table.from_pylist(rows, schema=FLAGGED)
