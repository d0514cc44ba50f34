"""The ring of time that several detectors analysed together, on which one is slid past another.

All gaps are removed and the end is joined to the beginning. A rotation of the ring leaves every
trigger on analysed time, so that each slide has the same livetime: that of the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segment, segmentlist
from numpy.typing import NDArray

from gwmorph.errors import GwmorphError
from gwmorph.ledger import ANALYSED


class CoincidenceError(GwmorphError):
    """Detectors have no time together, or too little of it to be slid."""


@dataclass(frozen=True)
class Ring:
    """Closed-open spans ``[starts, ends)`` of whole GPS seconds, sorted, int64 [n], joined."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, spans: segmentlist) -> Self:
        """Join spans, which are sorted and coalesced."""
        held = np.array([[start, end] for start, end in spans], np.int64).reshape(-1, 2)
        return cls(held[:, 0], held[:, 1])

    @property
    def livetime_s(self) -> int:
        """Length of the ring, s."""
        return int((self.ends - self.starts).sum())

    def inside(self, gps: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return whether GPS times [n] are in one of the spans: bool [n]."""
        span = np.searchsorted(self.starts, gps, side="right") - 1
        return (span >= 0) & (gps < self.ends[span])

    def position(self, gps: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how far along the ring GPS times inside it are, s: float64 [n] in [0, T)."""
        span = np.searchsorted(self.starts, gps, side="right") - 1
        return np.asarray(gps - self.starts[span] + self._offsets[span], float)

    def gps(self, position: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the GPS times of positions in [0, T): the inverse of `position`."""
        span = np.searchsorted(self._offsets, position, side="right") - 1
        return np.asarray(position - self._offsets[span] + self.starts[span], float)

    @property
    def _offsets(self) -> NDArray[np.int64]:
        """Position at which each span begins."""
        return np.cumsum(np.append(0, self.ends - self.starts)[:-1])


def analysed_time(ledger: pa.Table, detector: str) -> segmentlist:
    """Return the union of a detector's analysed windows, from rows of LEDGER."""
    rows = ledger.filter(
        pc.and_(pc.equal(ledger["detector"], detector), pc.equal(ledger["status"], ANALYSED))
    )
    starts, lengths = rows["gps_start"].to_pylist(), rows["duration_s"].to_pylist()
    return segmentlist(
        segment(start, start + length) for start, length in zip(starts, lengths, strict=True)
    ).coalesce()


def coincident_ring(ledger: pa.Table, detectors: Sequence[str]) -> Ring:
    """Return the ring of time that all ``detectors`` analysed, from rows of LEDGER.

    Raises
    ------
    CoincidenceError
        There is no such time; the error has each detector's own.
    """
    analysed = {detector: analysed_time(ledger, detector) for detector in detectors}
    together = segmentlist.copy(next(iter(analysed.values())))
    for spans in analysed.values():
        together &= spans
    if not abs(together):
        own = ", ".join(f"{name} {abs(spans)} s" for name, spans in analysed.items())
        raise CoincidenceError(
            f"no coincident time: expected windows that {' and '.join(analysed)} both analysed, "
            f"got {own}, and none of it together. Analyse a span in which they observe at once, "
            "or leave one of them out of timeslides.detectors."
        )
    return Ring.of(together)
