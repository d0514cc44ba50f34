"""The folder of a scan: a folder for each block, and the record of those that are finished.

A block's folder is written under another name, brought to the disk and then renamed; after that a
line in ``blocks.jsonl`` says that the block counts. So a process may die at any moment: what has
no line is not there, whatever lies in the folder, and is scanned again whole.

``scan.json`` says by which atlas, rendering and encoder the folder's blocks were judged.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from gwmorph.errors import CalibrationError, StorageError
from gwmorph.rebuilding import STRICT, rebuilt
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.assembly import BlockKey
from gwmorph.scanner.summary import BlockSummary, block_name
from gwmorph.spectra.albums import Picture
from gwmorph.spectra.pictures import write_picture
from gwmorph.storage import (
    append_line,
    cut_unfinished_line,
    locked,
    parse_json,
    read_json,
    write_json,
)
from gwmorph.tables.parquet import read_table, write_table
from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS

RECORD = "blocks.jsonl"
ABOUT = "scan.json"
LATE = "late.jsonl"
PICTURES = "pictures"
WINDOW_TABLE, TRIGGER_TABLE, SUMMARY = "windows.parquet", "triggers.parquet", "summary.json"
_UNFINISHED = ".part"


class Record:
    """The blocks of a scan's folder that count, by what was written last of each."""

    def __init__(self, folder: Path, blocks: dict[BlockKey, BlockSummary]) -> None:
        """Use `opened` instead."""
        self.folder = folder
        self._blocks = blocks

    @property
    def blocks(self) -> Mapping[BlockKey, BlockSummary]:
        """The summary of each block that counts, in the order in which they were finished."""
        return self._blocks

    def is_finished(self, key: BlockKey) -> bool:
        """Tell whether a block need not be scanned again; one that failed is to be tried again."""
        found = self._blocks.get(key)
        return found is not None and not found.failed

    def note_late(self, file: ArrivedFile, gps_start: int) -> None:
        """Write down a file that a block was scanned without, once.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        path = self.folder / LATE
        late = LateFile(str(file.path), file.detector, gps_start, file.start, file.duration)
        if late in read_late(self.folder):
            return
        try:
            append_line(path, json.dumps(asdict(late), sort_keys=True))
        except OSError as error:
            raise StorageError(f"{path}: cannot be written ({error}).") from error

    def finish(
        self,
        summary: BlockSummary,
        windows: pa.Table,
        triggers: pa.Table,
        pictures: Mapping[str, Picture],
        metadata: Mapping[str, str],
    ) -> None:
        """Write a block's folder, and then the line that makes it count.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        name = block_name(summary.detector, summary.gps_start)
        partial, final = self.folder / f".{name}{_UNFINISHED}", self.folder / name
        try:
            (partial / PICTURES).mkdir(parents=True)
            write_table(partial / WINDOW_TABLE, SCAN_WINDOWS, windows, metadata)
            write_table(partial / TRIGGER_TABLE, SCAN_TRIGGERS, triggers, metadata)
            for file, picture in pictures.items():
                write_picture(
                    partial / PICTURES / file, picture.indices, picture.scale, picture.about
                )
            write_json(partial / SUMMARY, summary.to_json())
            for path in [*partial.rglob("*"), partial]:
                _to_disk(path)
            if final.exists():  # of a time before it counted, or when it failed
                shutil.rmtree(final)
            partial.rename(final)
            _to_disk(self.folder)
            line = json.dumps(summary.to_json(), sort_keys=True, allow_nan=False)
            append_line(self.folder / RECORD, line)
        except OSError as error:
            raise StorageError(
                f"{final}: cannot be written ({error}). The block is scanned again next time."
            ) from error
        self._blocks.pop((summary.detector, summary.gps_start), None)
        self._blocks[summary.detector, summary.gps_start] = summary


@dataclass(frozen=True)
class LateFile:
    """A file that came after its block, ``gps_start``, was scanned; it holds what GPS seconds."""

    __pydantic_config__ = STRICT

    file: str
    detector: str
    gps_start: int
    file_gps_start: int
    file_duration_s: int


def read_late(folder: Path) -> list[LateFile]:
    """Return the files that came too late for a block of a scan, in order of their coming.

    Raises
    ------
    StorageError
        The list is damaged, or of another version.
    """
    path = folder / LATE
    if not path.exists():
        return []
    try:
        return [rebuilt(LateFile, parse_json(line)) for line in _whole_lines(path)]
    except ValueError as error:
        raise StorageError(f"{path}: {error}") from error


def read_block(folder: Path, block: BlockSummary) -> tuple[pa.Table, pa.Table]:
    """Return a finished block's rows of SCAN_WINDOWS and SCAN_TRIGGERS from a scan's folder.

    Raises
    ------
    TableError
        They cannot be read.
    """
    here = folder / block.folder
    windows = read_table(here / WINDOW_TABLE, SCAN_WINDOWS)
    return windows, read_table(here / TRIGGER_TABLE, SCAN_TRIGGERS)


@contextmanager
def opened(folder: Path, about: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the record of a scan's folder, which nobody else writes meanwhile.

    Parameters
    ----------
    folder
        Made if absent.
    about
        What `ABOUT` is to say of the folder: by what its blocks are judged.

    Raises
    ------
    CalibrationError
        Blocks in the folder were judged by something else.
    StorageError
        Another scan is at work in it, it holds something else than a scan, or it cannot be
        written.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _claim(folder, about)
            other = "another scan is at work here. Let it end, or scan into another folder."
            stack.enter_context(locked(folder / RECORD, f"{folder}: {other}"))
            # Of a line whose writing was interrupted the block does not count.
            cut_unfinished_line(folder / RECORD)
            if (folder / LATE).exists():
                cut_unfinished_line(folder / LATE)
            for left in folder.glob(f".*{_UNFINISHED}"):
                shutil.rmtree(left)
            record = Record(folder, read_record(folder))
        except OSError as error:
            raise StorageError(f"{folder}: cannot be written ({error}).") from error
        yield record


def read_record(folder: Path) -> dict[BlockKey, BlockSummary]:
    """Return the summary of each block that counts, in the order in which they were finished.

    A line that is being written is not read. There need not be a scan in the folder.

    Raises
    ------
    StorageError
        The record is damaged, or of another version.
    """
    path = folder / RECORD
    found: dict[BlockKey, BlockSummary] = {}
    if not path.exists():
        return found
    for number, line in enumerate(_whole_lines(path), start=1):
        try:
            summary = BlockSummary.from_json(parse_json(line))
        except (ValueError, StorageError) as error:
            raise StorageError(f"{path}, line {number}: {error}") from error
        key = summary.detector, summary.gps_start
        found.pop(key, None)
        found[key] = summary
    return found


def _whole_lines(path: Path) -> list[str]:
    *whole, _ = path.read_bytes().split(b"\n")
    return [line.decode(errors="replace") for line in whole]


def _claim(folder: Path, about: Mapping[str, Any]) -> None:
    path = folder / ABOUT
    if path.exists():
        found = read_json(path)
        if found != dict(about):
            keys = sorted(k for k in {*found, *about} if found.get(k) != about.get(k))
            raise CalibrationError(
                f"{path}: the blocks here were judged by another {', '.join(keys)}: expected "
                f"{[found.get(k) for k in keys]}, got {[about.get(k) for k in keys]}. Scan into "
                "another folder, or move this one away."
            )
        return
    if any(folder.iterdir()):
        raise StorageError(
            f"{folder}: holds files, but no {ABOUT} that says they are a scan's. Scan into an "
            "empty folder."
        )
    write_json(path, dict(about))


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
