"""Which clusters stay when a choice that nobody can defend is made in another way.

The run's clusters are compared with those of variants, in each of which one thing is changed: the
seed, a parameter of the layout or of the mixture, the rows, the training of the encoder. All are
made of one sample of the run's rows, so that a variant costs seconds; the first one changes
nothing but that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.config import ClusteringConfig
from gwmorph.config.validation import StabilityConfig
from gwmorph.errors import TableError
from gwmorph.evidence.intervals import interval_rows
from gwmorph.morphology.clustering import cluster
from gwmorph.morphology.layout import neighborhood, space_dimensions
from gwmorph.morphology.partitions import DISSOLVED, agreement, best_jaccards, contingency
from gwmorph.progress import each
from gwmorph.simulation.streams import stream
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_matrix
from gwmorph.tables.keys import row_keys
from gwmorph.tables.parquet import read_table

RUN = "the run"
SAMPLE = "sample alone"
TRAINING = "training"
LEFT_OUT = -1


@dataclass(frozen=True)
class Variant:
    """One way to cluster the sample.

    ``changed`` is the kind of change and ``name`` says to what; ``rows`` int64 [m], which of the
    sample's rows are clustered.
    """

    name: str
    changed: str
    parameters: ClusteringConfig
    seed: int
    rows: NDArray[np.int64]


def variants(
    clustering: ClusteringConfig, seed: int, changes: StabilityConfig, rows: int, draws_seed: int
) -> Iterator[Variant]:
    """Yield how a sample of ``rows`` rows is clustered: as the run was, then with one change each.

    Parameters
    ----------
    clustering, seed
        The run's.
    changes
        What is changed, one at a time. Values that the run has already are left out, those that
        come to the same with so few rows, and what its method does not use.
    draws_seed
        Of other seeds and of rows drawn with replacement.
    """
    everything = np.arange(rows)
    yield Variant(SAMPLE, SAMPLE, clustering, seed, everything)
    others = np.random.SeedSequence([draws_seed, seed]).generate_state(changes.seeds)
    for number, other in enumerate(others.tolist(), start=1):
        yield Variant(f"seed {number}", "seed", clustering, other, everything)
    for kind, value in _changed_values(clustering, changes, rows):
        parameters = _with(clustering, kind, value)
        yield Variant(f"{kind} {value:g}", kind, parameters, seed, everything)
    for number in range(1, changes.bootstraps + 1):
        drawn = stream(draws_seed, "bootstrap of rows", number).integers(rows, size=rows)
        yield Variant(f"rows {number}", "rows", clustering, seed, np.unique(drawn))


# Where a parameter stands in the configuration, and the method that alone reads it.
_PLACES: Mapping[str, tuple[str | None, str | None]] = {
    "neighbors": ("umap", None),
    "min_dist": ("umap", None),
    "dimensions": ("umap", None),
    "pca_components": (None, None),
    "components": ("mixture", "mixture"),
    "concentration": ("mixture", "mixture"),
    "covariance_scale": ("mixture", "mixture"),
}


# What becomes of a parameter where there are few rows: two values of it can mean the same.
_OF_ROWS: Mapping[str, Callable[[int, Any], float]] = {
    "neighbors": neighborhood,
    "dimensions": space_dimensions,
    "pca_components": lambda rows, largest: min(largest, rows - 1),
}


def _changed_values(
    clustering: ClusteringConfig, changes: StabilityConfig, rows: int
) -> Iterator[tuple[str, float]]:
    for kind, (section, method) in _PLACES.items():
        if method not in (None, clustering.method):
            continue
        holder = clustering if section is None else getattr(clustering, section)
        meant = partial(_OF_ROWS.get(kind, _itself), rows)
        seen = {meant(getattr(holder, kind))}
        for value in getattr(changes, kind):
            if meant(value) not in seen:
                seen.add(meant(value))
                yield kind, value


def _itself(rows: int, value: float) -> float:
    return value


def _with(clustering: ClusteringConfig, kind: str, value: float) -> ClusteringConfig:
    section = _PLACES[kind][0]
    if section is None:
        return clustering.model_copy(update={kind: value})
    changed = getattr(clustering, section).model_copy(update={kind: value})
    return clustering.model_copy(update={section: changed})


def partitions_of(
    vectors: NDArray[np.float32], chosen: Sequence[Variant]
) -> dict[str, NDArray[np.int32]]:
    """Return the clusters of each variant by its name: int32 [n], −1 for rows that it leaves out.

    ``vectors`` are the sample's, float32 [n, d].
    """
    found = {}
    for variant in each(chosen, "variants", len(chosen)):
        labels = np.full(len(vectors), LEFT_OUT, np.int32)
        rows = variant.rows
        labels[rows] = cluster(vectors[rows], variant.parameters, variant.seed).labels
        found[variant.name] = labels
    return found


def training_vectors(path: Path, sampled: pa.Table) -> NDArray[np.float32]:
    """Return what another training of the encoder makes of the sample, float32 [n, d].

    Parameters
    ----------
    path
        Table of EMBEDDINGS.
    sampled
        The run's rows that the sample consists of.

    Raises
    ------
    TableError
        The table cannot be read, or holds other rows than the sample.
    """
    table, expected = read_table(path, EMBEDDINGS), row_keys(sampled)
    if row_keys(table) != expected:
        raise TableError(
            f"{path}: expected the {len(expected)} rows of the sample, got {len(table)} rows, or "
            "others. Remove it and run again."
        )
    return embedding_matrix(table)


def training_partitions(
    trainings: Mapping[str, NDArray[np.float32]], clustering: ClusteringConfig, seed: int
) -> dict[str, NDArray[np.int32]]:
    """Return the clusters int32 [n] of the sample's vectors by other trainings, by their names.

    ``trainings`` are what `training_vectors` returns; ``clustering`` and ``seed`` are the run's.
    """
    return {name: cluster(vectors, clustering, seed).labels for name, vectors in trainings.items()}


def agreement_rows(
    labels: NDArray[np.int32],
    partitions: Mapping[str, NDArray[np.int32]],
    changed: Mapping[str, str],
    blocks: NDArray[np.integer],
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``AGREEMENTS``: each partition against the run's clusters ``labels`` [n].

    Parameters
    ----------
    partitions
        By name, int32 [n], −1 for rows left out.
    changed
        Kind of change by name.
    blocks
        Block of each row, [n]; ``repeats`` and ``seed`` of the draws.
    """
    rows = []
    for name, other in partitions.items():
        both = other != LEFT_OUT
        one, two = labels[both], other[both]
        found = interval_rows(partial(_agreement_of, one, two), blocks[both], repeats, seed)
        about = {"variant": name, "changed": changed[name], "clusters": len(np.unique(two))}
        rows += [{**about, **row} for row in found]
    return rows


