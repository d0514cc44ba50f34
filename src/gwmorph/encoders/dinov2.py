"""DINOv2 with registers, ViT-S/14, frozen (arXiv:2304.07193, arXiv:2309.16588)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

from gwmorph.encoders.base import Size, check_pictures, unit_rows
from gwmorph.encoders.weights import CONFIG_FILE, WEIGHTS_FILE, Weights, dinov2_id
from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale

PATCH = 14
# What makes a model a ViT-S/14 with registers, as its config.json names it.
ARCHITECTURE = {
    "model_type": "dinov2_with_registers",
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "mlp_ratio": 4,
    "patch_size": PATCH,
    "num_register_tokens": 4,
    "num_channels": 3,
    "use_swiglu_ffn": False,
    "hidden_act": "gelu",
}
# The normalisation DINOv2 was trained with, here and nowhere else: (rgb/255 - mean)/std, the
# channel statistics of ImageNet.
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def pixel_values(pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float32]:
    """Return the network's input float32 [n, 3, h, w] for palette indices uint8 [n, h, w].

    The colours are exactly those the PNG shows, then normalised as ImageNet.
    """
    colours = render.rgb(np.arange(256, dtype=np.uint8)).astype(np.float32) / 255
    palette = (colours - IMAGENET_MEAN) / IMAGENET_STD
    return np.stack([channel[pictures] for channel in palette.T], axis=1)


def load_model(weights: Weights) -> Dinov2WithRegistersModel:
    """Return the frozen model in float32, in evaluation mode.

    Raises
    ------
    WeightsError
        The files are of another architecture, lack tensors, hold more than the model has, or
        hold values that are not finite.
    """
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
    path = weights.folder / CONFIG_FILE
    try:
        found = json.loads(path.read_text())
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


def _check_finite(path: Path, model: Dinov2WithRegistersModel) -> None:
    for name, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{path}: tensor {name} holds values that are not finite. The file is damaged: "
                "remove it and fetch it again."
            )


class Dinov2Encoder:
    """The CLS token of the last hidden state, after the final layer norm, at unit norm.

    Raises
    ------
    ConfigError
        Height or width is no multiple of the patch (14 pixels).
    WeightsError
        As `load_model`.
    """

    def __init__(self, weights: Weights, size: Size, threads: int | None = None) -> None:
        if size[0] % PATCH or size[1] % PATCH:
            raise ConfigError(
                f"picture.height and picture.width: dinov2 needs multiples of {PATCH} pixels, got "
                f"{size[0]} x {size[1]}; the nearest are {_nearest(size[0])} x "
                f"{_nearest(size[1])}."
            )
        if threads is not None:
            torch.set_num_threads(threads)
        self._size = size
        self._model = load_model(weights)
        self.encoder_id = dinov2_id(weights, size)

    def encode(self, pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float32]:
        """Encode pictures; see `gwmorph.encoders.base.Encoder`."""
        check_pictures(pictures, self._size)
        values = torch.from_numpy(pixel_values(pictures, render))
        with torch.inference_mode():
            cls = self._model(pixel_values=values).last_hidden_state[:, 0]
        return unit_rows(cls.numpy())


def _nearest(pixels: int) -> int:
    return max(1, round(pixels / PATCH)) * PATCH
