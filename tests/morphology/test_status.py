from itertools import product

import numpy as np
import pytest

from closeness import near
from gwmorph.morphology.judgement import judge
from gwmorph.morphology.manifest import EACH_CLASS, OVERALL
from gwmorph.morphology.status import (
    Judgement,
    Status,
    counts,
    decide,
    is_about_vectors,
)
from gwmorph.morphology.thresholds import ANY, QUIET, left_out_scores, limits_of


def unit(rows):
    rows = np.asarray(rows, float)
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


RNG = np.random.default_rng(5)
CLASSES = np.repeat(["blip", "tomte"], 40)
CENTRES = np.eye(6)[[0] * 40 + [1] * 40]
REFERENCE = unit(CENTRES + 0.1 * RNG.normal(size=(80, 6)))
LIMITS = limits_of(REFERENCE, CLASSES, 0.05, 1)
NEW = unit([np.eye(6)[0], np.eye(6)[0] + np.eye(6)[1], np.eye(6)[5]])


def judged(vectors, promise=EACH_CLASS, limits=LIMITS, itself=None, neighbors=5):
    own = np.full(len(vectors), -1) if itself is None else itself
    return judge(REFERENCE, CLASSES, limits, promise, vectors, own, neighbors)


def of(novel, agreeing, within):
    one = np.array([0.0])
    return Judgement(
        np.array([novel]),
        one,
        one,
        one,
        np.array(["blip"]),
        np.array([agreeing]),
        np.array([within]),
    )


@pytest.mark.parametrize(
    ("excluded", "quiet", "novel", "agreeing", "within"),
    list(product([True, False], [True, False], [True, False], [0.4, 0.6, 1.0], [True, False])),
)
def test_the_first_that_applies_is_the_status(excluded, quiet, novel, agreeing, within):
    if excluded:
        expected = "EXCLUDED"
    elif quiet:
        expected = "QUIET"
    elif novel:
        expected = "NOVEL"
    else:
        expected = "KNOWN" if within and agreeing >= 0.6 else "AMBIGUOUS"
    flags = np.array([excluded]), np.array([quiet])
    assert decide(*flags, of(novel, agreeing, within), 0.6).tolist() == [expected]


def test_a_typical_row_is_known_one_between_is_not_and_one_apart_is_new():
    none = np.zeros(3, bool)
    found = judged(NEW)
    assert found.named[0] == "blip"
    assert found.novel.tolist() == [False, True, True]
    assert decide(none, none, found, 0.6)[0] == "KNOWN"
    loose = [one for one in LIMITS if one.label == ANY]
    assert decide(none, none, judged(NEW, OVERALL, loose), 0.6)[2] == "NOVEL"


@pytest.mark.parametrize("promise", [EACH_CLASS, OVERALL])
def test_the_margin_is_what_is_left_above_the_nearest_limit(promise):
    held = {one.label: one.limit for one in LIMITS}
    found = judged(NEW, promise)
    alike = {name: (NEW @ REFERENCE[name == CLASSES].T).max(axis=1) for name in ("blip", "tomte")}
    above = np.array([alike[name] - held[name] for name in alike]).max(axis=0)
    if promise == OVERALL:
        above = np.maximum(*alike.values()) - held[ANY]
    assert found.margin == near(above, rel=1e-4)
    assert (found.novel == (found.margin < 0)).all()
    assert np.isnan(judged(NEW, promise, limits=[]).margin).all()


def test_neighbours_that_disagree_make_a_row_ambiguous():
    mixed = np.array(["blip", "tomte"] * 40)
    own = judge(REFERENCE, mixed, limits_of(REFERENCE, mixed, 0.05, 1), EACH_CLASS, NEW[:1],
                np.array([-1]), 4)  # fmt: skip
    none = np.zeros(1, bool)
    assert decide(none, none, own, 1.0).tolist() == ["AMBIGUOUS"]


def test_a_row_of_the_reference_is_judged_without_itself():
    found = judged(REFERENCE, itself=np.arange(80))
    assert found.similarity == near(left_out_scores(REFERENCE, CLASSES).of(ANY), rel=1e-9)
    assert judged(REFERENCE).similarity == near(np.ones(80), rel=1e-5)
    for name in ("blip", "tomte"):  # one fewer than the rank of the limit, 2 of 40
        assert found.novel[name == CLASSES].sum() == 1


def test_the_p_value_is_no_more_than_the_rate_where_a_row_is_new():
    vectors = unit(np.random.default_rng(1).normal(size=(200, 6)) * [3, 3, 1, 1, 1, 1])
    for promise in (EACH_CLASS, OVERALL):
        found = judged(vectors, promise)
        assert ((found.p_value <= 0.05 + 1e-12) == found.novel).all()
        assert 0 < found.novel.sum() < 200


def test_p_values_and_limits_agree_beside_rows_that_are_never_new():
    still = unit(np.eye(6)[5] + 0.01 * RNG.normal(size=(60, 6)))
    reference, classes = np.vstack([REFERENCE, still]), np.append(CLASSES, [QUIET] * 60)
    limits = limits_of(reference, classes, 0.05, 1)
    found = judge(reference, classes, limits, OVERALL, reference, np.arange(140), 5)
    # Members are counted as themselves, k - 1 below the k-th; those that are none as new rows.
    assert found.novel[:80].sum() == 3
    assert (found.p_value[:80][found.novel[:80]] <= 0.05).all()
    assert not found.novel[80:].any()
    assert found.p_value[80:].min() > 0.05
    assert found.named[80:].tolist() == [QUIET] * 60


def test_without_limits_nothing_is_new_and_nothing_known():
    for classes, limits in ((np.array(["a", "b"]), []), (np.array([], dtype=str), [])):
        found = judge(REFERENCE[: len(classes)], classes, limits, EACH_CLASS, NEW,
                      np.full(3, -1), 5)  # fmt: skip
        none = np.zeros(3, bool)
        assert decide(none, none, found, 0.1).tolist() == ["AMBIGUOUS"] * 3
        assert np.isnan(found.p_value).all()


def test_counts_name_every_status():
    found = counts(np.array(["NOVEL", "KNOWN", "NOVEL"]))
    assert found == {"EXCLUDED": 0, "QUIET": 0, "KNOWN": 1, "AMBIGUOUS": 0, "NOVEL": 2}
    assert is_about_vectors(np.array(list(Status))).tolist() == [False, False, True, True, True]
