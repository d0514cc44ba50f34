"""Checksums of whole tables, which Parquet has of pages alone.

Headers of pages and the footer, with the schema and the metadata, have none there. The seal lies
before the footer: twelve bytes that belong to no page and that other readers pass over.
"""

import os
import zlib
from pathlib import Path
from typing import BinaryIO

from gwmorph.errors import TableError

_SEAL = b"GWMS"  # followed by the CRC-32 of the footer, and that of all before
_SEAL_BYTES = 12
_END = 8  # bytes: the footer's length, and Parquet's magic number
_MAGIC = b"PAR1"
_CHUNK = 1 << 20


def seal(path: Path) -> None:
    """Seal a table; places of its pages are counted from the start, and stay.

    Raises
    ------
    OSError
        It cannot be written.
    """
    with path.open("r+b") as stream:
        footer = _footer(stream)
        pages = _checksum_of_pages(stream, len(footer))
        stream.write(_SEAL + _checksum(footer) + pages + footer)


def require_seal(path: Path | str, *, pages: bool = True) -> None:
    """Refuse a table whose footer, or whose ``pages``, are not those that were sealed.

    Other programs seal none, and what is no table has none.

    Raises
    ------
    TableError
        The table was altered.
    OSError
        It cannot be read.
    """
    with Path(path).open("rb") as stream:
        footer = _footer(stream)
        if not footer.endswith(_MAGIC):
            if Path(path).suffix == ".parquet":
                raise _altered(path, "end is not that of one: it is cut short, or was")
            return
        behind = len(footer) + _SEAL_BYTES
        if stream.tell() < behind:
            return
        stream.seek(-behind, os.SEEK_END)
        found = stream.read(_SEAL_BYTES)
        if not found.startswith(_SEAL):
            return
        if found[4:8] != _checksum(footer):
            raise _altered(path, "footer was")
        if pages and found[8:] != _checksum_of_pages(stream, behind):
            raise _altered(path, "pages were")


def _altered(path: Path | str, what: str) -> TableError:
    return TableError(
        f"{path}: not a readable Parquet table (its {what} altered). Remove it and run again."
    )


def _footer(stream: BinaryIO) -> bytes:
    """Return a table's footer, to the end of the file; nothing where there can be none."""
    size = stream.seek(0, os.SEEK_END)
    if size < _END:
        return b""
    stream.seek(-_END, os.SEEK_END)
    length = int.from_bytes(stream.read(4), "little") + _END
    if length > size:
        stream.seek(0, os.SEEK_END)
        return b""
    stream.seek(-length, os.SEEK_END)
    return stream.read(length)


def _checksum_of_pages(stream: BinaryIO, behind: int) -> bytes:
    """Return the checksum of a file but for so many last bytes; the stream is there then."""
    left = stream.seek(-behind, os.SEEK_END)
    stream.seek(0)
    checksum = 0
    while left and (chunk := stream.read(min(left, _CHUNK))):
        checksum = zlib.crc32(chunk, checksum)
        left -= len(chunk)
    return checksum.to_bytes(4, "little")


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "little")
