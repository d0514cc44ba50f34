"""Which rows are unlike the others, and what would be noticed if it were new.

A mixture of Gaussians is fitted to some rows; other rows say how low its density is for what is
like them, and again others are judged by that. In the principal components, where nothing has been
pulled anywhere: UMAP can put what it has not seen among what it has. The density in UMAP's space
stands beside it for comparison.

How much either notices is measured: all rows of one kind are kept away from the mixture and from
those that it is calibrated on, and then judged.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gwmorph.config import ClusteringConfig
from gwmorph.evidence.intervals import interval_rows
from gwmorph.evidence.recall import wilson
from gwmorph.morphology.clustering import MINIMUM_ROWS
from gwmorph.morphology.layout import lay_out, neighborhood, without_umap
from gwmorph.morphology.methods import mixture
from gwmorph.morphology.placing import place
from gwmorph.progress import each
from gwmorph.simulation.streams import stream

COMPONENTS, UMAP = "principal components", "UMAP space"
SPACES = (COMPONENTS, UMAP)
# Rows in turn fitted, calibrated on and judged.
_PARTS = 3
# Fewer rows of a kind say little of how many would be noticed.
FEWEST_OF_A_KIND = 10
# Each costs a layout.
_MOST_KINDS = 20

PValues = dict[str, NDArray[np.float64]]


def log_densities(
    vectors: NDArray[np.float32],
    fitted: NDArray[np.int64],
    parameters: ClusteringConfig,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the log density of vectors float32 [n, d] by each of `SPACES`: float64 [n].

    The mixture of the clustering, fitted to the rows ``fitted`` int64 [m] in the first principal
    components, as many as UMAP's space has dimensions, and in that space, where the other rows are
    placed by their nearest among the fitted ones (`morphology.placing`).
    """
    layout = lay_out(vectors[fitted], parameters, seed)
    flat = without_umap(layout)
    others = neighborhood(len(fitted), parameters.umap.neighbors) - 1
    places = {
        COMPONENTS: layout.model.of(vectors)[:, : flat.space.shape[1]].astype(np.float64),
        UMAP: place(layout, vectors, fitted, others).space,
    }
    return {
        name: mixture(made, parameters, seed).log_density(places[name])
        for name, made in ((COMPONENTS, flat), (UMAP, layout))
    }


