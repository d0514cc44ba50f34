"""New strain from file to status: blocks of what arrives, drawn by workers, judged as they come.

Worker processes read and draw blocks, this process encodes and judges them, in the order in which
they were handed out. No more than ``workers`` + ``queue_blocks`` blocks are in memory, whatever
has arrived.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from igwn_segments import segmentlist

from gwmorph.encoders.base import Encoder
from gwmorph.errors import GwmorphError, StrainError
from gwmorph.grid import BLOCK_S
from gwmorph.lineage import lineage
from gwmorph.morphology.atlas import Atlas
from gwmorph.scanner.alarms import alarm_of, full_analysis, write_full_analysis
from gwmorph.scanner.arrivals import ArrivedFile, Tell
from gwmorph.scanner.assembly import Assembly, BlockFiles, BlockKey
from gwmorph.scanner.drawing import DrawingTask, DrawnBlock, draw
from gwmorph.scanner.examination import Examiner, StoppedError
from gwmorph.scanner.feed import Ended, Feed
from gwmorph.scanner.findings import (
    gaps_of,
    nothing_known,
    summary_of,
    too_much_lost,
    with_latency,
)
from gwmorph.scanner.record import Record, opened
from gwmorph.scanner.settings import ScanSettings
from gwmorph.scanner.summary import Alarm, BlockSummary
from gwmorph.scanner.workers import Workers
from gwmorph.tables.parquet import SCHEMA_VERSION

_PATIENCE_S = 0.1
_IDS = ("atlas", "render_id", "encoder_id")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scan:
    """What a scan is made with.

    Attributes
    ----------
    atlas : what new data are judged by.
    make_encoder : makes the encoder that the atlas's vectors are from. It is called while the
        workers begin.
    settings : everything that is configured.
    configuration : all keys that they come from, for the analysis that an alarm proposes.
    segments : science segments of each detector, where they are known; else files tell them.
    tell : is given a sentence on what is passed over.
    """

    atlas: Atlas
    make_encoder: Callable[[], Encoder]
    settings: ScanSettings
    configuration: Mapping[str, Any]
    segments: Mapping[str, segmentlist] | None = None
    tell: Tell = _log.warning


def scan(
    source: Iterator[ArrivedFile | None], how: Scan, folder: Path, stop: threading.Event
) -> Iterator[BlockSummary]:
    """Scan what a source gives, and yield the summary of each block once it is on the disk.

    Blocks that the folder's record holds are not scanned again, but for those that failed. It ends
    with the source, or soon after ``stop`` is set: what is under way is then given up, and
    scanned whole another time.

    Raises
    ------
    CalibrationError
        The atlas is not for this rendering or encoder, or the folder's blocks were judged by
        another.
    StorageError
        The folder cannot be written, or another scan is at work in it.
    StrainError
        The source ended, and all of its strain holds no window of the grid.
    GwmorphError
        Whatever the source or the encoder raises.
    """
    said = about(how)
    with (
        opened(folder, said) as record,
        closing(Workers(how.settings.workers, draw)) as workers,
        closing(Feed(source)) as feed,
    ):
        yield from _Scanner(how, said, record, workers, feed, stop).blocks()


def about(how: Scan) -> dict[str, Any]:
    """Return what a scan's folder says of how its blocks are judged."""
    return {
        "version": version("gwmorph"),
        "schema_version": SCHEMA_VERSION,
        "atlas": how.atlas.identity,
        "render_id": how.settings.rendering.render_id,
        "encoder_id": how.atlas.about.encoder_id,
    }


@dataclass(frozen=True)
class _Handed:
    """A block that was handed out, and what will come of it."""

    files: BlockFiles
    task: DrawingTask
    drawn: "Future[DrawnBlock]"


