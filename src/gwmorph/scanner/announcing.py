"""From finished blocks to event records with their receiver: what `scan` and `watch` tell others.

The scan's folder is all that counts: after an interruption the blocks of its record that were not
announced yet are announced first.
"""

import fcntl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gwmorph.errors import StorageError
from gwmorph.scanner.alerts import Origin, event_records
from gwmorph.scanner.arrivals import Tell
from gwmorph.scanner.courier import Courier
from gwmorph.scanner.outbox import Outbox, line_of
from gwmorph.scanner.receivers import Receiver
from gwmorph.scanner.record import ABOUT, TRIGGER_TABLE, WINDOW_TABLE, read_record
from gwmorph.scanner.summary import BlockSummary
from gwmorph.storage import read_json
from gwmorph.strain.download import Patience
from gwmorph.tables.parquet import read_table
from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS

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
            self._opened.enter_context(_locked(self._folder / _LOCK))
            self._opened.enter_context(self._courier)

    def _take(self, summary: BlockSummary) -> None:
        assert self._origin is not None
        # One that failed is scanned again, and may then hold more.
        noted = None if summary.failed else summary.folder
        records = records_of(self._folder, summary, self._origin)
        if self._outbox.take(records, noted):
            self._courier.call()


def origin_of(folder: Path, links: str) -> Origin:
    """Return what the records of a scan have in common, as its folder says.

    Raises
    ------
    StorageError
        The folder does not say it.
    """
    about = read_json(folder / ABOUT)
    try:
        names = ("version", "atlas", "render_id", "encoder_id")
        return Origin(**{name: about[name] for name in names}, links=links)
    except (KeyError, TypeError) as error:
        raise StorageError(
            f"{folder / ABOUT}: does not say by what the scan's blocks are judged ({error}). Scan "
            "scan into another folder."
        ) from error


def records_of(folder: Path, summary: BlockSummary, origin: Origin) -> list[dict[str, object]]:
    """Return the event records of a finished block.

    Raises
    ------
    TableError
        Its tables cannot be read.
    """
    if not summary.novel_windows:
        return []
    here = folder / summary.folder
    windows = read_table(here / WINDOW_TABLE, SCAN_WINDOWS)
    triggers = read_table(here / TRIGGER_TABLE, SCAN_TRIGGERS)
    return event_records(summary.folder, windows, triggers, origin)


def event_lines(folder: Path, blocks: Iterable[BlockSummary], links: str) -> str:
    """Return the event records of a scan's blocks, a line of JSON each, as a receiver gets them.

    Raises
    ------
    StorageError, TableError
        What the folder holds cannot be read.
    """
    origin = origin_of(folder, links)
    found = (one for block in blocks for one in records_of(folder, block, origin))
    return "".join(f"{line_of(record)}\n" for record in found)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        with path.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError as error:
        raise StorageError(
            f"{path.parent}: another process delivers the events of this scan. Let it end, or "
            "scan into another folder."
        ) from error