def p_values(calibration: NDArray[np.float64], judged: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (b + 1)/(m + 1) for each value: b of m calibration values are as low, float64 [n].

    Phipson & Smyth 2010, arXiv:1603.05766: of values like those of the calibration no more than a
    share α has p ≤ α, on average over calibrations.
    """
    below = np.searchsorted(np.sort(calibration), judged, side="right")
    return (below + 1) / (len(calibration) + 1)


def row_p_values(
    vectors: NDArray[np.float32],
    blocks: NDArray[np.integer],
    parameters: ClusteringConfig,
    seed: int,
    draws_seed: int,
) -> PValues:
    """Return how rare each row is among the others, by each of `SPACES`: float64 [n].

    Blocks of time are dealt into three parts; each row is judged by a mixture that is fitted to
    the next part, calibrated on the one after. All nan where a part has fewer than 16 rows.

    Parameters
    ----------
    vectors, blocks
        Unit vectors float32 [n, d], and the block of time of each, [n].
    parameters, seed
        Of the run's clustering.
    draws_seed
        Of the parts.
    """
    found = {name: np.full(len(vectors), np.nan) for name in SPACES}
    parts = _parts(blocks, _PARTS, draws_seed)
    if not _enough(parts):
        return found
    for turn in range(_PARTS):
        judged, fitted, calibrated = parts[turn:] + parts[:turn]
        rows = np.concatenate([fitted, calibrated, judged])
        for name, density in _densities_of(vectors, rows, len(fitted), parameters, seed).items():
            _, low, own = np.split(density, np.cumsum([len(fitted), len(calibrated)]))
            found[name][judged] = p_values(low, own)
    return found


def left_out_rows(
    vectors: NDArray[np.float32],
    blocks: NDArray[np.integer],
    kinds: NDArray[np.str_],
    rate: float,
    parameters: ClusteringConfig,
    seeds: tuple[int, int],
) -> list[dict[str, Any]]:
    """Return rows of ``NOTICED``: how many rows of each kind have p ≤ ``rate`` when it is new.

    Kinds of 10 rows and more, the twenty commonest, in order of name; Wilson's intervals.

    Parameters
    ----------
    vectors, blocks
        Unit vectors float32 [n, d], and the block of time of each, [n].
    kinds
        Class or cluster of each row, str [n], '' where it is not known.
    rate
        Share of rows of known kinds that are called anomalous.
    parameters, seeds
        Of the run's clustering; its seed, and that of the parts.
    """
    rows = []
    named = _kinds(kinds)
    for kind in each(named, "kinds left out", len(named)):
        for name, rare in _p_values_of_kind(vectors, blocks, kinds == kind, parameters, seeds):
            low, high = wilson(int((rare <= rate).sum()), len(rare))
            share = float(np.mean(rare <= rate))
            about = {"space": name, "left_out": kind}
            rows.append({**about, "value": share, "low": low, "high": high, "rows": len(rare)})
    return rows


def judged(found: PValues) -> bool:
    """Return whether rows were judged: all are, or, of too few, none."""
    return all(np.isfinite(rare).all() for rare in found.values())


def achieved_rows(
    found: PValues, blocks: NDArray[np.integer], rate: float, repeats: int, seed: int
) -> list[dict[str, Any]]:
    """Return rows of ``NOTICED`` for nothing left out: the share of all rows with p ≤ ``rate``.

    With block-bootstrap intervals; none where no row was judged.
    """
    rows = []
    for name, rare in found.items() if judged(found) else ():
        (row,) = interval_rows(partial(_share, rare <= rate), blocks, repeats, seed)
        del row["figure"]
        rows.append({"space": name, "left_out": None, **row})
    return rows


def _share(rare: NDArray[np.bool_], rows: NDArray[np.int64]) -> dict[str, float]:
    return {"share": float(rare[rows].mean())}


def cluster_rows(labels: NDArray[np.int32], found: PValues, rate: float) -> list[dict[str, Any]]:
    """Return rows of ``ANOMALOUS_CLUSTERS``: how many members are anomalous, cluster by cluster.

    ``labels`` int32 [n]. A cluster is flagged where more than half of its members have
    p ≤ ``rate`` in the principal components; where no row was judged nothing is known of any.
    """
    rows = []
    for label in np.unique(labels).tolist():
        own = labels == label
        row = {"cluster": label, "members": int(own.sum())}
        if judged(found):
            counts = {name: int((rare[own] <= rate).sum()) for name, rare in found.items()}
            row["anomalous"], row["anomalous_umap"] = counts[COMPONENTS], counts[UMAP]
            row["flagged"] = 2 * counts[COMPONENTS] > row["members"]
        rows.append(row)
    return rows


def _p_values_of_kind(
    vectors: NDArray[np.float32],
    blocks: NDArray[np.integer],
    own: NDArray[np.bool_],
    parameters: ClusteringConfig,
    seeds: tuple[int, int],
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield p-values of the rows of a kind by each of `SPACES`, from a mixture without them."""
    others = np.flatnonzero(~own)
    parts = [others[part] for part in _parts(blocks[others], 2, seeds[1])]
    if not _enough(parts):
        return
    rows = np.concatenate([*parts, np.flatnonzero(own)])
    fitted = len(parts[0])
    for name, density in _densities_of(vectors, rows, fitted, parameters, seeds[0]).items():
        yield name, p_values(density[fitted : len(others)], density[len(others) :])


def _densities_of(
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    fitted: int,
    parameters: ClusteringConfig,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the log densities of some rows under what the first of them are fitted by."""
    with threadpool_limits(limits=1):
        return log_densities(vectors[rows], np.arange(fitted), parameters, seed)


def _parts(blocks: NDArray[np.integer], count: int, seed: int) -> list[NDArray[np.int64]]:
    """Deal blocks of time into parts of about as many rows; return the rows of each."""
    names, numbers = np.unique(blocks, return_inverse=True)
    turns = stream(seed, "parts of anomaly").permutation(len(names))[numbers]
    part_of_turn = (np.cumsum(np.bincount(turns)) - 1) * count // max(len(blocks), 1)
    parts = part_of_turn[turns]
    return [np.flatnonzero(parts == part) for part in range(count)]


def _enough(parts: list[NDArray[np.int64]]) -> bool:
    return min(len(part) for part in parts) >= MINIMUM_ROWS


def _kinds(kinds: NDArray[np.str_]) -> list[str]:
    """Return the names of kinds that are left out in turn, at most twenty."""
    names, counts = np.unique(kinds[kinds != ""], return_counts=True)
    enough = names[counts >= FEWEST_OF_A_KIND]
    commonest = enough[np.argsort(-counts[counts >= FEWEST_OF_A_KIND], kind="stable")]
    return sorted(commonest[:_MOST_KINDS].tolist())
