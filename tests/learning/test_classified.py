"""Accuracy, F1 and gaps against scikit-learn, and their intervals."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from closeness import near
from gwmorph.learning.classified import gains, prediction_scores, scores
from gwmorph.learning.scoring import confusion
from gwmorph.tables.finetune import FINETUNE_PREDICTIONS, FINETUNE_SCORES

NAMES = np.array(["a", "b", "c"])


def drawn(seed, rows=60, right=0.7):
    rng = np.random.default_rng(seed)
    labels = NAMES[rng.integers(3, size=rows)]
    said = np.where(rng.random(rows) < right, labels, NAMES[rng.integers(3, size=rows)])
    groups = (np.arange(rows) // 2).astype(str)
    return said, labels, groups


def by_figure(rows):
    return {(row["method"], row["figure"], row.get("morphology")): row for row in rows}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_figures_are_those_of_scikit_learn(seed, right):
    said, labels, groups = drawn(seed, right=right)
    found = by_figure(scores({"m": said}, labels, groups, 1))
    each = f1_score(labels, said, labels=NAMES, average=None, zero_division=0)
    assert found["m", "accuracy", None]["value"] == near(accuracy_score(labels, said))
    assert found["m", "macro_f1", None]["value"] == near(each.mean())
    for name, value in zip(NAMES, each, strict=True):
        assert found["m", "f1", name]["value"] == near(value)
        assert found["m", "f1", name]["pictures"] == (labels == name).sum()
    for row in found.values():
        assert 0 <= row["low"] <= row["high"] <= 1


def test_an_interval_is_that_of_glitches_not_of_pictures():
    # Pictures of a glitch are right or wrong together: four times as many add nothing.
    said, labels, groups = drawn(3, 80)
    once = by_figure(scores({"m": said}, labels, groups, 1))["m", "accuracy", None]
    often = by_figure(scores({"m": np.tile(said, 4)}, np.tile(labels, 4), np.tile(groups, 4), 1))[
        "m", "accuracy", None
    ]
    assert (once["low"], once["high"]) == (near(often["low"]), near(often["high"]))
    alone = np.arange(320).astype(str)
    apart = by_figure(scores({"m": np.tile(said, 4)}, np.tile(labels, 4), alone, 1))
    width = apart["m", "accuracy", None]["high"] - apart["m", "accuracy", None]["low"]
    assert width < 0.7 * (once["high"] - once["low"])


def test_a_gap_is_paired():
    said, labels, groups = drawn(3, 200)
    (same,) = gains("best", {"best": said, "other": said.copy()}, labels, groups, 1)
    assert (same["value"], same["low"], same["high"]) == (0, 0, 0)
    (gap,) = gains("best", {"best": labels, "other": said}, labels, groups, 1)
    macro = f1_score(labels, said, average="macro")
    assert gap["method"] == "other"
    assert gap["value"] == near(1 - macro)
    assert gap["low"] > 0


def test_a_class_that_is_said_but_never_true_counts_as_wrong():
    labels, said = np.array(["a", "a", "b", "b"]), np.array(["a", "x", "b", "b"])
    found = by_figure(scores({"m": said}, labels, np.arange(4).astype(str), 1))
    assert ("m", "f1", "x") not in found
    assert found["m", "macro_f1", None]["value"] == near((2 / 3 + 1) / 2)
    names, table = confusion(labels, said)
    np.testing.assert_array_equal(table, confusion_matrix(labels, said, labels=names))
    assert names == ["a", "b", "x"]


def test_every_encoder_and_every_set_is_scored_on_its_own():
    rows = []
    for number, (backbone, data) in enumerate([("a", "test"), ("a", "other"), ("b", "test")]):
        for method in ("probe", "full"):
            said, labels, groups = drawn(number, 20, 1.0 if method == "full" else 0.3)
            columns = zip(groups.tolist(), labels.tolist(), said.tolist(), strict=True)
            for row, (group, label, predicted) in enumerate(columns):
                about = {"backbone": backbone, "method": method, "data": data, "row": row}
                rows.append({**about, "group": group, "label": label, "predicted": predicted})
    table = pa.Table.from_pylist(rows, schema=FINETUNE_PREDICTIONS)
    found = prediction_scores(table, "full", 3)
    assert pa.Table.from_pylist(found, schema=FINETUNE_SCORES).num_rows == len(found)
    accuracy = {
        (row["backbone"], row["data"], row["method"]): row["value"]
        for row in found
        if row["figure"] == "accuracy"
    }
    assert len(accuracy) == 6
    assert all((value == 1) == (key[2] == "full") for key, value in accuracy.items())
    gaps = [row for row in found if row["figure"] == "macro_f1_gap"]
    assert [row["method"] for row in gaps] == ["probe"] * 3
