"""Triggers equal a brute-force clustering of the tiles that gwpy finds."""

import itertools
import time
from math import log, pi, sqrt

import numpy as np
import pyarrow as pa
import pytest
from gwpy.segments import Segment
from gwpy.signal.qtransform import QGram, QTiling, q_scan
from gwpy.timeseries import TimeSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from closeness import near
from gwmorph.spectra.qtransform import GUARD_S, QBatch, QTransform, omicron_snr
from gwmorph.spectra.tiling import Tiling
from gwmorph.spectra.triggers import (
    amplitude,
    energy_of_snr,
    find_triggers,
    merge_triggers,
    tile_bandwidth,
)
from gwmorph.tables.block import TRIGGERS

RATE = 2048
WINDOW_S = 8
SPAN_S = WINDOW_S + 2 * GUARD_S
TILING = Tiling(SPAN_S, RATE, 4, 64, 20, 2048, 0.2)
SMALL = Tiling(6, 256, 4, 24, 20, 60, 0.5)
EVENTS = {"tile_snr": 5.5, "snr": 7.5, "gap_s": 0.1}


@pytest.fixture(scope="module")
def transform() -> QTransform:
    return QTransform(TILING, WINDOW_S, 48, 56)


def noise(seed: int, n: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, SPAN_S * RATE)).astype(np.float32)


def burst(time: float, frequency: float, width: float, snr: float) -> np.ndarray:
    """Gaussian-windowed sine of this optimal SNR; ``time`` s from the window's start."""
    t = np.arange(SPAN_S * RATE) / RATE - GUARD_S - time
    shape = np.exp(-((t / width) ** 2)) * np.cos(2 * np.pi * frequency * t)
    return (snr * shape / np.sqrt((shape**2).sum())).astype(np.float32)


def triggers_of(transform: QTransform, span: np.ndarray, **changes: float) -> list:
    (batch,) = transform.batches(span.astype(np.float32).reshape(1, -1))
    (found,) = find_triggers(batch, **{**EVENTS, **changes})
    return found


# -- brute force --------------------------------------------------------------------------------


def fake_batch(planted: list[tuple[int, int, int, float]]) -> QBatch:
    """Tiles of energy 1 but for the planted ones: plane, row, tile (all modulo), energy."""
    energies = [[np.ones((1, row.tiles), np.float32) for row in p] for p in SMALL.planes]
    for plane, row, tile, energy in planted:
        rows = energies[plane % len(energies)]
        values = rows[row % len(rows)][0]
        values[tile % len(values)] = energy
    peaks = tuple(np.stack([row.max(axis=1) for row in p], axis=1) for p in energies)
    return QBatch(SMALL, tuple(tuple(p) for p in energies), (), peaks, None)


def brute_force(batch: QBatch, tile_snr: float, snr: float, gap_s: float) -> list[dict]:
    tiles = []
    for rows, energies in zip(batch.tiling.planes, batch.energies, strict=True):
        for row, energy in zip(rows, energies, strict=True):
            half = sqrt(pi) * row.frequency / row.q
            for tile in np.flatnonzero(energy[0] >= (1 + tile_snr**2 / 2) / log(2)):
                tiles.append(
                    (tile * row.step - GUARD_S, row.frequency, half, energy[0, tile], row)
                )
    near = np.zeros((len(tiles), len(tiles)), bool)
    for (i, a), (j, b) in itertools.combinations(enumerate(tiles), 2):
        reach = 0.25 / a[2] + 0.25 / b[2] + gap_s
        apart = abs(a[0] - b[0])
        wraps = a[4] is b[4] and batch.tiling.duration - apart <= reach
        near[i, j] = abs(a[1] - b[1]) <= a[2] + b[2] and (apart <= reach or wraps)
    count, label = connected_components(coo_array(near), directed=False)
    clusters = []
    for number in range(count):
        own = [tile for tile, where in zip(tiles, label, strict=True) if where == number]
        energy = np.array([tile[3] for tile in own], float)
        peak = own[int(energy.argmax())]
        inside = [tile[3] for tile in own if 0 <= tile[0] < batch.tiling.duration - 2 * GUARD_S]
        if peak[3] < (1 + snr**2 / 2) / log(2) or max(inside, default=0) < 0.5 * peak[3]:
            continue
        clusters.append(
            {
                "tiles": len(own),
                "energy": peak[3],
                "energy_sum": energy.sum() - len(own) / log(2),
                "time": (energy * [tile[0] for tile in own]).sum() / energy.sum(),
                "frequency": (energy * [tile[1] for tile in own]).sum() / energy.sum(),
                "peak_time": peak[0],
                "peak_frequency": peak[1],
                "q": peak[4].q,
                "tstart": min(tile[0] - 0.25 / tile[2] for tile in own),
                "tend": max(tile[0] + 0.25 / tile[2] for tile in own),
                "fstart": min(tile[1] - tile[2] for tile in own),
                "fend": max(tile[1] + tile[2] for tile in own),
            }
        )
    return sorted(clusters, key=lambda cluster: -cluster["energy"])


