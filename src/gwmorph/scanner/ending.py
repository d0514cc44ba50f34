"""How a scan ends: what it says of all blocks, its exit code, and how it is told to stop."""

import signal
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from gwmorph.errors import ScanError
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.summary import BlockSummary
from gwmorph.tables.scan import FAILED_BLOCK

# As `gwmorph scan --help` says; 1 and 2 are those of all commands.
FAILED_CODE, ALARM_CODE = 3, 4


def exit_code(blocks: Iterable[BlockSummary]) -> int:
    """Return 3 if a block FAILED, else 4 if one raised an alarm, else 0."""
    found = last_of_each(blocks)
    if any(block.failed for block in found):
        return FAILED_CODE
    return ALARM_CODE if any(block.alarm for block in found) else 0


def blocks_of(
    blocks: Iterable[BlockSummary], files: Collection[ArrivedFile]
) -> list[BlockSummary]:
    """Return the blocks that hold strain of some files."""
    return [
        block
        for block in blocks
        if any(
            file.detector == block.detector
            and file.start < block.gps_end
            and file.end > block.gps_start
            for file in files
        )
    ]


def last_of_each(blocks: Iterable[BlockSummary]) -> list[BlockSummary]:
    """Return what was said last of each block: one that failed may have been scanned again."""
    return list({block.folder: block for block in blocks}.values())


def summary_of_blocks(blocks: Iterable[BlockSummary]) -> dict[str, Any]:
    """Return what a scan says of all its blocks together, and of each, as JSON can hold it."""
    found = last_of_each(blocks)
    counts = {
        name: dict(sum((Counter(getattr(block, name)) for block in found), Counter()))
        for name in ("windows", "excluded", "events")
    }
    return {
        "blocks_done": sum(not block.failed for block in found),
        "blocks_failed": sum(block.failed for block in found),
        "alarms": [block.alarm.text for block in found if block.alarm],
        "livetime_s": sum(block.livetime_s for block in found),
        **counts,
        "blocks": [block.to_json() for block in found],
    }


def require_sound(summary: Mapping[str, Any], on_alarm: str) -> None:
    """Check what `summary_of_blocks` says; ``on_alarm`` is ``report`` or ``fail``.

    Raises
    ------
    ScanError
        A block FAILED, or there is an alarm and that is to fail; the error says which and why.
    """
    lines = [
        f"{block['folder']}: FAILED. {block['why']}"
        for block in summary["blocks"]
        if block["status"] == FAILED_BLOCK
    ]
    if on_alarm == "fail":
        lines += summary["alarms"]
    if lines:
        raise ScanError(
            "\n  ".join(["all tables are in place, but:", *lines])
            + "\nCorrect what is wrong"
            + (", or let alarms pass: scan.on_alarm: report." if on_alarm == "fail" else ".")
        )


@dataclass(frozen=True)
class Stop:
    """Whether a signal asks for the end, and which: ``code`` is 0, or 128 and its number."""

    event: threading.Event = field(default_factory=threading.Event)
    _signals: list[int] = field(default_factory=list)

    @property
    def code(self) -> int:
        """What the process is to exit with, if a signal came."""
        return 128 + self._signals[0] if self._signals else 0

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)
        self.event.set()
        for one in (signal.SIGTERM, signal.SIGINT):  # if somebody is in a hurry
            signal.signal(one, signal.SIG_DFL)


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Let SIGTERM and Ctrl-C, once, ask for a clean end."""
    stop = Stop()
    before = {one: signal.signal(one, stop._hear) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
