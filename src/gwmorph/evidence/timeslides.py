"""Time slides: what coincidences two detectors have by chance, by sliding one past the other.

A slide moves one detector's triggers along the ring of coincident time (`evidence.ring`) by a
multiple of a step. No gravitational wave is in both detectors then, so that what coincides does so
by chance. Slides by less than the detectors' own correlation time, to either side, are left out.

All slides are found in one sort, as PyCBC's ``coinc`` finds them (Usman et al. 2016,
arXiv:1508.02357): positions are folded modulo the step, and what is near in the folded positions
is coincident in some slide. Unlike there the ring is closed: a difference d of positions and d + T
are both candidates for a slide.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.stats import poisson

from gwmorph.evidence.ranking import rank_events
from gwmorph.evidence.ring import CoincidenceError, Ring
from gwmorph.simulation.streams import stream
from gwmorph.spectra.compiled import compiled

# Pairs that are ranked at once.
_CHUNK = 1 << 20
# Folded positions are off by as much at most: a microsecond is the last digit of a GPS time.
_ROUNDING_S = 1e-5
# The shortest lag at which pairs are counted.
_FIRST_LAG_S = 0.1
# Triggers are correlated at a lag where pairs are so many times as frequent as chance has them ...
_EXCESS = 1.5
# ... and chance has as many in no more than this share of rings.
_CHANCE = 0.001


@dataclass(frozen=True)
class Triggers:
    """One detector's triggers; arrays have one row each, [n].

    ``time``: GPS, s; ``error_s``: one standard deviation of it; ``snr``: Omicron's;
    ``vectors``: unit vectors of the event views, float32 [n, d], nan for a trigger without a view.
    """

    time: NDArray[np.float64]
    error_s: NDArray[np.float64]
    snr: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def take(self, rows: NDArray) -> "Triggers":
        """Return some of them."""
        return Triggers(self.time[rows], self.error_s[rows], self.snr[rows], self.vectors[rows])


@dataclass(frozen=True)
class Window:
    """When two triggers coincide: |t1 − t2| ≤ ``travel_s`` + ``errors`` · √(error1² + error2²).

    ``travel_s`` is the light travel time between the detectors, s.
    """

    travel_s: float
    errors: float

    def largest_s(self, *triggers: Triggers) -> float:
        """Return the widest window that any of these triggers may have, s."""
        worst = [part.error_s.max(initial=0.0) for part in triggers]
        return self.travel_s + self.errors * float(np.hypot.reduce(worst))


@dataclass(frozen=True)
class Slides:
    """Slides by ``numbers`` · ``step_s`` seconds, int64 [m], on a ring of ``ring_s`` seconds."""

    step_s: float
    numbers: NDArray[np.int64]
    ring_s: float

    @property
    def background_s(self) -> float:
        """Livetime of all slides together, s."""
        return len(self.numbers) * self.ring_s


@dataclass(frozen=True)
class Coincidences:
    """Pairs of triggers, one row each: rows of either detector, slide, rank and similarity.

    ``one``, ``other``, ``slide`` int64 [n] (slide 0 is real time); ``rank``, ``similarity``
    float64 [n], the latter nan where a trigger has no view.
    """

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    slide: NDArray[np.int64]
    rank: NDArray[np.float64]
    similarity: NDArray[np.float64]

    def __len__(self) -> int:
        """Return their number."""
        return len(self.rank)

    def take(self, rows: NDArray) -> "Coincidences":
        """Return some of them."""
        return Coincidences(
            self.one[rows],
            self.other[rows],
            self.slide[rows],
            self.rank[rows],
            self.similarity[rows],
        )


def correlation_time(time: NDArray[np.float64], ring: Ring) -> float:
    """Return up to which lag a detector's own triggers know of each other, s.

    Pairs are counted by their lag along the ring, in octaves from 0.1 s to a quarter of the ring;
    of n triggers without memory n (n − 1) Δ/T are expected in a width Δ. An octave has an excess
    where it has half as many again, and chance has as many in one ring of a thousand. The result
    is the upper end of the octaves with an excess that follow the clearest one without a gap; 0
    where there is none. Two bursts that happen to lie far apart make an excess at their distance,
    too, which is no memory. Smaller excesses, as of a rate that drifts by a third during
    the run, are no correlation in this sense.

    ``time``: GPS of triggers inside the ring, s, [n].
    """
    length, count = ring.livetime_s, len(time)
    bins = int(np.log2(max(length / 4 / _FIRST_LAG_S, 1)))
    edges = np.append(0, _FIRST_LAG_S * 2.0 ** np.arange(bins + 1))
    place = np.sort(ring.position(time))
    within = pairs_within(place, length, edges)
    found, expected = np.diff(within), count * (count - 1) * np.diff(edges) / length
    rare = poisson.sf(found - 1, expected) < _CHANCE / (bins + 1)
    excess = rare & (found >= _EXCESS * expected)
    if not excess.any():
        return 0.0
    clearest = np.where(excess, (found - expected) / np.sqrt(expected), 0).argmax()
    longer = np.append(excess[clearest:], False)
    return float(edges[clearest + longer.argmin()])


def pairs_within(
    place: NDArray[np.float64], length: float, lags: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return how many pairs are no farther apart than each lag, on a ring: int64 [lags].

    ``place``: sorted positions [n] in [0, length); lags are below half of the ring.
    """
    around = np.concatenate([place, place + length])
    own = np.arange(len(place))
    return np.array(
        [(np.searchsorted(around, place + lag, side="right") - own - 1).sum() for lag in lags],
        np.int64,
    )


