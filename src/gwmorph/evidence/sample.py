"""The rows of a run that its clusters are judged on."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.errors import TableError
from gwmorph.evidence.intervals import blocks_of_time
from gwmorph.morphology.clustering import MINIMUM_ROWS
from gwmorph.simulation.streams import stream
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.keys import row_keys


@dataclass(frozen=True)
class Sample:
    """Some rows of one view, in the run's order.

    ``rows`` int64 [n], their numbers in the run; ``vectors`` float32 [n, d]; ``labels`` int32 [n],
    the run's clusters; ``blocks`` int64 [n], the stretch of a detector's time that each is in.
    """

    rows: NDArray[np.int64]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int32]
    blocks: NDArray[np.int64]


def drawn_rows(total: int, largest: int, seed: int) -> NDArray[np.int64]:
    """Return which of a view's ``total`` rows are looked at, in order: at most ``largest``.

    They are drawn evenly; equal seeds draw equal rows.

    Raises
    ------
    TableError
        There are fewer than 16 rows, which are not clustered.
    """
    if total < MINIMUM_ROWS:
        raise TableError(
            f"{total} rows are too few to judge clusters by: expected at least {MINIMUM_ROWS}. "
            "Analyse a longer span, or leave this view out of clustering.views."
        )
    if total <= largest:
        return np.arange(total)
    return np.sort(stream(seed, "validation sample").choice(total, largest, replace=False))


def draw_sample(
    embeddings: pa.Table, clusters: pa.Table, largest: int, block_s: int, seed: int
) -> Sample:
    """Return the rows of a run's view that `drawn_rows` draws, with their clusters.

    Parameters
    ----------
    embeddings, clusters
        Rows of EMBEDDINGS and CLUSTERS of the same windows or events, in the same order.
    block_s
        Length of the stretches of time, s.

    Raises
    ------
    TableError
        The two tables do not hold the same rows, or as `drawn_rows`.
    """
    if row_keys(embeddings) != row_keys(clusters):
        raise TableError(
            f"{len(embeddings)} vectors, but {len(clusters)} clustered rows, or others. Remove "
            "the run's clusters and run again."
        )
    rows = drawn_rows(len(embeddings), largest, seed)
    drawn = embeddings.take(pa.array(rows))
    return Sample(
        rows,
        embedding_matrix(drawn),
        clusters["cluster"].to_numpy()[rows],
        blocks_of_time(drawn, block_s),
    )
