"""Disturb every rule of the workflow, and see what is left (``make faults``).

A small run is made once that nobody disturbs. Then, for each rule, its outputs are taken away and
one of its jobs is made again and again, each time with a fault: it is killed, alone or with
Snakemake, finds the disk full, may not write, or reads an input that was harmed. In the end it
is left in peace, and what it makes has to be what the undisturbed run has, byte for byte. A job
that fails has to say why; one that does not notice a harmed input has to make the same bytes.
Anything else is a finding.

The project lies on a disk of its own (tmpfs, in a mount namespace of its own), so that a full disk
is really full; that takes root. What was done already is not done again, unless rules are named;
remove ``--out`` to begin anew. ::

    python tests/faults/faults.py
    python tests/faults/faults.py block embed --out FOLDER
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
INJECT = HERE / "inject"
sys.path += [str(HERE), str(HERE.parent), str(HERE.parent / "workflow"), str(INJECT)]

from damage import DAMAGES, compared, damaged, error_names, files_of, one_of_each  # noqa: E402
from workflow_project import (  # noqa: E402
    BLOCK_S,
    DETECTORS,
    FIRST,
    HOUSE,
    LABELLED,
    ROOT,
    Project,
    build,
    configuration,
)

from gwmorph.errors import GwmorphError  # noqa: E402
from gwmorph.provenance.verify import check, describe, recorded_files  # noqa: E402

TARGETS = ("all", "timeslides", "calibrate", "provenance")
KILLS = ("kill: start", "kill all: before a rename", "kill all: after a rename")
# What has to be said of what.
CAUSES = {"disk full": "no space left", "no permission": "permission denied"}
WORKFLOW = "workflow"
_RECORD = "provenance_record"
# Rules whose inputs are not harmed, and why.
NOT_HARMED = {
    "resolved_config": "waits for its inputs and reads none",
    _RECORD: "writes down the hashes of what is there: `gwmorph verify` compares them",
}
# What jobs leave in the shared cache, to be made again as well.
IN_CACHE = {"simulate": "simulated", "quiet": "quiet"}
FIGURES = "figures.json"
_DISK_MIB = 1500
_CALL_S, _JOB_S = 900, 300
_INSIDE = "GWMORPH_FAULTS_INSIDE"
# What a job says, not what Snakemake makes of it.
_ERROR = re.compile(r"(?!Workflow)[\w.]*(Error|Exception): ")
_NO_RESULT = re.compile(r"/(logs|benchmarks)/|\.snakemake_timestamp$")
# What is withdrawn while results are made anew.
_RECORDS = "config.yaml"
_OWN = ("results/", "cache/")

Case = dict[str, str]


@dataclass(frozen=True)
class Job:
    """One job of a rule, as it was in the undisturbed run."""

    rule: str
    script: Path
    input: list[str]
    output: list[str]
    opened: list[str]
    threads: dict[str, str]


class Bench:
    """The undisturbed run, and its copy to be disturbed, always at the same place."""

    def __init__(self, out: Path, *, small_disk: bool) -> None:
        self.folder, self.kept = out / "disk" / "project", out / "undisturbed"
        self.jobs_folder, self.state = out / "jobs", out / "disk" / "state"
        self.small_disk = small_disk
        (out / "disk").mkdir(exist_ok=True)
        if small_disk:
            options = f"size={_DISK_MIB}m,mode=755"
            call = ["mount", "-t", "tmpfs", "-o", options, "faults", str(out / "disk")]
            subprocess.run(call, check=True)
        self.state.mkdir(exist_ok=True)
        self.project = _configured(Project(self.folder, configuration()))
        house = _house_hash()
        if not _is(self.kept / "house", house):
            self._make(house)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            _copy(self.kept / "project", self.folder)
        self.jobs = _jobs(self.jobs_folder)

    def _make(self, house: str) -> None:
        for folder in (self.folder, self.kept, self.jobs_folder):
            shutil.rmtree(folder, ignore_errors=True)
        self.jobs_folder.mkdir()
        build(self.folder)
        (self.folder / "labels.csv").write_text(_labels(), encoding="utf-8")
        done = self.snakemake(*TARGETS, fault="record", state=self.jobs_folder)
        assert done.returncode == 0, done.stdout
        _copy(self.folder, self.kept / "project")
        (self.kept / "house").write_text(house, encoding="utf-8")

    def snakemake(
        self, *arguments: str, fault: str = "", state: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run the workflow, in a process group of its own, with a fault in its jobs."""
        process = self.started(*arguments, fault=fault, state=state)
        try:
            said, _ = process.communicate(timeout=_CALL_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = f"{process.communicate()[0]}\nIt hangs."
        return subprocess.CompletedProcess(arguments, process.returncode, said)

    def started(
        self, *arguments: str, fault: str = "", state: Path | None = None
    ) -> "subprocess.Popen[str]":
        """Start the workflow."""
        (self.state / "struck").unlink(missing_ok=True)
        return subprocess.Popen(
            self.project.command(*arguments),
            cwd=self.folder,
            env=self._environment(fault, state or self.state),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _environment(self, fault: str, state: Path) -> dict[str, str]:
        environment = self.project.environment
        paths = f"{INJECT}:{environment['PYTHONPATH']}"
        told = {"GWMORPH_FAULT": fault, "GWMORPH_FAULT_STATE": str(state)}
        return {**environment, "PYTHONPATH": paths, **(told if fault else {})}

    def script(self, job: Job) -> "subprocess.CompletedProcess[str]":
        """Run a job's script alone, as Snakemake would."""
        for name in job.output:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        environment = {**self._environment("", Path()), **job.threads}
        return subprocess.run(
            [sys.executable, str(job.script)], cwd=self.folder, env=environment,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_JOB_S,
            check=False,
        )  # fmt: skip

    def forget(self, job: Job, *, cached: bool = True) -> None:
        """Take away what a job made, in the results and in the cache."""
        for name in job.output:
            _remove(self.folder / name)
        if cached and job.rule in IN_CACHE:
            (detector,) = (one for one in DETECTORS if one in " ".join(job.output))
            for path in files_of([self.folder / "cache" / IN_CACHE[job.rule]]):
                if detector in path.name:
                    _remove(path)

    def restore(self) -> None:
        """Put everything back as the undisturbed run left it."""
        for name in ("results", "cache", ".snakemake"):
            _remove(self.folder / name)
            _copy(self.kept / "project" / name, self.folder / name)

    def unlock(self) -> None:
        """Take a dead Snakemake's locks away, as ``snakemake --unlock`` does."""
        _remove(self.folder / ".snakemake" / "locks")

    def inside(self, path: Path) -> str:
        """Return a path of the run, from its folder on."""
        return path.relative_to(
            self.folder / "results" / self.project.config["run"]["name"]
        ).as_posix()

    def judged(self, job: Job) -> str:
        """Return how the outputs of a job differ from the undisturbed ones."""
        found, expected = (
            {
                path.relative_to(root).as_posix(): path
                for path in files_of(root / name for name in job.output)
            }
            for root in (self.folder, self.kept / "project")
        )
        return compared(found, expected)

    def strays(self) -> list[str]:
        """Return what else there is that the undisturbed run has not, or is no more."""
        found, expected = self._all(self.folder), self._all(self.kept / "project")
        return sorted(name for name in found ^ expected if Path(name).name != _RECORDS)

    def _all(self, root: Path) -> set[str]:
        files = files_of([root / "results", root / "cache"])
        names = (path.relative_to(root).as_posix() for path in files)
        return {name for name in names if not _NO_RESULT.search(f"/{name}")}


def _house_hash() -> str:
    """Return the hash of all that the workflow is made of."""
    digest = hashlib.sha256()
    for path in sorted(files_of(ROOT / name for name in HOUSE)):
        if "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _copy(source: Path, place: Path) -> None:
    shutil.copytree(source, place, symlinks=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _configured(project: Project) -> Project:
    """Ask for every rule of a run: simulated strain, labels, windows and events."""
    labelled = {key: part for key, part in LABELLED.items() if key != "clustering"}
    return project.change(**labelled).change(
        run={"gps_end": FIRST + BLOCK_S},
        source={
            "kind": "simulated",
            "simulated": {"sample_rate": 2048, "rate_scale": 4.0, "duty_cycle": 0.5},
        },
    )


def _labels() -> str:
    rows = ["GPStime,ifo,label,confidence,id,snr,peakFreq"]
    for place in range(BLOCK_S // 32):
        label, second = ("Blip", "Whistle")[place % 2], FIRST + 32 * place + 16
        rows += [f"{second},{d},{label},0.9,{d}{place},9,100" for d in DETECTORS]
    return "\n".join(rows) + "\n"


def _jobs(folder: Path) -> dict[str, Job]:
    """Return one job of each rule, the one with the most inputs."""
    told = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    jobs: dict[str, Job] = {}
    for one in sorted(told, key=lambda job: (-len(job["input"]), job["output"])):
        jobs.setdefault(one["rule"], Job(**{**one, "script": folder / one["script"]}))
    return dict(sorted(jobs.items(), key=lambda item: item[1].script.name))


# -- what befalls a job -----------------------------------------------------------------------


def harmed_inputs(bench: Bench, job: Job) -> Iterator[Case]:
    """Let a job's script read inputs of which one is harmed."""
    if job.rule in NOT_HARMED:
        yield _case("inputs", f"skipped: {NOT_HARMED[job.rule]}")
        return
    bench.forget(job, cached=False)
    control = bench.script(job)
    if control.returncode or bench.judged(job) != "equal":
        yield _case("none", f"FINDING alone it makes {bench.judged(job)}: {control.stdout[-500:]}")
        return
    made = set(files_of(bench.folder / name for name in job.output))
    # A user's own file has no checksum: whatever can be read there is what is asked for.
    # Of folders of pictures a job opens few.
    names = dict.fromkeys(n for n in (*job.opened, *job.input) if n.startswith(_OWN))
    read = [path for path in files_of(map(bench.folder.joinpath, names)) if path not in made]
    for path in one_of_each(read):
        inside = path.relative_to(bench.folder).as_posix()
        for damage in DAMAGES:
            bench.forget(job, cached=False)
            with damaged(path, damage):
                done = bench.script(job)
                yield _case(f"input {damage}: {inside}", _noticed(bench, job, done, path))


def _noticed(bench: Bench, job: Job, done: "subprocess.CompletedProcess[str]", path: Path) -> str:
    if done.returncode:
        error = _last_error(done.stdout)
        if not error_names(done.stdout, path):
            return f"FINDING not named: {error}"
        traced = "Traceback" in done.stdout
        return f"FINDING named in a traceback: {error}" if traced else f"named: {error}"
    outcome = bench.judged(job)
    return outcome if outcome in ("equal", "lineage") else f"FINDING {outcome}"


def _last_error(said: str) -> str:
    lines = [line for line in said.splitlines() if _ERROR.match(line)]
    return (lines or said.strip().splitlines() or [""])[-1][:300]


def disturbed(bench: Bench, job: Job) -> Iterator[Case]:
    """Make a job's outputs with one fault after the other, and then without."""
    cases: list[Case] = []
    bench.forget(job)
    for fault in (*KILLS, *CAUSES):
        if fault == "disk full" and not bench.small_disk:
            cases.append(_case(fault, "skipped: no disk of its own (needs root)"))
        elif fault == "no permission" and os.geteuid():
            cases.append(_case(fault, "skipped: needs root, to become somebody else"))
        else:
            cases.append(_struck(bench, job, fault))
    done = bench.snakemake(*job.output)
    outcome = bench.judged(job) if done.returncode == 0 else f"failed: {done.stdout[-500:]}"
    strays = bench.strays()
    if outcome == "equal" and strays:
        outcome = f"left behind: {', '.join(strays[:3])}"
    cases.append(
        _case("then undisturbed", outcome if outcome == "equal" else f"FINDING {outcome}")
    )
    for case in cases:  # a kill is as good as what comes of it
        if case["outcome"] == "killed":
            case["outcome"] = outcome if outcome == "equal" else f"FINDING {outcome}"
    yield from cases


def _struck(bench: Bench, job: Job, fault: str) -> Case:
    done = bench.snakemake(*job.output, fault=fault)
    bench.unlock()
    _remove(bench.folder / "ballast")
    if not (bench.state / "struck").exists():
        bench_says = bench.judged(job)
        bench.forget(job)
        return _case(fault, f"FINDING did not happen (it was taken for done: {bench_says})")
    if fault in KILLS:
        return _case(fault, "killed")
    if done.returncode == 0:
        return _case(fault, "equal" if bench.judged(job) == "equal" else "FINDING nobody said so")
    error = _last_error(done.stdout)
    named = CAUSES[fault] in done.stdout.lower()
    return _case(fault, f"named: {error}" if named else f"FINDING no cause: {done.stdout[-600:]}")


def _case(fault: str, outcome: str) -> Case:
    return {"fault": fault, "outcome": outcome}


# -- what befalls the whole workflow ------------------------------------------------------------


def whole_workflow(bench: Bench) -> Iterator[Case]:
    """Kill Snakemake, start it twice, fill its disk, and harm what is finished."""
    for case in (_stale_lock, _two_at_once, _full_for_all):
        bench.restore()
        yield from case(bench)
    bench.restore()
    yield from _harmed_outputs(bench)


def _stopped_at_work(bench: Bench) -> tuple[Job, "subprocess.Popen[str]"]:
    """Start the workflow for one job, and let all of it stand still while that job is at work."""
    job = bench.jobs["block"]
    bench.forget(job)
    log = bench.folder / f"results/t/logs/block/{Path(job.input[0]).parent.name}-{FIRST}.log"
    log.unlink(missing_ok=True)
    process = bench.started(*job.output)
    while not log.exists() and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGSTOP)
    return job, process


def _stale_lock(bench: Bench) -> Iterator[Case]:
    job, process = _stopped_at_work(bench)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    again = bench.snakemake(*job.output)
    said = again.returncode != 0 and "--unlock" in again.stdout
    yield _case("a stale lock", "named: --unlock" if said else f"FINDING {again.stdout[-500:]}")
    unlocked = bench.snakemake("--unlock")
    done = bench.snakemake(*job.output)
    outcome = bench.judged(job)
    right = unlocked.returncode == done.returncode == 0 and outcome == "equal"
    yield _case("unlocked", "equal" if right else f"FINDING {outcome}: {done.stdout[-500:]}")


def _two_at_once(bench: Bench) -> Iterator[Case]:
    job, first = _stopped_at_work(bench)
    second = bench.snakemake(*job.output)
    refused = second.returncode != 0 and "lock" in second.stdout.lower()
    said = "named: locked" if refused else f"FINDING {second.stdout[-500:]}"
    yield _case("two at once: the second", said)
    os.killpg(first.pid, signal.SIGCONT)
    told, _ = first.communicate()
    outcome = bench.judged(job)
    right = first.returncode == 0 and outcome == "equal"
    yield _case(
        "two at once: the first", "equal" if right else f"FINDING {outcome}: {told[-500:]}"
    )


def _full_for_all(bench: Bench) -> Iterator[Case]:
    if not bench.small_disk:
        yield _case("the disk stays full", "skipped: no disk of its own (needs root)")
        return
    from sitecustomize import fill

    job, process = _stopped_at_work(bench)
    ballast = bench.folder / "ballast"
    fill(ballast)
    os.killpg(process.pid, signal.SIGCONT)
    told, _ = process.communicate()
    ballast.unlink()
    bench.unlock()
    named = process.returncode != 0 and CAUSES["disk full"] in told.lower()
    said = "named: no space left" if named else f"FINDING {told[-500:]}"
    yield _case("the disk stays full", said)
    done = bench.snakemake(*job.output)
    outcome = bench.judged(job)
    right = done.returncode == 0 and outcome == "equal"
    yield _case("space again", "equal" if right else f"FINDING {outcome}: {done.stdout[-500:]}")


def _harmed_outputs(bench: Bench) -> Iterator[Case]:
    """Harm a file of each output of each rule; the record of the run has to tell all of them."""
    by_rule = {
        rule: one_of_each(bench.folder / name for name in job.output)
        for rule, job in bench.jobs.items()
        if rule != _RECORD
    }
    files = sorted({path for paths in by_rule.values() for path in paths})
    for damage in DAMAGES:
        with ExitStack() as harmed:
            for path in files:
                harmed.enter_context(damaged(path, damage))
            said = _verified(bench)
        for rule, paths in by_rule.items():
            unsaid = [name for path in paths if (name := bench.inside(path)) not in said]
            outcome = f"FINDING verify says nothing of {unsaid[:3]}" if unsaid else "named: verify"
            yield _case(f"outputs of {rule}: {damage}", outcome)
    for name in bench.jobs[_RECORD].output:
        path = next(files_of([bench.folder / name]))  # of a folder one will do
        for damage in DAMAGES:
            with damaged(path, damage):
                told = not _verified(bench).startswith("same: ")
            outcome = "named: verify" if told else "FINDING verify finds the record whole"
            yield _case(f"the record's {bench.inside(path)}: {damage}", outcome)


def _verified(bench: Bench) -> str:
    """Return what `gwmorph verify` says of the run, with all files by name."""
    run = bench.folder / "results" / bench.project.config["run"]["name"]
    try:
        checked = check(recorded_files(run, bench.folder), run)
    except GwmorphError as error:
        return str(error)
    return "\n".join(describe(checked, listed=checked.files))


# -- the walk -------------------------------------------------------------------------------------


def walk(out: Path, rules: list[str]) -> dict[str, Any]:
    """Disturb rules, all that are not done where none is named; return what came of all."""
    bench = Bench(out, small_disk=os.geteuid() == 0)
    (out / "rules").mkdir(exist_ok=True)
    for rule in rules or [*bench.jobs, WORKFLOW]:
        done = out / "rules" / f"{rule}.json"
        if done.exists() and not rules:
            continue
        cases = []
        for case in _cases(bench, rule):
            print(f"{rule}\t{case['fault']}\t{case['outcome']}", flush=True)
            cases.append(case)
        done.write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")
    return figures(out, [*bench.jobs, WORKFLOW])


def _cases(bench: Bench, rule: str) -> Iterator[Case]:
    if rule == WORKFLOW:
        yield from whole_workflow(bench)
        return
    parts: tuple[Callable[[Bench, Job], Iterator[Case]], ...] = (harmed_inputs, disturbed)
    for part in parts:
        bench.restore()
        yield from part(bench, bench.jobs[rule])


def figures(out: Path, expected: list[str]) -> dict[str, Any]:
    """Count outcomes by rule, and keep the figures."""
    by_rule = {
        rule: Counter(case["outcome"].split(":")[0].split()[0] for case in _kept(out, rule))
        for rule in expected
    }
    total = sum(by_rule.values(), Counter())
    result = {
        "rules": {
            rule: dict(sorted(counts.items())) for rule, counts in by_rule.items() if counts
        },
        "left": [rule for rule, counts in by_rule.items() if not counts],
        "cases": total.total() - total["skipped"],
        "findings": total["FINDING"],
        "outcomes": dict(sorted(total.items())),
    }
    (out / FIGURES).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _kept(out: Path, rule: str) -> list[Case]:
    path = out / "rules" / f"{rule}.json"
    found: list[Case] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return found


def table(found: dict[str, Any]) -> str:
    """Return the outcomes of each rule as a table in Markdown."""
    names = {"equal": "equal", "lineage": "equal rows", "named": "named error",
             "skipped": "skipped", "FINDING": "findings"}  # fmt: skip
    lines = [f"| rule | {' | '.join(names.values())} |", "|---" * (len(names) + 1) + "|"]
    for rule, counts in found["rules"].items():
        lines.append(f"| `{rule}` | {' | '.join(str(counts.get(n, 0)) for n in names)} |")
    return "\n".join(lines)


def main() -> None:
    """Disturb the rules that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rules", nargs="*", help=f"rules, or {WORKFLOW!r} for what befalls all")
    parser.add_argument("--out", default="cache/faults", help="what is kept of it (cache/faults)")
    arguments = parser.parse_args()
    out = Path(arguments.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and _INSIDE not in os.environ:
        # Nobody else sees the small disk; it and all that was started end with this process.
        os.environ[_INSIDE] = "1"
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp("unshare", [*alone, sys.executable, *sys.argv])
    found = walk(out, arguments.rules)
    print(table(found))
    print(f"{found['cases']} cases, {found['findings']} findings; left: {found['left'] or 'none'}")
    sys.exit(found["findings"] > 0)


if __name__ == "__main__":
    main()
