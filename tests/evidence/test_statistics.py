"""The registry of statistics."""

import numpy as np
import pytest

from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence import statistics
from gwmorph.evidence.statistics import (
    STATISTICS,
    Pictures,
    combination,
    neighbor_distance,
    register_encoder,
    statistic,
)


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(statistics, "STATISTICS", dict(STATISTICS))


def test_registered_statistic_keeps_its_function_and_its_fit():
    def fit(quiet):
        return lambda features: features[:, 0] - quiet.mean()

    @statistic("stub", "a stub", fit=fit)
    def stub(batch, pictures):
        return np.ones((4, 2))

    entry = statistics.STATISTICS["stub"]
    assert (entry.compute, entry.fit, entry.parts) == (stub, fit, ())


def test_combination_has_parts_and_no_compute():
    @combination("both", "both", parts=("loudest_tile", "window_vector"))
    def both(quiet):
        return lambda scores: scores.max(axis=1)

    entry = statistics.STATISTICS["both"]
    assert entry.compute is None
    assert entry.fit is both
    assert entry.parts == ("loudest_tile", "window_vector")


def test_one_name_is_registered_once():
    with pytest.raises(ValueError, match="'loudest_tile' is registered twice"):
        statistic("loudest_tile", "again")(lambda batch, pictures: np.zeros(1))


def test_parts_must_be_there_first():
    with pytest.raises(ValueError, match="not_yet"):
        combination("early", "early", parts=("not_yet",))(lambda quiet: lambda scores: scores)


def test_a_registered_encoder_gives_its_own_vectors(parameters):
    spans = np.random.default_rng(3).standard_normal((2, 36 * 2048)).astype("f4")
    batch = next(parameters.transform().batches(spans))
    size = (parameters.height, parameters.width)
    config = EncoderConfig(name="dct")
    encoder = make_encoder(config, size)
    pictures = Pictures(parameters.draw(batch.planes), parameters.picture_scale, encoder)
    register_encoder("dct", config, size)
    for view in ("window", "event"):
        entry = statistics.STATISTICS[f"{view}_vector_dct"]
        own = statistics.STATISTICS[f"{view}_vector"]
        assert entry.fit is neighbor_distance
        np.testing.assert_array_equal(entry.compute(batch, pictures), own.compute(batch, pictures))
    with pytest.raises(ValueError, match="registered twice"):
        register_encoder("dct", config, size)


def test_neighbor_distance_is_the_mean_over_the_nearest_five():
    rng = np.random.default_rng(3)
    quiet = rng.standard_normal((40, 6))
    quiet /= np.linalg.norm(quiet, axis=1, keepdims=True)
    probe = rng.standard_normal((7, 6))
    probe /= np.linalg.norm(probe, axis=1, keepdims=True)
    expected = np.sort(1 - probe @ quiet.T, axis=1)[:, :5].mean(axis=1)
    np.testing.assert_allclose(neighbor_distance(quiet)(probe), expected, atol=1e-12)


def test_the_score_of_a_campaign_takes_the_least_probable_part():
    rng = np.random.default_rng(7)
    spread = {5.2: 0.2, 2: 0.5, 9: 1, 5: 0.9, 0.08: 0.005}
    quiet = np.column_stack([rng.gumbel(*part, 2000) for part in spread.items()])
    score = STATISTICS["score"].fit(quiet)
    median = np.median(quiet, axis=0)
    limit = np.quantile(score(quiet), 0.99)
    assert score(median[None])[0] < limit
    for part, value in enumerate((9.0, 9.0, 30.0, 25.0, 0.15)):
        window = median.copy()
        window[part] = value
        assert score(window[None])[0] > limit
