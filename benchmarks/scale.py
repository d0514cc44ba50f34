"""A run at its full size: three days of two detectors, from strain files to clusters and report.

Strain is simulated beforehand into GWOSC's files, which the run reads as a user's own; glitches
are so many that 15 % of H1's windows and 45 % of L1's hold a trigger, as in O3 (entries print how
many did). Measured is the wall time of ``snakemake --cores 2`` and of its report, everything else
as configured by default, but for the quiet windows, which are the run's own. ``make bench-scale``
makes all entries of this file, and prints what each stage took.

Run as a program this is the incumbent's way of a sample: ``python scale.py FILE WINDOWS``, which
prints the seconds of its stages as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import yaml

from gwmorph.batch.costs import Cost, costs_of
from gwmorph.batch.rules import rules_of
from harness import Entry, benchmark

ROOT = Path(__file__).parents[1]
SEED = 20190401
FOLDER = ROOT / "cache" / "scale"
START, BLOCK_S, WINDOW_S = 1238163456, 4096, 32  # O3 began here
BLOCKS = 64  # of each detector
# Factors on the rates in config/population.yaml.
RATE_SCALES = {"H1": 0.375, "L1": 1.03}
_INCUMBENT_WINDOWS = 12
# Whatever else a run has is one stage.
_STAGES = ("collect", "block", "embed", "cluster", "explorer")


@benchmark
def pipeline() -> Entry:
    """Windows a second, with the architecture of DINOv2, random weights, in bf16."""
    return _rate("pipeline", "bf16")


@benchmark
def pipeline_int8() -> Entry:
    """The same in int8."""
    return _rate("pipeline_int8", "int8")


@benchmark
def pipeline_shipped() -> Entry:
    """The same with the encoder that ships, which is the default."""
    return _rate("pipeline_shipped", "indomain")


@benchmark
def pipeline_vs_incumbent() -> Entry:
    """Milliseconds a window by default, all stages, beside the incumbent's without clusters."""
    return _against_incumbent("pipeline_vs_incumbent", "indomain")


@benchmark
def pipeline_vs_incumbent_bf16() -> Entry:
    """The same with both on one network, DINOv2's; ours in bf16."""
    return _against_incumbent("pipeline_vs_incumbent_bf16", "bf16")


@benchmark
def pipeline_cores() -> Entry:
    """How many times faster two cores are than one, 32 blocks."""
    one, two = _run("indomain", 16, 1), _run("indomain", 16, 2)
    return Entry("pipeline_cores", one.seconds / two.seconds, "", n=one.windows, seed=SEED)


@benchmark
def pipeline_blocks_8() -> Entry:
    """Windows a second in a run of 8 blocks."""
    return _rate("pipeline_blocks_8", "indomain", 4)


@benchmark
def pipeline_blocks_32() -> Entry:
    """Windows a second in a run of 32 blocks."""
    return _rate("pipeline_blocks_32", "indomain", 16)


def _rate(name: str, encoder: str, blocks: int = BLOCKS) -> Entry:
    run = _run(encoder, blocks, 2)
    print(f"{name}: {run.windows} windows, triggered {run.triggered}, {run.seconds:.0f} s")
    print(_table(run), flush=True)
    return Entry(name, run.windows / run.seconds, "windows/s", n=run.windows, seed=SEED)


def _against_incumbent(name: str, encoder: str) -> Entry:
    _require(encoder)
    before = _incumbent(0)
    run = _run(encoder, BLOCKS, 2)
    taken = [*before, *_incumbent(1)]
    peer = [sum(window.values()) for window in taken]
    for stage in taken[0]:
        print(f"incumbent, {stage}: {np.median([w[stage] for w in taken]):.3f} s a window")
    ours, other = 1000 * run.seconds / run.windows, 1000 * float(np.median(peer))
    return Entry(
        name, ours, "ms/window",
        peer="the incumbent's way of a window, two threads, without clusters; ms",
        peer_value=other, ratio=other / ours, n=len(peer), seed=SEED,
    )  # fmt: skip


# -- strain --------------------------------------------------------------------------------------


def _simulated(detector: str, block: int) -> str:
    from gwmorph.strain.simulated import SimulatedSource

    population = ROOT / "config" / "population.yaml"
    source = SimulatedSource(SEED, population, RATE_SCALES[detector], 1.0, 4096, FOLDER / "strain")
    (file,) = source.files(detector, block, block + BLOCK_S)
    return str(source.obtain(file).path)


@cache
def strain() -> dict[str, list[str]]:
    """Return the strain files of each detector, which are made unless they are there."""
    asked = [(d, START + i * BLOCK_S) for d in RATE_SCALES for i in range(BLOCKS)]
    with ProcessPoolExecutor(2) as pool:
        made = list(pool.map(_simulated, *zip(*asked, strict=True)))
    files = defaultdict(list)
    for (detector, _), path in zip(asked, made, strict=True):
        files[detector].append(path)
    return dict(files)


