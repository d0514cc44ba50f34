"""Agreement of clusters and neighbours with the injected classes."""

import numpy as np
import pyarrow as pa
import pytest

from closeness import near
from gwmorph.config import ClusteringConfig, MixtureConfig
from gwmorph.errors import TableError
from gwmorph.evidence.agreement import (
    TRIGGERS,
    VIEWS,
    agreement_rows,
    cluster_agreement,
    found_windows,
    neighbor_agreement,
)
from gwmorph.tables.injections import AGREEMENT, RECALL, injected_windows


def test_perfect_clusters_agree_perfectly():
    classes = np.repeat(["a", "b", "c"], 20)
    labels = np.repeat([2, 0, 1], 20)
    agreement = cluster_agreement(labels, classes)
    for name in ("ari", "ami", "purity", "jaccard", "ari_without_largest"):
        assert agreement[name] == near(1)
    assert agreement["largest_share"] == near(1 / 3)
    assert agreement["clusters"] == 3


def test_one_giant_cluster_agrees_with_nothing():
    classes = np.repeat(["a", "b"], 30)
    agreement = cluster_agreement(np.zeros(60, int), classes)
    assert agreement["ari"] == agreement["ami"] == 0
    assert agreement["purity"] == 0.5
    assert agreement["jaccard"] == 0.5
    assert agreement["largest_share"] == 1
    assert np.isnan(agreement["ari_without_largest"])


def test_jaccard_is_intersection_over_union():
    classes = np.array(["a"] * 6 + ["b"] * 4)
    labels = np.array([0] * 5 + [1] * 5)
    # Cluster 0: 5 of a's 6. Cluster 1: 4 of b, and one of a: 4 of 5.
    assert cluster_agreement(labels, classes)["jaccard"] == near((5 / 6 + 4 / 5) / 2)


def test_neighbours_are_others_and_the_nearest_breaks_a_tie():
    features = np.array([[0.0], [1.0], [2.5], [10.0]])
    classes = np.array(["a", "b", "b", "a"])
    # Three others each. 0 sees b, b, a; 1 sees a, b, a; 2 sees b, a, a; 3 sees b, b, a.
    assert neighbor_agreement(features, classes, "euclidean")["top1"] == 0
    pair = neighbor_agreement(np.array([[0.0], [1.0], [1.1]]), np.array(["a", "a", "b"]), "l2")
    # 0 sees a then b: the nearest says a, right. 1 sees b then a, 2 sees a twice: wrong.
    assert pair["top1"] == near(1 / 3)


def found(rng, size=40):
    """Injections whose trigger columns tell their class and whose views tell nothing."""
    classes = np.repeat(["low", "high"], size)
    schema = injected_windows({"view": 8})
    rows = {
        field.name: [{"string": "x", "int64": 0, "double": 1.0}.get(str(field.type))] * 2 * size
        for field in schema
    }
    rows["morphology"] = classes.tolist()
    rows["snr"] = [12.0] * 2 * size
    rows["trigger_frequency"] = (
        rng.lognormal(0, 0.1, 2 * size) * np.repeat([40, 400], size)
    ).tolist()
    for name in ("q", "duration", "bandwidth"):
        rows[f"trigger_{name}"] = rng.lognormal(0, 0.1, 2 * size).tolist()
    rows["trigger_snr"] = [None, *rng.lognormal(0, 0.1, 2 * size - 1).tolist()]
    views = rng.standard_normal((2 * size, 8)).astype("f4")
    rows["view"] = list(views / np.linalg.norm(views, axis=1, keepdims=True))
    return pa.table(rows, schema=schema)


def scored(table, scores):
    about = injected_windows({}).names
    rows = {**{name: table[name] for name in about}, "score": scores}
    quiet = {**rows, "role": ["test"] * len(table)}
    schema = injected_windows({"score": 1})
    injected = {**rows, "role": ["injection"] * len(table)}
    return pa.concat_tables([pa.table(quiet, schema=schema), pa.table(injected, schema=schema)])


def limits_of(**limits):
    common = {"morphology": "low", "snr": 12.0, "injections": 1, "found": 0, "recall": 0.0}
    rows = [
        {"statistic": s, "false_alarm_fraction": f, "limit": x, "low": 0.0, "high": 1.0, **common}
        for s, pairs in limits.items()
        for f, x in pairs
    ]
    return pa.Table.from_pylist(rows, schema=RECALL)


def test_found_is_above_the_limit_of_the_larger_fraction():
    table = found(np.random.default_rng(2), size=3)
    recall = limits_of(score=[(0.01, 3.0), (0.001, 5.0)], other=[(0.01, 0.0)])
    kept = found_windows(table, scored(table, [1.0, 4.0, 6.0, 3.0, 3.1, 0.0]), recall)
    assert kept["trigger_frequency"].to_pylist() == [
        table["trigger_frequency"][i].as_py() for i in (1, 2, 4)
    ]


def test_scores_of_other_injections_are_refused():
    table = found(np.random.default_rng(2), size=3)
    with pytest.raises(TableError, match="6 injections"):
        found_windows(table, scored(table, [1.0] * 6).slice(0, 8), limits_of())


def test_rows_tell_apart_what_views_and_columns_know():
    clustering = ClusteringConfig(mixture=MixtureConfig(components=3, starts=1))
    views, columns = agreement_rows(found(np.random.default_rng(1)), clustering, 1, "view")
    assert (views["features"], columns["features"]) == (VIEWS, TRIGGERS)
    assert columns["top1"] > 0.95
    assert 0.2 < views["top1"] < 0.8
    assert views["injections"] == columns["injections"] == 79  # one has no trigger
    assert abs(views["ari"]) < 0.15
    table = pa.Table.from_pylist([views, columns], schema=AGREEMENT)
    assert table["ari"].null_count == 1


def test_one_class_alone_has_no_agreement():
    table = found(np.random.default_rng(1)).slice(0, 40)
    assert agreement_rows(table, ClusteringConfig(), 1, "view") == []
