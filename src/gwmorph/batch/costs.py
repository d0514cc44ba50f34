"""What a run cost: the time and the memory of its jobs, by rule."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gwmorph.batch.benchmarks import Job, jobs_by_rule
from gwmorph.batch.rules import Rule
from gwmorph.errors import StorageError
from gwmorph.wording import number

TOTAL = "total"
# Of a table of costs: what stands above each column, and what that means.
HEADINGS = (
    ("rule", ""),
    ("jobs", "how many have left their times"),
    ("core s", "processor time, summed over jobs, in seconds"),
    ("wall s", "time by the clock, summed over jobs, several of which run at once, in seconds"),
    ("longest s", "time by the clock of the longest job, in seconds"),
    ("peak MB", "largest resident memory of one job's processes together"),
)
# What cannot be read off such a table, for whoever does.
MEANING = (
    "Sums are over jobs, of which several run at once: a run takes less by the clock. Memory is "
    "that of one job, without Snakemake's own. Each job counts once, by its last attempt. "
    "Snakemake looks at a job twice a second for 15 s and every 30 s from then on: what a job did "
    "after the last look is not in its core time, and a short peak between two may be missed."
)


@dataclass(frozen=True)
class Cost:
    """What the jobs of one rule, or all jobs, took and held.

    wall_s
        Time by the clock [s], summed over jobs, several of which may have run at once.
    core_s
        Processor time [s], summed over the jobs that Snakemake has seen; None without any.
    longest_s
        Time by the clock of the longest job [s].
    peak_mb
        Largest resident memory of a job that Snakemake has seen [MB]; None without any.
    """

    rule: str
    jobs: int
    wall_s: float
    core_s: float | None
    longest_s: float
    peak_mb: float | None


@dataclass(frozen=True)
class Costs:
    """What a run cost: by rule, most processor time first, and in total."""

    by_rule: tuple[Cost, ...]
    total: Cost


def costs_of(run: Path, rules: Iterable[Rule], apart: Iterable[str] = ()) -> Costs:
    """Return what the jobs took whose benchmark files a run has.

    ``run``, ``rules`` and ``apart`` are as in `gwmorph.batch.benchmarks.jobs_by_rule`.

    Raises
    ------
    StorageError
        The run is not there, has no benchmark file of these rules, or has one that is damaged.
    """
    found = jobs_by_rule(run, rules, apart)
    if not found:
        raise StorageError(
            f"{run / 'benchmarks'}: has no benchmark file of any of the workflow's rules. Give "
            "the workflow that made the run."
        )
    costs = [_cost(rule, jobs) for rule, jobs in found.items()]
    every = [job for jobs in found.values() for job in jobs]
    return Costs(tuple(sorted(costs, key=_order)), _cost(TOTAL, every))


def rows_of(costs: Costs) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a table below `HEADINGS`, rule by rule, and the total as the last."""
    for cost in (*costs.by_rule, costs.total):
        yield (
            cost.rule,
            f"{cost.jobs:,}",
            number(cost.core_s, ",.1f", "not seen"),
            f"{cost.wall_s:,.1f}",
            f"{cost.longest_s:,.1f}",
            number(cost.peak_mb, ",.0f", "not seen"),
        )


def _cost(rule: str, jobs: Sequence[Job]) -> Cost:
    cores = [job.core_s for job in jobs if job.core_s is not None]
    peaks = [job.peak_mb for job in jobs if job.peak_mb is not None]
    times = [job.wall_s for job in jobs]
    return Cost(
        rule,
        len(jobs),
        _sum(times),
        _sum(cores) if cores else None,
        max(times),
        max(peaks, default=None),
    )


def _sum(seconds: Iterable[float]) -> float:
    return round(math.fsum(seconds), 2)  # as exactly as Snakemake writes them


def _order(cost: Cost) -> tuple[float, float, str]:
    return -(cost.core_s or 0.0), -cost.wall_s, cost.rule
