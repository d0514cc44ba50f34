"""What is found in strain that never changes, against values that were written down.

Whoever changes one on purpose changes pictures, triggers and scores, so that quiet windows,
weights and every measured figure want to be made anew.
"""

from dataclasses import astuple, replace

import numpy as np
import pytest

from gwmorph.block import RenderParameters
from gwmorph.spectra import extended
from gwmorph.spectra.band import Band
from gwmorph.spectra.candidates import find_candidates, region_parts
from gwmorph.spectra.chirps import chirp_region
from gwmorph.spectra.conditioning import median_psd, rounding, whiten, whitening_filter
from gwmorph.spectra.extended import cell_areas
from gwmorph.spectra.lines import line_rows
from gwmorph.spectra.qtransform import GUARD_S, QTransform
from gwmorph.spectra.tiling import Tiling
from gwmorph.spectra.triggers import amplitude, find_triggers
from gwmorph.spectra.views import event_view
from reference import SINGLE, check

RATE = 4096
WINDOW_S = 8
TILING = Tiling(WINDOW_S + 2 * GUARD_S, RATE, 4, 64, 20, 2048, 0.2)
TIME = np.arange(int(TILING.duration) * RATE) / RATE - GUARD_S
TRIGGER = (
    "time", "peak_time", "frequency", "peak_frequency", "tstart", "tend", "fstart", "fend",
    "q", "energy", "tiles", "energy_sum",
)  # fmt: skip
EVERYTHING = dict.fromkeys(("excess", "track", "chirp"), -np.inf)


def spans():
    """White noise with a blip, a chirp of 20 solar masses, a slow whistle and a burst of noise."""
    rng = np.random.default_rng(8)
    noise = rng.standard_normal((4, len(TIME)))
    blip = 4 * np.exp(-0.5 * ((TIME - 2.3) / 0.002) ** 2) * np.cos(700 * (TIME - 2.3))
    left = np.maximum(6 - TIME, 1e-3)
    phase = -2 * (left / (5 * 20 * 4.925491e-6)) ** 0.625
    chirp = np.where((left > 0.01) & (left < 2), 0.3 * left**-0.25 * np.cos(phase), 0)
    whistle = np.where(
        np.abs(TIME - 4) < 3, 0.15 * np.cos(2 * np.pi * (180 * TIME + 12 * (TIME - 4) ** 2)), 0
    )
    burst = np.where(np.abs(TIME - 5) < 0.4, 0.3 * rng.standard_normal(len(TIME)), 0)
    return (noise + np.stack([blip, chirp, whistle, burst])).astype(np.float32)


@pytest.fixture(scope="module")
def batch():
    return QTransform(TILING, WINDOW_S, 48, 56).batch(spans())


@pytest.mark.parametrize(("rate", "q_high", "mismatch"), [(4096, 64, 0.2), (2048, 128, 0.3)])
def test_tiles(num_regression, rate, q_high, mismatch):
    tiling = Tiling(40, rate, 4, q_high, 20, 2048, mismatch)
    rows = [
        [row.q, row.frequency, row.tiles, row.first, len(row.window), row.window.sum(), *areas]
        for plane in tiling.planes
        for row, areas in zip(plane, np.transpose(cell_areas(plane, 32)), strict=True)
    ][::5]
    names = ("q", "hertz", "tiles", "first", "window", "sum", "along", "area")
    check(num_regression, names, rows)


def test_boxes_of_cells(num_regression):
    rows = [
        [
            cells.area.sum(),
            cells.along.sum(),
            cells.expected.sum(),
            np.log(cells.freedom).sum(),
            np.log(cells.least[cells.least > 0]).sum(),
            cells.log_trials.sum(),
            cells.freedom.size,
        ]
        for cells in extended._cells(TILING, WINDOW_S)
    ]
    names = ("area", "along", "expected", "freedom", "least", "trials", "boxes")
    check(num_regression, names, rows)


