"""What a scan's worker does: from a block's files to its pictures, triggers and measurements.

Drawing is the workflow's own (`block.draw_block`). What the workflow takes from its plan is found
here in the files: which seconds are science, and so which windows there are.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from igwn_segments import segment, segmentlist

from gwmorph.block import EventParameters, RenderParameters, draw_block
from gwmorph.errors import StrainError
from gwmorph.grid import BLOCK_S, Grid
from gwmorph.ledger import Reason, excluded_row
from gwmorph.naming import event_name
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.spectra.albums import HeldAlbum, Picture
from gwmorph.strain.base import LocalFile, StrainFile, check_rate
from gwmorph.strain.directory import share, spans_of
from gwmorph.strain.files import check_content
from gwmorph.strain.layouts import open_strain
from gwmorph.tables.block import MEASUREMENTS

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DrawingTask:
    """A block to draw.

    Attributes
    ----------
    own, around : its files, and those that only lend it context.
    segments : science segments around the block, where they are known; else the files' DATA bits
        tell them.
    """

    detector: str
    gps_start: int
    own: tuple[ArrivedFile, ...]
    around: tuple[ArrivedFile, ...]
    segments: Spans | None
    grid: Grid
    parameters: RenderParameters
    events: EventParameters

    def windows(self) -> list[int]:
        """Return the GPS starts of the windows that the scan answers for, in order.

        They begin inside the block and lie wholly between the first and the last second of the
        files, or inside the segments where these are known.
        """
        if self.segments is not None:
            known = segmentlist(segment(*span) for span in self.segments)
            return self.grid.block_windows(known, self.gps_start)
        files = [*self.own, *self.around]
        whole = segment(min(file.start for file in files), max(file.end for file in files))
        return self.grid.block_windows(segmentlist([whole]), self.gps_start)


@dataclass(frozen=True)
class DrawnBlock:
    """What a block gave, and what was found out about its strain.

    Attributes
    ----------
    ledger : rows of LEDGER, one for each window inside science, in order of time.
    outside : the same for the task's other windows.
    measurements, triggers : tables of the schemas MEASUREMENTS and TRIGGERS.
    album : its pictures, by the names that `naming` gives them.
    science_s : seconds of the block that are science.
    hashes : SHA-256 of the files that were read.
    faults : what is wrong with files that only lend context, a sentence each.
    took_s : how long it took.
    """

    ledger: list[dict[str, Any]]
    outside: list[dict[str, Any]]
    measurements: pa.Table
    triggers: pa.Table
    album: HeldAlbum
    science_s: int
    hashes: tuple[str, ...]
    faults: tuple[str, ...] = field(default=())
    took_s: float = 0.0

    @property
    def windows(self) -> list[dict[str, Any]]:
        """Rows of LEDGER of all windows, in order of time."""
        return sorted([*self.ledger, *self.outside], key=lambda row: row["gps_start"])

    def event(self, row: Mapping[str, Any]) -> Picture:
        """Return the view of an event, by its ``detector`` and ``trigger_time``."""
        return self.album.events[event_name(row["detector"], row["trigger_time"])]


def draw(task: DrawingTask) -> DrawnBlock:
    """Draw a block.

    Raises
    ------
    StrainError
        One of its own files cannot be read, or is not what it was said to be.
    """
    began = time.monotonic()
    looked, faults = _look_into(task)
    files = [one.receipt for one in looked]
    science = _science(task, looked)
    grid = task.grid
    planned = grid.block_windows(science, task.gps_start)
    album = HeldAlbum()
    drawn = draw_block(
        files,
        task.detector,
        task.gps_start,
        planned,
        grid.block_segments(science, task.gps_start),
        grid.context,
        task.parameters,
        task.events,
        album,
    )
    inside = segmentlist([segment(task.gps_start, task.gps_start + BLOCK_S)])
    return DrawnBlock(
        drawn.ledger,
        _not_science(task, planned),
        pa.Table.from_pylist(drawn.measurements, schema=MEASUREMENTS),
        drawn.triggers,
        album,
        int(abs(science & inside)),
        tuple(file.sha256 for file in files),
        tuple(faults),
        time.monotonic() - began,
    )


@dataclass(frozen=True)
class _Looked:
    """A file as it was offered, its receipt, and its seconds with the DATA bit."""

    offered: StrainFile
    receipt: LocalFile
    good: segmentlist


def _look_into(task: DrawingTask) -> tuple[list[_Looked], list[str]]:
    rate = task.parameters.sample_rate
    looked = [_look_at(file, rate) for file in task.own]
    faults = []
    for file in task.around:
        try:
            looked.append(_look_at(file, rate))
        except StrainError as error:
            faults.append(str(error))
    return looked, faults


def _look_at(file: ArrivedFile, sample_rate: int) -> _Looked:
    with open_strain(file.path, channel=file.series, dataset=file.series) as reader:
        found = reader.description
        offered = StrainFile(
            file.detector,
            file.start,
            file.duration,
            found.sample_rate,
            str(file.path),
            rank=file.rank,
        )
        check_content(found, offered)
        check_rate(str(file.path), found.sample_rate, sample_rate)
        good = spans_of(reader.science(file.start, file.end), file.start)
    name = found.dataset_or_channel
    return _Looked(offered, LocalFile.receipt(offered, file.path, found.layout, name), good)


def _science(task: DrawingTask, looked: Sequence[_Looked]) -> segmentlist:
    if task.segments is not None:
        return segmentlist(segment(*span) for span in task.segments)
    good = {one.offered: one.good for one in looked}
    science = segmentlist()
    for file, spans in share([one.offered for one in looked]):
        science.extend(spans & good[file])
    return science.coalesce()


def _not_science(task: DrawingTask, planned: Sequence[int]) -> list[dict[str, Any]]:
    """Return ledger rows of the task's windows that are not wholly inside science segments."""
    covered = np.zeros(BLOCK_S + task.grid.duration, bool)
    for file in (*task.own, *task.around):
        first, last = (max(t - task.gps_start, 0) for t in (file.start, file.end))
        covered[first:last] = True
    known = set(planned)
    rows = []
    for start in task.windows():
        if start in known:
            continue
        inside = covered[start - task.gps_start :][: task.grid.duration]
        missing = int((~inside).sum())
        reason, detail = Reason.DQ, "the window is not wholly science data by its files' DATA bits"
        if missing:
            reason, detail = Reason.GAP, f"no file holds {missing} s of the window"
        rows.append(
            excluded_row(
                task.detector, start, task.grid.duration, task.gps_start,
                reason=reason,
                detail=detail,
            )
        )  # fmt: skip
    return rows
