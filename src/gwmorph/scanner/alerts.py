"""What is NOVEL in a block, as event records in the shape in which GraceDB keeps events.

GraceDB's names are kept (``gpstime``, ``instruments``, ``group``, ``pipeline``, ``search``,
``labels``, ``links``, ``extra_attributes`` with a ``SingleBurst``), but for its ``far``, which is
``far_hz`` here so that nobody takes it for anything else, and its ``graceid``, which only GraceDB
gives: ``event_id`` is made of detector, time and atlas, and is the same however often a block is
scanned.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.morphology.status import Status
from gwmorph.naming import event_name, window_name
from gwmorph.scanner.record import PICTURES, SUMMARY

Record = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """What the records of a scan have in common.

    Attributes
    ----------
    version : of gwmorph.
    atlas : what tells the atlas from any other: 16 hexadecimal digits or so.
    render_id, encoder_id : how pictures were drawn and encoded.
    links : what the links begin with: the address at which the scan's folder is served, or ''
        for links relative to that folder.
    """

    version: str
    atlas: str
    render_id: str
    encoder_id: str
    links: str = ""


@dataclass(frozen=True)
class Novel:
    """A NOVEL event, or a NOVEL window without a NOVEL event of its own.

    A window without one is unlike all that is known, though nothing in it stands out.

    Attributes
    ----------
    view : ``event`` or ``window``.
    detector : prefix, as H1.
    time : GPS time, s: the event's peak; the window's loudest tile, else its middle.
    picture : file name of its picture.
    row : its row of SCAN_TRIGGERS or SCAN_WINDOWS.
    """

    view: Literal["event", "window"]
    detector: str
    time: float
    picture: str
    row: Mapping[str, Any]


def novel_in(windows: pa.Table, triggers: pa.Table) -> list[Novel]:
    """Return what is NOVEL in a block, in order of time.

    ``windows`` and ``triggers`` are its rows of SCAN_WINDOWS and SCAN_TRIGGERS.
    """
    events = triggers.filter(pc.equal(triggers["status"], Status.NOVEL.value)).to_pylist()
    alone = windows.filter(pc.equal(windows["status"], Status.NOVEL.value)).to_pylist()
    told = {row["gps_start"] for row in events}
    found = [_event(row) for row in events]
    found += [_window(row) for row in alone if row["gps_start"] not in told]
    return sorted(found, key=lambda one: (one.time, one.view))


def _event(row: Mapping[str, Any]) -> Novel:
    detector, time = row["detector"], row["trigger_time"]
    return Novel("event", detector, time, event_name(detector, time), row)


def _window(row: Mapping[str, Any]) -> Novel:
    detector, start, seconds = row["detector"], row["gps_start"], row["duration_s"]
    time = row["tile_time"] if row["tile_time"] is not None else start + seconds / 2
    return Novel("window", detector, time, window_name(detector, start, seconds), row)


def event_records(
    block: str, windows: pa.Table, triggers: pa.Table, origin: Origin
) -> list[Record]:
    """Return a record for each event and window that `novel_in` finds, in order of time.

    ``far_hz`` is null, since a scan has no background to count a false-alarm rate in.

    Parameters
    ----------
    block
        Name of the block's folder, ``H1-GWMORPH_SCAN-1262301184-4096``.
    windows, triggers
        Its rows of SCAN_WINDOWS and SCAN_TRIGGERS.
    """
    return [_record(block, novel, origin) for novel in novel_in(windows, triggers)]


def _record(block: str, novel: Novel, origin: Origin) -> Record:
    row, is_event = novel.row, novel.view == "event"
    # A window's loudest tile may be another window's event, so its own start tells it apart.
    key = f"{novel.time:.9f}" if is_event else f"{row['gps_start']}"
    burst = _burst_of_event(row) if is_event else _burst_of_window(row)
    judged = ("named", "agreeing", "similarity", "margin", "p_value")
    of_event = ("found_by", "significance", "chirp_likeness", "chirp_mass")
    own = of_event if is_event else ("score", "score_limit")
    return {
        "event_id": f"{novel.detector}-{novel.view}-{key}-{origin.atlas[:16]}",
        "gpstime": novel.time,
        "instruments": novel.detector,
        "far_hz": None,
        "group": "Burst",
        "pipeline": "gwmorph",
        "search": "Morphology",
        "version": origin.version,
        "labels": list(_labels(row)),
        "links": dict(_links(block, novel.picture, origin.links)),
        "extra_attributes": {
            "SingleBurst": {"ifo": novel.detector, "peak_time": novel.time, **burst},
            "Morphology": {
                "view": novel.view,
                "window_gps_start": row["gps_start"],
                **{name: row[name] for name in (*judged, *own)},
                "latency_s": row["latency_s"],
                "atlas": origin.atlas,
                "render_id": origin.render_id,
                "encoder_id": origin.encoder_id,
            },
        },
    }


def _burst_of_event(row: Mapping[str, Any]) -> Record:
    return {
        "start_time": row["tstart"],
        "duration": row["tend"] - row["tstart"],
        "central_freq": row["peak_frequency"],
        "flow": row["fstart"],
        "fhigh": row["fend"],
        "bandwidth": row["fend"] - row["fstart"],
        "q": row["q"],
        "snr": row["snr"],
    }


def _burst_of_window(row: Mapping[str, Any]) -> Record:
    return {
        "start_time": float(row["gps_start"]),
        "duration": float(row["duration_s"]),
        "central_freq": row["tile_frequency"],
        "snr": row["tile_snr"],
    }


def _labels(row: Mapping[str, Any]) -> Iterator[str]:
    yield Status.NOVEL.value
    if is_like_a_chirp(row):
        yield "CHIRP_LIKE"


def is_like_a_chirp(row: Mapping[str, Any]) -> bool:
    """Tell whether a row of SCAN_TRIGGERS is more like a binary than like anything else."""
    likeness = row.get("chirp_likeness")
    return likeness is not None and likeness > 0


def _links(block: str, picture: str, base: str) -> Iterator[tuple[str, str]]:
    root = f"{base.rstrip('/')}/" if base else ""
    yield "picture", f"{root}{block}/{PICTURES}/{picture}"
    yield "summary", f"{root}{block}/{SUMMARY}"
