"""The autoencoder as an encoder: what a network keeps of a picture to draw it again.

`snakemake autoencoder` trains it on event views, without labels; none ships with the package. Its
bottleneck is 24 channels of 4 x 4 places, so 384 numbers as they are, and each is scaled by its
mean and spread over the training; the vector is that, scaled to unit norm.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwmorph.encoders.autoencoder_network import (
    Autoencoder,
    AutoencoderArchitecture,
    squared_errors,
)
from gwmorph.encoders.base import Size, View, check_pictures, encoder_id, unit_rows
from gwmorph.encoders.crops import event_crops, levels, window_quarters
from gwmorph.encoders.network_file import NetworkFile
from gwmorph.encoders.sizes import check_size
from gwmorph.spectra.pictures import PictureScale
from gwmorph.storage import sha256_of_file
from gwmorph.tables.columns import EMBEDDING_SIZE

_FILE = NetworkFile(
    "gwmorph-autoencoder",
    "encoder.autoencoder",
    "snakemake autoencoder",
    "",
    AutoencoderArchitecture,
    Autoencoder,
)
# Held at once: what the first layers make of a batch is a hundred times as large as the batch.
_AT_ONCE = 32


def write_autoencoder(path: Path | str, network: Autoencoder, about: Mapping[str, Any]) -> None:
    """Write a trained network, as `gwmorph.encoders.network_file.NetworkFile.write` does."""
    _FILE.write(path, network, network.architecture, about)


def load_autoencoder(path: Path | str, sha256: str | None = None) -> Autoencoder:
    """Return the network of a weights file in float32, in evaluation mode.

    Raises
    ------
    WeightsError
        As `gwmorph.encoders.network_file.NetworkFile.load`.
    """
    return _FILE.load(path, sha256)


def classes_seen(path: Path | str) -> set[str]:
    """Return the classes whose views a weights file was trained on, without their names.

    Raises
    ------
    WeightsError
        As `load_autoencoder`, or the file does not say how it was trained.
    """
    return set(_FILE.training(path, "classes", "how it was trained")["classes"])


def shown_crops(pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float32]:
    """Return what the network sees of event views uint8 [n, h, w]: brightness [n, 4, 56, 56]."""
    return levels(render).take(event_crops(pictures))


class AutoencoderEncoder:
    """Vectors of event views and of windows, and how well event views are drawn again.

    A window is shown by its four quarters in the place of the crops. No window was in the
    training, so vectors of windows are worth what they are measured to be.

    Parameters
    ----------
    path
        Weights file that `snakemake autoencoder` wrote.
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
        As `load_autoencoder`.
    """

    width = EMBEDDING_SIZE

    def __init__(
        self,
        path: Path | str,
        size: Size,
        sha256: str | None = None,
        threads: int | None = None,
    ) -> None:
        check_size("autoencoder", size)
        if threads is not None:
            torch.set_num_threads(threads)
        self._size = size
        self._network = load_autoencoder(path, sha256)
        # Convolutions are faster so.
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        version = str(self._network.architecture.version)
        self.encoder_id = encoder_id("autoencoder", version, sha256_of_file(path), size, "float32")

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """Encode pictures; see `gwmorph.encoders.base.Encoder`."""
        check_pictures(pictures, self._size)
        taken = window_quarters if view == "window" else event_crops
        crops = torch.from_numpy(levels(render).take(taken(pictures)))
        with torch.inference_mode():
            vectors = torch.cat([self._network.latent(part) for part in crops.split(_AT_ONCE)])
        return unit_rows(vectors.numpy())

    def reconstructions(
        self, pictures: NDArray[np.uint8], render: PictureScale
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Draw event views again.

        Parameters
        ----------
        pictures, render
            As `encode` takes them.

        Returns
        -------
        What the network makes of the brightness of the crops, float32 [n, 4, 56, 56], and the
        mean squared difference from it, float64 [n], without unit.

        Raises
        ------
        ConfigError
            As `encode`.
        """
        check_pictures(pictures, self._size)
        drawn: list[Tensor] = []
        errors: list[Tensor] = []
        with torch.inference_mode():
            for crops in torch.from_numpy(shown_crops(pictures, render)).split(_AT_ONCE):
                drawn.append(self._network(crops))
                errors.append(squared_errors(drawn[-1], crops))
        return torch.cat(drawn).numpy(), torch.cat(errors).double().numpy()
