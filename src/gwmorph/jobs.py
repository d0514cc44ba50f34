"""The jobs of a call of the workflow, kept beside their logs for who asks how far it is.

The workflow writes them before its first job, and holds the file until it ends, however that
happens: the system lets go of what a killed process held.
"""

import fcntl
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

from gwmorph.errors import StorageError
from gwmorph.rebuilding import STRICT, rebuilt
from gwmorph.storage import read_json, write_json

JOBS = "logs/jobs.json"


@dataclass(frozen=True)
class Job:
    """One job: its rule, what it says that it does, its log, its times, and its threads.

    Paths begin at the run's folder. Snakemake writes ``benchmark`` when the job has ended well.
    """

    __pydantic_config__ = STRICT

    rule: str
    message: str
    log: str
    benchmark: str
    threads: int


@dataclass(frozen=True)
class Call:
    """One call of the workflow.

    Attributes
    ----------
    jobs : all that it is to do, in no order.
    targets : what was asked for.
    at_once : cores of this machine, or jobs on others, that it may use at once; 0 for no limit.
    in_cores : whether ``at_once`` counts cores.
    logs : files in which Snakemake writes of it.
    began_ns : nanoseconds since 1970. A run that was copied has other times on its files.
    """

    __pydantic_config__ = STRICT

    jobs: tuple[Job, ...]
    targets: tuple[str, ...]
    at_once: int
    in_cores: bool
    logs: tuple[str, ...]
    began_ns: int

    def share(self, job: Job) -> float:
        """Return which part of ``at_once`` a job takes."""
        if self.at_once <= 0:
            return 0.0
        return min(job.threads, self.at_once) / self.at_once if self.in_cores else 1 / self.at_once

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Rebuild a call.

        Raises
        ------
        ValueError
            Fields are missing, unknown or of another type.
        """
        return rebuilt(cls, content)


def keep_call(run: Path, call: Call) -> IO[bytes]:
    """Write down a call in ``run``; it is under way until the file that this returns is closed.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    path = run / JOBS
    write_json(path, asdict(call))
    held = path.open("rb")
    # Shared with nobody but who looks for a moment whether it is held.
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def read_call(run: Path) -> Call:
    """Return the last call of the workflow for a run.

    Raises
    ------
    StorageError
        There is none, or another version wrote it.
    """
    path = run / JOBS
    if not path.is_file():
        raise StorageError(
            f"{path}: no such file, so nothing is known of a call of snakemake for {run}. "
            "Name the folder of a run, results/NAME, and start snakemake first."
        )
    try:
        return Call.from_json(read_json(path))
    except ValueError as error:
        raise StorageError(
            f"{path}: was written by another version ({error}). Remove it; the next call of "
            "snakemake writes it anew."
        ) from error


def is_under_way(run: Path) -> bool:
    """Return whether the process that `keep_call` was called in goes on."""
    with (run / JOBS).open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
