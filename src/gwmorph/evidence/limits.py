"""Limits on scores, and how many quiet windows pass them.

One convention: a window passes where its score exceeds the limit, and it is compared with scores
of quiet windows that were not learned from. What a new quiet window does then follows from ranks,
whatever the scores' distribution.
"""

import numpy as np
from numpy.typing import NDArray

from gwmorph.errors import ConfigError

# Of new windows that are compared with all quiet ones at a time.
_ROWS = 1024


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
    return _largest(quiet, rank)


def _largest(scores: NDArray[np.float64], rank: int) -> float:
    """Return the k-th largest score, k = ``rank``."""
    place = len(scores) - rank
    return float(np.partition(scores, place)[place])


def fold_limits(
    scores: NDArray[np.float64],
    by_fold: NDArray[np.float64],
    held_out: NDArray[np.float64],
    number: NDArray[np.int64],
    rank: int,
) -> NDArray[np.float64]:
    """Return the limit of each new window where all quiet windows taught the scores.

    With K folds of n quiet windows, and what was learned without each of them, a new window
    passes where fewer than ``rank`` quiet windows score as high, each compared by what was
    learned without its own fold: CV+ of Barber et al. 2021 (arXiv:1905.02928, section 3),
    one-sided. A limit is the new window's score less what it exceeds the ``rank``-th of them by;
    that of a window that passes is no larger than the ``rank``-th largest of ``held_out``, since
    the scores of a loud window differ from fold to fold by more than limits do.

    Where all that is learned agrees, a new quiet window passes with a probability of k/(n + 1).
    Proven is no more than twice that and a term of the folds, 0.04 for 1000 windows in 20.

    Parameters
    ----------
    scores
        Of m new windows, learned from all quiet windows: float64 [m].
    by_fold
        Of the same, learned without each fold: float64 [m, K].
    held_out
        Of the quiet windows, learned without their own folds: float64 [n].
    number
        The fold of each quiet window, 0 … K − 1: int64 [n].
    rank
        k, from `limit_rank`.

    Returns
    -------
    float64 [m]; a score that exceeds its limit passes.
    """
    lead = np.empty(len(scores))
    for start in range(0, len(scores), _ROWS):
        rows = slice(start, start + _ROWS)
        ahead = by_fold[rows][:, number] - held_out
        lead[rows] = np.partition(ahead, rank - 1, axis=1)[:, rank - 1]
    limits = scores - lead
    return np.where(lead > 0, np.minimum(limits, _largest(held_out, rank)), limits)


def passing_interval(windows: int, quiet: int, rank: int) -> tuple[int, int]:
    """Return how many of some new quiet windows pass a limit: bounds that hold in 95 % of cases.

    Above the k-th largest of n scores (``quiet``, ``rank``), their number follows a beta-binomial
    law. The limit's own error is in it.
    """
    from scipy.stats import betabinom  # takes a second to import, which setting limits needs not

    low, high = betabinom(windows, rank, quiet + 1 - rank).ppf([0.025, 0.975])
    return int(low), int(high)