@settings(max_examples=200)
@given(data=st.data())
def test_clusters_are_those_of_all_pairs_of_tiles(data):
    where = st.tuples(*[st.integers(0, 1000)] * 3)
    planted = data.draw(st.lists(where, min_size=1, max_size=40, unique=True))
    energies = data.draw(st.permutations(range(24, 24 + 2 * len(planted), 2)))
    gap_s = data.draw(st.sampled_from([0.0, 0.05, 0.1, 0.4]))
    batch = fake_batch([(*p, e) for p, e in zip(planted, energies, strict=True)])
    (found,) = find_triggers(batch, 5.5, 6.0, gap_s)
    expected = brute_force(batch, 5.5, 6.0, gap_s)
    assert [t.energy for t in found] == [cluster["energy"] for cluster in expected]
    for trigger, cluster in zip(found, expected, strict=True):
        for name, value in cluster.items():
            assert getattr(trigger, name) == pytest.approx(value, rel=1e-9, abs=1e-9), name


# -- gwpy ---------------------------------------------------------------------------------------


def test_the_loudest_tile_and_the_significant_ones_are_gwpys(transform):
    span = noise(2)[0] + burst(4.1, 90, 0.05, 15) + burst(2.0, 300, 0.01, 12)
    series = TimeSeries(span.astype(float), sample_rate=RATE, epoch=-GUARD_S)
    gram, _ = q_scan(series, qrange=(4, 64), frange=(20, TILING.f_top))
    spectrum = series.fft()
    # gwpy's threshold is on the energy itself, as snr²/2
    snr_of_gwpy = 8.0
    level = sqrt(2 * (snr_of_gwpy**2 / 2 * log(2) - 1))
    tiles = []
    for plane in QTiling(SPAN_S, RATE, (4, 64), (20, TILING.f_top)):
        energies = plane.transform(spectrum, epoch=-GUARD_S).energies
        tiles += list(
            QGram(plane, energies, Segment(-GUARD_S, WINDOW_S + GUARD_S)).table(snr_of_gwpy)
        )
    found = triggers_of(transform, span, tile_snr=level, snr=level)
    assert found[0].peak_time == pytest.approx(gram.peak["time"], abs=1e-9)
    assert found[0].peak_frequency == gram.peak["frequency"]
    assert found[0].q == gram.plane.q
    assert found[0].energy == near(gram.peak["energy"], rel=1e-4)
    # both transients are inside the window, so that every tile is in some trigger
    assert sum(trigger.tiles for trigger in found) == len(tiles) > 100
    energies = sum(trigger.energy_sum + trigger.tiles / log(2) for trigger in found)
    assert energies == near(sum(tile["energy"] for tile in tiles), rel=1e-4)
    widest = max(tile["bandwidth"] / tile["frequency"] for tile in tiles)
    assert widest == near(tile_bandwidth(1, TILING.qs[0]), rel=1e-9)


def test_snr_and_energy_are_each_others_inverse():
    for snr in (0.1, 5.5, 300):
        assert omicron_snr(np.array([energy_of_snr(snr)]))[0] == near(snr)


# -- what one transient gives -------------------------------------------------------------------


