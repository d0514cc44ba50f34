"""The report of classifiers."""

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from vector import drawn_twice

from gwmorph.learning.labelled_pictures import LabelledPictures
from gwmorph.report.supervised import (
    best_trainings,
    draw_confusions,
    draw_mistakes,
    supervised_text,
)
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.learning import PREDICTIONS, SUPERVISED

SCORES = {
    "accuracy": 0.9, "accuracy_low": 0.85, "accuracy_high": 0.95,
    "macro_f1": 0.8, "macro_f1_low": 0.7, "macro_f1_high": 0.9,
    "pictures": 100, "glitches": 100, "trained_on": 300, "classes": 3,
}  # fmt: skip


def trained(network, split, error, **facts):
    own = {
        "trained": f"{network}-{split}", "network": network, "batch_size": 32, "window": "all",
        "split": split, "validation_error": error, "parameters": 4_900_000, "epochs": 16.0,
        "best_epoch": 12.0, "start": "random", "start_sha256": None,
    }  # fmt: skip
    return {**own, **SCORES, **facts}


@pytest.fixture
def scored():
    nothing = dict.fromkeys(("batch_size", "parameters", "epochs", "best_epoch", "start"))
    rows = [
        # Better on the test part, but nobody may know.
        trained("vgg16", "random", 0.2, accuracy=0.99),
        trained("resnet10", "random", 0.1),
        trained("resnet10", "temporal", 0.3, start="a.pth", start_sha256="0123456789abcdef"),
        trained("triggers", "random", 0.05, **nothing),
    ]
    return pa.Table.from_pylist(rows, schema=SUPERVISED)


@pytest.fixture
def predictions():
    rows = [
        {"row": n, "group": f"g{n}", "label": label, "named": named, "probability": chance,
         "label_probability": 0.1}
        for n, (label, named, chance) in enumerate(
            [("a", "a", 0.9), ("a", "b", 0.8), ("b", "b", 0.9), ("b", "c", 0.95), ("a", "c", 0.4)]
        )
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PREDICTIONS)


def test_the_table_says_what_the_weights_began_as(scored):
    headings, rows = supervised_text(scored, {"resnet10-random": 3.14})
    cells = [dict(zip(headings, row, strict=True)) for row in rows]
    assert [cell["start of the weights"] for cell in cells] == [
        "RANDOM, no transfer", "RANDOM, no transfer", "a.pth (0123456789ab)", "",
    ]  # fmt: skip
    assert cells[1]["accuracy"] == "0.900 (0.850 to 0.950)"
    assert cells[1]["ms a picture"] == "3.1"
    assert cells[1]["parameters, millions"] == "4.90"
    assert cells[3]["network"] == "trigger columns alone"
    assert (cells[3]["batch"], cells[3]["ms a picture"], cells[3]["epochs"]) == ("", "", "")


def test_the_best_network_is_that_of_the_validation_part(scored):
    best = best_trainings(scored)
    assert [row["trained"] for row in best] == ["resnet10-random", "resnet10-temporal"]


def test_confusions_are_drawn_for_each_split(scored, predictions, tmp_path, monkeypatch):
    drawn = []
    both = {row["trained"]: predictions for row in best_trainings(scored)}
    drawn_twice(tmp_path / "a.svg", draw_confusions, best_trainings(scored), both)
    monkeypatch.setattr(Figure, "savefig", lambda figure, *a, **k: drawn.append(figure))
    best = best_trainings(scored)
    named = {row["trained"]: predictions for row in best}
    draw_confusions(best, named, tmp_path / "a.png")
    axes = drawn[0].axes
    assert len(axes) == 2
    # No picture is of class c, which therefore has a column and no row.
    assert axes[0].images[0].get_array().shape == (2, 3)
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["a", "b"]
    assert "resnet10" in axes[0].get_title("left")
    assert sorted(text.get_text() for text in axes[0].texts) == ["1", "1", "1", "1", "1"]


@pytest.fixture
def pictures():
    nothing = np.full(5, np.nan)
    shown = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((5, 8, 8), np.uint8)
    return LabelledPictures(
        shown, PictureScale("linear", 25.5, "cividis"), np.array(list("aabba")),
        np.array(list("12345")), nothing, np.full(5, ""), nothing,
    )  # fmt: skip


def test_the_surest_mistakes_come_first(pictures, predictions, tmp_path, monkeypatch):
    drawn = []
    drawn_twice(tmp_path / "a.svg", draw_mistakes, pictures, predictions, 2)
    monkeypatch.setattr(Figure, "savefig", lambda figure, *a, **k: drawn.append(figure))
    draw_mistakes(pictures, predictions, 2, tmp_path / "a.png")
    titles = [axes.get_title("left") for axes in drawn[0].axes]
    assert titles == ["b\nnamed c, 0.95", "a\nnamed b, 0.80"]
    shown = [axes.images[0].get_array()[0, 0] for axes in drawn[0].axes]
    for rgb, row in zip(shown, (3, 1), strict=True):
        np.testing.assert_array_equal(rgb, pictures.scale.rgb(np.uint8(row)))


def test_a_class_is_no_formula(pictures, scored, predictions, tmp_path):
    name = r"$\frac$"
    rows = [row | {"label": name} for row in predictions.to_pylist()]
    of_it = pa.Table.from_pylist(rows, schema=PREDICTIONS)
    best = best_trainings(scored)
    both = {row["trained"]: of_it for row in best}
    assert name in drawn_twice(tmp_path / "a.svg", draw_confusions, best, both)
    assert name in drawn_twice(tmp_path / "b.svg", draw_mistakes, pictures, of_it, 2)


def test_no_mistake_is_said(pictures, predictions, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *a, **k: drawn.append(figure))
    draw_mistakes(pictures, predictions.slice(0, 1), 2, tmp_path / "a.png")
    assert [text.get_text() for text in drawn[0].axes[0].texts] == [
        "no picture of the test part is named wrong"
    ]