class _Scanner:
    def __init__(
        self,
        how: Scan,
        said: Mapping[str, Any],
        record: Record,
        workers: "Workers[DrawingTask, DrawnBlock]",
        feed: Feed,
        stop: threading.Event,
    ) -> None:
        self._how, self._said, self._record, self._workers = how, said, record, workers
        self._feed, self._stop = feed, stop
        finished = {
            key: {Path(path).name for path in block.files}
            for key, block in record.blocks.items()
            if record.is_finished(key)
        }
        settings = how.settings
        self._assembly = Assembly(
            settings.grid, settings.max_wait_s, settings.pieces_wait_s, finished, self._late
        )
        self._under_way: deque[_Handed] = deque()
        self._ended = False
        self._without_window = 0

    def blocks(self) -> Iterator[BlockSummary]:
        how = self._how
        examiner = Examiner(how.atlas, how.make_encoder(), how.settings, self._stop)
        found = 0
        while not self._stop.is_set():
            self._take_files(0 if self._under_way else _PATIENCE_S)
            self._hand_out()
            if not self._under_way:
                if self._ended:
                    break
                continue
            first = self._under_way[0]
            if not wait([first.drawn], _PATIENCE_S).done:
                continue
            try:
                summary = self._finish(first, examiner)
            except StoppedError:
                return
            if summary.failed:
                self._assembly.fail(first.files)
            yield summary
            self._under_way.popleft()
            found += 1
        if self._ended and not found and self._without_window:
            grid = how.settings.grid
            raise StrainError(
                f"nothing was scanned: {self._without_window} blocks with strain hold no window "
                f"of {grid.duration} s from a multiple of {grid.stride} s on. Name longer files; "
                "to look at a short one: gwmorph show FILE --gps TIME"
            )

    def _late(self, file: ArrivedFile, block: BlockKey) -> None:
        """Say, and note, that a file was not there when its block was scanned."""
        detector, start = block
        self._record.note_late(file, start)
        self._how.tell(
            f"{file.path}: comes too late for block {start} of {detector}, which was scanned "
            "without it. To have it, scan the block's files into another folder."
        )

    def _take_files(self, timeout_s: float) -> None:
        """Take all files that are there, and wait for a first one."""
        while not self._ended:
            file = self._feed.next(timeout_s)
            if file is None:
                return
            if isinstance(file, Ended):
                self._ended = True
                return
            self._assembly.add(file, time.monotonic())
            timeout_s = 0

    def _hand_out(self) -> None:
        """Let blocks be drawn, as many as may be under way."""
        settings = self._how.settings
        while len(self._under_way) < settings.workers + settings.queue_blocks:
            files = self._assembly.next(time.monotonic(), ended=self._ended)
            if files is None:
                return
            task = self._task(files)
            if not task.windows():
                self._without_window += 1
                self._how.tell(
                    f"{files.detector} block {files.gps_start}: its strain holds no window of the "
                    "grid."
                )
                continue
            self._under_way.append(_Handed(files, task, self._begin(task)))

    def _begin(self, task: DrawingTask) -> "Future[DrawnBlock]":
        known = self._how.atlas.about.detectors
        if task.detector in known:
            return self._workers.submit(task)
        refused: Future[DrawnBlock] = Future()
        refused.set_exception(
            StrainError(
                f"{task.own[0].path}: is of {task.detector}, expected one of the atlas's "
                f"detectors, {', '.join(known)}. Scan it with an atlas of its own."
            )
        )
        return refused

    def _task(self, files: BlockFiles) -> DrawingTask:
        settings, segments = self._how.settings, self._how.segments
        known = None
        if segments is not None:
            own = segments.get(files.detector, segmentlist())
            near = settings.grid.block_segments(own, files.gps_start)
            known = tuple((int(start), int(end)) for start, end in near)
        return DrawingTask(
            files.detector,
            files.gps_start,
            tuple(held.file for held in files.own),
            tuple(held.file for held in files.around),
            known,
            settings.grid,
            settings.rendering,
            settings.events,
        )

    def _finish(self, handed: _Handed, examiner: Examiner) -> BlockSummary:
        """Judge a block that was drawn, or failed to be, and bring what is found to the disk."""
        task = handed.task
        drawn: DrawnBlock | None = None
        try:
            drawn = handed.drawn.result()
            found = examiner.examine(task.detector, drawn)
            why = too_much_lost(drawn, self._how.settings.max_excluded_fraction)
        except GwmorphError as error:
            why = f"{type(error).__name__}: {error}"
            found = nothing_known(task, why)
        windows, triggers = with_latency(found, handed.files, task.grid)
        gaps = gaps_of(handed.files, self._record.blocks.values())
        summary = summary_of(task, drawn, windows, triggers, gaps, why)
        alarm = self._alarm(summary)
        if alarm is not None:
            summary = replace(summary, alarm=alarm)
        hashes = () if drawn is None else drawn.hashes
        self._record.finish(summary, windows, triggers, found.pictures, self._metadata(hashes))
        return summary

    def _metadata(self, hashes: tuple[str, ...]) -> dict[str, str]:
        kept = asdict(self._how.settings)
        for name in (
            "max_wait_s",
            "pieces_wait_s",
            "novel_alarm",
            "alarm_hours",
            "workers",
            "queue_blocks",
        ):
            del kept[name]
        return {
            **lineage(kept, hashes),
            **{f"gwmorph.{name}": self._said[name] for name in _IDS},
        }

    def _alarm(self, block: BlockSummary) -> Alarm | None:
        how, settings = self._how, self._how.settings
        earlier = list(self._record.blocks.values())
        alarm = alarm_of(
            block, earlier, settings.novel_alarm, settings.alarm_hours, self._record.folder
        )
        if alarm is None:
            return None
        files = [
            str(Path(path).resolve())
            for one in [*earlier, block]
            if one.detector == block.detector
            and alarm.gps_start - BLOCK_S <= one.gps_start <= alarm.gps_end
            for path in one.files
        ]
        raw = full_analysis(
            alarm, block.detector, files, how.atlas.folder.resolve(), how.configuration
        )
        write_full_analysis(self._record.folder / alarm.config, alarm, raw)
        return alarm