@settings(max_examples=20)
@given(
    where=st.floats(0, WINDOW_S),
    frequency=st.floats(40, 400),
    q=st.floats(4, 40),
    snr=st.floats(15, 80),
)
def test_one_transient_is_one_trigger_where_it_is(transform, where, frequency, q, snr):
    width = q / (2 * pi * frequency) * sqrt(2)
    found = triggers_of(transform, noise(4)[0] + burst(where, frequency, width, snr))
    assert len(found) == 1 or WINDOW_S - where < 0.05 or where < 0.05
    for trigger in found:
        assert trigger.time == pytest.approx(where, abs=0.02 + width)
        assert trigger.peak_frequency == near(frequency, rel=0.3)
        assert trigger.tstart < trigger.peak_time < trigger.tend
        assert trigger.fstart < trigger.peak_frequency < trigger.fend
        # A tile never matches wholly; noise adds some, and blurs the medians of low rows by 10 %.
        assert 0.75 * snr - 3 < trigger.snr < 1.15 * snr + 4


@pytest.mark.parametrize(("apart", "expected"), [(0.6, 2), (0.05, 1)])
def test_two_loud_transients_are_two_triggers_unless_they_touch(transform, apart, expected):
    span = noise(5)[0] + burst(3.0, 200, 0.006, 40) + burst(3.0 + apart, 200, 0.006, 30)
    found = triggers_of(transform, span)
    assert len(found) == expected
    assert found[0].peak_time == pytest.approx(3.0, abs=0.01)
    if expected == 2:
        assert found[1].peak_time == pytest.approx(3.6, abs=0.01)
        assert found[0].snr > found[1].snr


def test_transients_at_once_in_bands_far_apart_are_two(transform):
    span = noise(6)[0] + burst(3.0, 40, 0.15, 20) + burst(3.0, 400, 0.01, 20)
    frequencies = sorted(trigger.peak_frequency for trigger in triggers_of(transform, span))
    assert frequencies == near([40, 400], rel=0.15)


def test_a_transient_in_the_guard_is_not_this_windows(transform):
    for where in (-1.0, WINDOW_S + 1.0):
        assert triggers_of(transform, noise(7)[0] + burst(where, 150, 0.01, 60)) == []


def test_what_a_very_loud_transient_leaks_round_the_span_is_its_own(transform):
    """At 30 Hz and Q 53 the tail of SNR 300,000 reaches across 2 s, that is, round the corner."""
    span = noise(8)[0] + burst(WINDOW_S + 1.97, 30, 0.02, 300000)
    (batch,) = transform.batches(span[None])
    leaked = max(
        row[0, int(GUARD_S / place.step) : int((GUARD_S + 0.5) / place.step)].max()
        for rows, plane in zip(batch.energies, TILING.planes, strict=True)
        for row, place in zip(rows, plane, strict=True)
    )
    assert leaked > energy_of_snr(7.5)
    assert find_triggers(batch, **EVENTS) == [[]]


def test_white_noise_has_no_triggers(transform):
    """Where 1 in 2·10⁷ tiles is above SNR 5.5, none is expected above 7.5 in 10⁶ windows."""
    weak, loud = 0, 0
    for batch in transform.batches(noise(9, 400)):
        weak += sum(map(len, find_triggers(batch, 5.5, 5.5, 0.1)))
        loud += sum(map(len, find_triggers(batch, **EVENTS)))
    assert loud == 0
    assert 5 < weak < 100


def test_a_saturated_glitch_is_one_trigger_in_bounded_time(transform):
    """A second of full scale, SNR far above 1000, and another tile above threshold every 0.1 s."""
    span = noise(10)[0]
    span[5 * RATE : 6 * RATE] += 1e6 * np.sign(np.sin(np.arange(RATE)))
    (batch,) = transform.batches(span[None])
    find_triggers(batch, **EVENTS)
    start = time.perf_counter()
    (found,) = find_triggers(batch, **EVENTS)
    assert time.perf_counter() - start < 0.2
    assert len(found) == 1
    assert found[0].snr > 1000
    assert 3 - 0.2 < found[0].peak_time < 4 + 0.2
    assert found[0].tiles > 10000


def test_even_if_all_tiles_are_significant_time_and_clusters_are_bounded():
    everywhere = fake_batch([])
    for rows in everywhere.energies:
        for row in rows:
            row[:] = 1e12
    for peaks in everywhere.row_peaks:
        peaks[:] = 1e12
    ((trigger,),) = find_triggers(everywhere, **EVENTS)
    assert trigger.tiles == sum(row.tiles for plane in SMALL.planes for row in plane)
    assert trigger.tend - trigger.tstart >= SMALL.duration


# -- amplitude ----------------------------------------------------------------------------------


