"""What jobs took and held, by the benchmark files that finished runs have of them."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gwmorph.batch.benchmarks import Job, jobs_by_rule
from gwmorph.batch.rules import Rule
from gwmorph.errors import StorageError
from gwmorph.storage import write_bytes

_COLUMNS = ("rule", "jobs", "least_cpu_s", "longest_s", "largest_mb")


@dataclass(frozen=True)
class Measured:
    """The jobs of one rule, of which there are ``jobs``.

    least_cpu_s
        Least processor time of a job [s]: how short it would be if it never waited.
    longest_s
        Longest time of a job by the clock [s].
    largest_mb
        Largest resident memory of a job's own processes [MB], without those of Snakemake.
    """

    rule: str
    jobs: int
    least_cpu_s: float
    longest_s: float
    largest_mb: float


def measured(runs: Sequence[Path], rules: Iterable[Rule]) -> dict[str, Measured]:
    """Return what finished runs say of each rule of which they have a job, sorted by name.

    ``runs`` are folders ``results/NAME``. A file that none of ``rules`` makes is passed over, as
    one of an older revision is.

    Raises
    ------
    StorageError
        A run is not there or has no benchmark files, or one cannot be read.
    """
    known = list(rules)
    found: dict[str, list[Job]] = defaultdict(list)
    for run in runs:
        for rule, jobs in jobs_by_rule(run, known).items():
            found[rule] += jobs
    return {rule: _summary(rule, jobs) for rule, jobs in sorted(found.items())}


def _summary(rule: str, jobs: Sequence[Job]) -> Measured:
    # As exactly as it is written, so that what is read again asks for the same. What Snakemake has
    # not seen was too short to: 0.
    return Measured(
        rule,
        len(jobs),
        round(min(job.core_s or 0.0 for job in jobs), 1),
        round(max(job.wall_s for job in jobs), 1),
        float(round(max(job.peak_mb or 0.0 for job in jobs))),
    )


def write_measured(path: Path, of_rules: Iterable[Measured]) -> None:
    """Write a table of what was measured, tab-separated, one rule a line."""
    lines = ["\t".join(_COLUMNS)]
    lines += [
        f"{one.rule}\t{one.jobs}\t{one.least_cpu_s:.1f}\t{one.longest_s:.1f}\t{one.largest_mb:.0f}"
        for one in of_rules
    ]
    write_bytes(path, ("\n".join(lines) + "\n").encode())


def read_measured(path: Path) -> dict[str, Measured]:
    """Return what `write_measured` wrote.

    Raises
    ------
    StorageError
        It is not there, or not such a table.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
        return {
            row["rule"]: Measured(
                row["rule"],
                int(row["jobs"]),
                float(row["least_cpu_s"]),
                float(row["longest_s"]),
                float(row["largest_mb"]),
            )
            for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{path}: is no table of what jobs were measured to need ({error}). "
            "Make it with: gwmorph requests results/NAME --write"
        ) from error
