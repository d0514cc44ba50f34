"""The section ``learning``: the labelled pictures that networks are trained and scored on."""

from typing import Annotated, Literal

from pydantic import model_validator

from gwmorph.config.base import DISTINCT, Detector, Section, key
from gwmorph.config.comparison import ComparisonConfig


class LearningConfig(Section):
    """The labelled pictures of `snakemake supervised`, `autoencoder` and `finetune`."""

    source: Literal["simulated", "folder", "hdf5", "run"] = key(
        "simulated",
        "Where labelled pictures come from: simulated signals; a folder of Gravity Spy's pictures "
        "by class; the HDF5 file of its training set; the event views of a run that have a label.",
    )
    folder: str | None = key(
        None,
        "Folder of pictures, <class>/<IFO>_<id>_spectrogram_<seconds>.png, or that below folders "
        "train, validation and test; axes and colour bar are cut away.",
    )
    hdf5: str | None = key(
        None, "Gravity Spy's training set as one file (trainingsetv1d1.h5: class, part, id)."
    )
    metadata: str | None = key(
        None,
        "CSV with gravityspy_id, event_time, label, sample_type and trigger columns of a folder's "
        "or an HDF5 file's glitches; null means the only CSV file beside them, if there is one.",
    )
    run: str | None = key(
        None,
        "Folder of a finished run, results/NAME, whose events are taken; null means this run's. "
        "Labels are validation.similarity.labels, or else the truth of simulated strain.",
    )
    detector: Detector = key("H1", "Detector whose noise is simulated.")
    population: str = key(
        "config/population.yaml", "File with the population that signals are drawn from."
    )
    classes: Annotated[list[str], DISTINCT] = key(
        ComparisonConfig.model_fields["classes"].get_default(call_default_factory=True),
        "Classes of the population that are simulated.",
        min_length=2,
    )
    per_class: int = key(200, "Simulated event views of each class.", ge=4)
    snr_low: float = key(12.0, "Smallest optimal SNR of a simulated signal.", gt=0)
    snr_high: float = key(50.0, "Largest optimal SNR of a simulated signal.", gt=0)
    validation_fraction: float = key(
        0.15, "Part of the glitches that chooses the best weights.", gt=0, lt=0.5
    )
    test_fraction: float = key(
        0.2, "Part of the glitches that is scored, and seen by no training.", gt=0, lt=0.5
    )
    seed: int = key(
        83, "Seed of signals, noise, splits, and of all trainings.", ge=0, le=2**32 - 1
    )
    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "Where networks are trained; auto takes a GPU if there is one."
    )
    precision: Literal["auto", "float32", "bf16"] = key(
        "auto",
        "Numbers of a training; auto takes bf16 on processors and GPUs that have it.",
    )
    checkpoint_steps: int = key(
        50, "Steps between checkpoints, from which a killed training goes on.", ge=1
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "LearningConfig":
        if self.snr_high <= self.snr_low:
            raise ValueError(
                f"snr_high ({self.snr_high:g}) must be greater than snr_low ({self.snr_low:g})"
            )
        return self

    @model_validator(mode="after")
    def _source_is_named(self) -> "LearningConfig":
        if self.source in ("folder", "hdf5") and getattr(self, self.source) is None:
            raise ValueError(f"source is {self.source}, but the key {self.source} is null")
        return self
