"""The configuration as models: every key with its meaning, unit and default.

These models generate ``config/config.yaml`` and the JSON Schema; a test fails when they
differ. No other part of the library reads a configuration file: functions take arguments.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from gwmorph.errors import ConfigError
from gwmorph.storage import write_bytes

Detector = Literal["H1", "L1", "V1", "K1", "G1"]
EncoderName = Literal["dct", "indomain", "dinov2"]
_KEYS_MARKER = "<!-- keys: generated from src/gwmorph/config.py by `gwmorph config --write` -->"


def _key(default: Any, description: str, unit: str = "", **limits: Any) -> Any:
    extra: JsonDict | None = {"unit": unit} if unit else None
    if isinstance(default, (list, dict)):
        return Field(
            default_factory=default.copy,
            description=description,
            json_schema_extra=extra,
            **limits,
        )
    return Field(default, description=description, json_schema_extra=extra, **limits)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)


class RunConfig(_Section):
    """Which data, under which name."""

    name: str = _key(
        "demo",
        "Name of the run; all its outputs are under results/{name}/.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
    )
    detectors: list[Detector] = _key(["H1", "L1"], "Detectors to analyse.", min_length=1)
    gps_start: int = _key(1262301184, "First GPS second.", "s GPS", ge=0)
    gps_end: int = _key(1262313472, "GPS second after the last one.", "s GPS", ge=0)
    seed: int = _key(20200106, "Seed of every random choice of the analysis.", ge=0, le=2**32 - 1)
    max_excluded_fraction: float = _key(
        0.5,
        "The run's verdict fails when a larger fraction of a detector's planned windows is lost; "
        "all tables stay in place.",
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _span_runs_forward(self) -> "RunConfig":
        if self.gps_end <= self.gps_start:
            raise ValueError(
                f"gps_end ({self.gps_end}) must be greater than gps_start ({self.gps_start})"
            )
        if len(set(self.detectors)) != len(self.detectors):
            raise ValueError(f"detectors name one detector twice: {self.detectors}")
        return self


class GwoscConfig(_Section):
    """Public data from GWOSC."""

    host: str = _key(
        "https://gwosc.org", "Address of the GWOSC server.", pattern=r"^https?://[^/\s]+"
    )
    flag: str = _key(
        "DATA",
        "Science flag whose segments are analysed: DATA, CBC_CAT1 … CBC_CAT3, BURST_CAT1 ….",
        pattern=r"^[A-Z0-9_]+$",
    )
    sample_rate: Literal[4096, 16384] = _key(4096, "Sample rate of the files to fetch.", "Hz")
    attempts: int = _key(6, "Tries for each file or list before giving up.", ge=1, le=50)
    timeout_s: float = _key(60.0, "Longest silence of the server before a try fails.", "s", gt=0)
    max_downloads: int = _key(4, "Files downloaded at once.", ge=1, le=32)


class DirectoryConfig(_Section):
    """Strain files that the user already has."""

    files: dict[Detector, list[str]] = _key(
        {}, "For each detector, file patterns (globs) of its strain files."
    )
    segments: dict[Detector, str] = _key(
        {},
        "For each detector, a segment list (segwizard with 2, 3 or 4 columns, or JSON). "
        "Without one, the files' own spans and data-quality masks decide.",
    )
    format: Literal["auto", "gwosc", "gwf", "hdf5"] = _key(
        "auto",
        "Layout of the files: gwosc (HDF5 as GWOSC writes it), gwf (frames), hdf5 (named "
        "datasets); auto looks into each file.",
    )
    channel: dict[Detector, str] = _key(
        {},
        "For each detector, the channel to read from frames; by default the only strain channel.",
    )
    dataset: dict[Detector, str] = _key(
        {}, "For each detector, the dataset to read from plain HDF5 files."
    )
    prefer: list[str] = _key(
        [],
        "File-name patterns, best first: which file serves where several cover the same time. "
        "Without a ranking an overlap is an error.",
    )


class SimulatedConfig(_Section):
    """Strain made here, in GWOSC's layout."""

    seed: int = _key(2, "Seed of noise and transients.", ge=0, le=2**32 - 1)
    population: str = _key(
        "config/population.yaml", "File with the population of transients and its sources."
    )
    rate_scale: float = _key(
        1.0, "Factor on all transients' rates in the population file.", ge=0, le=1000
    )
    duty_cycle: float = _key(
        0.85, "Fraction of the time in which a detector observes.", gt=0, le=1
    )
    sample_rate: Literal[2048, 4096, 16384] = _key(4096, "Sample rate of the files.", "Hz")


