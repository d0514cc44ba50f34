"""Energies equal gwpy's; the pooled picture equals a brute-force maximum."""

from dataclasses import fields

import numpy as np
import pytest
from gwpy.signal.qtransform import QTiling, q_scan
from gwpy.timeseries import TimeSeries
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import rfft

from closeness import near
from gwmorph.errors import StrainError
from gwmorph.spectra.qtransform import (
    BATCH,
    GUARD_S,
    QTransform,
    loudest_plane,
    max_over_planes,
    mean_columns,
    omicron_snr,
    row_energies,
)
from gwmorph.spectra.tiling import Tiling

RATE = 2048
WINDOW_S = 8
SPAN_S = WINDOW_S + 2 * GUARD_S
TILING = Tiling(SPAN_S, RATE, 4, 64, 20, 2048, 0.2)
HEIGHT, WIDTH = 48, 56


def noise(seed: int, n: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, SPAN_S * RATE)).astype(np.float32)


def burst(time: float, frequency: float, width: float, height: float) -> np.ndarray:
    """A Gaussian-windowed sine; ``time`` in seconds from the window's start."""
    t = np.arange(SPAN_S * RATE) / RATE - GUARD_S - time
    return (height * np.exp(-((t / width) ** 2)) * np.cos(2 * np.pi * frequency * t)).astype(
        np.float32
    )


def gwpy_planes(span: np.ndarray) -> list:
    series = TimeSeries(span.astype(float), sample_rate=RATE, epoch=-GUARD_S).fft()
    return [
        (plane, plane.transform(series, epoch=-GUARD_S).energies)
        for plane in QTiling(SPAN_S, RATE, (4, 64), (20, TILING.f_top))
    ]


def brute_force_pool(span: np.ndarray) -> np.ndarray:
    """[planes, height, width] from gwpy's energies by the definition of pooling."""
    out = np.zeros((len(TILING.planes), HEIGHT, WIDTH))
    edges = np.geomspace(TILING.f_low, TILING.f_top, HEIGHT + 1)
    for number, (plane, rows) in enumerate(gwpy_planes(span)):
        frequencies = plane.frequencies
        for pixel in range(HEIGHT):
            low, high = edges[pixel], edges[pixel + 1]
            inside = np.flatnonzero((frequencies >= low) & (frequencies < high))
            if not len(inside):
                inside = [np.abs(np.log(frequencies) - np.log(low * high) / 2).argmin()]
            for index in inside:
                energy, dt = rows[index].value, rows[index].dt.value
                times = np.arange(len(energy)) * dt - GUARD_S
                valid = (times >= 0) & (times < WINDOW_S)
                for column in range(WIDTH):
                    left, right = np.array([column, column + 1]) * WINDOW_S / WIDTH
                    chosen = valid & (times >= left - 1e-9) & (times < right - 1e-9)
                    if not chosen.any():
                        near = np.where(valid, np.abs(times - (left + right) / 2), np.inf)
                        chosen = near == near.min()
                    value = energy[chosen].max()
                    row = HEIGHT - 1 - pixel
                    out[number, row, column] = max(out[number, row, column], value)
    return out


@pytest.fixture(scope="module")
def transform() -> QTransform:
    return QTransform(TILING, WINDOW_S, HEIGHT, WIDTH)


def test_every_tile_has_gwpys_energy():
    span = noise(1)[0] + burst(3.3, 150, 0.02, 40)
    spectra = rfft(span[None])
    for rows, (_, reference) in zip(TILING.planes, gwpy_planes(span), strict=True):
        for row, expected in zip(rows, reference, strict=True):
            energy = row_energies(spectra, row, np.empty((1, row.tiles), np.float32))[0]
            energy /= np.median(energy)
            assert len(energy) == len(expected)
            error = np.abs(energy - expected.value)
            assert (error <= 1e-3 * np.maximum(expected.value, 1)).all()


def test_loudest_tile_is_gwpys(transform):
    span = noise(2)[0] + burst(5.1, 90, 0.05, 8)
    series = TimeSeries(span.astype(float), sample_rate=RATE, epoch=-GUARD_S)
    gram, _ = q_scan(series, qrange=(4, 64), frange=(20, TILING.f_top))
    loudest = transform(span[None]).loudest
    assert loudest.frequency[0] == gram.peak["frequency"]
    assert loudest.q[0] == gram.plane.q
    assert loudest.time[0] == pytest.approx(gram.peak["time"], abs=1e-9)
    assert loudest.energy[0] == near(gram.peak["energy"], rel=1e-4)


def test_pooling_is_the_maximum_over_tiles_in_a_pixel(transform):
    span = noise(3)[0] + burst(0.4, 200, 0.004, 20)
    np.testing.assert_allclose(transform(span[None]).energy[0], brute_force_pool(span), rtol=2e-3)


