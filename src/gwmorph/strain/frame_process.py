"""Questions to LALFrame about a frame file, answered by another process.

LALFrame crashes on some files, goes on for ever, or takes all memory. Checksums show what a disk
altered; they are right around what a program wrote wrongly, and older files have none. The one
process answers for all files, and another begins where it ended.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwmorph.strain import frame_contents

# A channel of 4096 s takes two seconds.
_HANG_S = 120
NO_SUCH_CHANNEL = "Wrong name"  # LALFrame's words; of damage it says "I/O error"
_lock = threading.Lock()
# By the process that began it: one that was forked from that begins its own.
_begun: dict[int, "subprocess.Popen[str]"] = {}


@dataclass(frozen=True)
class Contents:
    """Names of channels, and of each frame the GPS start and the duration in s."""

    channels: list[str]
    starts: list[float]
    durations: list[float]


@dataclass(frozen=True)
class Channel:
    """Number of samples in a frame, and the type of its vector (LIGO-T970130, FrVect)."""

    samples: int
    kind: int


def contents(link: Path) -> Contents:
    """Return what a frame file holds whose name LALFrame takes as it is.

    Raises
    ------
    ValueError
        LALFrame refuses the file, crashes on it, or does not come to an end.
    """
    return Contents(**_asked(link, None, 0))


def channel_of(link: Path, name: str, frame: int = 0) -> Channel:
    """Return what a frame, counted from 0, says of a channel.

    Raises
    ------
    ValueError
        As `contents`; ``NO_SUCH_CHANNEL`` where the frame has none of that name.
    """
    return Channel(**_asked(link, name, frame))


def _asked(link: Path, name: str | None, frame: int) -> dict[str, Any]:
    with _lock:
        process = _process()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, which its answer shows
            process.stdin.write(json.dumps([str(link), name, frame]) + "\n")
            process.stdin.flush()
        answered, _, _ = select.select([process.stdout], [], [], _HANG_S)
        line = process.stdout.readline() if answered else ""
        if not line:
            raise ValueError(_end(process, hung=not answered))
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer


def _end(process: "subprocess.Popen[str]", hung: bool) -> str:
    if hung:
        process.kill()
    status = process.wait()
    if hung:
        return f"LALFrame was not done with it after {_HANG_S} s"
    return f"LALFrame ended by {signal.Signals(-status).name if status < 0 else status}"


def _process() -> "subprocess.Popen[str]":
    process = _begun.get(os.getpid())
    if process is None or process.poll() is not None:
        process = _begun[os.getpid()] = subprocess.Popen(
            [sys.executable, frame_contents.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        atexit.register(process.kill)
    return process
