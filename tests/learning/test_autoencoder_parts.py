"""The parts that an autoencoder learns from and is scored on."""

from dataclasses import replace

import numpy as np
import pytest

from gwmorph.config import LearningConfig
from gwmorph.errors import ConfigError
from gwmorph.learning.autoencoder_parts import parts_of
from gwmorph.learning.labelled_pictures import SPLITS, LabelledPictures
from gwmorph.spectra.pictures import PictureScale

SETTINGS = LearningConfig(validation_fraction=0.2, test_fraction=0.3, seed=2)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(1)
    return LabelledPictures(
        rng.integers(0, 256, (20, 112, 112)).astype(np.uint8),
        PictureScale("linear", 25.5, "cividis"),
        np.repeat(["blip", "tomte"], 10),
        np.array([f"glitch {number}" for number in range(20)]),
        np.full(20, np.nan),
        np.full(20, ""),
        np.full(20, np.nan),
        rng.exponential(1, (20, 5)),
    )


def test_every_view_is_in_one_part_with_its_class_and_triggers(pictures):
    parts = parts_of(pictures, "random", SETTINGS)
    assert tuple(parts) == SPLITS
    groups = np.concatenate([part.groups for part in parts.values()])
    assert sorted(groups.tolist()) == sorted(pictures.groups.tolist())
    assert len(parts["test"].crops) == 6
    for part in parts.values():
        rows = [pictures.groups.tolist().index(group) for group in part.groups]
        np.testing.assert_array_equal(part.labels, pictures.labels[rows])
        np.testing.assert_array_equal(part.triggers, pictures.triggers[rows])
        assert part.crops.indices.shape == (len(rows), 4, 56, 56)


def test_triggers_that_some_glitches_lack_are_no_triggers(pictures):
    triggers = pictures.triggers.copy()
    triggers[3, 2] = np.nan
    for known in (triggers, None):
        parts = parts_of(replace(pictures, triggers=known), "random", SETTINGS)
        assert all(part.triggers is None for part in parts.values())


def test_pictures_of_one_duration_are_no_event_views(pictures):
    with pytest.raises(ConfigError, match=r"got pictures of 0\.5 s"):
        parts_of(replace(pictures, durations_s=np.full(20, 0.5)), "random", SETTINGS)
