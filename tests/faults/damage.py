"""Damage to files, and what is said of it: the part of ``make fault`` that needs no workflow."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

# What is done to a file's bytes.
DAMAGES = {
    "a bit flipped": lambda content: flipped(content, len(content) * 2 // 3),
    "cut in half": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
}
_LINEAGE = b"gwmorph.inputs_hash"
_NAMES = re.compile(r"[HL]-?[HL]?1|\d+")


def flipped(content: bytes, place: int) -> bytes:
    """Return bytes of which one has another bit."""
    changed = bytearray(content)
    changed[place] ^= 0x10
    return bytes(changed)


@contextmanager
def damaged(path: Path, damage: str) -> Iterator[None]:
    """Harm a file for a while; its time of change stays."""
    content, times = path.read_bytes(), path.stat()
    _put(path, DAMAGES[damage](content), times)
    try:
        yield
    finally:
        _put(path, content, times)


def _put(path: Path, content: bytes, times: os.stat_result) -> None:
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def one_of_each(paths: Iterable[Path]) -> list[Path]:
    """Return the first file of each kind: those that differ in detector and numbers are alike."""
    kinds: dict[tuple[str, str], Path] = {}
    for path in files_of(paths):
        folder = path.parent.as_posix()
        key = _NAMES.sub("", folder), _NAMES.sub("", path.name)
        if path.stat().st_size:
            kinds.setdefault(key, path)
    return list(kinds.values())


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files, and all those in folders but what Snakemake leaves there."""
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (p for p in inside if p.is_file() and p.name != ".snakemake_timestamp")


def error_names(said: str, path: Path) -> bool:
    """Tell whether what a job said names a file, or the folder that it lies in as one of many."""
    return path.name in said


def compared(found: Mapping[str, Path], expected: Mapping[str, Path]) -> str:
    """Return how files differ from what they should be: "equal", "lineage" or whose bytes.

    "lineage" is when all rows and all other metadata of tables are the same, and only the hash of
    what they were made from is another: the damage had no meaning, and yet is on record.
    """
    if found.keys() != expected.keys():
        other = sorted(found.keys() ^ expected.keys())
        return f"other files: {', '.join(other[:3])}"
    differing = [
        name for name, path in expected.items() if path.read_bytes() != found[name].read_bytes()
    ]
    if not differing:
        return "equal"
    if all(_same_but_lineage(found[name], expected[name]) for name in differing):
        return "lineage"
    return f"other bytes: {', '.join(differing[:3])}"


def _same_but_lineage(found: Path, expected: Path) -> bool:
    if expected.suffix != ".parquet":
        return False
    tables = [pq.read_table(path) for path in (found, expected)]
    about = [dict(table.schema.metadata or {}) for table in tables]
    for metadata in about:
        metadata.pop(_LINEAGE, None)
        metadata.pop(b"ARROW:schema", None)
    return about[0] == about[1] and tables[0].equals(tables[1])
