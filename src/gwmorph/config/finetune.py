"""The section ``finetune``: specialising encoders to labelled pictures."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gwmorph.config.base import DISTINCT, Section, key

_IN_DOMAIN = "indomain"


class TransferConfig(Section):
    """Another labelled set that a specialised encoder is asked about."""

    pictures: str | None = key(
        None,
        "Labelled pictures of another run, results/NAME/learning/pictures/WINDOW.parquet; what "
        "was trained is asked about the classes that both have.",
    )
    classes: dict[str, str] = key(
        {}, "For classes of that table that are called otherwise here: the name here."
    )


class FinetuneConfig(Section):
    """Specialising encoders to labelled pictures, which `snakemake finetune` does."""

    backbones: Annotated[list[str], DISTINCT] = key(
        [_IN_DOMAIN],
        "Encoders that are specialised: indomain, with the weights of encoder.indomain, and names "
        "in finetune.transformers.",
        min_length=1,
    )
    transformers: dict[str, str] = key(
        {},
        "By a name of yours, folders with config.json and model.safetensors of vision "
        "transformers: DINOv2 with or without registers, ViT, Swin v2, or BEiT.",
    )
    window: Literal["all", "0.5", "1", "2", "4"] = key(
        "all",
        "What a picture spans: a single duration in seconds, or all four of an event view.",
    )
    split: Literal["given", "random", "temporal"] = key(
        "random",
        "Which pictures test: as their source says, drawn from each class, or the latest ones.",
    )
    head_layers: Annotated[list[Annotated[int, Field(ge=1, le=3)]], DISTINCT] = key(
        [1, 2, 3], "Layers of the perceptrons on frozen vectors.", min_length=1
    )
    hidden: int = key(256, "Width of their hidden layers.", ge=2)
    dropout: float = key(0.2, "Share of a hidden layer that is left out at random.", ge=0, lt=1)
    head_steps: int = key(1500, "Updates of a perceptron at most.", ge=1)
    full_steps: int = key(600, "Updates of a whole network at most.", ge=1)
    batch_size: int = key(32, "Pictures in a batch.", ge=2)
    head_learning_rate: float = key(0.001, "Largest learning rate of perceptrons.", gt=0)
    learning_rate: float = key(
        0.0003, "Largest learning rate of an encoder in full fine-tuning.", gt=0
    )
    weight_decay: float = key(0.05, "Weight decay of AdamW.", ge=0)
    validation_steps: int = key(50, "Updates from one validation to the next.", ge=1)
    patience: int = key(
        6, "Validations without a smaller cross entropy after which a training ends.", ge=1
    )
    folds: int = key(
        4, "Folds of the cross-validation that chooses the linear probe's penalty.", ge=2
    )
    few_shot_penalty: float = key(
        1.0,
        "Inverse strength of the penalty of few-shot probes on real glitches, which are too few "
        "to choose it on.",
        gt=0,
    )
    maps: Annotated[list[Literal["t-SNE", "UMAP"]], DISTINCT] = key(
        ["t-SNE", "UMAP"], "Maps on which vectors are shown before and after."
    )
    transfer: TransferConfig = key(
        TransferConfig(), "Another labelled set that is classified by what was trained."
    )

    @model_validator(mode="after")
    def _backbones_are_known(self) -> "FinetuneConfig":
        for name in self.transformers:
            if name == _IN_DOMAIN or not re.fullmatch("[a-z0-9_]+", name):
                raise ValueError(
                    f"transformers: {name!r}: expected small letters, digits and _, and not "
                    f"{_IN_DOMAIN}; it names a folder of results"
                )
        for name in self.backbones:
            if name != _IN_DOMAIN and name not in self.transformers:
                known = ", ".join([_IN_DOMAIN, *self.transformers])
                raise ValueError(f"backbones: {name!r} is none of {known}")
        return self
