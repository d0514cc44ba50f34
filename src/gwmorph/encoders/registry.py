"""How an encoder is made from its configuration.

This module knows all encoders, and none of them knows it. They are imported when they are asked
for: most need packages that others do without.
"""

from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig, WeightsConfig
from gwmorph.encoders.base import Encoder, Size
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.progress import timed

_EXTRA_MODULES = {
    "torch",
    "transformers",
    "safetensors",
    "huggingface_hub",
    "openvino",
    "nncf",
}


@timed("loading the encoder")
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
    if config.name == "autoencoder":
        from gwmorph.encoders.autoencoder import AutoencoderEncoder

        return AutoencoderEncoder(_autoencoder(config), size, config.autoencoder.sha256, threads)
    try:
        return _make_dinov2(config, size, threads)
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from error


def _autoencoder(config: EncoderConfig) -> str:
    """Return the autoencoder's weights file.

    Raises
    ------
    ConfigError
        None is named: a comparison takes up encoders whose section nothing has looked at.
    """
    if config.autoencoder.path is None:
        raise ConfigError(
            "encoder.autoencoder.path: expected a file of weights for the autoencoder, got "
            "nothing. Train one with `snakemake autoencoder` and name it: none ships with gwmorph."
        )
    return config.autoencoder.path


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
    if config.name == "autoencoder":
        from gwmorph.encoders.autoencoder import load_autoencoder

        load_autoencoder(_autoencoder(config), config.autoencoder.sha256)
    if config.name != "dinov2":
        return
    try:
        from gwmorph.encoders.weights import obtain_weights

        obtain_weights(config.weights)
    except ModuleNotFoundError as error:
        raise _extra_missing(error) from error


def with_weights(config: EncoderConfig, path: str) -> EncoderConfig:
    """Return an encoder that is made with the weights at ``path``, whichever they are.

    ``path`` is what ``encoder.indomain.path`` is to the in-domain encoder and
    ``encoder.autoencoder.path`` to the autoencoder, a file, and ``encoder.weights.path`` to
    DINOv2, a folder.

    Raises
    ------
    ConfigError
        The encoder has no weights.
    """
    anywhere = {"path": path, "sha256": None}
    if config.name == "indomain":
        return config.model_copy(update={"indomain": config.indomain.model_copy(update=anywhere)})
    if config.name == "autoencoder":
        other = config.autoencoder.model_copy(update=anywhere)
        return config.model_copy(update={"autoencoder": other})
    if config.name == "dinov2":
        unpinned = config.weights.model_copy(update={**anywhere, "revision": None})
        return config.model_copy(update={"weights": unpinned})
    raise ConfigError(f"encoder.name: {config.name} has no weights, so {path} cannot be its.")


def may_have_made(config: EncoderConfig, size: Size, sha256: str | None, encoder_id: str) -> bool:
    """Return whether an encoder id may be that of the configured encoder, which is not made yet.

    What kind it is and the size of its pictures are known, and so is ``sha256``, that of the
    weights of an in-domain encoder or an autoencoder. DINOv2's weights and precision are settled
    where it is made.
    """
    name, _, weights, pictures, *_ = [*encoder_id.split(":"), "", "", ""]
    kind = name if name in ("dct", "indomain", "autoencoder") else "dinov2"
    same_weights = kind not in ("indomain", "autoencoder") or weights == sha256
    return kind == config.name and pictures == f"{size[0]}x{size[1]}" and same_weights


def check_same_network(config: EncoderConfig, other: EncoderConfig) -> None:
    """Raise unless the weights of ``other`` are whole, and of the network that ``config`` has.

    Of DINOv2 there is one network, of the others there may be several sizes.

    Raises
    ------
    ConfigError
        The encoder's extra is not installed.
    WeightsError
        Weights cannot be had or are damaged, or the networks differ.
    """
    if config.name == "dinov2":
        fetch_weights(other.weights)
        return
    path, found = _architecture(other)
    _, expected = _architecture(config)
    if found != expected:
        raise WeightsError(
            f"{path}: another architecture: expected that of the run's encoder, {expected}, got "
            f"{found}. Name weights of the same network."
        )


def _architecture(config: EncoderConfig) -> tuple[Path, dict[str, Any]]:
    """Return the weights file of a trained network, and its sizes."""
    if config.name == "autoencoder":
        from gwmorph.encoders.autoencoder import load_autoencoder

        path = Path(_autoencoder(config))
        autoencoder = load_autoencoder(path, config.autoencoder.sha256)
        return path, autoencoder.architecture.to_json()
    from gwmorph.encoders.indomain import load_network, weights_path

    path = weights_path(config.indomain.path)
    return path, load_network(path, config.indomain.sha256).architecture.to_json()


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
