"""The pictures that int8 is calibrated on: fixed by seeds, never those of a run.

White noise with one transient in each window, drawn as runs draw windows and event views by
default. The values are this module's own: a default that changes leaves the set as it is, and
whoever changes it here makes new models. Nothing of it is scored anywhere.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwmorph.simulation.streams import stream
from gwmorph.simulation.transients import band_noise, gaussian, packet, sweep
from gwmorph.spectra.pictures import PictureScale
from gwmorph.spectra.qtransform import BATCH, GUARD_S, QTransform
from gwmorph.spectra.tiling import Tiling
from gwmorph.spectra.views import event_view

SEED = 20180
WINDOWS = 48
_SHAPES = 4
_WINDOW_S = 32
_RATE = 4096
_TILING = {"q_low": 4.0, "q_high": 64.0, "f_low": 20.0, "f_high": 2048.0, "mismatch": 0.2}
_SCALE = PictureScale("linear", 25.5, "cividis")


@dataclass(frozen=True)
class Calibration:
    """Palette indices uint8 [96, h, w], half windows, half event views, and their scale."""

    pictures: NDArray[np.uint8]
    scale: PictureScale

    @property
    def about(self) -> dict[str, str | int]:
        """What identifies the set: its seed, and the SHA-256 of its pixels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.pictures).tobytes()).hexdigest()
        return {"seed": SEED, "pictures": len(self.pictures), "sha256": digest}


def calibration_set(size: tuple[int, int]) -> Calibration:
    """Simulate and draw the calibration set in pictures of ``size`` (height, width)."""
    tiling = Tiling(_WINDOW_S + 2 * GUARD_S, _RATE, **_TILING)
    transform = QTransform(tiling, _WINDOW_S, *size)
    windows, events = [], []
    for first in range(0, WINDOWS, BATCH):
        spans = np.stack([_span(number) for number in range(first, first + BATCH)])
        batch = transform.batch(spans)
        windows.append(batch.planes.energy.max(axis=1))
        times = batch.planes.loudest.time
        events.append(
            np.stack([event_view(batch, i, float(t), *size) for i, t in enumerate(times)])
        )
    return Calibration(_SCALE.index(np.concatenate([*windows, *events])), _SCALE)


def _span(number: int) -> NDArray[np.float32]:
    """White noise of unit variance with one transient of SNR 5 to 100: float32 [samples]."""
    rng = stream(SEED, "calibration", number)
    times = np.arange((_WINDOW_S + 2 * GUARD_S) * _RATE) / _RATE - GUARD_S
    shape = _shape(number, times - rng.uniform(1, _WINDOW_S - 1), rng)
    snr = np.exp(rng.uniform(np.log(5), np.log(100)))
    noise = rng.standard_normal(len(times))
    return (noise + snr * shape / np.linalg.norm(shape)).astype(np.float32)


def _shape(number: int, t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Sine-Gaussian, rising sweep, falling sweep or burst of noise, in turn, around t = 0."""
    frequency = np.exp(rng.uniform(np.log(30), np.log(1000)))
    if number % _SHAPES == 0:
        q = np.exp(rng.uniform(np.log(2), np.log(100)))
        return packet(t, 0.0, frequency, q, rng.uniform(0, 2 * np.pi))
    width = np.exp(rng.uniform(np.log(0.01), np.log(2)))
    envelope = gaussian(t, 0.0, width)
    if number % _SHAPES == 3:
        return envelope * band_noise(t, frequency, rng.uniform(0.1, 1), rng)
    octaves = rng.uniform(0.5, 2) * (1 if number % _SHAPES == 1 else -1)
    return sweep(t, frequency * 2 ** (octaves * np.clip(t / width, -2, 2)), envelope)
