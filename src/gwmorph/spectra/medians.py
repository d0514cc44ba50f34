"""Exact medians of rows of tile energies.

A partition moves every number several times; here they are only counted. How many lie below two
values says on which side of each the median lies, and processors compare several numbers at once.
Noise tells where to look: its energies are exponentially distributed. What is left between the
two nearest values is sorted. Rows in which that finds nothing in a few rounds, because they hold
many equal numbers, few numbers or none, are counted by the bits of their numbers instead.
"""

from math import log2, sqrt

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.compiled import compiled

# So many energies of a row, or fewer, are sorted.
_FEW = 16
# A row of noise takes three to five rounds.
_ROUNDS = 12
# After as many rounds as there may be, a part of a row is sorted that is no larger than this.
_MANY = 16
_SAMPLE = 64
# What is looked through at once for energies between two values.
_PIECE = 16
# Bins of the sign, the exponent and four bits of the mantissa: 6 % wide, so that about 2 % of a
# row of noise are in the bin of its median. Their counts fit into a processor's first cache.
_SHIFT = np.uint32(19)
_BINS = 1 << 13

_ZERO, _ONE = np.int32(0), np.int32(1)


def row_medians(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of each row of an even number of energies: float32 [n] of [n, tiles].

    It is the mean of the two middle values, in which NaN is larger than all else. Energies are
    contiguous in memory and not negative.
    """
    medians = np.empty(len(energy), np.float32)
    _medians(energy, medians)
    return medians


@compiled()
def _medians(energy, medians):  # type: ignore[no-untyped-def]
    near = np.empty(energy.shape[1], np.float32)
    guess = np.float32(0)
    for i in range(len(energy)):
        guess = medians[i] = row_median(energy[i], guess, near)


@compiled()
def row_median(row, guess, near):  # type: ignore[no-untyped-def]
    """Return the median of one row, [tiles], as `row_medians` does.

    ``guess`` is about the median, or not above zero where nothing is known of it, and ``near``
    [tiles] is room to work in.
    """
    if not guess > 0:
        guess = _guess(row)
    first, last, below, few = _bracket(row, guess)
    if few:
        found = _between(row, first, last, near)
    else:
        found, below = _middle_bins(row, near)
    ordered = near[:found]
    ordered.sort()
    middle = len(row) // 2 - below
    return (ordered[middle - 1] + ordered[middle]) / np.float32(2)


@compiled()
def _guess(row):  # type: ignore[no-untyped-def]
    """Return about the median of a row of noise, by the mean of some of its energies."""
    step = max(len(row) // _SAMPLE, 1)
    total, number = 0.0, 0
    for tile in range(0, len(row), step):
        total += row[tile]
        number += 1
    return np.float32(np.log(2) * total / number)


@compiled()
def _bracket(row, guess):  # type: ignore[no-untyped-def]
    """Return two values with both middle ones between them, and how many lie below the first.

    The lower one belongs to what is between. Last comes whether that is few enough.
    """
    tiles, middle = len(row), len(row) // 2
    first, below, last, up_to = np.float32(0), 0, np.float32(np.inf), tiles
    width = np.float32(3 / sqrt(tiles))
    low, high = guess * (1 - width), guess * (1 + width)
    for _ in range(_ROUNDS):
        below_low, below_high = _counts_below(row, low, high)
        if first < low and below_low < middle:
            first, below = low, below_low
        if first < high and below_high < middle:
            first, below = high, below_high
        if high < last and below_high > middle:
            last, up_to = high, below_high
        if low < last and below_low > middle:
            last, up_to = low, below_low
        if last < np.inf and up_to - below <= _FEW:
            return first, last, below, True
        if below > 0 and up_to < tiles:
            # Straight between the two, and beside it by what so many energies scatter.
            scatter = sqrt(up_to - below)
            step = (last - first) / (up_to - below)
            low = np.float32(first + step * (middle - scatter - below))
            high = np.float32(first + step * (middle + scatter - below))
        elif 0 < below_low < tiles:
            # A share 2^(-E/median) of noise lies above E.
            guess = np.float32(-low / log2(1 - below_low / tiles))
            low, high = guess * (1 - width), guess * (1 + width)
            width *= 4
        else:
            break
    return first, last, below, last < np.inf and up_to - below <= tiles // _MANY


@compiled()
def _counts_below(row, low, high):  # type: ignore[no-untyped-def]
    """Count the numbers below each of two values, which NaN never is."""
    below_low = below_high = _ZERO
    # Numbers as wide as energies, so that the processor takes as many at once.
    for tile in range(len(row)):
        below_low = np.int32(below_low + (_ONE if row[tile] < low else _ZERO))
        below_high = np.int32(below_high + (_ONE if row[tile] < high else _ZERO))
    return below_low, below_high


@compiled()
def _between(row, first, last, near):  # type: ignore[no-untyped-def]
    """Write the few energies from ``first`` to below ``last`` to ``near``, and count them."""
    found = 0
    for start in range(0, len(row), _PIECE):
        piece = row[start : start + _PIECE]
        some = _ZERO
        for tile in range(len(piece)):
            some = np.int32(
                some | (_ONE if (first <= piece[tile]) & (piece[tile] < last) else _ZERO)
            )
        if some:
            for tile in range(len(piece)):
                if first <= piece[tile] < last:
                    near[found] = piece[tile]
                    found += 1
    return found


@compiled()
def _middle_bins(row, near):  # type: ignore[no-untyped-def]
    """Write what shares the bins of the middle values to ``near``, and count it and what is below.

    Numbers that are not negative lie in the order of their bits.
    """
    middle, bits = len(row) // 2, row.view(np.uint32)
    counts = np.zeros(_BINS, np.int32)
    for tile in range(len(row)):
        counts[bits[tile] >> _SHIFT] += 1
    low, below = _bin_of(counts, middle - 1)
    high, _ = _bin_of(counts, middle)
    first, last = np.uint32(low), np.uint32(high)
    found = 0
    for tile in range(len(row)):
        if first <= bits[tile] >> _SHIFT <= last:
            near[found] = row[tile]
            found += 1
    return found, below


@compiled()
def _bin_of(counts, rank):  # type: ignore[no-untyped-def]
    """Return the bin that holds the value of a rank, and how many values lie below the bin."""
    below, number = 0, 0
    while below + counts[number] <= rank:
        below += counts[number]
        number += 1
    return number, below