# -- our runs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """What a run of ``windows`` took [s]; the share of windows with a trigger, by detector."""

    windows: int
    seconds: float
    triggered: dict[str, float]
    stages: dict[str, Cost]


@cache
def _run(encoder: str, blocks: int, cores: int) -> _Run:
    """Run the workflow and its report in a fresh folder; ``blocks`` of each detector."""
    _require(encoder)
    folder = FOLDER / f"{encoder}-{blocks}-{cores}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "run.yaml").write_text(yaml.safe_dump(_config(encoder, blocks)), encoding="utf-8")
    start = perf_counter()
    _snakemake(folder, cores)
    _snakemake(folder, cores, "--report", "report.zip")
    seconds = perf_counter() - start
    results = folder / "results" / "scale"
    windows, triggered = _windows(results)
    return _Run(windows, seconds, triggered, _stages(results))


def _require(encoder: str) -> None:
    if encoder != "indomain":
        from encoders import require_precision

        require_precision(encoder)


def _config(encoder: str, blocks: int) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "run": {
            "name": "scale", "detectors": [*RATE_SCALES],
            "gps_start": START, "gps_end": START + blocks * BLOCK_S,
        },
        "source": {
            "kind": "directory",
            "directory": {"files": {d: files[:blocks] for d, files in strain().items()}},
        },
        "score": {"background": "run"},
    }  # fmt: skip
    if encoder != "indomain":
        from encoders import weights_folder

        weights = {"path": str(weights_folder())}
        raw["encoder"] = {"name": "dinov2", "precision": encoder, "weights": weights}
    return raw


def _snakemake(folder: Path, cores: int, *arguments: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    given = ["--configfile", "run.yaml", "--cores", str(cores), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    log = folder / "snakemake.log"
    with log.open("ab") as told:
        done = subprocess.run(
            [*command, *given], check=False, cwd=folder, env=environment, stderr=told
        )
    if done.returncode:
        raise RuntimeError(f"the run in {folder} failed: {log}")


def _windows(results: Path) -> tuple[int, dict[str, float]]:
    """Return how many windows were analysed, and the share of each detector's with a trigger."""
    import pyarrow.parquet as pq

    ledger = pq.read_table(results / "ledger", columns=["detector", "gps_start", "status"])
    analysed = ledger.to_pandas().query("status == 'analysed'")
    triggers = pq.read_table(results / "triggers.parquet").to_pandas().query("found_by == 'tile'")
    hit = set(zip(triggers["detector"], triggers["gps_start"], strict=True))
    return len(analysed), {
        detector: round(float(np.mean([(detector, t) in hit for t in own["gps_start"]])), 3)
        for detector, own in analysed.groupby("detector")
    }


def _stages(results: Path) -> dict[str, Cost]:
    """Return what the jobs of each stage took and held."""
    rules = rules_of(ROOT / "workflow" / "rules")
    found: dict[str, list[Cost]] = defaultdict(list)
    for cost in costs_of(results, rules).by_rule:
        found[cost.rule if cost.rule in _STAGES else "all others"].append(cost)
    return {stage: _together(stage, costs) for stage, costs in found.items()}


def _together(stage: str, costs: list[Cost]) -> Cost:
    return Cost(
        stage,
        sum(cost.jobs for cost in costs),
        sum(cost.wall_s for cost in costs),
        None,  # of long jobs Snakemake does not see the end
        max(cost.longest_s for cost in costs),
        max(cost.peak_mb or 0.0 for cost in costs),
    )


def _table(run: _Run) -> str:
    lines = ["stage | jobs | s, summed over jobs | longest s | peak MB", "---|---|---|---|---"]
    for stage in (*_STAGES, "all others"):
        cost = run.stages[stage]
        numbers = cost.jobs, cost.wall_s, cost.longest_s, cost.peak_mb
        lines.append(" | ".join([stage, *(f"{number:.0f}" for number in numbers)]))
    return "\n".join(lines)


# -- the incumbent's way --------------------------------------------------------------------------


def _incumbent(part: int) -> list[dict[str, float]]:
    """Return the seconds of its stages for some windows of a file, in a process of its own."""
    call = [sys.executable, __file__, strain()["H1"][part], str(_INCUMBENT_WINDOWS)]
    own = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True, env=own)
    found: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _sample(path: Path, windows: int) -> None:
    from incumbent import way_of_a_window
    from scan import strain_of

    values, step = strain_of(path), way_of_a_window()
    step(values, 0)
    print(json.dumps([step(values, i) for i in range(1, windows + 1)]))


if __name__ == "__main__":
    _sample(Path(sys.argv[1]), int(sys.argv[2]))
