"""Convolutional networks for pictures: architectures of pytorchcv, last layer replaced.

The seven that are trained on glitches elsewhere (`config/supervised_published.yaml`) have pictures
of the size that they had for ImageNet; the small ones beside them take smaller pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from gwmorph.encoders.tensor_file import (
    fill,
    read_tensors,
    require_finite,
    unlike,
    write_tensors,
)
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.storage import sha256_of_file

RANDOM = "random"
_FORMAT = "gwmorph classifier 1"
_SUFFIXES = (".safetensors", ".pth", ".pt")


@dataclass(frozen=True)
class Kind:
    """An architecture: pytorchcv's module and function of it, and the side of its pictures."""

    module: str
    function: str
    side: int


KINDS = {
    "alexnet": Kind("alexnet", "alexnet", 224),
    "vgg16": Kind("vgg", "vgg16", 224),
    "resnet50": Kind("resnet", "resnet50", 224),
    "inceptionv3": Kind("inceptionv3", "inceptionv3", 299),
    "resnext50_32x4d": Kind("resnext", "resnext50_32x4d", 224),
    "mobilenetv2_w1": Kind("mobilenetv2", "mobilenetv2_w1", 224),
    "efficientnet_b4b": Kind("efficientnet", "efficientnet_b4b", 224),
    "efficientnet_b4c": Kind("efficientnet", "efficientnet_b4c", 224),
    "resnet10": Kind("resnet", "resnet10", 112),
    "resnet18_wd2": Kind("resnet", "resnet18_wd2", 112),
    "mobilenetv2_wd4": Kind("mobilenetv2", "mobilenetv2_wd4", 112),
}


def make_classifier(name: str, classes: int) -> nn.Module:
    """Return an untrained network with so many outputs; its first weights are those of the seed.

    It takes float [n, 3, side, side] and returns logits [n, classes].

    Raises
    ------
    ConfigError
        No network has this name.
    """
    kind = _kind(name)
    module = import_module(f"pytorchcv.models.{kind.module}")
    network: nn.Module = getattr(module, kind.function)(num_classes=classes)
    features: Any = network.features
    # Of pictures as large as ImageNet's it is the same; of smaller ones it is still a mean.
    if isinstance(getattr(features, "final_pool", None), nn.AvgPool2d):
        features.final_pool = nn.AdaptiveAvgPool2d(1)
    # The networks flatten by `view`, which fails on what channels_last leaves.
    features.register_forward_hook(lambda module, given, found: found.contiguous())
    return network


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise ConfigError(
            f"supervised.networks: no network {name!r}; known are {', '.join(KINDS)}"
        )
    return KINDS[name]


def side_of(name: str) -> int:
    """Return the side of the pictures that a network takes, in pixels.

    Raises
    ------
    ConfigError
        No network has this name.
    """
    return _kind(name).side


def last_layer(network: nn.Module) -> str:
    """Return the name of the layer that makes the logits."""
    layers = [n for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return layers[-1]


def weights_file(path: Path | str, name: str) -> Path:
    """Return the file with a network's weights: the file that is given, or of the folder.

    Raises
    ------
    ConfigError
        There is none.
    """
    given = Path(path)
    if given.is_file():
        return given
    found = [given / f"{name}{suffix}" for suffix in _SUFFIXES]
    for one in found:
        if one.is_file():
            return one
    raise ConfigError(
        f"supervised.weights: {path} is neither a file nor a folder with "
        f"{', '.join(file.name for file in found)}. Put the weights there that pytorchcv gives "
        f"for {name}, or set the key to null for random ones."
    )


def start_from(network: nn.Module, path: Path | str) -> str:
    """Give a network the weights of a file but for its last layer; return the file's SHA-256.

    The file is safetensors, or a state dict as torch.save writes it, of the same architecture
    with any number of classes. Nothing in it is run.

    Raises
    ------
    WeightsError
        The file cannot be read, or is another architecture's, or holds values that are not finite.
    """
    tensors = _tensors_of(Path(path))
    last = last_layer(network)
    own = {name: t for name, t in network.state_dict().items() if not name.startswith(last)}
    given = {name: t for name, t in tensors.items() if not name.startswith(last)}
    if wrong := unlike(own, given):
        raise WeightsError(
            f"{path}: another architecture: {len(wrong)} tensors are missing, unexpected or of "
            f"another shape, as {', '.join(wrong[:3])}. Name weights of the same network of "
            "pytorchcv."
        )
    require_finite(path, given.items())
    network.load_state_dict({n: t for n, t in given.items() if n in own}, strict=False)
    return sha256_of_file(path)


def _tensors_of(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise WeightsError(
            f"{path}: no state dict, or one that would run code, which is refused ({error})."
        ) from error
    except (SafetensorError, OSError, RuntimeError, EOFError) as error:
        raise WeightsError(f"{path}: not a whole file of weights ({error}).") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(t, Tensor) for t in loaded.values()):
        raise WeightsError(f"{path}: expected a state dict of tensors, got {type(loaded)}.")
    return dict(loaded)


def parameters_of(network: nn.Module) -> int:
    """Return the number of parameters that are trained."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def write_classifier(
    path: Path | str, network: nn.Module, name: str, classes: list[str], about: Mapping[str, Any]
) -> None:
    """Write a trained network with the names of its classes and how it was made.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    told = {"format": _FORMAT, "network": name, "classes": classes, **about}
    write_tensors(path, network.state_dict(), told)


def load_classifier(path: Path | str) -> tuple[nn.Module, dict[str, Any]]:
    """Return a trained network, in evaluation mode, and what was written about it.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or was not written by `write_classifier`.
    """
    told, tensors = read_tensors(path, _FORMAT, "snakemake supervised")
    network = make_classifier(told["network"], len(told["classes"]))
    fill(path, network, tensors)
    return network.eval(), told
