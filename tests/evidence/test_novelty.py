import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom
from sklearn.metrics import roc_auc_score

from closeness import near
from gwmorph.evidence.drift import drift_row
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.novelty import (
    BURSTS,
    EVERY,
    PAIRS,
    TOGETHER,
    Power,
    curve_rows,
    halves,
    negative_distances,
    novelty_rows,
    powers,
    real_time_rows,
    resplit_rows,
    share_of_counts,
    split_rows,
    standardised,
    without_bursts,
)
from gwmorph.evidence.recall import wilson
from gwmorph.morphology.thresholds import ANY, QUIET, left_out_scores

BOOTSTRAP = Bootstrap(256, 60, 4)


def planted(sizes, spread, seed=2, dimensions=12):
    """Unit vectors around a direction a class, the last one apart from all others."""
    rng = np.random.default_rng(seed)
    names = np.repeat([f"class {i}" for i in range(len(sizes))], sizes)
    centres = np.repeat(np.eye(dimensions)[: len(sizes)], sizes, axis=0)
    rows = centres + spread * rng.normal(size=centres.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), names


APART, NAMES = planted((80, 60, 40), 0.1)
BLOCKS = np.arange(180) // 6


def row_of(rows, **wanted):
    (found,) = (row for row in rows if wanted.items() <= row.items())
    return found


# -- the promise ----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_classes_apart_are_called_new_as_often_as_granted(rate):
    vectors, names = planted((200, 160), 0.15)
    rows = resplit_rows(vectors, names, [rate], 40, 7)
    for method in (EVERY, TOGETHER):
        whole = row_of(rows, method=method, label=None)
        assert whole["low"] <= whole["granted"] <= whole["high"]
        assert whole["value"] == near(whole["granted"], rel=0.5)
        assert whole["rows"] == 180
    assert row_of(rows, method=PAIRS, label=None)["value"] <= 0.01


def test_classes_that_overlap_keep_the_promise_and_do_not_reach_it():
    vectors, names = planted((120, 120, 120), 1.5)
    rows = resplit_rows(vectors, names, [0.1], 20, 7)
    every, together = (row_of(rows, method=m, label=None) for m in (EVERY, TOGETHER))
    assert every["value"] < 0.05
    assert together["low"] <= 0.1 <= together["high"]
    for label in set(names):
        assert row_of(rows, method=EVERY, label=label)["value"] <= 0.1


def test_halves_are_of_each_class_and_have_every_row_once():
    first, second = halves(np.arange(180), NAMES, np.random.default_rng(1))
    assert sorted([*first, *second]) == list(range(180))
    assert [np.sum(NAMES[first] == f"class {i}") for i in range(3)] == [40, 30, 20]


def test_classes_too_small_for_halves_are_left_out():
    vectors, names = planted((40, 3), 0.1)
    rows = resplit_rows(vectors, names, [0.1], 3, 7)
    assert {row["label"] for row in rows} == {None, "class 0"}
    assert row_of(rows, method=EVERY, label=None)["rows"] == 20


def test_windows_that_hold_nothing_count_in_no_share():
    vectors, names = planted((120, 120, 240), 0.15)
    names = np.where(names == "class 2", QUIET, names)
    blocks = np.arange(480) % 16
    rows = resplit_rows(vectors, names, [0.1], 20, 7)
    times = np.random.default_rng(2).permutation(480).astype(float)
    rows += real_time_rows(vectors, names, blocks, times, 0.0, [0.1], BOOTSTRAP)
    assert {row["label"] for row in rows} == {None, "class 0", "class 1"}
    whole = row_of(rows, split="halves of each class", method=TOGETHER, label=None)
    assert whole["rows"] == 120
    assert whole["low"] <= 0.1 <= whole["high"]
    for power in powers(vectors, names):
        assert power.label != QUIET
        assert QUIET not in names[power.known]
    still = np.full(240, QUIET)
    assert resplit_rows(vectors[240:], still, [0.1], 3, 7) == []
    assert (
        real_time_rows(vectors[240:], still, blocks[240:], times[240:], 0, [0.1], BOOTSTRAP) == []
    )
    assert list(powers(vectors[240:], still)) == []


def test_the_interval_is_that_of_the_law_of_the_counts():
    law = betabinom(200, 5, 95)
    counts = law.rvs(4000, random_state=3)
    found = share_of_counts(np.column_stack([counts, np.full(4000, 200)]))
    assert found["value"] == near(0.05, rel=0.05)
    assert [found["low"], found["high"]] == near(law.ppf([0.025, 0.975]) / 200, rel=0.2)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=20))
def test_an_interval_holds_its_value(counts):
    found = share_of_counts(np.column_stack([counts, np.full(len(counts), 30)]))
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


def test_a_burst_is_judged_without_its_own_rows():
    vectors, names = planted((60,), 0.8)
    twins = vectors.copy()
    twins[1::2] = vectors[::2]  # every row has a copy beside it
    blocks = np.arange(60) // 2
    alone = left_out_scores(twins, names).of(ANY)
    apart = without_bursts(twins, names, blocks).of(ANY)
    assert alone == near(np.ones(60), rel=1e-5)
    assert apart.max() < 0.999
    cosines = twins.astype(float) @ twins.astype(float).T
    cosines[blocks[:, None] == blocks[None]] = -1
    assert apart == near(cosines.max(axis=1), rel=1e-5)


def test_one_burst_alone_has_nothing_to_be_like():
    vectors, names = planted((6,), 0.1)
    assert np.isneginf(without_bursts(vectors, names, np.zeros(6, int)).values).all()


