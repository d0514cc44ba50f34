"""Accuracy, macro-F1 and their intervals; what the trigger columns are worth."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from closeness import near
from gwmorph.errors import ConfigError
from gwmorph.learning import scoring
from gwmorph.learning.labelled_pictures import LabelledPictures
from gwmorph.learning.scoring import accuracy_and_f1, boosted_triggers, confusion, scored_row
from gwmorph.spectra.pictures import PictureScale

SCALE = PictureScale("linear", 25.5, "cividis")


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


def test_the_trigger_columns_tell_what_they_hold(monkeypatch):
    monkeypatch.setattr(scoring, "_TREES", 20)
    rng = np.random.default_rng(7)
    labels = np.array(["low", "high", "none"] * 30)
    triggers = rng.normal(size=(90, 5))
    triggers[labels == "low", 0] -= 8
    triggers[labels == "high", 0] += 8
    triggers[::9, 2] = np.nan
    # Nothing to learn from.
    triggers[:, 3], triggers[:, 4] = np.nan, 7.0
    sides = np.array((["train"] * 3 + ["validation"] * 3 + ["test"] * 3) * 10)
    pictures = LabelledPictures(
        np.zeros((90, 2, 2), np.uint8), SCALE, labels, np.arange(90).astype(str),
        np.full(90, np.nan), np.full(90, ""), np.full(90, np.nan), triggers,
    )  # fmt: skip
    found = boosted_triggers(pictures, sides, 1)
    assert found.classes == ["high", "low", "none"]
    named = np.array(found.classes)[found.probabilities.argmax(axis=1)]
    assert (named == labels)[sides == "test"].mean() > 0.95
    assert found.validation_error <= 0.1
    assert 1 <= found.trees <= 20


def test_without_trigger_columns_there_is_nothing_to_learn():
    nothing = np.full(3, np.nan)
    pictures = LabelledPictures(
        np.zeros((3, 2, 2), np.uint8), SCALE, np.array(["a", "b", "c"]), np.array(["1", "2", "3"]),
        nothing, np.full(3, ""), nothing,
    )  # fmt: skip
    sides = np.array(["train", "validation", "test"])
    for same in (pictures, replace(pictures, triggers=np.ones((3, 5)))):
        with pytest.raises(ConfigError, match=r"no trigger columns.*learning\.metadata"):
            boosted_triggers(same, sides, 1)