class SourceConfig(_Section):
    """Where strain comes from."""

    kind: Literal["simulated", "gwosc", "directory"] = _key(
        "simulated", "Source of strain and segments."
    )
    cache: str = _key("cache", "Folder for downloaded or simulated strain, shared by all runs.")
    gwosc: GwoscConfig = _key(GwoscConfig(), "Used when kind is gwosc.")
    directory: DirectoryConfig = _key(DirectoryConfig(), "Used when kind is directory.")
    simulated: SimulatedConfig = _key(SimulatedConfig(), "Used when kind is simulated.")

    @model_validator(mode="after")
    def _directory_names_files(self) -> "SourceConfig":
        if self.kind == "directory" and not self.directory.files:
            raise ValueError(
                "directory.files is empty: name the strain files of each detector, "
                "for example {H1: ['data/H-H1_*.hdf5']}"
            )
        return self


class WindowConfig(_Section):
    """The grid of windows."""

    duration_s: Literal[32] = _key(32, "Length of a window.", "s")
    stride_s: Literal[16, 32] = _key(32, "Step of the grid; 16 makes windows overlap.", "s")
    context_s: int = _key(
        4,
        "Science data needed on both sides of a window; windows with less are excluded.",
        "s",
        ge=4,
        le=64,
    )


class ConditioningConfig(_Section):
    """From strain to whitened strain."""

    sample_rate: Literal[2048, 4096] = _key(
        4096, "Rate of the analysis; faster files are decimated, slower ones refused.", "Hz"
    )
    psd_segment_s: Literal[2, 4] = _key(
        4, "Length of the spectra whose median is the noise spectrum.", "s"
    )
    low_hz: float = _key(20.0, "Lower edge of the pass band.", "Hz", ge=10, le=100)
    high_hz: float = _key(
        1700.0,
        "Upper edge of the pass band; GWOSC's 4 kHz files are not to be trusted above 1700 Hz. "
        "Cut to 0.83 of Nyquist where that is lower.",
        "Hz",
        ge=200,
        le=8000,
    )


class QTransformConfig(_Section):
    """The tiling and its normalisation."""

    q_low: float = _key(4.0, "Lowest Q of the tiling.", ge=4, le=100)
    q_high: float = _key(64.0, "Highest Q of the tiling.", gt=4, le=256)
    f_low: float = _key(20.0, "Lowest frequency of tiles and picture.", "Hz", ge=10)
    f_high: float = _key(
        2048.0,
        "Highest frequency of tiles and picture, cut to the highest that the lowest Q reaches "
        "(1291 Hz for 4096 Hz data and Q from 4).",
        "Hz",
        gt=30,
    )
    mismatch: float = _key(0.2, "Largest fractional energy loss between tiles.", gt=0.01, le=0.5)

    @model_validator(mode="after")
    def _ranges_rise(self) -> "QTransformConfig":
        for low, high in (("q_low", "q_high"), ("f_low", "f_high")):
            if getattr(self, high) <= getattr(self, low):
                raise ValueError(f"{high} must be greater than {low}")
        return self


