"""The nearest other rows of each row, exactly, in memory that does not grow with pairs."""

from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray

from gwmorph.progress import each, timed

# Rows of each side of one product: 64 MB of cosines.
_BLOCK = 4096


@dataclass(frozen=True)
class Nearest:
    """The k nearest others of each of n rows, the nearest first.

    ``rows`` int64 [n, k]; ``cosines`` float32 [n, k]. k is less than asked where n is small.
    ``among`` of the n rows were looked at.
    """

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]
    among: int


@timed("nearest rows")
def nearest_others(
    vectors: NDArray[np.float32], count: int, among: int | None = None, block: int = _BLOCK
) -> Nearest:
    """Return the ``count`` rows of the largest cosine to each row, itself left out.

    Exact: all pairs, each once, as products of blocks. Among equal cosines the earlier row comes
    first. Of more than ``among`` rows so many, at even distances, are what each row's nearest are
    looked for among, exactly: the cost then grows with the rows, not with their square.

    Parameters
    ----------
    vectors
        Unit vectors, float32 [n, width].
    count
        How many others, 1 or more; a run of n rows has n - 1 at most.
    among
        Among how many rows at most, more than ``count``; None: among all.
    block
        Rows of each side of one product, which bounds the memory and changes no result but the
        last bits.

    Raises
    ------
    ValueError
        ``count`` or ``block`` is less than 1, or ``among`` not more than ``count``.
    """
    if count < 1 or block < 1:
        raise ValueError(f"expected count and block of 1 or more, got {count} and {block}")
    if among is not None and among <= count:
        raise ValueError(f"expected among of more than {count} rows, got {among}")
    total = len(vectors)
    if among is not None and among < total:
        return _nearest_drawn(vectors, count, _at_even_distances(total, among), block)
    numbers = np.arange(total)
    kept = min(count, max(total - 1, 0))
    # No row yet: whatever comes is nearer.
    rows = np.full((total, kept), total, np.int64)
    cosines = np.full((total, kept), -np.inf, np.float32)
    starts = range(0, total, block) if kept else ()
    # Every block meets the others in their order, which is how a tie goes to the earlier row.
    pairs = list(combinations_with_replacement(starts, 2))
    for first, second in each(pairs, "pairs of blocks of rows", len(pairs)):
        own, other = (slice(start, min(start + block, total)) for start in (first, second))
        products = vectors[own] @ vectors[other].T
        if first == second:
            np.fill_diagonal(products, -np.inf)
        else:
            _keep_nearer(rows[other], cosines[other], numbers[own], products.T)
        _keep_nearer(rows[own], cosines[own], numbers[other], products)
    return Nearest(rows, np.clip(cosines, -1.0, 1.0), total)


def _at_even_distances(total: int, count: int) -> NDArray[np.int64]:
    """Return ``count`` of ``total`` numbers, from the first to the last, sorted."""
    return np.linspace(0, total - 1, count).round().astype(np.int64)


def _nearest_drawn(
    vectors: NDArray[np.float32], count: int, drawn: NDArray[np.int64], block: int
) -> Nearest:
    """Return the nearest others of every row among the ``drawn`` ones, sorted."""
    total = len(vectors)
    rows = np.full((total, count), total, np.int64)
    cosines = np.full((total, count), -np.inf, np.float32)
    pairs = list(product(range(0, total, block), range(0, len(drawn), block)))
    for first, second in each(pairs, "pairs of blocks of rows", len(pairs)):
        own, others = slice(first, first + block), drawn[second : second + block]
        products = vectors[own] @ vectors[others].T
        (itself,) = np.nonzero((first <= others) & (others < first + block))
        products[others[itself] - first, itself] = -np.inf
        _keep_nearer(rows[own], cosines[own], others, products)
    return Nearest(rows, np.clip(cosines, -1.0, 1.0), len(drawn))


def _keep_nearer(
    rows: NDArray[np.int64],
    cosines: NDArray[np.float32],
    others: NDArray[np.int64],
    products: NDArray[np.float32],
) -> None:
    """Put those of a block's rows, ``others``, that are nearer in place of what was kept.

    ``rows`` and ``cosines`` [n, count] are changed; ``products`` [n, rows of the block].
    """
    count = rows.shape[1]
    nearer = products > cosines[:, -1:]
    if np.count_nonzero(nearer) > nearer.shape[0] * count:
        places = _largest(np.ascontiguousarray(products), count)
        own, place = np.repeat(np.arange(len(rows)), places.shape[1]), places.ravel()
    elif nearer.flags.c_contiguous:
        own, place = np.nonzero(nearer)
    else:
        place, own = np.nonzero(nearer.T)
    changed = np.unique(own)
    whose = np.concatenate([np.repeat(changed, count), own])
    row = np.concatenate([rows[changed].ravel(), others[place]])
    cosine = np.concatenate([cosines[changed].ravel(), products[own, place]])
    # By cosine, then by row: the order in which a tie is decided must not hang on blocks.
    order = np.lexsort((row, -cosine, whose))
    firsts = np.searchsorted(whose[order], changed)
    best = order[firsts[:, None] + np.arange(count)]
    rows[changed], cosines[changed] = row[best], cosine[best]


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
    chosen = above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= free))
    return np.nonzero(chosen)[1].reshape(len(cosines), count)
