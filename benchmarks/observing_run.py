"""What it takes to lay out the jobs of a whole observing run, and to start them.

Plans are kept beforehand, as a run keeps what a source answered: nobody is asked.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import yaml
from igwn_segments import segment, segmentlist

from gwmorph.config import Config, parse_config
from gwmorph.grid import BLOCK_S, Grid
from gwmorph.plan import keep_plan, make_plan
from gwmorph.results import claim_folder
from gwmorph.segments import clip, read_segments
from gwmorph.strain.base import StrainFile
from harness import DATA, Entry, benchmark

ROOT = Path(__file__).parents[1]
SEED = 20230524
REPEATS = 3
DETECTORS = ("H1", "L1")
_SPAN = "gps_start", "gps_end"
# O1, whose segment lists are public; and as long as O4a, from the day on which that began.
_O1 = 1126051217, 1137254417
_O4A = 1368975618, 1368975618 + 237 * 86400
# ASSUME: hours in which a detector observes, and in which it does not, are drawn from exponential
# distributions. These means give a duty cycle of 0.69 and the 870,000 windows of two detectors.
_LOCKED_S, _UNLOCKED_S = 6.9 * 3600, 3.1 * 3600
_FRACTIONS = (1 / 8, 1 / 4, 1 / 2, 1.0)
_STARTING_S = 120  # for how long jobs are started, from the first on
# In the place of the scripts of a block, so that what is timed is Snakemake alone.
_EMPTY = """
from pathlib import Path

for output in map(Path, snakemake.output):
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("{}") if output.suffix else output.mkdir()
"""


@dataclass(frozen=True)
class _Spans:
    """A source of strain whose segments are known, and whose files nobody will ask for."""

    science: dict[str, segmentlist]

    def segments(self, detector: str, start: int, end: int) -> segmentlist:
        """Return the segments inside ``[start, end)``."""
        return clip(self.science[detector], start, end)

    def files(self, detector: str, start: int, end: int) -> list[StrainFile]:
        """Return a file of 4096 s for each block, as GWOSC names them."""
        first = start // BLOCK_S * BLOCK_S
        return [
            StrainFile(
                detector, block, BLOCK_S, 4096,
                "https://gwosc.org/archive/data/"
                f"{detector[0]}-{detector}_GWOSC_4KHZ_R1-{block}-{BLOCK_S}.hdf5",
            )
            for block in range(first, end, BLOCK_S)
        ]  # fmt: skip


@benchmark
def dag_o1() -> Entry:
    """Seconds in which the whole of O1 is laid out, with its real segments."""
    lists = {d: DATA / "segments" / f"O1_{d}_dq_noinj_segments.txt" for d in DETECTORS}
    science = {detector: read_segments(path) for detector, path in lists.items()}
    with _planned(science, _O1) as (folder, blocks):
        took = sorted(_laid_out(folder).seconds for _ in range(REPEATS))
    return Entry(
        "dag_o1", took[1], f"s, {blocks} blocks", took[0], took[-1], n=REPEATS
    )  # fmt: skip


@benchmark
def dag_o4a() -> Entry:
    """Seconds in which a run as long as O4a is laid out."""
    took = sorted(found.seconds for found in _o4a(1.0).found)
    return Entry(
        "dag_o4a", took[len(took) // 2], f"s, {_o4a(1.0).blocks} blocks", took[0], took[-1],
        n=len(took), seed=SEED,
    )  # fmt: skip


@benchmark
def dag_o4a_memory() -> Entry:
    """Peak memory of the same."""
    peaks = sorted(found.peak_mb for found in _o4a(1.0).found)
    return Entry("dag_o4a_memory", peaks[-1], "MB", peaks[0], peaks[-1], n=len(peaks), seed=SEED)


@benchmark
def dag_growth() -> Entry:
    """Exponent of that time's growth with the number of blocks: 1 is proportional to it."""
    sizes = [_o4a(fraction) for fraction in _FRACTIONS]
    blocks = np.log([size.blocks for size in sizes])
    seconds = np.log([min(found.seconds for found in size.found) for size in sizes])
    steps = np.diff(seconds) / np.diff(blocks)
    return Entry(
        "dag_growth", float(np.polyfit(blocks, seconds, 1)[0]), "",
        float(steps.min()), float(steps.max()), n=len(sizes), seed=SEED,
    )  # fmt: skip


