"""Networks that can be specialised: the in-domain one, and vision transformers from a folder.

A backbone makes unit vectors of pictures, as the encoder that is made of it does. Once it is
fine-tuned it is written as that encoder reads it.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from gwmorph.encoders.crop_network import DURATIONS_S, CropNetwork
from gwmorph.encoders.crops import CROP, event_crops, levels, pooled
from gwmorph.encoders.dinov2 import IMAGENET_MEAN, IMAGENET_STD
from gwmorph.encoders.indomain import load_network, write_network
from gwmorph.encoders.model_config import read_model_config
from gwmorph.encoders.sizes import check_size
from gwmorph.encoders.tensor_file import ENTRY, require_finite
from gwmorph.encoders.weights import CONFIG_FILE, WEIGHTS_FILE
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.learning.contrastive import Augmentation, augment
from gwmorph.spectra.pictures import PictureScale
from gwmorph.storage import parse_json, sha256_of_file, write_json

INDOMAIN_FILE = "encoder.safetensors"
ABOUT_FILE = "fine_tuned.json"
_PREPROCESSOR_FILE = "preprocessor_config.json"
_HALF = np.full(3, 0.5, np.float32)
# What of a transformer's output is the vector, and the colours that its kind was trained with.
_CLS, _POOLED = "cls", "pooled"
_KINDS: dict[str, tuple[str, NDArray[np.float32], NDArray[np.float32]]] = {
    "dinov2_with_registers": (_CLS, IMAGENET_MEAN, IMAGENET_STD),
    "dinov2": (_CLS, IMAGENET_MEAN, IMAGENET_STD),
    "vit": (_CLS, _HALF, _HALF),
    "swinv2": (_POOLED, IMAGENET_MEAN, IMAGENET_STD),
    "beit": (_POOLED, _HALF, _HALF),
}
# These take pictures of any size that their patches divide; the others are shown their own size.
_ANY_SIZE = ("dinov2_with_registers", "dinov2")
# Largest shift of a picture in time, as a fraction of its width, and spread of its energies.
_SHIFT = 0.05


class Backbone(nn.Module):
    """A network from pictures to unit vectors of length ``width``; ``sha256`` is its weights'."""

    width: int
    sha256: str

    def shown(self, pictures: NDArray[np.uint8], scale: PictureScale) -> Tensor:
        """Return what the network is shown of palette indices uint8 [n, height, width]."""
        raise NotImplementedError

    def changed(self, shown: Tensor, generator: torch.Generator) -> Tensor:
        """Return the same pictures changed at random in what a class does not depend on."""
        raise NotImplementedError

    def write(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Write the weights into a folder, with ``about`` (JSON): what they were trained on.

        Raises
        ------
        StorageError
            A file cannot be written whole.
        """
        raise NotImplementedError


class IndomainBackbone(Backbone):
    """The in-domain network on event views, or on pictures of one duration.

    Parameters
    ----------
    path
        Weights as `gwmorph.encoders.indomain.write_network` writes them.
    duration_s
        What a picture spans; None for event views of four durations. Vectors have 384 numbers of
        an event view, 96 of a single picture.

    Raises
    ------
    ConfigError
        The network knows no such duration.
    WeightsError
        As `gwmorph.encoders.indomain.load_network`.
    """

    def __init__(self, path: Path, duration_s: float | None) -> None:
        super().__init__()
        if duration_s is not None and duration_s not in DURATIONS_S:
            known = ", ".join(f"{known:g}" for known in DURATIONS_S)
            raise ConfigError(
                f"finetune.window: the in-domain network knows pictures of {known} s, got "
                f"{duration_s:g} s. Choose one of these, or all."
            )
        network: CropNetwork = load_network(path)
        # Convolutions are a tenth faster so.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = network.requires_grad_(True)
        self.duration_s = duration_s
        size = network.architecture.crop_size
        self.width = size if duration_s is not None else 4 * size
        self.sha256 = sha256_of_file(path)
        self._told = _told_of(path)

    def shown(self, pictures: NDArray[np.uint8], scale: PictureScale) -> Tensor:
        """See `Backbone`: brightness float32 [n, 4 or 1, 56, 56].

        Raises
        ------
        ConfigError
            The pictures are smaller than what the network sees.
        """
        height, width = pictures.shape[1:]
        if self.duration_s is None:
            check_size("indomain", (height, width))
            crops = event_crops(pictures)
        else:
            # A quarter of an event view.
            check_size("indomain", (2 * height, 2 * width))
            crops = pooled(pictures, CROP, CROP)[:, None]
        return torch.from_numpy(levels(scale).take(crops))

    def changed(self, shown: Tensor, generator: torch.Generator) -> Tensor:
        """See `Backbone`: changed as in the training of the encoder."""
        return augment(shown, Augmentation(), generator)

    def forward(self, shown: Tensor) -> Tensor:
        """Return unit vectors [n, width]."""
        if self.duration_s is None:
            return self.network.event(shown).flatten(1) / 2
        number = DURATIONS_S.index(self.duration_s)
        durations = torch.full((len(shown),), number, device=shown.device)
        return self.network.crops(shown[:, 0], durations)

    def write(self, folder: Path, about: Mapping[str, Any]) -> None:
        """See `Backbone`: one file that ``encoder.indomain.path`` takes.

        What the first training left out and this one has as a class is no longer left out.
        """
        told = dict(self._told)
        if excluded := told.get("training", {}).get("excluded"):
            left = sorted(set(excluded) - set(about["classes"]))
            told["training"] = {**told["training"], "excluded": left}
        own: dict[str, Any] = {
            name: told[name] for name in ("training", "machine") if name in told
        }
        folder.mkdir(parents=True, exist_ok=True)
        write_network(folder / INDOMAIN_FILE, self.network, {**own, "fine_tuned": dict(about)})


def _told_of(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        told: dict[str, Any] = json.loads((file.metadata() or {}).get(ENTRY, "{}"))
    return told


class TransformerBackbone(Backbone):
    """A vision transformer from a folder in Hugging Face's format.

    DINOv2 with and without registers and ViT (Dosovitskiy et al. 2021, arXiv:2010.11929) give the
    CLS token after the last norm, Swin v2 (Liu et al. 2022, arXiv:2111.09883) and BEiT (Bao et
    al. 2022, arXiv:2106.08254) the mean of the patches as their own classifiers take it. DINOv2
    sees a run's pictures as its encoder does; the others see them in the size that they were made
    for. Colours are those of the PNG, normalised as the folder's preprocessor_config.json says or
    else as their kind was trained.

    Raises
    ------
    ConfigError
        transformers is not installed.
    WeightsError
        Files are missing, damaged, pickled, of another kind of network, or lack tensors.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.kind = _kind_of(folder)
        self.model = _load(folder)
        self.width = int(self.model.config.hidden_size)
        self.sha256 = sha256_of_file(folder / WEIGHTS_FILE)
        self._output, *colours = _KINDS[self.kind]
        self._mean, self._std = _normalisation(folder, self.kind) or colours

    def shown(self, pictures: NDArray[np.uint8], scale: PictureScale) -> Tensor:
        """See `Backbone`: normalised colours float32 [n, 3, height, width]."""
        colours = scale.rgb(np.arange(256, dtype=np.uint8)).astype(np.float32) / 255
        palette = ((colours - self._mean) / self._std).astype(np.float32)
        values = torch.from_numpy(np.stack([c[pictures] for c in palette.T], axis=1))
        size = self._size(pictures.shape[1:])
        if tuple(values.shape[2:]) == size:
            return values
        return functional.interpolate(
            values, size, mode="bilinear", align_corners=False, antialias=True
        )

    def _size(self, given: tuple[int, ...]) -> tuple[int, int]:
        config = self.model.config
        if self.kind in _ANY_SIZE:
            patch = int(config.patch_size)
            height, width = (max(patch, side // patch * patch) for side in given)
            return height, width
        side = config.image_size
        height, width = (side, side) if isinstance(side, int) else side
        return int(height), int(width)

    def changed(self, shown: Tensor, generator: torch.Generator) -> Tensor:
        """See `Backbone`: shifted in time by up to a twentieth; the edge is repeated."""
        most = int(_SHIFT * shown.shape[3])
        if most == 0:
            return shown
        padded = functional.pad(shown, (most, most, 0, 0), mode="replicate")
        first = torch.randint(0, 2 * most + 1, (len(shown),), generator=generator)
        columns = first[:, None] + torch.arange(shown.shape[3])
        columns = columns[:, None, None, :].expand(shown.shape).to(shown.device)
        return padded.gather(3, columns)

    def forward(self, shown: Tensor) -> Tensor:
        """Return unit vectors [n, width]."""
        found = self.model(pixel_values=shown)
        vectors = found.last_hidden_state[:, 0] if self._output == _CLS else found.pooler_output
        return functional.normalize(vectors.float(), dim=1)

    def write(self, folder: Path, about: Mapping[str, Any]) -> None:
        """See `Backbone`: a folder in the same format, which ``from_pretrained`` takes.

        ``encoder.weights.path`` takes it if it is DINOv2 ViT-S/14 with registers.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(folder)
        if (self._folder / _PREPROCESSOR_FILE).is_file():
            shutil.copyfile(self._folder / _PREPROCESSOR_FILE, folder / _PREPROCESSOR_FILE)
        write_json(folder / ABOUT_FILE, dict(about))


def _kind_of(folder: Path) -> str:
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise WeightsError(
                f"finetune.transformers: {folder / name} is not there. Name a folder with "
                f"{CONFIG_FILE} and {WEIGHTS_FILE} as the model hub has them; pickles are refused."
            )
    kind = read_model_config(folder / CONFIG_FILE).get("model_type")
    if kind not in _KINDS:
        raise WeightsError(
            f"{folder / CONFIG_FILE}: expected model_type to be one of {', '.join(_KINDS)}, got "
            f"{kind!r}: there is no way to fine-tune it here."
        )
    return str(kind)


def _load(folder: Path) -> Any:
    try:
        from transformers import AutoModel
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"finetune.backbones: {folder} needs the Python package 'transformers', which is not "
            "installed. Install the extra with: pip install 'gwmorph[dinov2]'."
        ) from error
    path = folder / WEIGHTS_FILE
    try:
        loaded: Any = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported, then refused below with the names
        )
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be loaded ({error}). Fetch it again.") from error
    model, report = loaded
    # A classifier's weights hold no pooling layer; nothing here reads that of ViT.
    faults = {name for name in report["missing_keys"] if not name.startswith("pooler.")}
    faults |= {str(item[0]) for item in report["mismatched_keys"]}
    if faults:
        raise WeightsError(
            f"{path}: {len(faults)} tensors are missing or of another shape than {CONFIG_FILE} "
            f"says ({', '.join(sorted(faults)[:3])}). Fetch both files again."
        )
    require_finite(path, model.named_parameters())
    return model.requires_grad_(True)


def _normalisation(
    folder: Path, kind: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return mean and spread of colours as a folder says; None where it says nothing.

    DINOv2's are the encoder's, whatever the folder says: the fine-tuned one is used through it.
    """
    path = folder / _PREPROCESSOR_FILE
    if kind in _ANY_SIZE or not path.is_file():
        return None
    try:
        told = parse_json(path.read_text(encoding="utf-8"))
        mean, std = (np.array(told[name], np.float32) for name in ("image_mean", "image_std"))
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path}: no image_mean and image_std ({error!r}). Fetch it again, or remove it for "
            "those that this kind of network is known by."
        ) from error
    return mean, std
