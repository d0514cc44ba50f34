"""The section ``validation``: whether to believe the clusters."""

from typing import Annotated

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


class ValidationConfig(Section):
    """Whether to believe the clusters, which `snakemake validation` says."""

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
    stability: StabilityConfig = key(StabilityConfig(), "What is changed one at a time.")
