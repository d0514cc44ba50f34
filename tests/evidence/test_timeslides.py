import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist

from closeness import near
from gwmorph.evidence import timeslides as module
from gwmorph.evidence.ranking import rank_events
from gwmorph.evidence.ring import CoincidenceError, Ring
from gwmorph.evidence.timeslides import (
    Coincidences,
    Slides,
    Triggers,
    Window,
    coincidences_now,
    correlation_time,
    distinct,
    loudest_of_slides,
    pairs_within,
    slide_triggers,
    slide_triples,
    slide_windows,
    triples_now,
    valid_slides,
)

START = 1262301184
RING = Ring.of(
    segmentlist(
        segment(START + first, START + last)
        for first, last in ((0, 400), (500, 733), (900, 1270))
    )
)  # fmt: skip
WINDOW = Window(0.01, 3.0)


def triggers(count, seed, ring=RING, loudness=8.0, errors=(0.001, 0.4)):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Triggers(
        ring.gps(rng.uniform(0, ring.livetime_s, count)),
        np.exp(rng.uniform(*np.log(errors), count)),
        loudness + rng.exponential(3, count),
        vectors.astype(np.float32),
    )


def brute_force(one, other, ring, window, slides):
    """Every pair in every slide, moved along the ring for itself."""
    length = ring.livetime_s
    here, there = ring.position(one.time), ring.position(other.time)
    found = set()
    for number in slides.numbers.tolist():
        moved = (there + number * slides.step_s) % length
        for i, j in itertools.product(range(len(here)), range(len(there))):
            apart = abs(here[i] - moved[j])
            apart = min(apart, length - apart)
            error = np.hypot(one.error_s[i], other.error_s[j])
            if apart <= window.travel_s + window.errors * error:
                found.add((i, j, number))
    return found


def rows_of(found):
    return list(zip(found.one.tolist(), found.other.tolist(), found.slide.tolist(), strict=True))


@pytest.mark.parametrize("step", [0.7, 3.0, 7.3, 100.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_all_slides_in_one_sort_are_those_of_brute_force(monkeypatch, step, seed):
    one, other = triggers(40, seed), triggers(30, seed + 10)
    slides = valid_slides(RING, step, 12.0, 10**6, 1)
    expected = brute_force(one, other, RING, WINDOW, slides)
    assert len(expected) > 5
    for chunk in (1 << 20, 3):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        parts = list(module._pairs(one, other, RING, WINDOW, slides))
        found = [
            row
            for part in parts
            for row in zip(*(column.tolist() for column in part), strict=True)
        ]
        assert len(found) == len(set(found))
        assert set(found) == expected


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 1002), min_size=1, max_size=12),
    st.lists(st.integers(0, 1002), min_size=1, max_size=12),
    st.integers(1, 40),
    st.integers(1, 60),
)
def test_no_edge_of_the_ring_is_forgotten(places, others, step, least):
    """Positions on whole seconds, a window that no rounding reaches."""
    window = Window(0.25, 0.0)
    one, other = (
        Triggers(
            RING.gps(np.array(held, float)),
            np.zeros(len(held)),
            np.full(len(held), 9.0),
            np.ones((len(held), 1), np.float32),
        )
        for held in (places, others)
    )
    slides = valid_slides(RING, step, least, 10**6, 1)
    parts = [zip(*part, strict=True) for part in module._pairs(one, other, RING, window, slides)]
    assert {tuple(map(int, row)) for part in parts for row in part} == brute_force(
        one, other, RING, window, slides
    )


def test_drawn_slides_are_a_part_of_all():
    one, other = triggers(60, 5), triggers(60, 6)
    every = valid_slides(RING, 2.0, 12.0, 10**6, 1)
    some = valid_slides(RING, 2.0, 12.0, 50, 1)
    assert len(some.numbers) == 50
    assert set(some.numbers) < set(every.numbers)
    assert some.background_s == 50 * RING.livetime_s
    whole, part = (slide_triggers(one, other, RING, WINDOW, slides) for slides in (every, some))
    drawn = set(some.numbers.tolist())
    assert set(rows_of(part)) == {row for row in rows_of(whole) if row[2] in drawn}
    assert (valid_slides(RING, 2.0, 12.0, 50, 2).numbers != some.numbers).any()


