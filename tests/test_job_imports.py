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
# Those that look at rows which are laid out already.
LAYING_NOTHING_OUT = ["explorer", "limits", "statuses"]


def imported(program: str) -> set[str]:
    """All modules that a process has after running a program among the rules' scripts."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        check=True, cwd=SCRIPTS, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize("script", JOBS)
def test_jobs_import_nothing_heavy_that_they_do_not_need(script):
    assert not imported(f"import {script}") & HEAVY


@pytest.mark.parametrize("script", LAYING_NOTHING_OUT)
def test_jobs_that_lay_nothing_out_import_no_umap(script):
    assert not imported(f"import {script}") & {"umap", "pynndescent"}


def test_reading_the_rules_imports_nothing_heavy():
    """Every call of Snakemake waits for it, a dry run as well."""
    root = SCRIPTS.parent
    lines = {
        line
        for path in (root / "Snakefile", *(root / "workflow" / "rules").glob("*.smk"))
        for line in path.read_text().splitlines()
        if line.startswith(("from gwmorph", "import gwmorph"))
    }
    assert len(lines) > 20
    assert not imported("\n".join(sorted(lines))) & HEAVY
