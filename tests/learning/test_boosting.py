"""What the trigger columns alone are worth."""

from dataclasses import replace

import numpy as np
import pytest

from gwmorph.errors import ConfigError
from gwmorph.learning import boosting
from gwmorph.learning.boosting import balanced_trees, boosted_trees, boosted_triggers
from gwmorph.learning.labelled_pictures import LabelledPictures
from gwmorph.spectra.pictures import PictureScale

SCALE = PictureScale("linear", 25.5, "cividis")


def test_the_trigger_columns_tell_what_they_hold(monkeypatch):
    monkeypatch.setattr(boosting, "_TREES", 20)
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


def test_boosting_reads_one_column_and_bears_missing_ones():
    rng = np.random.default_rng(4)
    columns = rng.normal(size=(120, 3))
    labels = np.where(columns[:, 1] > 0, "high", "low")
    columns[::10, 0] = np.nan
    trees = balanced_trees(columns, labels, 1)
    fresh = rng.normal(size=(80, 3))
    right = trees.predict(fresh) == np.where(fresh[:, 1] > 0, "high", "low")
    assert right.mean() > 0.9


def test_small_classes_count_as_much_as_large_ones():
    # Of what has a 1 a third is of the rare class, too few to be named unless they count more.
    columns = np.tile([[0.0], [1.0]], (60, 1))
    rare = (columns[:, 0] > 0) & (np.arange(120) % 3 == 0)
    labels = np.where(rare, "rare", "usual")
    assert "rare" in balanced_trees(columns, labels, 1).predict(columns)
    assert "rare" not in boosted_trees(columns, labels, 5, 1).predict(columns)
