import json
import pickle

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from closeness import near
from gwmorph.config import Config, EncoderConfig
from gwmorph.encoders import indomain
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import (
    SHIPPED,
    IndomainEncoder,
    load_network,
    write_network,
)
from gwmorph.encoders.registry import check_weights, make_encoder
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale, crops
from gwmorph.storage import sha256_of_file

SIZE = (112, 224)
LINEAR = PictureScale("linear", 25.5, "cividis")
SMALL = Architecture(stem=4, width=16, blocks=1, heads=2, crop_size=96)
PICTURES = np.random.default_rng(0).integers(0, 256, (5, *SIZE), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("indomain") / "small.safetensors"
    write_network(path, CropNetwork(SMALL), {"training": {"seed": 1}})
    return path


@pytest.fixture(scope="module")
def encoder(weights):
    return IndomainEncoder(weights, SIZE)


def rewritten(weights, path, tensors=None, **told):
    """Write the same file with other tensors or other metadata."""
    with safe_open(weights, framework="pt") as file:
        about = json.loads(file.metadata()["gwmorph"])
    save_file(tensors or load_file(weights), path, {"gwmorph": json.dumps({**about, **told})})
    return path


@pytest.mark.parametrize("view", ["window", "event"])
def test_vectors_are_unit_and_do_not_depend_on_the_batch(encoder, view):
    vectors = encoder.encode(PICTURES, LINEAR, view)
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    alone = encoder.encode(PICTURES[3:4], LINEAR, view)[0]
    np.testing.assert_allclose(alone, vectors[3], atol=1e-5)
    np.testing.assert_array_equal(encoder.encode(PICTURES, LINEAR, view), vectors)


def test_the_views_are_encoded_each_in_its_own_way(encoder):
    window, event = (encoder.encode(PICTURES, LINEAR, view) for view in ("window", "event"))
    assert np.abs(window - event).max() > 0.01


@pytest.mark.parametrize(
    "scale", [PictureScale("sqrt", 25.5, "gray"), PictureScale("linear", 51.0, "viridis")]
)
def test_the_palettes_scale_does_not_matter(encoder, scale):
    energy = np.random.default_rng(1).exponential(5, (4, *SIZE))
    first, second = (encoder.encode(s.index(energy), s, "event") for s in (LINEAR, scale))
    assert (first * second).sum(axis=1).min() > 0.999


def test_an_events_vector_is_that_of_its_crops(encoder):
    vectors = encoder.encode(PICTURES, LINEAR, "event").reshape(5, 4, 96)
    energies = crops(LINEAR.energy(PICTURES))
    for number, (energy, duration) in enumerate(zip(energies, (0.5, 1, 2, 4), strict=True)):
        single = encoder.encode_crops(energy, duration)
        np.testing.assert_allclose(2 * vectors[:, number], single, atol=1e-4)


def test_single_pictures_of_any_size_can_be_encoded(encoder):
    energy = np.random.default_rng(2).exponential(2, (2, 479, 569))
    assert encoder.encode_crops(energy, 1.0).shape == (2, 96)
    with pytest.raises(ConfigError, match=r"expected one of 0\.5, 1, 2, 4, 8 s, got 3"):
        encoder.encode_crops(energy, 3)
    with pytest.raises(ConfigError, match=r"at least 56 x 56 pixels, got \[2, 30, 569\]"):
        encoder.encode_crops(energy[:, :30], 1.0)


def test_rows_of_another_band_are_brought_to_the_networks_own(encoder):
    rows = np.arange(479)
    kept = indomain._rows_inside(479, (10.0, 2048.0))
    frequency = np.exp(np.log(2048) - (rows[kept] + 0.5) / 479 * np.log(204.8))
    assert frequency[0] == near(1291, rel=0.02)
    assert frequency[-1] == near(20, rel=0.02)
    np.testing.assert_array_equal(np.diff(kept), 1)
    np.testing.assert_array_equal(indomain._rows_inside(112, indomain.BAND_HZ), np.arange(112))
    # A narrower band: what is missing on both sides repeats the edges.
    assert np.bincount(indomain._rows_inside(60, (40.0, 600.0)))[[0, -1]].min() > 5
    energy = np.random.default_rng(3).exponential(2, (1, 479, 569))
    cut = encoder.encode_crops(energy[:, kept], 1.0)
    np.testing.assert_array_equal(encoder.encode_crops(energy, 1.0, (10.0, 2048.0)), cut)


def test_patches_tell_where_something_is(encoder):
    quiet = np.full((1, *SIZE), 20, np.uint8)
    loud = quiet.copy()
    loud[0, 68:76, 146:152] = 255  # fifth of seven rows from the top; column 18 of 28
    change = np.abs(
        encoder.patches(loud, LINEAR).astype(float) - encoder.patches(quiet, LINEAR)
    ).mean(axis=3)[0]
    assert encoder.patches(loud, LINEAR).shape == (1, 7, 28, 16)
    assert encoder.patches(loud, LINEAR).dtype == np.float16
    row, column = np.unravel_index(change.argmax(), change.shape)
    assert row in (4, 5)
    assert column in (18, 19)


def test_pictures_that_do_not_fit_are_refused(encoder, weights):
    with pytest.raises(ConfigError, match="expected uint8"):
        encoder.encode(PICTURES[:, :100], LINEAR, "event")
    with pytest.raises(ConfigError, match="at least 112 pixels, got 56 x 224"):
        IndomainEncoder(weights, (56, 224))


def test_the_id_names_the_weights(encoder, weights):
    digest = sha256_of_file(weights)
    assert encoder.encoder_id == f"indomain:2:{digest}:112x224:float32"
    assert encoder.width == 384


def test_the_shipped_weights_are_those_of_the_model_card():
    card = SHIPPED.with_suffix(".md").read_text()
    assert f"| SHA-256 | {sha256_of_file(SHIPPED)} |" in card
    assert SHIPPED.stat().st_size < 8e6
    assert sha256_of_file(SHIPPED) in make_encoder(Config().encoder).encoder_id
    check_weights(Config().encoder)


def test_the_shipped_encoder_tells_shapes_apart_in_other_noise():
    rng = np.random.default_rng(7)
    energy = rng.exponential(1.44, (8, 224, 224))
    for picture in range(8):
        for row, column in ((0, 0), (0, 112), (112, 0), (112, 112)):
            loudness = rng.uniform(15, 40)
            if picture % 2:  # a narrow spire
                energy[picture, row + 30 : row + 100, column + 54 : column + 58] += loudness
            else:  # a tone
                energy[picture, row + 60 : row + 66, column + 10 : column + 100] += loudness
    vectors = IndomainEncoder(None, (224, 224)).encode(LINEAR.index(energy), LINEAR, "event")
    cosine = vectors @ vectors.T
    alike = np.arange(8)[:, None] % 2 == np.arange(8) % 2
    assert cosine[alike].min() > cosine[~alike].max() + 0.3


def test_equal_networks_are_equal_bytes(weights, tmp_path):
    write_network(tmp_path / "again", load_network(weights), {"training": {"seed": 1}})
    assert (tmp_path / "again").read_bytes() == weights.read_bytes()


def test_weights_that_are_not_there_are_told(tmp_path):
    with pytest.raises(WeightsError, match=r"there is no such file.*train_encoder"):
        IndomainEncoder(tmp_path / "none", SIZE)
    config = EncoderConfig(indomain={"path": str(tmp_path / "none")})
    with pytest.raises(WeightsError, match="there is no such file"):
        check_weights(config)


def test_truncated_weights_are_refused(weights, tmp_path):
    (tmp_path / "cut").write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_network(tmp_path / "cut")


def test_weights_that_may_not_be_read_are_not_called_damaged(weights, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gwmorph.encoders.tensor_file.safe_open", refused)
    with pytest.raises(WeightsError, match=r"cannot be read .*Permission denied"):
        load_network(weights)


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "pickle").write_bytes(pickle.dumps({"stem": [1.0]}))
    torch.save({"stem": torch.ones(3)}, tmp_path / "torch")
    for name in ("pickle", "torch"):
        with pytest.raises(WeightsError, match="a pickle under another name, which is refused"):
            load_network(tmp_path / name)


def test_another_sha256_is_refused(weights):
    load_network(weights, sha256_of_file(weights))
    with pytest.raises(WeightsError, match=r"expected encoder\.indomain\.sha256 = 00.*other"):
        load_network(weights, "0" * 64)


def test_another_models_file_is_refused(weights, tmp_path):
    save_file({"cls_token": torch.ones(3)}, tmp_path / "other")
    with pytest.raises(WeightsError, match="expected weights of format 'gwmorph-indomain'"):
        load_network(tmp_path / "other")


@pytest.mark.parametrize(
    "architecture",
    [
        None,
        {"stem": 4},
        {**SMALL.to_json(), "version": 99},
        {**SMALL.to_json(), "width": 32},
        {**SMALL.to_json(), "blocks": 2},
    ],
)
def test_another_architecture_is_refused(weights, tmp_path, architecture):
    path = rewritten(weights, tmp_path / "other", architecture=architecture)
    with pytest.raises(WeightsError, match="another architecture"):
        load_network(path)


def test_missing_and_unexpected_tensors_are_refused(weights, tmp_path):
    tensors = load_file(weights)
    del tensors["position"]
    with pytest.raises(WeightsError, match=r"1 tensors .*\(position\)"):
        load_network(rewritten(weights, tmp_path / "less", tensors))
    tensors = {**load_file(weights), "extra": torch.ones(2)}
    with pytest.raises(WeightsError, match=r"1 tensors .*\(extra\)"):
        load_network(rewritten(weights, tmp_path / "more", tensors))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(weights, tmp_path, bad):
    tensors = load_file(weights)
    tensors["position"][0, 3, 2] = bad
    with pytest.raises(WeightsError, match="tensor position holds values that are not finite"):
        load_network(rewritten(weights, tmp_path / "bad", tensors))
