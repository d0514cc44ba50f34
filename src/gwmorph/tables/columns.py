"""Columns that several tables share, and how a column is declared: with unit and meaning."""

import pyarrow as pa

EMBEDDING_SIZE = 384


def field(
    name: str, kind: pa.DataType, unit: str, meaning: str, nullable: bool = False
) -> pa.Field:
    """Return a column, its unit and meaning being part of the schema."""
    return pa.field(name, kind, nullable=nullable, metadata={"unit": unit, "meaning": meaning})


DETECTOR = field("detector", pa.string(), "", "interferometer prefix: H1, L1, V1, K1, G1")
GPS_START = field("gps_start", pa.int64(), "s", "GPS time at which the window starts")
VIEW = field("view", pa.string(), "", "'window' or 'event'")
TRIGGER_TIME = field(
    "trigger_time", pa.float64(), "s", "GPS time of an event view's trigger", nullable=True
)
TILE_COLUMNS = [
    field("tile_time", pa.float64(), "s", "GPS time of the loudest tile's centre"),
    field("tile_frequency", pa.float64(), "Hz", "central frequency of the loudest tile"),
    field("tile_q", pa.float64(), "", "Q of the loudest tile's plane"),
    field("tile_energy", pa.float64(), "", "energy of the loudest tile over its row's median"),
    field("tile_snr", pa.float64(), "", "Omicron SNR of the loudest tile"),
]


def vector(width: int) -> pa.DataType:
    """Return the type of vectors float32 [width]."""
    return pa.list_(pa.field("item", pa.float32(), nullable=False), width)


EMBEDDING = field("embedding", vector(EMBEDDING_SIZE), "", "unit-norm vector of the picture")
