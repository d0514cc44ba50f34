"""Box sums and paths equal brute force; degrees of freedom are those of white noise."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from closeness import near
from gwmorph.spectra import extended
from gwmorph.spectra.extended import box_excess, cell_areas, track_ratio
from gwmorph.spectra.qtransform import GUARD_S, QTransform, mean_columns, omicron_snr
from gwmorph.spectra.tiling import Tiling

RATE = 2048
WINDOW_S = 8
SPAN_S = WINDOW_S + 2 * GUARD_S
TILING = Tiling(SPAN_S, RATE, 4, 64, 20, 2048, 0.2)
TRANSFORM = QTransform(TILING, WINDOW_S, 48, 56)
TIME = np.arange(SPAN_S * RATE) / RATE - GUARD_S


def noise(seed: int, n: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, SPAN_S * RATE)).astype(np.float32)


def statistics(spans: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Excess, track and the loudest tile's SNR of each span."""
    parts = [
        (box_excess(batch), track_ratio(batch), omicron_snr(batch.planes.loudest.energy))
        for batch in TRANSFORM.batches(spans)
    ]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def of_snr(signal: np.ndarray, snr: float) -> np.ndarray:
    """Scale a whitened signal to an optimal SNR in unit white noise."""
    return (signal * snr / np.sqrt(np.sum(signal**2))).astype(np.float32)


def faint_track(start_s: float = 1.0, end_s: float = 7.0) -> np.ndarray:
    """A tone that climbs slowly from 150 to 300 Hz."""
    phase = 2 * np.pi * (150 * TIME + 0.5 * 150 / 6 * (TIME - 1) ** 2)
    return np.where((start_s < TIME) & (end_s > TIME), np.cos(phase), 0)


@pytest.mark.parametrize("plane", [0, 2])
def test_boxes_equal_brute_force(plane):
    rows = TILING.planes[plane]
    cells = extended._cells(TILING, WINDOW_S)[plane]
    columns = mean_columns(rows[0].q, WINDOW_S)
    rng = np.random.default_rng(plane)
    means = rng.gamma(4, 1 / 4 / np.log(2), (2, len(rows), columns)).astype(np.float32)
    means[1, 3:9, 10:40] += 2
    expected = np.zeros(2)
    for size, spans in enumerate(extended._row_spans(len(rows))):
        for index, (first, last) in enumerate(spans):
            row_sums = np.einsum("r,nrc->nc", cells.area[first:last], means[:, first:last])
            for time in range(len(cells.freedom)):
                width = 2**time
                mean = cells.area[first:last].sum() * width
                for start in range(0, columns - width + 1, max(width // 2, 1)):
                    energy = row_sums[:, start : start + width].sum(axis=1) * np.log(2)
                    freedom = cells.freedom[time, size, index]
                    z = ((energy / mean) ** (1 / 3) - (1 - 1 / (9 * freedom))) * 3 * freedom**0.5
                    expected = np.maximum(expected, -norm.logsf(z) - cells.log_trials[time, size])
    found = extended._plane_excess(means, cells)
    np.testing.assert_allclose(found, expected / np.log(10), rtol=2e-3)
    assert found[1] > found[0]


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 21])
def test_boxes_of_each_size_cover_every_row(rows):
    spans = extended._row_spans(rows)
    for size, boxes in enumerate(spans):
        assert boxes[0][0] == 0
        assert boxes[-1][1] == rows
        assert all(after[0] <= before[1] for before, after in pairwise(boxes))
        assert all(last - first <= 2**size for first, last in boxes)
    assert spans[-1] == [(0, rows)]


def best_path_by_definition(ratio: np.ndarray, across: np.ndarray) -> float:
    """Follow every path by recursion; ratio [rows, columns]."""
    rows, columns = ratio.shape
    best = 0.0

    def follow(row: int, column: int, total: float, direction: int) -> None:
        nonlocal best
        best = max(best, total)
        for turn in (-1, 1) if direction == 0 else (direction,):
            if 0 <= row + turn < rows:
                cost = across[row + turn] * ratio[row + turn, column] - extended._CROSSING_PRICE
                follow(row + turn, column, total + cost, turn)
        if column + 1 < columns:
            follow(row, column + 1, total + ratio[row, column + 1], 0)

    for row in range(rows):
        for column in range(columns):
            follow(row, column, ratio[row, column], 0)
    return best


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_the_best_path_equals_exhaustive_search(seed):
    rng = np.random.default_rng(seed)
    means = (rng.exponential(3, (1, 3, 4)) * 4).astype(np.float32)
    along = rng.uniform(0.5, 2, 3).astype(np.float32)
    across = rng.uniform(0.2, 0.9, 3).astype(np.float32)
    slope, offset = np.float32(0.3), np.float32(1.2)
    best = np.zeros(1, np.float32)
    extended._best_paths(means, along, across, slope, offset, best)
    ratio = along[:, None] * (means[0] * slope - offset)
    assert best[0] == pytest.approx(best_path_by_definition(ratio, across), rel=1e-4, abs=1e-4)


