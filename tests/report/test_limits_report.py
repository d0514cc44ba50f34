"""Figures and the page of limits and statuses: drawn for any table, and true to it."""

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from filled import filled
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.novelty import (
    COLUMNS,
    VECTORS,
    curve_rows,
    novelty_rows,
    real_time_rows,
    resplit_rows,
)
from gwmorph.morphology.atlas import limit_rows
from gwmorph.morphology.thresholds import OVERALL, limits_of
from gwmorph.report.limits import draw_limits, draw_novelty, write_limits_page
from gwmorph.report.statuses import draw_statuses, novel_members, statuses_of
from gwmorph.tables.calibration import (
    ACHIEVED_RATES,
    DRIFT,
    NOVELTY,
    NOVELTY_ROC,
    STATUSES,
    THRESHOLDS,
)
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.embeddings import embedding_column
from gwmorph.tables.validation import REFERENCE

CLASSES = np.array(["power_line"] * 40 + ["blip"] * 30 + ["alone"])
RNG = np.random.default_rng(3)
VECTORS_OF = np.eye(8)[[0] * 40 + [1] * 30 + [2]] + 0.2 * RNG.normal(size=(71, 8))
VECTORS_OF = (VECTORS_OF / np.linalg.norm(VECTORS_OF, axis=1, keepdims=True)).astype(np.float32)
LABELLED = pa.table({"label": CLASSES.tolist(), "embedding": embedding_column(VECTORS_OF)})
BLOCKS, BOOTSTRAP = np.arange(71) // 5, Bootstrap(256, 20, 1)


@pytest.fixture(scope="module")
def tables():
    limits = limits_of(VECTORS_OF, CLASSES, 0.05, 1)
    achieved = resplit_rows(VECTORS_OF, CLASSES, [0.05], 3, 1)
    times = np.arange(71.0)
    achieved += real_time_rows(VECTORS_OF, CLASSES, BLOCKS, times, 0.0, [0.05], BOOTSTRAP)
    noticed, curves = [], []
    for name in (VECTORS, COLUMNS):
        noticed += novelty_rows(name, VECTORS_OF, CLASSES, BLOCKS, [0.05], BOOTSTRAP)
        curves += curve_rows(name, VECTORS_OF, CLASSES)
    return {
        "thresholds": limit_rows(limits, CLASSES.tolist(), 0.05),
        "achieved": pa.Table.from_pylist(achieved, schema=ACHIEVED_RATES),
        "novelty": pa.Table.from_pylist(noticed, schema=NOVELTY),
        "curves": pa.Table.from_pylist(curves, schema=NOVELTY_ROC),
    }


EMPTY = {
    "thresholds": THRESHOLDS.empty_table(),
    "achieved": ACHIEVED_RATES.empty_table(),
    "novelty": NOVELTY.empty_table(),
    "curves": NOVELTY_ROC.empty_table(),
}


def draw(tables, folder, labelled=LABELLED):
    draw_limits(labelled, tables["thresholds"], tables["achieved"], 0.05, folder / "limits.png")
    draw_novelty(tables["novelty"], tables["curves"], OVERALL, folder / "novelty.png")
    return [(folder / f"{name}.png").read_bytes() for name in ("limits", "novelty")]


def test_figures_are_flat_and_the_same_twice(tables, tmp_path):
    assert draw(tables, tmp_path) == draw(tables, tmp_path)
    for name in ("limits", "novelty"):
        width, height = Image.open(tmp_path / f"{name}.png").size
        assert width >= 1.59 * height


def test_nothing_is_drawn_as_words_and_is_not_what_something_is(tables, tmp_path):
    nothing = draw(EMPTY, tmp_path, REFERENCE.empty_table())
    assert nothing[0] != draw(tables, tmp_path)[0]


def write(tables, path, drift=()):
    write_limits_page(tables["thresholds"], tables["achieved"], tables["novelty"], drift, path)
    return path.read_text()


def test_page_has_every_class_its_limit_and_what_became_of_it(tables, tmp_path):
    page = write(tables, tmp_path / "a.html")
    limit = next(row for row in tables["thresholds"].to_pylist() if row["label"] == "blip")
    assert f">blip</td><td>30</td><td>0.05</td><td>{limit['granted']:.3f}</td>" in page
    assert f"<td>{limit['limit']:.3f}</td>" in page
    assert ">alone</td><td>1</td><td>0.05</td><td>none</td><td>none</td><td>none</td>" in page
    assert "power line" in page
    for split in ("halves of each class", "later half", "other stretches of time"):
        assert f">{split}</td>" in page
    auc = next(row for row in tables["novelty"].to_pylist() if row["figure"] == "auc")
    assert f"{auc['value']:.2f} ({auc['low']:.2f} to {auc['high']:.2f})" in page
    assert "Drift" not in page


def test_page_of_nothing_says_so(tmp_path):
    page = write(EMPTY, tmp_path / "a.html")
    assert "there is no limit." in page
    assert "No class can be left out" in page


@pytest.mark.parametrize(
    ("p", "again", "said"), [(0.001, True, "yes"), (float("nan"), False, "too few stretches")]
)
def test_page_says_whether_to_recalibrate(tables, tmp_path, p, again, said):
    row = {"then_rows": 71, "now_rows": 90, "p_value": p, "recalibrate": again}
    page = write(tables, tmp_path / "a.html", [filled(DRIFT, row)])
    assert ">Drift</h2>" in page
    assert f"<td>{said}</td>" in page


def test_a_status_belongs_to_its_row_in_any_order(tmp_path):
    keys = [{"detector": "H1", "gps_start": 32 * n, "trigger_time": n + 0.5} for n in range(4)]
    kinds = ["KNOWN", "NOVEL", "AMBIGUOUS", "KNOWN"]
    rows = [key | {"status": kind} for key, kind in zip(keys, kinds, strict=True)]
    clusters = filled(CLUSTERS, *(key | {"x": i, "y": i} for i, key in enumerate(keys)))
    statuses = filled(STATUSES, *rows[::-1])
    assert statuses_of(clusters, statuses).tolist() == kinds
    assert novel_members(clusters, statuses) == {0: 1}
    draw_statuses(clusters, statuses, "event", tmp_path / "a.png")
    draw_statuses(CLUSTERS.empty_table(), STATUSES.empty_table(), "event", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
