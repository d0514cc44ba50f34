"""Event views: every pixel equals gwpy's energies, and shapes lie where they were planted."""

import numpy as np
import pytest
from gwpy.signal.qtransform import QTiling
from gwpy.timeseries import TimeSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from closeness import near
from gwmorph.spectra.pictures import CROPS_S, crops
from gwmorph.spectra.qtransform import GUARD_S, QBatch, QTransform
from gwmorph.spectra.tiling import Tiling
from gwmorph.spectra.views import event_view

RATE = 2048
WINDOW_S = 8
SPAN_S = WINDOW_S + 2 * GUARD_S
TILING = Tiling(SPAN_S, RATE, 4, 64, 20, 2048, 0.2)
HEIGHT, WIDTH = 96, 112
EDGES = np.geomspace(TILING.f_low, TILING.f_top, HEIGHT // 2 + 1)
TIME = np.arange(SPAN_S * RATE) / RATE - GUARD_S


@pytest.fixture(scope="module")
def transform() -> QTransform:
    return QTransform(TILING, WINDOW_S, 48, 56)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(SPAN_S * RATE)


def burst(time: float, frequency: float, width: float, height: float) -> np.ndarray:
    t = TIME - time
    return height * np.exp(-((t / width) ** 2)) * np.cos(2 * np.pi * frequency * t)


def blip(time: float) -> np.ndarray:
    return burst(time, 200, 0.003, 30)


def sweep(time: float, tilt: float, curvature: float) -> np.ndarray:
    """A tone through 200 Hz at ``time``, 0.3 s long; ``curvature`` makes it a whistle's V."""
    t = TIME - time
    phase = 2 * np.pi * (200 * t + tilt * t**2 / 2 + curvature * t**3 / 3)
    # So loud that noise does not move its loudest tile along the ridge.
    return 20 * np.exp(-((t / 0.15) ** 2)) * np.cos(phase)


SHAPES = {
    "blip": blip,
    "chirp": lambda time: sweep(time, 300, 0),
    "whistle": lambda time: sweep(time, 0, 3000),
}


def one_batch(transform: QTransform, *spans: np.ndarray) -> QBatch:
    (batch,) = transform.batches(np.stack(spans).astype(np.float32))
    return batch


def brute_force(span: np.ndarray, time: float) -> list[np.ndarray]:
    """The four crops from gwpy's energies by the definition of an event view."""
    series = TimeSeries(span.astype(np.float32).astype(float), sample_rate=RATE, epoch=0).fft()
    planes = [
        (plane.frequencies, [row.value for row in plane.transform(series, epoch=0).energies])
        for plane in QTiling(SPAN_S, RATE, (4, 64), (20, TILING.f_top))
    ]
    return [_brute_force_crop(planes, time, duration) for duration in CROPS_S]


def _brute_force_crop(planes: list, time: float, duration: float) -> np.ndarray:
    start = time - duration / 2

    def centres(energy: np.ndarray) -> np.ndarray:
        return np.arange(len(energy)) * SPAN_S / len(energy) - GUARD_S

    def loudest(energies: list[np.ndarray]) -> float:
        inside = [
            energy[(centres(energy) >= start - 1e-6) & (centres(energy) < start + duration - 1e-6)]
            for energy in energies
        ]
        return max(values.max(initial=0) for values in inside)

    frequencies, energies = max(planes, key=lambda plane: loudest(plane[1]))
    columns = start + np.arange(WIDTH // 2 + 1) * duration / (WIDTH // 2)
    out = np.zeros((HEIGHT // 2, WIDTH // 2))
    for pixel in range(HEIGHT // 2):
        low, high = EDGES[pixel], EDGES[pixel + 1]
        rows = np.flatnonzero((frequencies >= low) & (frequencies < high))
        if not len(rows):
            rows = [np.abs(np.log(frequencies) - np.log(low * high) / 2).argmin()]
        for row in rows:
            times = centres(energies[row])
            for column in range(WIDTH // 2):
                left, right = columns[column : column + 2]
                chosen = (times >= left - 1e-6) & (times < right - 1e-6)
                if not chosen.any():
                    chosen = np.abs(times - (left + right) / 2).argmin()
                value = np.max(energies[row][chosen])
                out[-1 - pixel, column] = max(out[-1 - pixel, column], value)
    return out


# A centre that lies on no tile's, one that many tiles share, and both ends of the window.
@pytest.mark.parametrize("time", [3.3017, 4.0, 0.0, WINDOW_S - 0.001])
def test_every_pixel_is_the_maximum_of_gwpys_energies(transform, time):
    span = noise(1) + burst(3.3, 150, 0.02, 6) + burst(3.9, 60, 0.3, 3)
    view = event_view(one_batch(transform, noise(2), span), 1, time, HEIGHT, WIDTH)
    for crop, expected in zip(crops(view), brute_force(span, time), strict=True):
        np.testing.assert_allclose(crop, expected, rtol=2e-3)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=10)
@given(time=st.floats(0, WINDOW_S))
def test_a_planted_shape_is_centred_in_all_crops(transform, shape, time):
    view = event_view(one_batch(transform, noise(3) + SHAPES[shape](time)), 0, time, HEIGHT, WIDTH)
    for crop, duration in zip(crops(view), CROPS_S, strict=True):
        row, column = np.unravel_index(crop.argmax(), crop.shape)
        seen = (column + 0.5 - WIDTH / 4) * duration / (WIDTH / 2)
        assert abs(seen) <= 0.03 + duration / WIDTH
        assert 150 < EDGES[::-1][row] < 260


def test_a_chirp_rises_from_left_to_right(transform):
    view = event_view(one_batch(transform, noise(3) + sweep(5, 300, 0)), 0, 5.0, HEIGHT, WIDTH)
    half_second = crops(view)[0]
    ridge = half_second.argmax(axis=0)[WIDTH // 4 - 12 : WIDTH // 4 + 13]
    assert ridge[0] > ridge[12] > ridge[-1]  # row 0 is the top


def test_short_crops_resolve_what_the_window_cannot(transform):
    """Two blips 20 ms apart are one column of the window's picture and two of the crop's."""
    batch = one_batch(transform, noise(4) + blip(4.0) + blip(4.02))
    crop = crops(event_view(batch, 0, 4.01, HEIGHT, 2 * 112))[0]
    profile = crop.max(axis=0)
    first, middle, last = (profile[int((4.0 + t - 3.76) / 0.5 * 112)] for t in (0, 0.01, 0.02))
    assert min(first, last) > 1.5 * middle


def test_crops_choose_their_own_plane(transform):
    """A loud hum beside a short blip decides for the long crops alone."""
    hum = burst(5.4, 150, 0.4, 12) * (TIME > 4.7)
    alone, beside = (
        crops(event_view(one_batch(transform, span), 0, 4.0, HEIGHT, WIDTH))
        for span in (noise(5) + blip(4), noise(5) + blip(4) + hum)
    )
    for number in (0, 1):
        assert beside[number].max() == near(alone[number].max(), rel=0.3)
    # With the hum's long tiles the blip is faint; with its own short ones the hum would be.
    centre = slice(WIDTH // 4 - 1, WIDTH // 4 + 1)
    assert beside[3][:, centre].max() < 0.5 * alone[3][:, centre].max()
    assert beside[3].max() > beside[0].max()


@pytest.mark.parametrize("time", [0.0, WINDOW_S - 1e-6])
def test_the_guard_holds_every_crop_of_a_moment_in_the_window(transform, time):
    assert CROPS_S[-1] / 2 <= GUARD_S
    beside = time - 1.5 if time == 0 else time + 1.5
    view = event_view(one_batch(transform, noise(6) + blip(beside)), 0, time, HEIGHT, WIDTH)
    column = crops(view)[3].max(axis=0).argmax()
    # What happens in the guard is seen where it happened.
    assert abs(column + 0.5 - (beside - time + 2) / 4 * WIDTH / 2) <= 1


@pytest.mark.parametrize("time", [-0.05, WINDOW_S + 0.05])
def test_a_moment_beyond_the_window_repeats_the_last_tiles(transform, time):
    batch = one_batch(transform, noise(7) + blip(time))
    longest = crops(event_view(batch, 0, time, HEIGHT, WIDTH))[3]
    assert np.isfinite(longest).all()
    assert longest.max(axis=0).argmax() in (WIDTH // 4 - 1, WIDTH // 4)


def test_a_view_does_not_depend_on_its_batch(transform):
    spans = [noise(seed) + blip(4.2) for seed in range(4)]
    together = event_view(one_batch(transform, *spans), 2, 4.2, HEIGHT, WIDTH)
    alone = event_view(one_batch(transform, spans[2]), 0, 4.2, HEIGHT, WIDTH)
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("rounding", [-2e-7, 2e-7])
def test_a_gps_time_in_double_precision_gives_the_same_view(transform, rounding):
    batch = one_batch(transform, noise(8) + blip(4.2))
    exact = batch.planes.loudest.time[0]
    np.testing.assert_array_equal(
        event_view(batch, 0, exact, HEIGHT, WIDTH),
        event_view(batch, 0, exact + rounding, HEIGHT, WIDTH),
    )


def test_saturated_glitch_gives_a_finite_view(transform):
    batch = one_batch(transform, noise(9) + burst(4, 80, 0.5, 1e5))
    view = event_view(batch, 0, 4.0, HEIGHT, WIDTH)
    assert np.isfinite(view).all()
    assert all(crop.max() == view.max() for crop in crops(view))


def test_crops_take_a_view_apart_and_share_its_memory():
    pictures = np.arange(2 * 4 * 6).reshape(2, 4, 6)
    parts = crops(pictures)
    assert [part.shape for part in parts] == [(2, 2, 3)] * 4
    assert [int(part[0, 0, 0]) for part in parts] == [0, 3, 12, 15]
    again = np.concatenate(
        [np.concatenate(parts[:2], axis=-1), np.concatenate(parts[2:], axis=-1)], axis=-2
    )
    np.testing.assert_array_equal(again, pictures)
    assert np.shares_memory(parts[3], pictures)


def test_odd_pictures_are_refused(transform):
    with pytest.raises(ValueError, match="even height and width, got 57 x 56"):
        event_view(one_batch(transform, noise(1)), 0, 1.0, 57, 56)


def test_a_view_can_show_one_plane_alone(transform):
    """A long tone is seen in the plane that is named, whatever tile of another one is loudest."""
    tone = 0.6 * np.cos(2 * np.pi * 200 * TIME) * (np.abs(TIME - 4) < 1.5)
    batch = one_batch(transform, noise(5) + tone + burst(4.0, 900, 0.002, 6))
    shown = [event_view(batch, 0, 4.0, HEIGHT, WIDTH, plane) for plane in (0, 3)]
    rows = [TILING.planes[plane] for plane in (0, 3)]
    for view, plane in zip(shown, rows, strict=True):
        for crop, duration in zip(crops(view), CROPS_S, strict=True):
            wanted = _brute_force_crop(_own_planes(batch, plane), 4.0, duration)
            np.testing.assert_array_equal(crop, wanted)


def _own_planes(batch: QBatch, plane) -> list:
    number = TILING.planes.index(plane)
    frequencies = np.array([row.frequency for row in plane])
    return [(frequencies, [energy[0] for energy in batch.energies[number]])]
