"""Candidates: where the parts of a window's score peak, for windows that may pass its limit.

The limit is known only when all windows of a run are, but tiles are at hand only while a window is
drawn. So each part is traced back to its place wherever it has a value that few quiet windows
have; which of these candidates are events, the score says later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwmorph.spectra.chirps import chirp_ratio, chirp_region
from gwmorph.spectra.extended import box_excess, excess_region, track_ratio, track_region
from gwmorph.spectra.lines import line_share
from gwmorph.spectra.qtransform import GUARD_S, QBatch
from gwmorph.spectra.regions import Region, region_trigger
from gwmorph.spectra.triggers import Trigger
from gwmorph.tables.block import TILE

_REGIONS: dict[str, Callable[[QBatch, int], Region]] = {
    "excess": excess_region,
    "track": track_region,
    "chirp": chirp_region,
}


@dataclass(frozen=True)
class Candidate:
    """What may be an event.

    Attributes
    ----------
    found_by
        One of ``FOUND_BY``.
    trigger
        Its place, as `region_trigger` describes it or `find_triggers` found it.
    plane
        Number of the Q-plane in which it was found; None for what a tile found.
    line_share
        From `line_share`; None for what a tile found.
    chirp_mass
        In solar masses; None unless a chirp's track found it.
    """

    found_by: str
    trigger: Trigger
    plane: int | None = None
    line_share: float | None = None
    chirp_mass: float | None = None


def region_parts(batch: QBatch) -> dict[str, NDArray[np.float64]]:
    """Return the value of each part that adds tiles up, float64 [n] by name."""
    return {
        "excess": box_excess(batch),
        "track": track_ratio(batch),
        "chirp": chirp_ratio(batch),
    }


def find_candidates(
    batch: QBatch,
    window: int,
    parts: Mapping[str, NDArray[np.floating]],
    least: Mapping[str, float],
    lines: NDArray[np.bool_],
) -> Iterator[Candidate]:
    """Yield where each part of one window of a batch peaks, if it has its least value.

    Parameters
    ----------
    batch, window
        Tiles of some windows, and which of them.
    parts
        From `region_parts`.
    least
        Smallest value of each part that is looked at.
    lines
        Rows of the highest Q that hold a line, from `line_rows`.
    """
    window_s = int(batch.tiling.duration) - 2 * GUARD_S
    for name, region_of in _REGIONS.items():
        if parts[name][window] < least[name]:
            continue
        region = region_of(batch, window)
        found = region_trigger(batch, window, region, window_s)
        share = line_share(batch, window, found, lines)
        yield Candidate(name, found, region.plane, share, region.chirp_mass)


def faint_tile(triggers: Sequence[Trigger], energy: float, snr: float) -> Candidate | None:
    """Return the trigger with a window's loudest tile, of ``energy``, if it is below ``snr``.

    ``triggers`` are the window's, loudest first. What reaches ``snr`` needs no score.
    """
    if triggers and triggers[0].snr < snr and triggers[0].energy == energy:
        return Candidate(TILE, triggers[0])
    return None


def overlap(a: Trigger, b: Trigger) -> bool:
    """Return whether two triggers meet in time and in frequency."""
    return a.tstart <= b.tend and b.tstart <= a.tend and a.fstart <= b.fend and b.fstart <= a.fend
