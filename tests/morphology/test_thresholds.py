import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closeness import near
from gwmorph.errors import CalibrationError
from gwmorph.morphology.manifest import EACH_CLASS, OVERALL
from gwmorph.morphology.thresholds import (
    ANY,
    QUIET,
    class_scores,
    is_novel,
    left_out_scores,
    limits_of,
    p_values,
    percentile_of_pairs,
    rank_at,
    require_rate,
)

SIZES = {"blip": 60, "tomte": 39, "whistle": 19}


def unit(rows):
    rows = np.asarray(rows, float)
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def drawn(rng, sizes=SIZES, spread=0.5, dimensions=8):
    """Unit vectors around one direction a class, so wide that classes overlap, and their names."""
    names = np.repeat(list(sizes), list(sizes.values()))
    centres = {name: np.eye(dimensions)[i] for i, name in enumerate(sizes)}
    rows = np.stack([centres[name] for name in names])
    return unit(rows + spread * rng.normal(size=rows.shape)), names


REFERENCE, CLASSES = drawn(np.random.default_rng(3))


def full_conformal(members, new):
    """The p-value of a new row by its definition: it joins the class, and each is scored anew."""
    bag = np.vstack([members, new]).astype(float)
    cosines = (bag @ bag.T).round(6)
    np.fill_diagonal(cosines, -np.inf)
    scores = cosines.max(axis=1)
    return np.mean(scores <= scores[-1])


@given(seed=st.integers(0, 2**20), count=st.integers(2, 40), spread=st.floats(0.05, 3.0))
@settings(max_examples=60)
def test_the_p_value_is_that_of_full_conformal_prediction(seed, count, spread):
    members, classes = drawn(np.random.default_rng(seed), {"blip": count}, spread)
    new, _ = drawn(np.random.default_rng(seed + 1), {"blip": 5}, spread)
    scores = class_scores(members, classes, new)
    found = p_values(left_out_scores(members, classes), classes, scores)
    assert found[:, 0] == near([full_conformal(members, row) for row in new], rel=1e-9)


@given(seed=st.integers(0, 2**20), rate=st.sampled_from([0.06, 0.1, 0.25]))
@settings(max_examples=40)
def test_a_row_below_the_limit_is_one_whose_p_value_the_rate_reaches(seed, rate):
    members, classes = drawn(np.random.default_rng(seed))
    new, _ = drawn(np.random.default_rng(seed + 1), spread=1.0)
    scores = class_scores(members, classes, new)
    found = p_values(left_out_scores(members, classes), classes, scores)
    rare = found.max(axis=1) <= rate + 1e-12
    assert is_novel(scores, limits_of(members, classes, rate, 1)).tolist() == rare.tolist()


@pytest.mark.parametrize(("count", "rate"), [(19, 0.05), (99, 0.01), (99, 0.05), (30, 0.1)])
def test_a_new_row_of_a_class_falls_below_its_limit_as_often_as_granted(count, rate):
    rng = np.random.default_rng(count)
    below, repeats = 0, 1500
    for _ in range(repeats):
        rows, classes = drawn(rng, {"blip": count + 1}, 1.0, 4)
        (limit, _) = limits_of(rows[:-1], classes[:-1], rate, 1)[::-1]
        below += class_scores(rows[:-1], classes[:-1], rows[-1:]).of("blip")[0] < limit.limit
    expected = rank_at(count, rate) / (count + 1)
    error = 3.3 * np.sqrt(expected * (1 - expected) / repeats)
    assert abs(below / repeats - expected) < error


def test_a_limit_is_the_kth_smallest_score_of_the_class():
    scores = left_out_scores(REFERENCE, CLASSES).of("tomte")[CLASSES == "tomte"]
    limit = next(one for one in limits_of(REFERENCE, CLASSES, 0.1, 1) if one.label == "tomte")
    assert limit.limit == np.sort(scores)[3]
    assert (limit.members, limit.rate, limit.granted) == (39, 0.1, 0.1)


