"""The section ``validation``: whether to believe the clusters."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from gwmorph.config.base import DISTINCT, Section, key

Positive = Annotated[float, Field(gt=0)]


class StabilityConfig(Section):
    """What is changed one at a time to see which clusters stay; lists may be empty."""

    seeds: int = key(10, "Other seeds than run.seed.", ge=0, le=100)
    bootstraps: int = key(
        5, "Times that rows are drawn with replacement, copies being left out.", ge=0, le=100
    )
    neighbors: Annotated[list[Annotated[int, Field(ge=2, le=500)]], DISTINCT] = key(
        [15, 60], "Other values of clustering.umap.neighbors."
    )
    min_dist: Annotated[list[Annotated[float, Field(ge=0, le=1)]], DISTINCT] = key(
        [0.1], "Other values of clustering.umap.min_dist."
    )
    dimensions: Annotated[list[Annotated[int, Field(ge=2, le=50)]], DISTINCT] = key(
        [5, 20], "Other values of clustering.umap.dimensions."
    )
    pca_components: Annotated[list[Annotated[int, Field(ge=2, le=384)]], DISTINCT] = key(
        [25, 100], "Other values of clustering.pca_components."
    )
    components: Annotated[list[Annotated[int, Field(ge=1, le=500)]], DISTINCT] = key(
        [20, 80], "Other values of clustering.mixture.components."
    )
    concentration: Annotated[list[Positive], DISTINCT] = key(
        [0.001, 1.0], "Other values of clustering.mixture.concentration."
    )
    covariance_scale: Annotated[list[Positive], DISTINCT] = key(
        [0.5, 2.0], "Other values of clustering.mixture.covariance_scale."
    )
    trainings: Annotated[list[Annotated[str, Field(min_length=1)]], DISTINCT] = key(
        [],
        "Weights of other trainings of the run's encoder: files, as encoder.indomain.path, or "
        "folders, as encoder.weights.path.",
    )


Change = Literal[
    "greyscale",
    "colormap",
    "inverted",
    "shuffled",
    "reversed",
    "gain_low",
    "gain_high",
    "gain_each",
    "context",
    "spectrum_length",
    "q_range",
    "plane",
    "size",
    "precision",
]


class AblationConfig(Section):
    """What is changed one at a time in a sample of the pictures."""

    rows: int = key(1000, "Rows of each view that are drawn and encoded again, at most.", ge=50)
    blocks: int = key(
        64, "Blocks that they are taken from, at most: their strain is read again.", ge=1
    )
    changes: Annotated[list[Change], DISTINCT] = key(
        list(get_args(Change)),
        "Of pictures: other colours (greyscale, colormap), inverted or shuffled levels, time "
        "reversed, energies by half as much less or more (gain_low, gain_high; gain_each: by up "
        "to so much, each its own). Of how they are drawn: noise spectra of half blocks "
        "(context), of another length, half the largest Q, another plane, three quarters of the "
        "size. And the encoder's precision.",
    )


class AnomalyConfig(Section):
    """Which rows are called anomalous."""

    rate: float = key(
        0.05,
        "Share of rows like all others that are called anomalous: those in whose surroundings a "
        "mixture in the principal components has the lowest density.",
        gt=0,
        lt=1,
    )


class SimilarityConfig(Section):
    """What rows and clusters are named from, in every run where there is something."""

    labels: str | None = key(
        None,
        "CSV file of labels of this run's transients, with the columns of Gravity Spy's releases; "
        "of simulated strain the truth is known without one.",
    )
    reference: str | None = key(
        None,
        "Folder results/NAME/validation of another run whose labelled rows name this run's; "
        "without one they are named by their own labelled rows, if there are any.",
    )
    neighbors: int = key(5, "Nearest labelled rows that name a row.", ge=1, le=1000)
    gap_s: float = key(
        512.0, "Between the earlier part of a run and the later part that it names.", "s", ge=0
    )


class ValidationConfig(Section):
    """Whether to believe the clusters, which `snakemake validation` says; and what names them."""

    seed: int = key(
        17,
        "Seed of the sample, of everything drawn from it and of all intervals.",
        ge=0,
        le=2**32 - 1,
    )
    rows: int = key(
        2000,
        "Rows of each view that are looked at, at most: drawn evenly, all of them where there are "
        "fewer.",
        ge=50,
    )
    block_s: int = key(
        256, "What happens in one such stretch of a detector's time is drawn together.", "s", ge=1
    )
    repeats: int = key(200, "Draws for each interval.", ge=20, le=10_000)
    permutations: int = key(
        199, "Permutations that the separation of each cluster is compared with.", ge=19, le=10_000
    )
    survival: float = key(
        0.8, "Share of runs in which a cluster must be found to be called stable.", gt=0, le=1
    )
    ablation: AblationConfig = key(AblationConfig(), "What is changed in the pictures.")
    stability: StabilityConfig = key(StabilityConfig(), "What is changed one at a time.")
    anomaly: AnomalyConfig = key(AnomalyConfig(), "Which rows are called anomalous.")
    similarity: SimilarityConfig = key(
        SimilarityConfig(), "What rows and clusters are named from, in every run."
    )
