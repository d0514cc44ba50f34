"""Fuzz every reader of outside bytes (``make fuzz``), each in processes of its own.

Two kinds of input, from a seed: good files whose bytes are changed, guided by what of the
reader's code they reach (libFuzzer, through Atheris); and files that are whole and odd inside
(Hypothesis). A process that dies or hangs is a finding, and the next one goes on. What was done
already is not done again: remove ``--out`` to begin anew. ::

    python tests/fuzz/fuzz.py                    # all readers
    python tests/fuzz/fuzz.py segments frames --inputs 100000
"""

import argparse
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent), str(HERE.parents[1] / "benchmarks")]

ODD_SHARE = 0.2  # of the inputs
# Longer than this in one input is a hang.
HANG_S = 20
MEMORY_MIB = 6144
_MOST_DEATHS = 20
# Without an input for so long, a process hangs before libFuzzer can say so.
_SILENT_S = 300
INPUTS = "inputs.tsv"
# What is instrumented: the readers' own modules, and the parsers in Python under them. Modules
# with functions that Numba compiles cannot be.
INSTRUMENTED = [
    "gwmorph.batch.benchmarks",
    "gwmorph.config", "gwmorph.encoders.dinov2", "gwmorph.encoders.network_file",
    "gwmorph.encoders.tensor_file", "gwmorph.encoders.weights", "gwmorph.evidence.catalog",
    "gwmorph.evidence.chirp_noise", "gwmorph.evidence.chirp_windows", "gwmorph.hdf5_files",
    "gwmorph.jobs",
    "gwmorph.labels", "gwmorph.learning.labelled_pictures", "gwmorph.learning.pairs",
    "gwmorph.learning.picture_sources", "gwmorph.morphology.atlas", "gwmorph.morphology.manifest",
    "gwmorph.picture_files", "gwmorph.plan", "gwmorph.provenance.hashes",
    "gwmorph.provenance.times",
    "gwmorph.scanner.record", "gwmorph.scanner.summary", "gwmorph.segments",
    "gwmorph.simulation.population", "gwmorph.spectra.gravityspy", "gwmorph.spectra.pictures",
    "gwmorph.spectra.plot_area", "gwmorph.storage", "gwmorph.strain", "gwmorph.tables.parquet",
    "PIL.PngImagePlugin", "gwosc", "yaml",
]  # fmt: skip


# -- in the process that reads ----------------------------------------------------------------


def work(arguments: argparse.Namespace) -> None:
    """Read inputs until there were enough of them."""
    import atheris
    import hypothesis  # noqa: F401  (not instrumented)

    logging.disable()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    trial = Trial(Path(arguments.out))
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        trial.load(arguments.work)
    done = len(_lines(trial.out))
    if (odd := round(ODD_SHARE * arguments.inputs) - done) > 0:
        _odd(trial, odd, arguments.seed)
        done = len(_lines(trial.out))
    corpus = trial.out / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, content in enumerate(trial.reader.seeds()):
        (corpus / f"seed{number}").write_bytes(content)
    longest = max(map(len, trial.reader.seeds()))
    atheris.Setup(
        [
            "fuzz", str(corpus), f"-runs={arguments.inputs - done}", f"-seed={arguments.seed}",
            f"-max_len={max(4096, longest + 256)}", "-len_control=0", f"-timeout={HANG_S}",
            f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={trial.out}/", "-verbosity=0",
            "-print_final_stats=0", "-print_pcs=0",
        ],
        trial,
    )  # fmt: skip
    atheris.Fuzz()


def _odd(trial: "Trial", inputs: int, seed: int) -> None:
    import hypothesis

    settings = hypothesis.settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(trial.reader.odd)
    def read(content: bytes) -> None:
        trial(content)

    read()


