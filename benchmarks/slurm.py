"""What a run through a real SLURM costs, which is started for it as ``make test-slurm`` does.

Needs slurm-wlm and munge, and the plugin: run ``make test-slurm`` first.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from harness import Entry, benchmark

ROOT = Path(__file__).parents[1]
REPEATS = 3
_PLUGIN = ROOT / ".venv" / "slurm"
sys.path += [str(ROOT / "tests" / part) for part in ("slurm", "workflow", ".")] + [str(_PLUGIN)]


@benchmark
def slurm_run() -> Entry:
    """Seconds of a run of two blocks through SLURM, whose queue is empty and often asked."""
    os.environ["PYTHONPATH"] = str(_PLUGIN)
    from small_slurm import small_slurm
    from through_slurm import SMALL
    from workflow_project import build

    with tempfile.TemporaryDirectory() as name, small_slurm(cpus=2, memory_mb=24_000) as slurm:
        pairs = []
        for number in range(REPEATS):
            local, other = (
                build(Path(name) / f"{kind}{number}").change(**SMALL)
                for kind in ("local", "slurm")
            )
            pairs.append((_submitted(other, slurm), _local(local)))
    ours, peer = np.transpose(pairs)
    return Entry(
        "slurm_run", float(np.median(ours)), "s", float(ours.min()), float(ours.max()),
        peer="the same run without it; s", peer_value=float(np.median(peer)),
        ratio=float(np.median(peer / ours)), n=REPEATS,
    )  # fmt: skip


def _submitted(project: Any, slurm: Any) -> float:
    from through_slurm import ended, started

    start = perf_counter()
    code, told = ended(started(project, slurm, "all"), project)
    if code:
        raise RuntimeError(told)
    return perf_counter() - start


def _local(project: Any) -> float:
    start = perf_counter()
    subprocess.run(
        project.command("all"), cwd=project.folder, env=project.environment, check=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return perf_counter() - start
