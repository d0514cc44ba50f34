"""The in-domain encoder: a small network that was trained on spectrograms, without labels.

Its weights are one safetensors file that says which architecture it is for and how it was
trained; one ships with the package (``indomain.md`` beside it is its model card).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwmorph.encoders.base import Size, View, check_pictures, encoder_id, unit_rows
from gwmorph.encoders.crop_network import DURATIONS_S, Architecture, CropNetwork
from gwmorph.encoders.crops import (
    CROP,
    brightness,
    event_crops,
    levels,
    pooled,
    window_quarters,
)
from gwmorph.encoders.folded import FoldedNetwork
from gwmorph.encoders.network_file import NetworkFile
from gwmorph.encoders.sizes import check_size
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale
from gwmorph.storage import sha256_of_file
from gwmorph.tables.columns import EMBEDDING_SIZE

SHIPPED = Path(__file__).with_name("indomain.safetensors")
# What the rows of the training views span: the band of a run with the default tiling.
BAND_HZ = (20.0, 1291.0)


_FILE = NetworkFile(
    "gwmorph-indomain",
    "encoder.indomain",
    "snakemake train_encoder",
    ", or set the key to null for the weights that ship with gwmorph",
    Architecture,
    CropNetwork,
)


def write_network(path: Path | str, network: CropNetwork, about: Mapping[str, Any]) -> None:
    """Write a trained network, as `gwmorph.encoders.network_file.NetworkFile.write` does."""
    _FILE.write(path, network, network.architecture, about)


def load_network(path: Path | str, sha256: str | None = None) -> CropNetwork:
    """Return the network of a weights file in float32, in evaluation mode.

    Raises
    ------
    WeightsError
        As `gwmorph.encoders.network_file.NetworkFile.load`.
    """
    return _FILE.load(path, sha256)


def left_out(path: Path | str) -> set[str]:
    """Return the morphologies that the training of a weights file did without.

    Raises
    ------
    WeightsError
        The file is missing, truncated, or does not say how it was trained.
    """
    training = _FILE.training(path, "excluded", "what its training left out")
    excluded = set(training["excluded"])
    if excluded and "elements" not in training:
        raise WeightsError(
            f"{path}: its training left out {', '.join(sorted(excluded))} by name only; "
            "random compositions still held such signals. Train it again."
        )
    return excluded


def _rows_inside(rows: int, band_hz: tuple[float, float]) -> NDArray[np.intp]:
    """Return which of so many rows over a band show ``BAND_HZ``, from its top down."""
    low, high = np.log(band_hz)
    bottom, top = np.log(BAND_HZ)
    count = max(round(rows * (top - bottom) / (high - low)), CROP)
    centres = top - (np.arange(count) + 0.5) * (top - bottom) / count
    found = np.floor((high - centres) / (high - low) * rows)
    return np.clip(found, 0, rows - 1).astype(np.intp)


def weights_path(path: Path | str | None) -> Path:
    """Return the weights file that ``encoder.indomain.path`` means."""
    return SHIPPED if path is None else Path(path)


class IndomainEncoder:
    """Vectors of whole views, of single crops, and of the parts of a window.

    Parameters
    ----------
    path
        Weights file; None for the one that ships with gwmorph.
    size
        Height and width of the pictures in pixels.
    sha256
        Expected SHA-256 of the file, if any.
    threads
        Limit for PyTorch; by default its environment decides.

    Raises
    ------
    ConfigError
        Pictures of this size hold less than the network sees.
    WeightsError
        As `load_network`.
    """

    width = EMBEDDING_SIZE

    def __init__(
        self,
        path: Path | str | None,
        size: Size,
        sha256: str | None = None,
        threads: int | None = None,
    ) -> None:
        check_size("indomain", size)
        if threads is not None:
            torch.set_num_threads(threads)
        self._size = size
        file = weights_path(path)
        network = load_network(file, sha256)
        self._network = FoldedNetwork(network)
        version = str(network.architecture.version)
        self.encoder_id = encoder_id("indomain", version, sha256_of_file(file), size, "float32")

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """Encode pictures; see `gwmorph.encoders.base.Encoder`.

        An event's vector is that of its four crops, joined: numbers 96·k to 96·k + 95, times
        two, are what `encode_crops` gives for crop k.
        """
        with torch.inference_mode():
            if view == "event":
                crops = self._shown(pictures, render, event_crops)
                vectors = self._network.event(crops).flatten(1)
            else:
                vectors = self._network.window(self._shown(pictures, render, window_quarters))
        return unit_rows(vectors.numpy())

    def encode_crops(
        self,
        energy: NDArray[np.floating],
        duration_s: float,
        band_hz: tuple[float, float] = BAND_HZ,
    ) -> NDArray[np.float32]:
        """Encode single pictures of one duration, as other programs may have drawn them.

        Parameters
        ----------
        energy
            Normalised tile energies [n, rows, columns], at least 56 x 56, with the moment of
            interest in the middle; rows are logarithmic in frequency, top row first.
        duration_s
            What the columns span: 0.5, 1, 2, 4 or 8 s.
        band_hz
            What the rows span, in Hz. The network sees its own band of it, ``BAND_HZ``; where
            that reaches farther, the outermost rows are repeated.

        Returns
        -------
        Unit vectors float32 [n, 96]. They can be compared across durations.

        Raises
        ------
        ConfigError
            Another duration, or pictures too small.
        """
        if duration_s not in DURATIONS_S:
            known = ", ".join(f"{known:g}" for known in DURATIONS_S)
            raise ConfigError(f"duration_s: expected one of {known} s, got {duration_s:g}.")
        if energy.ndim != 3 or min(energy.shape[1:]) < CROP:
            raise ConfigError(
                f"energy: expected [n, rows, columns] of at least {CROP} x {CROP} pixels, got "
                f"{list(energy.shape)}."
            )
        inside = energy[:, _rows_inside(energy.shape[1], band_hz)]
        seen = torch.from_numpy(brightness(pooled(inside, CROP, CROP)))
        number = torch.full((len(energy),), DURATIONS_S.index(duration_s))
        with torch.inference_mode():
            return unit_rows(self._network.crops(seen, number).numpy())

    def patches(self, pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float16]:
        """Return what the last block says of each part of windows: float16 [n, 7, 28, width].

        Rows are sevenths of the (logarithmic) band, the highest first; columns last 8/7 s.

        Raises
        ------
        ConfigError
            As `encode`.
        """
        quarters = self._shown(pictures, render, window_quarters)
        with torch.inference_mode():
            tokens = self._network.window_tokens(quarters)
        return tokens.numpy().astype(np.float16)

    def _shown(
        self,
        pictures: NDArray[np.uint8],
        render: PictureScale,
        taken: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    ) -> Tensor:
        """Return the brightness of what is taken of pictures: [n, 4, 56, 56]."""
        check_pictures(pictures, self._size)
        return torch.from_numpy(levels(render).take(taken(pictures)))
