"""How things are measured: ours and the peer in turn, in one process, one thread each.

What uses more threads asks its library for them and says so in its entry.
"""

import os

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.update(THREADS)

import json  # noqa: E402  (threads are fixed before anything loads a numerical library)
import platform  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from dataclasses import asdict, dataclass, replace  # noqa: E402
from importlib.metadata import version  # noqa: E402
from pathlib import Path  # noqa: E402
from time import perf_counter  # noqa: E402

import numpy as np  # noqa: E402

RESULTS = Path(__file__).with_name("results.json")
# Real strain and pictures, where somebody has them.
DATA = Path(os.environ.get("GWMORPH_DATA", RESULTS.parents[2] / "shared" / "data"))
_VERSIONS = ("numpy", "scipy", "gwpy", "torch", "openvino")
_INSTRUCTIONS = ("avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_bf16")


@dataclass(frozen=True)
class Entry:
    """One measured figure; what does not apply is None.

    ``low`` and ``high`` bound ``value`` (the range over repeats for times, a confidence interval
    for fractions); ``ratio`` says how many times better than the peer ours is.
    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    n: int | None = None
    seed: int | None = None
    command: str | None = None
    machine: str | None = None


class NotHereError(Exception):
    """What this processor lacks, so that a figure cannot be measured on it."""


# As a processor with AVX2 and nothing newer computes: what `make test-portable` sets, too.
AVX2 = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}
# The same with products of bytes added in 32 bits.
AVX2_VNNI = {**AVX2, "ONEDNN_MAX_CPU_ISA": "AVX2_VNNI"}

Benchmark = Callable[[], Entry]
BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(function: Benchmark) -> Benchmark:
    """Register a function, under its own name, as the benchmark of the entry of that name."""
    BENCHMARKS[function.__name__] = function
    return function


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def compare_times(
    name: str,
    ours: Callable[[], object],
    windows: int,
    peer_name: str,
    peer: Callable[[], object],
    peer_windows: int,
    repeats: int,
    seed: int,
) -> Entry:
    """Time ours and the peer in turn after one warm-up each; milliseconds per window.

    The value is the median over repeats; the ratio is the median of the ratios of each pair,
    so that a drift of the machine's speed cancels.
    """
    ours()
    peer()
    pairs = np.array(
        [
            (1e3 * seconds(ours) / windows, 1e3 * seconds(peer) / peer_windows)
            for _ in range(repeats)
        ]
    )
    return Entry(
        name=name,
        value=float(np.median(pairs[:, 0])),
        unit="ms per window",
        low=float(pairs[:, 0].min()),
        high=float(pairs[:, 0].max()),
        peer=peer_name,
        peer_value=float(np.median(pairs[:, 1])),
        ratio=float(np.median(pairs[:, 1] / pairs[:, 0])),
        n=repeats,
        seed=seed,
    )


def measured_with(name: str, module: str, entry: str, environment: Mapping[str, str]) -> Entry:
    """Measure another entry, of a module here, in a process with an environment of its own."""
    code = (
        f"import json, {module}; from dataclasses import asdict; "
        f"print(json.dumps(asdict({module}.{entry}())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return replace(Entry(**json.loads(done.stdout.splitlines()[-1])), name=name)


def machine() -> str:
    """Name the processor and the versions that matter."""
    versions = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return (
        f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
    )


def _processor() -> str:
    """Name it, since a cloud calls all of a maker's the same, with what decides on speed."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    first = info.read_text(encoding="utf-8").partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    told = {key.strip(): value.strip() for key, _, value in pairs}
    if "cpu family" not in told:  # as of ARM
        return platform.processor() or platform.machine()
    has = [name for name in _INSTRUCTIONS if name in told.get("flags", "").split()]
    return (
        f"{told['model name']} (family {told['cpu family']}, model {told['model']}; "
        f"{' '.join(has) or 'no AVX-512'})"
    )


def store(entries: list[Entry]) -> None:
    """Put entries into ``results.json`` in place of those of the same names."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    new = {entry.name: asdict(entry) for entry in entries}
    merged = {item["name"]: item for item in kept} | new
    text = json.dumps(list(merged.values()), indent=2, ensure_ascii=False) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
