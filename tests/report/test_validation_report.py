"""Figures and pages of validation: drawn for any table, and true to it."""

import re

import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.report.ablation import LABELS, draw_ablation, write_ablation_page
from gwmorph.report.agreements import agreement_table
from gwmorph.report.anomaly import draw_noticed, write_anomaly_page
from gwmorph.report.clusterers import draw_clusterers, write_clusterers_page
from gwmorph.report.distortion import draw_distortion, write_distortion_page
from gwmorph.report.estimates import interval_text
from gwmorph.report.similarity import draw_similarity, write_similarity_page
from gwmorph.report.stability import draw_stability, write_stability_page
from gwmorph.tables.validation import (
    AGREEMENTS,
    ANOMALOUS_CLUSTERS,
    CLUSTERERS,
    CONFUSION,
    DISTORTION,
    NAMED_CLUSTERS,
    NAMING,
    NOT_APPLICABLE,
    NOTICED,
    PAIRS,
    SEPARATION,
    SURVIVAL,
)

FIGURES = ("ari", "ami", "macro_jaccard", "largest_share", "ari_without_largest")


def agreements(names, lost=()):
    rng = np.random.default_rng(0)
    rows = []
    for name in [*names, *lost]:
        for figure in FIGURES:
            value = float("nan") if name in lost else float(rng.uniform(0.3, 1))
            about = {"variant": name, "changed": NOT_APPLICABLE if name in lost else name}
            interval = {"value": value, "low": value - 0.1, "high": value + 0.05}
            rows.append({**about, "clusters": 5, "figure": figure, **interval, "rows": 90})
    return pa.Table.from_pylist(rows, schema=AGREEMENTS)


def pairs(names):
    rows = [
        {"one": one, "other": other, "ari": 0.5, "ami": 0.6}
        for i, one in enumerate(names)
        for other in names[i + 1 :]
    ]
    return pa.Table.from_pylist(rows, schema=PAIRS)


def survival(count):
    rows = [
        {
            "cluster": n, "members": 50 - n, "runs": 10, "survived": 10 - n,
            "share": 1 - n / 10, "mean_jaccard": 0.9, "stable": None if n == 3 else n < 3,
        }
        for n in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SURVIVAL)


def distortion(**interval):
    figures = ("trustworthiness", "continuity", "neighbor_preservation", "shepard_correlation")
    rows = [
        {"shown": shown, "figure": f, "value": 0.8, "low": 0.7, "high": 0.9, "rows": 90} | interval
        for shown in ("space", "map")
        for f in figures
    ]
    return pa.Table.from_pylist(rows, schema=DISTORTION)


def separation(count):
    rows = [
        {
            "cluster": n, "members": 9, "nearest_cluster": (n + 1) % count if count > 1 else None,
            "silhouette": 0.25 if count > 1 else None, "p_value": 0.005,
        }
        for n in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SEPARATION)


def noticed(*names):
    rows = [
        {"space": space, "left_out": name, "value": value, "low": 0.1, "high": 0.6, "rows": 40}
        for name in names
        for space, value in (("principal components", 0.25), ("UMAP space", 0.15))
    ]
    return pa.Table.from_pylist(rows, schema=NOTICED)


def anomalous(count):
    rows = [
        {
            "cluster": n, "members": 9, "anomalous": n, "anomalous_umap": 1, "flagged": 2 * n > 9,
        }
        for n in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ANOMALOUS_CLUSTERS)


@pytest.mark.parametrize("count", [1, 14, 40])
def test_stability_is_drawn_and_written_for_any_run(tmp_path, count):
    names = [f"seed {n}" for n in range(count + 1)]
    tables = agreements(names), pairs(["the run", *names]), survival(count)
    said = drawn_twice(tmp_path / "s.svg", draw_stability, *tables, 0.8)
    # Once beside its agreement, and once beside what it has in common with all others.
    assert all(said.count(name) == 2 for name in names)
    write_stability_page(agreements(names), survival(count), 0.8, {}, tmp_path / "s.html")
    page = (tmp_path / "s.html").read_text()
    assert "training" not in page
    assert page.count("<tr>") == 2 + count + len(names)
    assert f"<td>{10} of 10</td>" in page


def test_a_cluster_that_does_not_stay_says_so(tmp_path):
    write_stability_page(agreements(["seed 1"]), survival(5), 0.8, {}, tmp_path / "s.html")
    page = (tmp_path / "s.html").read_text()
    assert (page.count("<td>yes</td>"), page.count("<td>no</td>")) == (3, 1)
    assert page.count("<td>cannot be told</td>") == 1
    assert "found in 80% of them" in page


def test_another_training_is_named_by_its_encoder_id(tmp_path):
    known = {"training 1": "indomain:3:abc:224x224:float32"}
    write_stability_page(agreements(["training 1"]), survival(2), 0.8, known, tmp_path / "s.html")
    page = (tmp_path / "s.html").read_text()
    row = "<td>training 1</td><td>indomain:3:abc:224x224:float32</td>"
    assert page.index("Other trainings of the encoder") < page.index(row)


