"""The report of an autoencoder."""

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.report.autoencoder import draw_reconstructions, scores_text
from gwmorph.tables.autoencoder import AUTOENCODER_SCORES, RECONSTRUCTIONS

RANKS = ("best", "median", "worst")


def reconstructions(classes=RANKS, brightness=200):
    """Views with one bright crop each, the one of 4 s, and black reconstructions."""
    view = np.zeros((4, 56, 56), np.uint8)
    view[3] = brightness
    rows = [
        {
            "class_rank": of_class, "label": f"class {of_class}", "class_mse": 0.0125,
            "view_rank": of_view, "mse": 0.0234, "view": view.tobytes(),
            "drawn": np.zeros_like(view).tobytes(),
        }
        for of_class in classes for of_view in RANKS
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=RECONSTRUCTIONS)


@pytest.mark.parametrize("classes", [RANKS, ("best",)])
def test_every_class_and_view_is_drawn_and_named(tmp_path, classes):
    path = tmp_path / "gallery.svg"
    said = " ".join(drawn_twice(path, draw_reconstructions, reconstructions(classes), "cividis"))
    for rank in classes:
        assert f"{rank} class:" in said
        assert f"class {rank}" in said
    assert said.count("drawn again, 0.0234") == 3 * len(classes)


def test_all_panels_have_one_scale(tmp_path):
    for name, brightness in (("bright", 200), ("faint", 100)):
        draw_reconstructions(
            reconstructions(brightness=brightness), "gray", tmp_path / f"{name}.png"
        )
    assert (tmp_path / "bright.png").read_bytes() != (tmp_path / "faint.png").read_bytes()


def score(scored, figure, part, value):
    about = {"scored": scored, "figure": figure, "part": part, "views": 1200}
    return {**about, "value": value, "low": value - 0.1, "high": value + 0.1}


def test_the_table_says_how_far_each_is_over_fitted():
    rows = [
        score("head alone", "accuracy", "train", 0.9),
        score("head alone", "accuracy", "validation", 0.85),
        score("head alone", "accuracy", "test", 0.8),
        score("neighbours", "accuracy", "validation", 0.6),
        score("neighbours", "accuracy", "test", 0.5),
        score("drawn again", "mse", "train", 0.02),
        score("drawn again", "mse", "validation", 0.025),
        score("drawn again", "mse", "test", 0.03),
    ]
    headings, text = scores_text(pa.Table.from_pylist(rows, schema=AUTOENCODER_SCORES))
    shown = [dict(zip(headings, line, strict=True)) for line in text]
    assert [line["test beside train"] for line in shown] == ["-0.100", "", "+50.0%"]
    assert shown[0]["test part"] == "0.80 (0.70 to 0.90)"
    assert shown[1]["train part"] == ""
    assert shown[2]["test part"].startswith("0.03000")
    assert {line["views"] for line in shown} == {"1,200"}
