import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
import yaml
from hub_replica import COMMIT, HubReplica
from PIL import Image
from safetensors.torch import load_file, save_file

from gwmorph.cli import main
from gwmorph.config import EncoderConfig, WeightsConfig
from gwmorph.encoders.base import PatchEncoder
from gwmorph.encoders.dct import DctEncoder
from gwmorph.encoders.dinov2 import Dinov2Encoder, load_model, pixel_values
from gwmorph.encoders.registry import (
    check_same_network,
    make_encoder,
    with_weights,
)
from gwmorph.encoders.runtime import PytorchNetwork
from gwmorph.encoders.weights import WEIGHTS_FILE, Weights, obtain_weights
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.storage import sha256_of_file

SCALE = PictureScale("linear", 25.5, "cividis")
SIZE = (56, 84)
PICTURES = np.random.default_rng(3).integers(0, 256, (5, *SIZE), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights(random_model: Path) -> Weights:
    return obtain_weights(WeightsConfig(path=str(random_model)))


@pytest.fixture(scope="module")
def encoder(weights: Weights) -> Dinov2Encoder:
    return Dinov2Encoder(PytorchNetwork(weights), weights, SIZE)


def _directly(folder: Path, pngs: list[Path]) -> np.ndarray:
    """The same vectors with nothing of gwmorph's: PNGs through transformers."""
    model = transformers.Dinov2WithRegistersModel.from_pretrained(folder).eval()
    processor = transformers.BitImageProcessor(
        do_resize=False,
        do_center_crop=False,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    images = [Image.open(png).convert("RGB") for png in pngs]
    with torch.no_grad():
        cls = model(**processor(images, return_tensors="pt")).last_hidden_state[:, 0]
    return torch.nn.functional.normalize(cls).numpy()


def test_vectors_are_those_of_transformers(
    encoder: Dinov2Encoder, random_model: Path, tmp_path: Path
) -> None:
    pngs = [tmp_path / f"{number}.png" for number in range(len(PICTURES))]
    for png, picture in zip(pngs, PICTURES, strict=True):
        write_picture(png, picture, SCALE)
    vectors = encoder.encode(PICTURES, SCALE, "window")
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, _directly(random_model, pngs), atol=2e-6)
    assert np.ptp(vectors, axis=0).max() > 1e-3  # the pictures matter


def test_input_is_the_palettes_colour_normalised_as_imagenet() -> None:
    picture = np.full((1, 14, 14), 255, dtype=np.uint8)
    picture[0, 0, 1] = 0
    values = pixel_values(picture, PictureScale("linear", 1.0, "gray"))
    assert values.shape == (1, 3, 14, 14)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0, :, 0, 0], [2.2489, 2.4286, 2.6400], atol=1e-4)
    np.testing.assert_allclose(values[0, :, 0, 1], [-2.1179, -2.0357, -1.8044], atol=1e-4)


def test_vectors_repeat_and_hardly_depend_on_the_batch(encoder: Dinov2Encoder) -> None:
    vectors = encoder.encode(PICTURES, SCALE, "window")
    np.testing.assert_array_equal(encoder.encode(PICTURES, SCALE, "window"), vectors)
    np.testing.assert_allclose(
        encoder.encode(PICTURES[2:3], SCALE, "window")[0], vectors[2], atol=2e-6
    )


def test_the_model_is_frozen(weights: Weights) -> None:
    model = load_model(weights)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_the_caller_sets_the_threads(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    PytorchNetwork(weights)
    assert asked == []
    PytorchNetwork(weights, threads=2)
    assert asked == [2]


def test_outputs_are_tokens_of_the_last_layer(random_model: Path, encoder: Dinov2Encoder) -> None:
    def vectors(output: str) -> np.ndarray:
        keys = {"runtime": "pytorch", "output": output, "weights": {"path": str(random_model)}}
        made = make_encoder(EncoderConfig(name="dinov2", **keys), SIZE)
        assert made.encoder_id == encoder.encoder_id + ("" if output == "cls" else f":{output}")
        found = made.encode(PICTURES, SCALE, "window")
        assert found.shape == (len(PICTURES), made.width)
        return found

    model = transformers.Dinov2WithRegistersModel.from_pretrained(random_model).eval()
    with torch.no_grad():
        values = torch.from_numpy(pixel_values(PICTURES, SCALE))
        tokens = model(pixel_values=values).last_hidden_state.numpy()
    cls, mean = tokens[:, 0], tokens[:, 5:].mean(axis=1)
    expected = {"cls": cls, "mean_patch": mean, "cls_mean_patch": np.hstack([cls, mean])}
    for output, vector in expected.items():
        unit = vector / np.linalg.norm(vector, axis=1, keepdims=True)
        np.testing.assert_allclose(vectors(output), unit, atol=2e-6)
    patches = encoder.patches(PICTURES, SCALE)
    assert patches.dtype == np.float16
    assert patches.shape == (len(PICTURES), 4, 6, 384)
    np.testing.assert_allclose(patches[:, 1, 2], tokens[:, 5 + 6 + 2], rtol=2e-3, atol=1e-3)


def test_only_some_encoders_have_patches(encoder: Dinov2Encoder) -> None:
    assert isinstance(encoder, PatchEncoder)
    assert not isinstance(DctEncoder(SIZE), PatchEncoder)


def test_sizes_that_hold_no_whole_patches_are_refused(weights: Weights) -> None:
    with pytest.raises(ConfigError, match=r"multiples of 14 pixels, got 224 x 256.*224 x 252"):
        Dinov2Encoder(PytorchNetwork(weights), weights, (224, 256))


def test_pictures_of_another_size_are_refused(encoder: Dinov2Encoder) -> None:
    with pytest.raises(ConfigError, match=r"expected uint8 \[n, 56, 84\]"):
        encoder.encode(PICTURES[:, :, :70], SCALE, "window")


def test_the_true_model_loads_through_a_mirror(
    encoder: Dinov2Encoder, random_model: Path, tmp_path: Path
) -> None:
    files = {path.name: path.read_bytes() for path in random_model.iterdir()}
    with HubReplica(files) as hub:
        weights = WeightsConfig(
            revision=COMMIT, endpoint=hub.endpoint, hosts=["localhost"], cache=str(tmp_path)
        )
        config = EncoderConfig(name="dinov2", runtime="pytorch", weights=weights)
        fetched = make_encoder(config, SIZE)
    sha256 = sha256_of_file(random_model / WEIGHTS_FILE)
    assert fetched.encoder_id == f"dinov2-with-registers-small:{COMMIT}:{sha256}:56x84:float32"
    np.testing.assert_array_equal(
        fetched.encode(PICTURES, SCALE, "window"), encoder.encode(PICTURES, SCALE, "window")
    )
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_size", 768),
        ("num_register_tokens", 0),
        ("model_type", "dinov2"),
        ("patch_size", 16),
    ],
)
def test_another_architecture_is_refused(
    random_model: Path, tmp_path: Path, key: str, value: object
) -> None:
    config = json.loads((random_model / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, key: value}))
    with pytest.raises(WeightsError, match=rf"expected {key} = .*got {value!r}"):
        load_model(Weights(tmp_path, "name", "local", "0" * 64))


