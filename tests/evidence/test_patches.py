"""Patch evidence."""

import numpy as np
import pytest

from gwmorph.encoders.base import PatchEncoder
from gwmorph.encoders.dct import DctEncoder
from gwmorph.errors import WeightsError
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import features_of, make_lesson, observe, simulated_backgrounds
from gwmorph.evidence.patches import PatchBackground, best_count, farthest

CELL = 8


class CellEncoder(DctEncoder):
    """The baseline with patches: the pixels of each cell of 8 x 8, and a constant."""

    def patches(self, pictures, render):
        n, height, width = pictures.shape
        cells = render.energy(pictures).reshape(n, height // CELL, CELL, width // CELL, CELL)
        flat = cells.transpose(0, 1, 3, 2, 4).reshape(n, height // CELL, width // CELL, -1)
        return np.pad(flat, [(0, 0)] * 3 + [(0, 1)], constant_values=8).astype(np.float16)


def test_distances_are_cosines_to_the_nearest_known_patch():
    known = np.array([[3.0, 0, 0], [0, 2, 0]]).reshape(1, 1, 2, 3)
    patches = np.array([[5.0, 0, 0], [1, 1, 0], [0, 0, 1], [0, -1, 0]]).reshape(2, 2, 1, 3)
    found = PatchBackground(known).distances(patches)
    np.testing.assert_allclose(found, [[1 - np.sqrt(0.5), 0], [1, 1]], atol=1e-6)
    assert found.dtype == np.float32


def test_distances_equal_brute_force():
    rng = np.random.default_rng(5)
    known, patches = rng.normal(size=(3, 4, 2, 6)), rng.normal(size=(5, 4, 2, 6))
    a, b = (
        x.reshape(-1, 6) / np.linalg.norm(x.reshape(-1, 6), axis=1)[:, None]
        for x in (patches, known)
    )
    nearest = np.array([min(1 - p @ q for q in b) for p in a]).reshape(5, 8)
    expected = -np.sort(-nearest, axis=1)
    np.testing.assert_allclose(PatchBackground(known).distances(patches), expected, atol=1e-6)
    np.testing.assert_allclose(farthest(expected, 3), expected[:, :3].mean(axis=1))
    np.testing.assert_allclose(farthest(expected, 64), expected.mean(axis=1))


def test_patches_without_direction_are_refused():
    with pytest.raises(WeightsError, match="not finite"):
        PatchBackground(np.full((1, 1, 1, 4), np.nan))


@pytest.mark.parametrize(("loud", "expected"), [(1, 1), (4, 4), (16, 16)])
def test_the_count_is_that_of_the_patches_that_a_signal_fills(loud, expected):
    rng = np.random.default_rng(1)
    quiet = rng.normal(size=(400, 32))
    injected = rng.normal(size=(400, 32))
    injected[:, :loud] += 2.5 / np.sqrt(loud)
    assert best_count(quiet, injected) == expected


def test_equal_areas_take_the_fewest_patches():
    same = np.ones((3, 8))
    assert best_count(same, same) == 1


def test_a_lesson_is_the_same_for_every_job_of_a_campaign(parameters, encoder):
    first, second = (make_lesson("H1", 5, parameters, encoder) for _ in range(2))
    for name in ("background", "quiet", "injected"):
        indices = getattr(first, name).indices
        np.testing.assert_array_equal(indices, getattr(second, name).indices)
        assert indices.dtype == np.uint8
    assert not np.array_equal(first.background.indices[:4], first.quiet.indices[:4])


def test_a_campaign_with_patches_finds_a_loud_blip(parameters, events):
    encoder = CellEncoder((parameters.height, parameters.width))
    assert isinstance(encoder, PatchEncoder)
    quiet = Job("q", "calibration", 8, "H1", 5)
    loud = Job("b", "injection", 8, "H1", 5, "blip", (50.0,))
    scores = [
        features_of(
            observe(job, simulated_backgrounds(job, parameters), parameters, encoder, events),
            "patch_evidence",
        )
        for job in (quiet, loud)
    ]
    assert scores[0].dtype == np.float64
    assert np.median(scores[1]) > scores[0].max()
