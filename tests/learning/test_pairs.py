from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gwmorph.config import Config
from gwmorph.encoders import crop_network
from gwmorph.errors import TableError
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import simulated_backgrounds
from gwmorph.learning import pairs as module
from gwmorph.learning.pairs import (
    Pairs,
    event_crops,
    read_pairs,
    simulated_pairs,
    training_rendering,
    trigger_pairs,
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


def test_real_triggers_are_pairs_in_more_noise(parameters):
    """A planted packet gives one pair: the same place, fainter the second time."""
    job = Job("pairs", "reference", 6, "H1", 5)
    (background,) = simulated_backgrounds(job, parameters)
    white, rate = background.stretch.white, parameters.sample_rate
    middle = (background.stretch.windows[2] + 16 - background.stretch.gps_start) * rate
    time = np.arange(-rate, rate) / rate
    packet = np.exp(-((time / 0.02) ** 2)) * np.cos(2 * np.pi * 200 * time)
    loud = white.copy()
    loud[middle - rate : middle + rate] += 15 * packet / np.linalg.norm(packet)
    planted = replace(background, stretch=replace(background.stretch, white=loud))
    found = trigger_pairs([planted], parameters, np.random.default_rng(1))
    assert found.event_names.tolist() == found.window_names.tolist() == ["real"]
    first, second = found.events[0].astype(float)
    assert (first != second).mean() > 0.5  # other noise
    places = [np.argwhere(crop == crop.max()).mean(axis=0) for crop in (first[0], second[0])]
    np.testing.assert_allclose(places[0][1], 27.5, atol=8)  # in the middle of 0.5 s
    np.testing.assert_allclose(places[0][0], places[1][0], atol=3)  # at one frequency
    assert first[0].mean() > second[0].mean()
    assert found.windows.shape == (1, 2, 4, 56, 56)


def test_without_a_quiet_or_a_loud_window_real_noise_gives_no_pairs(parameters, monkeypatch):
    (background,) = simulated_backgrounds(Job("pairs", "reference", 4, "H1", 5), parameters)
    assert len(trigger_pairs([background], parameters, np.random.default_rng(1)).events) == 0
    assert len(trigger_pairs([], parameters, np.random.default_rng(1)).windows) == 0
    monkeypatch.setattr(module, "_peaks", lambda batch: [[16.0]] * 4)
    assert len(trigger_pairs([background], parameters, np.random.default_rng(1)).events) == 0


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
