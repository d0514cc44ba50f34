"""DINOv2 on a CPU: speed and parity of its precisions, and of the job that makes shards.

Two threads, 224 x 224 pixels. Speed and parity depend little on what a network has learned, so
without weights (``GWMORPH_WEIGHTS`` names their folder) a random one in the hub's format is made.
transformers' own initialisation (a spread of 0.02) makes a network whose CLS token hardly depends
on the picture: the mean of its unit vectors is 0.998 long, and what is left after subtracting it
is mostly rounding. A spread of 0.1 leaves 0.92. Nothing here is a figure of quality.

Run as a program this is a shard job: ``python encoders.py FOLDER``, the peak of whose memory it
prints.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwmorph.block import EventParameters, draw_stretch
from gwmorph.config import Config, EncoderConfig
from gwmorph.encoders.base import Encoder
from gwmorph.encoders.precision import has_bf16, has_int8
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.shards import EventOutputs, write_shard
from gwmorph.naming import event_name
from gwmorph.spectra.albums import FolderAlbum
from gwmorph.spectra.gravityspy import find_glitch_pictures, max_pool, read_energy
from gwmorph.spectra.pictures import PictureScale, read_picture, write_picture
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.columns import EMBEDDING_SIZE
from gwmorph.tables.parquet import write_table
from harness import AVX2, AVX2_VNNI, DATA, Entry, NotHereError, benchmark, measured_with, seconds
from memory import peak_mb
from spectra import parameters
from views import stretch

THREADS = 2
SIZE = (224, 224)
SEED = 0
SPREAD = 0.1
SCALE = PictureScale("linear", 25.5, "cividis")
BATCH = EncoderConfig().batch_size
REPEATS = 7
PEER = "PyTorch float32, eager, two threads; pictures per second"
PRECISIONS = {"f32": "float32", "bf16": "bf16", "int8": "int8"}
CROPS = "glitch_images/gravityspy_crops"


@cache
def weights_folder() -> Path:
    """The folder named by ``GWMORPH_WEIGHTS``, or a random ViT-S/14 with registers."""
    if given := os.environ.get("GWMORPH_WEIGHTS"):
        return Path(given)
    import torch
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    torch.manual_seed(SEED)
    config = Dinov2WithRegistersConfig(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        patch_size=14,
        image_size=518,
        num_register_tokens=4,
        initializer_range=SPREAD,
    )
    folder = _scratch() / "weights"
    Dinov2WithRegistersModel(config).save_pretrained(folder)
    return folder


@cache
def _scratch() -> Path:
    held = tempfile.TemporaryDirectory(prefix="gwmorph-bench-")
    _HELD.append(held)  # it is removed when this program ends
    return Path(held.name)


_HELD: list[tempfile.TemporaryDirectory] = []


def require_precision(precision: str) -> None:
    """Raise NotHereError where this processor has no instructions for a precision."""
    if precision == "bf16" and not has_bf16():
        raise NotHereError("this processor does not multiply bf16")
    if precision == "int8" and not has_int8():
        raise NotHereError("this processor has no VNNI, and int8 is refused on it")


@cache
def encoder(precision: str, runtime: str = "openvino") -> Encoder:
    require_precision(precision)
    weights = {"path": str(weights_folder()), "cache": str(_scratch() / "cache")}
    config = EncoderConfig(name="dinov2", runtime=runtime, precision=precision, weights=weights)
    return make_encoder(config, SIZE, THREADS)


@cache
def real_pictures() -> NDArray[np.uint8]:
    """Gravity Spy's crops as palette indices, in the size of a run's pictures."""
    found = find_glitch_pictures(DATA / CROPS)
    energies = [max_pool(read_energy(picture.path), *SIZE) for picture in found]
    return SCALE.index(np.stack(energies))


@cache
def event_views() -> NDArray[np.uint8]:
    """Simulated glitches (`views.stretch`), each as the workflow draws an event."""
    with tempfile.TemporaryDirectory() as windows, tempfile.TemporaryDirectory() as events:
        allowed = replace(
            EventParameters(**Config().events.model_dump(exclude={"parts"})), max_per_window=3
        )
        draw_stretch(
            "H1", stretch(0.45), parameters(), allowed, FolderAlbum(Path(windows), Path(events))
        )
        return np.stack([read_picture(path)[0] for path in sorted(Path(events).iterdir())])


def encode_all(made: Encoder, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    parts = [
        made.encode(pictures[i : i + BATCH], SCALE, "window")
        for i in range(0, len(pictures), BATCH)
    ]
    return np.concatenate(parts)


# -- speed ----------------------------------------------------------------------------------


def _speed(name: str, precision: str) -> Entry:
    """Pictures per second, palette indices to vectors, beside PyTorch in turn."""
    ours, peer = encoder(precision), encoder("float32", "pytorch")
    many, few = event_views()[:BATCH].repeat(2, axis=0), event_views()[:BATCH]
    encode_all(ours, many), encode_all(peer, few)
    rates = np.array(
        [
            (
                len(many) / seconds(lambda: encode_all(ours, many)),
                len(few) / seconds(lambda: encode_all(peer, few)),
            )
            for _ in range(REPEATS)
        ]
    )
    return Entry(
        name=name,
        value=float(np.median(rates[:, 0])),
        unit="pictures per second",
        low=float(rates[:, 0].min()),
        high=float(rates[:, 0].max()),
        peer=PEER,
        peer_value=float(np.median(rates[:, 1])),
        ratio=float(np.median(rates[:, 0] / rates[:, 1])),
        n=REPEATS,
        seed=SEED,
    )


@benchmark
def encoder_f32() -> Entry:
    return _speed("encoder_f32", "float32")


@benchmark
def encoder_bf16() -> Entry:
    return _speed("encoder_bf16", "bf16")


@benchmark
def encoder_int8() -> Entry:
    return _speed("encoder_int8", "int8")


def _speed_with(name: str, entry: str, environment: Mapping[str, str]) -> Entry:
    shared = {"GWMORPH_WEIGHTS": str(weights_folder())}
    return measured_with(name, "encoders", entry, {**environment, **shared})


@benchmark
def encoder_auto_avx2() -> Entry:
    """What ``auto`` takes where there is AVX2 and nothing newer, the peer having no more."""
    return _speed_with("encoder_auto_avx2", "encoder_f32", AVX2)


@benchmark
def encoder_auto_avx2_vnni() -> Entry:
    """The same where there is VNNI beside it."""
    return _speed_with("encoder_auto_avx2_vnni", "encoder_int8", AVX2_VNNI)


def flop_per_picture() -> float:
    """Multiplications and additions of all matrix products for one picture."""
    width, patches = EMBEDDING_SIZE, (SIZE[0] // 14) * (SIZE[1] // 14)
    tokens = patches + 5
    layer = 12 * tokens * width**2 + 2 * tokens**2 * width  # projections and MLP; attention
    return 2.0 * (12 * layer + patches * 3 * 14**2 * width)


@benchmark
def encoder_bf16_of_matmul() -> Entry:
    """Arithmetic rate of the encoder over that of a large product of matrices in bf16."""
    import torch

    torch.set_num_threads(THREADS)
    n = 2048
    a, b = (torch.randn(n, n, dtype=torch.bfloat16) for _ in range(2))
    made, pictures = encoder("bf16"), event_views()[:BATCH].repeat(2, axis=0)
    encode_all(made, pictures), torch.mm(a, b)
    rates = np.array(
        [
            (
                len(pictures) * flop_per_picture() / seconds(lambda: encode_all(made, pictures)),
                max(2 * n**3 / seconds(lambda: torch.mm(a, b)) for _ in range(10)),
            )
            for _ in range(REPEATS)
        ]
    )
    shares = rates[:, 0] / rates[:, 1]
    return Entry(
        name="encoder_bf16_of_matmul",
        value=float(np.median(shares)),
        unit=f"of the rate of a product of {n} x {n} matrices; "
        f"{flop_per_picture() / 1e9:.2f} GFLOP a picture",
        low=float(shares.min()),
        high=float(shares.max()),
        peer="torch.mm in bf16, two threads, best of ten; GFLOP/s",
        peer_value=float(np.median(rates[:, 1])) / 1e9,
        n=REPEATS,
        seed=SEED,
    )


# -- parity ---------------------------------------------------------------------------------


@cache
def vectors(precision: str, runtime: str = "openvino") -> NDArray[np.float32]:
    return encode_all(
        encoder(precision, runtime), np.concatenate([real_pictures(), event_views()])
    )


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def _parity(name: str, cosines: NDArray[np.float32], how: str) -> Entry:
    """The mean over pictures; ``low`` and ``high`` are the worst and the best picture."""
    return Entry(
        name=name,
        value=float(cosines.mean()),
        unit=f"mean cosine, {how}",
        low=float(cosines.min()),
        high=float(cosines.max()),
        peer=f"PyTorch float32; {len(real_pictures())} real crops, {len(event_views())} "
        "simulated event views",
        n=len(cosines),
        seed=SEED,
    )


def _register_parity(short: str, precision: str) -> None:
    def plain() -> Entry:
        found = _cosine(vectors(precision), vectors("float32", "pytorch"))
        return _parity(plain.__name__, found, "unit vectors")

    def centred() -> Entry:
        reference = vectors("float32", "pytorch")
        mean = reference.mean(axis=0)
        found = _cosine(vectors(precision) - mean, reference - mean)
        return _parity(centred.__name__, found, "the reference's mean vector subtracted from both")

    plain.__name__ = f"encoder_parity_{short}"
    centred.__name__ = f"encoder_parity_{short}_centred"
    benchmark(plain)
    benchmark(centred)


for _short, _precision in PRECISIONS.items():
    _register_parity(_short, _precision)


# -- shards ---------------------------------------------------------------------------------


def write_block(folder: Path, count: int) -> EventOutputs:
    """A block's triggers and event views, as many as wanted of those there are."""
    outputs = EventOutputs(folder / "triggers.parquet", folder / "events", 0.0)
    pictures = event_views()
    times = [4096.0 + number / 8 for number in range(count)]
    numbers = {field.name: 1 for field in TRIGGERS} | {"found_by": "tile"}
    rows = [{**numbers, "detector": "H1", "peak_time": t, "view": True} for t in times]
    write_table(outputs.triggers, TRIGGERS, rows, {"gwmorph.render_id": "bench"})
    for number, time in enumerate(times):
        picture = pictures[number % len(pictures)]
        write_picture(outputs.pictures / event_name("H1", time), picture, SCALE)
    return outputs


