"""The in-domain network before any training: what its shape alone is worth."""

import tempfile
from pathlib import Path

import torch

from gwmorph.encoders.base import Size
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import IndomainEncoder, write_network


def untrained_encoder(size: Size, seed: int) -> IndomainEncoder:
    """Return an in-domain encoder with random weights, by the same way as trained ones.

    Raises
    ------
    ConfigError
        As `IndomainEncoder`.
    """
    with torch.random.fork_rng(), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(seed)
        path = Path(folder) / "random.safetensors"
        write_network(path, CropNetwork(Architecture()), {})
        return IndomainEncoder(path, size)
