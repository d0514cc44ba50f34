"""The nearest other rows of each row, exactly, in memory that does not grow with pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Rows of each side of one product: 64 MB of cosines.
_BLOCK = 4096


@dataclass(frozen=True)
class Nearest:
    """The k nearest others of each of n rows, the nearest first.

    ``rows`` int64 [n, k]; ``cosines`` float32 [n, k]. k is less than asked where n is small.
    """

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]


def nearest_others(vectors: NDArray[np.float32], count: int, block: int = _BLOCK) -> Nearest:
    """Return the ``count`` rows of the largest cosine to each row, itself left out.

    Exact: all pairs, as products of blocks. Among equal cosines the earlier row comes first.

    Parameters
    ----------
    vectors
        Unit vectors, float32 [n, width].
    count
        How many others, 1 or more; a run of n rows has n - 1 at most.
    block
        Rows of each side of one product, which bounds the memory and changes no result but the
        last bits.

    Raises
    ------
    ValueError
        ``count`` or ``block`` is less than 1.
    """
    if count < 1 or block < 1:
        raise ValueError(f"expected count and block of 1 or more, got {count} and {block}")
    total = len(vectors)
    kept = min(count, max(total - 1, 0))
    rows = np.zeros((total, kept), np.int64)
    cosines = np.zeros((total, kept), np.float32)
    if kept:
        for start in range(0, total, block):
            own = np.arange(start, min(start + block, total))
            rows[own], cosines[own] = _nearest_of(own, vectors, kept, block)
    return Nearest(rows, cosines)


def _nearest_of(
    own: NDArray[np.int64], vectors: NDArray[np.float32], count: int, block: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return rows and cosines [own, count], keeping the best of what each block adds."""
    best_rows = np.zeros((len(own), 0), np.int64)
    best = np.zeros((len(own), 0), np.float32)
    for start in range(0, len(vectors), block):
        others = np.arange(start, min(start + block, len(vectors)))
        cosines = vectors[own] @ vectors[others].T
        cosines[own[:, None] == others] = -np.inf
        places = _largest(cosines, count)
        best_rows = np.concatenate([best_rows, others[places]], axis=1)
        best = np.concatenate([best, np.take_along_axis(cosines, places, axis=1)], axis=1)
        # By cosine, then by row: the order in which a tie is decided must not hang on blocks.
        order = np.lexsort((best_rows, -best), axis=1)[:, :count]
        best_rows = np.take_along_axis(best_rows, order, axis=1)
        best = np.take_along_axis(best, order, axis=1)
    return best_rows, np.clip(best, -1.0, 1.0)


def _largest(cosines: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return the places of the largest of each row, the earliest of those equal to the last."""
    width = cosines.shape[1]
    if width <= count:
        return np.broadcast_to(np.arange(width), cosines.shape)
    last = -np.partition(-cosines, count - 1, axis=1)[:, count - 1 : count]
    above = cosines > last
    # What equals the last one fills the places that are left, from the left.
    equal = cosines == last
    free = count - above.sum(axis=1, keepdims=True)
    chosen = above | (equal & (np.cumsum(equal, axis=1) <= free))
    return np.nonzero(chosen)[1].reshape(len(cosines), count)
