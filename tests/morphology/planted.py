"""Unit vectors with known structure."""

import numpy as np

from gwmorph.morphology.components import Components

SIZES = (260, 180, 110, 50)


def blobs(
    sizes: tuple[int, ...], spread: float = 0.4, seed: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around random directions, shuffled, and the number of each one's blob."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), 384))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return unit(centres[truth] + spread * rng.normal(size=(len(truth), 384)) / np.sqrt(384)), truth


def cloud(rows: int, falloff: float, seed: int) -> np.ndarray:
    """Unit vectors of one Gaussian whose k-th axis has the spread k^-falloff."""
    rng = np.random.default_rng(seed)
    axes = np.arange(1, 385.0) ** -falloff
    centre = np.zeros(384)
    centre[0] = 3 * np.linalg.norm(axes)
    return unit(centre + rng.normal(size=(rows, 384)) * axes)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def components(vectors: np.ndarray, largest: int) -> np.ndarray:
    """Principal components as they are, without whitening."""
    return Components.fit(vectors, largest, 0.0).of(vectors)
