"""The registry of statistics."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gwmorph.config import AutoencoderWeightsConfig, EncoderConfig
from gwmorph.encoders.autoencoder import AutoencoderEncoder, write_autoencoder
from gwmorph.encoders.autoencoder_network import Autoencoder, AutoencoderArchitecture
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence import registry, statistics
from gwmorph.evidence.limits import limit_at, limit_rank, passing_interval
from gwmorph.evidence.registry import load_statistics
from gwmorph.evidence.statistics import (
    STATISTICS,
    Pictures,
    combination,
    neighbor_distance,
    register_encoder,
    register_reconstruction,
    statistic,
)
from gwmorph.spectra.views import event_view


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    own = dict(STATISTICS)
    monkeypatch.setattr(statistics, "STATISTICS", own)
    monkeypatch.setattr(registry, "STATISTICS", own)


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


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    """An untrained one: what it draws is nearly black, so its errors are what is bright."""
    path = tmp_path_factory.mktemp("autoencoder") / "weights.safetensors"
    torch.manual_seed(1)
    narrow = AutoencoderArchitecture(widths=(2,) * 7 + (24,), decoder_widths=(2, 2, 2))
    write_autoencoder(path, Autoencoder(narrow), {"training": {"classes": []}})
    return AutoencoderWeightsConfig(path=str(path))


@pytest.fixture(scope="module")
def quiet(parameters):
    """Batches of 48 windows of white noise, as pictures of the least size, and their drawing."""
    large = replace(parameters, height=112, width=112)
    spans = np.random.default_rng(4).standard_normal((48, 36 * 2048)).astype("f4")
    return large, spans, list(large.transform().batches(spans))


def scored(batches, parameters):
    """The reconstruction error of each window, by the registered statistic."""
    compute = statistics.STATISTICS["reconstruction"].compute
    found = []
    for batch in batches:
        pictures = Pictures(parameters.draw(batch.planes), parameters.picture_scale, None)
        found.append(compute(batch, pictures))
    return np.concatenate(found)


def test_a_named_autoencoder_scores_by_how_badly_it_draws_an_event(autoencoder, quiet):
    parameters, spans, batches = quiet
    assert "reconstruction" not in load_statistics()
    assert load_statistics((), autoencoder)["reconstruction"].label == "reconstruction error"
    errors = scored(batches[:1], parameters)
    size = (parameters.height, parameters.width)
    encoder = AutoencoderEncoder(autoencoder.path, size)
    times = batches[0].planes.loudest.time
    views = np.stack([event_view(batches[0], i, float(t), *size) for i, t in enumerate(times)])
    scale = parameters.picture_scale
    expected = encoder.reconstructions(scale.index(views), scale)[1]
    np.testing.assert_array_equal(errors, expected)
    loud = spans[:4].copy()
    middle = 18 * 2048
    loud[:, middle : middle + 40] += 20 * np.hanning(40) * np.cos(0.6 * np.arange(40))
    assert scored(parameters.transform().batches(loud), parameters).min() > errors.max()


def test_of_quiet_windows_as_many_pass_a_limit_as_are_to(autoencoder, quiet):
    parameters, _, batches = quiet
    load_statistics((), autoencoder)
    errors = scored(batches, parameters)
    assert len(np.unique(errors)) == 48
    calibration, test = errors[:24], errors[24:]
    limit = limit_at(calibration, 0.2, "injections.quiet_windows")
    low, high = passing_interval(24, 24, limit_rank(24, 0.2, "injections.quiet_windows"))
    assert low <= (test > limit).sum() <= high


def test_a_campaign_has_no_reconstruction_without_weights():
    assert "reconstruction" not in load_statistics((), AutoencoderWeightsConfig())
    with pytest.raises(ValueError, match="no weights are named"):
        register_reconstruction(AutoencoderWeightsConfig())


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