def test_scores_are_the_best_cosine_to_each_class_but_to_the_row_itself():
    cosines = REFERENCE.astype(float) @ REFERENCE.astype(float).T
    np.fill_diagonal(cosines, -1)
    found = left_out_scores(REFERENCE, CLASSES)
    assert found.labels.tolist() == sorted(SIZES)
    for name in SIZES:
        assert found.of(name) == near(cosines[:, name == CLASSES].max(axis=1), rel=1e-5)
    assert found.of(ANY) == near(cosines.max(axis=1), rel=1e-5)


def test_a_row_that_is_in_the_reference_is_its_own_neighbour_unless_said(monkeypatch):
    monkeypatch.setattr("gwmorph.morphology.thresholds._CELLS", 700)  # several batches
    within = class_scores(REFERENCE, CLASSES, REFERENCE[40:80])
    without = class_scores(REFERENCE, CLASSES, REFERENCE[40:80], np.arange(40, 80))
    assert within.of(ANY) == near(np.ones(40), rel=1e-5)
    assert np.array_equal(without.values, left_out_scores(REFERENCE, CLASSES).values[40:80])


def test_the_order_of_the_rows_changes_no_limit():
    order = np.random.default_rng(1).permutation(len(CLASSES))
    one, other = (
        limits_of(REFERENCE[rows], CLASSES[rows], 0.1, 1)
        for rows in (np.arange(len(order)), order)
    )
    assert [(a.label, a.limit, a.granted) for a in one] == [
        (b.label, b.limit, b.granted) for b in other
    ]


def test_a_class_that_is_too_small_grants_what_its_size_allows():
    found = {one.label: one for one in limits_of(REFERENCE, CLASSES, 0.02, 1)}
    assert found["blip"].granted == near(1 / 61)
    assert found["whistle"].granted == near(1 / 20)  # more than was asked for
    smallest = left_out_scores(REFERENCE, CLASSES).of("whistle")[CLASSES == "whistle"].min()
    assert found["whistle"].limit == smallest


def test_a_rate_that_no_class_supports_is_refused_with_those_that_are():
    with pytest.raises(CalibrationError, match=r"takes 999 .* at most 60 \(blip\).*from 0.017 on"):
        require_rate(CLASSES, 0.001, EACH_CLASS)
    with pytest.raises(
        CalibrationError, match=r"takes 999 labelled rows, got 118.*from 0.0085 on"
    ):
        require_rate(CLASSES, 0.001, OVERALL)
    require_rate(CLASSES, 1 / 61, EACH_CLASS)
    require_rate(CLASSES, 1 / 119, OVERALL)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_reference_of_single_rows_is_refused(count):
    rows, names = REFERENCE[:count], np.array(["a", "b", "c"][:count], dtype=str)
    with pytest.raises(CalibrationError, match="a class of at least 2 labelled rows, got"):
        require_rate(names, 0.1, OVERALL)
    assert limits_of(rows, names, 0.1, 1) == []


def test_without_a_limit_no_row_is_new():
    scores = class_scores(REFERENCE[:2], np.array(["a", "b"]), REFERENCE)
    assert not is_novel(scores, []).any()


def test_a_class_of_one_row_has_no_limit_and_keeps_nothing_from_being_new():
    rows = np.vstack([REFERENCE, unit([np.eye(8)[7]])])
    classes = np.append(CLASSES, "alone")
    limits = limits_of(rows, classes, 0.1, 1)
    assert "alone" not in {one.label for one in limits}
    far = unit([np.eye(8)[7] - 0.1, np.eye(8)[0]])
    scores = class_scores(rows, classes, far)
    assert is_novel(scores, limits).tolist() == [True, False]
    assert p_values(left_out_scores(rows, classes), classes, scores)[0].max() <= 0.1


def test_a_row_is_new_only_below_the_limit_of_every_class():
    limits = limits_of(REFERENCE, CLASSES, 0.1, 1)
    scores = class_scores(REFERENCE, CLASSES, drawn(np.random.default_rng(8), spread=1.0)[0])
    below = np.array([scores.of(one.label) < one.limit for one in limits if one.label != ANY])
    assert 0 < below.all(axis=0).sum() < below.any(axis=0).sum()
    assert is_novel(scores, limits).tolist() == below.all(axis=0).tolist()


