"""What event views cost the block stage."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from gwmorph.block import EventParameters, Stretch, draw_stretch
from gwmorph.config import Config
from gwmorph.spectra.albums import FolderAlbum
from gwmorph.spectra.conditioning import median_psd
from harness import Entry, benchmark, seconds
from spectra import RATE, SEED, parameters, strain, whitened

_WINDOWS = 64
_REPEATS = 9
EVENTS = EventParameters(**Config().events.model_dump(exclude={"parts"}))


@cache
def stretch(triggered: float) -> Stretch:
    """White noise in which this fraction of the windows holds glitches: 1 + Poisson(1) of each.

    They are sine-Gaussians of 40 to 800 Hz, 2 to 50 ms long, with an SNR of 10 to 40.
    """
    rng = np.random.default_rng(SEED)
    white = whitened()[: (32 * _WINDOWS + 8) * RATE].copy()
    for window in rng.permutation(_WINDOWS)[: round(triggered * _WINDOWS)]:
        for _ in range(1 + rng.poisson(1)):
            _add_glitch(white, 4 + 32 * window + rng.uniform(0.5, 31.5), rng)
    starts = [4 + 32 * i for i in range(_WINDOWS)]
    return Stretch(0, white, starts, median_psd(strain(), RATE, 4))


def _add_glitch(white: np.ndarray, time: float, rng: np.random.Generator) -> None:
    t = np.arange(-0.5, 0.5, 1 / RATE)
    width, frequency = np.exp(rng.uniform(np.log([0.002, 40]), np.log([0.05, 800])))
    shape = np.exp(-((t / width) ** 2)) * np.cos(2 * np.pi * frequency * t)
    snr = np.exp(rng.uniform(np.log(10), np.log(40)))
    first = int((time - 0.5) * RATE)
    white[first : first + len(t)] += (snr * shape / np.linalg.norm(shape)).astype("f4")


def _draw(triggered: float, events: EventParameters) -> int:
    """Return how many event views were drawn."""
    with tempfile.TemporaryDirectory() as pictures, tempfile.TemporaryDirectory() as views:
        folders = Path(pictures), Path(views)
        drawn = draw_stretch("H1", stretch(triggered), parameters(), events, FolderAlbum(*folders))
        assert len(drawn.measurements) == _WINDOWS
        return sum(1 for _ in folders[1].iterdir())


def _overhead(name: str, triggered: float) -> Entry:
    """Time with event views over time without, less 1; windows, measurements, triggers in both."""
    off = replace(EVENTS, max_per_window=0)
    assert _draw(triggered, off) == 0
    views = _draw(triggered, EVENTS)
    pairs = np.array(
        [
            (
                seconds(lambda: _draw(triggered, EVENTS)),
                seconds(lambda: _draw(triggered, off)),
            )
            for _ in range(_REPEATS)
        ]
    )
    overhead = pairs[:, 0] / pairs[:, 1] - 1
    return Entry(
        name=name,
        value=float(np.median(overhead)),
        unit="",
        low=float(overhead.min()),
        high=float(overhead.max()),
        peer=f"the same {_WINDOWS} windows without their {views} event views; ms per window",
        peer_value=float(np.median(pairs[:, 1])) * 1e3 / _WINDOWS,
        n=views,
        seed=SEED,
    )


@benchmark
def event_view_overhead() -> Entry:
    """15 % of windows triggered, as Omicron finds in H1 in O3."""
    return _overhead("event_view_overhead", 0.15)


@benchmark
def event_view_overhead_45() -> Entry:
    """45 % of windows triggered, as Omicron finds in L1 in O3."""
    return _overhead("event_view_overhead_45", 0.45)
