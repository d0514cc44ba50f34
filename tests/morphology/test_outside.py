import numpy as np
from planted import SIZES, blobs, cloud

from gwmorph.config import ClusteringConfig
from gwmorph.morphology.clustering import cluster
from gwmorph.morphology.outside import WAYS, cut_without_umap, exist_outside, found_again

DEFAULTS = ClusteringConfig()


def test_planted_blobs_exist_outside_umap() -> None:
    vectors, truth = blobs(SIZES)
    outside = cut_without_umap(cluster(vectors, DEFAULTS, 3), DEFAULTS, 3)
    assert set(outside) == set(WAYS)
    jaccards = found_again(truth.astype(np.int32), outside)
    assert all((found > 0.95).all() for found in jaccards.values())
    assert exist_outside(jaccards).all()


def test_parts_of_a_cloud_do_not() -> None:
    """Cut across its longest axis, as UMAP may do."""
    vectors = cloud(400, 0.5, 1)
    axis = vectors - vectors.mean(axis=0)
    axis = axis @ np.linalg.svd(axis, full_matrices=False)[2][0]
    labels = np.digitize(axis, np.quantile(axis, [0.4, 0.8])).astype(np.int32)
    jaccards = found_again(labels, cut_without_umap(cluster(vectors, DEFAULTS, 3), DEFAULTS, 3))
    assert not exist_outside(jaccards).any()


def test_a_cluster_that_one_way_finds_exists() -> None:
    found = {"communities": np.array([0.2, 0.5, 0.4]), "components": np.array([0.9, 0.1, 0.49])}
    assert exist_outside(found).tolist() == [True, True, False]


def test_few_rows_are_one_group_without_umap_too() -> None:
    vectors, _ = blobs((6, 6))
    outside = cut_without_umap(cluster(vectors, DEFAULTS, 1), DEFAULTS, 1)
    assert {way: set(found) for way, found in outside.items()} == {way: {0} for way in WAYS}


def test_the_same_seed_cuts_the_same() -> None:
    vectors, _ = blobs((60, 40), spread=1.0)
    found = cluster(vectors, DEFAULTS, 5)
    first, again = (cut_without_umap(found, DEFAULTS, 5) for _ in range(2))
    assert all((first[way] == again[way]).all() for way in WAYS)
