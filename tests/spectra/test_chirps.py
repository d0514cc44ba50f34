"""Tracks of binaries equal brute force, and find chirps that no free path finds."""

import numpy as np
import pytest

from closeness import near
from gwmorph.spectra import chirps
from gwmorph.spectra.chirps import chirp_ratio
from gwmorph.spectra.extended import cell_areas, track_ratio
from gwmorph.spectra.qtransform import GUARD_S, QTransform, mean_columns
from gwmorph.spectra.tiling import Tiling

RATE = 2048
WINDOW_S = 16
SPAN_S = WINDOW_S + 2 * GUARD_S
TILING = Tiling(SPAN_S, RATE, 4, 64, 20, 2048, 0.2)
TRANSFORM = QTransform(TILING, WINDOW_S, 48, 56)
TIME = np.arange(SPAN_S * RATE) / RATE - GUARD_S


def noise(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, SPAN_S * RATE)).astype(np.float32)


def newtonian(merger: float, tau: float, snr: float) -> np.ndarray:
    """A chirp of an SNR in white noise from 22 to 300 Hz, which merges at ``merger``."""
    left = np.maximum(merger - TIME, 1e-6)
    frequency = 25 * (left / tau) ** (-3 / 8)
    # 2π times the integral of the frequency.
    phase = -2 * np.pi * 8 / 5 * frequency * left
    signal = np.cos(phase) * frequency ** (2 / 3)
    signal[(frequency < 22) | (frequency > 300) | (merger < TIME)] = 0
    return (signal * snr / np.sqrt(np.sum(signal**2))).astype(np.float32)


def statistics(spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chirp and track ratio of each span."""
    parts = [(chirp_ratio(batch), track_ratio(batch)) for batch in TRANSFORM.batches(spans)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def by_definition(means: np.ndarray, rows, durations: np.ndarray) -> float:
    """Follow every track of one window row by row, from every merger and every first row."""
    columns = mean_columns(rows[0].q, WINDOW_S)
    duration = WINDOW_S / columns
    along, area = cell_areas(rows, WINDOW_S)
    f = np.array([row.frequency for row in rows])
    edges = np.concatenate([f[:1], np.sqrt(f[1:] * f[:-1]), f[-1:]])
    best = 0.0
    for length in durations:
        tau = length * duration
        before = length * (edges / 25) ** (-8 / 3)
        for merger in range(columns):
            total = 0.0
            for row in range(len(rows)):
                early, late = round(before[row]), round(before[row + 1])
                if edges[row] >= chirps._LAST_ORBIT_HZ * tau**0.6 or early >= columns:
                    continue
                weight = along[row] * (before[row] - before[row + 1]) + area[row]
                if merger < early:
                    total = 0.0
                    continue
                energy = means[row, merger - early : merger - late + 1].mean() * np.log(2)
                total = max(total + weight * (energy / 2 - np.log(2)), 0.0)
                best = max(best, total - np.log(tau))
    return best


def test_the_best_track_equals_brute_force():
    batch = next(TRANSFORM.batches(noise(1, 2) + newtonian(11.3, 2.0, 15)))
    for window in range(2):
        expected = max(
            by_definition(means[window], rows, durations)
            for means, rows, durations in zip(
                batch.means, TILING.planes, chirps._TRACKS, strict=False
            )
        )
        assert chirp_ratio(batch)[window] == near(expected, rel=1e-3)


@pytest.mark.parametrize("tau", [0.5, 3.3])
def test_a_faint_chirp_stands_out_more_than_along_any_path(tau):
    quiet = np.array(statistics(noise(2, 60)))
    loud = np.array(statistics(noise(3, 20) + newtonian(12.0, tau, 12)))
    limit = quiet.max(axis=1)
    chirp, track = (loud > limit[:, None]).mean(axis=1)
    assert chirp >= 0.8
    assert chirp >= track


def test_other_long_signals_are_no_chirps():
    line = (16 / np.sqrt(RATE * 4) * np.cos(2 * np.pi * 180 * TIME)).astype(np.float32)
    line[(TIME < 4) | (TIME > 8)] = 0
    chirp, track = np.array(statistics(noise(4, 8) + line))
    quiet_chirp, quiet_track = np.array(statistics(noise(5, 8)))
    assert np.median(track) > quiet_track.max()
    assert np.median(chirp) < quiet_chirp.max() + 3


def test_louder_chirps_have_larger_ratios_without_bound():
    spans = np.concatenate([noise(6, 1) + newtonian(10, 1.5, snr) for snr in (15, 60, 300, 3000)])
    assert (np.diff(statistics(spans)[0]) > 0).all()


@pytest.mark.parametrize("merger", [0.2, 15.9])
def test_a_chirp_cut_by_the_window_gives_a_finite_ratio(merger):
    assert np.isfinite(statistics(noise(7, 1) + newtonian(merger, 5, 40))).all()


def test_nothing_but_zeros_has_no_chirp():
    means = [np.zeros((1, len(r), mean_columns(r[0].q, WINDOW_S)), "f4") for r in TILING.planes]
    batch = next(TRANSFORM.batches(noise(8, 1)))
    empty = type(batch)(batch.tiling, batch.energies, tuple(means), batch.row_peaks, batch.planes)
    assert chirp_ratio(empty)[0] <= -np.log(chirps._TRACKS[0][0] * WINDOW_S / means[0].shape[2])
