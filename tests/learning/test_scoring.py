"""Accuracy, macro-F1 and their intervals."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from closeness import near
from gwmorph.learning import scoring
from gwmorph.learning.scoring import (
    accuracy_and_f1,
    class_figures,
    confusion,
    scored_row,
)


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    labels = rng.choice(["a", "b", "c"], 90, p=[0.6, 0.3, 0.1])
    named = np.where(rng.random(90) < 0.7, labels, rng.choice(["a", "b", "z"], 90))
    accuracy, f1 = accuracy_and_f1(labels, named, np.arange(90).astype(str), 1)
    assert accuracy.value == near((labels == named).mean())
    expected = f1_score(labels, named, labels=["a", "b", "c"], average="macro")
    assert f1.value == near(expected)
    assert accuracy.low < accuracy.value < accuracy.high
    spread = np.sqrt(accuracy.value * (1 - accuracy.value) / 90)
    assert accuracy.high - accuracy.low == near(2 * 1.96 * spread, rel=0.1)


def test_every_draw_is_scored_as_if_its_pictures_were_there_so_often(monkeypatch):
    monkeypatch.setattr(scoring, "_REPEATS", 12)
    rng = np.random.default_rng(5)
    labels = np.append(rng.choice(["a", "b"], 39), "rare")
    named = np.append(rng.choice(["a", "b", "z"], 39), "rare")
    groups = (np.arange(40) // 3).astype(str)
    found = class_figures(labels, named, groups, 1)
    assert found.classes == ["a", "b", "rare"]
    members, times = scoring._draws(groups, 1)
    assert np.isnan(found.f1[:, 2]).any()
    for draw, row in enumerate(times.astype(int)):
        own, told = (np.repeat(names, row[members]) for names in (labels, named))
        there = np.unique(own)
        expected = f1_score(own, told, labels=there, average=None)
        assert found.accuracy[draw] == near((own == told).mean())
        np.testing.assert_allclose(found.f1[draw][np.isin(found.classes, there)], expected)
        assert found.macro_f1[draw] == near(expected.mean())


def test_all_right_and_all_wrong_have_no_interval():
    labels = np.array(["a", "b"] * 10)
    groups = np.arange(20).astype(str)
    for named, value in ((labels, 1.0), (labels[::-1], 0.0)):
        for figure in accuracy_and_f1(labels, named, groups, 1):
            assert (figure.value, figure.low, figure.high) == (value, value, value)
    with pytest.raises(ValueError, match="got none"):
        accuracy_and_f1(labels[:0], labels[:0], groups[:0], 1)


def test_pictures_of_one_glitch_are_drawn_together():
    labels = np.repeat(["a", "b"], 50)
    named = np.where(np.arange(100) % 20 < 10, labels, "z")
    each = accuracy_and_f1(labels, named, np.arange(100).astype(str), 1)[0]
    tens = accuracy_and_f1(labels, named, (np.arange(100) // 10).astype(str), 1)[0]
    assert each.value == tens.value == 0.5
    assert tens.high - tens.low > 2.5 * (each.high - each.low)


def test_a_row_tells_the_training_and_its_scores():
    rows = {"label": ["a", "a", "b"], "named": ["a", "b", "b"], "group": ["g", "g", "h"]}
    row = scored_row({"trained": "t"}, pa.table(rows), 1)
    assert row["trained"] == "t"
    assert row["accuracy"] == near(2 / 3)
    assert row["macro_f1"] == near(2 / 3)
    assert (row["pictures"], row["glitches"]) == (3, 2)
    assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]


def test_a_confusion_counts_what_is_named():
    classes, counts = confusion(np.array(["b", "b", "a"]), np.array(["b", "c", "a"]))
    assert classes == ["a", "b", "c"]
    assert counts.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
