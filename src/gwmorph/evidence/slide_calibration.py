"""Whether p-values of time slides mean what they say: simulated detectors that share nothing.

Each detector has bursts of triggers: parents are Poisson, each with a random number of children
spread after it, all of a burst about as loud and alike, as glitches are. Nothing is drawn in the
strain: what is tested is everything behind the triggers.
"""

from dataclasses import dataclass

import numpy as np
from igwn_segments import segment, segmentlist
from numpy.typing import NDArray

from gwmorph.evidence.rates import empirical_p, louder
from gwmorph.evidence.ring import Ring
from gwmorph.evidence.timeslides import (
    Triggers,
    Window,
    coincidences_now,
    correlation_time,
    loudest_of_slides,
    slide_triggers,
    slide_windows,
    valid_slides,
)
from gwmorph.evidence.timing import SIGMAS, peak_time_error
from gwmorph.simulation.streams import stream

_GPS = 1262301184
_WIDTH = 16
_WINDOW_S = 32
_LIGHT_S = 0.01
_SIGNAL_SNR = 10.0


@dataclass(frozen=True)
class Bursts:
    """Detectors' triggers: ``rate_per_hour`` of them in bursts of ``size``, ``spread_s`` long.

    ``hours`` is the time that both analysed, a tenth of which is gaps between.
    """

    hours: float
    rate_per_hour: float
    size: float
    spread_s: float


@dataclass(frozen=True)
class Slid:
    """p-values of one pair of detectors: of the windows' count, the loudest, each signal."""

    windows: float
    loudest: float
    signals: NDArray[np.float64]


def slide_pair(
    bursts: Bursts, seed: int, signals: int = 0, step_s: float = 5.0, most: int = 2000
) -> Slid:
    """Simulate two detectors that share nothing but ``signals`` of SNR 10, and slide them.

    Signals are spread evenly over the time; those of SNR 10 in both, with views as alike as such
    signals' are (a cosine of 0.9).
    """
    ring = _ring(bursts)
    window = Window(_LIGHT_S, SIGMAS)
    one, other = (_triggers(bursts, ring, seed, name) for name in ("one", "other"))
    if signals:
        one, other = _with_signals(one, other, ring, seed, signals)
    least = max(
        correlation_time(one.time, ring),
        correlation_time(other.time, ring),
        window.largest_s(one, other),
        10.0,
    )
    slides = valid_slides(ring, step_s, least, most, seed)
    now = coincidences_now(one, other, window)
    past = slide_triggers(one, other, ring, window, slides)
    loudest = loudest_of_slides(past.slide, past.rank, slides)
    best = np.append(now.rank, -np.inf)[:1]
    own = now.rank[np.isin(now.one, np.arange(len(one.time) - signals, len(one.time)))]
    counts = slide_windows(
        _windows(one, ring), _windows(other, ring), int(np.ceil(least / _WINDOW_S))
    )
    return Slid(
        float(empirical_p(int((counts.slides >= counts.found).sum()), len(counts.slides))),
        float(empirical_p(louder(loudest, best), len(loudest))[0]),
        empirical_p(louder(loudest, own), len(loudest)),
    )


def _ring(bursts: Bursts) -> Ring:
    """Return the time of both: stretches of an hour, with gaps of whole windows between."""
    whole = int(bursts.hours * 3600) // _WINDOW_S * _WINDOW_S
    stretch, gap = 112 * _WINDOW_S, 12 * _WINDOW_S
    starts = range(0, whole, stretch)
    return Ring.of(
        segmentlist(
            segment(_GPS + start + gap * n, _GPS + min(start + stretch, whole) + gap * n)
            for n, start in enumerate(starts)
        )
    )


def _triggers(bursts: Bursts, ring: Ring, seed: int, name: str) -> Triggers:
    rng = stream(seed, "bursts", name)
    span = float(ring.ends[-1] - ring.starts[0])
    early = 5 * bursts.spread_s
    mean = bursts.rate_per_hour / 3600 * (span + early) / bursts.size
    parents = rng.poisson(mean)
    children = 1 + rng.poisson(bursts.size - 1, parents)
    time = _GPS + np.repeat(rng.uniform(-early, span, parents), children)
    time = time + rng.exponential(bursts.spread_s, len(time))
    look = np.repeat(rng.normal(size=(parents, _WIDTH)), children, axis=0)
    snr = 7.5 * np.repeat(rng.uniform(size=parents), children) ** -0.4
    frequency = np.exp(rng.uniform(np.log(25), np.log(800), len(time)))
    q = rng.choice([5.0, 10.0, 20.0, 45.0], len(time))
    snr = snr * np.exp(0.2 * rng.normal(size=len(time)))
    kept = ring.inside(time)
    return Triggers(
        time[kept],
        peak_time_error(frequency, q, snr)[kept],
        snr[kept],
        _unit(look + 0.4 * rng.normal(size=look.shape))[kept],
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _with_signals(
    one: Triggers, other: Triggers, ring: Ring, seed: int, count: int
) -> tuple[Triggers, Triggers]:
    rng = stream(seed, "signals")
    time = ring.gps((np.arange(count) + 0.5) / count * ring.livetime_s)
    look = rng.normal(size=(count, _WIDTH))
    made = []
    for part in (one, other):
        error = peak_time_error(np.full(count, 120.0), np.full(count, 8.0), _SIGNAL_SNR)
        # Two views with a third of the look's power in noise have a cosine of 0.9.
        view = _unit(look + rng.normal(size=look.shape) / 3)
        made.append(
            Triggers(
                np.append(part.time, time + error * rng.normal(size=count)),
                np.append(part.error_s, error),
                np.append(part.snr, np.full(count, _SIGNAL_SNR)),
                np.concatenate([part.vectors, view]),
            )
        )
    return made[0], made[1]


def _windows(triggers: Triggers, ring: Ring) -> NDArray[np.bool_]:
    """Return which windows of the ring, in order of time, hold a trigger."""
    number = (ring.position(triggers.time) // _WINDOW_S).astype(np.int64)
    return np.bincount(number, minlength=ring.livetime_s // _WINDOW_S) > 0
