import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closeness import near
from gwmorph.morphology.neighbors import nearest_others


def unit(rows: int, seed: int = 0, width: int = 8) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_planted_twins_find_each_other():
    vectors = unit(40)
    vectors[31] = vectors[3]
    found = nearest_others(vectors, 2)
    assert found.rows[3, 0] == 31
    assert found.rows[31, 0] == 3
    assert found.cosines[3, 0] == near(1.0, 1e-6)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 70), st.integers(0, 5))
def test_it_agrees_with_all_pairs_sorted(total, count, block, seed):
    vectors = unit(total, seed)
    cosines = vectors.astype(float) @ vectors.T.astype(float)
    np.fill_diagonal(cosines, -np.inf)
    kept = min(count, total - 1)
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :kept]
    found = nearest_others(vectors, count, block=block)
    assert found.rows.shape == found.cosines.shape == (total, kept)
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_allclose(
        found.cosines, np.take_along_axis(cosines, expected, axis=1), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_the_earlier_of_equal_rows_comes_first_whatever_the_blocks(block):
    same = np.tile(np.eye(8, dtype=np.float32)[0], (10, 1))  # whose products are exact
    found = nearest_others(same, 3, block=block)
    np.testing.assert_array_equal(found.rows[0], [1, 2, 3])
    np.testing.assert_array_equal(found.rows[9], [0, 1, 2])


@given(st.integers(6, 60), st.integers(1, 4), st.integers(1, 70), st.integers(0, 5), st.data())
def test_of_many_rows_some_at_even_distances_are_looked_at(total, count, block, seed, data):
    among = data.draw(st.integers(count + 1, total))
    vectors = unit(total, seed)
    looked_at = np.linspace(0, total - 1, among).round().astype(int)
    cosines = np.full((total, total), -np.inf)
    cosines[:, looked_at] = (vectors.astype(float) @ vectors.T.astype(float))[:, looked_at]
    np.fill_diagonal(cosines, -np.inf)
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    found = nearest_others(vectors, count, among, block)
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_allclose(
        found.cosines, np.take_along_axis(cosines, expected, axis=1), rtol=0, atol=1e-6
    )


def test_one_row_and_none_have_no_neighbour():
    assert nearest_others(unit(1), 8).rows.shape == (1, 0)
    assert nearest_others(unit(0), 8).rows.shape == (0, 0)


@pytest.mark.parametrize(("count", "block"), [(0, 4), (2, 0)])
def test_it_refuses_what_asks_for_nothing(count, block):
    with pytest.raises(ValueError, match="1 or more"):
        nearest_others(unit(3), count, block=block)


def test_it_refuses_to_look_among_too_few():
    with pytest.raises(ValueError, match="more than 3 rows, got 3"):
        nearest_others(unit(9), 3, among=3)
