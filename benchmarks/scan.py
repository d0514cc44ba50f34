"""How fast new strain is scanned, how soon a window is judged, and what memory that takes.

Strain is simulated, H1 at 4096 Hz, in GWOSC's files, with so many glitches that about 15 % of the
windows hold a trigger; the entries say how many did. The atlas has labelled rows and quiet windows
of the same detector. Two workers, and two cores.

Run as a program this is the process that scans: ``python scan.py FOLDER ATLAS [BLOCKS]``, which
prints what was measured as JSON. It has little to import, since its workers import the same.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness import Entry, benchmark, seconds
from incumbent import way_of_a_window

ROOT = Path(__file__).parents[1]
SEED = 20260107
BLOCKS = 9  # the first one is to warm up
LONG_BLOCKS = 500
REPEATS = 3
RATE_SCALE = 0.34
QUIET_WINDOWS = 200
_START = 1262301184
_BLOCK_S, _WINDOW_S = 4096, 32
_INCUMBENT_WINDOWS = 5
_HELD: list[tempfile.TemporaryDirectory] = []


@benchmark
def scan_shipped() -> Entry:
    """Times real time of one detector, with the encoder that ships."""
    return _speed("scan_shipped", "indomain")


@benchmark
def scan_dinov2_bf16() -> Entry:
    """The same with the architecture of DINOv2, random weights, in bf16."""
    return _speed("scan_dinov2_bf16", "bf16")


@benchmark
def scan_dinov2_int8() -> Entry:
    """The same in int8."""
    return _speed("scan_dinov2_int8", "int8")


@benchmark
def scan_latency() -> Entry:
    """From a block's file until its windows are judged, blocks coming one by one: 99 in 100."""
    latencies = np.array(_measured("indomain")["latencies_s"])
    return Entry(
        "scan_latency", float(np.percentile(latencies, 99)), "s",
        float(latencies.min()), float(latencies.max()), n=len(latencies), seed=SEED,
    )  # fmt: skip


@benchmark
def scan_memory() -> Entry:
    """Memory of all processes of a scan, their shared pages once; beside it after one block."""
    peaks = np.array(_measured("indomain")["memory_mb"])
    return Entry(
        "scan_memory", float(peaks.max()), "MB", float(peaks.min()), float(peaks.max()),
        peer="after the first block", peer_value=float(peaks[0]),
        ratio=float(peaks[0] / peaks.max()), n=len(peaks), seed=SEED,
    )  # fmt: skip


@benchmark
def scan_memory_500() -> Entry:
    """The same over 500 blocks that come one after the other; does it grow?"""
    peaks = np.array(_measured("indomain", str(LONG_BLOCKS))["memory_mb"])
    second, last = np.median(peaks[100:200]), np.median(peaks[-100:])
    return Entry(
        "scan_memory_500", float(peaks.max()), "MB, largest of 500 blocks",
        float(peaks.min()), float(peaks.max()),
        peer="median of the second hundred, MB; ratio: that of the last hundred to it",
        peer_value=float(second), ratio=float(last / second), n=len(peaks), seed=SEED,
    )  # fmt: skip


