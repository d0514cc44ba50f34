"""All sections together, and how a configuration file becomes one of them."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, model_validator
from pydantic.fields import FieldInfo

from gwmorph.config.autoencoder import AutoencoderConfig
from gwmorph.config.base import Section, key
from gwmorph.config.calibration import CalibrationConfig
from gwmorph.config.chirp_search import ChirpSearchConfig
from gwmorph.config.clustering import ClusteringConfig
from gwmorph.config.comparison import ComparisonConfig
from gwmorph.config.conditioning import ConditioningConfig
from gwmorph.config.encoder import EncoderConfig
from gwmorph.config.events import EventsConfig
from gwmorph.config.finetune import FinetuneConfig
from gwmorph.config.injections import InjectionsConfig
from gwmorph.config.known_events import KnownEventsConfig
from gwmorph.config.learning import LearningConfig
from gwmorph.config.picture import PictureConfig
from gwmorph.config.qtransform import QTransformConfig
from gwmorph.config.report import ReportConfig
from gwmorph.config.run import RunConfig
from gwmorph.config.scan import ScanConfig
from gwmorph.config.score import ScoreConfig
from gwmorph.config.source import SourceConfig
from gwmorph.config.supervised import SupervisedConfig
from gwmorph.config.timeslides import TimeslidesConfig
from gwmorph.config.training import TrainingConfig
from gwmorph.config.validation import ValidationConfig
from gwmorph.config.window import WindowConfig
from gwmorph.errors import ConfigError

_LONGEST_VALUE = 120


class Config(Section):
    """All keys of a run."""

    run: RunConfig = key(RunConfig(), "Which data, under which name.")
    source: SourceConfig = key(SourceConfig(), "Where strain comes from.")
    window: WindowConfig = key(WindowConfig(), "The grid of windows.")
    conditioning: ConditioningConfig = key(ConditioningConfig(), "From strain to whitened strain.")
    qtransform: QTransformConfig = key(QTransformConfig(), "The tiling and its normalisation.")
    picture: PictureConfig = key(PictureConfig(), "From tile energies to a PNG.")
    events: EventsConfig = key(
        EventsConfig(), "What counts as a trigger, and which triggers get a view."
    )
    encoder: EncoderConfig = key(EncoderConfig(), "From pictures to vectors.")
    clustering: ClusteringConfig = key(ClusteringConfig(), "From vectors to clusters.")
    score: ScoreConfig = key(ScoreConfig(), "How unlike quiet noise each window is.")
    injections: InjectionsConfig = key(InjectionsConfig(), "How well signals are found.")
    training: TrainingConfig = key(
        TrainingConfig(), "How an in-domain encoder is trained, by `snakemake train_encoder`."
    )
    autoencoder: AutoencoderConfig = key(
        AutoencoderConfig(), "An autoencoder of event views, by `snakemake autoencoder`."
    )
    comparison: ComparisonConfig = key(
        ComparisonConfig(), "How well encoders tell morphologies apart."
    )
    chirp_search: ChirpSearchConfig = key(
        ChirpSearchConfig(), "Networks and a matched filter that search strain for chirps."
    )
    validation: ValidationConfig = key(ValidationConfig(), "Whether to believe the clusters.")
    timeslides: TimeslidesConfig = key(
        TimeslidesConfig(), "What coincides in several detectors, and how often by chance."
    )
    known_events: KnownEventsConfig = key(
        KnownEventsConfig(), "What is known to be in the data, and what is kept free of it."
    )
    calibration: CalibrationConfig = key(
        CalibrationConfig(), "When a row is unlike every known class, which makes it NOVEL."
    )
    scan: ScanConfig = key(ScanConfig(), "New data, block by block, by `snakemake scan`.")
    learning: LearningConfig = key(
        LearningConfig(), "The labelled pictures that networks learn from."
    )
    supervised: SupervisedConfig = key(
        SupervisedConfig(), "Networks that name classes, by `snakemake supervised`."
    )
    finetune: FinetuneConfig = key(
        FinetuneConfig(), "How encoders are specialised to labels, by `snakemake finetune`."
    )
    report: ReportConfig = key(ReportConfig(), "Figures and galleries.")

    @model_validator(mode="after")
    def _compared_autoencoder_has_weights(self) -> "Config":
        if "autoencoder" in self.comparison.encoders and self.encoder.autoencoder.path is None:
            raise ValueError(
                "comparison.encoders: autoencoder needs encoder.autoencoder.path, a file of "
                "weights that `snakemake autoencoder` wrote; it is compared wherever that is named"
            )
        return self

    @model_validator(mode="after")
    def _trainings_are_of_a_trained_encoder(self) -> "Config":
        if self.encoder.name == "dct" and self.validation.stability.trainings:
            raise ValueError(
                "validation.stability.trainings: encoder.name dct has no weights and no training; "
                "leave the list empty, or choose another encoder"
            )
        return self


def parse_config(raw: Mapping[str, Any], origin: str = "configuration") -> Config:
    """Check ``raw`` (nested mappings, as YAML gives them) and fill in defaults.

    Raises
    ------
    ConfigError
        A key is unknown (the error names the nearest one) or a value is out of range;
        all faults are listed, each with its dotted key.
    """
    try:
        return Config.model_validate(dict(raw))
    except ValidationError as error:
        lines = [_explain(fault) for fault in error.errors()]
        raise ConfigError("\n  ".join([f"{origin}: {len(lines)} fault(s)", *lines])) from error


def _explain(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "(whole file)"
    if fault["type"] == "extra_forbidden":
        known = [name for name, _ in leaves(Config)] + [name for name, _ in sections(Config)]
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "see config/README.md for all keys."
        return f"{key}: unknown key; {hint}"
    if fault["type"] == "model_type":
        return f"{key}: expected a section with keys of its own, got {_shortened(fault['input'])}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    # A whole section would bury the message; a fault of a section names its keys itself.
    got = "" if isinstance(fault["input"], Mapping) else f" (got {_shortened(fault['input'])})"
    return f"{key}: {message}{got}"


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every nested section as (dotted key, model), depth first."""
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield f"{prefix}{name}", nested
            yield from sections(nested, f"{prefix}{name}.")


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key that holds a value as (dotted key, field), in order of declaration."""
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from leaves(nested, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
