"""Events of a run: its triggers, and what the score finds where no tile is loud.

A candidate is an event when the score of its window passes the limit through the candidate's own
part: were that part's surprise the largest, the score would still be above the limit. A picture's
distance has no place. Where it alone takes a window above the limit, the event is at the most
significant candidate, if its part is as large in no more than one quiet window in twenty; else
there is none. What lies along a line is no event.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.errors import TableError
from gwmorph.evidence.score import PARTS, combine
from gwmorph.spectra.lines import LINE_SHARE
from gwmorph.spectra.triggers import merge_triggers
from gwmorph.tables.block import FOUND_BY, TILE, TRIGGERS, loud_tiles
from gwmorph.tables.scores import ABOVE_LIMIT
from gwmorph.wording import counted

# Surprise from which on a candidate is where a picture is unlike quiet ones.
_SUPPORT = -np.log10(0.05)
# Part of the score by what it finds.
_PART = {name: "tile_energy" if name == TILE else name for name in FOUND_BY}
_NAME = {part: name for name, part in _PART.items()} | {"distance": "distance"}


def admit(
    claims: pa.Table,
    scores: pa.Table,
    events_snr: float,
    parts: Collection[str],
    window_s: int,
) -> tuple[pa.Table, pa.Table]:
    """Make a run's events of what its blocks claimed, and account for windows above the limit.

    Parameters
    ----------
    claims
        Triggers and candidates of all blocks, schema TRIGGERS.
    scores
        Of all windows, schema SCORES.
    events_snr
        Tiles of this Omicron SNR and more are events whatever the score says.
    parts
        Which of ``FOUND_BY`` may make events of candidates.
    window_s
        Length of the windows in seconds.

    Returns
    -------
    Tables of the schemas TRIGGERS, in which what was found twice is once, and ABOVE_LIMIT.

    Raises
    ------
    TableError
        A claim's window has no score.
    """
    passing = _passing(scores)
    claimed = _Claimed.of(claims, scores, events_snr)
    events, on_line = _judge(claimed, passing, parts)
    judged = _with_significance(claims, claimed, scores)
    return (
        merge_triggers(judged.filter(pa.array(events)), window_s),
        _outcomes(scores, passing, claimed, events, on_line),
    )


def admit_tiles(claims: pa.Table, events_snr: float, window_s: int) -> pa.Table:
    """Make a run's events of loud tiles alone, where there are no scores.

    Arguments as in `admit`; significances are null.

    Returns
    -------
    Table of schema TRIGGERS, in which what was found twice is once.
    """
    return merge_triggers(claims.filter(loud_tiles(claims, events_snr)), window_s)


@dataclass(frozen=True)
class _Claimed:
    """What decides about n claims; every array is [n].

    ``window`` is the row of a claim's window in the table of scores, ``significance`` the surprise
    of the claim's part there.
    """

    window: NDArray[np.intp]
    found_by: NDArray[np.str_]
    significance: NDArray[np.float64]
    loud: NDArray[np.bool_]
    shoulder: NDArray[np.bool_]

    @classmethod
    def of(cls, claims: pa.Table, scores: pa.Table, events_snr: float) -> "_Claimed":
        window = _windows_of(claims, scores)
        found_by = np.asarray(claims["found_by"].to_pylist(), dtype="U8")
        significance = np.full(len(claims), np.nan)
        for name, part in _PART.items():
            own = found_by == name
            significance[own] = scores[f"surprise_{part}"].to_numpy()[window[own]]
        return cls(
            window,
            found_by,
            significance,
            np.asarray(loud_tiles(claims, events_snr)),
            claims["line_share"].to_numpy().astype(np.float64) >= LINE_SHARE,
        )


def _judge(
    claimed: _Claimed, passing: Mapping[str, NDArray[np.bool_]], parts: Collection[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which claims are events, and which would be if they did not lie along a line."""
    passes = np.zeros(len(claimed.window), bool)
    for name, part in _PART.items():
        own = claimed.found_by == name
        passes[own] = passing[part][claimed.window[own]]
    allowed = np.isin(claimed.found_by, list(parts)) & ~claimed.loud
    events = claimed.loud | (allowed & passes & ~claimed.shoulder)
    placeless = np.setdiff1d(np.flatnonzero(passing["distance"]), claimed.window[events])
    supported = allowed & ~claimed.shoulder & (claimed.significance >= _SUPPORT)
    supported &= np.isin(claimed.window, placeless)
    events[_largest(claimed.significance, claimed.window, supported)] = True
    return events, allowed & passes & claimed.shoulder


