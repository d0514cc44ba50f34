"""Carries what waits in the outbox to its receiver, beside the scan, for as long as it takes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from gwmorph.errors import DownloadError, StorageError
from gwmorph.scanner.arrivals import Tell
from gwmorph.scanner.outbox import Outbox
from gwmorph.scanner.receivers import Receiver
from gwmorph.strain.download import Patience, TryFailedError
from gwmorph.wording import counted


@dataclass(frozen=True)
class Round:
    """How one round went: records delivered, whether all were, and the wait asked for, in s."""

    delivered: int
    done: bool
    fault: str = ""
    retry_after_s: float | None = None


def deliver_waiting(outbox: Outbox, receiver: Receiver) -> Round:
    """Deliver what waits, in order; stop where nobody is there, pass over what is refused.

    A record that is refused stays in the outbox: it may be the receiver that is at fault.
    """
    delivered, fault = 0, ""
    for message in outbox.waiting():
        try:
            receiver.deliver(message)
        except TryFailedError as error:
            return Round(delivered, False, str(error), error.retry_after_s)
        except DownloadError as error:
            fault = f"{message.event_id}: {error}"
            continue
        except StorageError as error:
            return Round(delivered, False, str(error))
        outbox.mark_delivered(message.event_id)
        delivered += 1
    return Round(delivered, not fault, fault)


class Courier:
    """A thread that delivers while its ``with`` block lasts.

    Parameters
    ----------
    outbox, receiver
        From where, and to whom.
    patience
        The wait after a failed round, which doubles up to ``longest_wait_s``; ``attempts`` is how
        many rounds are made at the end of the block, until one delivers all.
    tell
        Is given a sentence where deliveries begin to fail, where they go through again, and on
        what is left at the end.
    """

    def __init__(self, outbox: Outbox, receiver: Receiver, patience: Patience, tell: Tell) -> None:
        """Keep what is needed; nothing is delivered yet."""
        self._outbox = outbox
        self._receiver = receiver
        self._patience = patience
        self._tell = tell
        self._called = threading.Event()
        self._closing = threading.Event()
        self._hurried = threading.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="courier")
        self._failing = False

    def __enter__(self) -> Self:
        """Begin, with what an earlier process left."""
        self._called.set()
        self._work = self._threads.submit(self._deliver)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Deliver what is left, or leave it in the outbox for the next time."""
        if kind is not None:
            self.hurry()
        self._closing.set()
        self._called.set()
        self._threads.shutdown()
        self._work.result()

    def call(self) -> None:
        """Say that something new waits.

        Raises
        ------
        StorageError
            The outbox could not be used: nothing is delivered any more.
        """
        if self._work.done():
            self._work.result()
        self._called.set()

    def hurry(self) -> None:
        """Make the end of the block short, one round without a wait: the process is to end."""
        self._hurried.set()

    def _deliver(self) -> None:
        failures, last = 0, Round(0, True)
        while not self._closing.is_set():
            if last.done:
                self._called.wait()
            else:
                self._closing.wait(self._patience.wait_s(failures, last.retry_after_s))
            self._called.clear()
            last = self._round()
            failures = 0 if last.done else failures + 1
        self._deliver_last()

    def _deliver_last(self) -> None:
        for failures in range(1, self._patience.attempts + 1):
            last = self._round()
            if last.done:
                return
            if failures < self._patience.attempts:
                self._hurried.wait(self._patience.wait_s(failures, last.retry_after_s))
            if self._hurried.is_set():
                break
        left = counted(self._outbox.counts().waiting, "event record")
        self._tell(f"{left} could not be delivered: kept in the outbox for the next time.")

    def _round(self) -> Round:
        done = deliver_waiting(self._outbox, self._receiver)
        if done.fault and not self._failing:
            self._tell(
                f"An event record could not be delivered, it is kept and tried again: {done.fault}"
            )
        if self._failing and done.done:
            self._tell("Event records are delivered again.")
        self._failing = not done.done
        return done