@benchmark
def scan_startup() -> Entry:
    """A new process that scans one window: all but the first block's drawing is start-up."""
    atlas, folder = atlas_for("indomain"), _scratch()
    file = _short_file(folder)
    call = [sys.executable, "-m", "gwmorph.cli", "scan", str(file), "--atlas", str(atlas)]

    def run() -> None:
        with tempfile.TemporaryDirectory() as out:
            own = {**os.environ, "OMP_NUM_THREADS": "2"}
            subprocess.run([*call, "--out", out], check=True, stdout=subprocess.PIPE, env=own)

    run()
    took = sorted(seconds(run) for _ in range(REPEATS))
    return Entry("scan_startup", took[REPEATS // 2], "s", took[0], took[-1], n=REPEATS, seed=SEED)


@benchmark
def scan_vs_incumbent() -> Entry:
    """Seconds a window, ours with the encoder that ships, beside the incumbent's way of one."""
    values, step = strain_of(files()[0]), way_of_a_window()
    step(values, 0)
    peer = [seconds(lambda i=i: step(values, i)) for i in range(1, _INCUMBENT_WINDOWS + 1)]
    rates = np.array(_measured("indomain")["rates"])
    ours = _WINDOW_S / rates
    value, other = float(np.median(ours)), float(np.median(peer))
    return Entry(
        "scan_vs_incumbent", 1000 * value, "ms/window",
        1000 * float(ours.min()), 1000 * float(ours.max()),
        peer="the incumbent's way of a window, two threads; ms", peer_value=1000 * other,
        ratio=other / value, n=len(peer), seed=SEED,
    )  # fmt: skip


def _speed(name: str, encoder: str) -> Entry:
    measured = _measured(encoder)
    rates = np.array(measured["rates"])
    print(f"{name}: {measured['triggered']:.0%} of {measured['windows']} windows triggered")
    return Entry(
        name, float(np.median(rates)), "times real time", float(rates.min()), float(rates.max()),
        n=len(rates) * (BLOCKS - 1), seed=SEED,
    )  # fmt: skip


@cache
def _measured(encoder: str, *blocks: str) -> dict[str, Any]:
    """Scan in a process of its own, ``blocks`` one by one if told so, and return what it says."""
    files()
    call = [sys.executable, __file__, str(_scratch()), str(atlas_for(encoder)), *blocks]
    own = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True, env=own)
    return json.loads(done.stdout.splitlines()[-1])


# -- what is scanned, and by what ----------------------------------------------------------


@cache
def _scratch() -> Path:
    held = tempfile.TemporaryDirectory(prefix="gwmorph-scan-")
    _HELD.append(held)
    return Path(held.name)


@cache
def files() -> tuple[Path, ...]:
    """Simulated strain files of H1, one a block."""
    from gwmorph.strain.simulated import SimulatedSource

    population = ROOT / "config" / "population.yaml"
    source = SimulatedSource(SEED, population, RATE_SCALE, 1.0, 4096, _scratch() / "cache")
    offered = source.files("H1", _START, _START + BLOCKS * _BLOCK_S)
    return tuple(Path(source.obtain(file).path) for file in offered)


def strain_of(path: Path) -> np.ndarray:
    """Samples of a file."""
    import h5py

    with h5py.File(path) as file:
        return file["strain/Strain"][:]


def _short_file(folder: Path) -> Path:
    from gwmorph.formats.gwosc_layout import GwoscBlock, write_gwosc_block

    values = strain_of(files()[0])[: 64 * 4096]
    path = folder / f"H-H1_GWOSC_SIM_4KHZ_R1-{_START + 28}-64.hdf5"
    mask = np.full(64, 127)
    block = GwoscBlock("H1", _START + 28, 4096, values, mask, np.full(64, 31))
    write_gwosc_block(path, block)
    return path


def _config(encoder: str) -> Any:
    from gwmorph.config import parse_config

    raw: dict[str, Any] = {
        "score": {"quiet_windows": QUIET_WINDOWS},
        "scan": {"workers": 2, "max_wait_s": 0.0, "novel_alarm": 100_000},
    }
    if encoder != "indomain":
        from encoders import weights_folder

        weights = {"path": str(weights_folder()), "cache": str(_scratch() / "weights")}
        raw["encoder"] = {"name": "dinov2", "precision": encoder, "weights": weights}
    return parse_config(raw)


@cache
def atlas_for(encoder: str) -> Path:
    """An atlas of events of 2,000 random rows of 20 classes, and of simulated quiet windows.

    What the rows are has nothing to do with the time that it takes.
    """
    import pyarrow as pa
    import yaml

    from gwmorph.encoders.registry import make_encoder
    from gwmorph.evidence.quiet import quiet_windows
    from gwmorph.morphology.atlas import limit_rows, write_atlas
    from gwmorph.morphology.manifest import About
    from gwmorph.morphology.thresholds import limits_of
    from gwmorph.scanner.settings import settings_of
    from gwmorph.tables.calibration import THRESHOLDS
    from gwmorph.tables.embeddings import embedding_column
    from gwmorph.tables.parquet import write_table
    from gwmorph.tables.validation import REFERENCE

    config, folder = _config(encoder), _scratch() / encoder
    rendering = settings_of(config).rendering
    made = make_encoder(config.encoder, (rendering.height, rendering.width), 2)
    rows, rng = 2000, np.random.default_rng(SEED)
    centres = rng.normal(size=(20, made.width))
    vectors = centres[np.arange(rows) % 20] + 0.5 * rng.normal(size=(rows, made.width))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = [f"class {i % 20}" for i in range(rows)]
    about = About(
        run="bench", detectors=("H1",), gps_start=_START - _BLOCK_S, gps_end=_START,
        render_id=rendering.render_id, encoder_id=made.encoder_id, config_hash="-",
        classes="labels", promise="overall", rate=0.05, agreeing=0.6, neighbors=5,
        views=("event",),
    )  # fmt: skip
    ids = {"gwmorph.render_id": about.render_id, "gwmorph.encoder_id": about.encoder_id}
    held = {name: folder / f"{name}.parquet" for name in ("reference", "thresholds", "quiet")}
    columns = {
        "detector": ["H1"] * rows,
        "gps_start": range(rows),
        "view": ["event"] * rows,
        "trigger_time": np.arange(rows, dtype=float),
        "label": labels,
        **{f"tile_{n}": np.ones(rows) for n in ("time", "frequency", "q", "energy", "snr")},
        "duration": np.ones(rows),
        "bandwidth": np.ones(rows),
        "embedding": embedding_column(vectors),
    }
    limits = limits_of(vectors, np.array(labels), about.rate, SEED)
    write_table(held["reference"], REFERENCE, pa.table(columns, schema=REFERENCE), ids)
    write_table(held["thresholds"], THRESHOLDS, limit_rows(limits, labels, about.rate), ids)
    quiet = quiet_windows("H1", QUIET_WINDOWS, SEED, rendering, made)
    write_table(held["quiet"], quiet.schema, quiet, ids)
    tables = {"event": {name: held[name] for name in ("reference", "thresholds")}}
    text = yaml.safe_dump(config.model_dump(mode="json"))
    write_atlas(folder / "atlas", about, tables, {"H1": held["quiet"]}, text)
    return folder / "atlas"


# -- what the measured process does -----------------------------------------------------------


class _Paced:
    """Files that come when they are let go."""

    def __init__(self, paths: list[Path]) -> None:
        from gwmorph.scanner.arrivals import look_at

        self._files = [file for path in paths for file in look_at(path)]
        self.allowed = threading.Semaphore(0)

    def __iter__(self) -> Iterator[Any]:
        for file in self._files:
            while not self.allowed.acquire(timeout=0.01):
                yield None
            yield file


class _Repeated:
    """Files of ``count`` blocks, copies of a few, of which one comes for each that is let go."""

    def __init__(self, paths: list[Path], folder: Path, count: int) -> None:
        self._paths, self._folder, self._count = paths, folder, count
        self._held: list[Path] = []
        self.allowed = threading.Semaphore(3)
        folder.mkdir()

    def __iter__(self) -> Iterator[Any]:
        from gwmorph.scanner.arrivals import look_at

        for number in range(self._count):
            while not self.allowed.acquire(timeout=0.01):
                yield None
            yield from look_at(self._copy(number))

    def _copy(self, number: int) -> Path:
        """Return a copy that says it is of a later time; those far behind are removed."""
        import h5py

        start = _START + number * _BLOCK_S
        path = self._folder / f"H-H1_GWOSC_SIM_4KHZ_R1-{start}-{_BLOCK_S}.hdf5"
        shutil.copyfile(self._paths[number % len(self._paths)], path)
        with h5py.File(path, "a") as file:
            file["meta/GPSstart"][()] = start
            for name in ("strain/Strain", "quality/simple/DQmask", "quality/injections/Injmask"):
                file[name].attrs["Xstart"] = start
        self._held.append(path)
        if len(self._held) > 8:
            self._held.pop(0).unlink()
        return path


def _memory(folder: Path, atlas: Path, count: int) -> dict[str, Any]:
    """Scan many blocks, one after the other, and note the memory after each."""
    from gwmorph.scanner.preparing import prepare
    from gwmorph.scanner.scan import scan

    source = _Repeated(_files_in(folder), folder / "repeated", count)
    how = prepare(atlas, None, lambda text: None, None)
    found: list[float] = []
    for block in scan(iter(source), how, folder / "out-many", threading.Event()):
        assert not block.failed, block.why
        found.append(_memory_mb())
        shutil.rmtree(folder / "out-many" / block.folder)
        source.allowed.release()
    assert len(found) == count
    return {"memory_mb": found}


def _memory_mb() -> float:
    """Return the memory of this process and its children, their shared pages once, MB."""
    import psutil

    this = psutil.Process()
    group = [this, *this.children(recursive=True)]
    return sum(process.memory_full_info().pss for process in group) / 1e6


def _files_in(folder: Path) -> list[Path]:
    return sorted((folder / "cache").rglob("H-H1_*-4096.hdf5"))[:BLOCKS]


def _scan(folder: Path, atlas: Path) -> dict[str, Any]:
    """Scan all blocks as fast as they go, several times, and once block by block."""
    from gwmorph.scanner.preparing import prepare
    from gwmorph.scanner.scan import scan
    from gwmorph.tables.parquet import read_table
    from gwmorph.tables.scan import SCAN_WINDOWS

    paths = _files_in(folder)
    how = prepare(atlas, None, lambda text: None, None)
    found: dict[str, Any] = {"rates": [], "latencies_s": [], "memory_mb": []}
    for turn in range(REPEATS + 1):
        one_by_one = turn == REPEATS
        source, out = _Paced(paths), folder / f"out-{atlas.parent.name}-{time.monotonic_ns()}"
        source.allowed.release()
        began, triggered, windows = 0.0, 0, 0
        for number, block in enumerate(scan(iter(source), how, out, threading.Event())):
            assert not block.failed, block.why
            now = time.perf_counter()
            found["memory_mb"].append(_memory_mb())
            if number:
                table = read_table(out / block.folder / "windows.parquet", SCAN_WINDOWS)
                analysed = table["latency_s"].drop_null().to_pylist()
                if one_by_one:
                    found["latencies_s"] += analysed
                windows += len(analysed)
                triggered += sum(snr >= 7.5 for snr in table["tile_snr"].drop_null().to_pylist())
            else:
                began = now
            source.allowed.release(1 if one_by_one or number else BLOCKS)
        if not one_by_one:
            found["rates"].append((len(paths) - 1) * _BLOCK_S / (now - began))
    return {**found, "windows": windows, "triggered": triggered / windows}


if __name__ == "__main__":
    given = Path(sys.argv[1]), Path(sys.argv[2])
    long = sys.argv[3:]
    print(json.dumps(_memory(*given, int(long[0])) if long else _scan(*given)))
