"""How well vectors tell labelled pictures apart: neighbours, clusters, and their intervals.

Intervals are 95 % percentile intervals of a bootstrap over events, or over classes where a class
has so few that they are each other's right answers. Neighbours and clusters are found once, on all
events; what is drawn again is which events are counted. So an interval says how much a figure
depends on the events that happened to be scored, not how much it would change with other clusters
or other training. Events drawn twice always agree with themselves, which
raises every comparison of clusters with classes: those intervals are moved by as much as the mean
of the draws lies beside the figure.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from gwmorph.config import ClusteringConfig
from gwmorph.encoders.base import unit_rows
from gwmorph.evidence.agreement import cluster_agreement, neighbor_hits
from gwmorph.morphology.clustering import cluster
from gwmorph.simulation.streams import stream

Vectors = NDArray[np.floating]
Labels = NDArray[np.str_]
# What every other set of vectors is compared with: the encoder without training, and no encoder.
BASELINES = ("dct", "pixels")
CLUSTER_FIGURES = ("ari", "ami", "purity", "largest_share", "ari_without_largest")
# By cosine everything but the trigger columns, which have no direction.
METRIC = {"triggers": "euclidean"}
_COMPONENTS = 50
_REPEATS = 2000
_CLUSTER_REPEATS = 300


def pixel_components(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures' 50 principal components: unit rows float32 [n, at most 50].

    What an encoder must beat: nothing but the very pictures uint8 [n, height, width] that are
    compared, as they are.
    """
    pixels = pictures.reshape(len(pictures), -1).astype(np.float32)
    kept = min(_COMPONENTS, len(pictures) - 1)
    model = PCA(kept, svd_solver="randomized", random_state=0)
    return unit_rows(model.fit_transform(pixels))


def event_rows(
    vectors: Mapping[str, Vectors],
    classes: Labels,
    clustering: ClusteringConfig,
    cluster_seed: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``ENCODER_QUALITY`` (without ``data``) for events of known class.

    Parameters
    ----------
    vectors
        For each way of looking at them, one vector of each event, [n, d]. ``triggers`` are
        compared by Euclidean distance and are not clustered, all others by cosine.
    classes
        Class of each event, [n].
    clustering, cluster_seed
        How a run clusters; the number of classes is not told.
    seed
        Of the bootstrap.
    """
    hits = {
        name: neighbor_hits(values, classes, METRIC.get(name, "cosine"))
        for name, values in vectors.items()
    }
    rows = share_rows("top1", hits, np.arange(len(classes)), seed)
    for label in dict.fromkeys(classes.tolist()):
        own = {name: right[classes == label] for name, right in hits.items()}
        of_class = share_rows("top1", own, np.arange((classes == label).sum()), seed)
        rows += [{**row, "morphology": label} for row in of_class if row["figure"] == "top1"]
    for name, values in vectors.items():
        if name not in METRIC:
            labels = cluster(np.asarray(values, np.float32), clustering, cluster_seed).labels
            rows += _cluster_rows(name, labels, classes, seed)
    return rows


def share_rows(
    figure: str, hits: Mapping[str, NDArray[np.bool_]], events: NDArray[np.integer], seed: int
) -> list[dict[str, Any]]:
    """Return the share of ``hits`` of each kind of vectors, and its difference from each baseline.

    Parameters
    ----------
    hits
        For each kind of vectors, which pictures were told right, bool [n].
    events
        Number of what each picture shows, [n]: of the event, or of the class where its events are
        each other's right answers. All its pictures are drawn together.
    """
    rows = []
    for name, right in hits.items():
        rows.append(_share_row(name, figure, right.astype(float), events, seed))
        for baseline in BASELINES:
            if baseline in hits and name not in BASELINES[: BASELINES.index(baseline) + 1]:
                gain = right.astype(float) - hits[baseline]
                rows.append(_share_row(name, f"{figure}_minus_{baseline}", gain, events, seed))
    return rows


def _share_row(
    name: str, figure: str, values: NDArray[np.float64], events: NDArray[np.integer], seed: int
) -> dict[str, Any]:
    _, number = np.unique(events, return_inverse=True)
    sums, counts = np.bincount(number, values), np.bincount(number)
    # The same draws for every kind of vectors, so that differences are paired.
    drawn = stream(seed, "bootstrap", len(sums)).integers(len(sums), size=(_REPEATS, len(sums)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])
    return _row(name, figure, float(values.mean()), float(low), float(high), len(values))


def _cluster_rows(
    name: str, labels: NDArray[np.int32], classes: Labels, seed: int
) -> list[dict[str, Any]]:
    value = cluster_agreement(labels, classes)
    rng = stream(seed, "bootstrap clusters")
    drawn = [rng.integers(len(labels), size=len(labels)) for _ in range(_CLUSTER_REPEATS)]
    repeats = [cluster_agreement(labels[rows], classes[rows]) for rows in drawn]
    rows = []
    for figure in CLUSTER_FIGURES:
        drawn_values = np.array([repeat[figure] for repeat in repeats])
        low, high = np.percentile(drawn_values, [2.5, 97.5]) + value[figure] - drawn_values.mean()
        rows.append(
            _row(name, f"cluster_{figure}", value[figure], float(low), float(high), len(labels))
        )
    return rows


def _row(
    name: str, figure: str, value: float, low: float, high: float, count: int
) -> dict[str, Any]:
    return {
        "features": name,
        "figure": figure,
        "morphology": None,
        "value": value,
        "low": low,
        "high": high,
        "pictures": count,
    }


def glitch_rows(
    vectors: Mapping[str, Vectors],
    classes: Labels,
    glitches: Labels,
    durations: NDArray[np.float64],
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``ENCODER_QUALITY`` (without ``data``) for pictures of real glitches.

    The nearest picture of another glitch says the class: of any window length (``top1_any``, the
    figure that counts) or of the same one (``top1_same``). A picture is scored where another
    glitch of its class has a picture to be found; those that are not stand among the neighbours.
    Intervals are over classes: of two glitches a class each is the other's only right answer, so
    they are right or wrong together.

    Parameters
    ----------
    vectors
        For each way of looking at them, one vector of each picture, [n, d].
    classes, glitches, durations
        Class, glitch and window length (s) of each picture, [n].
    """
    other = glitches[:, None] != glitches
    same = durations[:, None] == durations
    rows = []
    for figure, allowed in (("top1_any", other), ("top1_same", other & same)):
        scored = (allowed & (classes[:, None] == classes)).any(axis=1)
        hits = {
            name: _nearest_hits(values, classes, allowed)[scored]
            for name, values in vectors.items()
        }
        rows += share_rows(figure, hits, np.unique(classes[scored], return_inverse=True)[1], seed)
    return rows


def _nearest_hits(
    vectors: Vectors, classes: Labels, allowed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    units = unit_rows(vectors).astype(np.float64)
    cosine = np.where(allowed, units @ units.T, -np.inf)
    return classes[cosine.argmax(axis=1)] == classes
