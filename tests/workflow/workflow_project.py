"""A small run of the real workflow in a folder of its own, to change and run again."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gwosc_files import gwosc_file_name, write_gwosc_file

ROOT = Path(__file__).resolve().parents[2]
# Tests in the background of a shell ignore Ctrl-C, and so would what they start: this begins a
# program so that it hears it.
HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
HOUSE = ("Snakefile", "workflow", "profiles", "scripts", "config", "envs", "locks", "src")
FIRST = 1262301184  # GPS start of block 0
BLOCK_S = 4096
RATE = 2048
HALF_S = 96  # strain exists this long on both sides of each border between blocks
DETECTORS = ("H1", "L1")
RUN = {
    "run": {
        "name": "t",
        "detectors": list(DETECTORS),
        "gps_start": FIRST,
        "gps_end": FIRST + 3 * BLOCK_S,
    },
    "source": {"kind": "directory"},
    "conditioning": {"sample_rate": RATE, "high_hz": 800.0},
    "picture": {"height": 28, "width": 28},
    "encoder": {"name": "dct"},
    "score": {"quiet_windows": 100, "false_alarm_fraction": 0.02},
    "clustering": {"umap": {"neighbors": 5}, "mixture": {"components": 3, "starts": 1}},
}
# Stability with nothing changed; a test changes what it asks about.
UNCHANGED = {
    "seeds": 0,
    "bootstraps": 0,
    **{
        name: []
        for name in (
            "neighbors", "min_dist", "dimensions", "pca_components", "components",
            "concentration", "covariance_scale",
        )
    },
}  # fmt: skip
# Of each kind; what they do is tested without Snakemake.
CHANGES = ["greyscale", "gain_each", "q_range", "precision"]
# A run with labels, and a validation and a calibration that take little time.
LABELLED = {
    # Of so little strain there are too few events to cluster.
    "clustering": {"views": ["window"]},
    "validation": {
        "rows": 50,
        "repeats": 20,
        "permutations": 19,
        "ablation": {"rows": 50, "blocks": 6, "changes": CHANGES},
        "similarity": {"labels": "labels.csv", "neighbors": 3, "gap_s": 64.0},
        "stability": {**UNCHANGED, "seeds": 1, "bootstraps": 1, "neighbors": [6]},
    },
    "calibration": {"rate": 0.1, "rates": [0.2], "resplits": 3},
}
# What is none of the workflow's business: a notebook's backend, and a locale that is not UTF-8.
SURROUNDINGS = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
}
# What snakemake itself leaves, and what holds times of this execution.
_NOT_RESULTS = re.compile(r"/(logs|benchmarks)/|\.snakemake_timestamp$")


def border(number: int) -> int:
    """GPS time of the border between block ``number`` and the next one."""
    return FIRST + (number + 1) * BLOCK_S


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = merged(old, value) if both else value
    return result


def labels_in_every_window() -> str:
    """Gravity Spy's columns: two classes in turn, one label in each window of either detector."""
    rows = ["GPStime,ifo,label,confidence,id,snr,peakFreq"]
    for number in range(4):
        for place, second in enumerate(range(-80, 81, 32)):
            for detector in DETECTORS:
                name = f"{detector}{number}{place}"
                label = ("Blip", "Whistle")[place % 2]
                rows.append(f"{border(number) + second},{detector},{label},0.9,{name},9,100")
    return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class Project:
    """A copy of the house in a folder of its own, with one configuration."""

    folder: Path
    config: dict[str, Any]

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        (self.folder / "run.yaml").write_text(yaml.safe_dump(self.config))
        call = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nocolor"]
        return [*call, *arguments, "--configfile", "run.yaml"]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **SURROUNDINGS, "PYTHONPATH": str(self.folder / "src")}

    def snakemake(self, *arguments: str, cores: int = 2) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments, cores=cores),
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
            check=False,
        )

    def make(self, *arguments: str, cores: int = 2) -> str:
        """Run snakemake, which must succeed, and return what it printed."""
        done = self.snakemake(*arguments, cores=cores)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def would_run(self) -> list[str]:
        """Jobs that snakemake would run now, as their messages with blocks counted from 0."""
        return self.would_run_for()

    def would_run_for(self, *targets: str) -> list[str]:
        """Jobs that snakemake would run now for some targets, as `would_run` returns them."""
        printed = self.make(*targets, "--dry-run")
        jobs = re.findall(r"^Job \d+: (?!Asking for)(.+)$", printed, flags=re.MULTILINE)
        if not jobs:
            assert "Nothing to be done" in printed
        return sorted(
            re.sub(r"block (\d+)", lambda m: f"block {(int(m[1]) - FIRST) // BLOCK_S}", job)
            for job in jobs
        )

    def change(self, **sections: Any) -> "Project":
        return Project(self.folder, merged(self.config, sections))

    def results(self, run: str = "t") -> dict[str, str]:
        """Hash of every result of a run by its path."""
        root = self.folder / "results" / run
        return {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not _NOT_RESULTS.search(path.as_posix())
        }

    def times(self) -> dict[str, int]:
        return {
            path.as_posix(): path.stat().st_mtime_ns
            for path in (self.folder / "results").rglob("*")
        }


def _write_strain(folder: Path) -> None:
    folder.mkdir()
    for seed, detector in enumerate(DETECTORS):
        for number in range(4):
            rng = np.random.default_rng([seed, number])
            start = border(number) - HALF_S
            values = 1e-21 * rng.standard_normal(2 * HALF_S * RATE)
            middle = len(values) // 2 + rng.integers(-RATE * 60, RATE * 60)
            values[middle : middle + 64] += 3e-20 * np.hanning(64)
            name = gwosc_file_name(detector, start, duration=2 * HALF_S, sample_rate=RATE)
            write_gwosc_file(folder / name, detector, start, values, RATE)


def _write_segments(folder: Path) -> None:
    folder.mkdir()
    rows = [f"{border(number) - HALF_S} {border(number) + HALF_S}" for number in range(4)]
    for detector in DETECTORS:
        (folder / f"{detector}.txt").write_text("\n".join(rows) + "\n")


def build(folder: Path) -> Project:
    """Copy the house, and write strain and segments beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in HOUSE:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    _write_strain(folder / "data")
    _write_segments(folder / "segments")
    return Project(folder, configuration())


def configuration() -> dict[str, Any]:
    """The configuration of what `build` wrote."""
    directory = {
        "files": {d: [f"data/{d[0]}-{d}_*.hdf5"] for d in DETECTORS},
        "segments": {d: f"segments/{d}.txt" for d in DETECTORS},
    }
    return merged(RUN, {"source": {"directory": directory}})


def copied(project: Project, folder: Path) -> Project:
    """Copy a project with its results, times of files included."""
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder, project.config)


def share_compiled(made: Project, project: Project) -> None:
    """Give a project what another one compiled of the same sources, which takes 17 s of a run.

    Python and Numba use none of it for a module with another size or another time of change.
    """
    source = made.folder / "src"
    for kept in source.rglob("__pycache__"):
        place = project.folder / "src" / kept.relative_to(source)
        shutil.copytree(kept, place, dirs_exist_ok=True)