def valid_slides(ring: Ring, step_s: float, least_s: float, most: int, seed: int) -> Slides:
    """Return the slides by multiples of a step of which both s and T − s exceed ``least_s``.

    Where there are more than ``most``, so many are drawn from them with the seed.

    Raises
    ------
    CoincidenceError
        There is none; the error says how long a ring it takes.
    """
    length = float(ring.livetime_s)
    first = int(np.floor(least_s / step_s)) + 1
    last = int(np.ceil((length - least_s) / step_s)) - 1
    if last < first:
        shorter = ", or take shorter steps" if length > 2 * least_s else ""
        raise CoincidenceError(
            f"the detectors have {length:g} s together, too little for one slide: a slide by s "
            f"needs s and {length:g} - s both above {least_s:.4g} s, the larger of the widest "
            "coincidence window, the correlation time of the triggers and "
            f"timeslides.min_shift_s, in steps of {step_s:g} s (timeslides.step_s). Analyse more "
            f"than {2 * least_s + step_s:.0f} s of coincident time{shorter}."
        )
    numbers = np.arange(first, last + 1)
    if len(numbers) > most:
        numbers = np.sort(stream(seed, "slides").choice(numbers, most, replace=False))
    return Slides(step_s, numbers, length)


# -- windows ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class WindowCounts:
    """Windows that are anomalous in both detectors: ``found`` without a slide, in each slide.

    ``slides`` int64 [m]; ``windows`` is their number on the ring, ``one`` and ``other`` how many
    are anomalous in either detector.
    """

    found: int
    slides: NDArray[np.int64]
    windows: int
    one: int
    other: int


def slide_windows(one: NDArray[np.bool_], other: NDArray[np.bool_], least: int) -> WindowCounts:
    """Count windows that are anomalous in both detectors, for all slides by whole windows.

    The ring is that of the windows that both analysed, in order of time. All slides at once are a
    circular correlation, which one Fourier transform gives exactly, counts being whole.

    Parameters
    ----------
    one, other
        Whether each window is anomalous in either detector, bool [n].
    least
        Windows that a slide must exceed, to either side.

    Raises
    ------
    CoincidenceError
        The ring has too few windows for one slide.
    """
    count = len(one)
    if count <= 2 * least + 1:
        raise CoincidenceError(
            f"the detectors have {count} windows together, too few for one slide: a slide needs "
            f"more than {least} windows to either side. Analyse more coincident time."
        )
    size = next_fast_len(2 * count)
    around = np.concatenate([other, other]).astype(float)
    product = rfft(around, size) * np.conj(rfft(one.astype(float), size))
    counts = np.rint(irfft(product, size)[:count]).astype(np.int64)
    return WindowCounts(
        int(counts[0]), counts[least + 1 : count - least], count, int(one.sum()), int(other.sum())
    )


