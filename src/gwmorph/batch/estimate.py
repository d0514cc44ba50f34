"""What a longer run would take, by what shorter ones took."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from gwmorph.batch.costs import Cost, Costs, costs_of
from gwmorph.batch.rules import Rule
from gwmorph.errors import StorageError
from gwmorph.plan import BLOCK_LAID_OUT_S

# What Snakemake itself takes with thousands of blocks: to start a job once it can [s], and the
# memory of a block's jobs, beside that of a run of one [MB].
_STARTED_S, _LAID_OUT_MB, _SNAKEMAKE_MB = 0.1, 0.11, 200
_BLOCK = "block"


@dataclass(frozen=True)
class Sample:
    """A finished run: of how many blocks, what it keeps on the disk [GB], what its jobs took."""

    blocks: int
    disk_gb: float
    costs: Costs


@dataclass(frozen=True)
class Estimate:
    """What a run would take; all of it is extrapolated.

    core_h
        Time by the clock, summed over jobs of one thread: hours of cores.
    wall_h
        Hours from start to end, at most.
    memory_gb
        Of all jobs that run at once, and of Snakemake, at most [GB].
    disk_gb
        What the run keeps in its folder, without strain [GB].
    """

    blocks: int
    cores: int
    core_h: float
    wall_h: float
    memory_gb: float
    disk_gb: float


def sample_of(run: Path, rules: Iterable[Rule]) -> Sample:
    """Return what a finished run took.

    Raises
    ------
    StorageError
        The run is not there, has no benchmark files, or none of a block.
    """
    costs = costs_of(run, rules)
    blocks = sum(cost.jobs for cost in costs.by_rule if cost.rule == _BLOCK)
    if not blocks:
        raise StorageError(
            f"{run}: no job of a block has left its time. Give the folder of a finished run, "
            "results/NAME."
        )
    size = sum(path.lstat().st_size for path in run.rglob("*"))
    return Sample(blocks, size / 1e9, costs)


def estimate(
    samples: Sequence[Sample], rules: Iterable[Rule], blocks: int, cores: int
) -> Estimate:
    """Return what a run of so many blocks would take on so many cores.

    What each rule took is a straight line in the number of blocks, through one run as a multiple
    of it, through more with a constant; neither is negative, and relative errors are least. Jobs
    of blocks and of groups of them share the cores; the others follow, for whose time the bound of
    Graham 1966 (Bell Syst. Tech. J. 45, 1563) for a schedule without idle cores is taken, as if
    each of their rules waited for another.

    Parameters
    ----------
    samples
        One finished run or more, of other sizes.
    rules
        The workflow's.
    blocks, cores
        1 or more.

    Raises
    ------
    ValueError
        There is no sample, or less than one block or core.
    """
    if not samples or blocks < 1 or cores < 1:
        raise ValueError(
            f"expected samples, and blocks and cores of 1 or more, got {len(samples)} samples, "
            f"{blocks} blocks and {cores} cores"
        )
    spread = {rule.name for rule in rules if rule.of_a_block or "{group}" in rule.benchmark}
    names = {cost.rule for sample in samples for cost in sample.costs.by_rule}

    def sum_of(value: Callable[[Cost], float], of_rules: Iterable[str]) -> float:
        return sum(_at(blocks, _seen(samples, rule, value)) for rule in of_rules)

    joint = names - spread
    spread_s = sum_of(_wall, names & spread)
    started_s = _STARTED_S * sum_of(_jobs, names & spread)
    joint_s, chain_s = sum_of(_wall, joint), sum_of(_longest, joint)
    alone = 1 / cores
    wall_s = max(spread_s * alone, started_s) + joint_s * alone + chain_s * (1 - alone)
    at_once = cores * max(cost.peak_mb or 0.0 for cost in _costs(samples, names & spread))
    largest = max((_at(blocks, _seen(samples, rule, _peak)) for rule in joint), default=0.0)
    own_mb = _SNAKEMAKE_MB + _LAID_OUT_MB * blocks
    return Estimate(
        blocks,
        cores,
        core_h=(spread_s + joint_s) / 3600,
        wall_h=(wall_s + BLOCK_LAID_OUT_S * blocks) / 3600,
        memory_gb=(max(at_once, largest) + own_mb) / 1000,
        disk_gb=_at(blocks, [(sample.blocks, sample.disk_gb) for sample in samples]),
    )


def _wall(cost: Cost) -> float:
    return cost.wall_s


def _longest(cost: Cost) -> float:
    return cost.longest_s


def _jobs(cost: Cost) -> float:
    return cost.jobs


def _peak(cost: Cost) -> float:
    return cost.peak_mb or 0.0


def _costs(samples: Iterable[Sample], rules: set[str]) -> list[Cost]:
    return [cost for sample in samples for cost in sample.costs.by_rule if cost.rule in rules]


def _seen(
    samples: Iterable[Sample], rule: str, value: Callable[[Cost], float]
) -> list[tuple[int, float]]:
    """Return for each sample that has jobs of a rule its blocks, and a value of these jobs."""
    return [
        (sample.blocks, value(cost))
        for sample in samples
        for cost in sample.costs.by_rule
        if cost.rule == rule
    ]


def _at(blocks: int, seen: Sequence[tuple[int, float]]) -> float:
    """Return the value at so many blocks of the line through what was seen: (blocks, value)."""
    sizes, values = (np.array(column, float) for column in zip(*seen, strict=True))
    kept = values > 0
    sizes, values = sizes[kept], values[kept]
    if not len(sizes):
        return 0.0
    if len(set(sizes)) == 1:
        return float(values.mean() * blocks / sizes[0])
    lines = np.column_stack([np.ones_like(sizes), sizes]) / values[:, None]
    (constant, slope), _ = nnls(lines, np.ones_like(sizes))
    return float(constant + slope * blocks)
