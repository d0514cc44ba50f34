"""Probes on vectors with planted classes, and on vectors without any."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gwmorph.errors import TrainingError
from gwmorph.evidence.quality import share_rows
from gwmorph.learning.few_shot import few_shot_rows
from gwmorph.learning.probes import (
    few_shot_probe,
    glitch_vectors,
    linear_probe,
    probed,
)
from gwmorph.tables.finetune import FEW_SHOT, FEW_SHOT_BY_GLITCH

CLASSES = np.array(["a", "b", "c"])


def planted(each=20, noise=0.6, seed=1, size=12):
    """Unit vectors around three directions, each class with its own."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(CLASSES, each)
    vectors = np.repeat(3 * np.eye(3, size), each, axis=0) + noise * rng.normal(
        size=(3 * each, size)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def test_a_probe_finds_planted_classes():
    vectors, labels = planted()
    groups = np.arange(len(labels)).astype(str)
    probe = linear_probe(vectors, labels, groups, 4, 3)
    fresh, truth = planted(seed=2)
    assert (probe.predict(probed(fresh)) == truth).mean() > 0.95


def test_the_penalty_is_the_one_that_cross_validation_prefers():
    vectors, labels = planted(noise=1.0, each=30)
    # Of unequal classes, what is held too tightly says the largest one of all.
    vectors, labels = vectors[:50], labels[:50]
    groups = np.arange(len(labels)).astype(str)
    chosen = linear_probe(vectors, labels, groups, 3, 3, (1e-7, 0.05))
    assert chosen.C == 0.05
    alone = LogisticRegression(C=0.05, max_iter=2000).fit(probed(vectors), labels)
    np.testing.assert_array_equal(chosen.coef_, alone.coef_)


def test_labels_by_chance_are_told_by_chance():
    vectors, labels = planted(each=60)
    shuffled = np.random.default_rng(5).permutation(labels)
    groups = np.arange(len(labels)).astype(str)
    probe = linear_probe(vectors[::2], shuffled[::2], groups[::2], 3, 3)
    right = (probe.predict(probed(vectors[1::2])) == shuffled[1::2]).mean()
    assert abs(right - 1 / 3) < 0.15


def test_pictures_of_one_glitch_are_never_on_both_sides_of_a_fold(monkeypatch):
    vectors, labels = planted(each=12, noise=30.0)
    groups = np.repeat(np.arange(12), 3).astype(str)
    seen = []

    class Watched(LogisticRegression):
        def fit(self, x, y):
            seen.append({tuple(row) for row in np.round(x, 6)})
            return super().fit(x, y)

    monkeypatch.setattr("gwmorph.learning.probes.LogisticRegression", Watched)
    linear_probe(vectors, labels, groups, 4, 3, (0.01,))
    rows = [tuple(row) for row in np.round(probed(vectors), 6)]
    for trained in seen:
        sides = {}
        for row, group in zip(rows, groups, strict=True):
            sides.setdefault(group, set()).add(row in trained)
        assert all(len(side) == 1 for side in sides.values())


def test_too_few_classes_or_glitches_are_named():
    vectors, labels = planted(each=4)
    with pytest.raises(TrainingError, match="1 classes"):
        linear_probe(vectors[:4], labels[:4], np.arange(4).astype(str), 2, 1)
    with pytest.raises(TrainingError, match="1 glitches"):
        linear_probe(vectors, labels, np.full(12, "x"), 2, 1)


def test_a_glitch_has_the_mean_direction_of_its_pictures():
    vectors = np.array([[1, 0], [0, 1], [0, 2.0]])
    found, names = glitch_vectors(vectors, np.array(["y", "x", "y"]))
    assert names.tolist() == ["x", "y"]
    np.testing.assert_allclose(found, [[0, 1], [0.5**0.5, 0.5**0.5]], rtol=1e-6)


def test_few_shots_leave_each_glitch_out():
    vectors, labels = planted(each=2, noise=0.1)
    labels = np.append(labels, "alone")
    vectors = np.append(vectors, [np.eye(12)[5]], axis=0).astype(np.float32)
    said, scored = few_shot_probe(vectors, labels, 1.0)
    assert (said[:6] == labels[:6]).all()
    assert said[6] != "alone"
    assert scored.tolist() == [True] * 6 + [False]
    brute = [
        LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced")
        .fit(probed(vectors)[np.arange(7) != i], labels[np.arange(7) != i])
        .predict(probed(vectors)[[i]])[0]
        for i in range(7)
    ]
    assert said.tolist() == brute


def test_few_shots_by_chance_are_not_below_chance():
    # Whoever is left out makes its own class smaller: that alone must not tell it away.
    rng = np.random.default_rng(8)
    vectors = np.ones((40, 6)) + 1e-4 * rng.normal(size=(40, 6))
    labels = np.repeat(["a", "b"], 20)
    said, _ = few_shot_probe(vectors / np.linalg.norm(vectors, axis=1)[:, None], labels, 1.0)
    assert 0.25 < (said == labels).mean() < 0.75


def test_few_shot_rows_have_both_intervals_and_count_glitches_not_pictures():
    vectors, labels = planted(each=4, noise=0.8)
    glitches = np.repeat([f"g{i}" for i in range(6)], 2)
    columns = np.column_stack([np.repeat(np.arange(3.0), 4), np.zeros(12)])
    rows = few_shot_rows({"ours": vectors}, labels, glitches, 1.0, 7, columns)
    figures = {(row["features"], row["figure"]): row for row in rows}
    assert set(figures) == {
        (name, figure)
        for name in ("ours", "triggers")
        for figure in (FEW_SHOT, FEW_SHOT_BY_GLITCH)
    }
    assert {row["pictures"] for row in rows} == {6}
    means = glitch_vectors(vectors, glitches)[0]
    said, _ = few_shot_probe(means, labels[::2], 1.0)
    (expected,) = share_rows(
        FEW_SHOT, {"ours": said == labels[::2]}, np.array([0, 0, 1, 1, 2, 2]), 7
    )
    assert figures["ours", FEW_SHOT] == expected


def test_a_single_class_gives_no_figure_and_a_warning(caplog):
    vectors, _ = planted(each=2)
    names = np.arange(6).astype(str)
    one, other = np.full(6, "a"), np.array(["a"] * 5 + ["b"])
    for labels in (one, other):
        caplog.clear()
        assert few_shot_rows({"ours": vectors}, labels, names, 1.0, 7) == []
        assert "no probe" in caplog.text
    assert few_shot_rows({"ours": vectors}, np.array(list("aaabbb")), names, 1.0, 7)


def test_glitches_that_are_all_alone_give_no_figure():
    vectors, _ = planted(each=1)
    names = np.array(["x", "y", "z"])
    assert few_shot_rows({"ours": vectors}, CLASSES, names, 1.0, 7) == []
    with pytest.raises(TrainingError, match="two classes"):
        few_shot_probe(vectors[:2], CLASSES[:2], 1.0)
