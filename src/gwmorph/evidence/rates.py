"""False-alarm rates, p-values and upper limits from counts of a background.

A rate has the floor of one event in all of the background; a p-value is never zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from gwmorph.simulation.streams import stream

YEAR_S = 365.25 * 86400
CONFIDENCE = 0.9
_PERCENTILES = (2.5, 97.5)

Counts = NDArray[np.int64]


def louder(background: NDArray[np.float64], values: NDArray[np.float64]) -> Counts:
    """Return how many background values are as large or larger than each value: int64 [n]."""
    ordered = np.sort(background)
    return len(ordered) - np.searchsorted(ordered, values, side="left")


def false_alarm_rate(count: Counts | int, background_s: float) -> NDArray[np.float64]:
    """Return the false-alarm rate per year, (n + 1)/T_bg, of events with n louder ones.

    Usman et al. 2016, arXiv:1508.02357, eq. 17. Its floor is 1/T_bg.
    """
    return (np.asarray(count) + 1) / background_s * YEAR_S


def p_over_run(rate_per_year: NDArray[np.float64], livetime_s: float) -> NDArray[np.float64]:
    """Return the probability of a false alarm at this rate within a run, 1 − exp(−T·FAR).

    Usman et al. 2016, arXiv:1508.02357, eq. 18: for background events that are Poisson.
    """
    return -np.expm1(-np.asarray(rate_per_year) * livetime_s / YEAR_S)


def empirical_p(reached: Counts | int, trials: int) -> NDArray[np.float64]:
    """Return (b + 1)/(m + 1): b of m slides reach what was found (Phipson & Smyth 2010)."""
    return (np.asarray(reached) + 1) / (trials + 1)


def poisson_interval(count: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 95 % intervals of Poisson means of which ``count`` [n] were seen: two float64 [n].

    Garwood 1936, doi:10.1093/biomet/28.3-4.437.
    """
    count = np.asarray(count, float)
    low, high = (share / 100 for share in _PERCENTILES)
    below = np.where(count > 0, chi2.ppf(low, 2 * np.maximum(count, 1)) / 2, 0.0)
    return below, chi2.ppf(high, 2 * (count + 1)) / 2


@dataclass(frozen=True)
class Background:
    """Background coincidences, one row each: rank float64 [n] and stretches of time int64 [n].

    ``one`` and ``other`` are the stretches of either detector's time that the two triggers are in.
    """

    rank: NDArray[np.float64]
    one: NDArray[np.int64]
    other: NDArray[np.int64]


def count_intervals(
    background: Background, values: NDArray[np.float64], repeats: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 95 % intervals of how many background events are louder than each value.

    All triggers of one stretch of a detector's time are drawn or left out together, in either
    detector on its own, and a coincidence counts as often as both of its stretches were drawn
    (pigeonhole bootstrap, Owen 2007, arXiv:0712.1111; it errs on the wide side). Glitches come in
    bursts, and a few loud ones make all of a background's loud coincidences: Poisson's interval
    would be too narrow. It is nowhere narrower than that.

    Parameters
    ----------
    background
        All coincidences of all slides.
    values
        Ranks, float64 [n].
    repeats, seed
        Number of draws, and their seed.

    Returns
    -------
    Lower and upper ends, float64 [n] each.
    """
    order = np.argsort(-background.rank, kind="stable")
    place = louder(background.rank, values)
    one, other = (
        np.unique(blocks[order], return_inverse=True)[1]
        for blocks in (background.one, background.other)
    )
    rng = stream(seed, "bootstrap of slides")
    draws = np.empty((repeats, len(values)))
    for draw in draws:
        weights = _weights(one, rng)[one] * _weights(other, rng)[other]
        draw[:] = np.append(0, np.cumsum(weights))[place]
    low, high = np.percentile(draws, _PERCENTILES, axis=0)
    poisson = poisson_interval(place)
    return np.minimum(low, poisson[0]), np.maximum(high, poisson[1])


def _weights(blocks: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    count = int(blocks.max(initial=-1)) + 1
    return np.bincount(rng.integers(max(count, 1), size=count), minlength=count).astype(float)


def slides_that_teach(background: Background, slides: int) -> float:
    """Return the number of slides beyond which more of them teach little.

    The relative variance of a rate from M slides is 1/n of its n background events, which falls as
    1/M, and a part that does not, since all slides hold the same triggers (Was et al. 2010,
    arXiv:0906.2120). That part is taken from how often two coincidences share a stretch of one
    detector's time, beyond what even stretches would. The number is that at which both are equal,
    for the level of which a run has one event by chance; inf where no such part is seen.
    """
    ranks = np.sort(background.rank)[::-1]
    if len(ranks) < 2:
        return float("inf")
    level = ranks[min(slides, len(ranks)) - 1]
    loud = background.rank >= level
    total = int(loud.sum())
    shared = sum(
        _repeats(blocks[loud]) - 1 / len(np.unique(blocks))
        for blocks in (background.one, background.other)
    )
    return float("inf") if shared <= 0 else slides / total / shared


def _repeats(blocks: NDArray[np.int64]) -> float:
    """Return the share of pairs of coincidences that are of the same stretch."""
    counts = np.unique(blocks, return_counts=True)[1].astype(float)
    total = counts.sum()
    return float((counts * (counts - 1)).sum() / max(total * (total - 1), 1))


def poisson_limit(count: int) -> float:
    """Return the 90 % upper limit of a Poisson mean of which ``count`` were seen.

    None of them is taken for background, which makes the limit a safe one (Garwood 1936).
    """
    return float(chi2.ppf(CONFIDENCE, 2 * (count + 1)) / 2)


def loudest_event_limit(signal_likelihood: float) -> float:
    """Return the 90 % upper limit of the mean number of signals as loud as the loudest event.

    Biswas et al. 2009, arXiv:0710.0465, for a prior that is even in the rate: μ solves
    1 − exp(−μ)·(1 + μ·Λ/(1 + Λ)) = 0.9, Λ being how much likelier a signal the event is than
    background. It is 2.30 where the loudest event is surely background (Λ = 0), 3.89 where it is
    surely a signal (Λ infinite).
    """
    share = 1.0 if np.isinf(signal_likelihood) else signal_likelihood / (1 + signal_likelihood)
    return float(
        brentq(lambda mean: np.exp(-mean) * (1 + mean * share) - (1 - CONFIDENCE), 1e-9, 20)
    )
