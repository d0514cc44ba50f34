"""The two chirp networks: their shape, their scores, and their files."""

import pytest
import torch
from safetensors.torch import save
from torch import nn

from gwmorph.errors import WeightsError
from gwmorph.evidence.chirp_windows import Look
from gwmorph.learning.chirp_networks import (
    NETWORKS,
    Residual,
    classic,
    residual,
    softmax,
    unbounded,
)
from gwmorph.learning.chirp_weights import Trained, load_chirp_network, write_chirp_network
from gwmorph.spectra.band import Band

LOOK = Look(("H1", "L1"), 2048, 2048, Band(20.0, 900.0), 0.75, 0.95)


def convolutions(network):
    return [part for part in network.modules() if isinstance(part, nn.Conv1d)]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("detectors", "samples"), [(1, 2048), (2, 2048), (2, 16384)])
def test_a_network_gives_two_logits_of_a_window(name, detectors, samples):
    torch.manual_seed(1)
    network = NETWORKS[name](detectors, samples, 0.3).eval()
    with torch.inference_mode():
        logits = network(torch.randn(2, detectors, samples))
    assert logits.shape == (2, 2)
    assert logits.dtype == torch.float32
    assert (logits[0] != logits[1]).any()


def test_the_classic_network_is_what_it_says():
    network = classic(2, 2048, 0.3)
    assert len(convolutions(network)) == 8
    kinds = [type(part) for part in network.modules()]
    assert kinds.count(nn.Linear) == 2
    assert {nn.ELU, nn.BatchNorm1d, nn.MaxPool1d, nn.Dropout} <= set(kinds)
    with pytest.raises(ValueError, match="3000 samples, expected a power of two"):
        classic(2, 3000, 0.3)
    with pytest.raises(ValueError, match="at least 2048"):
        classic(2, 1024, 0.3)


def test_the_residual_network_is_what_it_says():
    network = residual(2, 2048, 0.3)
    blocks = [part for part in network.modules() if isinstance(part, Residual)]
    assert len(blocks) == 27
    assert sum(len(convolutions(block.way)) for block in blocks) == 54
    halving = [block for block in blocks if convolutions(block.way)[0].stride == (2,)]
    assert len(halving) == 5
    with pytest.raises(ValueError, match="a multiple of 128"):
        residual(2, 2000, 0.3)


def test_a_softmax_saturates_where_the_difference_still_ranks():
    logits = torch.tensor([[-15.0, 15.0], [-20.0, 20.0], [1.0, 0.0]])
    assert unbounded(logits).tolist() == [30.0, 40.0, -1.0]
    assert softmax(logits)[0] == softmax(logits)[1] == 1.0
    assert softmax(logits)[2] == torch.sigmoid(torch.tensor(-1.0))


def trained(name="classic", seed=1):
    torch.manual_seed(seed)
    return Trained(NETWORKS[name](2, 2048, 0.3).eval(), name, LOOK)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_from_its_file(tmp_path, name):
    made = trained(name)
    write_chirp_network(tmp_path / "a.safetensors", made, {"steps": 3})
    write_chirp_network(tmp_path / "b.safetensors", made, {"steps": 3})
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    held = load_chirp_network(tmp_path / "a.safetensors")
    assert (held.name, held.look) == (name, LOOK)
    windows = torch.randn(3, 2, 2048, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(held.network(windows), made.network(windows))


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(WeightsError, match="no such file"):
        load_chirp_network(path)
    path.write_bytes(save({"x": torch.zeros(2)}))
    with pytest.raises(WeightsError, match="expected weights of format 'gwmorph chirp network 1'"):
        load_chirp_network(path)
    made = trained()
    write_chirp_network(path, made, {})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_chirp_network(path)
    with torch.no_grad():
        next(made.network.parameters()).fill_(float("nan"))
    write_chirp_network(path, made, {})
    with pytest.raises(WeightsError, match="not finite"):
        load_chirp_network(path)
    other = Trained(trained("residual").network, "classic", LOOK)
    write_chirp_network(path, other, {})
    with pytest.raises(WeightsError, match="another architecture"):
        load_chirp_network(path)