@benchmark
def shard_rate() -> Entry:
    """Pictures per second of the shard job over those of the encoder alone, in turn."""
    count, made = 8 * BATCH, encoder("bf16")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        block = write_block(folder, count)
        held = event_views()[np.arange(count) % len(event_views())]

        def job() -> None:
            write_shard(folder / "shard.parquet", [block], made, BATCH)

        def alone() -> None:
            encode_all(made, held)

        job(), alone()
        rates = np.array([(count / seconds(job), count / seconds(alone)) for _ in range(REPEATS)])
    shares = rates[:, 0] / rates[:, 1]
    return Entry(
        name="shard_rate",
        value=float(np.median(shares)),
        unit="of the encoder's own rate, bf16",
        low=float(shares.min()),
        high=float(shares.max()),
        peer="the encoder on pictures in memory; pictures per second",
        peer_value=float(np.median(rates[:, 1])),
        n=REPEATS,
        seed=SEED,
    )


@benchmark
def shard_rss() -> Entry:
    """Peak memory of a shard job in bf16, the model being converted already."""
    encoder("bf16")
    with tempfile.TemporaryDirectory() as name:
        write_block(Path(name), 8 * BATCH)
        call = [sys.executable, __file__, name, str(weights_folder()), str(_scratch() / "cache")]
        peaks = sorted(
            float(subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout)
            for _ in range(3)
        )
    return Entry(
        "shard_rss", peaks[1], "MB", peaks[0], peaks[-1], n=len(peaks), seed=SEED
    )  # fmt: skip


def _shard_job(folder: Path, weights: str, cached: str) -> None:
    config = EncoderConfig(
        name="dinov2", precision="bf16", weights={"path": weights, "cache": cached}
    )
    made = make_encoder(config, SIZE, THREADS)
    block = EventOutputs(folder / "triggers.parquet", folder / "events", 0.0)
    write_shard(folder / "shard.parquet", [block], made, BATCH)


if __name__ == "__main__":
    _shard_job(Path(sys.argv[1]), *sys.argv[2:])
    print(peak_mb())
