"""What coincides in the detectors of a run, and how often it would by chance: all its tables.

Every two of the detectors are compared, and every three together, each on the ring of time that
they analysed at once. Where some cannot be compared, the reason stands in the summary; where none
can, the stage fails with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.config import TimeslidesConfig
from gwmorph.errors import TableError
from gwmorph.evidence import rates
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.ring import CoincidenceError, Ring, coincident_ring
from gwmorph.evidence.timeslides import (
    Slides,
    Triggers,
    Window,
    coincidences_now,
    correlation_time,
    loudest_of_slides,
    slide_triggers,
    slide_triples,
    slide_windows,
    triples_now,
    valid_slides,
)
from gwmorph.evidence.timing import light_travel_s, peak_time_error
from gwmorph.ledger import ANALYSED
from gwmorph.progress import left_out, timed
from gwmorph.tables.block import TILE
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.keys import row_keys

Row = dict[str, Any]
_PLACES = ("one", "other", "third")


@dataclass(frozen=True)
class Observed:
    """What a run has: rows of LEDGER, TRIGGERS and EMBEDDINGS (of events), and its odd windows.

    ``anomalous`` has the columns ``detector`` and ``gps_start`` of windows that are unlike quiet
    noise: those above the score's limit, or, in a run without scores, those with a trigger.
    ``known_triggers`` and ``known_windows`` say of each row of the triggers and of the ledger
    whether it shows a published event or an injection, bool [n]: slides do without these triggers,
    and both real time and slides without these windows.
    """

    ledger: pa.Table
    triggers: pa.Table
    embeddings: pa.Table
    anomalous: pa.Table
    known_triggers: NDArray[np.bool_]
    known_windows: NDArray[np.bool_]


@dataclass(frozen=True)
class Tables:
    """Rows of the tables of the same names (`tables.timeslides`)."""

    candidates: list[Row] = field(default_factory=list)
    summary: list[Row] = field(default_factory=list)
    searched: list[Row] = field(default_factory=list)
    window_counts: list[Row] = field(default_factory=list)

    def add(self, other: "Tables") -> None:
        """Append all rows of another."""
        for name in ("candidates", "summary", "searched", "window_counts"):
            getattr(self, name).extend(getattr(other, name))


def compare(
    run: Observed, detectors: Sequence[str], window_s: int, settings: TimeslidesConfig
) -> Tables:
    """Compare every two detectors, and every three; return all rows.

    Parameters
    ----------
    run
        What the run has.
    detectors
        At least two of the run's.
    window_s
        Length of the run's windows, s.
    settings
        The section ``timeslides``.

    Raises
    ------
    CoincidenceError
        There are fewer than two detectors, or no two of them can be compared.
    """
    if len(detectors) < 2:
        raise CoincidenceError(
            f"time slides need two detectors, got {', '.join(detectors) or 'none'}. Name more in "
            "run.detectors or timeslides.detectors."
        )
    found, reasons = Tables(), []
    for group in [*combinations(detectors, 2), *combinations(detectors, 3)]:
        try:
            found.add(_compared(run, group, window_s, settings))
        except CoincidenceError as reason:
            reasons.append(f"{' '.join(group)}: {reason}")
            found.summary.append({"detectors": " ".join(group), "reason": str(reason)})
    if len(reasons) == len(found.summary):
        raise CoincidenceError("no detectors can be compared.\n  " + "\n  ".join(reasons))
    return found


@dataclass(frozen=True)
class _Searched:
    """One detector's triggers on a ring, the rows of TRIGGERS that they are, and what is left."""

    detector: str
    rows: pa.Table
    triggers: Triggers
    known: NDArray[np.bool_]
    outside: int
    extended: int
    correlation_s: float

    @property
    def unknown(self) -> NDArray[np.int64]:
        """Return which triggers show nothing known."""
        return np.flatnonzero(~self.known)