class Trial:
    """Reads inputs, and keeps a line of each on the disk, so that a death loses none of them."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._lines = os.open(out / INPUTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._folder = out / "reading"
        self._folder.mkdir(exist_ok=True)

    def load(self, name: str) -> None:
        """Import the reader, which is when its modules are instrumented."""
        from readers import reader

        from fuzzing import tried

        self.reader, self._tried = reader(name), tried

    def __call__(self, content: bytes) -> None:
        """Read one input and note what became of it."""
        started = time.monotonic()
        try:
            outcome = self._tried(self.reader, self._folder, content)
        except Exception as error:
            outcome = self._found(error, content)
        os.write(self._lines, f"{outcome}\t{time.monotonic() - started:.4f}\n".encode())

    def _found(self, error: Exception, content: bytes) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if "gwmorph/" in frame.filename]
        # What is accepted and not right is told by the line that shows it.
        shown = frames[-2:-1] if type(error).__name__ == "NotRightError" else inside
        last = (shown or frames)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        key = f"{type(error).__name__} at {where}"
        kept = self.out / f"finding-{type(error).__name__}-{where.replace(':', '-')}"
        if not kept.exists():
            kept.write_bytes(content)
            text = "".join(traceback.format_exception(error, limit=-8))
            kept.with_name(f"{kept.name}.txt").write_text(text, encoding="utf-8", errors="replace")
        return f"FINDING {key}"


# -- in the process that counts -----------------------------------------------------------------


def fuzz(name: str, inputs: int, seed: int, out: Path) -> dict[str, Any]:
    """Let a reader read so many inputs, whatever befalls its processes; say what came of it."""
    folder = out / name
    done = folder / "result.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return found
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    deaths: list[str] = []
    while len(_lines(folder)) + len(deaths) < inputs and len(deaths) < _MOST_DEATHS:
        death = _process(name, inputs - len(deaths), seed + len(deaths), folder)
        if death is None:
            break
        deaths.append(death)
        read = next((folder / "reading").glob("outside*"), None)
        if read is not None:
            shutil.copyfile(read, folder / f"death-{len(deaths)}-{death}")
    result = summary(name, seed, folder, deaths)
    done.write_text(json.dumps(result, indent=2), encoding="utf-8")
    return result


def _process(name: str, inputs: int, seed: int, folder: Path) -> str | None:
    """Run one process to its end; return what it died of, or None."""
    call = [sys.executable, __file__, "--work", name, "--inputs", str(inputs), "--seed", str(seed),
            "--out", str(folder)]  # fmt: skip
    before, since = -1, time.monotonic()
    with (folder / "fuzz.log").open("ab") as log:
        process = subprocess.Popen(call, stdout=log, stderr=log)
        while process.poll() is None:
            time.sleep(0.5)
            if (count := len(_lines(folder))) != before:
                before, since = count, time.monotonic()
            elif time.monotonic() - since > _SILENT_S:
                process.kill()
                process.wait()
                return "hang"
    known = {0: None, 70: "hang", 71: "memory", 77: "crash"}
    return known.get(process.returncode, f"exit {process.returncode}")


def _lines(folder: Path) -> list[str]:
    path = folder / INPUTS
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def summary(name: str, seed: int, folder: Path, deaths: list[str]) -> dict[str, Any]:
    """Return how many inputs were accepted, refused and found wrong, and how long one took."""
    rows = [line.rpartition("\t") for line in _lines(folder)]
    outcomes = Counter(outcome for outcome, _, _ in rows)
    findings = {key: n for key, n in outcomes.items() if key.startswith("FINDING")}
    refused = {k: n for k, n in outcomes.items() if k not in findings and k != "accepted"}
    return {
        "reader": name,
        "seed": seed,
        "inputs": len(rows) + len(deaths),
        "accepted": outcomes["accepted"],
        "refused": dict(sorted(refused.items())),
        "findings": findings,
        "deaths": dict(Counter(deaths)),
        "slowest_s": max((float(seconds) for _, _, seconds in rows), default=0.0),
    }


def main() -> None:
    """Fuzz the readers that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--inputs", type=int, default=10_000, help="for each reader (10000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="cache/fuzz", help="what is kept of it (cache/fuzz)")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
        return
    from readers import NAMES

    wrong = 0
    for name in arguments.names or NAMES:
        result = fuzz(name, arguments.inputs, arguments.seed, Path(arguments.out))
        wrong += sum(result["findings"].values()) + sum(result["deaths"].values())
        print(json.dumps(result), flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
