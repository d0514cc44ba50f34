"""Limits on scores, and how many quiet windows pass them.

One convention: a window passes where its score exceeds the limit, and a limit is one of the scores
of quiet windows that nothing was learned from. What a new quiet window does then follows from
ranks alone, whatever the scores' distribution.
"""

import numpy as np
from numpy.typing import NDArray

from gwmorph.errors import ConfigError


def limit_rank(quiet: int, fraction: float, key: str) -> int:
    """Return the k of `limit_at`, ⌊fraction·(n + 1)⌋ of n quiet windows; errors as there."""
    # A product like 0.01 * 10000 may come out just below a whole number.
    rank = int(fraction * (quiet + 1) + 1e-9)
    if not 1 <= rank <= quiet:
        raise ConfigError(
            f"{key}: {quiet} quiet windows to set a limit on allow fractions of false alarms from "
            f"{1 / (quiet + 1):.2g} to below 1, got {fraction:g}. Take more quiet windows for a "
            "finer one."
        )
    return rank


def limit_at(quiet: NDArray[np.float64], fraction: float, key: str) -> float:
    """Return the limit that a new quiet window exceeds with probability ``fraction`` at most.

    It is the k-th largest of n quiet scores, k = ⌊fraction·(n + 1)⌋: of exchangeable scores, a
    new one lies above it with probability k/(n + 1). Scores are exchangeable when none belongs
    to a window that was learned from. A score equal to the limit does not pass.

    Raises
    ------
    ConfigError
        There are too few quiet windows for so small a fraction; ``key`` is the configuration's
        key that says how many there are.
    """
    rank = limit_rank(len(quiet), fraction, key)
    return float(np.partition(quiet, len(quiet) - rank)[len(quiet) - rank])


def passing_interval(windows: int, quiet: int, rank: int) -> tuple[int, int]:
    """Return how many of some new quiet windows pass a limit: bounds that hold in 95 % of cases.

    Above the k-th largest of n scores (``quiet``, ``rank``), their number follows a beta-binomial
    law. The limit's own error is in it.
    """
    from scipy.stats import betabinom  # takes a second to import, which setting limits needs not

    low, high = betabinom(windows, rank, quiet + 1 - rank).ppf([0.025, 0.975])
    return int(low), int(high)
