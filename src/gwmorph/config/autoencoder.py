"""The section ``autoencoder``: an autoencoder of event views, and heads on its bottleneck."""

from typing import Literal

from gwmorph.config.base import Section, key


class AutoencoderHeadConfig(Section):
    """The heads that tell the class by the bottleneck: one alone, one with all before it."""

    hidden: int = key(256, "Numbers of the hidden layer.", ge=1, le=4096)
    steps: int = key(600, "Updates of the weights, at most.", ge=1)
    batch_size: int = key(64, "Event views in a batch.", ge=2)
    learning_rate: float = key(0.002, "Largest learning rate.", gt=0)
    weight_decay: float = key(0.05, "Weight decay of AdamW.", ge=0)
    before: float = key(
        0.3,
        "Factor on the learning rate of what is before the head, where that learns as well.",
        gt=0,
        le=1,
    )
    validation_steps: int = key(50, "Updates between validations.", ge=1)
    patience: int = key(6, "Validations that are no better, after which a training ends.", ge=1)


class AutoencoderConfig(Section):
    """An autoencoder of event views, which `snakemake autoencoder` trains and scores.

    What it is trained on, where, and with which seed is in the section `learning`.
    """

    split: Literal["given", "random", "temporal"] = key(
        "random", "Which views train, validate and test: as the source says, drawn, or by time."
    )
    seen: Literal["crops", "whole"] = key(
        "crops",
        "Whether the network sees the four crops of an event view as channels of one picture, or "
        "the view as it is.",
    )
    steps: int = key(900, "Updates of the weights, at most.", ge=1)
    batch_size: int = key(64, "Event views in a batch.", ge=2)
    learning_rate: float = key(0.002, "Largest learning rate.", gt=0)
    weight_decay: float = key(0.01, "Weight decay of AdamW.", ge=0)
    validation_steps: int = key(100, "Updates between validations.", ge=1)
    patience: int = key(8, "Validations that are no better, after which the training ends.", ge=1)
    head: AutoencoderHeadConfig = key(
        AutoencoderHeadConfig(), "What tells the class by the bottleneck."
    )
