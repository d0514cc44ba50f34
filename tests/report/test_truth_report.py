import re

import pyarrow as pa
from matplotlib.colors import to_hex
from vector import drawn_twice

from filled import filled
from gwmorph.report import truth as module
from gwmorph.report.palette import cluster_color
from gwmorph.report.truth import draw_truth
from gwmorph.tables.block import LEDGER
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.truth import TRUTH


def injected(*rows: tuple[float, str]) -> pa.Table:
    own = {"detector": "H1", "duration": 1.0}
    return filled(TRUTH, *(own | {"gps_time": time, "morphology": name} for time, name in rows))


def found(*rows: tuple[float, int]) -> pa.Table:
    own = {"detector": "H1", "outlier": False}
    rows = ({"trigger_time": time, "cluster": cluster} for time, cluster in rows)
    return filled(CLUSTERS, *(own | row for row in rows))


TRUE = injected((100.0, "blip"), (200.0, "blip"), (300.0, "noise_burst"))


def drawn(clusters: pa.Table, truth: pa.Table, path) -> set:
    drawn_twice(path, draw_truth, clusters, truth, LEDGER.empty_table())
    return set(re.findall(r"fill: (#[0-9a-f]{6})", path.read_text()))


def test_perfect_clusters_are_said_to_be(tmp_path):
    events = found((100.0, 0), (200.0, 0), (300.0, 1), (400.0, 2))
    truth = injected((100.0, "blip"), (200.0, "blip"), (300.0, "noise_burst"), (400.0, "tomte"))
    title = module._title(events, truth)
    assert title.startswith("4 events of injections: 1.00 are of their cluster's commonest")
    assert title.endswith("AMI 1.00, ARI 1.00, 1.00 without the largest cluster")


def test_one_cluster_has_nothing_outside_of_it():
    title = module._title(found((100.0, 0), (200.0, 0), (300.0, 0)), TRUE)
    assert title.endswith("ARI 0.00")


def test_a_morphology_is_no_formula(tmp_path):
    truth = injected((100.0, r"$\frac$"))
    said = drawn_twice(
        tmp_path / "t.svg", draw_truth, found((100.0, 0)), truth, LEDGER.empty_table()
    )
    assert r"$\frac$  1/1" in said


def test_figure_has_the_colours_of_its_clusters(tmp_path):
    colors = drawn(found((100.0, 0), (300.0, 1), (301.5, 2)), TRUE, tmp_path / "t.svg")
    for cluster in range(3):
        assert to_hex(cluster_color(cluster)) in colors


def test_nothing_found_and_nothing_injected_are_drawn_and_said(tmp_path):
    drawn(found(), TRUE, tmp_path / "t.svg")
    drawn(found((100.0, 0)), TRUTH.empty_table(), tmp_path / "t.svg")
    assert module._title(found(), TRUE) == "No event shows anything that was injected"
