"""How a scan ends: what its exit code says, and how it is told to stop."""

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from gwmorph.scanner.summary import BlockSummary

# As `gwmorph scan --help` says; 1 and 2 are those of all commands.
FAILED_CODE, ALARM_CODE = 3, 4


def exit_code(blocks: Iterable[BlockSummary]) -> int:
    """Return 3 if a block FAILED, else 4 if one raised an alarm, else 0."""
    found = list(blocks)
    if any(block.failed for block in found):
        return FAILED_CODE
    return ALARM_CODE if any(block.alarm for block in found) else 0


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