class PictureConfig(_Section):
    """From tile energies to a PNG."""

    height: int = _key(
        224, "Rows, logarithmic in frequency; even.", "pixels", ge=28, le=1024, multiple_of=2
    )
    width: int = _key(
        224, "Columns, linear in time; even.", "pixels", ge=28, le=2048, multiple_of=2
    )
    plane: Literal["max", "loudest"] = _key(
        "max",
        "max: the largest energy over all Q-planes, pixel by pixel; loudest: the plane that holds "
        "the window's loudest tile, as gwpy draws.",
    )
    energy_max: float = _key(25.5, "Energy at the top of the palette.", gt=1)
    scale: Literal["linear", "sqrt"] = _key(
        "linear", "How energy is spread over the palette (g in the PNG's text chunk)."
    )
    colormap: Literal["cividis", "viridis", "gray"] = _key("cividis", "Palette of the PNG.")


class CandidatesConfig(_Section):
    """Values of a window's parts from which on they are traced back to a place and drawn.

    Below them nothing becomes an event, whatever the score's limit.
    """

    tile_snr: float = _key(5.8, "Smallest Omicron SNR of a window's loudest tile.", ge=3)
    excess: float = _key(3.5, "Smallest excess, as in the measurements.", gt=0)
    track: float = _key(12.0, "Smallest log-likelihood ratio of a track.", "nat", gt=0)
    chirp: float = _key(9.0, "Smallest log-likelihood ratio of a chirp.", "nat", gt=0)


class EventsConfig(_Section):
    """What counts as a trigger, and which triggers get a view."""

    snr: float = _key(7.5, "Smallest Omicron SNR of a trigger.", gt=0)
    tile_snr: float = _key(
        5.5, "Smallest Omicron SNR of the tiles that triggers are made of.", ge=3
    )
    gap_s: float = _key(
        0.1, "Longest time between tiles of one trigger; Omicron's default.", "s", ge=0, le=2
    )
    max_per_window: int = _key(
        8,
        "Most event views of one window's triggers, the loudest first; 0 draws no view at all.",
        ge=0,
        le=64,
    )
    candidates: CandidatesConfig = _key(
        CandidatesConfig(), "What is looked at besides triggers, until the score is known."
    )
    parts: list[Literal["tile", "excess", "track", "chirp"]] = _key(
        ["tile", "excess", "track", "chirp"],
        "Parts of the score that make an event of a window above its limit, besides triggers: its "
        "loudest tile below snr, a box, a path, a chirp's track.",
    )

    @model_validator(mode="after")
    def _triggers_have_tiles(self) -> "EventsConfig":
        if self.snr < self.tile_snr:
            raise ValueError(
                f"snr ({self.snr:g}) must not be less than tile_snr ({self.tile_snr:g})"
            )
        if self.candidates.tile_snr < self.tile_snr:
            raise ValueError(
                f"candidates.tile_snr ({self.candidates.tile_snr:g}) must not be less than "
                f"tile_snr ({self.tile_snr:g})"
            )
        return self


class WeightsConfig(_Section):
    """Where DINOv2's weights come from."""

    path: str | None = _key(None, "Local folder with config.json and model.safetensors.")
    hub_id: str = _key("facebook/dinov2-with-registers-small", "Name on the model hub.")
    revision: str | None = _key(
        None,
        "Commit of the hub repository (40 hexadecimal digits); needed unless path is given.",
    )
    endpoint: str | None = _key(None, "Address of a mirror of the hub.")
    sha256: str | None = _key(
        None, "Expected SHA-256 of model.safetensors.", pattern=r"^[0-9a-f]{64}$"
    )
    cache: str = _key("cache/weights", "Folder for fetched weights, shared by all runs.")


class IndomainConfig(_Section):
    """The in-domain encoder's weights."""

    path: str | None = _key(
        None, "File of weights that `snakemake train_encoder` wrote; null means the shipped one."
    )
    sha256: str | None = _key(None, "Expected SHA-256 of the weights.", pattern=r"^[0-9a-f]{64}$")


