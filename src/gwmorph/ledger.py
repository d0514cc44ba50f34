"""What became of every planned window: reasons, ledger rows, and the time they add up to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.errors import GwmorphError
from gwmorph.segments import livetime


class VerdictError(GwmorphError):
    """A run lost more of its windows than its configuration allows."""


ANALYSED = "analysed"
EXCLUDED = "excluded"


class Reason(StrEnum):
    """Why a window was excluded; the value is what the ledger's ``reason`` column holds."""

    CONTEXT = "context"
    GAP = "gap"
    NAN = "nan"
    DQ = "dq"
    ZEROS = "zeros"
    FLAT = "flat"
    LOUD = "loud"


MEANING = {
    Reason.CONTEXT: "too little science data beside the window to whiten it",
    Reason.GAP: "no strain file covers every second of the window and its context",
    Reason.NAN: "samples of the window or its context are missing (NaN) in the strain file",
    Reason.DQ: "the file's data-quality mask denies DATA inside the window or its context",
    Reason.ZEROS: "the strain stands still (usually at zero): eight or more samples of a second "
    "repeat the one before",
    Reason.FLAT: "the whitened window has no noise to compare its tiles with: the median energy "
    "of a frequency is zero or not finite",
    Reason.LOUD: "the strain is so loud in or beside the window that rounding drowns its noise",
}


def analysed_row(detector: str, gps_start: int, duration_s: int, block: int) -> dict[str, Any]:
    """Return the ledger row of a window that went all the way to a picture."""
    return {
        "detector": detector,
        "gps_start": gps_start,
        "duration_s": duration_s,
        "block": block,
        "status": ANALYSED,
        "reason": None,
        "detail": None,
    }


def excluded_row(
    detector: str, gps_start: int, duration_s: int, block: int, *, reason: Reason, detail: str
) -> dict[str, Any]:
    """Return the ledger row of a lost window; ``detail`` says what was found and where."""
    row = analysed_row(detector, gps_start, duration_s, block)
    return {**row, "status": EXCLUDED, "reason": reason.value, "detail": detail}


@dataclass(frozen=True)
class Livetime:
    """Seconds of one detector, each a part of the one before.

    ``science_s``: science segments inside the run's span; ``gridded_s``: the union of planned
    windows; ``context_limited_s``: the union of windows that have their context;
    ``analysed_s``: the union of analysed windows, the livetime of every rate.
    """

    science_s: int
    gridded_s: int
    context_limited_s: int
    analysed_s: int


def livetimes(ledger: pa.Table, science_s: Mapping[str, int]) -> dict[str, Livetime]:
    """Return each detector's `Livetime` from a whole run's ledger (schema ``LEDGER``).

    ``science_s`` gives the science seconds of every detector of the run; a detector without
    any window in the ledger gets zeros, never nothing.
    """
    return {
        detector: Livetime(
            seconds,
            _union_s(rows := _of(ledger, detector)),
            _union_s(
                rows.filter(pc.fill_null(pc.not_equal(rows["reason"], Reason.CONTEXT), True))
            ),
            _union_s(rows.filter(pc.equal(rows["status"], ANALYSED))),
        )
        for detector, seconds in science_s.items()
    }


def excluded_counts(ledger: pa.Table, detector: str) -> dict[str, int]:
    """Return how many windows of ``detector`` were lost for each reason, most frequent first."""
    reasons = _of(ledger, detector)["reason"].drop_null().to_pylist()
    return dict(sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0])))


def excluded_fraction(ledger: pa.Table, detector: str) -> float:
    """Return the lost fraction of ``detector``'s planned windows; 0 when none was planned."""
    rows = _of(ledger, detector)
    if not rows.num_rows:
        return 0.0
    return pc.sum(pc.equal(rows["status"], EXCLUDED)).as_py() / rows.num_rows


def judge(
    ledger: pa.Table, detectors: Iterable[str], max_excluded_fraction: float
) -> dict[str, Any]:
    """Return the verdict on a run whose losses are within limits, each detector on its own.

    Raises
    ------
    VerdictError
        A detector lost a larger fraction of its planned windows than ``max_excluded_fraction``;
        the error lists every such detector with the reasons.
    """
    lost = {detector: excluded_fraction(ledger, detector) for detector in detectors}
    failed = [detector for detector, part in lost.items() if part > max_excluded_fraction]
    if failed:
        lines = [
            f"{detector}: {lost[detector]:.1%} of {_of(ledger, detector).num_rows} windows: "
            + ", ".join(
                f"{count} {reason} ({MEANING[Reason(reason)]})"
                for reason, count in excluded_counts(ledger, detector).items()
            )
            for detector in failed
        ]
        raise VerdictError(
            "\n  ".join(["too many windows were lost.", *lines])
            + f"\nrun.max_excluded_fraction allows {max_excluded_fraction:.1%}. All tables are in "
            "place: the ledger says what was found in each window, and where."
        )
    return {
        "verdict": "passed",
        "max_excluded_fraction": max_excluded_fraction,
        "excluded_fraction": lost,
    }


def _of(ledger: pa.Table, detector: str) -> pa.Table:
    return ledger.filter(pc.equal(ledger["detector"], detector))


def _union_s(rows: pa.Table) -> int:
    """Seconds in the union of windows; all windows of a run have one duration."""
    if not rows.num_rows:
        return 0
    return livetime(rows["gps_start"].to_pylist(), rows["duration_s"][0].as_py())
