"""What one job took and held, by the benchmark file that Snakemake leaves of it."""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gwmorph.batch.rules import Rule
from gwmorph.errors import StorageError

# Snakemake looks at a job every now and then, and has these for one that ended before.
_UNSEEN = ("NA", "-")
_LONGEST_S = 1e9  # thirty years


@dataclass(frozen=True)
class Job:
    """One job, or its last attempt.

    wall_s
        Time by the clock [s].
    core_s
        Processor time of its processes [s], None where Snakemake has not seen them.
    peak_mb
        Largest resident memory of its processes together [MB], without those of Snakemake; None
        where it has not seen them.
    """

    wall_s: float
    core_s: float | None
    peak_mb: float | None


def jobs_by_rule(
    run: Path, rules: Iterable[Rule], apart: Iterable[str] = ()
) -> dict[str, list[Job]]:
    """Return the jobs of a run by the name of their rule, each in the order of its file's path.

    ``run`` is a folder ``results/NAME``. A file that none of ``rules`` makes is passed over, as
    one of an older revision is, and so is one whose path begins with one of ``apart``.

    Raises
    ------
    StorageError
        The run is not there or has no benchmark files, or one cannot be read.
    """
    if not run.is_dir():
        raise StorageError(
            f"{run}: no such folder. Give the folder of a finished run, results/NAME."
        )
    folder = run / "benchmarks"
    paths = sorted(folder.rglob("*.tsv"))
    if not paths:
        raise StorageError(
            f"{folder}: has no benchmark files. Give the folder of a finished run, results/NAME."
        )
    known, skipped = list(rules), tuple(apart)
    found: dict[str, list[Job]] = defaultdict(list)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        rule = next((rule for rule in known if rule.made(name)), None)
        if rule is not None and not name.startswith(skipped):
            found[rule.name].append(read_job(path))
    return dict(found)


def read_job(path: Path) -> Job:
    """Return what a benchmark file says of its one job.

    Raises
    ------
    StorageError
        It cannot be read, or does not hold one job's time, processor time and memory.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
        (row,) = rows
        wall_s = _amount(row["s"], _LONGEST_S)
        return Job(wall_s, _seen(row["cpu_time"]), _seen(row["max_rss"]))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise StorageError(
            f"{path}: is no benchmark of one job ({error}). Remove it, and run its rule again."
        ) from error


def _seen(value: str) -> float | None:
    return None if value in _UNSEEN else _amount(value)


def _amount(value: str, below: float = math.inf) -> float:
    amount = float(value)
    if not 0 <= amount < below:
        raise ValueError(f"expected 0 or more, below {below:g}, got {value}")
    return amount
