"""A training small enough for a test."""

import numpy as np
import pytest

from gwmorph.learning.contrastive_training import Recipe
from gwmorph.learning.pairs import QUIET, Pairs


@pytest.fixture(scope="session")
def pairs() -> Pairs:
    """Bright bars, the same in both views of a pair, over noise of their own."""
    rng = np.random.default_rng(5)
    shown = rng.integers(0, 80, (2, 24, 2, 4, 56, 56))
    for kind in shown:
        for number, pair in enumerate(kind):
            row = 2 * number + 2
            pair[:, :, row : row + 4, 10 : 10 + 2 * (number % 12)] = 240
    events, windows = shown.astype(np.uint8)
    names = np.array(["bar"] * 24)
    return Pairs(events, windows, names, np.where(np.arange(24) % 8, names, QUIET))


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return Recipe(
        steps=20,
        event_pairs=10,
        window_pairs=6,
        learning_rate=0.004,
        weight_decay=0.05,
        temperature=0.2,
        crop_weight=0.5,
        seed=3,
    )
