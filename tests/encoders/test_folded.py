from copy import deepcopy

import numpy as np
import pytest
import torch
from plain_indomain import plain_vectors

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.folded import FoldedNetwork
from gwmorph.encoders.indomain import (
    SHIPPED,
    IndomainEncoder,
    load_network,
    write_network,
)
from gwmorph.spectra.pictures import PictureScale

LINEAR = PictureScale("linear", 25.5, "cividis")
SMALL = Architecture(stem=4, width=16, blocks=1, heads=2, crop_size=96)
VIEWS = ("event", "window")


@pytest.fixture(autouse=True)
def _one_thread():
    """Small products gain nothing from threads, and lose to whoever else uses the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(count, size=(224, 224), seed=0):
    """Return noise with a tone, a spire or a chirp in each picture's parts."""
    rng = np.random.default_rng(seed)
    energy = rng.exponential(1.44, (count, *size))
    for picture in energy:
        row, column = rng.integers(0, size[0] - 40), rng.integers(0, size[1] - 40)
        picture[row : row + 3 + rng.integers(37), column : column + 3 + rng.integers(37)] += (
            rng.uniform(5, 200)
        )
    return LINEAR.index(energy)


@pytest.fixture(scope="module")
def trained_like():
    """A small network whose batch norms, and everything else, are not as they begin."""
    torch.manual_seed(3)
    network = CropNetwork(SMALL).eval().requires_grad_(False)
    for name, values in network.state_dict().items():
        if name.endswith("running_var") or (name.endswith("weight") and values.ndim == 1):
            values.copy_(torch.empty_like(values).uniform_(0.5, 2))
        elif values.is_floating_point() and values.ndim == 1:
            values.copy_(0.3 * torch.randn_like(values))
    return network


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(224, 224), (130, 250)])
def test_vectors_are_those_of_the_plain_network(view, size):
    shown = pictures(5, size)
    expected = plain_vectors(load_network(SHIPPED), shown, LINEAR, view)
    found = IndomainEncoder(None, size).encode(shown, LINEAR, view)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_every_output_of_a_network_with_other_norms_is_kept(trained_like):
    crops = torch.rand(5, 4, 56, 56, generator=torch.Generator().manual_seed(1))
    single = crops.flatten(0, 1)  # more than are read at once, the durations in no order
    durations = torch.arange(20) * 7 % 5
    before = deepcopy(trained_like.state_dict())
    made = FoldedNetwork(trained_like)
    with torch.inference_mode():
        for found, expected in (
            (made.event(crops), trained_like.event(crops)),
            (made.window(crops), trained_like.window(crops)),
            (made.window_tokens(crops), trained_like.window_tokens(crops)),
            (made.crops(single, durations), trained_like.crops(single, durations)),
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6)
    for name, values in trained_like.state_dict().items():
        assert torch.equal(values, before[name]), name
    # No batch norm is left, and the images in between have a pixel's channels together.
    assert not [m for m in made.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    edges = made.edges(crops[:, :1])
    assert edges.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("view", VIEWS)
def test_neither_company_nor_order_matters(view):
    shown = pictures(9, seed=1)
    encoder = IndomainEncoder(None, (224, 224))
    vectors = encoder.encode(shown, LINEAR, view)
    again = IndomainEncoder(None, (224, 224)).encode(shown, LINEAR, view)
    np.testing.assert_array_equal(again, vectors)
    backwards = encoder.encode(shown[::-1], LINEAR, view)[::-1]
    np.testing.assert_allclose(backwards, vectors, rtol=0, atol=1e-6)
    for batch in (1, 4):
        parts = [encoder.encode(shown[i : i + batch], LINEAR, view) for i in range(0, 9, batch)]
        np.testing.assert_allclose(np.concatenate(parts), vectors, rtol=0, atol=1e-6)


@pytest.mark.parametrize("view", VIEWS)
def test_no_picture_gives_no_vector(view):
    none = np.empty((0, 224, 224), np.uint8)
    assert IndomainEncoder(None, (224, 224)).encode(none, LINEAR, view).shape == (0, 384)


def test_many_single_crops_are_as_one_by_one(trained_like, tmp_path):
    write_network(tmp_path / "small", deepcopy(trained_like), {})
    encoder = IndomainEncoder(tmp_path / "small", (112, 224))
    energy = np.random.default_rng(4).exponential(2, (70, 60, 57))
    vectors = encoder.encode_crops(energy, 2.0)
    assert vectors.shape == (70, 96)
    for number in (0, 31, 32, 69):
        alone = encoder.encode_crops(energy[number : number + 1], 2.0)[0]
        np.testing.assert_allclose(alone, vectors[number], rtol=0, atol=1e-6)