class EncoderConfig(_Section):
    """From pictures to vectors."""

    name: EncoderName = _key(
        "indomain",
        "dct (no weights), indomain (a small network trained on spectrograms; its weights ship "
        "with gwmorph) or dinov2 (ViT-S/14 with registers).",
    )
    runtime: Literal["auto", "pytorch", "openvino"] = _key(
        "auto",
        "What runs dinov2: pytorch (the reference, float32 only) or openvino; auto is openvino.",
    )
    precision: Literal["auto", "float32", "bf16", "int8"] = _key(
        "auto",
        "Numbers that dinov2 computes with. auto is bf16 where the processor multiplies it and "
        "float32 elsewhere, decided once for a run and recorded in plan/encoder.json.",
    )
    output: Literal["cls", "mean_patch", "cls_mean_patch"] = _key(
        "cls",
        "dinov2's vector: its CLS token, the mean of its patch tokens (384 numbers each), or both "
        "one after the other (768).",
    )
    batch_size: int = _key(32, "Pictures encoded at once.", ge=1, le=4096)
    blocks_per_job: int = _key(
        16, "Blocks embedded by one job, so that start-up is paid once.", ge=1, le=10000
    )
    indomain: IndomainConfig = _key(IndomainConfig(), "Used when name is indomain.")
    weights: WeightsConfig = _key(WeightsConfig(), "Used when name is dinov2.")

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
    def _runtime_has_precision(self) -> "EncoderConfig":
        if self.runtime == "pytorch" and self.precision in ("bf16", "int8"):
            raise ValueError(
                f"runtime pytorch is the reference, in float32; precision {self.precision} needs "
                "runtime openvino"
            )
        return self


class UmapConfig(_Section):
    """Both UMAP embeddings."""

    dimensions: int = _key(10, "Dimensions of the space that is clustered.", ge=2, le=50)
    neighbors: int = _key(
        30, "Rows of a neighbourhood, at most: a fortieth of all, but at least 8.", ge=2, le=500
    )
    min_dist: float = _key(0.0, "Smallest distance in the clustered space.", ge=0, le=1)
    map_min_dist: float = _key(0.1, "Smallest distance in the 2-d map.", ge=0, le=1)


class MixtureConfig(_Section):
    """The Dirichlet-process Gaussian mixture."""

    components: int = _key(
        40,
        "Components that the mixture may use at first; a fit that uses all of them is repeated "
        "with twice as many.",
        ge=1,
        le=500,
    )
    covariance_scale: float = _key(
        1.0,
        "Scale of the prior of each component's covariance, in squared median distances to the "
        "tenth neighbour: larger ones cut coarser.",
        gt=0,
        le=1000,
    )
    concentration: float | None = _key(
        None, "Weight concentration of the process; null means 1/components.", gt=0
    )
    starts: int = _key(
        3,
        "Starts, the best of which is kept; the first begins with the communities of the "
        "neighbour graph, the others with k-means and k-means++ in turn.",
        ge=1,
        le=100,
    )
    max_iterations: int = _key(1000, "Iterations before convergence is given up.", ge=10)


class CommunitiesConfig(_Section):
    """Communities of the neighbour graph."""

    resolution: float = _key(2.0, "More of it gives more and smaller communities.", gt=0, le=100)


class HdbscanConfig(_Section):
    """Clusters by density."""

    min_cluster_size: int = _key(10, "Rows that make a cluster.", ge=2)


class SeparationConfig(_Section):
    """Data without structure, which clusters must be more separate than."""

    surrogates: int = _key(
        20,
        "Structureless clouds of the same covariance; groups that overlap as much as the parts "
        "of such clouds do (seven tenths of their median, since real data have wider gaps than a "
        "Gaussian) are joined.",
        ge=5,
        le=1000,
    )
    rows: int = _key(
        3000, "Rows on which separation is measured, at most; small groups keep theirs.", ge=200
    )
    pair_surrogates: int = _key(
        49,
        "Clouds that each cluster and its nearest one are compared with; a cluster is supported "
        "where none of them is as separate.",
        ge=19,
        le=1000,
    )


