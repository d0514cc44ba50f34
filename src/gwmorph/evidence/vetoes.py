"""Veto segments around triggers, and the figures that they are judged by.

Times inside are whole milliseconds, so that sums and cuts of segments are exact.

The figures are those of hveto (Smith et al. 2011, arXiv:1107.2948) and of the use-percentage veto
(Isogai 2010, J. Phys.: Conf. Ser. 243 012005): efficiency, the share of triggers that are vetoed;
dead time, the share of livetime that is vetoed; their ratio, which is 1 in the mean for a veto
that has nothing to do with the triggers; use percentage, the share of veto segments that hold at
least one trigger.
"""

from dataclasses import dataclass
from math import ceil, floor, nan

import numpy as np
from igwn_segments import segment, segmentlist
from numpy.typing import ArrayLike, NDArray

MS = 1000
Times = NDArray[np.float64]


@dataclass(frozen=True)
class VetoFigures:
    """How segments veto some triggers; shares are nan where there is nothing to take them of.

    ``vetoed`` of ``triggers`` lie in a segment, and ``used`` segments hold one of them.
    """

    triggers: int
    vetoed: int
    used: int
    efficiency: float
    efficiency_over_dead_time: float
    use_percentage: float


def segments_around(
    starts: ArrayLike, ends: ArrayLike, padding_s: float, step_ms: int = 1
) -> segmentlist:
    """Return segments in ms that hold each ``[start − padding, end + padding]``, coalesced.

    ``starts`` and ``ends`` are GPS seconds [n]; edges are moved outward to multiples of
    ``step_ms``, 1000 of them for whole seconds.
    """
    padding = padding_s * MS
    pairs = zip(np.asarray(starts, float), np.asarray(ends, float), strict=True)
    return segmentlist(
        segment(
            floor((start * MS - padding) / step_ms) * step_ms,
            ceil((end * MS + padding) / step_ms) * step_ms,
        )
        for start, end in pairs
    ).coalesce()


def spans(starts: ArrayLike, length_s: int) -> segmentlist:
    """Return the union, in ms, of windows of ``length_s`` that start at GPS ``starts``."""
    return segmentlist(
        segment(int(start) * MS, (int(start) + length_s) * MS) for start in np.asarray(starts)
    ).coalesce()


def dead_time(vetoes: segmentlist, analysed: segmentlist) -> float:
    """Return the share of analysed time that is vetoed; both coalesced, nan of no time."""
    return abs(vetoes & analysed) / abs(analysed) if analysed else nan


def judge_veto(vetoes: segmentlist, analysed: segmentlist, times: Times) -> VetoFigures:
    """Return how ``vetoes`` (ms, coalesced) veto triggers at ``times`` (GPS seconds [n]).

    ``analysed`` is the livetime (ms, coalesced). A trigger is vetoed where its time lies in
    ``[start, end)`` of a segment.
    """
    starts, ends = (np.array([edge[i] for edge in vetoes], float) for i in (0, 1))
    place = np.searchsorted(starts, times * MS, side="right") - 1
    inside = place >= 0
    inside[inside] = times[inside] * MS < ends[place[inside]]
    vetoed, used = int(inside.sum()), len(np.unique(place[inside]))
    efficiency = vetoed / len(times) if len(times) else nan
    dead = dead_time(vetoes, analysed)
    return VetoFigures(
        len(times),
        vetoed,
        used,
        efficiency,
        efficiency / dead if dead > 0 else nan,
        100 * used / len(vetoes) if vetoes else nan,
    )
