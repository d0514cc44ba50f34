"""From finished blocks to event records with their receiver: what `scan` and `watch` tell others.

The scan's folder is all that counts: after an interruption the blocks of its record that were not
announced yet are announced first.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gwmorph.scanner.alerts import Origin
from gwmorph.scanner.arrivals import Tell
from gwmorph.scanner.courier import Courier
from gwmorph.scanner.outbox import Outbox
from gwmorph.scanner.receivers import Receiver
from gwmorph.scanner.record import ABOUT, read_record
from gwmorph.scanner.records import origin_of, records_of
from gwmorph.scanner.summary import BlockSummary
from gwmorph.storage import locked
from gwmorph.strain.download import Patience

OUTBOX = "outbox.sqlite"
_LOCK = "outbox.lock"


@contextmanager
def announcing(
    folder: Path,
    receiver: Receiver,
    patience: Patience,
    links: str,
    stop: threading.Event,
    tell: Tell,
) -> Iterator[Callable[[BlockSummary], None]]:
    """Yield what is to be called with each finished block of a scan, to announce it.

    Records are delivered beside the block of ``with``, and at its end as `courier.Courier` says.

    Parameters
    ----------
    folder
        The scan's.
    receiver, patience, tell
        As `courier.Courier` takes them.
    links
        What links in records begin with; ''.
    stop
        Where it is set, the end is short.

    Raises
    ------
    StorageError
        Somebody else delivers from this folder, or it cannot be read or written.
    """
    with ExitStack() as opened:
        announcer = _Announcer(folder, receiver, patience, links, tell, opened)
        # A new folder is the scan's to make, which lets nothing else be in it first.
        if (folder / ABOUT).exists():
            announcer.catch_up()
        yield announcer.announce
        if stop.is_set():
            announcer.hurry()


class _Announcer:
    def __init__(
        self,
        folder: Path,
        receiver: Receiver,
        patience: Patience,
        links: str,
        tell: Tell,
        opened: ExitStack,
    ) -> None:
        self._folder = folder
        self._links = links
        self._opened = opened
        self._outbox = Outbox(folder / OUTBOX)
        self._courier = Courier(self._outbox, receiver, patience, tell)
        self._origin: Origin | None = None

    def catch_up(self) -> None:
        """Announce what an earlier process finished and could not announce."""
        self._begin()
        for summary in read_record(self._folder).values():
            if summary.failed or not self._outbox.has_taken(summary.folder):
                self._take(summary)

    def announce(self, summary: BlockSummary) -> None:
        self._begin()
        self._take(summary)

    def hurry(self) -> None:
        self._courier.hurry()

    def _begin(self) -> None:
        if self._origin is None:
            self._origin = origin_of(self._folder, self._links)
            other = "another process delivers the events of this scan."
            told = f"{self._folder}: {other} Let it end, or scan into another folder."
            self._opened.enter_context(locked(self._folder / _LOCK, told))
            self._opened.enter_context(self._courier)

    def _take(self, summary: BlockSummary) -> None:
        assert self._origin is not None
        # One that failed is scanned again, and may then hold more.
        noted = None if summary.failed else summary.folder
        records = records_of(self._folder, summary, self._origin)
        if self._outbox.take(records, noted):
            self._courier.call()
