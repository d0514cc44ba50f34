"""Checksums of whole tables, which Parquet has of pages alone, and of pictures.

Headers of pages and the footer, with the schema and the metadata, have none there. The seal lies
before the footer: twelve bytes that belong to no page and that other readers pass over. That of an
SVG is a processing instruction at its end; a PNG has checksums of its own.
"""

import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO

from gwmorph.errors import StorageError, TableError

_SEAL = b"GWMS"  # followed by the CRC-32 of the footer, and that of all before
_SEAL_BYTES = 12
_END = 8  # bytes: the footer's length, and Parquet's magic number
_MAGIC = b"PAR1"
_CHUNK = 1 << 20
_SVG_END = re.compile(rb"(.*</svg>\s*)<\?gwmorph crc32 ([0-9a-f]{8})\?>\n", re.DOTALL)
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"


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


def sealed_svg(svg: bytes) -> bytes:
    """Return an SVG with its checksum behind it."""
    return svg + b"<?gwmorph crc32 %08x?>\n" % zlib.crc32(svg)


def require_whole_picture(path: Path | str, content: bytes) -> None:
    """Refuse the content of a PNG or SVG that another page is to hold, if it was altered.

    Raises
    ------
    StorageError
        It was.
    """
    whole = _whole_svg(content) if Path(path).suffix == ".svg" else _whole_png(content)
    if not whole:
        raise StorageError(
            f"{path}: a damaged picture. Remove it and run snakemake again, which makes it anew."
        )


def _whole_svg(content: bytes) -> bool:
    """Tell whether an SVG is as it was sealed; one that never was has to be complete."""
    found = _SVG_END.fullmatch(content)
    if found is None:
        return content.rstrip().endswith(b"</svg>")
    return int(found[2], 16) == zlib.crc32(found[1])


def _whole_png(content: bytes) -> bool:
    """Tell whether all chunks of a PNG are there, with the checksums of what they hold."""
    if not content.startswith(_PNG_START):
        return False
    at, kind = len(_PNG_START), b""
    while kind != _PNG_END:
        length = int.from_bytes(content[at : at + 4], "big")
        kind, end = content[at + 4 : at + 8], at + 8 + length
        checksum = content[end : end + 4]
        if checksum != zlib.crc32(content[at + 4 : end]).to_bytes(4, "big"):
            return False
        at = end + 4
    return at == len(content)
