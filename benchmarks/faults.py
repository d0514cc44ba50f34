"""What is left of a run after a fault in each of its rules: the figures of ``make faults``."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness import Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
WALK = ROOT / "tests" / "faults" / "faults.py"
FIGURES = ROOT / "cache" / "faults" / "figures.json"


@benchmark
def faults_findings() -> Entry:
    """Faults after which bytes are others, or files are left, and nobody says so."""
    found = _walked()
    return Entry(
        "faults_findings", found["findings"], f"faults, {_extent(found)}", n=found["cases"]
    )


@benchmark
def faults_named() -> Entry:
    """Faults that end in an error which names the cause; after the others bytes are equal."""
    found = _walked()
    named = found["outcomes"].get("named", 0)
    return Entry("faults_named", named, f"faults, {_extent(found)}", n=found["cases"])


def _extent(found: dict[str, Any]) -> str:
    done, left = len(found["rules"]), len(found["left"])
    return f"in {done} of {done + left} rules (the whole workflow counts as one)"


def _walked() -> dict[str, Any]:
    """Return the figures of the last walk; walk first where there was none: it takes an hour."""
    if not FIGURES.exists():
        # Threads are as the workflow sets them, not as this process has them.
        threads = {name: value for name, value in os.environ.items() if "_THREADS" not in name}
        call = [sys.executable, str(WALK), "--out", str(FIGURES.parent)]
        subprocess.run(call, env=threads, stdout=sys.stderr, check=False)
    found: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found
