"""Whether a run's rows are still as like the reference as the reference's own rows are.

A row's similarity is its best cosine to a labelled row; the reference's own are taken without
themselves. The distance of the two distributions is Kolmogorov and Smirnov's. How large it may be
by chance is found by exchanging whole stretches of time between the two, since rows of one stretch
are alike.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.evidence.intervals import FEWEST_BLOCKS, blocks_of_time
from gwmorph.evidence.reference import of_same_row
from gwmorph.morphology.thresholds import ANY, class_scores, left_out_scores
from gwmorph.simulation.streams import stream
from gwmorph.tables.embeddings import embedding_matrix

# Of the same order as the smallest p-value that a limit on it may ask for.
_EXCHANGES = 999


def drift_row(
    then: NDArray[np.float64],
    now: NDArray[np.float64],
    blocks_then: NDArray[np.integer],
    blocks_now: NDArray[np.integer],
    largest_p: float,
    seed: int,
) -> Mapping[str, Any]:
    """Return the row of ``DRIFT``.

    Parameters
    ----------
    then, now
        Best cosines of the reference's rows [a], each without itself, and of the run's [b].
    blocks_then, blocks_now
        Block of time of each, [a] and [b].
    largest_p
        p-value at which limits are to be made anew.
    seed
        Of the exchanges.

    Returns
    -------
    ``p_value`` is (b + 1)/(m + 1) of 999 exchanges, nan where either has fewer than 5 blocks; then
    nothing is known, and nothing is recommended.
    """
    _, one = np.unique(blocks_then, return_inverse=True)
    _, other = np.unique(blocks_now, return_inverse=True)
    counts = [int(part.max(initial=-1)) + 1 for part in (one, other)]
    both = np.concatenate([then, now])
    place = np.concatenate([one, other + counts[0]])
    is_then = np.arange(sum(counts)) < counts[0]
    found = float("nan")
    distance = _distance(both, is_then[place]) if len(then) and len(now) else float("nan")
    if min(counts) >= FEWEST_BLOCKS:
        drawn = stream(seed, "exchanges of blocks")
        reached = sum(
            _distance(both, drawn.permutation(is_then)[place]) >= distance
            for _ in range(_EXCHANGES)
        )
        found = (reached + 1) / (_EXCHANGES + 1)
    return {
        "then_rows": len(then),
        "now_rows": len(now),
        "then_median": float(np.median(then)) if len(then) else float("nan"),
        "now_median": float(np.median(now)) if len(now) else float("nan"),
        "distance": distance,
        "p_value": found,
        "recalibrate": bool(found <= largest_p),
    }


def drift_of_run(
    reference: pa.Table, run: pa.Table, block_s: int, largest_p: float, seed: int
) -> Mapping[str, Any]:
    """Return the row of ``DRIFT`` of a run.

    ``reference`` and ``run`` have rows of REFERENCE and EMBEDDINGS; stretches of time are of
    ``block_s`` seconds, the others as `drift_row` takes them.
    """
    vectors = embedding_matrix(reference)
    classes = np.full(len(vectors), ANY)
    if not len(vectors):
        return drift_row(
            np.zeros(0), np.zeros(0), np.zeros(0, int), np.zeros(0, int), largest_p, seed
        )
    now = class_scores(vectors, classes, embedding_matrix(run), of_same_row(run, reference))
    return drift_row(
        left_out_scores(vectors, classes).of(ANY),
        now.of(ANY),
        blocks_of_time(reference, block_s),
        blocks_of_time(run, block_s),
        largest_p,
        seed,
    )


def _distance(values: NDArray[np.float64], first: NDArray[np.bool_]) -> float:
    """Return the largest difference of the two distribution functions."""
    order = np.argsort(values, kind="stable")
    rising, is_first = values[order], first[order]
    ends = np.append(rising[1:] != rising[:-1], True)
    one = np.cumsum(is_first)[ends] / max(int(is_first.sum()), 1)
    other = np.cumsum(~is_first)[ends] / max(int((~is_first).sum()), 1)
    return float(np.abs(one - other).max())
