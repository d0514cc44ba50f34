"""What coincidences are ranked by: how loud they are in the quieter detector, and how alike.

Glitches are loud in one detector by themselves, so that the sum of two SNRs ranks a loud glitch
beside a faint one above a signal; the smaller SNR does not. And two glitches that coincide by
chance seldom look alike, where a signal does in both detectors.
"""

import numpy as np
from numpy.typing import NDArray

# Chosen on simulated signals among pairs of simulated glitches (`make bench
# BENCH=ranking_recall`), where 4 to 16 do about as well as each other.
POWER = 8


def rank_events(snrs: NDArray[np.floating], alike: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return min(ρ) · max(c, 0)^8 for each coincidence: float64 [n].

    Parameters
    ----------
    snrs
        Omicron SNRs of the triggers, [detectors, n].
    alike
        Cosines of the vectors of each two event views, [pairs, n]; c is their mean. Where one
        of the views was not drawn (nan) nothing says that they are alike, and the rank is 0.
    """
    mean = np.nan_to_num(np.asarray(alike, float).mean(axis=0), nan=0.0)
    return np.min(snrs, axis=0) * np.maximum(mean, 0.0) ** POWER