# -- triggers ---------------------------------------------------------------------------------


def coincidences_now(one: Triggers, other: Triggers, window: Window) -> Coincidences:
    """Return the coincidences in real time, as slide 0, the loudest first; see `distinct`."""
    left, right = _near(one, other, window)
    return distinct(_ranked(one, other, left, right, np.zeros(len(left), np.int64)))


def slide_triggers(
    one: Triggers, other: Triggers, ring: Ring, window: Window, slides: Slides
) -> Coincidences:
    """Return the coincidences of all slides, the loudest first; see `distinct`.

    In slide k the other detector's triggers are moved on by k steps along the ring. Memory grows
    with the number of coincidences, of which a row is 40 bytes.

    Parameters
    ----------
    one, other
        Triggers inside the ring.
    ring, window
        Of these two detectors.
    slides
        Which slides are looked at.
    """
    parts = [
        _ranked(one, other, left, right, slide)
        for left, right, slide in _pairs(one, other, ring, window, slides)
    ]
    empty = _ranked(one, other, *(np.zeros(0, np.int64) for _ in range(3)))
    return distinct(_joined([empty, *parts]))


def distinct(found: Coincidences) -> Coincidences:
    """Return the coincidences that are the loudest of both of their triggers, loudest first.

    So each trigger is in one coincidence of a slide at most, and what one transient gives rise to
    is not counted several times.
    """
    kept = found.take(np.lexsort((found.other, found.one, found.slide, -found.rank)))
    best = [_first_of_each(kept.slide, column) for column in (kept.one, kept.other)]
    return kept.take(np.flatnonzero(best[0] & best[1]))


def _first_of_each(slide: NDArray[np.int64], trigger: NDArray[np.int64]) -> NDArray[np.bool_]:
    first = np.zeros(len(slide), bool)
    keys = slide * (int(trigger.max(initial=0)) + 1) + trigger
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def loudest_of_slides(
    slide: NDArray[np.int64], rank: NDArray[np.float64], slides: Slides
) -> NDArray[np.float64]:
    """Return the largest rank of each slide, −inf where nothing coincides: float64 [m].

    ``slide`` and ``rank`` [n] are those of all coincidences.
    """
    loudest = np.full(len(slides.numbers), -np.inf)
    np.maximum.at(loudest, np.searchsorted(slides.numbers, slide), rank)
    return loudest


# -- three detectors ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Triples:
    """Triggers that coincide in three detectors: rows int64 [n, 3], slide int64 [n], rank [n]."""

    triggers: NDArray[np.int64]
    slide: NDArray[np.int64]
    rank: NDArray[np.float64]


def slide_triples(
    triggers: tuple[Triggers, Triggers, Triggers],
    ring: Ring,
    windows: tuple[Window, Window, Window],
    slides: Slides,
) -> Triples:
    """Return what coincides in three detectors when the second moves by k steps, the third by 2 k.

    Parameters
    ----------
    triggers
        Of the three detectors, inside the ring of the three.
    ring
        Of all three.
    windows
        Of the first and second, the first and third, the second and third.
    slides
        Slides below half of the ring, so that 2 k steps are one, too.
    """
    first, second, third = triggers
    doubled = Slides(2 * slides.step_s, slides.numbers, slides.ring_s)
    pairs = _all_pairs(first, second, ring, windows[0], slides)
    others = _all_pairs(first, third, ring, windows[1], doubled)
    place = [ring.position(part.time) for part in (second, third)]

    def near(j: NDArray, k: NDArray, slide: NDArray) -> NDArray[np.bool_]:
        apart = place[0][j] - place[1][k] - slide * slides.step_s
        apart -= slides.ring_s * np.rint(apart / slides.ring_s)
        error = np.hypot(second.error_s[j], third.error_s[k])
        return np.abs(apart) <= windows[2].travel_s + windows[2].errors * error

    return _triples(triggers, pairs, others, near)


