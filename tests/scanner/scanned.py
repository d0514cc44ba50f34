"""Rows of a scanned block, of which tests say what matters to them."""

from typing import Any

import pyarrow as pa

from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS

GPS = 1262301184
_JUDGED = {"named": "Blip", "agreeing": 0.6, "similarity": 0.4, "margin": -0.2, "p_value": 0.001}


def window(start: int, status: str, **values: Any) -> dict[str, Any]:
    row = dict.fromkeys(SCAN_WINDOWS.names) | {
        "detector": "H1",
        "gps_start": start,
        "duration_s": 32,
        "status": status,
        "events": 0,
    }
    if status not in ("EXCLUDED", "QUIET"):
        row |= _JUDGED | {
            "score": 9.0,
            "score_limit": 3.0,
            "tile_time": start + 7.25,
            "tile_frequency": 143.0,
            "tile_snr": 12.5,
            "latency_s": 3.5,
        }
    return row | values


def trigger(time: float, status: str | None, **values: Any) -> dict[str, Any]:
    row = dict.fromkeys(SCAN_TRIGGERS.names) | {
        "detector": "H1",
        "gps_start": int(time) // 32 * 32,
        "trigger_time": time,
        "found_by": "tile",
        "status": status,
        "tstart": time - 0.25,
        "tend": time + 0.5,
        "peak_frequency": 143.0,
        "fstart": 60.0,
        "fend": 310.0,
        "q": 8.0,
        "snr": 12.5,
        "latency_s": 3.5,
    }
    if status is not None:
        row |= _JUDGED | {"chirp_likeness": -0.1}
    return row | values


def windows_of(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCAN_WINDOWS)


def triggers_of(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCAN_TRIGGERS)
