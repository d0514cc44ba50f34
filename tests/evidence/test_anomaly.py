import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closeness import near
from gwmorph.config import ClusteringConfig
from gwmorph.evidence import anomaly as module
from gwmorph.evidence.anomaly import (
    COMPONENTS,
    SPACES,
    UMAP,
    achieved_rows,
    cluster_rows,
    left_out_rows,
    p_values,
    row_p_values,
)

DEFAULTS = ClusteringConfig()


def planted(sizes, spread=0.4, seed=4):
    """Unit vectors around random directions, and the number of each one's blob."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), 64))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = centres[truth] + spread * rng.normal(size=(len(truth), 64)) / 8
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


VECTORS, TRUTH = planted((150, 120, 90, 6))
BLOCKS = np.arange(len(VECTORS)) // 4


@pytest.fixture(scope="module")
def rare():
    return row_p_values(VECTORS, BLOCKS, DEFAULTS, 1, 17)


@pytest.fixture(scope="module")
def noticed():
    kinds = np.array(["first", "second", "third", "few"])[TRUTH]
    return left_out_rows(VECTORS, BLOCKS, kinds, 0.05, DEFAULTS, (1, 17))


def test_p_values_count_the_calibration():
    calibration = np.arange(10, 100, 10.0)
    judged = np.array([-5.0, 10.0, 55.0, 1000.0])
    assert p_values(calibration, judged).tolist() == [0.1, 0.2, 0.6, 1.0]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.floats(-1e3, 1e3))
def test_a_p_value_is_never_zero(calibration, value):
    (found,) = p_values(np.array(calibration), np.array([value]))
    below = sum(one <= value for one in calibration)
    assert found == near((below + 1) / (len(calibration) + 1), rel=1e-12)


def test_of_rows_like_all_others_the_rate_is_kept(rare):
    for name in SPACES:
        assert rare[name].min() > 0
        assert np.mean(rare[name] <= 0.05) < 0.11
        assert abs(np.mean(rare[name] <= 0.5) - 0.5) < 0.1


def test_a_kind_of_a_few_is_anomalous_and_its_cluster_flagged(rare):
    rows = cluster_rows(TRUTH.astype(np.int32), rare, 0.05)
    assert [row["members"] for row in rows] == [150, 120, 90, 6]
    assert [row["flagged"] for row in rows] == [False, False, False, True]
    assert rows[3]["anomalous"] >= 5


def test_exactly_half_is_not_most():
    found = {name: np.array([0.01, 0.9, 0.01, 0.01, 0.9]) for name in SPACES}
    rows = cluster_rows(np.array([0, 0, 1, 1, 1], np.int32), found, 0.05)
    assert [row["flagged"] for row in rows] == [False, True]


def test_only_the_components_flag_a_cluster():
    labels = np.zeros(4, np.int32)
    found = {COMPONENTS: np.full(4, 0.5), UMAP: np.full(4, 0.01)}
    (row,) = cluster_rows(labels, found, 0.05)
    assert (row["anomalous"], row["anomalous_umap"], row["flagged"]) == (0, 4, False)


def test_a_blob_that_was_never_seen_is_noticed(noticed):
    shares = {(row["left_out"], row["space"]): row["value"] for row in noticed}
    # Six rows are too few to be left out.
    assert {name for name, _ in shares} == {"first", "second", "third"}
    assert all(shares[name, COMPONENTS] > 0.9 for name in ("first", "second", "third"))
    assert {row["rows"] for row in noticed} == {150, 120, 90}
    assert all(row["low"] <= row["value"] <= row["high"] for row in noticed)


def test_rows_of_the_same_kind_as_others_are_not_noticed():
    """Nothing but a name sets them apart."""
    vectors, _ = planted((240,))
    kinds = np.where(np.arange(240) % 6 == 0, "named", "")
    rows = left_out_rows(vectors, np.arange(240) // 4, kinds, 0.05, DEFAULTS, (1, 17))
    assert {row["left_out"] for row in rows} == {"named"}
    assert max(row["value"] for row in rows) < 0.2


def test_a_kind_that_all_rows_are_of_cannot_be_left_out():
    kinds = np.full(len(VECTORS), "all")
    assert left_out_rows(VECTORS, BLOCKS, kinds, 0.05, DEFAULTS, (1, 17)) == []


def test_too_few_stretches_judge_nothing():
    found = row_p_values(VECTORS[:60], np.zeros(60, int), DEFAULTS, 1, 17)
    assert np.isnan(found[COMPONENTS]).all()
    assert achieved_rows(found, np.zeros(60, int), 0.05, 20, 1) == []
    assert cluster_rows(np.repeat([0, 1], 30), found, 0.05) == [
        {"cluster": 0, "members": 30},
        {"cluster": 1, "members": 30},
    ]


def test_the_share_of_all_rows_has_an_interval(rare):
    rows = achieved_rows(rare, BLOCKS, 0.05, 100, 3)
    assert [row["space"] for row in rows] == list(SPACES)
    for row in rows:
        assert row["left_out"] is None
        assert row["value"] == np.mean(rare[row["space"]] <= 0.05)
        assert row["low"] < row["value"] < row["high"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 4))
def test_parts_hold_whole_blocks_and_every_row_once(blocks, count):
    blocks = np.array(blocks)
    parts = module._parts(blocks, count, 5)
    assert len(parts) == count
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(blocks)))
    owners = [set(blocks[part].tolist()) for part in parts]
    assert sum(map(len, owners)) == len(set().union(*owners))


def test_parts_are_about_as_large_and_drawn_with_the_seed():
    blocks = np.arange(300) // 3
    parts = module._parts(blocks, 3, 5)
    assert all(90 <= len(part) <= 110 for part in parts)
    assert not np.array_equal(parts[0], module._parts(blocks, 3, 6)[0])


def test_the_commonest_kinds_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "_MOST_KINDS", 2)
    kinds = np.repeat(["a", "b", "c", "d", ""], [12, 30, 9, 11, 40])
    assert module._kinds(kinds) == ["a", "b"]
