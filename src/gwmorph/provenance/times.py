"""When a run was made, by the marks that its jobs left."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gwmorph.errors import StorageError

_LONGEST_S = 1e9  # thirty years


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
        There is no such file, or one does not hold seconds.
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
    ends = [(path.stat().st_mtime, _seconds(path)) for path in files]
    return Span(_iso(min(end - took for end, took in ends)), _iso(max(end for end, _ in ends)))


def _seconds(path: Path) -> float:
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
        seconds = sum(float(row["s"]) for row in rows)
        if not 0 <= seconds < _LONGEST_S:
            raise ValueError(f"they are {seconds}")
        return seconds
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise StorageError(
            f"{path}: holds no seconds of a job ({error}). Remove it, and run its rule again."
        ) from error


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