@pytest.mark.parametrize("count", [1, 20])
def test_distortion_is_drawn_and_written_for_any_run(tmp_path, run_tables, count):
    summary = run_tables(clusters=count).summary
    count = len(summary)
    tables = distortion(), separation(count), summary
    said = drawn_twice(tmp_path / "d.svg", draw_distortion, *tables)
    assert all(said.count(str(cluster)) >= 2 for cluster in range(count))
    write_distortion_page(*tables, tmp_path / "d.html")
    page = (tmp_path / "d.html").read_text()
    assert page.count("0.80 (0.70 to 0.90)") == 2 * 4
    assert page.count("<td>no</td>") == sum(
        not kept for kept in summary["outside_umap"].to_pylist()
    )


@pytest.mark.parametrize(
    "names", [(), (None,), (None, "koi_fish"), (r"$\frac$", *map(str, range(20)))]
)
def test_anomaly_is_drawn_and_written_for_any_run(tmp_path, names):
    said = drawn_twice(tmp_path / "n.svg", draw_noticed, noticed(*names), 0.05)
    assert ("koi fish" in said) == ("koi_fish" in names)
    assert any("No row could be judged" in text for text in said) == (not names)
    write_anomaly_page(anomalous(7), noticed(*names), 0.05, tmp_path / "n.html")
    page = (tmp_path / "n.html").read_text()
    assert page.count("0.25 (0.10 to 0.60)") == page.count("0.15 (0.10 to 0.60)") == len(names)
    assert (page.count("<td>yes</td>"), page.count("<td>no</td>")) == (2, 5)
    assert ("koi fish" in page) == ("koi_fish" in names)
    assert ("No row could be judged" in page) == (not names)


def test_clusters_that_were_not_judged_are_not_called_ordinary(tmp_path):
    rows = [{"cluster": n, "members": 9} for n in range(3)]
    clusters = pa.Table.from_pylist(rows, schema=ANOMALOUS_CLUSTERS)
    write_anomaly_page(clusters, noticed(), 0.05, tmp_path / "n.html")
    page = (tmp_path / "n.html").read_text()
    assert page.count("<td>not judged</td>") == 3
    assert "<td>no</td>" not in page


def test_an_interval_that_is_not_known_is_not_drawn_or_written(tmp_path, run_tables):
    unknown = distortion(low=float("nan"), high=float("nan"))
    summary = run_tables(clusters=3).summary
    drawn_twice(tmp_path / "d.svg", draw_distortion, unknown, separation(3), summary)
    write_distortion_page(unknown, separation(3), summary, tmp_path / "d.html")
    assert (tmp_path / "d.html").read_text().count("<td>0.80</td>") == 2 * 4


