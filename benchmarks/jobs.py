"""What a job costs beside its work, and what the whole demo run takes, against an older revision.

Run as a program this is the process that a block's work is timed in: ``python jobs.py FOLDER``.
"""

import csv
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gwmorph.config import Config, RunConfig
from gwmorph.grid import BLOCK_S
from harness import Entry, benchmark, seconds

ROOT = Path(__file__).parents[1]
SEED = 2  # of the simulated strain, as configured
NAME, DETECTOR = "bench", "H1"
START = Config().run.gps_start
# The demo before quiet windows were kept and imports and medians were mended.
OLDER = "37c8f84"
_JOBS, _RUNS = 5, 3
# pyarrow and others import pandas where they find it; `make run` does not install it.
_WITHOUT_PANDAS = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *where: None if name == "pandas" else find(name, *where)
"""
sys.path.insert(0, str(ROOT / "scripts"))


@benchmark
def block_job_overhead() -> Entry:
    """A block job's time, as Snakemake's benchmark file has it, over the time of its work.

    The work is the same call in a process that has made it before: all is imported, compiled
    functions are loaded, tiles are laid. Strain and compiled functions are in their caches.
    """
    with _project(ROOT) as folder:
        _block_job(folder)
        pairs = np.array([(_block_job(folder), _block_work(folder)) for _ in range(_JOBS)])
    overhead = pairs[:, 0] / pairs[:, 1]
    return Entry(
        "block_job_overhead", float(np.median(overhead)), "",
        float(overhead.min()), float(overhead.max()),
        peer="the work alone, in a process that has done it before; s",
        peer_value=float(np.median(pairs[:, 1])), n=_JOBS, seed=SEED,
    )  # fmt: skip


@benchmark
def make_run_fresh() -> Entry:
    """The demo run, its report and its summary, with an empty cache."""
    return _against_older("make_run_fresh", cached=False)


@benchmark
def make_run_cached() -> Entry:
    """The same with all in the cache that another run of the same revision leaves there."""
    return _against_older("make_run_cached", cached=True)


@contextmanager
def _project(house: Path) -> Iterator[Path]:
    """Yield a folder to run the workflow of a checkout in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(house / "config", folder / "config")
        (folder / "without").mkdir()
        (folder / "without" / "sitecustomize.py").write_text(_WITHOUT_PANDAS, encoding="utf-8")
        yield folder


def _block_job(folder: Path) -> float:
    """Return the wall time (s) of the job of one block, run by Snakemake."""
    results = folder / "results" / NAME
    ledger = f"{DETECTOR}-GWMORPH_LEDGER-{START}-{BLOCK_S}.parquet"
    run = {"name": NAME, "detectors": f"[{DETECTOR}]", "gps_end": START + BLOCK_S}
    _snakemake(
        ROOT, folder,
        "--force", (results / "ledger" / ledger).relative_to(folder).as_posix(),
        "--config", "run={" + ", ".join(f"{key}: {value}" for key, value in run.items()) + "}",
    )  # fmt: skip
    with (results / "benchmarks" / "block" / f"{DETECTOR}-{START}.tsv").open(
        encoding="utf-8"
    ) as table:
        (row,) = csv.DictReader(table, delimiter="\t")
    return float(row["s"])


def _block_work(folder: Path) -> float:
    command = [sys.executable, __file__, str(folder)]
    done = subprocess.run(
        command, check=True, cwd=folder, env=_environment(ROOT, folder), stdout=subprocess.PIPE
    )
    return float(done.stdout)


def _work(folder: Path) -> float:
    """Return the time (s) of a block's work, once it has been done."""
    from block import block

    config = Config(run=RunConfig(detectors=[DETECTOR], gps_end=START + BLOCK_S))

    def work() -> None:
        with tempfile.TemporaryDirectory() as name:
            target = Path(name)
            block(
                [folder / "results" / NAME / "strain" / DETECTOR / f"{START}.json"],
                folder / config.source.cache,
                DETECTOR,
                START,
                [(START, START + BLOCK_S)],
                config.window.model_dump(),
                {
                    name: getattr(config, name).model_dump()
                    for name in ("conditioning", "qtransform", "picture")
                },
                config.events.model_dump(exclude={"parts"}),
                *(target / table for table in ("ledger", "measurements", "triggers")),
                target / "pictures",
                target / "events",
            )

    work()
    return seconds(work)


def _against_older(name: str, cached: bool) -> Entry:
    """Run the demo of this and of the older revision in turn; user and system time."""
    with _checkout() as older, _project(ROOT) as ours, _project(older) as theirs:
        sides = ((ROOT, ours), (older, theirs))
        if cached:
            for side in sides:
                _demo_seconds(*side, cached)
        pairs = [[_demo_seconds(*side, cached) for side in sides] for _ in range(_RUNS)]
    own, others = np.transpose(pairs)
    return Entry(
        name, float(np.median(own)), "s of processor time", float(own.min()), float(own.max()),
        peer=f"the demo at revision {OLDER}", peer_value=float(np.median(others)),
        ratio=float(np.median(others / own)), n=_RUNS, seed=SEED,
    )  # fmt: skip


@contextmanager
def _checkout() -> Iterator[Path]:
    """Yield a folder with the older revision."""
    with tempfile.TemporaryDirectory() as name:
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", name, OLDER], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run([*git, "remove", "--force", name], check=True)


def _demo_seconds(house: Path, folder: Path, cached: bool) -> float:
    """Return user and system time (s) of the demo run, its report and its summary."""
    results = folder / "results"
    for old in (results, folder / ".snakemake", *([] if cached else [folder / "cache"])):
        shutil.rmtree(old, ignore_errors=True)
    before = _children_seconds()
    _snakemake(house, folder)
    _snakemake(house, folder, "--report", "report.zip")
    summary = ["-c", "from gwmorph.cli import main; main()", "summary", "results/demo"]
    _python(house, folder, *summary)
    return _children_seconds() - before


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _snakemake(house: Path, folder: Path, *arguments: str) -> None:
    snakefile = str(house / "Snakefile")
    _python(house, folder, "-m", "snakemake", "--cores", "1", "-s", snakefile, *arguments)


def _python(house: Path, folder: Path, *arguments: str) -> None:
    command = [sys.executable, *arguments]
    environment = _environment(house, folder)
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}")


def _environment(house: Path, folder: Path) -> dict[str, str]:
    places = (house / "src", folder / "without")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}


if __name__ == "__main__":
    print(_work(Path(sys.argv[1])))
