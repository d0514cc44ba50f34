"""Small frame files, whole and without what guards them."""

import struct
from collections.abc import Iterator
from pathlib import Path

import lal
import lalframe
import numpy as np

HEADER = 40  # bytes


def write_frame_file(path: Path, gps: int, values: np.ndarray, sample_rate: int) -> Path:
    """Write one frame with the channel H1:STRAIN."""
    start = lal.LIGOTimeGPS(gps)
    frame = lalframe.FrameNew(start, len(values) / sample_rate, "test", 0, 0, 0)
    series = lal.CreateREAL8TimeSeries(
        "H1:STRAIN", start, 0, 1 / sample_rate, lal.StrainUnit, len(values)
    )
    series.data.data = values
    lalframe.FrameAddREAL8TimeSeriesProcData(frame, series)
    lalframe.FrameWrite(frame, str(path))
    return path


def structures(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each structure of a file begins, and its length in bytes."""
    at = HEADER
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        yield at, length
        at += length


def without_checksums(content: bytes) -> bytes:
    """Return a file that says of each structure that it has no checksum."""
    without = bytearray(content)
    for at, length in structures(content):
        own = 8 if at + length == len(content) else 4
        without[at + length - own : at + length] = bytes(own)
    return bytes(without)
