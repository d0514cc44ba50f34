"""The section ``supervised``: networks that are trained to name the classes of pictures."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gwmorph.config.base import DISTINCT, Section, key

NetworkName = Literal[
    "alexnet",
    "vgg16",
    "resnet50",
    "inceptionv3",
    "resnext50_32x4d",
    "mobilenetv2_w1",
    "efficientnet_b4b",
    "efficientnet_b4c",
    "resnet10",
    "resnet18_wd2",
    "mobilenetv2_wd4",
]


class SupervisedConfig(Section):
    """The training of classifiers on labelled pictures, which `snakemake supervised` runs.

    Every network is trained with every batch size, in every window, on every split.
    """

    networks: Annotated[list[NetworkName], DISTINCT] = key(
        ["resnet10"],
        "Networks to train: seven that are published for glitches (224 pixels, 299 for "
        "inceptionv3), and resnet10, resnet18_wd2 and mobilenetv2_wd4 for pictures of 112.",
        min_length=1,
    )
    batch_sizes: Annotated[list[Annotated[int, Field(ge=2, le=4096)]], DISTINCT] = key(
        [32], "Pictures of one update.", min_length=1
    )
    windows: Annotated[list[Literal["all", "0.5", "1", "2", "4"]], DISTINCT] = key(
        ["all"],
        "What a picture shows: an event view of all four durations (all), or so many seconds.",
        min_length=1,
    )
    splits: Annotated[list[Literal["given", "random", "temporal"]], DISTINCT] = key(
        ["random", "temporal"],
        "Which glitches are for training and for the test: as a release says (given), drawn from "
        "each class (random), or the earlier and the later ones (temporal).",
        min_length=1,
    )
    weights: str | None = key(
        None,
        "File of weights to start from, safetensors or a state dict of pytorchcv's network, or a "
        "folder with one for each network, NETWORK.safetensors or NETWORK.pth; null means random.",
    )
    epochs: int = key(16, "Times that all training pictures are seen.", ge=1, le=1000)
    optimiser: Literal["adam", "adamw"] = key("adamw", "How weights are updated.")
    learning_rate: float = key(0.002, "Largest learning rate.", gt=0)
    schedule: Literal["cosine", "steps"] = key(
        "cosine",
        "How the rate changes: a rise and a cosine's fall, or by steps of `factor` every "
        "`factor_epochs` epochs.",
    )
    factor: float = key(0.1, "What the rate is multiplied by at each step.", gt=0, le=1)
    factor_epochs: int = key(7, "Epochs from one step to the next.", ge=1)
    weight_decay: float = key(0.05, "Weight decay of adamw.", ge=0)
    augmentation: Literal["none", "views"] = key(
        "views",
        "Changes of training pictures: none, or small shifts, stretches, gains, speckle and gaps.",
    )
    smoothing: float = key(
        0.1, "Part of the right class's probability that is asked for all classes.", ge=0, lt=1
    )
    patience: int | None = key(
        None, "Epochs without a better validation after which a training ends.", ge=1
    )
    mistakes: int = key(12, "Worst mistakes that the report shows.", ge=1, le=60)

    @model_validator(mode="after")
    def _one_file_is_for_one_network(self) -> "SupervisedConfig":
        single = self.weights is not None and self.weights.endswith(
            (".safetensors", ".pth", ".pt")
        )
        if single and len(self.networks) > 1:
            raise ValueError(
                f"weights {self.weights} is a file, for one network, but networks names "
                f"{len(self.networks)}; name a folder with one file for each"
            )
        return self
