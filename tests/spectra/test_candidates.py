"""What the parts of a score found is placed where it was planted, and noise gives nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from closeness import near
from gwmorph.spectra import chirps, extended
from gwmorph.spectra.candidates import (
    Candidate,
    faint_tile,
    find_candidates,
    overlap,
    region_parts,
)
from gwmorph.spectra.chirps import chirp_mass, chirp_region
from gwmorph.spectra.extended import excess_region, track_region
from gwmorph.spectra.lines import line_rows, line_share
from gwmorph.spectra.qtransform import GUARD_S, QBatch, QTransform
from gwmorph.spectra.regions import Region, centroid, region_trigger
from gwmorph.spectra.tiling import Tiling
from gwmorph.spectra.triggers import Trigger, energy_of_snr
from gwmorph.tables.block import TILE

RATE, WINDOW_S, SEGMENT_S = 2048, 16, 4
SPAN_S = WINDOW_S + 2 * GUARD_S
TILING = Tiling(SPAN_S, RATE, 4, 64, 20, 2048, 0.2)
TRANSFORM = QTransform(TILING, WINDOW_S, 48, 56)
TIME = np.arange(SPAN_S * RATE) / RATE - GUARD_S
LEAST = {"excess": 3.5, "track": 12.0, "chirp": 9.0}
NO_LINES = np.zeros(len(TILING.planes[-1]), bool)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(SPAN_S * RATE)


def looked_at(signal: np.ndarray, snr: float, seed: int = 3) -> QBatch:
    """Transform unit white noise with a whitened signal of an optimal SNR."""
    span = noise(seed) + signal * snr / np.sqrt(np.sum(signal**2))
    return next(TRANSFORM.batches(span[None].astype(np.float32)))


def chirp(merger: float = 9.0, tau: float = 1.2) -> np.ndarray:
    left = np.maximum(merger - TIME, 1e-6)
    frequency = 25 * (left / tau) ** (-3 / 8)
    signal = np.cos(-2 * np.pi * 8 / 5 * frequency * left) * frequency ** (2 / 3)
    signal[(frequency < 22) | (frequency > 110) | (merger < TIME)] = 0
    return signal


def burst(start: float = 4.0, end: float = 4.5) -> np.ndarray:
    """Noise between 100 and 400 Hz."""
    spectrum = np.fft.rfft(noise(8))
    frequency = np.fft.rfftfreq(len(TIME), 1 / RATE)
    spectrum[(frequency < 100) | (frequency > 400)] = 0
    return np.fft.irfft(spectrum) * ((start < TIME) & (end > TIME))


def arch(at: float = 7.0, half_s: float = 2.0, top: float = 120.0) -> np.ndarray:
    """A tone that rises from 40 Hz to ``top`` and falls again."""
    lag = (TIME - at) / half_s
    phase = 2 * np.pi * half_s * (top * lag - (top - 40) * lag**3 / 3)
    return np.cos(phase) * (np.abs(lag) < 1)


@pytest.mark.parametrize(
    ("signal", "region_of", "time", "moment", "band"),
    [
        (burst(), excess_region, (4.0, 4.5), 4.25, (100, 400)),
        (arch(), track_region, (5.0, 9.0), 7.0, (40, 120)),
        (chirp(), chirp_region, (7.4, 9.0), 9.0, (25, 110)),
    ],
    ids=["burst", "arch", "chirp"],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_planted_is_found_at_its_time_and_band(
    signal, region_of, time, moment, band, seed
):
    batch = looked_at(signal, 25, seed)
    found = region_trigger(batch, 0, region_of(batch, 0), WINDOW_S)
    assert found.peak_time == pytest.approx(moment, abs=max(0.1, (time[1] - time[0]) / 8))
    overlapping = min(found.tend, time[1]) - max(found.tstart, time[0])
    assert overlapping > 0.6 * (time[1] - time[0])
    assert found.tend - found.tstart < 1.5 * (time[1] - time[0]) + 0.3
    assert found.fstart < found.peak_frequency < found.fend
    assert 0.4 * band[0] < found.peak_frequency < 1.5 * band[1]


@pytest.mark.parametrize("tau", [0.3, 0.6, 1.2, 2.5])
def test_the_chirp_mass_is_that_of_the_track(tau):
    region = chirp_region(looked_at(chirp(tau=tau), 40), 0)
    assert region.chirp_mass == near(chirp_mass(tau), rel=0.25)


def test_chirp_masses_are_those_of_the_leading_order():
    """Maggiore 2007, equation 4.21: 1.21 solar masses last 2.18 s from 100 Hz on."""
    assert chirp_mass(2.18 * 4 ** (8 / 3)) == near(1.21, rel=0.01)
    assert chirp_mass(1.0) / chirp_mass(2.0) == near(2**0.6)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_place_of_a_part_has_the_parts_own_value(seed):
    """Traced back, a box, path or stretch adds up to what the search said."""
    batch = looked_at(burst() + arch() + chirp(), 20, seed)
    window_cells = extended._cells(TILING, WINDOW_S)
    boxes = [
        extended._plane_box(batch.means[p][0], window_cells[p])[0]
        for p in (0, len(window_cells) - 1)
    ]
    assert max(boxes) == near(extended.box_excess(batch)[0], rel=1e-6)
    paths = [extended._plane_path(m[0], c) for m, c in zip(batch.means, window_cells, strict=True)]
    assert max(p[0] for p in paths) == near(extended.track_ratio(batch)[0], rel=1e-4)
    region = chirp_region(batch, 0)
    tracks = chirps._planes(batch)[region.plane][1]
    number = int(np.argmin(np.abs(chirp_mass(1.0) * tracks.tau**-0.6 - region.chirp_mass)))
    held = np.flatnonzero(region.cells.any(axis=1))
    ratio = -float(tracks.price[number])
    for row in held:
        energy = batch.means[region.plane][0][row, region.cells[row]].mean()
        ratio += tracks.weight[number, row] * (energy * chirps._SLOPE - chirps._OFFSET)
    assert ratio == near(chirps.chirp_ratio(batch)[0], rel=1e-3)


def test_a_path_hangs_together_and_ends_where_it_is_best():
    batch = looked_at(arch(), 25)
    cells = track_region(batch, 0).cells
    columns = np.flatnonzero(cells.any(axis=0))
    assert np.all(np.diff(columns) == 1)
    for column in columns:
        rows = np.flatnonzero(cells[:, column])
        assert np.all(np.diff(rows) == 1)
    for before, after in pairwise(columns):
        assert (cells[:, before] & cells[:, after]).any()


def test_a_region_is_described_by_its_tiles():
    batch = looked_at(burst(), 30)
    rows, columns = batch.means[0].shape[1:]
    cells = np.zeros((rows, columns), bool)
    cells[3:5, 10:20] = True
    column_s = WINDOW_S / columns
    found = region_trigger(batch, 0, Region(0, cells, 1.5), WINDOW_S)
    energies, times = [], []
    for row, energy in list(zip(TILING.planes[0], batch.energies[0], strict=True))[3:5]:
        time = np.arange(row.tiles) * row.step - GUARD_S
        inside = (time >= 10 * column_s - 1e-9) & (time < 20 * column_s - 1e-9)
        energies.append(energy[0, inside].astype(float))
        times.append(time[inside])
    every = np.concatenate(energies)
    assert found.tiles == len(every)
    assert found.energy == every.max()
    assert found.energy_sum == near(every.sum() - len(every) / np.log(2))
    assert found.time == near(np.average(np.concatenate(times), weights=every))
    assert found.peak_time == 1.5
    low, high = TILING.planes[0][3].frequency, TILING.planes[0][4].frequency
    assert found.fstart < low < found.frequency < high < found.fend
    assert found.tstart < min(time[0] for time in times)
    assert found.tend > max(time[-1] for time in times)


def test_the_centroid_counts_what_is_above_the_noise():
    means = np.full((2, 8), 1 / np.log(2), np.float32)
    means[0, 6] += 3
    means[1, 2] += 1
    cells = np.ones((2, 8), bool)
    assert centroid(means, cells, 0.5) == near((3 * 3.25 + 1.25) / 4)
    cells[0] = False
    assert centroid(means, cells, 0.5) == near(1.25)
    assert centroid(0 * means, cells, 0.5) == near(2.0)


def test_noise_gives_nothing_and_each_part_only_what_is_large():
    quiet = looked_at(burst(), 0)
    assert list(find_candidates(quiet, 0, region_parts(quiet), LEAST, NO_LINES)) == []
    batch = looked_at(burst(), 25)
    parts = region_parts(batch)
    names = [c.found_by for c in find_candidates(batch, 0, parts, LEAST, NO_LINES)]
    assert names == [name for name in LEAST if parts[name][0] >= LEAST[name]]
    assert "excess" in names
    never = LEAST | {"excess": parts["excess"][0] + 1}
    kept = find_candidates(batch, 0, parts, never, NO_LINES)
    assert [c.found_by for c in kept] == names[1:]


def test_only_chirps_have_a_chirp_mass():
    batch = looked_at(chirp(), 25)
    found = {
        c.found_by: c for c in find_candidates(batch, 0, region_parts(batch), LEAST, NO_LINES)
    }
    assert found["chirp"].chirp_mass > 0
    assert {c.chirp_mass for name, c in found.items() if name != "chirp"} == {None}
    assert overlap(found["chirp"].trigger, found["track"].trigger)


# -- lines ----------------------------------------------------------------------------------


def psd_with_line(frequency: float, height: float) -> np.ndarray:
    grid = np.arange(RATE // 2 * SEGMENT_S + 1) / SEGMENT_S
    return 1 + height * (np.abs(grid - frequency) < 0.3) + 1e3 * np.exp(-grid / 5)


def test_rows_with_a_line_are_those_whose_band_holds_it():
    rows = TILING.planes[-1]
    held = line_rows(psd_with_line(180.0, 50.0), SEGMENT_S, rows)
    half = np.sqrt(np.pi) * np.array([row.frequency for row in rows]) / rows[0].q
    distance = np.abs(np.array([row.frequency for row in rows]) - 180.0)
    assert held[distance < half - 0.5].all()
    assert not held[distance > half + 0.5].any()
    # A slope is no line, and neither is what hardly stands out.
    assert not line_rows(psd_with_line(180.0, 3.0), SEGMENT_S, rows).any()


def test_what_lies_on_a_line_is_told_from_what_crosses_it():
    tone = np.cos(2 * np.pi * 180 * TIME) * ((TIME > 3) & (TIME < 9))
    lines = line_rows(psd_with_line(180.0, 50.0), SEGMENT_S, TILING.planes[-1])
    shares = []
    for signal, region_of in ((tone, track_region), (burst(), excess_region)):
        batch = looked_at(signal, 25)
        found = region_trigger(batch, 0, region_of(batch, 0), WINDOW_S)
        shares.append(line_share(batch, 0, found, lines))
        assert line_share(batch, 0, found, NO_LINES) == 0
    on, across = shares
    assert on > 0.8
    assert across < 0.3


def test_a_plane_may_have_a_single_row():
    narrow = Tiling(SPAN_S, RATE, 4, 64, 250, 251, 0.2)
    assert min(len(plane) for plane in narrow.planes) == 1
    batch = next(QTransform(narrow, WINDOW_S, 48, 56).batches(noise(3)[None].astype(np.float32)))
    regions = [region_of(batch, 0) for region_of in (excess_region, track_region)]
    found = region_trigger(batch, 0, next(filter(None, regions)), WINDOW_S)
    rows = len(narrow.planes[-1])
    assert line_share(batch, 0, found, np.ones(rows, bool)) == 1
    assert line_share(batch, 0, found, np.zeros(rows, bool)) == 0


def test_only_the_loudest_tile_of_a_window_below_the_limit_is_a_faint_one():
    some = Trigger(1, 1, 100, 100, 0.9, 1.1, 90, 110, 8, 0, 4, 20)
    loud, soft = (replace(some, energy=energy_of_snr(snr)) for snr in (6.5, 6.0))
    assert faint_tile([loud, soft], loud.energy, 7.0) == Candidate(TILE, loud)
    assert faint_tile([loud, soft], loud.energy, loud.snr) is None
    assert faint_tile([loud, soft], loud.energy, 6.0) is None
    assert faint_tile([soft], loud.energy, 7.0) is None
    assert faint_tile([], loud.energy, 7.0) is None