def test_weights_of_another_training_are_checked_as_they_are_loaded(
    random_model: Path, tmp_path: Path
) -> None:
    config = EncoderConfig(name="dinov2", weights={"path": "own"})
    check_same_network(config, with_weights(config, str(random_model)))
    shutil.copytree(random_model, tmp_path / "other")
    about = json.loads((random_model / "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps({**about, "patch_size": 16}))
    with pytest.raises(WeightsError, match="expected patch_size = 14"):
        check_same_network(config, with_weights(config, str(tmp_path / "other")))
    shutil.rmtree(tmp_path)


def test_a_configuration_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("not json")
    with pytest.raises(WeightsError, match="not a model's configuration"):
        load_model(Weights(tmp_path, "name", "local", "0" * 64))


def _lose(tensors: dict) -> None:
    del tensors["encoder.layer.3.mlp.fc1.weight"]


def _add(tensors: dict) -> None:
    tensors["classifier.weight"] = torch.ones(2, 384)


def _reshape(tensors: dict) -> None:
    tensors["embeddings.register_tokens"] = torch.ones(1, 5, 384)


def _spoil(tensors: dict) -> None:
    tensors["layernorm.bias"][7] = float("nan")


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (_lose, r"1 missing \(encoder\.layer\.3\.mlp\.fc1\.weight\)"),
        (_add, r"1 unexpected \(classifier\.weight\)"),
        (_reshape, r"1 of another shape \(embeddings\.register_tokens\)"),
        (_spoil, r"layernorm\.bias holds values that are not finite"),
    ],
)
def test_damaged_tensors_are_refused(
    random_model: Path, tmp_path: Path, tamper: Callable[[dict], None], reason: str
) -> None:
    tensors = load_file(random_model / WEIGHTS_FILE)
    tamper(tensors)
    shutil.copy(random_model / "config.json", tmp_path)
    save_file(tensors, tmp_path / WEIGHTS_FILE, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=reason):
        load_model(obtain_weights(WeightsConfig(path=str(tmp_path))))
    (tmp_path / WEIGHTS_FILE).unlink()


def test_weights_are_fetched_checked_and_pinned(
    random_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = {path.name: path.read_bytes() for path in random_model.iterdir()}
    with HubReplica(files) as hub:
        weights = {
            "endpoint": hub.endpoint,
            "hosts": ["localhost"],
            "cache": str(tmp_path / "cache"),
        }
        asked = tmp_path / "mine.yaml"
        asked.write_text(yaml.safe_dump({"encoder": {"weights": weights}}))
        call = ["fetch-weights", "--configfile", str(asked), "--revision", COMMIT]
        assert main(call) == 0
    pinned = yaml.safe_load(capsys.readouterr().out)
    sha256 = sha256_of_file(random_model / WEIGHTS_FILE)
    expected = {**weights, "revision": COMMIT, "sha256": sha256}
    assert pinned == {"encoder": {"name": "dinov2", "weights": expected}}
    # The printed keys are all that a run needs, now without a network.
    assert main(["fetch-weights", "--configfile", str(asked), "--revision", COMMIT]) == 0
    capsys.readouterr()
    asked.write_text(yaml.safe_dump({"encoder": {"weights": {**expected, "sha256": "0" * 64}}}))
    assert main(["fetch-weights", "--configfile", str(asked)]) == 1
    assert "expected encoder.weights.sha256 = 000" in capsys.readouterr().err


def test_fetching_needs_a_pinned_commit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch-weights", "--revision", "main"]) == 1
    assert "40 hexadecimal digits" in capsys.readouterr().err
