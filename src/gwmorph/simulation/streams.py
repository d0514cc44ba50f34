"""Random streams that depend on what they are for, never on the order of use."""

import zlib

import numpy as np


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the generator that belongs to ``purpose`` under ``seed``.

    Parameters
    ----------
    seed : the simulation's seed.
    purpose : names and non-negative numbers (detector, morphology, chunk index …); equal
        purposes give equal streams in any process and in any order.
    """
    key = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose]
    return np.random.default_rng(np.random.SeedSequence([seed, *key]))
