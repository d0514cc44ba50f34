"""Figures and the page of limits and statuses: drawn for any table, and true to it."""

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from closeness import near
from filled import filled
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.novelty import (
    COLUMNS,
    VECTORS,
    curve_rows,
    novelty_rows,
    powers,
    real_time_rows,
    resplit_rows,
)
from gwmorph.morphology.atlas import limit_rows
from gwmorph.morphology.manifest import EACH_CLASS, OVERALL
from gwmorph.morphology.thresholds import limits_of
from gwmorph.report import limits
from gwmorph.report.limits import _achieved, draw_limits, draw_novelty, write_limits_page
from gwmorph.report.palette import cluster_color
from gwmorph.report.statuses import draw_statuses, limit_text, novel_members, statuses_of
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
    noticed, curves, found = [], [], list(powers(VECTORS_OF, CLASSES))
    for name in (VECTORS, COLUMNS):
        noticed += novelty_rows(name, found, BLOCKS, [0.05], BOOTSTRAP)
        curves += curve_rows(name, found)
    return {
        "thresholds": limit_rows(limits, CLASSES.tolist(), 0.05),
        "achieved": pa.Table.from_pylist(achieved, schema=ACHIEVED_RATES),
        "novelty": pa.Table.from_pylist(noticed, schema=NOVELTY),
        "curves": pa.Table.from_pylist(curves, schema=NOVELTY_ROC),
    }


JUDGING = {"classes": "labels", "promise": OVERALL, "rate": 0.05}
EMPTY = {
    "thresholds": THRESHOLDS.empty_table(),
    "achieved": ACHIEVED_RATES.empty_table(),
    "novelty": NOVELTY.empty_table(),
    "curves": NOVELTY_ROC.empty_table(),
}


def draw(tables, folder, labelled=LABELLED):
    limits, novelty = folder / "limits.svg", folder / "novelty.svg"
    held = tables["thresholds"], tables["achieved"]
    return (
        drawn_twice(limits, draw_limits, labelled, *held, JUDGING),
        drawn_twice(novelty, draw_novelty, tables["novelty"], tables["curves"], OVERALL),
    )


def test_figures_name_every_class_with_its_limit(tables, tmp_path):
    limits, novelty = draw(tables, tmp_path)
    held = {row["label"]: row for row in tables["thresholds"].to_pylist()}
    assert {"all as one class (71)", "power line (40)", "blip (30)"} <= set(limits)
    for label in ("", "power_line", "blip"):
        assert f"{held[label]['limit']:.3f}" in limits
    assert "alone (1)" not in limits
    assert {"power line (40)", "blip (30)", "AUC"} <= set(novelty)


def test_a_class_is_no_formula(tables, tmp_path):
    def named(table):
        held = table["label"].to_pylist()
        labels = [label and label.replace("blip", r"$\frac$") for label in held]
        return table.set_column(table.column_names.index("label"), "label", pa.array(labels))

    classes = {name: named(table) for name, table in tables.items()}
    limits, novelty = draw(classes, tmp_path, named(LABELLED))
    assert r"$\frac$ (30)" in limits
    assert r"$\frac$ (30)" in novelty


def test_each_class_fills_its_line_by_a_scale_of_its_own(tables, tmp_path, monkeypatch):
    bars = {}
    monkeypatch.setattr(
        limits.Axes,
        "stairs",
        lambda self, tops, *_, baseline, **style: bars.update(
            {-baseline: (tops - baseline, style["color"])}
        ),
    )
    draw_limits(LABELLED, tables["thresholds"], tables["achieved"], JUDGING, tmp_path / "a.svg")
    assert sorted(bars) == [0, 1, 2]
    assert all(tops.max() == near(0.85) for tops, _ in bars.values())
    assert len({color for _, color in bars.values()}) == 1


def test_clusters_that_are_classes_have_their_colours():
    assert limits._class_color("cluster 12", "clusters") == cluster_color(12)
    assert limits._class_color("", "clusters") == limits._class_color("blip", "labels")


def test_nothing_is_drawn_as_words_and_is_not_what_something_is(tables, tmp_path):
    limits, novelty = draw(EMPTY, tmp_path, REFERENCE.empty_table())
    assert limits == ["No class has two labelled rows: there is no limit"]
    assert novelty == ["No class can be left out: too few labelled rows, or one class"] * 2


def write(tables, path, drift=(), **judging):
    shown = (tables[name] for name in ("thresholds", "achieved", "novelty"))
    write_limits_page(*shown, drift, JUDGING | judging, path)
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


@pytest.mark.parametrize(
    ("promise", "method"), [(OVERALL, "all classes as one"), (EACH_CLASS, "every class")]
)
def test_page_has_what_the_promise_in_use_does_to_each_class(tables, tmp_path, promise, method):
    page = write(tables, tmp_path / "a.html", promise=promise)
    assert f"The same by class, by {method}, by halves" in page
    (row,) = (
        row
        for row in tables["achieved"].to_pylist()
        if row["split"] == "halves of each class"
        and (row["method"], row["label"]) == (method, "power_line")
    )
    assert f"<td>{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})</td>" in page
    assert f"a row is NOVEL by {method}, at a rate of 0.05" in page
    assert page.count("Not in the table, of fewer than") == 2
    assert "fewer than 3 rows: alone (1)." in page
    assert "nobody has said" not in page
    assert "nobody has said" in write(tables, tmp_path / "b.html", classes="clusters")


def test_what_is_achieved_is_by_the_rule_and_at_the_rate_in_use(tables):
    rows = tables["achieved"].to_pylist()
    for promise, method in ((OVERALL, "all classes as one"), (EACH_CLASS, "every class")):
        found = _achieved(rows, 0.05, promise)
        assert found.keys() == {"", "blip", "power_line"}
        assert {row["method"] for row in found.values()} == {method}
    assert _achieved(rows, 0.2, OVERALL) == {}


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
    judged = (THRESHOLDS.empty_table(), OVERALL, "event")
    said = drawn_twice(tmp_path / "a.svg", draw_statuses, clusters, statuses, *judged)
    assert {"KNOWN (2)", "AMBIGUOUS (1)", "NOVEL (1)"} <= set(said)
    nothing = (CLUSTERS.empty_table(), STATUSES.empty_table())
    assert "no events" in drawn_twice(tmp_path / "b.svg", draw_statuses, *nothing, *judged)


def test_a_map_says_the_rate_that_is_granted_not_the_one_that_was_asked_for():
    limits = limits_of(VECTORS_OF, CLASSES, 0.0001, 1)
    table = limit_rows(limits, CLASSES.tolist(), 0.0001)
    whole = next(one for one in limits if one.label == "")
    text = f"NOVEL below a cosine of {whole.limit:.3f}, as 0.014 of new rows like the 71 known"
    assert limit_text(table, OVERALL) == f"{text} ones are"
    assert "at most 0.032 of new rows of any class" in limit_text(table, EACH_CLASS)
    for promise in (OVERALL, EACH_CLASS):
        assert "nothing is NOVEL" in limit_text(THRESHOLDS.empty_table(), promise)
