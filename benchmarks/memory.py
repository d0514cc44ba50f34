"""Peak resident memory of single stages, each in a process of its own.

Run as a program this is that process: ``python memory.py STAGE FOLDER [BLOCKS]``.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gwmorph.config import Config
from harness import Entry, benchmark

ROOT = Path(__file__).parents[1]
SEED = 150914
REPEATS = 3
sys.path.insert(0, str(ROOT / "scripts"))


@benchmark
def block_rss() -> Entry:
    """A 4096 s block from HDF5 to PNGs, ledger and measurements."""
    with _simulated_block() as folder:
        peaks = [_peak("block", folder) for _ in range(REPEATS)]
    return _entry("block_rss", peaks)


@benchmark
def embed_rss() -> Entry:
    """Embedding 64 blocks; the peer is the same for 16 blocks."""
    with _simulated_block() as folder:
        _peak("block", folder)
        few = [_peak("embed", folder, 16) for _ in range(REPEATS)]
        many = [_peak("embed", folder, 64) for _ in range(REPEATS)]
    return _entry("embed_rss", many, "the same stage with 16 blocks instead of 64", few)


def _entry(
    name: str, peaks: list[float], peer: str | None = None, others: list[float] | None = None
) -> Entry:
    peaks = sorted(peaks)
    value = peaks[REPEATS // 2]
    peer_value = sorted(others)[REPEATS // 2] if others else None
    return Entry(
        name, value, "MB", peaks[0], peaks[-1],
        peer=peer, peer_value=peer_value, ratio=peer_value and peer_value / value,
        n=REPEATS, seed=SEED,
    )  # fmt: skip


@contextmanager
def _simulated_block() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        _peak("simulate", Path(name))
        yield Path(name)


def _peak(stage: str, folder: Path, blocks: int = 1) -> float:
    command = [sys.executable, __file__, stage, str(folder), str(blocks)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


# -- what the measured processes do ------------------------------------------------------------


def _run_simulate(folder: Path, _: int) -> None:
    from gwmorph.strain.receipts import write_receipts
    from gwmorph.strain.simulated import SimulatedSource

    population = ROOT / "config" / "population.yaml"
    source = SimulatedSource(SEED, population, 1.0, 1.0, 4096, folder / "cache")
    start = Config().run.gps_start
    (file,) = source.files("H1", start, start + 1)
    write_receipts(folder / "receipts.json", [source.obtain(file)])


def _run_block(folder: Path, _: int) -> None:
    from block import block

    (file,) = json.loads((folder / "receipts.json").read_text(encoding="utf-8"))
    config = Config()
    block(
        [folder / "receipts.json"],
        Path(),
        file["detector"],
        file["gps_start"],
        [(file["gps_start"], file["gps_start"] + file["duration"])],
        config.window.model_dump(),
        {
            name: getattr(config, name).model_dump()
            for name in ("conditioning", "qtransform", "picture")
        },
        config.events.model_dump(exclude={"parts"}),
        folder / "ledger.parquet",
        folder / "measurements.parquet",
        folder / "triggers.parquet",
        folder / "pictures",
        folder / "events",
    )


def _run_embed(folder: Path, blocks: int) -> None:
    from gwmorph.encoders.registry import make_encoder
    from gwmorph.encoders.shards import WindowOutputs, write_shard

    config = Config()
    encoder = make_encoder(config.encoder, (config.picture.height, config.picture.width))
    outputs = WindowOutputs(
        folder / "ledger.parquet", folder / "measurements.parquet", folder / "pictures"
    )
    shard = folder / "shard.parquet"
    write_shard(shard, [outputs] * blocks, encoder, config.encoder.batch_size, {})


def peak_mb() -> float:
    """Return this program's peak in 10⁶ bytes; ``ru_maxrss`` would hold its parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    stages = {"simulate": _run_simulate, "block": _run_block, "embed": _run_embed}
    stages[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
    print(peak_mb())
