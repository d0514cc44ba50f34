"""What an encoder is, and how one is made from its configuration."""

from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gwmorph.config import EncoderConfig, WeightsConfig
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale

Size = tuple[int, int]
# What a picture shows: 32 s, or a moment in four crops.
View = Literal["window", "event"]
_EXTRA_MODULES = {
    "torch",
    "transformers",
    "safetensors",
    "huggingface_hub",
    "openvino",
    "nncf",
}


class Encoder(Protocol):
    """A frozen map from pictures to unit vectors.

    ``encoder_id`` names everything that the vectors depend on apart from the pictures, as
    `encoder_id` writes it. Vectors of different encoder ids must not be compared. ``width`` is
    their length.
    """

    encoder_id: str
    width: int

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """Encode palette indices uint8 [n, h, w] to float32 [n, ``width``] of unit norm.

        ``view`` says what all pictures show. They are held at once: stream batches for many.

        Raises
        ------
        ConfigError
            The pictures are not of the size that the encoder was made for.
        """
        ...


@runtime_checkable
class PatchEncoder(Encoder, Protocol):
    """An encoder that also tells what it sees where."""

    def patches(self, pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float16]:
        """Return a vector for each patch of each picture: float16 [n, rows, columns, d].

        Rows go down the picture, from high frequencies to low ones; columns go with time. The
        vectors are not scaled to unit norm. At 224 x 224 pixels DINOv2 gives [n, 16, 16, 384],
        0.2 MB a picture.

        Raises
        ------
        ConfigError
            As `encode`.
        """
        ...


def make_encoder(
    config: EncoderConfig, size: Size = (224, 224), threads: int | None = None
) -> Encoder:
    """Make the configured encoder for pictures of ``size`` (height, width) in pixels.

    ``auto`` is what `gwmorph.encoders.precision.resolve_auto` says of this machine; a run has
    resolved it before. ``threads`` limits the encoder; by default ``OMP_NUM_THREADS`` does.

    Raises
    ------
    ConfigError
        The size does not suit the encoder, or the encoder's extra is not installed.
    WeightsError
        The weights cannot be had or are not the ones asked for.
    """
    if config.name == "dct":
        from gwmorph.encoders.dct import DctEncoder

        return DctEncoder(size)
    if config.name == "indomain":
        from gwmorph.encoders.indomain import IndomainEncoder

        return IndomainEncoder(config.indomain.path, size, config.indomain.sha256, threads)
    try:
        return _make_dinov2(config, size, threads)
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from error


def _make_dinov2(config: EncoderConfig, size: Size, threads: int | None) -> Encoder:
    from gwmorph.encoders.dinov2 import Dinov2Encoder
    from gwmorph.encoders.precision import resolve_auto
    from gwmorph.encoders.runtime import make_network
    from gwmorph.encoders.weights import obtain_weights

    settled = resolve_auto(config)
    weights = obtain_weights(config.weights)
    network = make_network(
        weights,
        size,
        settled.runtime,
        settled.precision,
        Path(config.weights.cache),
        threads,
    )
    return Dinov2Encoder(network, weights, size, config.output)


def check_weights(config: EncoderConfig) -> None:
    """Raise unless the configured encoder's weights are there, fetching them where needed.

    It takes a second, so that a run fails before it has drawn a picture.

    Raises
    ------
    ConfigError
        The encoder's extra is not installed.
    WeightsError
        The weights cannot be had or are not the ones asked for.
    """
    # The shipped weights are the package's own, and PyTorch takes more than a second to import.
    if config.name == "indomain" and (config.indomain.path or config.indomain.sha256):
        from gwmorph.encoders.indomain import load_network, weights_path

        load_network(weights_path(config.indomain.path), config.indomain.sha256)
    if config.name != "dinov2":
        return
    try:
        from gwmorph.encoders.weights import obtain_weights

        obtain_weights(config.weights)
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from error


def fetch_weights(config: WeightsConfig) -> tuple[Path, str]:
    """Return folder and SHA-256 of DINOv2's weights, fetched where needed and loaded to check.

    Raises
    ------
    ConfigError, WeightsError
        As `check_weights`; or the weights are of another architecture, or not finite.
    """
    try:
        from gwmorph.encoders.dinov2 import load_model
        from gwmorph.encoders.weights import obtain_weights

        weights = obtain_weights(config)
        load_model(weights)
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from error
    return weights.folder, weights.sha256


def _extra_missing(error: ModuleNotFoundError) -> Exception:
    if error.name not in _EXTRA_MODULES:
        return error
    return ConfigError(
        f"encoder.name: 'dinov2' needs the Python package {error.name!r}, which is not "
        "installed. Install the extra with: pip install 'gwmorph[dinov2]' (or set encoder.name to "
        "'dct', which needs no weights; encoder.runtime 'pytorch' does without openvino and nncf)."
    )


def encoder_id(name: str, revision: str, sha256: str, size: Size, precision: str) -> str:
    """Return ``name:revision:sha256:HxW:precision``; what does not apply is ``-``."""
    return f"{name}:{revision}:{sha256}:{size[0]}x{size[1]}:{precision}"


def check_pictures(pictures: NDArray[np.uint8], size: Size) -> None:
    """Raise ConfigError unless ``pictures`` is uint8 [n, *size]."""
    if pictures.ndim != 3 or pictures.shape[1:] != size or pictures.dtype != np.uint8:
        raise ConfigError(
            f"pictures: expected uint8 [n, {size[0]}, {size[1]}], got {pictures.dtype} "
            f"{list(pictures.shape)}. The encoder was made for picture.height = {size[0]} and "
            f"picture.width = {size[1]}: make it for the size of these pictures."
        )


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale each row of [n, d] to unit Euclidean norm, as float32.

    Raises
    ------
    WeightsError
        A row is zero or not finite, so that it has no direction.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = ~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0)
    if bad.any():
        raise WeightsError(
            f"The encoder gave {int(bad.sum())} of {len(vectors)} vectors that are zero or not "
            f"finite (the first for picture {int(bad.argmax())} of the batch): its weights are "
            "damaged. Remove them and fetch them again."
        )
    return (vectors / norms).astype(np.float32)
