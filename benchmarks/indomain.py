"""The in-domain encoder beside the network as it is trained, on one thread.

The peer is how the encoder was first written: every pixel is looked up, crops are pooled as
floats, and the network that is trained reads a whole batch. Each has a process of its own, as a
job has, and they encode the same event views in turn: how much of the memory of one batch the
system takes back before the next depends on what else a process did. ``…_kept_memory`` is the
same with memory that both keep.

Run as a program this is one of the two processes: ``python indomain.py ours|peer FOLDER JOB``
does its job and prints how much processor time it took, in seconds, for every line that it reads.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import process_time

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_max_pool2d

from encoders import BATCH, SCALE, SIZE, event_views, real_pictures, write_block
from gwmorph.encoders.base import Encoder, View, unit_rows
from gwmorph.encoders.indomain import SHIPPED, IndomainEncoder, load_network
from gwmorph.encoders.shards import EventOutputs, write_shard
from gwmorph.spectra.pictures import PictureScale
from harness import Entry, benchmark

COUNT = 4 * BATCH
ROUNDS = 25
SEED = 0
PICTURES = "pictures.npy"
# glibc keeps what is freed below a bound, which grows to the largest piece that was ever freed.
KEPT_BYTES = 31 * 2**20


class PlainEncoder:
    """Event views and windows by the network as it is trained."""

    def __init__(self) -> None:
        self._network = load_network(SHIPPED)
        self.encoder_id = IndomainEncoder(None, SIZE).encoder_id
        self.width = IndomainEncoder.width

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """See `gwmorph.encoders.base.Encoder`."""
        energy = torch.from_numpy(render.energy(np.arange(256, dtype=np.uint8)))
        levels = (energy.clamp(0, 25.5) / 25.5).sqrt().numpy()
        seen = torch.from_numpy(levels[pictures])
        with torch.inference_mode():
            if view == "window":
                pooled = adaptive_max_pool2d(seen, (56, 224))
                return unit_rows(
                    self._network.window(pooled.unflatten(2, (4, 56)).transpose(1, 2)).numpy()
                )
            parts = seen.unflatten(1, (2, SIZE[0] // 2)).unflatten(3, (2, SIZE[1] // 2))
            crops = adaptive_max_pool2d(parts.transpose(2, 3).flatten(1, 2), 56)
            return unit_rows(self._network.event(crops).flatten(1).numpy())


def encode_all(encoder: Encoder, pictures: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
    starts = range(0, len(pictures), BATCH)
    return np.concatenate([encoder.encode(pictures[i : i + BATCH], SCALE, view) for i in starts])


# -- speed ----------------------------------------------------------------------------------


@contextmanager
def _process(who: str, folder: Path, job: str) -> Iterator[Callable[[], float]]:
    """Yield what has the process do its job once more and returns how long it took."""
    call = [sys.executable, __file__, who, str(folder), job]
    with subprocess.Popen(
        call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def once() -> float:
            print("once more", file=asked, flush=True)
            return float(told.readline())

        yield once


def _speed(name: str, job: str, what: str) -> Entry:
    """How many times as many pictures a second; ``low`` and ``high`` are 95 % of the rounds."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        shown = event_views()[np.arange(COUNT) % len(event_views())]
        np.save(Path(folder) / PICTURES, shown)
        write_block(Path(folder), COUNT)
        ours, peer = (
            running.enter_context(_process(who, Path(folder), job)) for who in ("ours", "peer")
        )
        ours(), peer()
        times = np.array([(ours(), peer()) for _ in range(ROUNDS)])
    ratios = times[:, 1] / times[:, 0]
    low, high = np.quantile(ratios, (0.025, 0.975))
    rate, plain_rate = COUNT / np.median(times, axis=0)
    per = "pictures per second of processor time"
    return Entry(
        name=name,
        value=float(np.median(ratios)),
        unit=f"times the peer's {per}, {what}; {rate:.0f} {per}",
        low=float(low),
        high=float(high),
        peer=f"the network as it is trained, batches of {BATCH}; {per}",
        peer_value=float(plain_rate),
        ratio=float(np.median(ratios)),
        n=ROUNDS,
        seed=SEED,
    )


@benchmark
def indomain_speed() -> Entry:
    return _speed("indomain_speed", "encode", "palette indices to vectors")


@benchmark
def indomain_speed_kept_memory() -> Entry:
    return _speed(
        "indomain_speed_kept_memory",
        "encode_kept",
        "palette indices to vectors, memory kept between batches",
    )


@benchmark
def indomain_shard() -> Entry:
    return _speed("indomain_shard", "shard", "PNG to Parquet")


def _serve(who: str, folder: Path, job: str) -> None:
    encoder: Encoder = IndomainEncoder(None, SIZE) if who == "ours" else PlainEncoder()
    pictures = np.load(folder / PICTURES)
    block = EventOutputs(folder / "triggers.parquet", folder / "events", 0.0)
    if job == "encode_kept":
        torch.empty(KEPT_BYTES, dtype=torch.uint8)

    def once() -> None:
        if job == "shard":
            write_shard(folder / f"{who}.parquet", [block], encoder, BATCH)
        else:
            encode_all(encoder, pictures, "event")

    for _ in sys.stdin:
        start = process_time()
        once()
        print(process_time() - start, flush=True)


# -- parity ---------------------------------------------------------------------------------


@benchmark
def indomain_parity() -> Entry:
    """The largest difference of two numbers; ``low`` is the median picture's largest."""
    ours, peer = IndomainEncoder(None, SIZE), PlainEncoder()
    both = np.concatenate([real_pictures(), event_views()])
    views: tuple[View, ...] = ("event", "window")
    found = [(encode_all(ours, both, view), encode_all(peer, both, view)) for view in views]
    a, b = (np.concatenate(vectors) for vectors in zip(*found, strict=True))
    largest = np.abs(a - b).max(axis=1)
    worst = (a.astype(np.float64) * b).sum(axis=1) / np.linalg.norm(a.astype(np.float64), axis=1)
    worst /= np.linalg.norm(b.astype(np.float64), axis=1)
    return Entry(
        name="indomain_parity",
        value=float(largest.max()),
        unit=f"largest difference of two numbers; worst cosine 1 - {1 - worst.min():.1e}",
        low=float(np.median(largest)),
        high=float(largest.max()),
        peer=f"the network as it is trained; {len(real_pictures())} real crops and "
        f"{len(event_views())} simulated event views, each as event and as window",
        n=len(largest),
        seed=SEED,
    )


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
