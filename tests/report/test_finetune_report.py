"""The report of specialised encoders: every way, every class and every set are shown."""

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.learning.classified import prediction_scores
from gwmorph.report.finetune import (
    draw_confusion,
    draw_few_shot,
    draw_maps,
    draw_scores,
    write_few_shot_page,
    write_scores_page,
)
from gwmorph.tables.comparison import ENCODER_QUALITY
from gwmorph.tables.finetune import (
    FEW_SHOT,
    FEW_SHOT_BY_GLITCH,
    FINETUNE_MAPS,
    FINETUNE_PREDICTIONS,
    FINETUNE_SCORES,
    FULL,
    PROBE,
)


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(2)
    rows = []
    for data in ("test", "real glitches"):
        for method, wrong in ((PROBE, 0.5), (FULL, 0.0)):
            for row in range(12):
                label = ["blip", "koi_fish"][row % 2]
                said = "blip" if rng.random() < wrong else label
                rows.append(
                    {"backbone": "indomain", "method": method, "data": data, "row": row,
                     "group": f"g{row}", "label": label, "predicted": said}
                )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=FINETUNE_PREDICTIONS)


@pytest.fixture(scope="module")
def scores(predictions):
    found = prediction_scores(predictions, FULL, 3)
    return pa.Table.from_pylist(found, schema=FINETUNE_SCORES)


def test_the_page_has_every_way_set_and_class(scores, tmp_path):
    write_scores_page(scores, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    for words in ("Test part", "Another set: real glitches", PROBE, FULL, "koi_fish"):
        assert words in page
    assert "1.00 (1.00 to 1.00)" in page


def test_figures_are_drawn_the_same_twice(scores, predictions, tmp_path):
    maps = [
        {"backbone": "indomain", "when": when, "map": "t-SNE", "row": row, "label": "blip",
         "x": row / 2, "y": 1.0}
        for when in ("before", "after") for row in range(3)
    ]  # fmt: skip
    path = tmp_path / "a.svg"
    assert "koi_fish" in " ".join(drawn_twice(path, draw_scores, scores))
    assert drawn_twice(path, draw_confusion, predictions)
    assert drawn_twice(path, draw_maps, pa.Table.from_pylist(maps, schema=FINETUNE_MAPS))


def test_a_class_is_no_formula(predictions, tmp_path):
    name, path = r"$\frac$", tmp_path / "a.svg"
    rows = [
        row | {"label": row["label"].replace("blip", name), "predicted": name}
        for row in predictions.to_pylist()
    ]
    of_it = pa.Table.from_pylist(rows, schema=FINETUNE_PREDICTIONS)
    scores = pa.Table.from_pylist(prediction_scores(of_it, FULL, 3), schema=FINETUNE_SCORES)
    point = {"backbone": "indomain", "when": "after", "map": "t-SNE", "row": 0, "label": name,
             "x": 0.5, "y": 1.0}  # fmt: skip
    maps = pa.Table.from_pylist([point], schema=FINETUNE_MAPS)
    for draw, table in ((draw_scores, scores), (draw_confusion, of_it), (draw_maps, maps)):
        assert name in drawn_twice(path, draw, table)


def test_few_examples_are_listed_or_said_to_be_none(tmp_path):
    rows = [
        {"features": name, "data": "real", "figure": figure, "morphology": None, "value": 0.5,
         "low": 0.25, "high": 0.75, "pictures": 8}
        for name in ("indomain", "random") for figure in (FEW_SHOT, FEW_SHOT_BY_GLITCH)
    ]  # fmt: skip
    for given, words in ((rows, "random network"), ([], "no figure")):
        quality = pa.Table.from_pylist(given, schema=ENCODER_QUALITY)
        write_few_shot_page(quality, tmp_path / "a.html")
        assert words in (tmp_path / "a.html").read_text(encoding="utf-8")
        drawn_twice(tmp_path / "a.svg", draw_few_shot, quality)