def test_conditioning(num_regression):
    rng = np.random.default_rng(3)
    seconds = 100
    strain = 1e-21 * np.cumsum(rng.standard_normal(seconds * RATE))
    rows = []
    for segment, low, high in ((4, 20.0, 1700.0), (2, 30.0, 900.0)):
        psd = median_psd(strain, RATE, segment)
        taps = whitening_filter(psd, RATE, Band(low, high))
        white = whiten(strain, taps, RATE, 1262301184 + 7)
        lost = rounding(strain, taps, RATE, 1262301184 + 7)
        lags = [np.mean(white[lag:] * white[: len(white) - lag]) for lag in (0, 1, 2, 5)]
        rows.append(
            [
                *(1e42 * psd[[40, 200, 1000, 3000]]),
                *taps[8192:8198] / taps.max(),
                *lags,
                lost.sum(),
            ]
        )
    names = [*"abcd", *(f"tap {n}" for n in range(6)), *(f"lag {n}" for n in range(4)), "lost"]
    check(num_regression, names, rows, SINGLE)


def test_pictures(num_regression, batch):
    energy = batch.planes.energy.astype(float)
    rows = [
        [
            window,
            plane,
            energy[window, plane].mean(),
            energy[window, plane].max(),
            (energy[window, plane] * np.arange(48)[:, None]).mean(),
            (energy[window, plane] * np.arange(56)).mean(),
            batch.means[plane][window].mean(),
            batch.means[plane][window].std(),
            batch.row_peaks[plane][window].mean(),
        ]
        for window in range(4)
        for plane in range(energy.shape[1])
    ]
    names = ("window", "plane", "mean", "max", "down", "across", "means", "spread", "peaks")
    check(num_regression, names, rows, SINGLE)


def test_triggers(num_regression, batch):
    psd = np.linspace(1, 3, 4 * RATE // 2 + 1)
    rows = [
        [window, *astuple(found), found.snr, amplitude(found, psd, 4)]
        for gap in (0.05, 0.3)
        for window, triggers in enumerate(find_triggers(batch, 5.0, 5.5, gap))
        for found in triggers
    ]
    check(num_regression, ("window", *TRIGGER, "snr", "amplitude"), rows, SINGLE)


def test_candidates(num_regression, batch):
    parts = region_parts(batch)
    psd = np.ones(4 * RATE // 2 + 1)
    psd[[240, 2020, 2021]] = 40.0
    lines = line_rows(psd, 4, batch.tiling.planes[-1])
    rows = [
        [
            window,
            parts[found.found_by][window],
            found.plane,
            found.line_share,
            found.chirp_mass or 0,
            *astuple(found.trigger),
        ]
        for window in range(4)
        for found in find_candidates(batch, window, parts, EVERYTHING, lines)
    ]
    names = ("window", "part", "plane", "line_share", "chirp_mass", *TRIGGER)
    check(num_regression, names, rows, SINGLE)


def test_event_views(num_regression, batch):
    moments = [(0, 2.3), (1, 6.0), (2, chirp_region(batch, 2).moment), (3, 5.0)]
    # At the borders of the window, of its guards, and beyond.
    moments += [(0, 0.0), (1, 0.004), (2, WINDOW_S - 0.001), (3, -1.99), (3, WINDOW_S + 2.5)]
    rows = []
    for window, moment in moments:
        for plane in (None, 1):
            view = event_view(batch, window, moment, 24, 28, plane).astype(float)
            crops = [view[:12, :14], view[:12, 14:], view[12:, :14], view[12:, 14:]]
            rows.append([window, *(f(crop) for crop in crops for f in (np.mean, np.max))])
    names = ["window", *(f"{what} {crop}" for crop in range(4) for what in ("mean", "max"))]
    check(num_regression, names, rows, SINGLE)


def test_render_parameters_reach_the_picture(num_regression, batch):
    usual = RenderParameters(
        window_s=WINDOW_S, sample_rate=RATE, psd_segment_s=4, low_hz=20.0, high_hz=1700.0,
        q_low=4.0, q_high=64.0, f_low=20.0, f_high=2048.0, mismatch=0.2, height=48, width=56,
        plane="max", energy_max=25.5, scale="linear", colormap="cividis",
    )  # fmt: skip
    rows = [
        np.bincount(
            replace(usual, plane=plane, energy_max=top, scale=scale).draw(batch.planes).ravel()
            // 32,
            minlength=8,
        )
        for plane in ("max", "loudest")
        for top in (12.75, 25.5)
        for scale in ("linear", "sqrt")
    ]
    check(num_regression, [f"{32 * n}" for n in range(8)], rows, {"rtol": 1e-3, "atol": 3})
