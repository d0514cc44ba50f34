"""A source of files, read ahead by a thread: who waits for a file holds up nobody else."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from gwmorph.scanner.arrivals import ArrivedFile

_AHEAD = 64
_PATIENCE_S = 0.2


class Ended(Enum):
    """What `Feed.next` gives when a source has no more files."""

    ENDED = "ended"


class Feed:
    """Files of a source as they come; at most 64 of them wait here.

    The thread ends with the source, or, after `close`, when the source next gives something.
    """

    def __init__(self, source: Iterator[ArrivedFile | None]) -> None:
        """Begin to read."""
        self._source = source
        self._queue: queue.Queue[ArrivedFile] = queue.Queue(_AHEAD)
        self._closed = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._reading = self._thread.submit(self._read)

    def next(self, timeout_s: float) -> ArrivedFile | Ended | None:
        """Return the next file, None if none comes in time, or ``ENDED`` when there are no more.

        What the source raised is raised here.
        """
        # Asked before the queue is: what the source gave before it ended is in there.
        over = self._reading.done()
        try:
            return self._queue.get(timeout=timeout_s) if not over else self._queue.get_nowait()
        except queue.Empty:
            if not over:
                return None
        self._reading.result()
        return Ended.ENDED

    def close(self) -> None:
        """Read no further."""
        self._closed.set()
        self._thread.shutdown(wait=False)

    def _read(self) -> None:
        for file in self._source:
            if self._closed.is_set():
                return
            if file is not None:
                self._put(file)

    def _put(self, file: ArrivedFile) -> None:
        """Wait until there is room, or nobody reads any more."""
        while not self._closed.is_set():
            try:
                self._queue.put(file, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return