def test_amplitude_is_the_root_sum_square_of_the_signal(transform):
    """White noise of one-sided PSD 2/rate·s² is s times the unit noise that whitening leaves."""
    scale = 3e-23
    signal = burst(4.0, 150, 0.02, 30)
    (trigger,) = triggers_of(transform, noise(11)[0] + signal)
    psd = np.full(4 * RATE // 2 + 1, scale**2 * 2 / RATE)
    psd[600] *= 1e6  # a line
    h_rss = np.sqrt(((scale * signal.astype(float)) ** 2).sum() / RATE)
    assert amplitude(trigger, psd, 4) == near(h_rss, rel=0.15)


# -- merging ------------------------------------------------------------------------------------


def row(gps: int, peak: float, snr: float, band=(50, 200), width=0.2, detector="H1") -> dict:
    own = {
        "detector": detector, "gps_start": gps, "time": peak, "peak_time": peak, "snr": snr,
        "tstart": peak - width, "tend": peak + width, "fstart": band[0], "fend": band[1],
        "view": True, "found_by": "tile",
    }  # fmt: skip
    return {field.name: 1 for field in TRIGGERS} | own


def merged(*rows: dict) -> list[tuple[int, float]]:
    table = pa.Table.from_pylist(list(rows), schema=TRIGGERS)
    kept = merge_triggers(table, 32)
    assert kept.schema.equals(TRIGGERS)
    return [(t["gps_start"], t["snr"]) for t in kept.to_pylist()]


def test_a_trigger_claimed_twice_is_kept_once():
    assert merged(row(0, 31.99, 10), row(32, 31.98, 9)) == [(0, 10)]
    # both see it at home, or neither: the louder
    assert merged(row(0, 31.99, 9), row(32, 32.01, 10)) == [(32, 10)]
    assert merged(row(0, 32.01, 10), row(32, 31.99, 9)) == [(0, 10)]


def test_the_window_that_holds_the_peak_comes_before_the_louder():
    assert merged(row(0, 32.1, 10.1), row(32, 32.1, 10)) == [(32, 10)]


def test_a_tiles_trigger_comes_before_a_part_whoever_holds_the_peak():
    tile = row(0, 32.01, 9.0)
    part = row(32, 32.02, 5.0) | {"found_by": "track", "significance": 30.0}
    assert merged(tile, part) == merged(part, tile) == [(0, 9.0)]
    fainter = row(32, 32.03, 6.0) | {"found_by": "chirp", "significance": 20.0}
    assert merged(fainter, part) == [(32, 5.0)]


def test_what_differs_in_time_band_window_or_detector_stays():
    here = row(0, 31.9, 10)
    for other in (
        row(32, 32.4, 8),
        row(32, 32.0, 8, band=(210, 400)),
        row(0, 31.9, 8, band=(60, 300)),
        row(32, 31.9, 8, detector="L1"),
    ):
        assert len(merged(here, other)) == 2


def test_a_chain_of_overlaps_keeps_what_does_not_touch_the_loudest():
    chain = [row(32 * i, 32.0 * i + 31, snr, width=20) for i, snr in enumerate([8, 9, 20, 9, 8])]
    assert merged(*chain) == [(0, 8), (64, 20), (128, 8)]


def test_triggers_are_sorted_and_nothing_stays_nothing():
    assert merged(row(64, 70, 8), row(0, 3, 9), row(32, 40, 8)) == [(0, 9), (32, 8), (64, 8)]
    assert merged() == []


@settings(max_examples=50)
@given(
    times=st.lists(st.floats(0, 300), max_size=40, unique=True),
    seed=st.integers(0, 2**31),
)
def test_merging_is_greedy_over_all_pairs(times, seed):
    rng = np.random.default_rng(seed)
    rows = [
        row(
            int(t // 16) * 16 - 16 * int(rng.integers(2)),
            t,
            8 + i / 100,
            width=rng.uniform(0.1, 9),
        )
        for i, t in enumerate(times)
    ]
    rank = sorted(rows, key=lambda r: (not 0 <= r["peak_time"] - r["gps_start"] < 32, -r["snr"]))
    kept: list[dict] = []
    for one in rank:
        if not any(
            other["gps_start"] != one["gps_start"]
            and other["tstart"] <= one["tend"]
            and one["tstart"] <= other["tend"]
            for other in kept
        ):
            kept.append(one)
    assert sorted(merged(*rows)) == sorted((r["gps_start"], r["snr"]) for r in kept)
