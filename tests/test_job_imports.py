"""What a job imports is paid for by every block of a run."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
HEAVY = {
    "matplotlib",
    "pandas",
    "scipy.optimize",
    "scipy.signal",
    "scipy.stats",
    "sklearn",
    "torch",
    "umap",
}


# Those that a run has many of, and those that would import nothing else that takes long.
JOBS = ["block", "simulate", "truth", "quiet", "triggers", "verdict"]


def imported(script: str) -> set[str]:
    """All modules that a process has after importing a rule's script."""
    program = f"import sys; import {script}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True, cwd=SCRIPTS, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize("script", JOBS)
def test_jobs_import_nothing_heavy_that_they_do_not_need(script):
    assert not imported(script) & HEAVY
