from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gwmorph.config import Config
from gwmorph.encoders import crops as seen
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import simulated_backgrounds
from gwmorph.learning import pairs as module
from gwmorph.learning.pairs import (
    Pairs,
    event_crops,
    read_pairs,
    real_pairs,
    simulated_pairs,
    training_rendering,
    trigger_pairs,
    window_quarters,
)
from gwmorph.learning.sources import training_sources
from gwmorph.simulation.population import load_population
from gwmorph.strain.directory import recording
from gwosc_files import gwosc_file_name, write_gwosc_file

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
    return simulated_pairs(
        0, 12, "H1", 5, training_sources([POPULATION], ["blip"], 0.3), parameters
    )


def test_pairs_show_their_sources_in_both_noises(simulated):
    assert simulated.events.shape[1:] == simulated.windows.shape[1:] == (2, 4, 56, 56)
    assert len(simulated.events) == len(simulated.event_names) > 5
    assert len(simulated.windows) == len(simulated.window_names) >= 1
    assert (simulated.events[:, 0] != simulated.events[:, 1]).any(axis=(1, 2, 3)).all()
    # A trigger of SNR 6.5 has an energy of 32, above the palette's top.
    assert (simulated.events.max(axis=(2, 3, 4)) == 255).all()
    assert "blip" not in {*simulated.event_names, *simulated.window_names}


def planted(background, parameters, snr):
    """The background with a packet of 200 Hz in the middle of its third window."""
    rate = parameters.sample_rate
    middle = (background.stretch.windows[2] + 16 - background.stretch.gps_start) * rate
    time = np.arange(-rate, rate) / rate
    packet = np.exp(-((time / 0.02) ** 2)) * np.cos(2 * np.pi * 200 * time)
    white = background.stretch.white.copy()
    white[middle - rate : middle + rate] += snr * packet / np.linalg.norm(packet)
    return replace(background, stretch=replace(background.stretch, white=white))


@pytest.fixture(scope="module")
def transform(parameters):
    return parameters.transform()


@pytest.fixture(scope="module")
def background(parameters):
    return next(simulated_backgrounds(Job("pairs", "reference", 6, "H1", 5), parameters))


def test_real_triggers_are_pairs_in_more_noise(background, transform, parameters):
    loud = planted(background, parameters, 15)
    found = trigger_pairs(loud, transform, parameters, np.random.default_rng(1))
    assert found.event_names.tolist() == found.window_names.tolist() == ["real"]
    places = [np.argwhere(crop == crop.max()).mean(axis=0) for crop in found.events[0, :, 0]]
    for row, column in places:
        assert abs(column - 27.5) < 8  # in the middle of 0.5 s
        assert abs(row - places[0][0]) < 3  # at one frequency
    # A quarter without the packet, not jittered: alike, for half of its noise is, but not equal.
    first, second = found.windows[0, :, 0].astype(float)
    assert 0.3 < np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.95


def test_a_trigger_that_more_noise_hides_is_no_pair(
    background, transform, parameters, monkeypatch
):
    loud = planted(background, parameters, 9)
    monkeypatch.setattr(module, "_MORE_NOISE", (0.1, 0.11))
    assert len(trigger_pairs(loud, transform, parameters, np.random.default_rng(1)).events) == 1
    monkeypatch.setattr(module, "_MORE_NOISE", (2.0, 2.1))
    assert len(trigger_pairs(loud, transform, parameters, np.random.default_rng(1)).events) == 0


def test_without_a_quiet_or_a_loud_window_real_noise_gives_no_pairs(
    background, transform, parameters, monkeypatch
):
    assert (
        len(trigger_pairs(background, transform, parameters, np.random.default_rng(1)).events) == 0
    )
    peaks = module._peaks
    monkeypatch.setattr(module, "_peaks", lambda batch: [[16.0] for _ in peaks(batch)])
    assert (
        len(trigger_pairs(background, transform, parameters, np.random.default_rng(1)).events) == 0
    )


@pytest.fixture
def real_strain(background, parameters, tmp_path):
    """White strain of 200 s with a packet at 100 s, as a file."""
    rate = parameters.sample_rate
    strain = np.random.default_rng(4).standard_normal(200 * rate)
    time = np.arange(-rate, rate) / rate
    packet = np.exp(-((time / 0.02) ** 2)) * np.cos(2 * np.pi * 200 * time)
    strain[99 * rate : 101 * rate] += 20 * packet / np.linalg.norm(packet)
    path = tmp_path / gwosc_file_name("H1", 1262301184, duration=200, sample_rate=rate)
    write_gwosc_file(path, "H1", 1262301184, 1e-21 * strain, rate)
    return recording("training.noise_files", "H1", [str(path)])


def test_real_strain_gives_what_is_put_in_and_what_is_there(real_strain, parameters):
    sources = training_sources([POPULATION], ["blip"], 0.3)
    files, segments = real_strain.files, real_strain.segments
    found = real_pairs("H1", 5, files, segments, 3, sources, parameters)
    assert found.event_names.tolist().count("real") == 1
    assert len(found.event_names) > 1
    faster = replace(parameters, sample_rate=4096)
    with pytest.raises(
        ConfigError, match=r"noise_files\.H1: .* has 2048 Hz, expected at least 40"
    ):
        real_pairs("H1", 5, files, segments, 3, sources, faster)


def test_same_seed_same_bytes(simulated, parameters, tmp_path):
    sources = training_sources([POPULATION], ["blip"], 0.3)
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
    with pytest.raises(TableError, match="bad: not a readable archive of arrays"):
        read_pairs([tmp_path / "bad"])


def test_the_encoder_sees_what_the_training_saw():
    picture = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    np.testing.assert_array_equal(event_crops(picture), seen.event_crops(picture[None])[0])
    np.testing.assert_array_equal(window_quarters(picture), seen.window_quarters(picture[None])[0])
    np.testing.assert_allclose(255 * seen.levels(module.STORED), np.arange(256), atol=1e-3)


def test_pairs_without_events_can_be_written(tmp_path):
    empty = np.empty((0, 2, 4, 56, 56), np.uint8)
    names = np.empty(0, "U32")
    Pairs(empty, empty, names, names).write(tmp_path / "none")
    assert len(read_pairs([tmp_path / "none"]).events) == 0


@pytest.mark.parametrize("kind", ["quiet", "alone"])
def test_both_views_of_a_pair_have_noise_of_their_own(parameters, background, monkeypatch, kind):
    """They would be alike by their noise otherwise, and that is what would be learned."""
    monkeypatch.setattr(module, "_SCENES", {kind: 1.0})
    sources = training_sources([POPULATION], ["blip"], 0.3)
    found = module.pairs_in([background], sources, parameters, np.random.default_rng(2))
    assert len(found.windows)
    for first, second in found.windows.astype(float):
        # Above 500 Hz there is noise alone, mostly.
        a, b = (
            view[:, :12] - view[:, :12].mean(axis=(0, 2), keepdims=True)
            for view in (first, second)
        )
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.3
