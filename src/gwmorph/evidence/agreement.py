"""Do found injections of one morphology look alike: clusters and neighbours against the truth."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from gwmorph.config import ClusteringConfig
from gwmorph.errors import TableError
from gwmorph.evidence.injections import features_of
from gwmorph.evidence.recall import wilson
from gwmorph.morphology.clustering import cluster
from gwmorph.morphology.partitions import agreement, best_jaccards, contingency

VIEWS = "event view"
TRIGGERS = "trigger columns"
NEIGHBORS = 5
VECTORS = "event_vector"
FOUND_BY = "score"
_KEYS = ["part", "number", "snr"]
# Without time: a class may not be told by when it was injected.
_COLUMNS = ("frequency", "q", "duration", "bandwidth", "snr")


def found_windows(injected: pa.Table, scored: pa.Table, recall: pa.Table) -> pa.Table:
    """Return the rows of ``injected`` that were found, at the largest false-alarm fraction.

    Parameters
    ----------
    injected
        Injections with their features, as `injections.observe` returns them.
    scored
        The same windows in the same order, among others, with scores (`recall.with_scores`).
    recall
        Rows of ``RECALL``, for the limits.

    Raises
    ------
    TableError
        The two tables do not hold the same injections.
    """
    scores = scored.filter(pc.equal(scored["role"], "injection"))
    if scores.select(_KEYS).to_pylist() != injected.select(_KEYS).to_pylist():
        raise TableError(
            f"{len(injected)} injections, but {len(scores)} of their scores, or of others. Remove "
            "the scores and run again."
        )
    rows = recall.filter(pc.equal(recall["statistic"], FOUND_BY))
    loosest = pc.max(rows["false_alarm_fraction"])
    limit = rows.filter(pc.equal(rows["false_alarm_fraction"], loosest))["limit"][0]
    return injected.filter(pc.greater(scores[FOUND_BY], limit))


def agreement_rows(
    found: pa.Table, clustering: ClusteringConfig, seed: int, vectors: str = VECTORS
) -> list[dict[str, Any]]:
    """Return rows of ``AGREEMENT``: two for each SNR at which two classes were found.

    Parameters
    ----------
    found
        Injections (`injections.observe`) above some limit. Those without a trigger are left
        out, since they have no event view.
    vectors
        Name of the statistic whose features are the vectors of event views.

    SNRs are taken apart, because one injection appears at each of them in the same noise and
    would be its own neighbour. Neighbours are the nearest five others, by cosine for views and by
    Euclidean distance of standardised logarithms for trigger columns; the nearest decides a tie.
    """
    with_trigger = found.filter(found["trigger_snr"].is_valid())
    snr = np.array(with_trigger["snr"].to_pylist(), float)
    rows = []
    for value in np.unique(snr):
        chosen = with_trigger.filter(pa.array(snr == value))
        classes = np.array(chosen["morphology"].to_pylist())
        if len(set(classes.tolist())) < 2:
            continue
        views = np.asarray(features_of(chosen, vectors), np.float32)
        labels = cluster(views, clustering, seed).labels
        common = {"snr": float(value)}
        rows.append(
            {
                "features": VIEWS,
                **common,
                **neighbor_agreement(views, classes, "cosine"),
                **cluster_agreement(labels, classes),
            }
        )
        rows.append(
            {
                "features": TRIGGERS,
                **common,
                **neighbor_agreement(trigger_features(chosen), classes, "euclidean"),
            }
        )
    return rows


def trigger_features(windows: pa.Table) -> NDArray[np.float64]:
    """Return standardised logarithms of the time-free trigger columns, float64 [n, 5]."""
    columns = [np.log(features_of(windows, f"trigger_{name}")) for name in _COLUMNS]
    values = np.column_stack(columns)
    return (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-12)


def neighbor_agreement(
    features: NDArray[np.floating], classes: NDArray[np.str_], metric: str
) -> dict[str, Any]:
    """Return how often most of a row's nearest neighbours are of its own class."""
    right, total = int(neighbor_hits(features, classes, metric).sum()), len(classes)
    low, high = wilson(right, total)
    return {
        "injections": total,
        "classes": len(set(classes.tolist())),
        "top1": right / total,
        "top1_low": low,
        "top1_high": high,
    }


def neighbor_hits(
    features: NDArray[np.floating], classes: NDArray[np.str_], metric: str
) -> NDArray[np.bool_]:
    """Return for which rows most of the nearest five others are of their own class.

    The nearest decides a tie.
    """
    count = min(NEIGHBORS, len(features) - 1)
    nearest = NearestNeighbors(n_neighbors=count, metric=metric).fit(features)
    others = nearest.kneighbors(return_distance=False)
    return majority(classes[others]) == classes


def majority(near: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the commonest class of each row [n, k] of neighbours; the first decides a tie."""
    # Counter keeps the order in which classes are met.
    return np.array([Counter(row).most_common(1)[0][0] for row in near.tolist()])


def cluster_agreement(labels: NDArray[np.int32], classes: NDArray[np.str_]) -> dict[str, Any]:
    """Compare clusters with classes; one giant cluster is shown for what it is.

    ``jaccard`` is the mean over clusters, weighted by size, of intersection over union with the
    class that fits best; ``purity`` the share of rows of their cluster's commonest class; the
    others are those of `gwmorph.morphology.partitions.agreement`.
    """
    table = contingency(labels, classes)
    sizes = table.sum(axis=1)
    shared = agreement(labels, classes)
    return {
        "clusters": len(table),
        "ari": shared["ari"],
        "ami": shared["ami"],
        "purity": float(table.max(axis=1).sum() / len(labels)),
        "largest_share": shared["largest_share"],
        "ari_without_largest": shared["ari_without_largest"],
        "jaccard": float((sizes * best_jaccards(table)).sum() / len(labels)),
    }
