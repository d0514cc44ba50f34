import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.fft import dctn

from gwmorph.encoders.dct import FEATURELESS, HORIZONTAL, VERTICAL, DctEncoder, low_frequencies
from gwmorph.errors import ConfigError
from gwmorph.spectra.pictures import PictureScale

LINEAR = PictureScale("linear", 25.5, "cividis")
FIELDS = arrays(np.float32, (1, 28, 30), elements=st.floats(0, 4, width=32))


def _random_pictures(n: int, size: tuple[int, int] = (56, 42)) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (n, *size), dtype=np.uint8)


def test_coefficients_are_the_lowest_without_the_constant() -> None:
    radius = VERTICAL**2 + HORIZONTAL**2
    pairs = list(zip(VERTICAL.tolist(), HORIZONTAL.tolist(), strict=True))
    assert pairs[:5] == [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0)]
    assert len(set(pairs)) == 384
    assert (np.diff(radius) >= 0).all()
    inside = {(u, v) for u in range(40) for v in range(40) if 0 < u * u + v * v < radius[-1]}
    assert inside <= set(pairs)


@pytest.mark.parametrize(("u", "v"), [(0, 1), (3, 0), (2, 5), (7, 7)])
def test_a_cosine_picture_has_one_coefficient(u: int, v: int) -> None:
    height, width = 40, 60
    rows = np.cos(np.pi * u * (np.arange(height) + 0.5) / height)
    columns = np.cos(np.pi * v * (np.arange(width) + 0.5) / width)
    found = low_frequencies(np.outer(rows, columns).astype(np.float32)[None])[0]
    # The sum of cos² over a whole axis is half its length, or all of it for the constant.
    norm = np.sqrt(height * (1 if u == 0 else 0.5)) * np.sqrt(width * (1 if v == 0 else 0.5))
    expected = np.where((u == VERTICAL) & (v == HORIZONTAL), norm, 0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_coefficients_are_scipys_orthonormal_transform() -> None:
    field = np.random.default_rng(1).random((3, 64, 48), dtype=np.float32)
    whole = dctn(field.astype(np.float64), type=2, norm="ortho", axes=(1, 2))
    np.testing.assert_allclose(low_frequencies(field), whole[:, VERTICAL, HORIZONTAL], atol=1e-5)


@settings(max_examples=25)
@given(field=FIELDS, level=st.floats(0, 4, width=32))
def test_a_constant_changes_nothing(field: np.ndarray, level: float) -> None:
    shifted = low_frequencies(field + np.float32(level))
    np.testing.assert_allclose(shifted, low_frequencies(field), atol=1e-3)


@settings(max_examples=25)
@given(field=FIELDS, factor=st.floats(0.125, 8, width=32))
def test_coefficients_scale_with_the_field(field: np.ndarray, factor: float) -> None:
    scaled = low_frequencies(field * np.float32(factor))
    np.testing.assert_allclose(scaled, factor * low_frequencies(field), atol=1e-3)


@settings(max_examples=25)
@given(field=FIELDS)
def test_time_reversal_turns_odd_horizontal_coefficients(field: np.ndarray) -> None:
    sign = np.where(HORIZONTAL % 2, -1, 1)
    reversed_ = low_frequencies(np.ascontiguousarray(field[:, :, ::-1]))
    np.testing.assert_allclose(reversed_, sign * low_frequencies(field), atol=1e-3)


def test_vectors_are_the_log_energys_at_unit_norm() -> None:
    pictures = _random_pictures(4)
    vectors = DctEncoder((56, 42)).encode(pictures, LINEAR, "window")
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, 384)
    expected = dctn(np.log1p(pictures[2] * (25.5 / 255)), type=2, norm="ortho")
    expected = expected[VERTICAL, HORIZONTAL]
    np.testing.assert_allclose(vectors[2], expected / np.linalg.norm(expected), atol=1e-6)


def test_the_palettes_scale_is_undone() -> None:
    energy = np.random.default_rng(2).uniform(0, 25.5, (2, 56, 42)).astype(np.float32)
    root = PictureScale("sqrt", 25.5, "gray")
    encoder = DctEncoder((56, 42))
    linear_vectors = encoder.encode(LINEAR.index(energy), LINEAR, "window")
    root_vectors = encoder.encode(root.index(energy), root, "window")
    assert (np.sum(linear_vectors * root_vectors, axis=1) > 0.9999).all()


def test_a_vector_does_not_depend_on_its_batch() -> None:
    pictures, encoder = _random_pictures(7), DctEncoder((56, 42))
    alone = np.concatenate([encoder.encode(one[None], LINEAR, "window") for one in pictures])
    np.testing.assert_allclose(encoder.encode(pictures, LINEAR, "window"), alone, atol=1e-6)


@pytest.mark.parametrize("index", [0, 97, 255])
def test_a_picture_of_one_colour_gets_the_featureless_vector(index: int) -> None:
    pictures = _random_pictures(3)
    pictures[1] = index
    vectors = DctEncoder((56, 42)).encode(pictures, LINEAR, "window")
    np.testing.assert_array_equal(vectors[1], FEATURELESS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.abs(vectors[[0, 2]] @ FEATURELESS).max() < 0.3


def test_other_sizes_and_types_are_refused() -> None:
    encoder = DctEncoder((56, 42))
    with pytest.raises(ConfigError, match=r"expected uint8 \[n, 56, 42\].*\[3, 42, 56\]"):
        encoder.encode(_random_pictures(3, (42, 56)), LINEAR, "window")
    with pytest.raises(ConfigError, match="got float64"):
        encoder.encode(_random_pictures(3).astype(float), LINEAR, "window")
    with pytest.raises(ConfigError, match=r"at least 22 pixels, got 21 x 42"):
        DctEncoder((21, 42))
