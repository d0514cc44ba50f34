import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwmorph.spectra import medians
from gwmorph.spectra.medians import row_medians


def noise(rows: int, tiles: int, scale: float = 1.0) -> np.ndarray:
    return scale * np.random.default_rng(tiles).exponential(size=(rows, tiles)).astype(np.float32)


@pytest.mark.parametrize("tiles", [2, 4, 256, 4096, 65536])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e20])
def test_medians_are_numpys_bit_for_bit(tiles, scale):
    energy = noise(4, tiles, np.float32(scale))
    np.testing.assert_array_equal(row_medians(energy), np.median(energy, axis=1))


def test_ties_and_zeros_are_counted():
    energy = np.floor(noise(4, 512, np.float32(3)))
    np.testing.assert_array_equal(row_medians(energy), np.median(energy, axis=1))
    assert (row_medians(np.zeros((2, 64), np.float32)) == 0).all()


def test_middle_values_may_lie_far_apart():
    energy = np.float32([[1e-9, 1e9, 1e-8, 1e8], [5, 5, 1e-30, 7]])
    np.testing.assert_array_equal(row_medians(energy), np.float32([5e7, 5]))


def test_rows_do_not_depend_on_each_other():
    energy = noise(4, 1024)
    alone = np.concatenate([row_medians(row[None].copy()) for row in energy])
    np.testing.assert_array_equal(row_medians(energy), alone)


@pytest.mark.parametrize("what", [np.nan, -np.nan, np.inf])
def test_what_is_not_finite_counts_as_largest(what):
    energy = noise(1, 64)
    energy[0, :31] = what
    np.testing.assert_array_equal(row_medians(energy)[0], np.sort(energy[0, 31:])[31:].mean())
    energy[0, :34] = what
    assert not np.isfinite(row_medians(energy)[0])


@settings(deadline=None)
@given(
    st.lists(
        st.floats(0, width=32) | st.sampled_from([0.0, 1.0, np.nan, np.inf]),
        min_size=2,
        max_size=200,
    ).filter(lambda row: len(row) % 2 == 0),
    st.sampled_from([1, 16, 512]),
)
def test_any_row_has_the_median_of_its_sorted_energies(row, repeats):
    energy = np.float32([row * repeats])
    middle = energy.shape[1] // 2
    ordered = np.sort(energy[0])
    expected = (ordered[middle - 1] + ordered[middle]) / np.float32(2)
    np.testing.assert_array_equal(row_medians(energy), [expected])


@pytest.mark.parametrize("tiles", [4096, 65536])
def test_rows_of_noise_need_no_counting_by_bits(tiles):
    """Nor do rows of which a part is loud, in which the mean says little."""
    energy = noise(4, tiles)
    energy[1, : tiles // 8] *= 1e6
    energy[2, : tiles // 4] *= 1e3
    guess = np.float32(energy[0].mean() / 2)
    for row in energy:
        first, last, below, few = medians._bracket(row, guess)
        assert few
        inside = (first <= row) & (row < last)
        assert below == (row < first).sum()
        assert below < tiles // 2 < below + inside.sum() <= below + tiles // 16
        guess = np.float32(np.median(row))
