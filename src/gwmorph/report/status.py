"""How far a run is: what is done, what runs, what failed, and about how long the rest takes."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from statistics import fmean

from gwmorph.batch.benchmarks import read_job
from gwmorph.errors import StorageError
from gwmorph.joblog import INTERRUPTED
from gwmorph.jobs import Call, Job, is_under_way, read_call
from gwmorph.progress import told_by
from gwmorph.report.ending import error_of, last_error
from gwmorph.wording import counted, spoken

# Jobs and rules that are named; of more there is the number.
_NAMED = 8
_ERROR_LINES = 6


class State(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    ENDED = "ended"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """What is known of a call of the workflow.

    Attributes
    ----------
    states : of each job of ``call``; ENDED is one that was at work when the call ended.
    under_way : whether the call goes on.
    began, now : seconds since 1970.
    elapsed_s : by job, how long those that run have been at work, s; 0 where nothing says it.
    said_s : by job, how long those that run still take by their own logs, s, where they say it.
    took_s : by rule, the mean of what its jobs took, s, where any is known.
    earlier : rules of ``took_s`` whose times are of an earlier call.
    """

    call: Call
    states: tuple[State, ...]
    under_way: bool
    began: float
    now: float
    elapsed_s: dict[Job, float]
    said_s: dict[Job, float]
    took_s: dict[str, float]
    earlier: frozenset[str]

    def having(self, *states: State) -> list[Job]:
        """Return the jobs in one of these states."""
        return [
            job for job, state in zip(self.call.jobs, self.states, strict=True) if state in states
        ]

    @property
    def open_jobs(self) -> list[Job]:
        """All jobs that are still to end."""
        return self.having(State.WAITING, State.RUNNING)

    @property
    def unknown(self) -> list[Job]:
        """Those of `open_jobs` that nothing says how long they will take."""
        return [job for job in self.open_jobs if self._left_of(job) is None]

    def left_s(self) -> float | None:
        """Return how long `open_jobs` of known rules will take, s; None where that is unknown.

        ASSUME: all that may run at once does, so what waits for one job makes it longer.
        """
        left = [
            (seconds, self.call.share(job))
            for job in self.open_jobs
            if (seconds := self._left_of(job)) is not None
        ]
        if not left or not self.call.at_once:
            return None
        # One job is never faster than itself.
        return max(sum(seconds * share for seconds, share in left), *(s for s, _ in left))

    def _left_of(self, job: Job) -> float | None:
        if job in self.said_s:
            return self.said_s[job]
        if job.rule not in self.took_s:
            return None
        return max(self.took_s[job.rule] - self.elapsed_s.get(job, 0.0), 0.0)


def progress_of(run: Path, now: float | None = None) -> Progress:
    """Look at a run's last call of the workflow, at its jobs' logs and times; nothing is written.

    Parameters
    ----------
    run
        The run's folder.
    now
        Seconds since 1970, by default the time.

    Raises
    ------
    StorageError
        As `gwmorph.jobs.read_call`.
    """
    call, under_way = read_call(run), is_under_way(run)
    now = time.time() if now is None else now
    states = tuple(_state(job, run, call.began_ns, under_way) for job in call.jobs)
    running = [job for job, state in zip(call.jobs, states, strict=True) if state is State.RUNNING]
    took, earlier = _times(call.jobs, states, run)
    elapsed, said = {}, {}
    for job in running:
        elapsed[job], left = _at_work_s(run / job.log, now)
        if left is not None:
            said[job] = left
    return Progress(
        call, states, under_way, call.began_ns / 1e9, now, elapsed, said, took, earlier
    )


def _state(job: Job, run: Path, began_ns: int, under_way: bool) -> State:
    """Return where a job is: what is older than the call belongs to an earlier one."""
    if _written_ns(run / job.benchmark) >= began_ns:
        return State.DONE
    if _written_ns(run / job.log) < began_ns:
        return State.WAITING
    text = _text(run / job.log)
    if text.endswith(f"{INTERRUPTED}\n"):
        return State.ENDED
    if error_of(text) is not None:
        return State.FAILED
    return State.RUNNING if under_way else State.ENDED


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return -1


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _at_work_s(log: Path, now: float) -> tuple[float, float | None]:
    """Return how long a job has been at work and how long it still is, s, by its log.

    The first is 0 where other lines than those of progress hide it, the second None.
    """
    since = max(now - log.stat().st_mtime, 0.0)
    lines = _text(log).strip().splitlines()
    if not lines:
        return since, None
    told = told_by(lines[-1])
    if told is None:
        return 0.0, None
    left = None if told.left_s is None else max(told.left_s - since, 0.0)
    return told.taken_s + since, left


def _times(
    jobs: Sequence[Job], states: Sequence[State], run: Path
) -> tuple[dict[str, float], frozenset[str]]:
    """Return what the jobs of each rule took, and the rules that only an earlier call had."""
    found: dict[bool, dict[str, list[float]]] = {True: defaultdict(list), False: defaultdict(list)}
    for job, state in zip(jobs, states, strict=True):
        with suppress(StorageError):  # none there yet, or half of one
            seconds = read_job(run / job.benchmark).wall_s
            found[state is State.DONE][job.rule].append(seconds)
    chosen = {**found[False], **found[True]}
    means = {rule: fmean(values) for rule, values in chosen.items()}
    return means, frozenset(found[False].keys() - found[True].keys())


def lines_of(progress: Progress, run: Path) -> list[str]:
    """Return what a person wants to read of a run's progress."""
    return [
        *_head(progress, run),
        *_table(progress),
        *_running(progress, run),
        *_failures(progress, run),
        *_ending(progress, run),
    ]