def _compared(
    run: Observed, group: tuple[str, ...], window_s: int, settings: TimeslidesConfig
) -> Tables:
    ring = coincident_ring(run.ledger, group)
    held = [_searched(run, detector, ring) for detector in group]
    for part in held:
        left_out(
            f"triggers of {part.detector} from {' '.join(group)}",
            {"outside the common time": part.outside, "extended": part.extended},
        )
    windows = [
        Window(light_travel_s(one.detector, other.detector), settings.errors)
        for one, other in combinations(held, 2)
    ]
    pairs = zip(windows, combinations(held, 2), strict=True)
    widest = max(w.largest_s(one.triggers, other.triggers) for w, (one, other) in pairs)
    correlation = max(part.correlation_s for part in held)
    least = max(widest, correlation, settings.min_shift_s)
    # Of triples the third detector moves twice as far, by no more than once around.
    usable = ring if len(group) == 2 else _half(ring, least)
    slides = valid_slides(usable, settings.step_s, least, settings.slides, settings.seed)
    slides = Slides(slides.step_s, slides.numbers, ring.livetime_s)
    with timed("slides"):
        now, past = _coincide(held, ring, windows, slides)
    with timed("background"):
        background = _background(past, held, settings.block_s)
    own = {"detectors": " ".join(group)}
    candidates = _candidates(now, past, background, held, slides, settings)
    row = own | {
        "livetime": ring.livetime_s,
        "step": slides.step_s,
        "least_shift": least,
        "correlation": correlation,
        "widest_window": widest,
        "slides": len(slides.numbers),
        "background": slides.background_s,
        "candidates": len(candidates),
        "chance": len(past.rank) / len(slides.numbers),
        "p_loudest": candidates[0]["p_loudest"] if candidates else 1.0,
        "far_floor_per_year": float(rates.false_alarm_rate(0, slides.background_s)),
        "slides_that_teach": rates.slides_that_teach(background, len(slides.numbers)),
    }
    counted: list[Row] = []
    if len(group) == 2:
        of_windows, counted = _windows(run, group, window_s, least)
        row |= of_windows
    odd = _anomalous_on_ring(run, group)
    searched = [
        own
        | {
            "detector": part.detector,
            "searched": len(part.rows),
            "outside": part.outside,
            "extended": part.extended,
            "without_view": int(np.isnan(part.triggers.vectors[:, :1]).sum()),
            "correlation": part.correlation_s,
            "windows_anomalous": int(odd[part.detector].sum()),
        }
        for part in held
    ]
    return Tables(
        [own | candidate for candidate in candidates],
        [row],
        searched,
        [own | count for count in counted],
    )


