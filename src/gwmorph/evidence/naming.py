"""What a run's rows and clusters are like, and how far the names can be trusted.

Names come from the nearest rows of a reference: another run's, or the run's own labelled rows,
each row without itself. Where classes of the run are known, names are scored: by the other
reference, or, where there is none, those of the later part of the run by the earlier one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.evidence.intervals import Bootstrap, blocks_of_time
from gwmorph.evidence.reference import (
    confusion_rows,
    labels_of_rows,
    named_by_columns,
    naming_rows,
    of_same_row,
    split_by_time,
    times_of,
)
from gwmorph.morphology.similarity import (
    UNKNOWN,
    Name,
    Neighborhoods,
    farthest_known,
    name_clusters,
    names_of_rows,
    nearest_in,
)
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.validation import NAMED_ROWS

VECTORS, COLUMNS = "vectors", "trigger columns"


@dataclass(frozen=True)
class Names:
    """What a run is named.

    Attributes
    ----------
    rows : NAMED_ROWS, one for each row of the run.
    clusters : the name of each cluster.
    """

    rows: pa.Table
    clusters: list[Name]


def name_run(
    run: pa.Table,
    labels: NDArray[np.int32],
    own: pa.Table,
    other: pa.Table | None,
    neighbors: int,
) -> Names:
    """Name the rows and clusters of a run.

    Parameters
    ----------
    run
        Rows of EMBEDDINGS of one view.
    labels
        Their clusters, int32 [n].
    own
        REFERENCE of the run's own rows whose class is known; it may have none.
    other
        REFERENCE of another run, or None.
    neighbors
        Nearest rows that name a row.

    With fewer than two labelled rows nothing has a name: how near is near is not known.
    """
    reference = own if other is None else other
    if len(reference) < 2:
        return _nameless(run, labels, own)
    classes = np.array(reference["label"].to_pylist(), dtype=str)
    vectors = embedding_matrix(reference)
    found = _without_itself(
        nearest_in(vectors, embedding_matrix(run), neighbors + 1),
        of_same_row(run, reference),
        min(neighbors, len(reference) - 1),
    )
    farthest = farthest_known(vectors)
    named = names_of_rows(found, classes, farthest)
    commonest = names_of_rows(found, classes, np.inf)
    agreeing = (classes[found.rows] == commonest[:, None]).mean(axis=1)
    return Names(
        _named_rows(run, own, named, agreeing, found),
        name_clusters(labels, found, classes, farthest),
    )


def _nameless(run: pa.Table, labels: NDArray[np.int32], own: pa.Table) -> Names:
    named, agreeing = np.full(len(run), UNKNOWN), np.zeros(len(run))
    nobody = Neighborhoods(np.zeros((len(run), 0), np.int64), np.full((len(run), 1), np.nan))
    rows = _named_rows(run, own, named, agreeing, nobody)
    clusters = [Name(UNKNOWN, agreeing=0, neighbors=0, unknown=1.0)] * len(np.unique(labels))
    return Names(rows, clusters)


def _named_rows(
    run: pa.Table,
    own: pa.Table,
    named: NDArray[np.str_],
    agreeing: NDArray[np.float64],
    found: Neighborhoods,
) -> pa.Table:
    columns = {name: run[name] for name in ("detector", "gps_start", "view", "trigger_time")}
    known = [word or None for word in labels_of_rows(run, own).tolist()]
    said = {
        "named": named.tolist(),
        "agreeing": agreeing,
        "neighbors": found.rows.tolist(),
        "distance": found.distances[:, 0],
        "label": known,
    }
    return pa.table({**columns, **said}, schema=NAMED_ROWS)


def _without_itself(found: Neighborhoods, itself: NDArray[np.int64], count: int) -> Neighborhoods:
    """Return the first ``count`` neighbours of each row that are another row."""
    other = found.rows != itself[:, None]
    # Stable, so that what is left keeps its order, and the row itself comes last.
    order = np.argsort(~other, axis=1, kind="stable")[:, :count]
    return Neighborhoods(
        np.take_along_axis(found.rows, order, 1), np.take_along_axis(found.distances, order, 1)
    )


def score_names(
    own: pa.Table,
    other: pa.Table | None,
    neighbors: int,
    gap_s: float,
    bootstrap: Bootstrap,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rows of NAMING and CONFUSION: how often rows of known class are named right.

    By another run's rows, or those of the later part of the run by the earlier one. None where no
    class can be scored.

    Parameters
    ----------
    own, other, neighbors
        As `name_run` takes them.
    gap_s
        Between the parts of the run, s.
    bootstrap
        Of the scores' intervals.
    """
    if len(own if other is None else other) < 2:
        return [], []
    if other is None:
        split = split_by_time(times_of(own), gap_s)
        reference, scored = own.take(pa.array(split.earlier)), own.take(pa.array(split.later))
    else:
        apart = np.flatnonzero(of_same_row(own, other) < 0)
        reference, scored = other, own.take(pa.array(apart))
    if not len(reference) or not len(scored):
        return [], []
    truth, classes = (np.array(t["label"].to_pylist(), dtype=str) for t in (scored, reference))
    near = nearest_in(embedding_matrix(reference), embedding_matrix(scored), neighbors)
    by_vectors = names_of_rows(near, classes, np.inf)
    by_columns = named_by_columns(reference, scored, neighbors)
    blocks = blocks_of_time(scored, bootstrap.block_s)
    rows = [
        row
        for features, named in ((VECTORS, by_vectors), (COLUMNS, by_columns))
        for row in naming_rows(features, named, truth, blocks, bootstrap.repeats, bootstrap.seed)
    ]
    return rows, confusion_rows(by_vectors, truth)
