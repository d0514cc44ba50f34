"""What ``make fuzz`` found, by what it keeps in ``cache/fuzz``; what it has not read is read."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from harness import Entry, benchmark

ROOT = Path(__file__).parents[1]
SEED = 1


@benchmark
def fuzz_inputs() -> Entry:
    """Damaged and odd inputs that each reader of outside bytes was given; the fewest."""
    counts = [result["inputs"] for result in _results()]
    return Entry("fuzz_inputs", min(counts), f"inputs for each of {len(counts)} readers",
                 min(counts), max(counts), n=sum(counts), seed=SEED)  # fmt: skip


@benchmark
def fuzz_findings() -> Entry:
    """Crashes, hangs, and what was accepted that fails its schema, its checksum or its bounds."""
    results = _results()
    found = sum(
        sum(result["findings"].values()) + sum(result["deaths"].values()) for result in results
    )
    return Entry("fuzz_findings", found, "", n=sum(r["inputs"] for r in results), seed=SEED)


@benchmark
def fuzz_slowest() -> Entry:
    """The longest that a reader took over one input."""
    results = _results()
    return Entry(
        "fuzz_slowest", max(result["slowest_s"] for result in results), "s",
        n=sum(result["inputs"] for result in results), seed=SEED,
    )  # fmt: skip


@cache
def _results() -> list[dict[str, Any]]:
    made = subprocess.run(["make", "fuzz"], cwd=ROOT, check=False, stdout=sys.stderr)
    files = sorted((ROOT / "cache" / "fuzz").glob("*/result.json"))
    if made.returncode not in (0, 2) or not files:  # 2: it found something
        raise RuntimeError(f"make fuzz ended with {made.returncode} and left {len(files)} results")
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]
