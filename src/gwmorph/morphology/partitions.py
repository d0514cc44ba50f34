"""How far two partitions of the same rows agree, cluster by cluster and as a whole."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    homogeneity_completeness_v_measure,
)

# A cluster whose best counterpart has less of it in common is gone (Hennig 2007,
# doi:10.1016/j.csda.2006.11.025, section 3: "dissolved").
DISSOLVED = 0.5
FIGURES = ("ari", "ami", "macro_jaccard", "largest_share", "ari_without_largest")
INFORMATION = ("homogeneity", "completeness", "v_measure", "nmi")

Partition = NDArray[np.generic]


def contingency(one: Partition, other: Partition) -> NDArray[np.int64]:
    """Return how many rows each pair of parts shares: int64 [K, L], parts in order of names."""
    rows, columns = (np.unique(each, return_inverse=True)[1] for each in (one, other))
    table = np.zeros((rows.max(initial=-1) + 1, columns.max(initial=-1) + 1), np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def best_jaccards(table: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the intersection over union of each row's part with the best one: float64 [K].

    ``table`` is a `contingency`.
    """
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    return (table / union).max(axis=1, initial=0)


def agreement(one: Partition, other: Partition) -> dict[str, float]:
    """Compare two partitions of n rows, [n] each; one giant part cannot pass for agreement.

    ``ari`` and ``ami`` are adjusted for chance (Hubert & Arabie 1985; Vinh et al. 2010);
    ``macro_jaccard`` is the mean of `best_jaccards` over the parts of ``one``, small ones counting
    as much as large ones; ``largest_share`` is the share of rows in the largest part of ``one``;
    ``ari_without_largest`` leaves the rows of that part out. It is nan where fewer than two parts
    are left, and so are ``ari`` and ``ami`` of two partitions of one part each: nothing is told
    apart there that could agree.
    """
    table = contingency(one, other)
    sizes = table.sum(axis=1)
    largest = np.unique(one)[sizes.argmax()]
    rest = one != largest
    told_apart = table.size > 1
    return {
        "ari": float(adjusted_rand_score(one, other)) if told_apart else float("nan"),
        "ami": float(adjusted_mutual_info_score(one, other)) if told_apart else float("nan"),
        "macro_jaccard": float(best_jaccards(table).mean()),
        "largest_share": float(sizes.max() / sizes.sum()),
        "ari_without_largest": (
            float(adjusted_rand_score(one[rest], other[rest])) if len(sizes) > 2 else float("nan")
        ),
    }


def information(parts: Partition, classes: Partition) -> dict[str, float]:
    """Return how much parts [n] say of classes [n], and classes of them; not adjusted for chance.

    ``homogeneity`` is 1 where each part holds one class, ``completeness`` where each class lies in
    one part; ``v_measure`` is their harmonic mean (Rosenberg & Hirschberg 2007, ACL D07-1043).
    ``nmi``, mutual information over the arithmetic mean of both entropies, is the same number.
    """
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(classes, parts)
    found = (homogeneity, completeness, v_measure, v_measure)
    return dict(zip(INFORMATION, map(float, found), strict=True))
