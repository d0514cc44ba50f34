"""What chirp networks are trained on: windows of noise, every other one with a binary in it.

A few thousand whitened waveforms are kept and used again and again, each time with fresh noise, at
another place and with another SNR; no window is seen twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwmorph.evidence.chirp_windows import Look, Noise, Signals, place
from gwmorph.simulation.streams import stream


@dataclass(frozen=True)
class Curriculum:
    """Optimal network SNRs of the training's signals.

    They are drawn evenly between a lower end and ``high``. The lower end falls from ``first`` to
    ``low`` over the first half of the training: what is loud is learned first.
    """

    first: float
    low: float
    high: float

    def draw(self, done: float, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw SNRs, [count], when a part ``done`` of the training is over."""
        lowest = self.first + (self.low - self.first) * min(2 * done, 1.0)
        return rng.uniform(lowest, self.high, count)


@dataclass(frozen=True)
class Examples:
    """A batch: windows float32 [n, detectors, samples], and whether each holds a signal [n]."""

    windows: NDArray[np.float32]
    signal: NDArray[np.bool_]


def chirp_batch(
    signals: Signals,
    noise: Noise,
    look: Look,
    curriculum: Curriculum,
    size: int,
    done: float,
    rng: np.random.Generator,
) -> Examples:
    """Draw a batch of ``size`` windows, the first half of which hold a signal."""
    windows = noise.windows(size, rng)
    half = size // 2
    chosen = rng.integers(len(signals), size=half)
    places = rng.uniform(look.earliest, look.latest, half)
    snrs = curriculum.draw(done, half, rng)
    white = signals.white[chosen]
    # A wave of the other sign is that of another orientation of the source.
    signs = rng.choice(np.array([-1, 1], np.float32), half)
    windows[:half] += place(white, places, snrs, look) * signs[:, None, None]
    return Examples(windows, np.arange(size) < half)


def fixed_examples(
    signals: Signals, noise: Noise, look: Look, snr: float, size: int, seed: int, role: str
) -> Examples:
    """Return examples that are the same at every call, with signals of one SNR."""
    rng = stream(seed, "chirp search examples", role)
    return chirp_batch(signals, noise, look, Curriculum(snr, snr, snr), size, 1.0, rng)
