"""When a run was made, by the marks that its jobs left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gwmorph.batch.benchmarks import read_job
from gwmorph.errors import StorageError


@dataclass(frozen=True)
class Span:
    """First and last second of a run's jobs, UTC in ISO 8601."""

    start: str
    end: str


def span_of_jobs(benchmarks: Path, apart: Iterable[str] = ()) -> Span:
    """Return when the jobs began and ended that left files in the folder ``benchmarks``.

    Snakemake writes such a file as a job ends and the job's seconds into it. No clock is looked
    at: a record that is made again says the same. Files that begin with one of ``apart`` do not
    count.

    Raises
    ------
    StorageError
        There is no such file, or one is none of a job.
    """
    skipped = tuple(apart)
    files = [
        path
        for path in sorted(benchmarks.rglob("*.tsv"))
        if not path.relative_to(benchmarks).as_posix().startswith(skipped)
    ]
    if not files:
        raise StorageError(
            f"{benchmarks}: holds no times of jobs, so nobody can say when the run was made. "
            "Run snakemake with --forceall, or put the folder back."
        )
    ends = [(path.stat().st_mtime, read_job(path).wall_s) for path in files]
    return Span(_iso(min(end - took for end, took in ends)), _iso(max(end for end, _ in ends)))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
