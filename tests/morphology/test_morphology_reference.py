"""What is said of vectors that never change, against values that were written down.

Not where UMAP puts them, which differs between processors. Whoever changes one on purpose measures
anew what README and docs say of clusters.
"""

import numpy as np
import pytest
from planted import blobs, cloud, components

from gwmorph.config import ClusteringConfig
from gwmorph.morphology import clustering
from gwmorph.morphology.components import Components
from gwmorph.morphology.layout import (
    membership_graph,
    nearest_neighbors,
    neighborhood,
)
from gwmorph.morphology.methods import communities_of
from gwmorph.morphology.separation import (
    balanced_rows,
    islands,
    isolation,
    joining_level,
    joins,
    links,
    null_levels,
    outlyingness,
    pair_null,
    typical_distance,
)
from reference import SINGLE, check

SETS = {
    "blobs": blobs((120, 60, 25, 8), 0.9)[0],
    "cloud": cloud(240, 0.6, 2),
    "few": blobs((14, 9), 0.6)[0],
}


@pytest.fixture(scope="module", params=SETS)
def points(request):
    return Components.fit(SETS[request.param], 50, 0.25).of(SETS[request.param])


def test_components(num_regression):
    rows = []
    for vectors in SETS.values():
        for count, power in ((2, 0.0), (20, 0.25), (50, 1.0)):
            coordinates = components(vectors, count)
            model = Components.fit(vectors, count, power)
            weighted = model.of(vectors)
            rows.append(
                [
                    coordinates.shape[1],
                    model.explained.sum(),
                    np.abs(coordinates).sum(),
                    np.abs(weighted).sum(),
                    np.abs(weighted[:, -1]).sum(),
                ]
            )
    check(num_regression, ("components", "explained", "all", "weighted", "last"), rows, SINGLE)


def test_sizes_that_follow_the_number_of_rows(num_regression):
    rows = [
        [count, links(count), neighborhood(count, 30), neighborhood(count, 500)]
        for count in (5, 16, 100, 239, 240, 1000, 1300, 5000, 100_000)
    ]
    check(num_regression, ("rows", "links", "near", "far"), rows)


def test_graph_and_communities(num_regression, points):
    neighbors = nearest_neighbors(points, 12)
    graph = membership_graph(points, neighbors.nearest(8))
    rows = []
    for resolution in (0.5, 1.0, 2.0, 4.0):
        labels = communities_of(graph, resolution, 3)
        indices = neighbors.nearest(links(len(points))).indices
        levels = [level for level, _, _ in joins(indices, labels)]
        finite = [level for level in levels if np.isfinite(level)]
        cut = islands(indices, np.zeros_like(labels), labels, 0.2)
        rows.append(
            [
                labels.max(),
                np.sum(np.bincount(labels) ** 2),
                graph.sum(),
                sum(finite),
                min(joining_level(indices, labels), 99),
                len(cut),
            ]
        )
    names = ("communities", "squares", "weights", "levels", "joined", "islands")
    check(num_regression, names, rows, SINGLE)


def test_what_lies_out(num_regression, points):
    neighbors = nearest_neighbors(points, 12)
    labels = (points[:, 0] > np.median(points[:, 0])).astype(int)
    typical = typical_distance(neighbors, labels, 2)
    out, alone = outlyingness(neighbors, neighbors), isolation(neighbors, labels, typical)
    limits = clustering._OutlierLimits.of_clouds(points, 5)
    apart = limits.apart(neighbors, labels, neighbors, labels)
    rows = [[values.mean(), values.std(), values.max()] for values in (out, alone, apart)]
    rows.append([limits.outlyingness, limits.isolation, (apart > 1).sum()])
    check(num_regression, ("mean", "spread", "largest"), rows, SINGLE)


def test_nulls(num_regression, points):
    null = null_levels(points, 6, 4)
    first = points[:, 0] > np.quantile(points[:, 0], 0.7)
    overlap, p_value = pair_null(points, first, 19, np.random.default_rng(2))
    levels = np.sort(null.levels)
    rows = [
        [len(levels), levels.sum(), null.level, null.joined, null.cut],
        [overlap, p_value, clustering._support(ClusteringConfig().separation), 0, 0],
    ]
    check(num_regression, tuple("abcde"), rows, SINGLE)


def test_balanced_rows(num_regression):
    labels = np.repeat(np.arange(4), [200, 60, 12, 3])
    rows = [
        [largest, len(kept), kept.sum(), *np.bincount(labels[kept], minlength=4)]
        for largest in (2, 5, 50, 150, 400)
        for kept in [balanced_rows(labels, largest, 7)]
    ]
    check(num_regression, ("largest", "rows", "sum", *"abcd"), rows)