def _head(progress: Progress, run: Path) -> list[str]:
    began = datetime.fromtimestamp(progress.began, UTC)
    done, jobs = len(progress.having(State.DONE)), len(progress.call.jobs)
    if progress.under_way:
        what = f"under way for {spoken(progress.now - progress.began)}"
    elif done == jobs:
        what = "finished"
    elif progress.having(State.FAILED) or _reported(progress):
        what = "failed"
    else:
        what = "interrupted, killed, or the machine stopped"
    targets = " ".join(progress.call.targets)
    return [
        f"{run}: {what} (snakemake {targets}, begun {began:%Y-%m-%d %H:%M:%S} UTC)",
        f"Done: {done:,} of {counted(jobs, 'job')}",
    ]


def _table(progress: Progress) -> list[str]:
    """Return a line for each rule that has begun and is not done, and the others as lists."""
    by_rule: dict[str, list[State]] = defaultdict(list)
    for job, state in zip(progress.call.jobs, progress.states, strict=True):
        by_rule[job.rule].append(state)
    kinds = {rule: set(states) for rule, states in by_rule.items()}
    waiting = sorted(rule for rule, kind in kinds.items() if kind == {State.WAITING})
    begun = sorted(kinds.keys() - {*waiting} - {r for r, k in kinds.items() if k == {State.DONE}})
    width = max(map(len, begun), default=0)
    lines = []
    for rule in begun:
        found = Counter(by_rule[rule])
        numbers = ", ".join(f"{found[state]:,} {state}" for state in State if found[state])
        lines.append(f"  {rule:{width}}  {numbers}; {_each(progress, rule)}")
    if complete := len(kinds) - len(begun) - len(waiting):
        lines.append(f"  {counted(complete, 'rule')} done")
    if waiting:
        named = ", ".join(f"{rule} ({len(by_rule[rule]):,})" for rule in waiting)
        lines.append(f"  not begun: {named}")
    return lines


def _each(progress: Progress, rule: str) -> str:
    if rule not in progress.took_s:
        return "time unknown"
    then = ", in an earlier call" if rule in progress.earlier else ""
    return f"{spoken(progress.took_s[rule])} each{then}"


def _running(progress: Progress, run: Path) -> list[str]:
    lines = []
    running = progress.having(State.RUNNING)
    for job in running[:_NAMED]:
        said = _text(run / job.log).strip().splitlines()[-1:]
        lines.append(": ".join([f"Running: {job.message}", *said]))
    return lines + _more(running, "running")


def _failures(progress: Progress, run: Path) -> list[str]:
    lines = []
    failed = progress.having(State.FAILED)
    for job in failed[:_NAMED]:
        said = (error_of(_text(run / job.log)) or "").splitlines()[:_ERROR_LINES]
        lines += [f"Failed: {job.message}; log: {run / job.log}", *(f"  {line}" for line in said)]
    ended = [] if progress.under_way else progress.having(State.ENDED)
    for job in ended[:_NAMED]:
        lines.append(f"Not finished when it ended: {job.message}; log: {run / job.log}")
    if not (progress.under_way or failed) and _reported(progress):
        lines.append(_reported(progress))
    return lines + _more(failed, "failed") + _more(ended, "not finished")


def _reported(progress: Progress) -> str:
    """Return what Snakemake says of a job that failed without a word in its own log."""
    logs = [log for log in progress.call.logs if Path(log).is_file()]
    if not any("Error in rule" in _text(Path(log)) for log in logs):
        return ""
    return last_error(logs)


def _more(jobs: Sequence[Job], what: str) -> list[str]:
    return [f"and {len(jobs) - _NAMED:,} more {what}"] if len(jobs) > _NAMED else []


def _ending(progress: Progress, run: Path) -> list[str]:
    """Return how long the rest will take, or how to go on."""
    if not progress.under_way:
        if len(progress.having(State.DONE)) == len(progress.call.jobs):
            return [f"Next: gwmorph summary {run}"] * (run / "summary.json").is_file()
        return ["What is done is kept: the same snakemake command goes on from there."]
    left, unknown = progress.left_s(), progress.unknown
    rules = sorted({job.rule for job in unknown})
    named = ", ".join(rules[:_NAMED]) + (", …" if len(rules) > _NAMED else "")
    beside = f"unknown for {counted(len(unknown), 'job')} ({named})"
    if left is None:
        return [f"Left: {beside}"] if unknown else ["Left: unknown"] * bool(progress.open_jobs)
    limit = progress.call.at_once
    workers = counted(limit, "core") if progress.call.in_cores else f"{limit:,} jobs at once"
    known = f"Left: about {spoken(left)} with {workers} kept busy"
    return [f"{known}, and {beside}" if unknown else known]
