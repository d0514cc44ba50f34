"""Networks that can be specialised: the vectors of their encoders, before and after writing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.dinov2 import pixel_values
from gwmorph.encoders.indomain import IndomainEncoder, left_out, write_network
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.learning.backbones import (
    ABOUT_FILE,
    INDOMAIN_FILE,
    IndomainBackbone,
    TransformerBackbone,
)
from gwmorph.learning.finetune import backbone_vectors
from gwmorph.spectra.pictures import PictureScale, crops

SCALE = PictureScale("linear", 25.5, "cividis")
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
SIDES = {"image_size": 28, "patch_size": 14}
KINDS = {
    "dinov2_with_registers": ("Dinov2WithRegisters", {**SMALL, **SIDES, "num_register_tokens": 4}),
    "dinov2": ("Dinov2", {**SMALL, **SIDES}),
    "vit": ("ViT", {**SMALL, **SIDES, "intermediate_size": 32}),
    "beit": ("Beit", {**SMALL, **SIDES, "intermediate_size": 32}),
    "swinv2": (
        "Swinv2",
        {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2],
         "window_size": 4},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(3).integers(0, 256, (5, 112, 112)).astype(np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    network = CropNetwork(Architecture(stem=4, width=16, blocks=1, heads=2, crop_size=96))
    about = {"training": {"excluded": ["helix", "koi"], "elements": ["pulse"], "seed": 7}}
    write_network(path, network, about)
    return path


def folder_of(kind: str, folder: Path) -> Path:
    name, sizes = KINDS[kind]
    torch.manual_seed(4)
    config = getattr(transformers, f"{name}Config")(**sizes)
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    return folder


def test_the_in_domain_backbone_gives_the_encoders_vectors(weights, pictures):
    encoder = IndomainEncoder(weights, (112, 112))
    found = backbone_vectors(IndomainBackbone(weights, None), pictures, SCALE)
    np.testing.assert_allclose(found, encoder.encode(pictures, SCALE, "event"), atol=1e-5)
    (half, *_) = crops(pictures)
    single = backbone_vectors(IndomainBackbone(weights, 0.5), np.ascontiguousarray(half), SCALE)
    expected = encoder.encode_crops(SCALE.energy(half), 0.5)
    np.testing.assert_allclose(single, expected, atol=1e-5)
    with pytest.raises(ConfigError, match="at least 112 pixels, got 110 x 112"):
        IndomainBackbone(weights, None).shown(pictures[:, :110], SCALE)
    with pytest.raises(ConfigError, match=r"finetune\.window.*3 s"):
        IndomainBackbone(weights, 3.0)


def test_written_weights_are_an_encoder_of_its_own(weights, pictures, tmp_path):
    backbone = IndomainBackbone(weights, None)
    with torch.no_grad():
        backbone.network.crop_head[0].weight += 0.05
    backbone.write(tmp_path / "made", {"classes": ["helix", "blip"], "pictures": {"train": 3}})
    file = tmp_path / "made" / INDOMAIN_FILE
    before, after = (IndomainEncoder(path, (112, 112)) for path in (weights, file))
    assert before.encoder_id != after.encoder_id
    # Matrices are written in half precision.
    expected = backbone_vectors(backbone, pictures, SCALE)
    np.testing.assert_allclose(after.encode(pictures, SCALE, "event"), expected, atol=3e-3)
    assert np.abs(before.encode(pictures, SCALE, "event") - expected).max() > 0.01
    # It has seen the one class; of the other, nothing but what the first training saw.
    assert left_out(file) == {"koi"}
    backbone.write(tmp_path / "again", {"classes": ["helix", "blip"], "pictures": {"train": 3}})
    assert (tmp_path / "again" / INDOMAIN_FILE).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_transformer_gives_unit_vectors_and_comes_back(kind, pictures, tmp_path):
    backbone = TransformerBackbone(folder_of(kind, tmp_path / "given"))
    found = backbone_vectors(backbone, pictures, SCALE)
    assert found.shape == (5, backbone.width)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    backbone.write(tmp_path / "made", {"classes": ["a"]})
    again = TransformerBackbone(tmp_path / "made")
    assert again.kind == kind
    np.testing.assert_array_equal(backbone_vectors(again, pictures, SCALE), found)
    assert json.loads((tmp_path / "made" / ABOUT_FILE).read_text()) == {"classes": ["a"]}


def test_dinov2_sees_what_its_encoder_sees(pictures, tmp_path):
    backbone = TransformerBackbone(folder_of("dinov2_with_registers", tmp_path))
    shown = backbone.shown(pictures, SCALE).numpy()
    np.testing.assert_allclose(shown, pixel_values(pictures, SCALE), rtol=1e-6)


def test_the_others_see_their_own_size_and_the_folders_colours(pictures, tmp_path):
    folder = folder_of("vit", tmp_path)
    assert TransformerBackbone(folder).shown(pictures, SCALE).shape == (5, 3, 28, 28)
    told = {"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    shown = TransformerBackbone(folder).shown(np.zeros((1, 28, 28), np.uint8), SCALE)
    expected = SCALE.rgb(np.zeros(1, np.uint8))[0] / 255
    np.testing.assert_allclose(shown[0, :, 0, 0], expected, rtol=1e-6)
    (folder / "preprocessor_config.json").write_text("{}")
    with pytest.raises(WeightsError, match="image_mean"):
        TransformerBackbone(folder)


def test_a_change_moves_pictures_in_time_alone(tmp_path):
    backbone = TransformerBackbone(folder_of("vit", tmp_path))
    ramp = torch.arange(40.0).expand(6, 3, 5, 40)
    changed = backbone.changed(ramp, torch.Generator().manual_seed(1))
    moved = changed[:, 0, 0, 20] - 20
    assert moved.abs().max() <= 2
    assert len(moved.unique()) > 1
    assert (changed == changed[:, :1, :1]).all()


def test_folders_that_hold_no_such_network_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"config\.json is not there.*pickles"):
        TransformerBackbone(tmp_path)
    folder = folder_of("vit", tmp_path / "vit")
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | {"model_type": "bert"}))
    with pytest.raises(WeightsError, match="'bert'"):
        TransformerBackbone(folder)
    (folder / "config.json").write_text(json.dumps(told | {"num_hidden_layers": 2}))
    with pytest.raises(WeightsError, match="missing"):
        TransformerBackbone(folder)
    (folder / "config.json").write_text(json.dumps(told))
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="cannot be loaded"):
        TransformerBackbone(folder)


def test_a_folder_with_code_of_its_own_is_refused(tmp_path):
    folder = folder_of("vit", tmp_path / "vit")
    told = json.loads((folder / "config.json").read_text())
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: ...\n")
    for named in ({"auto_map": {"AutoModel": "evil.Model"}}, {"attn_implementation": "x/kernel"}):
        (folder / "config.json").write_text(json.dumps(told | named))
        with pytest.raises(WeightsError, match="names code that would be run"):
            TransformerBackbone(folder)
    assert not (tmp_path / "ran").exists()
