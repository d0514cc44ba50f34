"""What a job asks for: what was measured, with head-room, and what Snakemake itself holds."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gwmorph.batch.measured import Measured
from gwmorph.batch.rules import Rule

# A submitted job is a Snakemake that starts a Snakemake that starts the rule's script. Each of the
# two reads the workflow and the plan.
SNAKEMAKES = 2
_STEP_MB = 100


@dataclass(frozen=True)
class Headroom:
    """How much more is asked for than was measured.

    memory
        Factor on the largest job.
    time
        Factor on the longest job: nodes differ, and shared disks are slow at times.
    snakemake_mb
        Resident memory of one Snakemake that has read the workflow [MB].
    snakemake_s
        Time in which the Snakemakes of a job start and end [s].
    snakemake_cpu_s
        Processor time in which the inner one of them reads the workflow [s].
    shortest_job_s
        Jobs that are shorter are grouped until they take as long together [s].
    """

    memory: float = 1.5
    time: float = 3.0
    snakemake_mb: float = 250.0
    snakemake_s: float = 60.0
    snakemake_cpu_s: float = 3.0
    shortest_job_s: float = 180.0


@dataclass(frozen=True)
class Request:
    """What the jobs of one rule ask for at their first attempt.

    ``mem_mb`` [MB] and ``runtime`` [minutes] are None where the rule works them out itself.
    """

    rule: str
    mem_mb: int | None
    runtime: int | None
    is_measured: bool


def requests(
    rules: Iterable[Rule], of_rules: Mapping[str, Measured], headroom: Headroom
) -> list[Request]:
    """Return what each rule asks for that is not run where Snakemake was started, sorted by name.

    A job of one block is as large in a long run as in a short one: what was measured decides. A
    job that reads more of a run asks for no less than its rule declares, since a run may be longer
    than the measured one. What was not measured asks for what is declared. To all of it comes the
    memory of Snakemake.
    """
    return [
        _request(rule, of_rules.get(rule.name), headroom)
        for rule in sorted(rules, key=lambda rule: rule.name)
        if not rule.local
    ]


def _request(rule: Rule, found: Measured | None, headroom: Headroom) -> Request:
    own_mb, own_minutes = rule.mem_mb, rule.runtime
    if found is not None:
        mb = headroom.memory * found.largest_mb
        minutes = headroom.time * found.longest_s / 60
        own_mb = _at_least(mb, rule.mem_mb, rule.of_a_block)
        own_minutes = _at_least(minutes, rule.runtime, rule.of_a_block)
    started_mb, started_minutes = SNAKEMAKES * headroom.snakemake_mb, headroom.snakemake_s / 60
    return Request(
        rule.name,
        None if own_mb is None else _up(own_mb + started_mb, _STEP_MB),
        None if own_minutes is None else _up(own_minutes + started_minutes, 1),
        found is not None,
    )


def _at_least(value: float, declared: int | None, measured_decides: bool) -> int | None:
    if declared is None:  # the rule knows better
        return None
    return math.ceil(value if measured_decides else max(value, declared))


def _up(value: float, step: int) -> int:
    return step * math.ceil(value / step)


def group_size(rules: Iterable[str], of_rules: Mapping[str, Measured], headroom: Headroom) -> int:
    """Return how many jobs of some rules make one that is not too short, by the least of them.

    Of rules that were not measured nothing is known: they are not joined.
    """
    least = [of_rules[rule].least_cpu_s for rule in rules if rule in of_rules]
    if not least:
        return 1
    return math.ceil(headroom.shortest_job_s / (min(least) + headroom.snakemake_cpu_s))
