"""What a job leaves in its log, and how it ends when something is wrong."""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from gwmorph.errors import GwmorphError
from gwmorph.progress import Account, accounting
from gwmorph.wording import counted

_INTERRUPTED = 130  # as shells report a process that Ctrl-C ended
# How the log of a job that ended well ends, and what the others have.
TOOK = "Took "
INTERRUPTED = "Interrupted."
# Of so many tables the rows are counted: each is opened for it.
_COUNTED_TABLES = 1000
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class _Ended(SystemExit):
    """The process was told to end."""


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise _Ended(128 + number)


class JobLog:
    """Keep a job's warnings and errors in a file; end it with exit code 1 on an error for users.

    A `GwmorphError` is written to the log and, without a traceback, to the terminal. Any other
    exception goes to the log with its traceback and on its way. Warnings go to both. A job that is
    told to end (SIGTERM, Ctrl-C) cleans up and ends without a word on the terminal. The log of one
    that ends well ends with what was read, written and excluded, and how long that took.
    """

    def __init__(
        self, path: Path | str, read: Iterable[str] = (), written: Iterable[str] = ()
    ) -> None:
        """``path`` is the log file; an older one is replaced.

        ``read`` and ``written`` are the job's files and folders.
        """
        self._path = Path(path)
        self._read, self._written = list(map(Path, read)), list(map(Path, written))

    def __enter__(self) -> Self:
        """Open the log."""
        self._start = time.perf_counter()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        form = logging.Formatter("%(levelname)s: %(message)s")
        self._path.write_text("", encoding="utf-8")
        self._handlers: list[logging.Handler] = [
            # To append, as all that writes here does.
            logging.FileHandler(self._path, mode="a", encoding="utf-8"),
            logging.StreamHandler(),
        ]
        for handler in self._handlers:
            handler.setFormatter(form)
            handler.setLevel(logging.WARNING)
            logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)
        self._account = Account(lambda line: self._append(f"{line}\n"))
        self._accounting = accounting(self._account)
        self._accounting.__enter__()
        # By default the process would end where it is, and leave half-written files.
        self._on_term = signal.signal(signal.SIGTERM, _end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what went wrong or what was done, and leave the process after an error."""
        signal.signal(signal.SIGTERM, self._on_term)
        self._accounting.__exit__(None, None, None)
        logging.captureWarnings(False)
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        if isinstance(error, GwmorphError):
            message = f"{type(error).__name__}: {error}\n"
            sys.stderr.write(f"\n{message}\n")
            # On a full disk there is no room for the log either; the terminal has the message.
            with suppress(OSError):
                self._append(message)
            sys.exit(1)
        if isinstance(error, (KeyboardInterrupt, _Ended)):
            self._append(f"{INTERRUPTED}\n")
            sys.exit(_INTERRUPTED)
        if error is not None:
            self._append("".join(traceback.format_exception(kind, error, trace)))
            return
        # The results are whole: a disk that has just become full takes no more than these lines.
        with suppress(OSError):
            self._append(self._ending())

    def _ending(self) -> str:
        """Return what was done and how long it took, a few lines whatever the number of files."""
        lines = [
            f"Read {_described(self._read, inside=False)}",
            f"Wrote {_described(self._written, inside=True)}",
            *(
                f"Excluded {sum(reasons.values()):,} {what} ({_by_reason(reasons)})"
                for what, reasons in self._account.excluded.items()
                if sum(reasons.values())
            ),
        ]
        taken = time.perf_counter() - self._start
        parts = ", ".join(f"{name} {part:.2f} s" for name, part in self._account.parts.items())
        lines.append(f"{TOOK}{taken:.2f} s" + (f": {parts}" if parts else ""))
        return "\n".join(lines) + "\n"

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(text)


def _by_reason(reasons: dict[str, int]) -> str:
    return ", ".join(f"{reason} {number:,}" for reason, number in reasons.items() if number)


def _described(paths: list[Path], *, inside: bool) -> str:
    """Return how many files and folders there are, of what size, and with how many rows.

    What folders hold counts if ``inside`` says so: to look at all pictures of a run takes long.
    """
    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if path.is_file()]
    if inside:
        files += [
            Path(at) / name for top in folders for at, _, names in os.walk(top) for name in names
        ]
    if not files and not folders:
        return "no file"
    counts = [counted(len(files), "file")] * bool(files)
    counts += [counted(len(folders), "folder")] * bool(folders)
    size = [_readable(sum(file.stat().st_size for file in files))] * bool(files)
    return ", ".join([*counts, *size]) + _rows(paths)


def _rows(paths: list[Path]) -> str:
    """Return how many rows the tables have, by their footers."""
    tables = [path for path in paths if path.suffix == ".parquet" and path.is_file()]
    if not tables or len(tables) > _COUNTED_TABLES:
        return f"; {counted(len(tables), 'table')}" if tables else ""
    rows = [number for number in map(_rows_of, tables) if number is not None]
    return f"; {counted(sum(rows), 'row')} in {counted(len(rows), 'table')}"


def _rows_of(table: Path) -> int | None:
    """Return a table's number of rows; None where it is damaged, and nobody wanted to read it."""
    from pyarrow import ArrowException, parquet

    try:
        number: int = parquet.read_metadata(table).num_rows
    except (OSError, ArrowException):
        return None
    return number


def _readable(size: float) -> str:
    """Return a size in bytes to three digits."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} {_UNITS[-1]}"
