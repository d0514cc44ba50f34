"""What befalls a job of a rule: Python imports this as the job begins.

It stands in ``PYTHONPATH`` of the workflow that `faults.py` starts, and does nothing in a process
that is no rule's script. ``GWMORPH_FAULT`` says what is to happen, ``GWMORPH_FAULT_STATE`` names a
folder where it is written down that it did. "record" harms nothing, and writes down what each job
reads and makes, with the script that Snakemake made for it.
"""

import atexit
import json
import os
import re
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_SCRIPT = re.compile(r"tmp\w+\.(\w+)\.py")
_NOBODY = 65534
_WRITING = os.O_WRONLY | os.O_RDWR
_RESULTS = ("results/", "cache/")
_LOGS = ("/logs/", "/benchmarks/")


def _inside(path: Any) -> str | None:
    """Return a path from the project on, if it is a result or in the cache, and no log."""
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    inside = os.path.relpath(os.fsdecode(path))
    wanted = inside.startswith(_RESULTS) and not any(part in f"/{inside}" for part in _LOGS)
    return inside if wanted else None


class _Record:
    """Write down what a job reads and makes."""

    def __init__(self, script: Path, state: Path) -> None:
        self.state = state
        self.opened: set[str] = set()
        self.kept = state / f"{len(list(state.iterdir())):03d}-{script.name}"
        shutil.copyfile(script, self.kept)
        sys.addaudithook(self.hear)
        atexit.register(self.end)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
            path = _inside(arguments[0])
            if path is not None:
                self.opened.add(path)

    def end(self) -> None:
        job = sys.modules["__main__"].snakemake  # type: ignore[attr-defined]
        told = {
            "rule": job.rule,
            "script": self.kept.name,
            "input": list(map(str, job.input)),
            "output": list(map(str, job.output)),
            "opened": sorted(self.opened),
            "threads": {k: v for k, v in os.environ.items() if k.endswith("_NUM_THREADS")},
        }
        self.kept.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")


class _Fault:
    """Strike once, when the moment has come."""

    def __init__(self, fault: str, state: Path) -> None:
        self.fault, self.state = fault, state
        self.busy = self.done = self.renamed = False
        if fault == "kill: start":
            self._strike()
        sys.addaudithook(self.hear)
        atexit.register(self.end)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at what is written."""
        if self.busy or self.done or event not in ("open", "os.rename"):
            return
        self.busy = True
        try:
            if self._has_come(event, arguments):
                self._strike()
        finally:
            self.busy = False

    def _has_come(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if self.renamed:
            return True
        if event == "os.rename":
            lands = _inside(arguments[1]) is not None
            self.renamed = lands and self.fault == "kill all: after a rename"
            return lands and self.fault == "kill all: before a rename"
        flags = arguments[2]
        writes = isinstance(flags, int) and flags & _WRITING
        early = self.fault in ("disk full", "no permission")
        return bool(early and writes and _inside(arguments[0]))

    def _strike(self) -> None:
        self.done = True
        (self.state / "struck").write_text(self.fault, encoding="utf-8")
        if self.fault.startswith("kill all"):
            os.killpg(0, signal.SIGKILL)
        elif self.fault.startswith("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.fault == "disk full":
            fill(Path("ballast"))
        else:
            os.setegid(_NOBODY)
            os.seteuid(_NOBODY)

    def end(self) -> None:
        """Strike as the job ends where nothing followed; free the disk."""
        if self.renamed and not self.done:
            self._strike()
        if self.done and self.fault == "disk full":
            Path("ballast").unlink(missing_ok=True)


def fill(ballast: Path) -> None:
    """Leave no byte of the disk free."""
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    stream.write(bytes(size))


def _begin() -> None:
    fault, state = os.environ.get("GWMORPH_FAULT"), os.environ.get("GWMORPH_FAULT_STATE")
    script = Path(sys.orig_argv[-1]) if sys.orig_argv else Path()
    if not fault or not state or not _SCRIPT.fullmatch(script.name) or not script.is_file():
        return
    if fault == "record":
        _Record(script, Path(state))
    else:
        _Fault(fault, Path(state))


_begin()
