"""The section ``clustering``: from vectors to clusters."""

from typing import Annotated, Literal

from gwmorph.config.base import DISTINCT, Section, key


class UmapConfig(Section):
    """Both UMAP embeddings."""

    dimensions: int = key(10, "Dimensions of the space that is clustered.", ge=2, le=50)
    neighbors: int = key(
        30, "Rows of a neighbourhood, at most: a fortieth of all, but at least 8.", ge=2, le=500
    )
    min_dist: float = key(0.0, "Smallest distance in the clustered space.", ge=0, le=1)
    map_min_dist: float = key(0.1, "Smallest distance in the 2-d map.", ge=0, le=1)


class MixtureConfig(Section):
    """The Dirichlet-process Gaussian mixture."""

    components: int = key(
        40,
        "Components that the mixture may use at first; a fit that uses all of them is repeated "
        "with twice as many.",
        ge=1,
        le=500,
    )
    covariance_scale: float = key(
        1.0,
        "Scale of the prior of each component's covariance, in squared median distances to the "
        "tenth neighbour: larger ones cut coarser.",
        gt=0,
        le=1000,
    )
    concentration: float | None = key(
        None, "Weight concentration of the process; null means 1/components.", gt=0
    )
    starts: int = key(
        3,
        "Starts, the best of which is kept; the first begins with the communities of the "
        "neighbour graph, the others with k-means and k-means++ in turn.",
        ge=1,
        le=100,
    )
    max_iterations: int = key(1000, "Iterations before convergence is given up.", ge=10)


class CommunitiesConfig(Section):
    """Communities of the neighbour graph."""

    resolution: float = key(2.0, "More of it gives more and smaller communities.", gt=0, le=100)


class HdbscanConfig(Section):
    """Clusters by density."""

    min_cluster_size: int = key(10, "Rows that make a cluster.", ge=2)


class SeparationConfig(Section):
    """Data without structure, which clusters must be more separate than."""

    surrogates: int = key(
        20,
        "Structureless clouds of the same covariance; groups that overlap as much as the parts "
        "of such clouds do (seven tenths of their median, since real data have wider gaps than a "
        "Gaussian) are joined.",
        ge=5,
        le=1000,
    )
    rows: int = key(
        3000, "Rows on which separation is measured, at most; small groups keep theirs.", ge=200
    )
    pair_surrogates: int = key(
        49,
        "Clouds that each cluster and its nearest one are compared with; a cluster is supported "
        "where none of them is as separate.",
        ge=19,
        le=1000,
    )


class ClusteringConfig(Section):
    """From vectors to clusters."""

    views: Annotated[list[Literal["window", "event"]], DISTINCT] = key(
        ["window", "event"],
        "What is encoded, clustered and reported, each on its own: windows of 32 s, and events, "
        "which are triggers in crops of 0.5, 1, 2 and 4 s.",
        min_length=1,
    )
    method: Literal["mixture", "communities", "hdbscan"] = key(
        "mixture",
        "How rows are cut into groups, before groups that structureless data would show as well "
        "are joined: mixture (Dirichlet process, in the UMAP space), communities (of the "
        "neighbour graph) or hdbscan (by density in the UMAP space).",
    )
    fit_rows: int = key(
        50_000,
        "Rows that are laid out and cut into clusters, at most, drawn evenly; where there are "
        "more, the others are placed among them by their nearest.",
        ge=100,
    )
    pca_components: int = key(50, "Principal components kept before UMAP.", ge=2, le=384)
    pca_whitening: float = key(
        0.25,
        "Each component is divided by its spread to this power: 0 leaves distances as they are, "
        "1 makes all components alike.",
        ge=0,
        le=1,
    )
    umap: UmapConfig = key(UmapConfig(), "Uniform manifold approximation and projection.")
    mixture: MixtureConfig = key(MixtureConfig(), "Used when method is mixture.")
    communities: CommunitiesConfig = key(
        CommunitiesConfig(), "Used when method is communities, and for the mixture's first start."
    )
    hdbscan: HdbscanConfig = key(HdbscanConfig(), "Used when method is hdbscan.")
    separation: SeparationConfig = key(SeparationConfig(), "What clusters are compared with.")
