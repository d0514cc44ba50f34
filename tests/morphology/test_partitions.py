import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from closeness import near
from gwmorph.morphology.partitions import agreement, best_jaccards, contingency, information

NAMES = st.lists(st.integers(0, 4), min_size=2, max_size=40)


@given(NAMES, st.integers(0, 99))
def test_jaccards_are_those_of_sets(raw: list[int], seed: int) -> None:
    one = np.array(raw)
    other = np.random.default_rng(seed).integers(0, 3, len(one))
    found = best_jaccards(contingency(one, other))
    for part, jaccard in zip(np.unique(one), found, strict=True):
        rows = set(np.flatnonzero(one == part))
        others = [set(np.flatnonzero(other == name)) for name in np.unique(other)]
        assert jaccard == near(max(len(rows & them) / len(rows | them) for them in others))


@given(NAMES)
def test_names_of_parts_do_not_matter(raw: list[int]) -> None:
    one = np.array([*raw, 0, 1])
    found = agreement(one, np.array(list("edcba"))[one])
    assert (found["ari"], found["ami"], found["macro_jaccard"]) == near((1.0, 1.0, 1.0))


def test_a_giant_part_does_not_pass_for_agreement() -> None:
    """Nine tenths in one part that both have, the rest named at random."""
    rng = np.random.default_rng(0)
    one = np.r_[np.zeros(900, int), 1 + rng.integers(0, 3, 100)]
    other = np.r_[np.zeros(900, int), 1 + rng.integers(0, 3, 100)]
    found = agreement(one, other)
    assert found["ari"] > 0.9
    assert found["largest_share"] == near(0.9)
    assert abs(found["ari_without_largest"]) < 0.1
    assert found["macro_jaccard"] < 0.5


def test_random_partitions_agree_by_nothing() -> None:
    rng = np.random.default_rng(1)
    found = agreement(rng.integers(0, 8, 4000), rng.integers(0, 8, 4000))
    assert found["ari"] == pytest.approx(0, abs=0.01)
    assert found["ami"] == pytest.approx(0, abs=0.01)


def test_one_part_leaves_nothing_without_it() -> None:
    found = agreement(np.zeros(5, int), np.arange(5))
    assert found["largest_share"] == 1
    assert np.isnan(found["ari_without_largest"])


def test_what_tells_nothing_apart_agrees_with_nothing() -> None:
    found = agreement(np.zeros(20, int), np.ones(20, int))
    assert all(np.isnan(found[name]) for name in ("ari", "ami", "ari_without_largest"))
    # Of two parts one is left without the largest, and one part agrees with any other.
    two = np.repeat([0, 1], [12, 8])
    found = agreement(two, np.zeros(20, int))
    assert np.isnan(found["ari_without_largest"])
    assert found["ari"] == found["ami"] == 0


def test_information_tells_which_way_parts_and_classes_hold_each_other() -> None:
    classes = np.repeat(["a", "b"], 8)
    finer = information(np.arange(16) // 4, classes)
    assert (finer["homogeneity"], finer["completeness"]) == near((1.0, 0.5))
    coarser = information(classes, np.arange(16) // 4)
    assert (coarser["homogeneity"], coarser["completeness"]) == near((0.5, 1.0))
    one = information(np.zeros(16, int), classes)
    assert (one["homogeneity"], one["completeness"], one["v_measure"]) == (0, 1, 0)


@given(NAMES, st.integers(0, 99))
def test_v_measure_is_normalized_mutual_information(raw: list[int], seed: int) -> None:
    parts = np.random.default_rng(seed).integers(0, 3, len(raw))
    found = information(parts, np.array(raw))
    expected = normalized_mutual_info_score(raw, parts)
    assert found["nmi"] == found["v_measure"] == pytest.approx(expected, abs=1e-9)