class ClusteringConfig(_Section):
    """From vectors to clusters."""

    views: list[Literal["window", "event"]] = _key(
        ["window", "event"],
        "What is encoded, clustered and reported, each on its own: windows of 32 s, and events, "
        "which are triggers in crops of 0.5, 1, 2 and 4 s.",
        min_length=1,
    )
    method: Literal["mixture", "communities", "hdbscan"] = _key(
        "mixture",
        "How rows are cut into groups, before groups that structureless data would show as well "
        "are joined: mixture (Dirichlet process, in the UMAP space), communities (of the "
        "neighbour graph) or hdbscan (by density in the UMAP space).",
    )
    pca_components: int = _key(50, "Principal components kept before UMAP.", ge=2, le=384)
    pca_whitening: float = _key(
        0.25,
        "Each component is divided by its spread to this power: 0 leaves distances as they are, "
        "1 makes all components alike.",
        ge=0,
        le=1,
    )
    umap: UmapConfig = _key(UmapConfig(), "Uniform manifold approximation and projection.")
    mixture: MixtureConfig = _key(MixtureConfig(), "Used when method is mixture.")
    communities: CommunitiesConfig = _key(
        CommunitiesConfig(), "Used when method is communities, and for the mixture's first start."
    )
    hdbscan: HdbscanConfig = _key(HdbscanConfig(), "Used when method is hdbscan.")
    separation: SeparationConfig = _key(SeparationConfig(), "What clusters are compared with.")


class ScoreConfig(_Section):
    """The score of every window against quiet noise."""

    background: Literal["simulated", "run"] = _key(
        "simulated",
        "Where quiet windows come from: simulated noise of each detector, or the run's own "
        "windows without a tile of events.snr, which real noise wants, being unlike simulated.",
    )
    quiet_windows: int = _key(
        1000,
        "Quiet windows of each detector (of the run's own, at most); no fraction of false alarms "
        "below 1/(quiet_windows + 1) can be asked for.",
        ge=100,
    )
    seed: int = _key(
        31,
        "Seed of the simulated noise, or of the choice among the run's own.",
        ge=0,
        le=2**32 - 1,
    )
    false_alarm_fraction: float = _key(
        0.01,
        "Fraction of quiet windows whose score may reach the limit above which windows are "
        "counted.",
        gt=0,
        lt=1,
    )

    @model_validator(mode="after")
    def _fraction_is_resolved(self) -> "ScoreConfig":
        finest = 1 / (self.quiet_windows + 1)
        if self.false_alarm_fraction < finest:
            raise ValueError(
                f"false_alarm_fraction {self.false_alarm_fraction:g} is finer than "
                f"{self.quiet_windows} quiet windows resolve ({finest:.2g}); raise quiet_windows"
            )
        return self