def test_rows_of_a_split_count_all_and_each_class():
    novel = {EVERY: np.arange(180) < 18}
    granted = {ANY: 0.05, **dict.fromkeys(set(NAMES.tolist()), 0.06)}
    rows = split_rows(BURSTS, novel, NAMES, granted, 0.05, BLOCKS, BOOTSTRAP)
    assert row_of(rows, label=None)["value"] == near(0.1)
    assert row_of(rows, label="class 0")["value"] == near(18 / 80)
    assert row_of(rows, label="class 2")["granted"] == 0.06


def test_of_none_something_may_still_be_called_new():
    novel = {EVERY: np.zeros(180, bool)}
    granted = {ANY: 0.05, **dict.fromkeys(set(NAMES.tolist()), 0.06)}
    rows = split_rows(BURSTS, novel, NAMES, granted, 0.05, BLOCKS, BOOTSTRAP)
    assert row_of(rows, label=None)["high"] == near(wilson(0, 180)[1])
    assert share_of_counts(np.array([[0, 40], [0, 40]]))["high"] == near(wilson(0, 40)[1])
    few = {EVERY: np.arange(180) < 2}
    (row,) = (r for r in split_rows(BURSTS, few, NAMES, granted, 0.05, BLOCKS, BOOTSTRAP)
              if r["label"] is None)  # fmt: skip
    assert 0 <= row["low"] <= row["value"] <= row["high"]


# -- what would be noticed ------------------------------------------------------------------


def test_a_class_apart_is_noticed_and_one_among_others_is_not():
    vectors, names = planted((80, 80, 60), 0.1)
    split = np.where(np.arange(220) < 40, "half", names)  # one class by two names
    found = {(one.label, one.method): one for one in powers(vectors, split)}
    for method in (EVERY, TOGETHER):
        assert found["class 2", method].auc > 0.95
        assert found["half", method].auc < 0.7


@given(st.lists(st.integers(0, 6), min_size=1), st.lists(st.integers(0, 6), min_size=1))
def test_the_auc_is_that_of_scikit_learn(new, known):
    one = Power(
        "", EVERY, np.array(new) / 7, np.array(known) / 7, np.zeros(0, int), np.zeros(0, int)
    )
    is_new = [True] * len(new) + [False] * len(known)
    assert one.auc == near(roc_auc_score(is_new, [-value for value in new + known]), rel=1e-9)


def test_left_out_rows_are_judged_as_if_the_class_had_never_been():
    (one,) = (p for p in powers(APART, NAMES) if p.label == "class 0" and p.method == TOGETHER)
    others = NAMES != "class 0"
    own = left_out_scores(APART[others], NAMES[others]).of(ANY)
    best = (APART[~others].astype(float) @ APART[others].astype(float).T).max(axis=1).round(6)
    expected = (1 + (own[None] <= best[:, None]).sum(axis=1)) / (others.sum() + 1)
    assert one.p_new == near(expected, rel=1e-9)


def test_novelty_rows_have_an_auc_and_the_share_at_each_rate():
    rows = novelty_rows("vectors", powers(APART, NAMES), BLOCKS, [0.05], BOOTSTRAP)
    found = row_of(rows, label="class 1", method=EVERY, figure="auc")
    assert found["low"] <= found["value"] <= found["high"]
    assert found["rows"] == 60
    assert row_of(rows, label="class 1", method=EVERY, figure="noticed")["rate"] == 0.05


def test_few_rows_have_no_roc():
    vectors, names = planted((40, 2), 0.1)
    assert {one.label for one in powers(vectors, names)} == {"class 0"}
    assert list(powers(vectors[:40], names[:40])) == []  # without others none is known


def test_a_curve_rises_from_nothing_to_all():
    found = curve_rows("vectors", powers(APART, NAMES))
    rows = [row for row in found if row["label"] == "class 0" and row["method"] == EVERY]
    noticed = [row["noticed"] for row in rows]
    assert len(rows) == 101
    assert noticed == sorted(noticed)
    assert noticed[-1] == 1.0


def test_columns_are_compared_by_distance():
    columns = standardised(np.random.default_rng(1).normal(3, 2, size=(180, 4)))
    assert columns.std(axis=0) == near(np.ones(4), rel=1e-9)
    aucs = [one.auc for one in powers(columns, NAMES, negative_distances)]
    assert len(aucs) == 6
    assert np.mean(aucs) == near(0.5, rel=0.2)


# -- drift ----------------------------------------------------------------------------------


def of_blocks(rng, shift, count=60, each=5):
    level = rng.normal(0, 1, count)
    return (np.repeat(level, each) + rng.normal(0, 0.3, count * each) + shift), np.repeat(
        np.arange(count), each
    )


def test_what_drifted_is_found_and_what_did_not_is_not_for_all_its_bursts():
    rng = np.random.default_rng(9)
    small = 0
    for _ in range(20):
        then, blocks = of_blocks(rng, 0)
        now, others = of_blocks(rng, 0)
        small += drift_row(then, now, blocks, others, 0.01, 1)["p_value"] <= 0.05
    assert small <= 4
    far, blocks = of_blocks(rng, 2.0)
    found = drift_row(then, far, others, blocks, 0.01, 1)
    assert found["recalibrate"] is True
    assert found["p_value"] == near(0.001)
    assert found["now_median"] > found["then_median"]


def test_too_few_stretches_of_time_say_nothing():
    found = drift_row(np.zeros(30), np.ones(30), np.arange(30), np.zeros(30, int), 0.01, 1)
    assert found["distance"] == 1.0
    assert np.isnan(found["p_value"])
    assert found["recalibrate"] is False


def test_no_rows_have_no_drift():
    found = drift_row(np.zeros(0), np.ones(9), np.zeros(0, int), np.arange(9), 0.01, 1)
    assert np.isnan(found["distance"])
    assert found["recalibrate"] is False
