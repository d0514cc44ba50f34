"""Clusterers side by side: islands that all of them find, and what must not pass for agreement."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from closeness import near
from gwmorph.config import ClusteringConfig
from gwmorph.errors import ClusteringError
from gwmorph.evidence import clusterers
from gwmorph.evidence.clusterers import (
    COMPONENTS,
    FINITE_MIXTURE,
    K_MEANS,
    RANDOM,
    clusterer_rows,
    cut_by_all,
    finite_mixture,
    k_means,
)
from gwmorph.evidence.sample import Sample
from gwmorph.evidence.stability import RUN
from gwmorph.morphology import separation
from gwmorph.morphology.layout import lay_out
from gwmorph.morphology.methods import METHODS
from gwmorph.morphology.partitions import FIGURES, INFORMATION
from morphology.planted import blobs, cloud

SIZES = (120, 90, 60, 30)
ROWS = sum(SIZES)
BLOCKS = np.arange(ROWS) // 10
QUICK = ClusteringConfig.model_validate(
    {"mixture": {"components": 8, "starts": 1}, "separation": {"surrogates": 5, "rows": 200}}
)
EVERY = [RUN, *METHODS, K_MEANS, FINITE_MIXTURE, RANDOM]


@pytest.fixture(autouse=True)
def one_thread():
    """As `cut_by_all` holds it: many threads take turns with small matrices."""
    with threadpool_limits(limits=1):
        yield


def sample_of(vectors, labels):
    rows = np.arange(len(vectors))
    return Sample(rows, vectors, np.asarray(labels, np.int32), rows // 10)


@pytest.fixture(scope="module")
def islands():
    """Four islands, which the run's clusters are, and the classes of two thirds of their rows."""
    vectors, truth = blobs(SIZES)
    classes = np.array(["blip", "tomte", "whistle", "koi_fish"])[truth]
    classes[::3] = ""
    return sample_of(vectors, truth), classes


@pytest.fixture(scope="module")
def partitions(islands):
    return cut_by_all(islands[0], QUICK, 7, 17)


@pytest.fixture(scope="module")
def rows(islands, partitions):
    return clusterer_rows(partitions, islands[1], BLOCKS, 20, 1)


def values(rows, clusterer):
    return {row["figure"]: row["value"] for row in rows if row["clusterer"] == clusterer}


