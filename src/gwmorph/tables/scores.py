"""Tables of the score: quiet windows, every window's score, windows above the limit."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, EMBEDDING, GPS_START, field

QUIET = pa.schema(
    [
        field("number", pa.int64(), "", "number of the quiet window, from 0"),
        field(
            "gps_start", pa.int64(), "s", "GPS start; null for a simulated window", nullable=True
        ),
        field("tile_energy", pa.float64(), "", "as in the table of measurements"),
        field("excess", pa.float64(), "", "as in the table of measurements"),
        field("track", pa.float64(), "nat", "as in the table of measurements"),
        field("chirp", pa.float64(), "nat", "as in the table of measurements"),
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "quiet"},
)
_SURPRISE = "-log10 of the probability that a quiet window has as large a"
SCORES = pa.schema(
    [
        DETECTOR,
        GPS_START,
        field("tile_snr", pa.float64(), "", "Omicron SNR of the loudest tile"),
        field("tile_energy", pa.float64(), "", "energy of the loudest tile over its row's median"),
        field("excess", pa.float64(), "", "-log10 of the least probable box's tail probability"),
        field("track", pa.float64(), "nat", "log-likelihood ratio of the best path of energy"),
        field("chirp", pa.float64(), "nat", "log-likelihood ratio of the best chirp's track"),
        field("distance", pa.float64(), "", "cosine distance to the nearest quiet pictures"),
        field("surprise_tile_energy", pa.float64(), "", f"{_SURPRISE} tile_energy"),
        field("surprise_excess", pa.float64(), "", f"{_SURPRISE}n excess"),
        field("surprise_track", pa.float64(), "", f"{_SURPRISE} track"),
        field("surprise_chirp", pa.float64(), "", f"{_SURPRISE} chirp"),
        field("surprise_distance", pa.float64(), "", f"{_SURPRISE} distance"),
        field("score", pa.float64(), "", "the largest surprise, corrected for their number"),
        field(
            "limit",
            pa.float64(),
            "",
            "what the score must exceed: by then too few quiet windows do as well",
        ),
        field(
            "quiet_windows",
            pa.int64(),
            "",
            "number of quiet windows that the window is compared with",
        ),
        field("quiet", pa.bool_(), "", "whether it is one of the quiet windows itself"),
    ],
    metadata={"gwmorph.schema": "scores"},
)
ABOVE_LIMIT = pa.schema(
    [
        DETECTOR,
        GPS_START,
        field("score", pa.float64(), "", "as in the table of scores"),
        field("limit", pa.float64(), "", "as in the table of scores"),
        field("won_by", pa.string(), "", "part with the largest surprise"),
        field(
            "outcome",
            pa.string(),
            "",
            "what found the window's event: 'tile', 'excess', 'track' or 'chirp'; or why it has "
            "none: 'line', 'distance', or 'none' (its part is left out, too faint to be a "
            "candidate, or next door)",
        ),
    ],
    metadata={"gwmorph.schema": "above_limit"},
)
