"""The section ``training``: the training of an in-domain encoder."""

from typing import Annotated, Literal

from gwmorph.config.base import DISTINCT, Detector, Section, key


class TrainingConfig(Section):
    """The training of an in-domain encoder, which `snakemake train_encoder` runs."""

    seed: int = key(71, "Seed of all signals, noise and training.", ge=0, le=2**32 - 1)
    detectors: list[Detector] = key(
        ["H1", "L1", "V1"],
        "Detectors whose noise is simulated, one after the other for each part.",
        min_length=1,
    )
    parts: int = key(32, "Parts of the simulated views, each a job of its own.", ge=1, le=10000)
    windows_per_part: int = key(
        256, "Windows of noise that the signals of one part are put into.", ge=4, multiple_of=4
    )
    spread: float = key(
        0.3,
        "How far two signals of one source may differ: part of the range of each parameter "
        "(0: the same parameters).",
        ge=0,
        lt=1,
    )
    populations: Annotated[list[str], DISTINCT] = key(
        ["config/population.yaml"],
        "Files with the populations whose shapes are among the sources; a class that several "
        "draw differently is drawn in each way equally often.",
        min_length=1,
    )
    excluded: Annotated[list[str], DISTINCT] = key(
        [], "Morphologies that the encoder must not see; measure unseen classes with it."
    )
    noise_files: dict[Detector, list[str]] = key(
        {},
        "For each detector, patterns (globs) of real strain files; signals are put into their "
        "noise as well, and their own triggers are paired with themselves in more noise.",
    )
    noise_windows: int = key(
        256, "Windows of each detector's noise files that are used, the earliest ones.", ge=4
    )
    steps: int = key(2500, "Updates of the weights.", ge=1)
    event_pairs: int = key(64, "Pairs of event views in a batch.", ge=2)
    window_pairs: int = key(16, "Pairs of windows in a batch.", ge=2)
    learning_rate: float = key(0.0015, "Largest learning rate.", gt=0)
    weight_decay: float = key(0.05, "Weight decay of AdamW.", ge=0)
    temperature: float = key(0.08, "Temperature of the contrastive loss.", gt=0)
    crop_weight: float = key(
        0.5, "Weight of the loss of single crops beside that of whole views.", ge=0
    )
    checkpoint_steps: int = key(
        50, "Steps between checkpoints, from which a killed training goes on.", ge=1
    )
    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "Where the network is trained; auto takes a GPU if there is one."
    )
    precision: Literal["auto", "float32", "bf16"] = key(
        "auto",
        "Numbers of the training; auto takes bf16 on processors and GPUs that have it, where it "
        "is about twice as fast.",
    )
