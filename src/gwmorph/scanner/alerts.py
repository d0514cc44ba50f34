"""What is NOVEL in a block, as event records in the shape in which GraceDB keeps events.

GraceDB's names are kept (``gpstime``, ``instruments``, ``group``, ``pipeline``, ``search``,
``labels``, ``links``, ``extra_attributes`` with a ``SingleBurst``), but for its ``far``, which is
``far_hz`` here so that nobody takes it for anything else, and its ``graceid``, which only GraceDB
gives: ``event_id`` is made of detector, time and atlas, and is the same however often a block is
scanned.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from gwmorph.morphology.status import Status
from gwmorph.naming import event_name, span_name

PICTURES = "pictures"
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


def event_records(
    block: str, windows: pa.Table, triggers: pa.Table, origin: Origin
) -> list[Record]:
    """Return a record for each NOVEL event of a block, in order of time.

    A NOVEL window without a NOVEL event of its own is one, too: it is unlike all that is known,
    though nothing in it stands out. ``far_hz`` is null, since a scan has no background to count a
    false-alarm rate in.

    Parameters
    ----------
    block
        Name of the block's folder, ``H1-GWMORPH_SCAN-1262301184-4096``.
    windows, triggers
        Its rows of SCAN_WINDOWS and SCAN_TRIGGERS.
    """
    novel = [row for row in triggers.to_pylist() if row["status"] == Status.NOVEL]
    told = {row["gps_start"] for row in novel}
    records = [_of_event(block, row, origin) for row in novel]
    records += [
        _of_window(block, row, origin)
        for row in windows.to_pylist()
        if row["status"] == Status.NOVEL and row["gps_start"] not in told
    ]
    return sorted(records, key=lambda record: (record["gpstime"], record["event_id"]))


def _of_event(block: str, row: Mapping[str, Any], origin: Origin) -> Record:
    detector, time = row["detector"], row["trigger_time"]
    chirp = row["chirp_likeness"] is not None and row["chirp_likeness"] > 0
    return _record(
        block,
        row,
        origin,
        view="event",
        time=time,
        span=(row["tstart"], row["tend"]),
        labels=[Status.NOVEL.value, *(["CHIRP_LIKE"] if chirp else [])],
        picture=event_name(detector, time),
        burst={
            "ifo": detector,
            "start_time": row["tstart"],
            "peak_time": time,
            "duration": row["tend"] - row["tstart"],
            "central_freq": row["peak_frequency"],
            "flow": row["fstart"],
            "fhigh": row["fend"],
            "bandwidth": row["fend"] - row["fstart"],
            "q": row["q"],
            "snr": row["snr"],
        },
        own={
            name: row[name]
            for name in ("found_by", "significance", "chirp_likeness", "chirp_mass")
        },
    )


def _of_window(block: str, row: Mapping[str, Any], origin: Origin) -> Record:
    detector, start, seconds = row["detector"], row["gps_start"], row["duration_s"]
    return _record(
        block,
        row,
        origin,
        view="window",
        time=row["tile_time"] if row["tile_time"] is not None else start + seconds / 2,
        span=(float(start), float(start + seconds)),
        labels=[Status.NOVEL.value],
        picture=span_name(detector, "WINDOW", start, seconds, "png"),
        burst={
            "ifo": detector,
            "start_time": float(start),
            "peak_time": row["tile_time"],
            "duration": float(seconds),
            "central_freq": row["tile_frequency"],
            "snr": row["tile_snr"],
        },
        own={name: row[name] for name in ("score", "score_limit")},
    )


def _record(
    block: str,
    row: Mapping[str, Any],
    origin: Origin,
    *,
    view: str,
    time: float,
    span: tuple[float, float],
    labels: Sequence[str],
    picture: str,
    burst: Mapping[str, Any],
    own: Mapping[str, Any],
) -> Record:
    # A window's time is that of its loudest tile, which may be another window's event.
    key = f"{time:.9f}" if view == "event" else f"{row['gps_start']}"
    return {
        "event_id": f"{row['detector']}-{view}-{key}-{origin.atlas[:16]}",
        "gpstime": time,
        "gps_start": span[0],
        "gps_end": span[1],
        "instruments": row["detector"],
        "far_hz": None,
        "group": "Burst",
        "pipeline": "gwmorph",
        "search": "Morphology",
        "version": origin.version,
        "labels": list(labels),
        "links": dict(_links(block, picture, origin.links)),
        "extra_attributes": {
            "SingleBurst": dict(burst),
            "Morphology": {
                "view": view,
                "window_gps_start": row["gps_start"],
                **{
                    name: row[name]
                    for name in ("named", "agreeing", "similarity", "margin", "p_value")
                },
                **own,
                "latency_s": row["latency_s"],
                "atlas": origin.atlas,
                "render_id": origin.render_id,
                "encoder_id": origin.encoder_id,
            },
        },
    }


def _links(block: str, picture: str, base: str) -> Iterator[tuple[str, str]]:
    root = f"{base.rstrip('/')}/" if base else ""
    yield "picture", f"{root}{block}/{PICTURES}/{picture}"
    yield "summary", f"{root}{block}/summary.json"
