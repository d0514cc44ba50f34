"""Processes that work on one task each, whose death is noticed and costs that task alone.

Each is fed through a pipe of its own by a thread that waits for it. A pool of the standard library
gives up every task when one of its processes dies.
"""

import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

from threadpoolctl import threadpool_limits

from gwmorph.errors import GwmorphError

Task = TypeVar("Task")
Result = TypeVar("Result")
# Neither threads nor locks of this process reach a process that begins anew.
_CONTEXT = multiprocessing.get_context("spawn")
_ENDING_S = 5.0


class WorkerError(GwmorphError):
    """A worker process died over its task."""


class Workers(Generic[Task, Result]):
    """Processes that do ``work``, a function of a module, on one task after the other.

    They begin at once, so that what they import is there when the first task comes.
    """

    def __init__(self, count: int, work: Callable[[Task], Result]) -> None:
        """Start ``count`` processes."""
        self._work = work
        self._closing = threading.Event()
        self._idle: queue.SimpleQueue[_Worker[Task, Result]] = queue.SimpleQueue()
        self._all: list[_Worker[Task, Result]] = []
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        for _ in range(count):
            self._start()

    def submit(self, task: Task) -> "Future[Result]":
        """Have a task worked on; the future raises what the work raised of `GwmorphError`.

        Or `WorkerError`, where the process died: out of memory, killed, or by a fault of the
        program, whose traceback is then on standard error.
        """
        return self._threads.submit(self._run, task)

    def close(self) -> None:
        """End the processes, whatever they are at."""
        # First what has not begun: its thread would wait for a worker when there are no more.
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._closing.set()
        for worker in [*self._all]:
            worker.end()
        self._threads.shutdown()
        for worker in self._all:  # one that took a dead one's place meanwhile
            worker.end()

    @property
    def processes(self) -> list[int]:
        """The processes' ids."""
        return [worker.process.pid or 0 for worker in self._all]

    def _start(self) -> None:
        worker = _Worker(self._work)
        self._all.append(worker)
        self._idle.put(worker)

    def _run(self, task: Task) -> Result:
        worker = self._idle.get()
        try:
            result = worker.run(task)
        except WorkerError:
            worker.end()
            self._all.remove(worker)
            if not self._closing.is_set():
                self._start()
            raise
        except GwmorphError:
            self._idle.put(worker)
            raise
        self._idle.put(worker)
        return result


class _Worker(Generic[Task, Result]):
    def __init__(self, work: Callable[[Task], Result]) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()

    def run(self, task: Task) -> Result:
        try:
            self._pipe.send(task)
            wait([self._pipe, self.process.sentinel])
            # What it sent before it died is still there.
            failed, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.process.join(_ENDING_S)
            code = self.process.exitcode
            raise WorkerError(
                f"the worker process died over it ({_ended(code)}). If memory was short, set "
                "scan.workers lower; the other blocks are not touched."
            ) from error
        if failed:
            raise answer
        return answer

    def end(self) -> None:
        self.process.terminate()
        self.process.join(_ENDING_S)
        if self.process.is_alive():
            self.process.kill()


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"exit code {code}"


def _serve(pipe: Connection, work: Callable[[Task], Result]) -> None:
    """Work until the other end of the pipe is closed, as it is when that process ends."""
    # The terminal sends Ctrl-C to all processes of a command; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with threadpool_limits(limits=1):
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            try:
                result = work(task)
            except GwmorphError as error:
                pipe.send((True, error))
            else:
                pipe.send((False, result))
