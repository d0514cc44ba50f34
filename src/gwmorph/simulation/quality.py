"""When a simulated detector observes, and what its data-quality mask says.

Gaps are a Poisson process in GPS time with random lengths, drawn cell by cell from their own
random streams, so the mask of any span is a function of seed, detector and duty cycle alone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from igwn_segments import segment, segmentlist

from gwmorph.formats.gwosc_layout import DQ_NAMES
from gwmorph.simulation.streams import stream

CELL_S = 16384
ALL_GOOD = 2 ** len(DQ_NAMES) - 1
# Bits that a short veto clears: a category implies the stricter ones of its search.
_VETOES = (0b1000000, 0b1100000, 0b1101100)

Kind = Literal["missing", "off", "veto"]


@dataclass(frozen=True)
class Gap:
    """Seconds ``[start, end)`` that are not all good.

    ``missing``: strain is NaN, the mask 0. ``off``: strain is there, the mask 0, as when the
    detector runs but does not observe. ``veto``: strain and DATA are there, ``bits`` are cleared.
    """

    start: int
    end: int
    kind: Kind
    bits: int


@dataclass(frozen=True)
class _Process:
    """Gaps of one sort: lengths (s, log-uniform), chance of each kind."""

    name: str
    shortest: float
    longest: float
    kinds: tuple[Kind, ...]
    weights: tuple[float, ...]

    @property
    def mean_length(self) -> float:
        return (self.longest - self.shortest) / np.log(self.longest / self.shortest)


# ASSUME: lock losses of one minute to two hours; drop-outs of seconds twice in three hours.
_LOCK_LOSS = _Process("lock loss", 60, 7200, ("missing", "off"), (0.7, 0.3))
_DROP = _Process("drop", 1, 8, ("missing", "off", "veto"), (0.2, 0.4, 0.4))
_DROPS_PER_S = 1 / 5400


def gaps(seed: int, detector: str, duty_cycle: float, start: int, end: int) -> list[Gap]:
    """Return the gaps that touch ``[start, end)``, unclipped; they may overlap.

    At a duty cycle of 1 there are none.
    """
    if duty_cycle == 1:
        return []
    # Fraction not covered by gaps that start at random: exp(-rate * mean length).
    losses_per_s = -np.log(duty_cycle) / _LOCK_LOSS.mean_length
    return [
        gap
        for process, rate in ((_LOCK_LOSS, losses_per_s), (_DROP, _DROPS_PER_S))
        for cell in range(max(start // CELL_S - 1, 0), (end - 1) // CELL_S + 1)
        for gap in _cell(seed, detector, process, rate, cell)
        if gap.start < end and gap.end > start
    ]


def _cell(seed: int, detector: str, process: _Process, rate: float, cell: int) -> list[Gap]:
    rng = stream(seed, "quality", process.name, detector, cell)
    number = rng.poisson(rate * CELL_S)
    starts = np.floor(cell * CELL_S + rng.uniform(0, CELL_S, number)).astype(int)
    bounds = np.log([process.shortest, process.longest])
    lengths = np.round(np.exp(rng.uniform(bounds[0], bounds[1], number))).astype(int)
    kinds = [process.kinds[k] for k in rng.choice(len(process.kinds), number, p=process.weights)]
    vetoes = rng.choice(_VETOES, number)
    return [
        Gap(int(a), int(a + n), kind, int(veto) if kind == "veto" else ALL_GOOD)
        for a, n, kind, veto in zip(starts, lengths, kinds, vetoes, strict=True)
    ]


def dq_mask(found: list[Gap], start: int, end: int) -> np.ndarray:
    """Return the mask (uint32 ``[end - start]``, 1 Hz, bits as ``DQ_NAMES``)."""
    mask = np.full(end - start, ALL_GOOD, dtype=np.uint32)
    for gap in found:
        mask[_clip(gap, start, end)] &= np.uint32(ALL_GOOD ^ gap.bits)
    return mask


def missing_seconds(found: list[Gap], start: int, end: int) -> np.ndarray:
    """Return which seconds hold no strain (bool ``[end - start]``)."""
    missing = np.zeros(end - start, dtype=bool)
    for gap in found:
        if gap.kind == "missing":
            missing[_clip(gap, start, end)] = True
    return missing


def science_segments(found: list[Gap], start: int, end: int) -> segmentlist:
    """Return the spans of ``[start, end)`` in which the mask's DATA bit is set, coalesced."""
    whole = segmentlist([segment(start, end)])
    out = segmentlist(segment(gap.start, gap.end) for gap in found if gap.kind != "veto")
    return whole - out.coalesce()


def _clip(gap: Gap, start: int, end: int) -> slice:
    return slice(max(gap.start - start, 0), max(gap.end - start, 0))
