import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.encoders.crops import brightness, event_crops, levels, pooled, window_quarters
from gwmorph.spectra.pictures import PictureScale

SCALES = [PictureScale("linear", 25.5, "cividis"), PictureScale("sqrt", 51.0, "gray")]


def by_parts(picture, rows, columns):
    """Return the maximum of each part of one picture, by the definition."""
    height, width = picture.shape
    return np.array(
        [
            [
                picture[
                    i * height // rows : -(-(i + 1) * height // rows),
                    j * width // columns : -(-(j + 1) * width // columns),
                ].max()
                for j in range(columns)
            ]
            for i in range(rows)
        ]
    )


SIDE = st.integers(1, 24)


@given(SIDE, SIDE, st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_pooling_takes_the_maximum_of_every_part(height, width, rows, columns, seed):
    shape = (2, height, width)
    pictures = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    before = pictures.copy()
    found = pooled(pictures, rows, columns)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [by_parts(one, rows, columns) for one in pictures])
    np.testing.assert_array_equal(pictures, before)


@pytest.mark.parametrize("size", [(112, 112), (113, 115), (224, 224), (300, 250)])
def test_crops_are_the_quadrants_and_quarters_the_fourths_of_the_time(size):
    pictures = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    found = event_crops(pictures)
    assert found.shape == (3, 4, 56, 56)
    rows, columns = size[0] // 2, size[1] // 2
    quadrants = [np.s_[:rows, :columns], np.s_[:rows, columns:], np.s_[rows:, :columns]]
    for number, quadrant in enumerate([*quadrants, np.s_[rows:, columns:]]):
        np.testing.assert_array_equal(found[1, number], by_parts(pictures[1][quadrant], 56, 56))
    quarters = window_quarters(pictures)
    assert quarters.shape == (3, 4, 56, 56)
    whole = by_parts(pictures[2], 56, 224)
    np.testing.assert_array_equal(np.concatenate(quarters[2], axis=1), whole)


@pytest.mark.parametrize("scale", SCALES)
def test_brightness_is_that_of_the_energy_and_never_falls(scale):
    found = levels(scale)
    energies = scale.energy(np.arange(256, dtype=np.uint8)).astype(np.float64)
    np.testing.assert_allclose(found, np.sqrt(np.minimum(energies, 25.5) / 25.5), rtol=1e-6)
    assert found.dtype == np.float32
    assert np.all(np.diff(found) >= 0)
    assert brightness(np.array([-1.0, 0.0, 25.5, 1e9])).tolist() == [0, 0, 1, 1]