def _agreement_of(
    one: NDArray[np.int32], other: NDArray[np.int32], rows: NDArray[np.int64]
) -> dict[str, float]:
    return agreement(one[rows], other[rows])


def pair_rows(
    labels: NDArray[np.int32], partitions: Mapping[str, NDArray[np.int32]]
) -> list[dict[str, Any]]:
    """Return rows of ``PAIRS``: every two of the run's clusters and all partitions."""
    rows = []
    for (one, first), (other, second) in combinations({RUN: labels, **partitions}.items(), 2):
        both = (first != LEFT_OUT) & (second != LEFT_OUT)
        found = agreement(first[both], second[both])
        rows.append({"one": one, "other": other, "ari": found["ari"], "ami": found["ami"]})
    return rows


def survival_rows(
    labels: NDArray[np.int32],
    partitions: Mapping[str, NDArray[np.int32]],
    share: float,
) -> list[dict[str, Any]]:
    """Return rows of ``SURVIVAL``: in how many variants each of the run's clusters is found.

    Found is a cluster with which another one has a Jaccard of 0.5 or more (Hennig 2007), on the
    rows that the variant has; where it has none of a cluster's rows it says nothing of it. The
    sample alone is no variant, since nothing is changed in it: a cluster that it does not show has
    too few rows there, and whether it is stable cannot be told, None. Nor can it of a run's only
    cluster, with which every variant agrees.
    """
    names, members = np.unique(labels, return_counts=True)
    jaccards: dict[int, list[float]] = {name: [] for name in names.tolist()}
    lost = set()
    for variant, other in partitions.items():
        both = other != LEFT_OUT
        best = best_jaccards(contingency(labels[both], other[both]))
        for name, jaccard in zip(np.unique(labels[both]).tolist(), best.tolist(), strict=True):
            if variant != SAMPLE:
                jaccards[name].append(jaccard)
            elif jaccard < DISSOLVED:
                lost.add(name)
    rows = []
    for name, count in zip(names.tolist(), members.tolist(), strict=True):
        found = np.array(jaccards[name])
        survived = int((found >= DISSOLVED).sum())
        judged = name not in lost and len(found) > 0 and len(names) > 1
        rows.append(
            {
                "cluster": name,
                "members": count,
                "runs": len(found),
                "survived": survived,
                "share": survived / max(len(found), 1),
                "mean_jaccard": float(found.mean()) if len(found) else float("nan"),
                "stable": survived >= share * len(found) if judged else None,
            }
        )
    return rows
