"""Architectures by name, and weights that they begin with."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gwmorph.config.supervised import NetworkName
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.learning import networks
from gwmorph.learning.networks import (
    KINDS,
    last_layer,
    load_classifier,
    make_classifier,
    side_of,
    start_from,
    weights_file,
    write_classifier,
)
from gwmorph.storage import sha256_of_file

SMALL = "mobilenetv2_wd4"


@pytest.fixture(scope="module")
def trained():
    """A network of ten classes, whose weights stand for ImageNet's."""
    torch.manual_seed(1)
    return make_classifier(SMALL, 10)


def test_the_configuration_knows_the_networks_that_there_are():
    assert set(NetworkName.__args__) == set(KINDS)
    assert side_of("inceptionv3") == 299
    with pytest.raises(ConfigError, match="no network 'lenet'; known are alexnet"):
        side_of("lenet")


@pytest.mark.parametrize("name", KINDS)
def test_a_network_gives_a_logit_for_each_class(name):
    # Without memory and arithmetic: shapes alone.
    with torch.device("meta"):
        network = make_classifier(name, 7)
        side = side_of(name)
        assert network(torch.empty(2, 3, side, side)).shape == (2, 7)


def test_a_network_that_flattens_takes_pictures_in_channels_last():
    network = make_classifier("alexnet", 7).to(memory_format=torch.channels_last)
    pictures = torch.rand(1, 224, 224, 3).permute(0, 3, 1, 2)
    with torch.inference_mode():
        assert network(pictures).shape == (1, 7)


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"efficientnet_b4c"}))
def test_every_network_ends_in_the_layer_that_is_replaced(name):
    with torch.device("meta"):
        few, many = make_classifier(name, 3), make_classifier(name, 5)
    last = last_layer(few)
    differing = {
        key
        for (key, a), b in zip(few.state_dict().items(), many.state_dict().values(), strict=True)
        if a.shape != b.shape
    }
    assert differing
    assert {key.rpartition(".")[0] for key in differing} == {last}


@pytest.mark.parametrize("form", ["safetensors", "pth"])
def test_all_weights_but_the_last_layers_are_taken_up(tmp_path, trained, form):
    path = tmp_path / f"{SMALL}.{form}"
    if form == "pth":
        torch.save(trained.state_dict(), path)
    else:
        save_file(trained.state_dict(), path)
    torch.manual_seed(2)
    network = make_classifier(SMALL, 4)
    first = network.output.weight.clone()
    assert start_from(network, weights_file(tmp_path, SMALL)) == sha256_of_file(path)
    given = trained.state_dict()
    for name, tensor in network.state_dict().items():
        if not name.startswith("output"):
            assert torch.equal(tensor, given[name]), name
    assert torch.equal(network.output.weight, first)


def test_weights_of_another_network_are_refused(tmp_path, trained):
    tensors = trained.state_dict()
    name = next(iter(tensors))
    save_file({**tensors, name: torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match=rf"1 tensors are missing.*{name}"):
        start_from(make_classifier(SMALL, 4), tmp_path / "a.safetensors")
    del tensors[name]
    save_file(tensors, tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="another architecture"):
        start_from(make_classifier(SMALL, 4), tmp_path / "b.safetensors")


def test_weights_that_are_no_numbers_are_refused(tmp_path, trained):
    tensors = {name: t.clone() for name, t in trained.state_dict().items()}
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="not finite"):
        start_from(make_classifier(SMALL, 4), tmp_path / "a.safetensors")


class RunsCode:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
def test_what_is_no_file_of_weights_is_refused(tmp_path, name, capsys):
    path = tmp_path / name
    for content in (b"", b"nothing", pickle.dumps(RunsCode())):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=name):
            start_from(make_classifier(SMALL, 4), path)
    torch.save(RunsCode(), tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"b\.pth.*refused"):
        start_from(make_classifier(SMALL, 4), tmp_path / "b.pth")
    assert capsys.readouterr().out == ""
    torch.save([1, 2], tmp_path / "c.pth")
    with pytest.raises(WeightsError, match="expected a state dict of tensors"):
        start_from(make_classifier(SMALL, 4), tmp_path / "c.pth")


def test_a_folder_without_a_networks_weights_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"supervised\.weights: .*mobilenetv2_wd4\.safetensors"):
        weights_file(tmp_path, SMALL)


def test_a_trained_network_is_written_and_read_back(tmp_path, trained, monkeypatch):
    path = tmp_path / "a.safetensors"
    names = [f"class_{i}" for i in range(10)]
    write_classifier(path, trained, SMALL, names, {"start": "random"})
    back, told = load_classifier(path)
    assert told["classes"] == names
    assert told["start"] == "random"
    for name, tensor in back.state_dict().items():
        assert torch.equal(tensor, trained.state_dict()[name])
    assert not back.training
    save_file({"a": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="of format 'gwmorph classifier 1', got None"):
        load_classifier(tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_classifier(tmp_path / "c.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_classifier(path)
    write_classifier(path, trained, SMALL, names[:3], {})
    with pytest.raises(WeightsError, match="another architecture"):
        load_classifier(path)


def test_pictures_smaller_than_imagenets_are_pooled_whole():
    network = make_classifier("resnet10", 3)
    assert isinstance(network.features.final_pool, nn.AdaptiveAvgPool2d)
    assert networks.parameters_of(network) == sum(p.numel() for p in network.parameters())
