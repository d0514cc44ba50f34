import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gwmorph.config import EncoderConfig
from gwmorph.encoders.autoencoder import (
    AutoencoderEncoder,
    classes_seen,
    load_autoencoder,
    shown_crops,
    write_autoencoder,
)
from gwmorph.encoders.autoencoder_network import (
    Autoencoder,
    AutoencoderArchitecture,
    _laid_out,
    _taken_apart,
)
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import write_network
from gwmorph.encoders.network_file import ENTRY
from gwmorph.encoders.registry import (
    check_same_network,
    check_weights,
    make_encoder,
    may_have_made,
    with_weights,
)
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale, crops
from gwmorph.storage import sha256_of_file

SIZE = (112, 224)
LINEAR = PictureScale("linear", 25.5, "cividis")
WIDTHS = {"widths": (4,) * 7 + (24,), "decoder_widths": (4, 4, 4)}
SMALL = AutoencoderArchitecture(**WIDTHS)
PICTURES = np.random.default_rng(0).integers(0, 256, (5, *SIZE), dtype=np.uint8)
TRAINED = {"training": {"classes": ["blip", "tomte"]}}


def network(seed=1, **sizes):
    """Untrained, but its norms know how such pictures are spread."""
    torch.manual_seed(seed)
    made = Autoencoder(AutoencoderArchitecture(**{**WIDTHS, **sizes}))
    with torch.no_grad():
        for _ in range(40):
            made(torch.rand(4, 4, 56, 56))
    return made.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("autoencoder") / "small.safetensors"
    write_autoencoder(path, network(), TRAINED)
    return path


@pytest.fixture(scope="module")
def encoder(weights):
    return AutoencoderEncoder(weights, SIZE)


def rewritten(weights, path, tensors=None, **told):
    """Write the same file with other tensors or other metadata."""
    about = {"format": "gwmorph-autoencoder", "architecture": SMALL.to_json(), **TRAINED, **told}
    save_file(tensors or load_file(weights), path, {ENTRY: json.dumps(about)})
    return path


def test_the_default_network_is_of_the_published_size():
    for seen in ("crops", "whole"):
        made = Autoencoder(AutoencoderArchitecture(seen=seen))
        assert 0.5e6 < sum(p.numel() for p in made.parameters()) < 1.1e6
        convolutions = [layer for layer in made.encoder if isinstance(layer, torch.nn.Conv2d)]
        assert len(convolutions) == 8


def test_crops_lie_in_a_view_as_they_are_drawn():
    four = torch.rand(3, 4, 56, 56)
    laid = _laid_out(four)
    assert laid.shape == (3, 1, 112, 112)
    for number, crop in enumerate(crops(laid[:, 0].numpy())):
        np.testing.assert_array_equal(crop, four[:, number])
    assert torch.equal(_taken_apart(laid), four)


@pytest.mark.parametrize("seen", ["crops", "whole"])
def test_all_that_reaches_the_decoder_is_384_numbers(seen):
    made = network(seen=seen)
    four = torch.rand(2, 4, 56, 56)
    latent = made.latent(four)
    assert latent.shape == (2, 384)
    assert made.decoded(latent).shape == four.shape
    assert torch.equal(made.decoded(latent), made(four))