@benchmark
def job_start() -> Entry:
    """Seconds from one job's start to the next's, on two cores, of jobs that do nothing."""
    # An eighth is enough for thousands of jobs that wait, and is laid out in seconds.
    span = _O4A[0], _O4A[0] + int(_FRACTIONS[0] * (_O4A[1] - _O4A[0]))
    with _planned(_locks(), span) as (folder, blocks):
        ours = _started(folder)
    with _planned(_locks(), span) as (folder, _):
        peer = _started(folder, "--scheduler", "ilp", "--scheduler-subsample", "1000000")
    return Entry(
        "job_start", float(ours.mean()), f"s, {blocks} blocks", float(ours.min()),
        float(ours.max()), peer="Snakemake's default scheduler", peer_value=float(peer.mean()),
        ratio=float(peer.mean() / ours.mean()), n=len(ours), seed=SEED,
    )  # fmt: skip


# -- plans -------------------------------------------------------------------------------------


def _locks() -> dict[str, segmentlist]:
    """Return drawn segments of each detector."""
    rng = np.random.default_rng(SEED)
    science = {}
    for detector in DETECTORS:
        means = np.tile([_LOCKED_S, _UNLOCKED_S], 2000)
        edges = _O4A[0] + np.cumsum(rng.exponential(means).astype(int) + 1)
        pairs = np.r_[_O4A[0], edges[:-1]].reshape(-1, 2)
        science[detector] = segmentlist(segment(int(start), int(stop)) for start, stop in pairs)
    return science


@contextmanager
def _planned(science: dict[str, segmentlist], span: tuple[int, int]) -> Iterator[tuple[Path, int]]:
    """Yield a folder with a configuration and its plan, and how many blocks that has."""
    raw = {
        "run": {"name": "run", "detectors": [*DETECTORS]} | dict(zip(_SPAN, span, strict=True)),
        "source": {"kind": "gwosc"},
    }
    config = parse_config(raw)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "config", folder / "config")
        (folder / "run.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
        results = folder / "results" / "run"
        plan, kept = make_plan(
            results / "plan",
            config.run, config.source, _grid(config), lambda source: _Spans(science),
        )  # fmt: skip
        claim_folder(results)
        keep_plan(results / "plan", kept)
        yield folder, sum(len(one.blocks) for one in plan.values())


def _grid(config: Config) -> Grid:
    return Grid(config.window.duration_s, config.window.stride_s, config.window.context_s)


# -- laying out --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _LaidOut:
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class _Size:
    blocks: int
    found: list[_LaidOut]


@cache
def _o4a(fraction: float) -> _Size:
    span = _O4A[0], _O4A[0] + int(fraction * (_O4A[1] - _O4A[0]))
    with _planned(_locks(), span) as (folder, blocks):
        return _Size(blocks, [_laid_out(folder) for _ in range(REPEATS)])


def _laid_out(folder: Path) -> _LaidOut:
    """Lay out all jobs, as ``snakemake --dry-run`` does, in a process of its own."""
    start = perf_counter()
    process = _snakemake(ROOT, folder, "--dry-run")
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the dry run in {folder} failed with status {status}")
    return _LaidOut(perf_counter() - start, used.ru_maxrss * 1024 / 1e6)


def _snakemake(house: Path, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(house / "Snakefile")]
    given = ["--configfile", "run.yaml", "--cores", "2", "--quiet", "all"]
    return subprocess.Popen(
        [*command, *given, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(house / "src")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


# -- starting jobs -------------------------------------------------------------------------------


def _started(folder: Path, *arguments: str) -> np.ndarray:
    """Return seconds from one empty job's end to the next's: means of four parts of the time."""
    house = folder / "house"
    house.mkdir()
    shutil.copy(ROOT / "Snakefile", house)
    for part in ("workflow", "scripts", "src", "envs"):
        shutil.copytree(ROOT / part, house / part)
    (house / "profiles").symlink_to("workflow/profiles")
    for script in ("download", "block"):
        (house / "scripts" / f"{script}.py").write_text(_EMPTY, encoding="utf-8")
    process = _snakemake(house, folder, "--until", "block", *arguments)
    marks = folder / "results" / "run" / "benchmarks"
    while not any(marks.rglob("*.tsv")):
        if process.poll() is not None:
            raise RuntimeError(f"no job was started in {folder}")
        sleep(1)
    sleep(_STARTING_S)
    process.terminate()
    process.wait()
    ends = sorted(path.stat().st_mtime for path in marks.rglob("*.tsv"))
    return np.array([part.mean() for part in np.array_split(np.diff(ends), 4)])