@given(st.integers(101, 3000), st.floats(0.1, 30), st.floats(0, 45))
def test_no_slide_is_nearer_to_none_than_allowed(length, step, least):
    slides = valid_slides(Ring.of(segmentlist([segment(0, length)])), step, least, 10**6, 1)
    shifts = slides.numbers * step
    assert shifts.min() > least
    assert shifts.max() < length - least
    # None is forgotten.
    assert shifts.min() - step <= least + 1e-9
    assert shifts.max() + step >= length - least - 1e-9


def test_a_ring_too_short_for_a_slide_is_refused():
    ring = Ring.of(segmentlist([segment(START, START + 64)]))
    with pytest.raises(CoincidenceError, match=r"64 s together, too little.*more than 66 s"):
        valid_slides(ring, 2.0, 32.0, 100, 1)
    assert valid_slides(ring, 2.0, 31.0, 100, 1).numbers.tolist() == [16]


def test_real_time_knows_of_gaps():
    """Both sides of a gap are neighbours on the ring, and in slides, but never in real time."""
    edge = np.array([START + 399.999, START + 500.001, START + 600])
    one = Triggers(edge[[0, 2]], np.zeros(2), np.full(2, 9.0), np.ones((2, 1), np.float32))
    other = Triggers(edge[[1, 2]], np.zeros(2), np.full(2, 9.0), np.ones((2, 1), np.float32))
    found = coincidences_now(one, other, WINDOW)
    assert rows_of(found) == [(1, 1, 0)]
    assert abs(np.diff(RING.position(edge[:2]))) < WINDOW.travel_s


def test_windows_are_as_wide_as_both_errors_allow():
    vectors = np.ones((3, 1), np.float32)
    one = Triggers(
        np.array([100.0, 200, 300]), np.array([0.03, 0, 0.03]), np.full(3, 9.0), vectors
    )
    other = Triggers(
        np.array([100.155, 200.011, 300.165]), np.array([0.04, 0, 0.04]), np.full(3, 9.0), vectors
    )
    assert coincidences_now(one, other, WINDOW).one.tolist() == [0]


def test_each_trigger_is_in_its_loudest_coincidence_alone():
    found = Coincidences(
        np.array([0, 0, 1, 0, 2]),
        np.array([0, 1, 1, 0, 2]),
        np.array([3, 3, 3, 4, 3]),
        np.array([10.0, 12.0, 11.0, 9.0, 8.0]),
        np.zeros(5),
    )
    kept = distinct(found)
    # 11 loses its second trigger to 12, and 10 its first; slide 4 is another one.
    assert kept.rank.tolist() == [12.0, 9.0, 8.0]
    assert rows_of(kept) == [(0, 1, 3), (0, 0, 4), (2, 2, 3)]


def test_the_loudest_of_a_slide_without_any_is_minus_infinity():
    slides = Slides(1.0, np.array([2, 5, 9]), 100.0)
    found = loudest_of_slides(np.array([9, 2, 9]), np.array([7.0, 8.0, 9.0]), slides)
    assert found.tolist() == [8.0, -np.inf, 9.0]


# -- correlation ------------------------------------------------------------------------------

DAY = Ring.of(segmentlist([segment(START, START + 86400)]))


def test_pairs_are_counted_around_the_ring():
    assert pairs_within(np.array([1.0, 4.0, 99.5]), 100.0, np.array([1.0, 2.0, 4.6])).tolist() == [
        0, 1, 3,
    ]  # fmt: skip


def test_triggers_without_memory_have_no_correlation_time():
    times = [triggers(800, seed, DAY).time for seed in range(20)]
    assert sum(correlation_time(time, DAY) > 0 for time in times) <= 1


@pytest.mark.parametrize("spread", [5.0, 60.0, 600.0])
def test_the_correlation_time_of_bursts_is_that_of_their_spread(spread):
    rng = np.random.default_rng(7)
    parents = rng.uniform(0, 86400, 40)
    place = (np.repeat(parents, 8) + rng.exponential(spread, 320)) % 86400
    found = correlation_time(DAY.gps(place), DAY)
    assert 0.5 * spread < found < 8 * spread