class InjectionsConfig(_Section):
    """The injection campaign, which `snakemake injections` runs."""

    detector: Detector = _key("H1", "Detector whose noise is simulated.")
    seed: int = _key(30, "Seed of all noise and all injections.", ge=0, le=2**32 - 1)
    reference_windows: int = _key(
        2000,
        "Quiet windows that statistics learn the background from; no limit is set or tested on "
        "them.",
        ge=100,
    )
    quiet_windows: int = _key(
        10000, "Quiet windows that limits are set on, and as many others to test them.", ge=20
    )
    injections_per_point: int = _key(
        300, "Injections of each morphology, each at all SNRs in the same noise.", ge=1
    )
    snrs: list[Annotated[float, Field(gt=0)]] = _key(
        [6.0, 8.0, 12.0, 20.0, 32.0, 50.0],
        "Optimal SNRs inside the window and the pass band, rising.",
        min_length=1,
    )
    morphologies: list[str] = _key([], "What is injected; an empty list means everything known.")
    false_alarm_fractions: list[Annotated[float, Field(gt=0, lt=1)]] = _key(
        [0.01, 0.001], "Fractions of quiet windows that may pass a limit.", min_length=1
    )
    windows_per_job: int = _key(2000, "Windows of one job, about.", ge=1)
    noise_files: dict[Detector, list[str]] = _key(
        {}, "For each detector, patterns (globs) of real strain files to inject into as well."
    )
    noise_windows: int = _key(
        32, "Windows of each detector's noise files that are used, the earliest ones.", ge=2
    )
    modules: list[str] = _key(
        [],
        "Python modules that register further statistics when they are imported; a change in "
        "one of them reruns nothing.",
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "InjectionsConfig":
        if any(high <= low for low, high in pairwise(self.snrs)):
            raise ValueError(f"snrs must rise, got {self.snrs}")
        return self


class TrainingConfig(_Section):
    """The training of an in-domain encoder, which `snakemake train_encoder` runs."""

    seed: int = _key(71, "Seed of all signals, noise and training.", ge=0, le=2**32 - 1)
    detectors: list[Detector] = _key(
        ["H1", "L1", "V1"],
        "Detectors whose noise is simulated, one after the other for each part.",
        min_length=1,
    )
    parts: int = _key(32, "Parts of the simulated views, each a job of its own.", ge=1, le=10000)
    windows_per_part: int = _key(
        256, "Windows of noise that the signals of one part are put into.", ge=4, multiple_of=4
    )
    spread: float = _key(
        0.3,
        "How far two signals of one source may differ: part of the range of each parameter "
        "(0: the same parameters).",
        ge=0,
        lt=1,
    )
    populations: list[str] = _key(
        ["config/population.yaml"],
        "Files with the populations whose shapes are among the sources; a class that several "
        "draw differently is drawn in each way equally often.",
        min_length=1,
    )
    excluded: list[str] = _key(
        [], "Morphologies that the encoder must not see; measure unseen classes with it."
    )
    noise_files: dict[Detector, list[str]] = _key(
        {},
        "For each detector, patterns (globs) of real strain files; signals are put into their "
        "noise as well, and their own triggers are paired with themselves in more noise.",
    )
    noise_windows: int = _key(
        256, "Windows of each detector's noise files that are used, the earliest ones.", ge=4
    )
    steps: int = _key(2500, "Updates of the weights.", ge=1)
    event_pairs: int = _key(64, "Pairs of event views in a batch.", ge=2)
    window_pairs: int = _key(16, "Pairs of windows in a batch.", ge=2)
    learning_rate: float = _key(0.0015, "Largest learning rate.", gt=0)
    weight_decay: float = _key(0.05, "Weight decay of AdamW.", ge=0)
    temperature: float = _key(0.08, "Temperature of the contrastive loss.", gt=0)
    crop_weight: float = _key(
        0.5, "Weight of the loss of single crops beside that of whole views.", ge=0
    )
    checkpoint_steps: int = _key(
        50, "Steps between checkpoints, from which a killed training goes on.", ge=1
    )
    device: Literal["auto", "cpu", "cuda"] = _key(
        "auto", "Where the network is trained; auto takes a GPU if there is one."
    )
    precision: Literal["auto", "float32", "bf16"] = _key(
        "auto",
        "Numbers of the training; auto takes bf16 on processors and GPUs that have it, where it "
        "is about twice as fast.",
    )


class ComparisonCampaignConfig(_Section):
    """The small injection campaign of a comparison, at 1 % false alarms; more as `injections`."""

    reference_windows: int = _key(
        600, "Quiet windows that statistics learn the background from.", ge=100
    )
    quiet_windows: int = _key(
        1000, "Quiet windows that limits are set on, and as many others to test them.", ge=100
    )
    injections_per_point: int = _key(40, "Injections of each morphology at each SNR.", ge=1)
    snrs: list[Annotated[float, Field(gt=0)]] = _key(
        [8.0, 12.0, 20.0], "Optimal SNRs of the injections, rising.", min_length=1
    )


def _require_rising(snr_low: float, snr_high: float) -> None:
    if snr_high <= snr_low:
        raise ValueError(f"snr_high ({snr_high:g}) must be greater than snr_low ({snr_low:g})")


class NamingConfig(_Section):
    """The simulated views that name the glitches of labelled strain; classes as `comparison`."""

    population: str = _key(
        "config/population_o3.yaml", "File with the population that the views are drawn from."
    )
    snr_low: float = _key(8.0, "Smallest optimal SNR of a view's signal.", gt=0)
    snr_high: float = _key(
        200.0, "Largest optimal SNR: that of real glitches, not of what is hard to tell.", gt=0
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "NamingConfig":
        _require_rising(self.snr_low, self.snr_high)
        return self


class ComparisonConfig(_Section):
    """The comparison of encoders on labelled data, which `snakemake compare_encoders` runs."""

    encoders: list[EncoderName] = _key(
        ["dct", "indomain"],
        "Encoders to compare; dinov2 is among them wherever encoder.weights says where its "
        "weights are.",
        min_length=1,
    )
    detector: Detector = _key("H1", "Detector whose noise is simulated.")
    seed: int = _key(
        42, "Seed of labelled signals, of their noise and of all intervals.", ge=0, le=2**32 - 1
    )
    population: str = _key(
        "config/population.yaml", "File with the population whose classes are scored."
    )
    classes: list[str] = _key(
        [
            "blip",
            "low_frequency_blip",
            "tomte",
            "koi_fish",
            "whistle",
            "scattered_light",
            "fast_scattering",
            "low_frequency_burst",
            "power_line",
            "air_compressor",
            "violin_mode_ring",
            "repeating_blips",
            "paired_doves",
            "light_modulation",
            "helix",
            "scratchy",
            "lines_1080",
            "low_frequency_lines",
            "chirp",
        ],
        "Classes of the population that are scored: by default all that make a trigger at these "
        "SNRs at least every fourth time.",
        min_length=2,
    )
    unseen: list[str] = _key(
        [
            "sine_gaussian_q4",
            "sine_gaussian_q8",
            "sine_gaussian_q32",
            "noise_burst",
            "staircase",
            "ring_up",
        ],
        "Shapes of the injection campaign that no population has, scored on their own: by default "
        "all that make a trigger and whose Q the tiling covers.",
        min_length=2,
    )
    held_out: str | None = _key(
        None,
        "Weights of an in-domain encoder whose training left out all of `unseen`; without them it "
        "is scored on these only if encoder.indomain's own training left them out.",
    )
    per_class: int = _key(64, "Event views of each class.", ge=4)
    snr_low: float = _key(12.0, "Smallest optimal SNR of a labelled signal.", gt=0)
    snr_high: float = _key(50.0, "Largest optimal SNR of a labelled signal.", gt=0)
    glitch_pictures: str | None = _key(
        None,
        "Folder of real Gravity Spy pictures without axes, "
        "<class>/<IFO>_<id>_spectrogram_<seconds>.png, that are scored as well.",
    )
    labelled_strain: list[str] = _key(
        [],
        "HDF5 files of real glitches with labels, one data set each (attributes detector, label, "
        "snr, sample_rate, glitch_time_s), that are scored as well.",
    )
    naming: NamingConfig = _key(
        NamingConfig(), "What the glitches of labelled strain are named from."
    )
    campaign: ComparisonCampaignConfig = _key(
        ComparisonCampaignConfig(), "What each encoder's vectors find."
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "ComparisonConfig":
        _require_rising(self.snr_low, self.snr_high)
        return self


class ReportConfig(_Section):
    """Figures and galleries."""

    gallery_pictures: int = _key(16, "Example pictures for each cluster.", ge=1, le=100)
    galleries: int = _key(30, "Largest number of clusters that get a gallery.", ge=1, le=500)
    occupancy_bin_s: int = _key(1024, "Width of the bins of occupancy over time.", "s", ge=32)


class Config(_Section):
    """All keys of a run."""

    run: RunConfig = _key(RunConfig(), "Which data, under which name.")
    source: SourceConfig = _key(SourceConfig(), "Where strain comes from.")
    window: WindowConfig = _key(WindowConfig(), "The grid of windows.")
    conditioning: ConditioningConfig = _key(
        ConditioningConfig(), "From strain to whitened strain."
    )
    qtransform: QTransformConfig = _key(QTransformConfig(), "The tiling and its normalisation.")
    picture: PictureConfig = _key(PictureConfig(), "From tile energies to a PNG.")
    events: EventsConfig = _key(
        EventsConfig(), "What counts as a trigger, and which triggers get a view."
    )
    encoder: EncoderConfig = _key(EncoderConfig(), "From pictures to vectors.")
    clustering: ClusteringConfig = _key(ClusteringConfig(), "From vectors to clusters.")
    score: ScoreConfig = _key(ScoreConfig(), "How unlike quiet noise each window is.")
    injections: InjectionsConfig = _key(InjectionsConfig(), "How well signals are found.")
    training: TrainingConfig = _key(
        TrainingConfig(), "How an in-domain encoder is trained, by `snakemake train_encoder`."
    )
    comparison: ComparisonConfig = _key(
        ComparisonConfig(), "How well encoders tell morphologies apart."
    )
    report: ReportConfig = _key(ReportConfig(), "Figures and galleries.")


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
        return f"{key}: expected a section with keys of its own, got {fault['input']!r}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    # A whole section would bury the message; a fault of a section names its keys itself.
    got = "" if isinstance(fault["input"], Mapping) else f" (got {fault['input']!r})"
    return f"{key}: {message}{got}"


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


def default_yaml() -> str:
    """Return ``config/config.yaml``: every key with its default, meaning and unit."""
    head = [
        "# The default run: simulated strain, no network. Every key is here.",
        "# Generated from src/gwmorph/config.py by `gwmorph config --write`; do not edit by hand:",
        "# put your changes into a file of your own and pass it with --configfile.",
    ]
    return "\n".join([*head, *_yaml_lines(Config, Config().model_dump(), 0)]) + "\n"


def _yaml_lines(model: type[BaseModel], values: Mapping[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in model.model_fields.items():
        if depth == 0:
            yield ""
        yield f"{indent}# {_comment(field)}"
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield f"{indent}{name}:"
            yield from _yaml_lines(nested, values[name], depth + 1)
        else:
            yield f"{indent}{name}: {json.dumps(values[name])}"


def _comment(field: FieldInfo) -> str:
    unit = unit_of(field)
    return f"{field.description}{f' [{unit}]' if unit else ''}"


def unit_of(field: FieldInfo) -> str:
    """Return the unit of a key, or an empty string where it has none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **Config.model_json_schema()}


def key_table() -> str:
    """Return the Markdown table of all keys for ``config/README.md``."""
    rows = ["| key | default | unit | meaning |", "|---|---|---|---|"]
    defaults = Config().model_dump()
    for name, field in leaves(Config):
        value: Any = defaults
        for part in name.split("."):
            value = value[part]
        rows.append(
            f"| `{name}` | `{json.dumps(value)}` | {unit_of(field)} | "
            f"{field.description}{_choices(field)} |"
        )
    return "\n".join(rows) + "\n"


def write_generated_files(root: Path) -> None:
    """Write what the models generate into a checkout: defaults, JSON Schema, table of keys.

    Raises
    ------
    ConfigError
        ``root`` is no checkout of gwmorph.
    """
    readme = root / "config" / "README.md"
    if not readme.is_file():
        raise ConfigError(f"{readme}: no such file; start this in a checkout of gwmorph.")
    prose, marker, _ = readme.read_text().partition(_KEYS_MARKER)
    files = {
        "config/config.yaml": default_yaml(),
        "workflow/schemas/config.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        "config/README.md": f"{prose}{marker}\n{key_table()}",
    }
    for name, text in files.items():
        write_bytes(root / name, text.encode())


def _choices(field: FieldInfo) -> str:
    kinds = [field.annotation]
    if get_origin(field.annotation) in (Union, UnionType, Annotated):
        kinds = list(get_args(field.annotation))
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f" One of {', '.join(f'`{value}`' for value in get_args(kind))}."
    return ""


def load_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file into nested mappings.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML, or is not a mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys and values, got {type(content).__name__}.")
    return content
