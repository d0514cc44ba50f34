"""Tables of the block stage: windows, their measurements, triggers."""

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.tables.columns import DETECTOR, GPS_START, TILE_COLUMNS, field

# What may find a trigger: a loud tile, or a part of the score that adds tiles up.
TILE = "tile"
FOUND_BY = (TILE, "excess", "track", "chirp")
LEDGER = pa.schema(
    [
        DETECTOR,
        GPS_START,
        field("duration_s", pa.int32(), "s", "length of the window"),
        field("block", pa.int64(), "s", "GPS start of the block that holds the window"),
        field("status", pa.string(), "", "'analysed' or 'excluded'"),
        field("reason", pa.string(), "", "why the window was excluded", nullable=True),
        field("detail", pa.string(), "", "what was found, and where", nullable=True),
    ],
    metadata={"gwmorph.schema": "ledger"},
)
MEASUREMENTS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        *TILE_COLUMNS,
        field("excess", pa.float64(), "", "-log10 of the least probable box's tail probability"),
        field("track", pa.float64(), "nat", "log-likelihood ratio of the best path of energy"),
        field("chirp", pa.float64(), "nat", "log-likelihood ratio of the best chirp's track"),
    ],
    metadata={"gwmorph.schema": "measurements"},
)
TRIGGERS = pa.schema(
    [
        DETECTOR,
        field("gps_start", pa.int64(), "s", "GPS start of the window that claims the trigger"),
        field(
            "found_by",
            pa.string(),
            "",
            "'tile', or the part of the score that passes its limit: 'excess' (a box), 'track' (a "
            "path), 'chirp' (a stretch of a binary's track); all its tiles are then those inside",
        ),
        field(
            "significance",
            pa.float64(),
            "",
            "-log10 of the probability that the part of a quiet window is as large, as in the "
            "table of scores; null for tiles that are not their window's loudest",
            nullable=True,
        ),
        field(
            "line_share",
            pa.float64(),
            "",
            "share of its energy in rows that hold a line; null for tiles",
            nullable=True,
        ),
        field(
            "chirp_mass",
            pa.float64(),
            "solMass",
            "of the binary at the detector; null unless found by 'chirp'",
            nullable=True,
        ),
        field("time", pa.float64(), "s", "GPS time, mean over all tiles weighted by energy"),
        field(
            "peak_time",
            pa.float64(),
            "s",
            "GPS time that its view is centred on: the loudest tile's centre; a box's or path's "
            "centroid; the end of a chirp's stretch",
        ),
        field("tstart", pa.float64(), "s", "GPS time at which the first tile starts"),
        field("tend", pa.float64(), "s", "GPS time at which the last tile ends"),
        field("duration", pa.float64(), "s", "from tstart to tend"),
        field("frequency", pa.float64(), "Hz", "mean over all tiles weighted by energy"),
        field("peak_frequency", pa.float64(), "Hz", "central frequency of the loudest tile"),
        field("fstart", pa.float64(), "Hz", "lower edge of the lowest tile"),
        field("fend", pa.float64(), "Hz", "upper edge of the highest tile"),
        field("bandwidth", pa.float64(), "Hz", "from fstart to fend"),
        field("q", pa.float64(), "", "Q of the loudest tile's plane"),
        field("snr", pa.float64(), "", "Omicron SNR of the loudest tile"),
        field(
            "amplitude",
            pa.float64(),
            "Hz^-1/2",
            "root-sum-square strain that has this SNR against the noise in the loudest tile: "
            "snr * sqrt(PSD / 2), PSD averaged harmonically over the tile's band",
        ),
        field("energy", pa.float64(), "", "energy of the loudest tile over its row's median"),
        field(
            "tiles",
            pa.int64(),
            "",
            "number of tiles: significant ones in all Q-planes, or inside a part",
        ),
        field("energy_sum", pa.float64(), "", "sum of the tiles' energies, less 1/ln 2 for each"),
        field(
            "view",
            pa.bool_(),
            "",
            "whether an event view was drawn; if not, as many louder triggers of the window have "
            "one as are allowed, or a louder one of the same peak_time",
        ),
    ],
    metadata={"gwmorph.schema": "triggers"},
)


def loud_tiles(triggers: pa.Table, snr: float) -> pa.ChunkedArray:
    """Tell which rows of TRIGGERS are events by a tile of this Omicron SNR or more: bool [n].

    All others are candidates, of which the score makes events or nothing.
    """
    return pc.and_(pc.equal(triggers["found_by"], TILE), pc.greater_equal(triggers["snr"], snr))