def test_degrees_of_freedom_are_those_of_white_noise(monkeypatch):
    monkeypatch.setattr(extended, "_LEVEL_RMS", 0)
    spans = noise(1, 60)
    for plane, rows in enumerate(TILING.planes):
        cells = extended._plane_cells(rows, WINDOW_S)
        means = np.concatenate([b.means[plane] for b in TRANSFORM.batches(spans)]) * np.log(2)
        boxes = extended._row_spans(len(cells.area))
        for time, size in ((2, 0), (2, 2), (4, 1), (4, len(boxes) - 1)):
            width = 2**time
            ratios = []
            for index, (first, last) in enumerate(boxes[size]):
                energy = np.einsum("r,nrc->nc", cells.area[first:last], means[:, first:last])
                usable = energy.shape[1] // width * width
                sums = energy[:, :usable].reshape(len(energy), -1, width).sum(axis=2)
                relative = sums / (cells.area[first:last].sum() * width)
                ratios.append(relative.var() * cells.freedom[time, size, index])
            # Long boxes vary less: they share their noise with the medians that they are over.
            assert 0.75 < np.mean(ratios) < 1.15, (plane, time, size)


def recalls(spans: np.ndarray) -> tuple[float, float, float]:
    """Share of spans beyond each statistic's 1 % limit in quiet noise."""
    quiet = statistics(noise(2, 300))
    return tuple(
        np.mean(part > np.quantile(still, 0.99))
        for part, still in zip(statistics(spans), quiet, strict=True)
    )


def test_a_long_faint_track_is_found_where_no_tile_is_loud():
    _, track, tile = recalls(noise(3, 24) + of_snr(faint_track(), 14))
    assert track >= 0.9
    assert tile <= 0.3


def test_a_short_burst_of_noise_is_found_where_no_tile_is_loud():
    rng = np.random.default_rng(4)
    inside = np.abs(TIME - 4) < 0.05
    bursts = [of_snr(inside * rng.standard_normal(len(TIME)), 16) for _ in range(24)]
    excess, _, tile = recalls(noise(5, 24) + np.stack(bursts))
    assert excess >= 0.9
    assert tile <= 0.4


def test_statistics_rise_without_bound():
    spans = np.concatenate([noise(6) + of_snr(faint_track(), snr) for snr in (20, 60, 200, 2000)])
    excess, track, _ = statistics(spans)
    assert (np.diff(excess) > 0).all()
    assert (np.diff(track) > 0).all()
    assert np.isfinite([excess, track]).all()


def test_statistics_do_not_depend_on_the_other_windows_of_a_batch():
    spans = noise(7, 5)
    together = statistics(spans)
    for i in (0, 4):
        alone = statistics(spans[i : i + 1])
        for one, many in zip(alone, together, strict=True):
            assert one[0] == many[i]


def test_a_slow_change_of_the_noises_level_is_not_an_excess():
    quiet = statistics(noise(9, 40))[0]
    slope = 1 + 0.05 * (TIME - WINDOW_S / 2) / WINDOW_S
    changing = statistics((noise(9, 40) * slope).astype(np.float32))[0]
    assert np.median(changing) < np.quantile(quiet, 0.75)


def test_what_fills_the_window_hides_in_its_rows_medians():
    """A steady line raises its row's median: a limit of the method, stated."""
    half = statistics(noise(8) + of_snr(faint_track(1, 4), 25))[1]
    steady = of_snr(np.cos(2 * np.pi * 200 * TIME), 25 * np.sqrt(SPAN_S / 3))
    assert statistics(noise(8) + steady)[1] < half


def test_a_plane_of_one_row_has_cells():
    rows = TILING.planes[0][:1]
    along, among = cell_areas(rows, WINDOW_S)
    assert along.shape == (1,)
    assert along == near(among)