def test_bursts_far_apart_are_no_memory():
    place = np.concatenate([start + np.linspace(0, 3, 10) for start in (1000.0, 4000.0, 40000.0)])
    assert 1.5 < correlation_time(DAY.gps(place), DAY) < 7


def test_one_trigger_or_none_is_correlated_with_nothing():
    for count in (0, 1):
        assert correlation_time(triggers(count, 1).time, RING) == 0


# -- windows ----------------------------------------------------------------------------------


@given(st.integers(5, 60), st.integers(0, 2**20), st.integers(0, 3))
def test_window_counts_are_those_of_rolled_windows(count, seed, least):
    rng = np.random.default_rng(seed)
    one, other = (rng.random(count) < 0.4 for _ in range(2))
    if count <= 2 * least + 1:
        with pytest.raises(CoincidenceError, match="too few"):
            slide_windows(one, other, least)
        return
    found = slide_windows(one, other, least)
    shifts = range(least + 1, count - least)
    assert found.slides.tolist() == [int((one & np.roll(other, -s)).sum()) for s in shifts]
    assert found.found == int((one & other).sum())
    assert (found.windows, found.one, found.other) == (count, one.sum(), other.sum())


# -- three detectors --------------------------------------------------------------------------


def brute_triples(parts, ring, windows, slides):
    length, found = ring.livetime_s, set()
    place = [ring.position(part.time) for part in parts]

    def near_by(a, b, i, j, shift, window):
        apart = abs((place[a][i] - place[b][j] - shift + length / 2) % length - length / 2)
        error = np.hypot(parts[a].error_s[i], parts[b].error_s[j])
        return apart <= window.travel_s + window.errors * error

    for number in slides.numbers.tolist():
        shift = number * slides.step_s
        for i, j in itertools.product(range(len(place[0])), range(len(place[1]))):
            if not near_by(0, 1, i, j, shift, windows[0]):
                continue
            for k in range(len(place[2])):
                if near_by(0, 2, i, k, 2 * shift, windows[1]) and near_by(
                    1, 2, j, k, shift, windows[2]
                ):
                    found.add((i, j, k, number))
    return found


def test_triples_are_those_of_brute_force(monkeypatch):
    monkeypatch.setattr(module, "_first_of_each", lambda slide, column: np.ones(len(slide), bool))
    parts = tuple(triggers(40, seed, errors=(0.1, 0.8)) for seed in (21, 22, 23))
    windows = (Window(0.01, 3.0), Window(0.027, 3.0), Window(0.026, 3.0))
    slides = Slides(7.0, np.arange(2, 70), RING.livetime_s)
    found = slide_triples(parts, RING, windows, slides)
    rows = {(*row, s) for row, s in zip(map(tuple, found.triggers), found.slide, strict=True)}
    assert rows == brute_triples(parts, RING, windows, slides)
    assert len(rows) > 10
    assert (np.diff(found.rank) <= 0).all()


def test_a_signal_in_three_detectors_is_a_triple():
    parts = tuple(triggers(30, seed, errors=(0.001, 0.002)) for seed in (31, 32, 33))
    time = START + 550.0
    for part, row, late in zip(parts, (3, 4, 5), (0.0, 0.008, -0.02), strict=True):
        part.time[row] = time + late
    found = triples_now(parts, (Window(0.01, 3), Window(0.027, 3), Window(0.026, 3)))
    assert found.triggers.tolist() == [[3, 4, 5]]
    assert found.slide.tolist() == [0]
    alike = [[float(parts[a].vectors[i] @ parts[b].vectors[j])] for a, i, b, j in (
        (0, 3, 1, 4), (0, 3, 2, 5), (1, 4, 2, 5),
    )]  # fmt: skip
    snrs = [[part.snr[row]] for part, row in zip(parts, (3, 4, 5), strict=True)]
    assert found.rank == near(rank_events(np.array(snrs), np.array(alike)), rel=1e-5)
