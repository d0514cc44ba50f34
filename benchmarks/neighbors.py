"""What the nearest rows of all rows cost, as the explorer shows them: time, memory, growth.

Vectors are unit normals of 384 numbers, drawn at random: how long it takes hangs on their number,
hardly on their place. Run as a program this is the process that is measured:
``python neighbors.py ROWS``.
"""

import json
import subprocess
import sys
from functools import cache
from time import process_time

import numpy as np

from gwmorph.morphology.neighbors import nearest_others
from harness import Entry, benchmark
from memory import peak_mb

SEED = 150914
WIDTH, COUNT = 384, 8
REPEATS = 3


@benchmark
def neighbors_100k() -> Entry:
    """Seconds of one core for the eight nearest of each of 100,000 vectors, exactly."""
    return _time("neighbors_100k", 100_000)


@benchmark
def neighbors_50k() -> Entry:
    """The same of 50,000."""
    return _time("neighbors_50k", 50_000)


@benchmark
def neighbors_100k_memory() -> Entry:
    """What that process needs beside the vectors: peak less what it had before, in MB."""
    needed = sorted(one["mb"] for one in _measured(100_000))
    return Entry("neighbors_100k_memory", needed[len(needed) // 2], "MB", needed[0], needed[-1],
                 n=REPEATS, seed=SEED)  # fmt: skip


def _time(name: str, rows: int) -> Entry:
    times = sorted(one["seconds"] for one in _measured(rows))
    return Entry(name, times[len(times) // 2], "s of one core", times[0], times[-1],
                 n=REPEATS, seed=SEED)  # fmt: skip


@cache
def _measured(rows: int) -> list[dict[str, float]]:
    command = [sys.executable, __file__, str(rows)]
    return [
        json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        for _ in range(REPEATS)
    ]


def _found(rows: int) -> dict[str, float]:
    vectors = np.random.default_rng(SEED).standard_normal((rows, WIDTH), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    before, start = peak_mb(), process_time()
    nearest_others(vectors, COUNT)
    return {"seconds": process_time() - start, "mb": peak_mb() - before}


if __name__ == "__main__":
    print(json.dumps(_found(int(sys.argv[1]))))