def test_each_clusterer_has_every_figure_with_its_interval(rows):
    assert [row["clusterer"] for row in rows[:: len(rows) // len(EVERY)]] == EVERY
    for name in EVERY:
        assert list(values(rows, name)) == [*FIGURES, *INFORMATION]
    assert {row["rows"] for row in rows} == {ROWS * 2 // 3}
    assert {row["classes"] for row in rows} == {4}
    found = [row for row in rows if row["figure"] == "ami" and row["clusterer"] == RANDOM]
    assert found[0]["low"] < found[0]["value"] < found[0]["high"]


@pytest.mark.parametrize("name", [name for name in EVERY if name != RANDOM])
def test_islands_are_found_by_every_method(rows, name):
    found = values(rows, name)
    assert found["ari"] > 0.95
    assert found["ami"] > 0.95
    assert found["ari_without_largest"] > 0.9
    assert found["homogeneity"] > 0.95


def test_random_clusters_have_the_runs_sizes_and_agree_with_nothing(rows, islands, partitions):
    np.testing.assert_array_equal(np.bincount(partitions[RANDOM]), np.bincount(islands[0].labels))
    found = values(rows, RANDOM)
    assert abs(found["ari"]) < 0.04
    assert abs(found["ami"]) < 0.04
    assert found["largest_share"] == near(values(rows, RUN)["largest_share"], rel=0.2)


def test_the_run_is_compared_as_it_is(islands, partitions):
    np.testing.assert_array_equal(partitions[RUN], islands[0].labels)


def test_clusters_are_those_of_all_rows_and_not_only_of_known_ones(islands, partitions):
    _, classes = islands
    only = np.where(np.arange(ROWS) < 40, classes, "")
    one = {RUN: np.arange(ROWS, dtype=np.int32)}
    assert {row["clusters"] for row in clusterer_rows(one, only, BLOCKS, 20, 1)} == {ROWS}


def test_a_partition_like_the_classes_is_worth_more_than_one_cut_too_fine():
    """Ten rows a class: each row alone is as homogeneous as the classes, and no agreement."""
    classes = np.repeat(["a", "b", "c", "d"], 10)
    alone = np.arange(40, dtype=np.int32)
    cuts = {"classes": alone // 10, "halves": alone // 5, "alone": alone}
    rows = clusterer_rows(cuts, classes, np.arange(40) // 2, 20, 1)
    assert [values(rows, name)["homogeneity"] for name in cuts] == near([1.0, 1.0, 1.0])
    ari = [values(rows, name)["ari"] for name in cuts]
    assert ari[0] == near(1.0)
    assert ari[0] > ari[1] > ari[2]
    assert abs(ari[2]) < 1e-9
    assert values(rows, "halves")["completeness"] == near(2 / 3)
    assert values(rows, "halves")["v_measure"] == near(0.8)


def test_a_class_with_one_member_is_one_more_class(islands, partitions):
    _, classes = islands
    classes = classes.copy()
    classes[1] = "scratchy"
    rows = clusterer_rows(partitions, classes, BLOCKS, 20, 1)
    assert {row["classes"] for row in rows} == {5}
    assert values(rows, "mixture")["ari"] > 0.9


def test_one_cluster_of_all_rows_is_no_agreement():
    """A cloud of two classes that the run has in one cluster."""
    vectors = cloud(120, 0.5, 1)
    classes = np.array(["a", "b"])[np.random.default_rng(3).integers(0, 2, 120)]
    sample = sample_of(vectors, np.zeros(120))
    found = cut_by_all(sample, QUICK, 7, 17)
    assert len(np.unique(found[K_MEANS])) == 1
    rows = clusterer_rows(found, classes, sample.blocks, 20, 1)
    for name in (RUN, K_MEANS, RANDOM):
        one = values(rows, name)
        assert (one["ari"], one["homogeneity"], one["largest_share"]) == (0, 0, 1)
        assert np.isnan(one["ari_without_largest"])
    assert all(abs(values(rows, name)["ari"]) < 0.1 for name in EVERY)


@pytest.mark.parametrize(("known", "classes"), [(0, 0), (9, 2), (40, 1)])
def test_too_few_rows_or_classes_have_no_value(partitions, known, classes):
    named = np.full(ROWS, "", dtype="U1")
    named[:known] = np.array(["a", "b"])[np.arange(known) % max(classes, 1)]
    rows = clusterer_rows(partitions, named, BLOCKS, 20, 1)
    assert len(rows) == len(EVERY) * (len(FIGURES) + len(INFORMATION))
    assert all(np.isnan(row[name]) for row in rows for name in ("value", "low", "high"))
    assert {(row["rows"], row["classes"]) for row in rows} == {(known, classes)}
    assert {row["clusters"] for row in rows if row["clusterer"] == RUN} == {4}


def test_ten_rows_of_two_classes_are_enough(partitions):
    named = np.full(ROWS, "", dtype="U1")
    named[:10] = np.array(["a", "b"])[np.arange(10) % 2]
    assert np.isfinite(values(clusterer_rows(partitions, named, BLOCKS, 20, 1), RUN)["ari"])


def test_vectors_that_are_not_finite_are_refused(islands):
    vectors = islands[0].vectors.copy()
    vectors[5, 3] = np.nan
    with pytest.raises(ClusteringError, match=r"1 of 300 vectors .* row 5"):
        cut_by_all(replace(islands[0], vectors=vectors), QUICK, 7, 17)


def test_vectors_that_are_all_the_same_are_refused(islands):
    vectors = np.tile(islands[0].vectors[:1], (ROWS, 1))
    with pytest.raises(ClusteringError, match="All 300 vectors are the same"):
        cut_by_all(replace(islands[0], vectors=vectors), QUICK, 7, 17)


def test_equal_seeds_cut_equally_and_others_deal_otherwise(islands, partitions):
    separation._levels.cache_clear()
    again = cut_by_all(islands[0], QUICK, 7, 17)
    for name in EVERY:
        np.testing.assert_array_equal(again[name], partitions[name])
    other = cut_by_all(islands[0], QUICK, 7, 18)
    assert (other[RANDOM] != partitions[RANDOM]).any()


@pytest.fixture(scope="module")
def layout():
    return lay_out(blobs(SIZES)[0], QUICK, 7)


def test_bic_chooses_as_many_gaussians_as_there_are(layout):
    """Long ones, crossed by nothing: spheres would take several for each."""
    rng = np.random.default_rng(5)
    truth = np.repeat(np.arange(3), 100)
    space = rng.normal(size=(ROWS, 2)) * [8, 1] + np.array([[0, 0], [0, 12], [0, 24]])[truth]
    found = finite_mixture(replace(layout, space=space), 17)
    assert len(np.unique(found)) == 3
    assert adjusted_rand_score(found, truth) > 0.99
    # Far rows are no component of their own: a milder price for one than BIC's takes three.
    alone = np.random.default_rng(5).standard_t(5, size=(ROWS, 2))
    assert len(np.unique(finite_mixture(replace(layout, space=alone), 17))) == 1


def test_rows_on_one_spot_do_not_make_a_component_each(layout):
    """A density of any height is not a likelihood that BIC may believe."""
    rng = np.random.default_rng(6)
    space = rng.normal(size=(ROWS, 3))
    space[:60] = np.repeat(space[:3], 20, axis=0)
    assert len(np.unique(finite_mixture(replace(layout, space=space), 17))) < 4


def test_no_more_components_are_tried_than_rows_allow(layout, monkeypatch):
    """Eight spots of two rows, with nothing added to their variances: five would be too many."""
    monkeypatch.setattr(clusterers, "local_variance", lambda space: 1e-6)
    spots = np.random.default_rng(2).normal(size=(8, 2))
    found = finite_mixture(replace(layout, space=np.repeat(spots, 2, axis=0)), 17)
    assert len(np.unique(found)) == max(count for count in COMPONENTS if count <= 16 // 3)


@pytest.mark.filterwarnings("error", "ignore:Tensorflow not installed:ImportWarning")  # UMAP's
def test_k_means_has_as_many_clusters_as_it_is_told_and_no_more_than_rows_differ(layout):
    assert len(np.unique(k_means(layout, 6, 17))) == 6
    copies = replace(layout, components=np.repeat(layout.components[:3], 100, axis=0))
    found = k_means(copies, 6, 17)
    assert [len(set(found[start : start + 100].tolist())) for start in (0, 100, 200)] == [1, 1, 1]
    assert len(np.unique(found)) == 3
