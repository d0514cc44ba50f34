import numpy as np
import pyarrow as pa
import pytest

from closeness import near
from gwmorph.evidence.intervals import FEWEST_BLOCKS, blocks_of_time, drawn_rows, intervals
from gwmorph.morphology.partitions import agreement


def test_blocks_are_of_one_detector_and_stretch():
    rows = pa.table({"detector": ["H1", "H1", "L1", "H1"], "gps_start": [1000, 1099, 1000, 1100]})
    found = blocks_of_time(rows, 100)
    assert found[0] == found[1]
    assert len(set(found.tolist())) == 3


def test_blocks_are_drawn_whole():
    blocks = np.array([5, 5, 9, 2, 9, 9])
    for rows in drawn_rows(blocks, 50, np.random.default_rng(0)):
        counts = np.bincount(rows, minlength=6)
        assert len(set(counts[[0, 1]])) == len(set(counts[[2, 4, 5]])) == 1
        assert counts[0] + counts[2] + counts[3] == 3


def test_the_interval_is_that_of_the_mean_of_blocks():
    rng = np.random.default_rng(1)
    blocks = np.repeat(np.arange(100), 20)
    values = np.repeat(rng.normal(size=100), 20)  # rows of a block are all the same
    found = intervals(lambda rows: {"mean": float(values[rows].mean())}, blocks, 2000, 3)
    value, low, high = found["mean"]
    assert value == near(values.mean())
    assert high - low == near(2 * 1.96 / np.sqrt(100), rel=0.2)
    alone = intervals(lambda r: {"mean": float(values[r].mean())}, np.arange(2000), 300, 3)
    assert alone["mean"][2] - alone["mean"][1] < 0.4 * (high - low)


def test_few_blocks_have_no_interval():
    blocks = np.repeat(np.arange(FEWEST_BLOCKS - 1), 10)
    value, low, high = intervals(lambda rows: {"rows": float(len(rows))}, blocks, 10, 0)["rows"]
    assert value == 40
    assert np.isnan([low, high]).all()


def test_agreement_by_chance_has_an_interval_around_nothing():
    """Rows drawn twice agree with themselves, which the interval does not show."""
    rng = np.random.default_rng(2)
    one, other = rng.integers(0, 4, (2, 400))
    found = intervals(
        lambda rows: agreement(one[rows], other[rows]), np.repeat(np.arange(80), 5), 100, 1
    )
    value, low, high = found["ari"]
    assert low < 0 < high
    assert low < value < high


def test_a_figure_that_no_draw_has_has_no_interval():
    found = intervals(lambda rows: {"none": float("nan")}, np.arange(10), 5, 0)
    assert np.isnan(found["none"]).all()


def test_draws_follow_the_seed():
    values = np.random.default_rng(0).normal(size=50)

    def mean(rows):
        return {"mean": float(values[rows].mean())}

    first, again, other = (intervals(mean, np.arange(50), 50, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["mean"][1:] != pytest.approx(other["mean"][1:], rel=1e-12, abs=0)


@pytest.mark.parametrize(("value", "drawn"), [(1.0, 0.9), (0.0, -0.2), (0.5, 0.5)])
def test_an_interval_holds_its_value_and_ends_at_1(value, drawn):
    everything = np.arange(40)

    def figures(rows):
        spread = 0.1 * (rows.mean() / everything.mean()) ** 3
        return {"it": value if np.array_equal(rows, everything) else drawn + spread}

    found, low, high = intervals(figures, everything // 4, 200, 3)["it"]
    assert low <= found <= high <= 1