@settings(max_examples=15)
@given(
    time=st.floats(0.01, WINDOW_S - 0.01),
    frequency=st.floats(40, 400),
    width=st.floats(0.002, 0.2),
)
def test_the_brightest_pixel_is_the_loudest_tile(transform, time, frequency, width):
    planes = transform(noise(4) + burst(time, frequency, width, 30))
    for picture in (max_over_planes(planes), loudest_plane(planes)):
        assert picture.max() == np.float32(planes.loudest.energy[0])
        _, column = np.unravel_index(picture[0].argmax(), picture[0].shape)
        assert column == int(planes.loudest.time[0] * WIDTH / WINDOW_S)
    assert abs(planes.loudest.time[0] - time) < width + 0.03


@pytest.mark.parametrize("time", [-1.0, 3.0, WINDOW_S + 1.5])
def test_row_peaks_are_those_of_all_tiles_guards_included(transform, time):
    batch = next(transform.batches(noise(10, 2) + burst(time, 200, 0.004, 20)))
    for rows, peaks in zip(batch.energies, batch.row_peaks, strict=True):
        np.testing.assert_array_equal(peaks, np.stack([row.max(axis=1) for row in rows], axis=1))


def test_a_blip_shorter_than_a_pixel_keeps_its_energy(transform):
    """gwpy's interpolation at pixel centres loses most of it."""
    column_s = WINDOW_S / WIDTH
    span = noise(5)[0] + burst(20.02 * column_s, 250, 0.003, 12)
    series = TimeSeries(span.astype(float), sample_rate=RATE, epoch=-GUARD_S)
    drawn = series.q_transform(
        qrange=(4, 64), frange=(20, TILING.f_top), whiten=False, logf=True,
        fres=HEIGHT, tres=column_s, outseg=(0.5 * column_s, WINDOW_S),
    )  # fmt: skip
    assert max_over_planes(transform(span[None])).max() > 2 * drawn.value.max()


@pytest.mark.parametrize("time", [WINDOW_S + 0.02, -0.02])
def test_a_blip_outside_the_window_is_not_drawn_at_the_other_end(transform, time):
    quiet, loud = noise(6), noise(6) + burst(time, 300, 0.003, 400)
    far = slice(0, WIDTH // 2) if time > 0 else slice(WIDTH // 2, WIDTH)
    before, after = (max_over_planes(transform(span))[0][:, far] for span in (quiet, loud))
    assert after.max() < 1.5 * before.max()


def test_energies_do_not_depend_on_the_batch(transform):
    spans = noise(7, 11)
    together = transform(spans)
    alone = transform(spans[9:10])
    np.testing.assert_array_equal(together.energy[9:10], alone.energy)
    for field in fields(together.loudest):
        values = getattr(together.loudest, field.name)
        assert values[9] == getattr(alone.loudest, field.name)[0]


def test_white_noise_has_the_stated_median_and_mean():
    row = TILING.planes[1][20]
    energy = row_energies(rfft(noise(9, 8)), row, np.empty((8, row.tiles), np.float32))
    energy /= np.median(energy, axis=1, keepdims=True)
    assert energy.mean() == near(1 / np.log(2), rel=0.03)


def test_omicron_snr():
    energy = np.array([0.5, 1 / np.log(2), (1 + 50) / np.log(2)])
    np.testing.assert_allclose(omicron_snr(energy), [0, 0, 10], atol=1e-7)


def test_silent_strain_is_an_error_not_a_picture(transform):
    with pytest.raises(StrainError, match="median tile energy 0"):
        transform(np.zeros((1, SPAN_S * RATE), np.float32))


def test_wrong_lengths_are_refused(transform):
    with pytest.raises(ValueError, match=r"at most 4 spans of"):
        transform(np.zeros((1, 100), np.float32))
    with pytest.raises(ValueError, match="tiling spans 12 s, expected 36"):
        QTransform(TILING, 32, HEIGHT, WIDTH)


def test_means_are_of_the_tiles_in_each_column():
    transform = QTransform(TILING, WINDOW_S, HEIGHT, WIDTH)
    batch = next(transform.batches(noise(9, 2)))
    for rows, means, energies in zip(TILING.planes, batch.means, batch.energies, strict=True):
        columns = mean_columns(rows[0].q, WINDOW_S)
        assert means.shape == (2, len(rows), columns)
        for index in (0, len(rows) // 2, len(rows) - 1):
            row = rows[index]
            centre = np.arange(row.tiles) * row.step - GUARD_S
            column = np.floor(centre * columns / WINDOW_S + 1e-9)
            for c in (0, columns // 3, columns - 1):
                expected = energies[index][:, column == c].mean(axis=1)
                np.testing.assert_allclose(means[:, index, c], expected, rtol=1e-5)


def test_columns_of_means_last_as_many_periods_in_every_plane():
    assert [mean_columns(q, 32) for q in Tiling(36, 4096, 4, 64, 20, 2048, 0.2).qs] == [
        1024,
        512,
        256,
        128,
    ]


def test_a_batch_takes_no_more_spans_than_it_holds():
    transform = QTransform(TILING, WINDOW_S, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match=f"at most {BATCH} spans"):
        transform.batch(noise(12, BATCH + 1))
    assert len(list(transform.batches(noise(12, BATCH + 1)))) == 2