def test_what_does_not_apply_is_named_and_has_no_row(tmp_path):
    table = agreements(["gain_low", "random vectors"], ["colormap", "greyscale"])
    said = drawn_twice(tmp_path / "a.svg", draw_ablation, table)
    assert (LABELS["gain_low"] in said, LABELS["colormap"] in said) == (True, False)
    write_ablation_page(table, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert page.count("<tr>") == 1 + 2
    assert LABELS["gain_low"] in page
    said = re.search(r"<p>(.*)</p>", page)[1]
    assert said == f"Not applicable, since it {NOT_APPLICABLE}: another colormap, greyscale."


def test_a_table_of_agreements_has_every_figure_that_a_giant_cluster_cannot_carry():
    headings, rows = agreement_table(agreements(["seed 1"]))
    assert [text for text, _ in headings[2:]] == [
        "AMI", "ARI", "ARI without the largest cluster", "macro-Jaccard",
        "largest cluster's share",
    ]  # fmt: skip
    assert len(rows) == 1
    assert all(re.fullmatch(r"\d\.\d\d \(.* to .*\)", cell) for cell in rows[0][2:])


def test_intervals_are_written_as_far_as_they_are_known():
    nan = float("nan")
    assert interval_text(None) == ""
    assert interval_text({"value": nan, "low": nan, "high": nan}) == "none"
    assert interval_text({"value": 0.5, "low": nan, "high": nan}) == "0.50"
    assert interval_text({"value": 0.5, "low": 0.4, "high": 0.6}) == "0.50 (0.40 to 0.60)"
    chance = {"value": -0.001, "low": -0.004, "high": 0.003}
    assert interval_text(chance) == "0.00 (0.00 to 0.00)"


def named_clusters():
    rows = [
        {"cluster": 0, "named": "blip", "agreeing": 87, "neighbors": 100, "unknown": 0.02},
        {"cluster": 1, "named": "", "agreeing": 20, "neighbors": 60, "unknown": 0.9},
    ]
    return pa.Table.from_pylist(rows, schema=NAMED_CLUSTERS)


def scores(labels):
    rows = []
    for features in ("vectors", "trigger columns"):
        for label in [None, *labels]:
            interval = {"value": 0.7, "low": 0.6, "high": 0.8, "rows": 30}
            rows.append({"features": features, "figure": "top1", "label": label, **interval})
        unknown = dict.fromkeys(("low", "high"), float("nan"))
        agreed = {"figure": "ami", "label": None, "value": 0.66, **unknown, "rows": 60}
        rows.append({"features": features, **agreed})
    return pa.Table.from_pylist(rows, schema=NAMING)


def test_names_of_clusters_stand_with_their_evidence(tmp_path):
    write_similarity_page(named_clusters(), scores(["blip", "whistle"]), tmp_path / "s.html")
    page = (tmp_path / "s.html").read_text()
    assert "blip, 87 % of 100 neighbours agree</td><td>2 %</td>" in page
    assert "no known class (33 % of 60 neighbours agree)</td><td>90 %</td>" in page
    assert page.count("0.70 (0.60 to 0.80)") == 2 * 3
    assert page.count("<td>0.66</td>") == 2


def test_a_name_without_a_row_of_its_class_has_a_line(tmp_path):
    wrong = {"features": "vectors", "figure": "precision", "label": "scratchy", "value": 0.0}
    rows = [*scores(["blip"]).to_pylist(), {**wrong, "low": 0.0, "high": 0.4, "rows": 7}]
    table = pa.Table.from_pylist(rows, schema=NAMING)
    write_similarity_page(named_clusters(), table, tmp_path / "s.html")
    page = (tmp_path / "s.html").read_text()
    line = "scratchy</td><td>0</td><td></td><td>0.00 (0.00 to 0.40)</td>"
    assert line in page
    confusion = [{"label": "blip", "named": "scratchy", "rows": 7}]
    taken = pa.Table.from_pylist(confusion, schema=CONFUSION)
    said = drawn_twice(tmp_path / "s.svg", draw_similarity, table, taken)
    assert "scratchy" in said


def test_what_classes_are_taken_for_is_drawn(tmp_path):
    rows = [
        {"label": "blip", "named": "blip", "rows": 20},
        {"label": "blip", "named": "koi_fish", "rows": 5},
        {"label": "whistle", "named": "", "rows": 3},
        {"label": r"$\frac$", "named": r"$\sqrt$", "rows": 1},
    ]
    confusion = pa.Table.from_pylist(rows, schema=CONFUSION)
    labels = scores(["blip", "whistle", r"$\frac$"])
    said = drawn_twice(tmp_path / "s.svg", draw_similarity, labels, confusion)
    assert {"blip (30)", "whistle (30)", "koi fish", "none"} <= set(said)
    assert {r"$\frac$ (30)", r"$\sqrt$"} <= set(said)


def test_without_a_scored_row_figure_and_page_say_so(tmp_path):
    nothing = NAMING.empty_table()
    taken = CONFUSION.empty_table()
    said = drawn_twice(tmp_path / "s.svg", draw_similarity, nothing, taken)
    assert said == ["No row of known class can be scored"] * 2
    write_similarity_page(named_clusters(), nothing, tmp_path / "s.html")
    assert "No row of known class can be scored." in (tmp_path / "s.html").read_text()


CUTS = ("the run", "mixture", "hdbscan", "k-means", "random clusters")
INFORMATION = ("homogeneity", "completeness", "v_measure", "nmi")


def clusterers(**row):
    interval = {"value": 0.6, "low": 0.5, "high": 0.7, "rows": 1234}
    rows = [
        {"clusterer": name, "clusters": n + 3, "classes": 7, "figure": f, **interval, **row}
        for n, name in enumerate(CUTS)
        for f in (*FIGURES, *INFORMATION)
    ]
    return pa.Table.from_pylist(rows, schema=CLUSTERERS)


def test_clusterers_stand_side_by_side(tmp_path):
    said = drawn_twice(tmp_path / "c.svg", draw_clusterers, clusterers())
    assert all(said.count(f"{name} ({n + 3})") == 2 for n, name in enumerate(CUTS))
    write_clusterers_page(clusterers(), tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    assert "Compared on 1,234 labelled rows, number of classes 7." in page
    # What NMI says, V-measure does.
    assert page.count("0.60 (0.50 to 0.70)") == len(CUTS) * (len(FIGURES) + len(INFORMATION) - 1)
    for number, name in enumerate(CUTS):
        assert page.count(f"<td>{name}</td><td>{number + 3}</td>") == 2


def test_clusterers_without_a_class_to_compare_with_say_so(tmp_path):
    lost = clusterers(**dict.fromkeys(("value", "low", "high"), float("nan")), rows=4, classes=1)
    said = drawn_twice(tmp_path / "c.svg", draw_clusterers, lost)
    assert said.count("Too few rows or classes to compare with") == 2
    write_clusterers_page(lost, tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    assert "Too few rows or classes to compare with: 4 labelled rows, number of classes 1." in page
    assert "<td>k-means</td><td>6</td><td>none</td>" in page
    assert "Compared on" not in page


def test_one_unknown_figure_does_not_hide_the_others(tmp_path):
    rows = clusterers().to_pylist()
    rows[0]["value"] = float("nan")
    write_clusterers_page(pa.Table.from_pylist(rows, schema=CLUSTERERS), tmp_path / "c.html")
    assert "Compared on" in (tmp_path / "c.html").read_text()
