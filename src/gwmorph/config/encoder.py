"""The section ``encoder``: from pictures to vectors."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gwmorph.config.base import EncoderName, Section, key


class WeightsConfig(Section):
    """Where DINOv2's weights come from."""

    path: str | None = key(None, "Local folder with config.json and model.safetensors.")
    hub_id: str = key("facebook/dinov2-with-registers-small", "Name on the model hub.")
    revision: str | None = key(
        None,
        "Commit of the hub repository (40 hexadecimal digits); needed unless path is given.",
    )
    endpoint: str | None = key(None, "Address of a mirror of the hub.")
    hosts: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")]] = key(
        ["huggingface.co", "hf.co"],
        "Where the hub or the mirror may send for the content of files, beside itself: these "
        "hosts and those below them.",
    )
    sha256: str | None = key(
        None, "Expected SHA-256 of model.safetensors.", pattern=r"^[0-9a-f]{64}$"
    )
    cache: str = key("cache/weights", "Folder for fetched weights, shared by all runs.")


class IndomainConfig(Section):
    """The in-domain encoder's weights."""

    path: str | None = key(
        None, "File of weights that `snakemake train_encoder` wrote; null means the shipped one."
    )
    sha256: str | None = key(None, "Expected SHA-256 of the weights.", pattern=r"^[0-9a-f]{64}$")


class AutoencoderWeightsConfig(Section):
    """The autoencoder's weights."""

    path: str | None = key(
        None,
        "File of weights that `snakemake autoencoder` wrote. Where one is named, an injection "
        "campaign also scores windows by how badly it draws them.",
    )
    sha256: str | None = key(None, "Expected SHA-256 of the weights.", pattern=r"^[0-9a-f]{64}$")


class EncoderConfig(Section):
    """From pictures to vectors."""

    name: EncoderName = key(
        "indomain",
        "dct (no weights), indomain (a small network trained on spectrograms; its weights ship "
        "with gwmorph), dinov2 (ViT-S/14 with registers) or autoencoder (the bottleneck of a "
        "network that `snakemake autoencoder` trains).",
    )
    runtime: Literal["auto", "pytorch", "openvino"] = key(
        "auto",
        "What runs dinov2: pytorch (the reference, float32 only) or openvino; auto is openvino.",
    )
    precision: Literal["auto", "float32", "bf16", "int8"] = key(
        "auto",
        "Numbers that dinov2 computes with. auto is bf16 where the processor multiplies it, else "
        "int8 where it has VNNI, and float32 elsewhere, decided once for a run and recorded in "
        "plan/encoder.json.",
    )
    output: Literal["cls", "mean_patch", "cls_mean_patch"] = key(
        "cls",
        "dinov2's vector: its CLS token, the mean of its patch tokens (384 numbers each), or both "
        "one after the other (768).",
    )
    batch_size: int = key(32, "Pictures encoded at once.", ge=1, le=4096)
    blocks_per_job: int = key(
        16, "Blocks embedded by one job, so that start-up is paid once.", ge=1, le=10000
    )
    indomain: IndomainConfig = key(IndomainConfig(), "Used when name is indomain.")
    weights: WeightsConfig = key(WeightsConfig(), "Used when name is dinov2.")
    autoencoder: AutoencoderWeightsConfig = key(
        AutoencoderWeightsConfig(), "Used when name is autoencoder, and in injection campaigns."
    )

    @model_validator(mode="after")
    def _weights_are_pinned(self) -> "EncoderConfig":
        pinned = re.fullmatch("[0-9a-f]{40}", self.weights.revision or "")
        if self.name == "dinov2" and self.weights.path is None and not pinned:
            raise ValueError(
                "dinov2 needs weights.path (a folder with config.json and model.safetensors) or "
                "weights.revision (a commit of weights.hub_id, 40 hexadecimal digits; a branch or "
                f"tag can change), got {self.weights.revision!r}"
            )
        return self

    @model_validator(mode="after")
    def _weights_are_named(self) -> "EncoderConfig":
        if self.name == "autoencoder" and self.autoencoder.path is None:
            raise ValueError(
                "autoencoder needs autoencoder.path, a file of weights that `snakemake "
                "autoencoder` wrote: none ships with gwmorph"
            )
        return self

    @model_validator(mode="after")
    def _runtime_has_precision(self) -> "EncoderConfig":
        if self.runtime == "pytorch" and self.precision in ("bf16", "int8"):
            raise ValueError(
                f"runtime pytorch is the reference, in float32; precision {self.precision} needs "
                "runtime openvino"
            )
        return self