def _half(ring: Ring, least: float) -> Ring:
    """Return a ring of which every slide, doubled, is one of the whole ring."""
    # s and T − 2 s must both exceed ``least``: as s and T/2 + least/2 − s.
    return Ring(np.array([0]), np.array([int((ring.livetime_s + least) // 2)]))


def _searched(run: Observed, detector: str, ring: Ring) -> _Searched:
    is_own = np.asarray(pc.equal(run.triggers["detector"], detector))
    own, known = run.triggers.filter(pa.array(is_own)), run.known_triggers[is_own]
    is_loud = np.asarray(pc.equal(own["found_by"], TILE))
    loud, known = own.filter(pa.array(is_loud)), known[is_loud]
    inside = ring.inside(loud["peak_time"].to_numpy())
    rows = loud.filter(pa.array(inside))
    columns = {name: rows[name].to_numpy() for name in ("peak_time", "peak_frequency", "q", "snr")}
    triggers = Triggers(
        columns["peak_time"],
        peak_time_error(columns["peak_frequency"], columns["q"], columns["snr"]),
        columns["snr"],
        _vectors(rows, run.embeddings),
    )
    return _Searched(
        detector,
        rows,
        triggers,
        known[inside],
        int((~inside).sum()),
        len(own) - len(loud),
        correlation_time(triggers.time, ring),
    )


def _vectors(rows: pa.Table, embeddings: pa.Table) -> NDArray[np.float32]:
    """Return the vectors of the triggers' views, float32 [n, d], nan where there is none."""
    place = {key: i for i, key in enumerate(row_keys(embeddings))}
    found = np.array([place.get(key, -1) for key in row_keys(rows, "peak_time")], np.int64)
    vectors = embedding_matrix(embeddings)
    missing = np.full((1, vectors.shape[1]), np.nan, np.float32)
    return np.concatenate([vectors, missing])[found]


# -- triggers ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """Coincidences of any number of detectors: rows int64 [n, detectors], slide, rank [n]."""

    triggers: NDArray[np.int64]
    slide: NDArray[np.int64]
    rank: NDArray[np.float64]


def _coincide(
    held: Sequence[_Searched], ring: Ring, windows: Sequence[Window], slides: Slides
) -> tuple[_Found, _Found]:
    """Return what coincides in real time, and in all slides of what shows nothing known."""
    parts = [part.triggers for part in held]
    unknown = [part.unknown for part in held]
    slid = [part.take(rows) for part, rows in zip(parts, unknown, strict=True)]
    if len(parts) == 2:
        pairs = (
            coincidences_now(parts[0], parts[1], windows[0]),
            slide_triggers(slid[0], slid[1], ring, windows[0], slides),
        )
        now, past = (
            _Found(np.stack([found.one, found.other], axis=1), found.slide, found.rank)
            for found in pairs
        )
    else:
        between = (windows[0], windows[1], windows[2])
        now, past = (
            _Found(found.triggers, found.slide, found.rank)
            for found in (
                triples_now((parts[0], parts[1], parts[2]), between),
                slide_triples((slid[0], slid[1], slid[2]), ring, between, slides),
            )
        )
    rows = [of[column] for of, column in zip(unknown, past.triggers.T, strict=True)]
    return now, _Found(np.stack(rows, axis=1), past.slide, past.rank)


def _background(past: _Found, held: Sequence[_Searched], block_s: int) -> rates.Background:
    """Return the ranks, and the stretches of time that the first and last triggers are in."""
    first, last = (
        (part.triggers.time[rows] // block_s).astype(np.int64)
        for part, rows in ((held[0], past.triggers[:, 0]), (held[-1], past.triggers[:, -1]))
    )
    return rates.Background(past.rank, first, last)


def _candidates(
    now: _Found,
    past: _Found,
    background: rates.Background,
    held: Sequence[_Searched],
    slides: Slides,
    settings: TimeslidesConfig,
) -> list[Row]:
    """Return rows of CANDIDATES, the loudest first, without the detectors' names."""
    louder = rates.louder(past.rank, now.rank)
    # A signal's own triggers coincide with noise in slides, and make its background louder than
    # noise alone is; without them it is too quiet where candidates are noise (Capano et al. 2017,
    # arXiv:1708.06710). The truth lies between the two.
    free = ~np.any(
        [np.isin(past.triggers[:, i], now.triggers[:, i]) for i in range(len(held))], axis=0
    )
    without = rates.louder(past.rank[free], now.rank)
    low, high = rates.count_intervals(background, now.rank, settings.repeats, settings.seed)
    loudest = loudest_of_slides(past.slide, past.rank, slides)
    far = rates.false_alarm_rate(louder, slides.background_s)
    per_year = rates.YEAR_S / slides.background_s
    columns = {
        "rank": now.rank,
        "louder": louder,
        "louder_without": without,
        "far_per_year": far,
        # The one that is added for the event itself is none of the background's.
        "far_low_per_year": low * per_year,
        "far_high_per_year": np.maximum(high * per_year, far),
        "far_without_per_year": rates.false_alarm_rate(without, slides.background_s),
        "p_run": rates.p_over_run(far, slides.ring_s),
        "p_loudest": rates.empirical_p(rates.louder(loudest, now.rank), len(slides.numbers)),
        "similarity": _similarity(now.triggers, held),
        "known": np.any(
            [part.known[rows] for part, rows in zip(held, now.triggers.T, strict=True)], axis=0
        ),
        **_of_triggers(now.triggers, held),
    }
    return [
        {name: column[i].item() for name, column in columns.items()} for i in range(len(now.rank))
    ]


def _similarity(rows: NDArray[np.int64], held: Sequence[_Searched]) -> NDArray[np.float64]:
    """Return the mean cosine of each two of the triggers' views, nan where one has none."""
    vectors = [part.triggers.vectors[column] for part, column in zip(held, rows.T, strict=True)]
    return np.mean(
        [np.einsum("nd,nd->n", a, b, dtype=float) for a, b in combinations(vectors, 2)], axis=0
    )


def _of_triggers(rows: NDArray[np.int64], held: Sequence[_Searched]) -> dict[str, NDArray]:
    columns: dict[str, NDArray] = {}
    for place, part, own in zip(_PLACES, held, rows.T, strict=False):
        table = part.rows.take(pa.array(own))
        columns |= {
            f"gps_start_{place}": table["gps_start"].to_numpy(),
            f"gps_time_{place}": part.triggers.time[own],
            f"error_{place}": part.triggers.error_s[own],
            f"snr_{place}": part.triggers.snr[own],
            f"frequency_{place}": table["peak_frequency"].to_numpy(),
            f"view_{place}": np.asarray(table["view"]),
        }
    columns["time_difference"] = columns["gps_time_other"] - columns["gps_time_one"]
    return columns


# -- windows ----------------------------------------------------------------------------------


def _windows_of(table: pa.Table, detector: str) -> NDArray[np.int64]:
    own = table.filter(pc.equal(table["detector"], detector))
    return np.unique(own["gps_start"].to_numpy())


def _shared_windows(run: Observed, group: Sequence[str]) -> NDArray[np.int64]:
    """Return the GPS starts of windows that all analysed and that show nothing known, sorted."""
    analysed = run.ledger.filter(pc.equal(run.ledger["status"], ANALYSED))
    known = run.ledger.filter(pa.array(run.known_windows))
    shared = _windows_of(analysed, group[0])
    for detector in group[1:]:
        shared = np.intersect1d(shared, _windows_of(analysed, detector))
    shown = np.concatenate([_windows_of(known, detector) for detector in group])
    return shared[~np.isin(shared, shown)]


def _anomalous_on_ring(run: Observed, group: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    shared = _shared_windows(run, group)
    return {detector: np.isin(shared, _windows_of(run.anomalous, detector)) for detector in group}


def _windows(
    run: Observed, group: Sequence[str], window_s: int, least_s: float
) -> tuple[Row, list[Row]]:
    """Return what SUMMARY says of windows, and rows of WINDOW_COUNTS."""
    one, other = _anomalous_on_ring(run, group).values()
    try:
        found = slide_windows(one, other, int(np.ceil(least_s / window_s)))
    except CoincidenceError:
        # Slides by whole windows are coarser than those of triggers.
        return {"windows": len(one), "windows_both": int((one & other).sum())}, []
    reached = int((found.slides >= found.found).sum())
    counts, slides = np.unique(found.slides, return_counts=True)
    row = {
        "windows": found.windows,
        "windows_both": found.found,
        "windows_chance": float(found.slides.mean()),
        "window_slides": len(found.slides),
        "p_windows": float(rates.empirical_p(reached, len(found.slides))),
    }
    return row, [
        {"both": int(both), "slides": int(number)}
        for both, number in zip(counts, slides, strict=True)
    ]


# -- limits and efficiency --------------------------------------------------------------------


def rate_limits(tables: Tables, p_value: float, recall: pa.Table | None) -> list[Row]:
    """Return rows of LIMITS: how often signals may be there that were not found, 90 %.

    By Poisson's limit for the number of candidates whose p-value over the run is ``p_value`` or
    less, none of them taken for background; and by the loudest event, for signals that would have
    ranked above it, which is taken for a signal (the limit is larger then).

    Parameters
    ----------
    tables
        Of `compare`.
    p_value
        What makes a candidate a possible signal.
    recall
        Rows of RECALL of an injection campaign. Limits are then of each morphology and SNR, for
        the share that both detectors would find.
    """
    # ASSUME: a signal is loud enough in each detector independently, as often as in the campaign,
    # so that it is in two as often as the square of that. How many of those coincide is not known
    # of a campaign's single detectors: limits are of signals that do.
    rows = []
    for row in tables.summary:
        if row.get("reason") is not None:
            continue
        name, years = row["detectors"], row["livetime"] / rates.YEAR_S
        own = [c for c in tables.candidates if c["detectors"] == name]
        events = sum(c["p_run"] <= p_value for c in own)
        for shown in _efficiencies(recall, len(name.split())):
            given = {"detectors": name, "events": events, **shown}
            for method, mean in (
                ("poisson", rates.poisson_limit(events)),
                ("loudest event", rates.loudest_event_limit(float("inf"))),
            ):
                seen = shown["efficiency"] * years
                rate = mean / seen if seen else float("inf")
                rows.append(given | {"method": method, "rate_per_year": rate})
    return rows


def _efficiencies(recall: pa.Table | None, detectors: int) -> Iterable[Row]:
    if recall is None:
        return [{"morphology": None, "snr": None, "efficiency": 1.0}]
    # The most that the statistic of a run, its loudest tile, finds at the smallest fraction.
    loudest = recall.filter(pc.equal(recall["statistic"], "loudest_tile"))
    if not len(loudest):
        has = ", ".join(sorted(set(recall["statistic"].to_pylist()))) or "none"
        raise TableError(
            "timeslides.campaign: expected the recall of the statistic loudest_tile, got that of "
            f"{has}. Name a finished campaign, or none."
        )
    least = pc.min(loudest["false_alarm_fraction"])
    return [
        {
            "morphology": row["morphology"],
            "snr": row["snr"],
            "efficiency": row["recall"] ** detectors,
        }
        for row in loudest.filter(pc.equal(loudest["false_alarm_fraction"], least)).to_pylist()
    ]


def efficiencies(run: Observed, tables: Tables, truth: pa.Table) -> list[Row]:
    """Return rows of EFFICIENCY: which simulated signals coincide, by morphology.

    A signal is an event of the truth that reached both detectors of a pair in time that both
    analysed. It has a trigger where one is within its characteristic duration and a tenth of a
    second.

    Parameters
    ----------
    run, tables
        What the run has, and what `compare` made of it.
    truth
        Rows of TRUTH.
    """
    rows = []
    for summary in tables.summary:
        group = summary["detectors"].split()
        if summary.get("reason") is not None or len(group) != 2:
            continue
        ring = coincident_ring(run.ledger, group)
        signals = _signals(truth, group, ring)
        pairs = [
            (c["gps_time_one"], c["gps_time_other"])
            for c in tables.candidates
            if c["detectors"] == summary["detectors"]
        ]
        for morphology in sorted({s[0]["morphology"] for s in signals}):
            own = [s for s in signals if s[0]["morphology"] == morphology]
            triggered = sum(_has_triggers(signal, run.triggers) for signal in own)
            coincident = sum(_coincides(signal, pairs) for signal in own)
            low, high = wilson(coincident, len(own))
            rows.append(
                {
                    "detectors": summary["detectors"],
                    "morphology": morphology,
                    "signals": len(own),
                    "triggered": triggered,
                    "coincident": coincident,
                    "efficiency": coincident / len(own),
                    "low": low,
                    "high": high,
                }
            )
    return rows


def _signals(truth: pa.Table, group: Sequence[str], ring: Ring) -> list[tuple[Row, Row]]:
    held: dict[str, dict[int, Row]] = {detector: {} for detector in group}
    inside = ring.inside(truth["gps_time"].to_numpy())
    for row in truth.filter(pa.array(inside)).to_pylist():
        if row["detector"] in held:
            held[row["detector"]][row["event"]] = row
    one, other = (held[detector] for detector in group)
    return [(one[event], other[event]) for event in sorted(one.keys() & other.keys())]


def _reach(row: Mapping[str, Any]) -> float:
    return row["duration"] + 0.1


def _has_triggers(signal: tuple[Row, Row], triggers: pa.Table) -> bool:
    times, detectors = triggers["peak_time"].to_numpy(), np.array(triggers["detector"].to_pylist())
    return all(
        (np.abs(times[detectors == row["detector"]] - row["gps_time"]) <= _reach(row)).any()
        for row in signal
    )


def _coincides(signal: tuple[Row, Row], pairs: Iterable[tuple[float, float]]) -> bool:
    one, other = signal
    return any(
        abs(first - one["gps_time"]) <= _reach(one)
        and abs(second - other["gps_time"]) <= _reach(other)
        for first, second in pairs
    )
