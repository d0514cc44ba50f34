import random
import warnings
from dataclasses import replace

import numpy as np
import pytest
from planted import SIZES, blobs, cloud
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from closeness import near
from gwmorph.config import ClusteringConfig
from gwmorph.morphology import methods
from gwmorph.morphology.layout import Layout, lay_out
from gwmorph.morphology.methods import METHODS, communities_of, mixture

VECTORS, TRUTH = blobs(SIZES)
DEFAULTS = ClusteringConfig()


@pytest.fixture(scope="module")
def layout() -> Layout:
    return lay_out(VECTORS, DEFAULTS, 11)


def _labels(layout: Layout, method: str, **keys) -> np.ndarray:
    groups = METHODS[method](layout, ClusteringConfig(**keys), 11)
    return groups.responsibilities.argmax(axis=1)


@pytest.mark.parametrize("method", METHODS)
def test_no_group_of_any_method_mixes_islands(layout: Layout, method: str) -> None:
    groups = METHODS[method](layout, DEFAULTS, 11)
    assert groups.responsibilities.dtype == np.float32
    np.testing.assert_allclose(groups.responsibilities.sum(axis=1), 1, rtol=1e-4)
    labels = groups.responsibilities.argmax(axis=1)
    assert all(len(set(TRUTH[labels == label])) == 1 for label in set(labels))
    assert np.isfinite(groups.log_density(layout.space)).all() == (method == "mixture")


@pytest.mark.parametrize("method", METHODS)
def test_methods_repeat_their_groups(layout: Layout, method: str) -> None:
    first, second = (METHODS[method](layout, DEFAULTS, 3).responsibilities for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_mixture_that_uses_all_components_is_fitted_with_more(layout: Layout) -> None:
    tight = ClusteringConfig(mixture={"components": 2})
    groups = mixture(layout, tight, 11)
    assert groups.figures["truncations"][:2] == [2, 4]
    assert groups.figures["components_used"] < groups.figures["truncations"][-1]
    labels = groups.responsibilities.argmax(axis=1)
    assert all(len(set(TRUTH[labels == label])) == 1 for label in set(labels))


def test_a_prior_of_the_size_of_the_space_would_join_islands(layout: Layout) -> None:
    spread = layout.space.var(axis=0).mean()
    local = _labels(layout, "mixture")
    blown = {"covariance_scale": 1000.0, "starts": 1}
    joined = _labels(layout, "mixture", mixture=blown)
    assert spread > 1
    assert len(set(joined)) < len(set(local))


def test_the_mixture_says_whether_it_converged(layout: Layout) -> None:
    figures = mixture(layout, DEFAULTS, 11).figures
    assert figures["converged"] is True
    assert figures["starts_converged"] == figures["starts"] == 3
    assert figures["warnings"] == []
    assert 1 < figures["effective_components"] < 40
    assert figures["fitted_rows"] == 600


def test_a_mixture_that_does_not_converge_says_so() -> None:
    blurred = lay_out(cloud(300, 0.2, 1), DEFAULTS, 1)
    impatient = ClusteringConfig(mixture={"max_iterations": 10, "starts": 3})
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        figures = mixture(blurred, impatient, 1).figures
    assert figures["starts_converged"] < 3
    assert len(figures["warnings"]) == 1
    assert "converge" in figures["warnings"][0]


def test_communities_follow_the_islands_and_leave_the_random_state(layout: Layout) -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    labels = communities_of(layout.graph, 0.05, 7)
    assert random.random() == expected
    assert adjusted_rand_score(TRUTH, labels) == 1
    finer = communities_of(layout.graph, 2.0, 7)
    assert len(set(finer)) > len(set(labels))


def test_what_hdbscan_leaves_out_goes_to_the_nearest_group(layout: Layout) -> None:
    rng = np.random.default_rng(0)
    islands = np.repeat([[0.0, 0.0], [8.0, 0.0]], [300, 250], axis=0)
    space = np.vstack(
        [islands + 0.2 * rng.normal(size=islands.shape), rng.uniform(-40, 40, (50, 2))]
    )
    layout = replace(layout, space=space)
    groups = METHODS["hdbscan"](layout, ClusteringConfig(hdbscan={"min_cluster_size": 60}), 1)
    assert groups.figures["left_out"] >= 40
    labels = groups.responsibilities.argmax(axis=1)
    assert len(set(labels[:300])) == len(set(labels[300:550])) == 1
    for row in range(550, 600):
        away = np.linalg.norm(space[:550] - space[row], axis=1)
        assert labels[row] == labels[away.argmin()]
    huge = METHODS["hdbscan"](layout, ClusteringConfig(hdbscan={"min_cluster_size": 600}), 1)
    assert huge.responsibilities.shape == (600, 1)
    assert huge.figures["left_out"] == 600


def test_a_mixture_of_many_rows_is_fitted_to_some(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "_FIT_ROWS", 200)
    groups = mixture(layout, DEFAULTS, 11)
    assert groups.figures["fitted_rows"] == 200
    assert len(groups.responsibilities) == 600
    labels = groups.responsibilities.argmax(axis=1)
    assert all(len(set(TRUTH[labels == label])) == 1 for label in set(labels))


def test_the_mixture_begins_where_its_seed_says(layout: Layout, monkeypatch) -> None:
    """Even where the communities are the same, and with each of its starts in its own place."""
    begun = []

    class Noted(methods.BayesianGaussianMixture):
        def fit(self, X, y=None):
            begun.append(self.random_state)
            return super().fit(X, y)

    monkeypatch.setattr(methods, "BayesianGaussianMixture", Noted)
    few = replace(layout, space=layout.space[:150], graph=layout.graph[:150, :150])
    for seed in (3, 3, 4):
        mixture(few, ClusteringConfig(mixture={"starts": 3, "components": 6}), seed)
    first, again, other = np.array_split(begun, 3)
    np.testing.assert_array_equal(first, again)
    assert len({*first, *other}) == 2 * len(set(first)) >= 4


def test_a_mixture_of_many_rows_draws_them_by_its_seed() -> None:
    first, again, other = (methods._sample(1000, 100, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert len(np.intersect1d(first, other)) < 50


def test_thelocal_variance_where_most_neighbours_coincide() -> None:
    """The median distance to the tenth neighbour; a mean one where that is 0; else 1."""
    line = np.arange(40.0)[:, None]
    expected = np.sort(np.abs(line - line.T), axis=1)[:, 10]
    assert methods.local_variance(line) == near(np.median(expected) ** 2)
    # Eleven points in one place have their tenth neighbour there, too.
    crowd = np.zeros((60, 1))
    crowd[50:, 0] = 1 + np.arange(10)
    tenth = np.sort(np.abs(crowd - crowd.T), axis=1)[:, 10]
    assert np.median(tenth) == 0
    assert methods.local_variance(crowd) == near(tenth.mean() ** 2)
    assert methods.local_variance(np.zeros((60, 2))) == 1
