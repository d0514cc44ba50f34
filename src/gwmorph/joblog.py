"""What a job leaves in its log, and how it ends when something is wrong."""

import logging
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from gwmorph.errors import GwmorphError

_INTERRUPTED = 130  # as shells report a process that Ctrl-C ended


class _Ended(SystemExit):
    """The process was told to end."""


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise _Ended(128 + number)


class JobLog:
    """Keep a job's warnings and errors in a file; end it with exit code 1 on an error for users.

    A `GwmorphError` is written to the log and, without a traceback, to the terminal. Any other
    exception goes to the log with its traceback and on its way. Warnings go to both. A job that is
    told to end (SIGTERM, Ctrl-C) cleans up and ends without a word on the terminal.
    """

    def __init__(self, path: Path | str) -> None:
        """``path`` is the log file; an older one is replaced."""
        self._path = Path(path)

    def __enter__(self) -> Self:
        """Open the log."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        form = logging.Formatter("%(levelname)s: %(message)s")
        self._handlers: list[logging.Handler] = [
            logging.FileHandler(self._path, mode="w", encoding="utf-8"),
            logging.StreamHandler(),
        ]
        for handler in self._handlers:
            handler.setFormatter(form)
            handler.setLevel(logging.WARNING)
            logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)
        # By default the process would end where it is, and leave half-written files.
        self._on_term = signal.signal(signal.SIGTERM, _end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what went wrong, close the log, and leave the process where that was an error."""
        signal.signal(signal.SIGTERM, self._on_term)
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
            self._append("Interrupted.\n")
            sys.exit(_INTERRUPTED)
        if error is not None:
            self._append("".join(traceback.format_exception(kind, error, trace)))

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(text)
