"""Exact medians of rows of tile energies.

A partition moves every number several times; here each is read twice. Numbers that are not
negative lie in the order of their bits: those of one bin of bits are counted, and what shares the
bin of the middle is sorted.
"""

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.compiled import compiled

# Bins of the sign, the exponent and four bits of the mantissa: 6 % wide, so that about 2 % of a
# row of noise are in the bin of its median. Their counts fit into a processor's first cache.
_SHIFT = np.uint32(19)
_BINS = 1 << 13


def row_medians(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of each row of an even number of energies: float32 [n] of [n, tiles].

    It is the mean of the two middle values, in which NaN is larger than all else. Energies are
    contiguous in memory and not negative.
    """
    medians = np.empty(len(energy), np.float32)
    near = np.empty(energy.shape[1], np.float32)
    _medians(energy, energy.view(np.uint32), np.empty(_BINS, np.int32), near, medians)
    return medians


@compiled()
def _medians(energy, bits, counts, near, medians):  # type: ignore[no-untyped-def]
    """Write each row's median; ``counts`` [bins] and ``near`` [tiles] are room to work in."""
    middle = energy.shape[1] // 2
    for i in range(len(energy)):
        counts[:] = 0
        for tile in range(energy.shape[1]):
            counts[bits[i, tile] >> _SHIFT] += 1
        low, below = _bin_of(counts, middle - 1)
        high, _ = _bin_of(counts, middle)
        first, last = np.uint32(low), np.uint32(high)
        found = 0
        for tile in range(energy.shape[1]):
            if first <= bits[i, tile] >> _SHIFT <= last:
                near[found] = energy[i, tile]
                found += 1
        ordered = np.sort(near[:found])
        medians[i] = (ordered[middle - 1 - below] + ordered[middle - below]) / np.float32(2)


@compiled()
def _bin_of(counts, rank):  # type: ignore[no-untyped-def]
    """Return the bin that holds the value of a rank, and how many values lie below the bin."""
    below, number = 0, 0
    while below + counts[number] <= rank:
        below += counts[number]
        number += 1
    return number, below