def _with_significance(claims: pa.Table, claimed: _Claimed, scores: pa.Table) -> pa.Table:
    """Return the claims with their significance; a tile has one if its window has no louder."""
    loudest = claims["energy"].to_numpy() == scores["tile_energy"].to_numpy()[claimed.window]
    known = (claimed.found_by != TILE) | loudest
    values = pa.array(claimed.significance, mask=~known)
    place = claims.schema.get_field_index("significance")
    return claims.set_column(place, TRIGGERS.field("significance"), values)


def _largest(
    values: NDArray[np.float64], group: NDArray[np.intp], chosen: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the number of the largest of the chosen values of each group."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((-values[rows], group[rows]))]
    return rows[np.diff(group[rows], prepend=-1) != 0]


def _passing(scores: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """Return for each part whether it takes each window above the limit by itself: bool [n]."""
    limit, nothing = scores["limit"].to_numpy(), np.zeros(len(scores))
    alone: dict[str, NDArray[np.bool_]] = {}
    for part in PARTS:
        surprises = dict.fromkeys(PARTS, nothing)
        surprises[part] = scores[f"surprise_{part}"].to_numpy()
        alone[part] = combine(surprises) > limit
    return alone


def _windows_of(claims: pa.Table, scores: pa.Table) -> NDArray[np.intp]:
    """Return the row of each claim's window in the table of scores."""
    rows = {key: row for row, key in enumerate(_keys(scores))}
    missing = [key for key in _keys(claims) if key not in rows]
    if missing:
        detector, start = missing[0]
        raise TableError(
            f"{detector}: {counted(len(missing), 'trigger')} in windows without a score, first at "
            f"GPS {start}. Remove the run's scores.parquet and run the workflow again."
        )
    return np.array([rows[key] for key in _keys(claims)], np.intp)


def _keys(table: pa.Table) -> list[tuple[str, int]]:
    return list(zip(table["detector"].to_pylist(), table["gps_start"].to_pylist(), strict=True))


def _outcomes(
    scores: pa.Table,
    passing: Mapping[str, NDArray[np.bool_]],
    claimed: _Claimed,
    events: NDArray[np.bool_],
    on_line: NDArray[np.bool_],
) -> pa.Table:
    """Return what became of each window above the limit, schema ABOVE_LIMIT."""
    found: dict[int, set[str]] = {}
    for row, name in zip(claimed.window[events], claimed.found_by[events], strict=True):
        found.setdefault(int(row), set()).add(str(name))
    lines = set(claimed.window[on_line].tolist())
    measured = np.any([passing[part] for part in PARTS if part != "distance"], axis=0)
    surprises = np.array([scores[f"surprise_{part}"].to_numpy() for part in PARTS])
    above = np.flatnonzero(scores["score"].to_numpy() > scores["limit"].to_numpy())
    won_by = [_NAME[PARTS[part]] for part in surprises[:, above].argmax(axis=0)]
    names = ("detector", "gps_start", "score", "limit")
    columns = {name: scores[name].take(above) for name in names} | {
        "won_by": won_by,
        "outcome": [
            _outcome(won, found.get(row, set()), row in lines, bool(measured[row]))
            for row, won in zip(above.tolist(), won_by, strict=True)
        ],
    }
    return pa.table(columns, schema=ABOVE_LIMIT)


def _outcome(won_by: str, found: set[str], on_line: bool, measured: bool) -> str:
    if found:
        return won_by if won_by in found else min(found, key=FOUND_BY.index)
    if on_line:
        return "line"
    return "none" if measured else "distance"
