"""How far a job is, how long its parts took and what it left out: for people, in its log.

The library says so where it works; outside of a job nobody listens and nothing happens. Nothing
here changes a result.
"""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

# Set by the workflow where one job runs at a time: bars of several, and Snakemake's own lines
# between them, cannot be read.
BAR = "GWMORPH_BAR"
_EVERY_S = 30.0
# 64 of 128 windows, 31 s, about 31 s left
_LINE = re.compile(r"[\d,]+ .+, (?P<taken>\d+) s(, about (?P<left>\d+) s left)?")
T = TypeVar("T")


@dataclass(frozen=True)
class Account:
    """What a job tells while it works.

    Attributes
    ----------
    tell : takes a line for the log.
    parts : seconds by the name of a part, in the order in which they first began.
    excluded : by what, how many were left out for which reason.
    """

    tell: Callable[[str], None]
    parts: dict[str, float] = field(default_factory=dict)
    excluded: dict[str, Counter[str]] = field(default_factory=dict)


_account: ContextVar[Account | None] = ContextVar("account", default=None)


@contextmanager
def accounting(account: Account) -> Iterator[None]:
    """Let ``account`` hear what the work inside this block says."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)


@contextmanager
def timed(part: str) -> Iterator[None]:
    """Count the time that the block takes to a part of the job; parts do not overlap."""
    account, start = _account.get(), time.perf_counter()
    try:
        yield
    finally:
        if account is not None:
            taken = time.perf_counter() - start
            account.parts[part] = account.parts.get(part, 0.0) + taken


def left_out(what: str, reasons: Mapping[str, int]) -> None:
    """Say how many ``what`` (a plural) were left out for each reason."""
    account = _account.get()
    if account is not None:
        account.excluded.setdefault(what, Counter()).update(reasons)


def each(items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    """Yield ``items`` and say how many are done, as `counting` does."""
    with counting(what, total) as progress:
        for item in items:
            yield item
            progress.add(1)


@dataclass(frozen=True)
class Told:
    """What a line of a log says: how long the work had taken then, and how long it would, in s."""

    taken_s: float
    left_s: float | None


def told_by(line: str) -> Told | None:
    """Return what a line that `Progress` wrote says; None if it is another."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    left = found["left"]
    return Told(float(found["taken"]), None if left is None else float(left))


class Progress:
    """How many are done, on a bar and in the log; made by `counting`."""

    def __init__(self, what: str, total: int | None, clock: Callable[[], float]) -> None:
        """See `counting`."""
        self._what, self._total, self._clock = what, total, clock
        self._count = 0
        self._start = self._told = clock()
        self._bar = _bar(what, total)

    def add(self, more: int) -> None:
        """So many more are done."""
        self.reach(self._count + more)

    def reach(self, count: int) -> None:
        """So many are done."""
        if self._bar is not None:
            self._bar(count - self._count)
        self._count = count
        account, now = _account.get(), self._clock()
        if account is not None and now - self._told >= _EVERY_S:
            self._told = now
            account.tell(self._line(now - self._start))

    def _line(self, taken_s: float) -> str:
        if self._total is None:
            return f"{self._count:,} {self._what}, {taken_s:.0f} s"
        left = ""
        if self._count:
            left = f", about {taken_s * (self._total / self._count - 1):.0f} s left"
        return f"{self._count:,} of {self._total:,} {self._what}, {taken_s:.0f} s{left}"

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar(None)


@contextmanager
def counting(
    what: str, total: int | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Progress]:
    """Yield what is told how many ``what`` (a plural) of ``total``, if that is known, are done.

    In a terminal that no other job writes to (the environment has ``GWMORPH_BAR``) that is a bar,
    which goes when the work is done. A job's log has a line every half minute, so that one that
    takes less has none.
    """
    progress = Progress(what, total, clock)
    try:
        yield progress
    finally:
        progress.close()


def _bar(what: str, total: int | None) -> Callable[[int | None], object] | None:
    """Return what moves a bar on, and takes it away when given None; None without a terminal."""
    if not (os.environ.get(BAR) and sys.stderr.isatty()):
        return None
    from tqdm import tqdm

    bar = tqdm(total=total, desc=what, mininterval=1, leave=False, dynamic_ncols=True)
    return lambda more: bar.close() if more is None else bar.update(more)
