"""Tables of a scan: what becomes of each window and trigger of a block of new data."""

from typing import Final

import pyarrow as pa

from gwmorph.tables import block, calibration
from gwmorph.tables.columns import DETECTOR, GPS_START, field

# Why a window is EXCLUDED that was not even looked at, beside the reasons of the ledger.
FAILED = "failed"
# What becomes of a block: the `status` of its summary.
DONE_BLOCK: Final = "DONE"
FAILED_BLOCK: Final = "FAILED"

_JUDGED = [
    calibration.STATUSES.field("named"),
    calibration.STATUSES.field("agreeing"),
    calibration.STATUSES.field("similarity"),
    field(
        "margin",
        pa.float64(),
        "",
        "cosine above the limit below which a row is NOVEL (of several limits the nearest); null "
        "without a limit",
        nullable=True,
    ),
    calibration.STATUSES.field("p_value"),
]
_LATENCY = field(
    "latency_s",
    pa.float64(),
    "s",
    "from when the scanner knew of the last file that it needs until it was judged; null where "
    "nothing was",
    nullable=True,
)
# One row for each window of the grid inside a block's strain, in order of time.
SCAN_WINDOWS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        field("duration_s", pa.int32(), "s", "length of the window"),
        calibration.STATUSES.field("status"),
        field(
            "reason",
            pa.string(),
            "",
            "why it is EXCLUDED: as in the ledger, or 'failed' where the block could not be "
            "scanned; null of others",
            nullable=True,
        ),
        field("detail", pa.string(), "", "what was found, and where", nullable=True),
        *_JUDGED,
        field("score", pa.float64(), "", "as in the table of scores", nullable=True),
        field("score_limit", pa.float64(), "", "what it must exceed", nullable=True),
        field("tile_time", pa.float64(), "s", "GPS time of its loudest tile", nullable=True),
        field("tile_frequency", pa.float64(), "Hz", "of that tile", nullable=True),
        field("tile_snr", pa.float64(), "", "Omicron SNR of that tile", nullable=True),
        field("events", pa.int64(), "", "number of its rows in the table of triggers"),
        _LATENCY,
    ],
    metadata={"gwmorph.schema": "scan_windows"},
)
# One row for each event of a block, in order of its time.
SCAN_TRIGGERS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        field(
            "trigger_time", pa.float64(), "s", "GPS time of its peak, on which its view centres"
        ),
        block.TRIGGERS.field("found_by"),
        field(
            "status",
            pa.string(),
            "",
            "KNOWN, AMBIGUOUS or NOVEL; null where no view was drawn or the atlas has none",
            nullable=True,
        ),
        *_JUDGED,
        field(
            "chirp_likeness",
            pa.float64(),
            "",
            "as `likeness` in the table of chirps: above 0 it is like a binary; null without a "
            "view",
            nullable=True,
        ),
        field("chirp_mass", pa.float64(), "solMass", "of its best track", nullable=True),
        *map(
            block.TRIGGERS.field,
            ("tstart", "tend", "peak_frequency", "fstart", "fend", "q", "snr"),
        ),
        block.TRIGGERS.field("significance"),
        _LATENCY,
    ],
    metadata={"gwmorph.schema": "scan_triggers"},
)
