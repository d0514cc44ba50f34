import numpy as np
import pytest
from planted import blobs, unit

from closeness import near
from gwmorph.morphology.similarity import (
    UNKNOWN,
    farthest_known,
    name_clusters,
    names_of_rows,
    nearest_in,
)

VECTORS, TRUTH = blobs((120, 90, 60), 0.5)
CLASSES = np.array(["blip", "whistle", "tomte"])[TRUTH]
NEW, OF = blobs((120, 90, 60), 0.5)


@pytest.fixture(scope="module")
def elsewhere() -> np.ndarray:
    """Rows around a direction that no row of the reference is near."""
    return blobs((40,), 0.5, seed=99)[0]


def test_neighbours_are_those_of_all_cosines() -> None:
    rng = np.random.default_rng(0)
    reference, others = unit(rng.normal(size=(50, 6))), unit(rng.normal(size=(9, 6)))
    found = nearest_in(reference, others, 4)
    cosine = others.astype(float) @ reference.astype(float).T
    order = np.argsort(-cosine, axis=1)[:, :4]
    np.testing.assert_array_equal(found.rows, order)
    np.testing.assert_allclose(
        found.distances, 1 - np.take_along_axis(cosine, order, 1), atol=1e-6
    )


def test_a_small_reference_has_as_many_neighbours_as_rows() -> None:
    assert nearest_in(VECTORS[:3], VECTORS[:5], 5).rows.shape == (5, 3)
    assert nearest_in(VECTORS[:3], VECTORS[:0], 5).rows.shape == (0, 3)


def test_one_in_twenty_of_the_reference_is_farther() -> None:
    cosine = VECTORS.astype(float) @ VECTORS.T
    np.fill_diagonal(cosine, -1)
    nearest = 1 - cosine.max(axis=1)
    assert np.mean(nearest > farthest_known(VECTORS)) == pytest.approx(0.05, abs=0.01)


def test_rows_have_the_class_of_what_they_are_like(elsewhere: np.ndarray) -> None:
    farthest = 1.1 * farthest_known(VECTORS)
    named = names_of_rows(nearest_in(VECTORS, NEW, 5), CLASSES, farthest)
    assert (named == CLASSES).mean() > 0.95
    assert set(names_of_rows(nearest_in(VECTORS, elsewhere, 5), CLASSES, farthest)) == {UNKNOWN}


def test_clusters_are_named_with_their_evidence(elsewhere: np.ndarray) -> None:
    rows = np.concatenate([VECTORS[TRUTH == 1], elsewhere])
    labels = np.repeat([0, 1], [90, 40]).astype(np.int32)
    known, unknown = name_clusters(
        labels, nearest_in(VECTORS, rows, 5), CLASSES, farthest_known(VECTORS)
    )
    assert known.named == "whistle"
    assert known.agreeing == known.neighbors == 5 * 90
    assert unknown.named == UNKNOWN
    assert unknown.unknown == near(1.0)
    assert unknown.neighbors == 5 * 40


def test_a_cluster_whose_neighbours_disagree_has_no_name() -> None:
    """Thirds of three classes, as near as can be."""
    rows = np.concatenate([VECTORS[k == TRUTH][:30] for k in range(3)])
    (name,) = name_clusters(np.zeros(90, np.int32), nearest_in(VECTORS, rows, 5), CLASSES, 2.0)
    assert name.named == UNKNOWN
    assert name.agreeing == near(name.neighbors / 3, rel=0.05)
