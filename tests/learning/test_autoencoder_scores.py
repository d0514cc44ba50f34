"""What an autoencoder is worth, counted another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from closeness import near
from gwmorph.learning.autoencoder import Crops
from gwmorph.learning.autoencoder_scores import (
    class_rows,
    error_rows,
    neighbor_classes,
    reconstruction_rows,
    trigger_vectors,
)

CLASS = st.sampled_from(["a", "b", "c", "d"])


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr("gwmorph.learning.scoring._REPEATS", 200)


@given(pairs=st.lists(st.tuples(CLASS, CLASS), min_size=1, max_size=30))
def test_figures_are_those_of_scikit_learn(pairs):
    told, labels = np.array(pairs).T
    rows = class_rows("x", "test", told, labels, np.arange(len(labels)).astype(str), 1)
    found = {row["figure"]: row for row in rows}
    assert found["accuracy"]["value"] == near(accuracy_score(labels, told))
    there = sorted(set(labels.tolist()))
    expected = f1_score(labels, told, labels=there, average="macro", zero_division=0)
    assert found["macro_f1"]["value"] == near(expected)
    assert all(0 <= row["low"] <= row["high"] <= 1 for row in rows)


def test_views_of_one_glitch_are_drawn_together():
    labels = np.repeat(["a", "b"], 40)
    told = np.where(np.arange(80) % 2, labels, "b")
    one_by_one = class_rows("x", "test", told, labels, np.arange(80).astype(str), 1)[0]
    tens = class_rows("x", "test", told, labels, (np.arange(80) // 20).astype(str), 1)[0]
    assert one_by_one["value"] == tens["value"] == near(0.75)
    assert tens["high"] - tens["low"] > one_by_one["high"] - one_by_one["low"]


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    errors = np.random.default_rng(2).exponential(1, 400)
    (row,) = error_rows("x", "test", errors, np.arange(400).astype(str), 3)
    assert row["value"] == near(errors.mean())
    assert (row["high"] - row["low"]) / (2 * 1.96 * errors.std() / 20) == near(1, rel=0.25)
    assert (row["figure"], row["views"]) == ("mse", 400)


def test_neighbours_vote():
    train = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [50.0]])
    labels = np.array(["a", "b", "a", "b", "b", "c"])
    asked = np.array([[0.1], [60.0]])
    assert neighbor_classes(train, labels, asked, "euclidean").tolist() == ["b", "b"]
    assert neighbor_classes(train[:1], labels[:1], train, "euclidean").tolist() == ["a"] * 6


def test_trigger_columns_are_scaled_by_the_training_alone():
    rng = np.random.default_rng(4)
    train, others = np.exp(rng.normal(3, 2, (200, 5))), np.exp(rng.normal(3, 2, (3, 5)))
    own, asked = trigger_vectors(train, others)
    np.testing.assert_allclose([own.mean(), own.std()], [0, 1], atol=1e-9)
    np.testing.assert_allclose(trigger_vectors(train, train[:2])[1], own[:2])
    assert asked.shape == (3, 5)


def test_the_gallery_ranks_classes_and_their_views():
    rng = np.random.default_rng(5)
    crops = Crops(
        rng.integers(0, 256, (15, 4, 56, 56)).astype(np.uint8),
        np.arange(256, dtype=np.float32) / 255,
    )
    labels = np.repeat(["a", "b", "c"], 5)
    errors = np.concatenate([0.3 + np.arange(5) / 100, 0.1 + np.arange(5) / 100, [0.2] * 5])
    rows = reconstruction_rows(crops, np.full((15, 4, 56, 56), 2.0, "f4"), errors, labels)
    ranks = [(row["class_rank"], row["label"], row["view_rank"]) for row in rows]
    assert ranks[::3] == [("best", "b", "best"), ("median", "c", "best"), ("worst", "a", "best")]
    assert [row["mse"] for row in rows[:3]] == [0.1, near(0.12), near(0.14)]
    assert [row["class_mse"] for row in rows[6:]] == [near(0.32)] * 3
    assert rows[8]["view"] == crops.indices[4].tobytes()
    assert set(rows[0]["drawn"]) == {255}
