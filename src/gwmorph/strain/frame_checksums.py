"""The checksums of a frame file (LIGO-T970130-v1, version 8), checked before a library reads it.

LALFrame trusts the lengths and numbers in a file: a few altered ones crash the process. In a frame
file every structure ends with a checksum of its own, which this compares, so that bytes that were
altered by a disk or on their way are an error. Files of older versions have no such checksums, and
one may be written without: nothing is checked there but the header.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HEADER = 40  # bytes
_VERSION_AT, _SIZES_AT, _NUMBERS_AT, _NUMBERS_END = 5, 7, 12, 38
# Sizes of the types of numbers, and numbers that tell the order of their bytes.
_SIZES = bytes([2, 4, 8, 4, 8])
_NUMBERS = {
    order: struct.pack(f"{order}HIQfd", 0x1234, 0x12345678, 0x123456789ABCDEF, math.pi, math.pi)
    for order in "<>"
}
_VERSION, _OLDER = 8, range(4, 8)
# Length, class, instance and checksum, which every structure has.
_SHORTEST = 14
_PIECE = 1 << 20
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ALL_ONES = 0xFFFFFFFF


def require_checksums(path: Path | str, longest: int | None = None) -> None:
    """Compare the checksums in a frame file with its content: each structure's, and the file's.

    Parameters
    ----------
    path
        Of the file, which begins as frame files do.
    longest
        Bytes; longer structures, which hold the samples, are passed over, and the file as a whole
        is not looked at. None: all is checked.

    Raises
    ------
    ValueError
        A checksum is another one, or the structures do not fill the file.
    OSError
        The file cannot be read.
    """
    with Path(path).open("rb") as file:
        head = file.read(_HEADER)
        if len(head) < _HEADER:
            raise ValueError(f"ends inside its header of {_HEADER} bytes")
        if head[_VERSION_AT] in _OLDER:
            return
        order = _order(head)
        size = file.seek(0, 2)
        for at, length in _structures(file, size, order):
            if longest is None or length <= longest:
                # The last one ends with the file's checksum behind its own.
                _compare(file, at, length - 8 if at + length == size else length - 4, order)
        if longest is None:
            _compare(file, 0, size - 4, order)


def _order(head: bytes) -> str:
    """Return the order of bytes that a file's header tells; ValueError where it makes no sense."""
    numbers = head[_NUMBERS_AT:_NUMBERS_END]
    order = next((one for one, known in _NUMBERS.items() if numbers == known), None)
    sized = head[_SIZES_AT:_NUMBERS_AT] == _SIZES
    if head[_VERSION_AT] != _VERSION or order is None or not sized:
        raise ValueError(f"its header is none of a frame file of version {_VERSION}: {head.hex()}")
    return order


def _compare(file: BinaryIO, at: int, length: int, order: str) -> None:
    """Compare the checksum of ``length`` bytes with the one that follows them."""
    file.seek(at)
    found = _cksum(_pieces(file, length))
    (expected,) = struct.unpack(f"{order}I", file.read(4))
    # ASSUME: zero is what a writer leaves that makes no checksums. What the header says of them
    # may be altered, too.
    if expected not in (found, 0):
        raise ValueError(
            f"the {length} bytes from {at} on have the checksum {found:08x}, expected "
            f"{expected:08x}"
        )


def _structures(file: BinaryIO, size: int, order: str) -> Iterator[tuple[int, int]]:
    """Yield where each structure begins, and its length in bytes."""
    at = _HEADER
    while at < size:
        file.seek(at)
        start = file.read(8)
        length = struct.unpack(f"{order}Q", start)[0] if len(start) == 8 else 0
        if not _SHORTEST <= length <= size - at:
            raise ValueError(f"the structure at byte {at} does not end inside the file")
        yield at, length
        at += length


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count:
        piece = file.read(min(count, _PIECE))
        if not piece:
            raise ValueError("it became shorter while it was read")
        yield piece
        count -= len(piece)


def cksum(content: bytes) -> int:
    """Return the checksum that frame files have: that of POSIX's ``cksum``."""
    return _cksum(iter([content]))


def _cksum(pieces: Iterator[bytes]) -> int:
    # POSIX's polynomial is zlib's, with every byte from its other end; it begins with zeros and
    # ends with the length.
    length, found = 0, _ALL_ONES
    for piece in pieces:
        length += len(piece)
        found = zlib.crc32(piece.translate(_REVERSED), found)
    size = length.to_bytes((length.bit_length() + 7) // 8, "little")
    found = zlib.crc32(size.translate(_REVERSED), found) ^ _ALL_ONES
    return int(f"{found:032b}"[::-1], 2) ^ _ALL_ONES
