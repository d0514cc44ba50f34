from pathlib import Path

import numpy as np
import pytest

from gwmorph.config import Config
from gwmorph.encoders import crop_network
from gwmorph.errors import TableError
from gwmorph.learning import pairs as module
from gwmorph.learning.pairs import (
    Pairs,
    event_crops,
    read_pairs,
    simulated_pairs,
    training_rendering,
    window_quarters,
)
from gwmorph.learning.sources import training_sources
from gwmorph.simulation.population import load_population

POPULATION = load_population(Path(__file__).resolve().parents[2] / "config" / "population.yaml")


@pytest.fixture(scope="module")
def parameters():
    config = Config()
    conditioning = config.conditioning.model_dump() | {"sample_rate": 2048}
    rendering = {
        "conditioning": conditioning,
        "qtransform": config.qtransform.model_dump(),
        "picture": {"plane": "max", "energy_max": 25.5},
    }
    return training_rendering(32, rendering)


@pytest.fixture(scope="module")
def simulated(parameters):
    return simulated_pairs(0, 12, "H1", 5, training_sources(POPULATION, ["blip"], 0.3), parameters)


def test_pairs_show_their_sources_in_both_noises(simulated):
    assert simulated.events.shape[1:] == simulated.windows.shape[1:] == (2, 4, 56, 56)
    assert len(simulated.events) == len(simulated.event_names) > 5
    assert len(simulated.windows) == len(simulated.window_names) >= 1
    assert (simulated.events[:, 0] != simulated.events[:, 1]).any(axis=(1, 2, 3)).all()
    # A trigger of SNR 6.5 has an energy of 32, above the palette's top.
    assert (simulated.events.max(axis=(2, 3, 4)) == 255).all()
    assert "blip" not in {*simulated.event_names, *simulated.window_names}


def test_same_seed_same_bytes(simulated, parameters, tmp_path):
    sources = training_sources(POPULATION, ["blip"], 0.3)
    for name, seed in (("again", 5), ("other", 6)):
        simulated_pairs(0, 12, "H1", seed, sources, parameters).write(tmp_path / name)
    simulated.write(tmp_path / "first")
    first, again, other = ((tmp_path / n).read_bytes() for n in ("first", "again", "other"))
    assert first == again != other


def test_parts_are_joined_in_order(simulated, tmp_path):
    simulated.write(tmp_path / "a")
    joined = read_pairs([tmp_path / "a", tmp_path / "a"])
    np.testing.assert_array_equal(joined.events[len(simulated.events) :], simulated.events)
    assert list(joined.window_names) == 2 * list(simulated.window_names)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x80\x04K\x01."])
def test_a_damaged_file_is_refused(content, tmp_path):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(TableError, match="not a file of training pairs"):
        read_pairs([tmp_path / "bad"])


def test_the_encoder_sees_what_the_training_saw():
    import torch

    picture = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    brightness = torch.from_numpy(picture)[None] / 255
    for ours, theirs in (
        (event_crops(picture), crop_network.event_crops(brightness)),
        (window_quarters(picture), crop_network.window_quarters(brightness)),
    ):
        np.testing.assert_array_equal(ours, np.rint(255 * theirs[0].numpy()))
    levels = torch.from_numpy(module.STORED.energy(np.arange(256, dtype=np.uint8)))
    np.testing.assert_allclose(crop_network.brightness(levels) * 255, np.arange(256), atol=1e-3)


def test_pairs_without_events_can_be_written(tmp_path):
    empty = np.empty((0, 2, 4, 56, 56), np.uint8)
    names = np.empty(0, "U32")
    Pairs(empty, empty, names, names).write(tmp_path / "none")
    assert len(read_pairs([tmp_path / "none"]).events) == 0