def triples_now(
    triggers: tuple[Triggers, Triggers, Triggers], windows: tuple[Window, Window, Window]
) -> Triples:
    """Return what coincides in three detectors in real time; arguments as `slide_triples`."""
    first, second, third = triggers
    pairs, others = (
        (*found, np.zeros(len(found[0]), np.int64))
        for found in (_near(first, second, windows[0]), _near(first, third, windows[1]))
    )

    def near(j: NDArray, k: NDArray, slide: NDArray) -> NDArray[np.bool_]:
        error = np.hypot(second.error_s[j], third.error_s[k])
        apart = np.abs(second.time[j] - third.time[k])
        return apart <= windows[2].travel_s + windows[2].errors * error

    return _triples(triggers, pairs, others, near)


_Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _triples(
    triggers: tuple[Triggers, Triggers, Triggers],
    pairs: _Rows,
    others: _Rows,
    near: Callable[[NDArray, NDArray, NDArray], NDArray[np.bool_]],
) -> Triples:
    """Join pairs of the first two, and of the first and third, that share slide and trigger."""
    width = len(triggers[0].time) + 1
    key, other_key = (slide * width + one for one, _, slide in (pairs, others))
    order = np.argsort(other_key, kind="stable")
    first = np.searchsorted(other_key[order], key, side="left")
    count = np.searchsorted(other_key[order], key, side="right") - first
    row = np.repeat(np.arange(len(key)), count)
    other = order[_ranges(first, count)]
    i, j, k, slide = pairs[0][row], pairs[1][row], others[1][other], pairs[2][row]
    kept = near(j, k, slide)
    rows = np.stack([i, j, k], axis=1)[kept]
    rank = _rank_of_triples(triggers, rows)
    order = np.lexsort((*rows.T[::-1], slide[kept], -rank))
    rows, slide, rank = rows[order], slide[kept][order], rank[order]
    best = np.all([_first_of_each(slide, column) for column in rows.T], axis=0)
    return Triples(rows[best], slide[best], rank[best])


def _rank_of_triples(
    triggers: tuple[Triggers, Triggers, Triggers], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    alike = [
        _cosines(triggers[a].vectors, triggers[b].vectors, rows[:, a], rows[:, b])
        for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    snrs = [part.snr[column] for part, column in zip(triggers, rows.T, strict=True)]
    return rank_events(np.stack(snrs), np.stack(alike))


# -- pairs --------------------------------------------------------------------------------------


def _near(
    one: Triggers, other: Triggers, window: Window
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of all pairs that coincide in real time."""
    order = np.argsort(other.time, kind="stable")
    times, reach = other.time[order], window.largest_s(one, other)
    first = np.searchsorted(times, one.time - reach, side="left")
    count = np.searchsorted(times, one.time + reach, side="right") - first
    left = np.repeat(np.arange(len(count)), count)
    right = order[_ranges(first, count)]
    error = np.hypot(one.error_s[left], other.error_s[right])
    apart = np.abs(one.time[left] - other.time[right])
    near = apart <= window.travel_s + window.errors * error
    return left[near], right[near]


def _ranges(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return first[i], first[i] + 1, … of count[i] numbers each, one after the other."""
    ends = np.cumsum(count)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + count, count)


def _all_pairs(
    one: Triggers, other: Triggers, ring: Ring, window: Window, slides: Slides
) -> _Rows:
    parts = list(_pairs(one, other, ring, window, slides))
    none = np.zeros(0, np.int64)
    left, right, slide = (
        np.concatenate([none, *(part[column] for part in parts)]) for column in range(3)
    )
    return left, right, slide


def _pairs(
    one: Triggers, other: Triggers, ring: Ring, window: Window, slides: Slides
) -> Iterator[_Rows]:
    """Yield the rows and the slide of all pairs that coincide in a slide, some at a time."""
    place, far = ring.position(one.time), ring.position(other.time)
    allowed = np.zeros(int(slides.numbers.max(initial=0)) + 1, bool)
    allowed[slides.numbers] = True
    folded = np.mod(far, slides.step_s)
    order = np.argsort(folded, kind="stable")
    reach = window.largest_s(one, other) + _ROUNDING_S
    given = (
        place, one.error_s, far[order], other.error_s[order], folded[order], allowed,
        slides.ring_s, slides.step_s, window.travel_s, window.errors, reach,
    )  # fmt: skip
    none = np.zeros(0, np.int64)
    count = np.zeros(len(place), np.int64)
    _match(*given, 0, len(place), count, none, none, none)
    ends = np.cumsum(count)
    start = 0
    while start < len(place):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + _CHUNK, side="right")), start + 1)
        size = int(ends[stop - 1] - before)
        left, right, slide = (np.zeros(size, np.int64) for _ in range(3))
        _match(*given, start, stop, count, left, right, slide)
        yield left, order[right], slide
        start = stop