@pytest.mark.parametrize("view", ["window", "event"])
def test_vectors_are_unit_and_do_not_depend_on_the_batch(encoder, view):
    vectors = encoder.encode(PICTURES, LINEAR, view)
    assert (vectors.shape, vectors.dtype) == ((5, 384), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    alone = encoder.encode(PICTURES[3:4], LINEAR, view)[0]
    np.testing.assert_allclose(alone, vectors[3], atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_windows_and_events_are_cut_each_in_its_own_way(encoder):
    window, event = (encoder.encode(PICTURES, LINEAR, view) for view in ("window", "event"))
    assert np.abs(window - event).max() > 1e-3


def test_the_palettes_scale_does_not_matter(encoder):
    energy = np.random.default_rng(1).exponential(5, (4, *SIZE))
    other = PictureScale("sqrt", 51.0, "gray")
    first, second = (encoder.encode(s.index(energy), s, "event") for s in (LINEAR, other))
    assert (first * second).sum(axis=1).min() > 0.99


def test_errors_are_those_of_what_is_drawn(encoder):
    drawn, errors = encoder.reconstructions(PICTURES, LINEAR)
    expected = [np.mean((a - b) ** 2) for a, b in zip(drawn, shown_crops(PICTURES, LINEAR))]  # noqa: B905
    assert (drawn.shape, errors.dtype) == ((5, 4, 56, 56), np.float64)
    np.testing.assert_allclose(errors, expected, rtol=1e-5)


def test_a_file_gives_back_its_network_and_equal_networks_are_equal_bytes(weights, tmp_path):
    again = load_autoencoder(weights)
    assert again.architecture == SMALL
    assert not again.training
    write_autoencoder(tmp_path / "again", again, TRAINED)
    assert (tmp_path / "again").read_bytes() == weights.read_bytes()
    assert classes_seen(weights) == {"blip", "tomte"}
    write_autoencoder(tmp_path / "silent", again, {"training": {}})
    with pytest.raises(WeightsError, match="does not say how it was trained"):
        classes_seen(tmp_path / "silent")


def test_the_id_names_the_weights(encoder, weights):
    digest = sha256_of_file(weights)
    assert encoder.encoder_id == f"autoencoder:1:{digest}:112x224:float32"
    assert encoder.width == 384


def test_what_does_not_fit_is_refused(encoder, weights):
    with pytest.raises(ConfigError, match="expected uint8"):
        encoder.encode(PICTURES[:, :100], LINEAR, "event")
    with pytest.raises(ConfigError, match="expected uint8"):
        encoder.reconstructions(PICTURES[:, :100], LINEAR)
    with pytest.raises(ConfigError, match="autoencoder encoder needs at least 112 pixels, got 56"):
        AutoencoderEncoder(weights, (56, 224))


def test_files_of_other_networks_are_refused(weights, tmp_path):
    write_network(
        tmp_path / "indomain",
        CropNetwork(Architecture(stem=4, width=16, blocks=1, heads=2)),
        {"training": {"excluded": []}},
    )
    for refused in (load_autoencoder, classes_seen):
        with pytest.raises(WeightsError, match=r"gwmorph-indomain.*snakemake autoencoder"):
            refused(tmp_path / "indomain")


@pytest.mark.parametrize(
    "architecture",
    [
        {"seen": "crops"},
        {**SMALL.to_json(), "version": 99},
        {**SMALL.to_json(), "seen": "windows"},
        {**SMALL.to_json(), "widths": [4] * 7 + [8]},
        {**SMALL.to_json(), "widths": [4] * 5},
        {**SMALL.to_json(), "widths": None},
        {**SMALL.to_json(), "decoder_widths": [8, 8, 8]},
    ],
)
def test_another_architecture_is_refused(weights, tmp_path, architecture):
    path = rewritten(weights, tmp_path / "other", architecture=architecture)
    with pytest.raises(WeightsError, match="another architecture"):
        load_autoencoder(path)


def test_damaged_weights_are_refused(weights, tmp_path):
    (tmp_path / "cut").write_bytes(weights.read_bytes()[:-100])
    for refused in (load_autoencoder, classes_seen):
        with pytest.raises(WeightsError, match=r"not a whole safetensors file|cannot be read"):
            refused(tmp_path / "cut")
    tensors = load_file(weights)
    tensors["norm.running_mean"][3] = np.nan
    with pytest.raises(WeightsError, match=r"norm\.running_mean holds values that are not finite"):
        load_autoencoder(rewritten(weights, tmp_path / "bad", tensors))
    with pytest.raises(WeightsError, match=r"expected encoder\.autoencoder\.sha256 = 00"):
        load_autoencoder(weights, "0" * 64)


def config(path):
    return EncoderConfig(name="autoencoder", autoencoder={"path": str(path)})


def test_it_is_made_from_its_configuration(encoder, weights, tmp_path):
    made = make_encoder(config(weights), SIZE)
    assert made.encoder_id == encoder.encoder_id
    check_weights(config(weights))
    with pytest.raises(WeightsError, match=r"there is no such file.*`snakemake autoencoder`\."):
        check_weights(config(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"autoencoder needs autoencoder\.path"):
        EncoderConfig(name="autoencoder")
    # As a comparison takes it from the section of another encoder.
    unnamed = EncoderConfig().model_copy(update={"name": "autoencoder"})
    with pytest.raises(ConfigError, match=r"encoder\.autoencoder\.path: expected a file"):
        make_encoder(unnamed, SIZE)


def test_other_trainings_of_it_are_told_apart(encoder, weights, tmp_path):
    other = tmp_path / "other.safetensors"
    write_autoencoder(other, network(seed=2), TRAINED)
    check_same_network(config(weights), with_weights(config(weights), str(other)))
    assert make_encoder(with_weights(config(weights), str(other)), SIZE).encoder_id not in (
        encoder.encoder_id,
    )
    write_autoencoder(other, network(seen="whole"), TRAINED)
    with pytest.raises(WeightsError, match="another architecture"):
        check_same_network(config(weights), config(other))


def test_what_it_may_have_made_is_known_by_its_weights(encoder, weights):
    digest = sha256_of_file(weights)
    assert may_have_made(config(weights), SIZE, digest, encoder.encoder_id)
    assert not may_have_made(config(weights), SIZE, "0" * 64, encoder.encoder_id)
    assert not may_have_made(EncoderConfig(), SIZE, digest, encoder.encoder_id)


@pytest.mark.parametrize("width", [10**9, 0, -1])
def test_no_memory_is_taken_for_sizes_that_the_tensors_have_not(weights, tmp_path, width):
    sizes = {**SMALL.to_json(), "decoder_widths": [width, 8, 8]}
    with pytest.raises(WeightsError, match=r"another architecture|there is no network"):
        load_autoencoder(rewritten(weights, tmp_path / "other", architecture=sizes))


@pytest.mark.parametrize("told", ["[]", "3", "[" * 100_000, "NaN"])
def test_what_a_file_says_of_itself_must_be_an_object(weights, tmp_path, told):
    save_file(load_file(weights), tmp_path / "odd", {ENTRY: told})
    for refused in (load_autoencoder, classes_seen):
        with pytest.raises(WeightsError, match="odd"):
            refused(tmp_path / "odd")
