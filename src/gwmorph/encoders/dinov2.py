"""DINOv2 with registers, ViT-S/14, frozen (arXiv:2304.07193, arXiv:2309.16588).

What runs the network is `gwmorph.encoders.runtime`'s affair; here is what goes into it, what
comes out of it, and how its weights are checked. PyTorch is imported where weights are loaded,
since a converted model needs none of it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gwmorph.encoders.base import Size, View, check_pictures, encoder_id, unit_rows
from gwmorph.encoders.sizes import PATCH, check_size
from gwmorph.encoders.weights import CONFIG_FILE, WEIGHTS_FILE, Weights
from gwmorph.errors import WeightsError
from gwmorph.spectra.pictures import PictureScale
from gwmorph.storage import parse_json
from gwmorph.tables.columns import EMBEDDING_SIZE

if TYPE_CHECKING:
    from transformers import Dinov2WithRegistersModel

REGISTERS = 4
# What makes a model a ViT-S/14 with registers, as its config.json names it.
ARCHITECTURE = {
    "model_type": "dinov2_with_registers",
    "hidden_size": EMBEDDING_SIZE,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "mlp_ratio": 4,
    "patch_size": PATCH,
    "num_register_tokens": REGISTERS,
    "num_channels": 3,
    "use_swiglu_ffn": False,
    "hidden_act": "gelu",
}
# The normalisation DINOv2 was trained with, here and nowhere else: (rgb/255 - mean)/std, the
# channel statistics of ImageNet.
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


Tokens = NDArray[np.float32]


class Network(Protocol):
    """DINOv2 in one precision: from normalised colours to tokens.

    ``sha256`` is that of the weights, or of the quantised model where there is one.
    """

    precision: str
    sha256: str

    def tokens(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return tokens after the final layer norm: float32 [n, 1 + 4 + patches, 384].

        ``values`` is what `pixel_values` gives. The CLS token comes
        first, then four registers, then the patches row by row.
        """
        ...


def cls_token(tokens: Tokens) -> NDArray[np.float32]:
    """Return the CLS token of each picture, [n, 384]: DINOv2's own choice for retrieval."""
    return tokens[:, 0]


def mean_patch(tokens: Tokens) -> NDArray[np.float32]:
    """Return the mean of each picture's patch tokens, [n, 384]."""
    return tokens[:, 1 + REGISTERS :].mean(axis=1)


def cls_mean_patch(tokens: Tokens) -> NDArray[np.float32]:
    """Return the CLS token and then the mean patch, [n, 768].

    What DINOv2's own linear classifiers read.
    """
    return np.concatenate([cls_token(tokens), mean_patch(tokens)], axis=1)


OUTPUTS: dict[str, Callable[[Tokens], NDArray[np.float32]]] = {
    "cls": cls_token,
    "mean_patch": mean_patch,
    "cls_mean_patch": cls_mean_patch,
}


def dinov2_id(weights: Weights, sha256: str, size: Size, precision: str, output: str) -> str:
    """Return the encoder id of `Dinov2Encoder`; ``output`` is named unless it is ``cls``.

    ``sha256`` is that of the weights, or of the quantised model where there is one.
    """
    known = encoder_id(weights.name, weights.revision, sha256, size, precision)
    return known if output == "cls" else f"{known}:{output}"


def pixel_values(pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float32]:
    """Return the network's input float32 [n, 3, h, w] for palette indices uint8 [n, h, w].

    The colours are exactly those the PNG shows, then normalised as ImageNet.
    """
    colours = render.rgb(np.arange(256, dtype=np.uint8)).astype(np.float32) / 255
    palette = (colours - IMAGENET_MEAN) / IMAGENET_STD
    return np.stack([channel[pictures] for channel in palette.T], axis=1)


def load_model(weights: Weights) -> "Dinov2WithRegistersModel":
    """Return the frozen model in float32, in evaluation mode.

    Raises
    ------
    WeightsError
        The files are of another architecture, lack tensors, hold more than the model has, or
        hold values that are not finite.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import Dinov2WithRegistersModel

    _check_architecture(weights)
    path = weights.folder / WEIGHTS_FILE
    try:
        loaded: Any = Dinov2WithRegistersModel.from_pretrained(
            weights.folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported, then refused below with all the names
        )
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: cannot be loaded ({error}). Fetch it again.") from error
    model, report = loaded
    _check_tensors(path, report)
    _check_finite(path, model)
    return model.eval().requires_grad_(False)


def _check_architecture(weights: Weights) -> None:
    from transformers import Dinov2WithRegistersConfig

    path = weights.folder / CONFIG_FILE
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"expected an object, got {type(found).__name__}")
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a model's configuration ({error}).") from error
    default = Dinov2WithRegistersConfig().to_dict()
    for key, expected in ARCHITECTURE.items():
        got = found.get(key, default[key])
        if got != expected:
            raise WeightsError(
                f"{path}: another architecture: expected {key} = {expected!r} (ViT-S/14 with "
                f"registers), got {got!r}. Use facebook/dinov2-with-registers-small."
            )


def _check_tensors(path: Path, report: dict[str, Any]) -> None:
    faults = {
        "missing": sorted(report["missing_keys"]),
        "unexpected": sorted(report["unexpected_keys"]),
        "of another shape": sorted(str(item[0]) for item in report["mismatched_keys"]),
    }
    told = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for what, names in faults.items()
        if names
    ]
    if told:
        raise WeightsError(
            f"{path}: tensors do not fit ViT-S/14 with registers: {'; '.join(told)}. "
            "Fetch the files of facebook/dinov2-with-registers-small again."
        )


def _check_finite(path: Path, model: "Dinov2WithRegistersModel") -> None:
    import torch

    for name, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{path}: tensor {name} holds values that are not finite. The file is damaged: "
                "remove it and fetch it again."
            )


class Dinov2Encoder:
    """One of ``OUTPUTS`` of the tokens after the final layer norm, at unit norm.

    ``width`` is the length of its vectors: 768 for ``cls_mean_patch``, else 384.

    Raises
    ------
    ConfigError
        As `gwmorph.encoders.sizes.check_size`.
    """

    def __init__(
        self, network: Network, weights: Weights, size: Size, output: str = "cls"
    ) -> None:
        check_size("dinov2", size)
        self._size = size
        self._network = network
        self._output = OUTPUTS[output]
        self.width = EMBEDDING_SIZE * (2 if output == "cls_mean_patch" else 1)
        self.encoder_id = dinov2_id(weights, network.sha256, size, network.precision, output)

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """Encode pictures; see `gwmorph.encoders.base.Encoder`."""
        check_pictures(pictures, self._size)
        tokens = self._network.tokens(pixel_values(pictures, render))
        return unit_rows(self._output(tokens))

    def patches(self, pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float16]:
        """Return patch tokens; see `gwmorph.encoders.base.PatchEncoder`."""
        check_pictures(pictures, self._size)
        tokens = self._network.tokens(pixel_values(pictures, render))[:, 1 + REGISTERS :]
        grid = self._size[0] // PATCH, self._size[1] // PATCH
        return tokens.reshape(len(pictures), *grid, EMBEDDING_SIZE).astype(np.float16)