@compiled()
def _match(  # type: ignore[no-untyped-def]
    place, error, far, far_error, folded, allowed, ring, step, travel, errors, reach,
    start, stop, count, left, right, slide,
):  # fmt: skip
    """Count what coincides with each trigger, or, given room, write it down."""
    written = 0
    everything = 2 * reach >= step
    for i in range(start, stop):
        found = 0
        # What is ahead of the other detector's trigger, and what is once around the ring.
        for turn in range(2):
            here = place[i] + turn * ring
            target = here % step
            for part in range(3):
                if everything:
                    first, last = 0, (folded.size if part == 0 else 0)
                elif part == 0:
                    first = np.searchsorted(folded, target - reach)
                    last = np.searchsorted(folded, target + reach, side="right")
                elif part == 1:
                    first = np.searchsorted(folded, target - reach + step)
                    last = folded.size
                else:
                    first = 0
                    last = np.searchsorted(folded, target + reach - step, side="right")
                for j in range(first, last):
                    apart = here - far[j]
                    width = travel + errors * np.sqrt(error[i] ** 2 + far_error[j] ** 2)
                    low = max(int(np.ceil((apart - width) / step)), 1)
                    high = min(int(np.floor((apart + width) / step)), allowed.size - 1)
                    for number in range(low, high + 1):
                        if allowed[number] and abs(apart - number * step) <= width:
                            if left.size:
                                left[written] = i
                                right[written] = j
                                slide[written] = number
                                written += 1
                            found += 1
        count[i] = found


def _ranked(
    one: Triggers,
    other: Triggers,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    slide: NDArray[np.int64],
) -> Coincidences:
    alike = _cosines(one.vectors, other.vectors, left, right)
    rank = rank_events(np.stack([one.snr[left], other.snr[right]]), alike[np.newaxis])
    return Coincidences(left, right, slide, rank, alike)


@compiled()
def _cosines(one, other, left, right):  # type: ignore[no-untyped-def]
    """Return the products of unit vectors, row by row, without a copy of them: float64 [n]."""
    out = np.zeros(left.size)
    for n in range(left.size):
        total = 0.0
        for m in range(one.shape[1]):
            total += one[left[n], m] * other[right[n], m]
        out[n] = total
    return out


def _joined(parts: Sequence[Coincidences]) -> Coincidences:
    return Coincidences(
        np.concatenate([part.one for part in parts]),
        np.concatenate([part.other for part in parts]),
        np.concatenate([part.slide for part in parts]),
        np.concatenate([part.rank for part in parts]),
        np.concatenate([part.similarity for part in parts]),
    )
