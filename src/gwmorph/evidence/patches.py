"""Patch evidence: how far the oddest patches of a picture are from those of quiet pictures.

One vector of a 32 s view averages over all of it; a blip is in one patch or two of hundreds. So
each patch of a picture is compared with all patches of some quiet pictures, and the score is the
mean over the k that are farthest from their nearest one. k is not known beforehand (a blip fills
one patch, a whistle many): it is the one that tells injections from quiet windows best, on windows
simulated for that alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gwmorph.encoders.base import unit_rows

COUNTS = (1, 2, 4, 8, 16, 32, 64)


class PatchBackground:
    """Patches of quiet pictures: any [pictures, rows, columns, d], compared by direction."""

    def __init__(self, patches: NDArray[np.floating]) -> None:
        self._known = _unit(patches)

    def distances(self, patches: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return cosine distances to the nearest known patch, the largest first.

        [n, rows, columns, d] gives float32 [n, rows * columns].
        """
        nearest = 1 - (_unit(patches) @ self._known.T).max(axis=1)
        return -np.sort(-nearest.reshape(len(patches), -1), axis=1)


def _unit(patches: NDArray[np.floating]) -> NDArray[np.float32]:
    return unit_rows(patches.reshape(-1, patches.shape[-1]).astype(np.float32))


def farthest(distances: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Return the mean of the ``count`` largest of `PatchBackground.distances`: [n]."""
    return distances[:, :count].mean(axis=1, dtype=np.float64)


def best_count(
    quiet: NDArray[np.floating],
    injected: NDArray[np.floating],
    counts: Sequence[int] = COUNTS,
) -> int:
    """Return the count whose `farthest` tells injected windows from quiet ones best.

    Best is the largest area under the ROC curve, the smallest count of equal ones. Both arguments
    are `PatchBackground.distances`.
    """
    areas = [_area(farthest(quiet, count), farthest(injected, count)) for count in counts]
    return counts[int(np.argmax(areas))]


def _area(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Probability that one of ``high`` exceeds one of ``low``, where equal ones count half."""
    ahead = high[:, None] - low
    return float((ahead > 0).mean() + 0.5 * (ahead == 0).mean())