def test_pairs_of_members_are_less_alike_than_neighbours():
    own = REFERENCE[CLASSES == "blip"]
    limit = next(one for one in limits_of(REFERENCE, CLASSES, 0.1, 1) if one.label == "blip")
    assert limit.percentile == percentile_of_pairs(own, 0.1, 1, "blip")
    assert limit.percentile < limit.limit
    assert percentile_of_pairs(own[:1].repeat(4, axis=0), 0.1, 1, "blip") == near(1.0, rel=1e-5)


def test_no_rows_have_no_scores():
    scores = class_scores(REFERENCE, CLASSES, REFERENCE[:0])
    assert scores.values.shape == (0, 3)
    assert is_novel(scores, limits_of(REFERENCE, CLASSES, 0.1, 1)).shape == (0,)


def test_a_member_counts_once_among_its_own():
    own = left_out_scores(REFERENCE, CLASSES)
    found = p_values(own, CLASSES, own, CLASSES)
    for place, name in enumerate(sorted(SIZES)):
        scores = own.of(name)[
            name == CLASSES
        ]  # of two that are each other's nearest they are equal
        ranks = (scores[None] <= scores[:, None]).mean(axis=1)
        assert found[name == CLASSES, place] == near(ranks, rel=1e-9)


def test_any_symmetric_similarity_will_do():
    def nearness(rows, others):
        return -np.abs(rows[:, None] - others[None]).sum(axis=2)

    rows = np.random.default_rng(2).normal(size=(30, 3))
    names = np.repeat(["a", "b"], 15)
    found = left_out_scores(rows, names, nearness)
    away = np.abs(rows[0] - rows[1:15]).sum(axis=1).min()
    assert found.of("a")[0] == near(-away, rel=1e-5)


# A dense class that is never NOVEL, as large as all others together, and as like them as any.
STILL = unit(np.eye(8)[7] + 0.01 * np.random.default_rng(4).normal(size=(118, 8)))
WITH_STILL = np.vstack([REFERENCE, STILL])
CLASSES_WITH_STILL = np.append(CLASSES, [QUIET] * len(STILL))


def test_rows_that_are_never_new_set_no_limit_of_all_as_one():
    alone, beside = (
        next(one for one in limits_of(*rows, 0.1, 1) if one.label == ANY)
        for rows in ((REFERENCE, CLASSES), (WITH_STILL, CLASSES_WITH_STILL))
    )
    assert (beside.members, beside.granted) == (alone.members, alone.granted)
    own = left_out_scores(WITH_STILL, CLASSES_WITH_STILL).of(ANY)
    below = own < beside.limit
    assert below[: len(CLASSES)].sum() == rank_at(118, 0.1) - 1
    assert limits_of(STILL, np.full(118, QUIET), 0.1, 1)[0].label == QUIET
    assert len(limits_of(STILL, np.full(118, QUIET), 0.1, 1)) == 1


def test_rows_that_are_never_new_support_no_rate():
    with pytest.raises(CalibrationError, match=r"takes 199 labelled rows, got 118\."):
        require_rate(CLASSES_WITH_STILL, 0.005, OVERALL)
    with pytest.raises(CalibrationError, match="at least 2 labelled rows, got 0 rows"):
        require_rate(np.full(118, QUIET), 0.1, OVERALL)


@given(st.integers(3, 3000), st.floats(1e-4, 0.5))
def test_a_rate_is_refused_exactly_where_the_limit_cannot_grant_it(count, rate):
    classes = np.array(["a"] * (count - count // 2) + ["b"] * (count // 2))
    for promise, members in ((OVERALL, count), (EACH_CLASS, count - count // 2)):
        if rank_at(members, rate) / (members + 1) <= rate + 1e-9:
            require_rate(classes, rate, promise)
            continue
        with pytest.raises(CalibrationError) as caught:
            require_rate(classes, rate, promise)
        offered = float(str(caught.value).split("rates from ")[1].split(" on")[0])
        require_rate(classes, offered, promise)
