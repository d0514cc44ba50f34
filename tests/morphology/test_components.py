import numpy as np
from planted import SIZES, blobs, components

from closeness import near
from gwmorph.morphology.components import Components

VECTORS, _ = blobs(SIZES)


def test_principal_components_are_those_of_the_covariance() -> None:
    model = Components.fit(VECTORS, 5, 0.0)
    coordinates = model.of(VECTORS)
    centred = VECTORS.astype(np.float64) - VECTORS.mean(axis=0, dtype=np.float64)
    singular = np.linalg.svd(centred, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(coordinates, axis=0), singular[:5], rtol=1e-4)
    np.testing.assert_allclose(model.explained, singular[:5] ** 2 / np.sum(singular**2), rtol=1e-6)


def test_last_bits_of_the_vectors_do_not_reach_the_components() -> None:
    """What another processor's matrix product does to a vector."""
    shaken = VECTORS * (1 + 1e-9 * np.random.default_rng(0).normal(size=VECTORS.shape))
    ours, others = (components(v, 20) for v in (VECTORS.astype(float), shaken))
    assert np.mean(ours != others) < 1e-3


def test_vectors_that_almost_agree_keep_their_components() -> None:
    """A mean cosine of 1 - 1e-8 leaves a variance that single precision would lose."""
    rng = np.random.default_rng(2)
    latent = rng.normal(size=(300, 2))
    vectors = np.full((300, 384), 1 / np.sqrt(384))
    vectors[:, 0] += 1e-4 * latent[:, 0]
    model = Components.fit(vectors.astype(np.float32), 2, 0.0)
    coordinates = model.of(vectors.astype(np.float32))
    assert abs(np.corrcoef(coordinates[:, 0], latent[:, 0])[0, 1]) > 0.9999
    assert model.explained[0] > 0.99


def test_whitening_takes_a_power_of_the_spread() -> None:
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(500, 3)) * [0.4, 0.1, 0.0]).astype(np.float32)
    plain = components(points, 3).std(axis=0)
    for power in (0.0, 0.5, 1.0):
        found = Components.fit(points, 3, power).of(points)
        spread = found.std(axis=0)
        assert spread[0] == near(plain[0], rel=1e-6)
        assert spread[0] / spread[1] == near((plain[0] / plain[1]) ** (1 - power), rel=2e-3)
        assert spread[2] == 0
    assert found.dtype == np.float32


def test_other_vectors_lie_where_they_would_among_the_fitted_ones() -> None:
    """In batches, and whatever the others are."""
    model = Components.fit(VECTORS[:400], 20, 0.25)
    everything = model.of(VECTORS)
    np.testing.assert_array_equal(everything[:400], model.of(VECTORS[:400]))
    np.testing.assert_allclose(everything[400:], model.of(VECTORS[400:]), atol=2e-5)
    centred = VECTORS[450].astype(float) - VECTORS[:400].mean(axis=0, dtype=float)
    across = np.linalg.norm(centred @ model.pca.components_.T)
    assert np.linalg.norm(everything[450] / model.weights) == near(across, rel=1e-4)
