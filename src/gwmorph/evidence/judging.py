"""What becomes of each window and event of a run, by its own labelled rows or by an atlas."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.evidence.reference import Classes, of_same_row, reference_table
from gwmorph.ledger import ANALYSED
from gwmorph.morphology.cluster_tables import columns_of_triggers
from gwmorph.morphology.clustering import MINIMUM_ROWS
from gwmorph.morphology.judgement import Judge
from gwmorph.morphology.manifest import EACH_CLASS
from gwmorph.morphology.separation import balanced_rows
from gwmorph.morphology.status import Judgement, decide, is_about_vectors
from gwmorph.morphology.thresholds import Limit
from gwmorph.simulation.streams import stream
from gwmorph.tables.calibration import STATUSES
from gwmorph.tables.embeddings import embedding_matrix


def clusters_as_classes(run: pa.Table, clusters: pa.Table, triggers: pa.Table) -> pa.Table:
    """Return the REFERENCE table of a run without labels: each row's class is its cluster.

    ``run``, ``clusters`` and ``triggers`` have rows of EMBEDDINGS, CLUSTERS (in the same order)
    and TRIGGERS. Outliers, which lie apart from their cluster, have no class, and neither has any
    row where there are too few to cluster.
    """
    numbers = clusters["cluster"].to_numpy().astype(str)
    apart = clusters["outlier"].to_numpy(zero_copy_only=False) | (len(clusters) < MINIMUM_ROWS)
    classes = np.where(apart, "", np.char.add("cluster ", numbers))
    shapes = columns_of_triggers(run, triggers, ["duration", "bandwidth"])
    return reference_table(run, classes, shapes)


# ASSUME: so many rows show what a run holds. Each row is compared with all of them, and with as
# many as there are rows, months would take a thousand times as long as days.
REFERENCE_ROWS = 50_000


def bounded(reference: pa.Table, promise: str, seed: int, rows: int = REFERENCE_ROWS) -> pa.Table:
    """Return the rows of REFERENCE that judge: all, or at most ``rows`` of them drawn at random.

    New rows of a class are as exchangeable with those drawn of it as with all, so limits promise
    the same. For a promise of each class, small classes stay whole and the largest lose most; for
    one of all rows together, ``OVERALL``, every row is as likely to be drawn.
    """
    if len(reference) <= rows:
        return reference
    if promise == EACH_CLASS:
        _, numbers = np.unique(classes_in(reference), return_inverse=True)
        return reference.take(balanced_rows(numbers, rows, seed))
    drawn = stream(seed, "rows of a reference").choice(len(reference), rows, replace=False)
    return reference.take(np.sort(drawn))


def classes_in(reference: pa.Table) -> Classes:
    """Return the class of each row of REFERENCE, str [n]."""
    return np.array(reference["label"].to_pylist(), dtype=str)


def judge_rows(
    run: pa.Table, reference: pa.Table, limits: Sequence[Limit], promise: str, neighbors: int
) -> Judgement:
    """Return what the vectors of rows of EMBEDDINGS say of them, each without itself.

    The others are as `morphology.judgement.judge` takes them, ``reference`` rows of REFERENCE.
    """
    return RowJudge.of(reference, limits, promise, neighbors).judge(run)


@dataclass(frozen=True)
class RowJudge:
    """What the rows of one view are judged by: rows of REFERENCE, and what is made of them."""

    reference: pa.Table
    by: Judge

    @classmethod
    def of(
        cls, reference: pa.Table, limits: Sequence[Limit], promise: str, neighbors: int
    ) -> "RowJudge":
        """Prepare to judge; arguments as of `judge_rows`."""
        vectors, classes = embedding_matrix(reference), classes_in(reference)
        return cls(reference, Judge(vectors, classes, limits, promise, neighbors))

    def judge(self, run: pa.Table) -> Judgement:
        """Return what the vectors of rows of EMBEDDINGS say of them, each without itself."""
        return self.by.of(embedding_matrix(run), of_same_row(run, self.reference))


def status_of_events(run: pa.Table, judgement: Judgement, agreeing: float) -> pa.Table:
    """Return the STATUSES table of events, rows of EMBEDDINGS: none is excluded or quiet."""
    return judged_events(run, judgement, agreeing).select(STATUSES.names).cast(STATUSES)


def judged_events(run: pa.Table, judgement: Judgement, agreeing: float) -> pa.Table:
    """Return the same with the column ``margin``, which `status.Judgement` explains."""
    never = np.zeros(len(run), bool)
    return _table(run, decide(never, never, judgement, agreeing), judgement, np.arange(len(run)))


def status_of_windows(
    planned: pa.Table,
    quiet: NDArray[np.bool_],
    run: pa.Table,
    judgement: Judgement,
    agreeing: float,
) -> pa.Table:
    """Return the STATUSES table of windows, one row for each that was planned.

    Parameters
    ----------
    planned
        Rows of LEDGER.
    quiet
        Which of them hold nothing, bool [n], from `quiet_of`.
    run, judgement
        Windows that became pictures, rows of EMBEDDINGS, and what their vectors say.
    """
    found = judged_windows(planned, quiet, run, judgement, agreeing)
    return found.select(STATUSES.names).cast(STATUSES)


def judged_windows(
    planned: pa.Table,
    quiet: NDArray[np.bool_],
    run: pa.Table,
    judgement: Judgement,
    agreeing: float,
) -> pa.Table:
    """Return the same with the column ``margin``, which `status.Judgement` explains."""
    place = {key: i for i, key in enumerate(_windows(run))}
    row = np.array([place.get(key, -1) for key in _windows(planned)], np.int64)
    excluded = np.array(planned["status"].to_pylist(), dtype=str) != ANALYSED
    # What is excluded has no vector: anything may stand in its place, since nobody reads it.
    padded = _taken(judgement, np.maximum(row, 0)) if len(run) else _taken_of_none(len(planned))
    statuses = decide(excluded | (row < 0), quiet, padded, agreeing)
    keys = pa.table(
        {
            "detector": planned["detector"],
            "gps_start": planned["gps_start"],
            "view": pa.array(["window"] * len(planned), pa.string()),
            "trigger_time": pa.nulls(len(planned), pa.float64()),
        }
    )
    return _table(keys, statuses, judgement, row)


def quiet_of(
    planned: pa.Table, triggers: pa.Table, scores: pa.Table | None, events_snr: float
) -> NDArray[np.bool_]:
    """Return which planned windows have no trigger of ``events_snr`` and no score above its limit.

    Parameters
    ----------
    planned, triggers
        Rows of LEDGER, and of TRIGGERS of the run.
    scores
        Rows of SCORES; None in a run without scores, where triggers alone count.
    """
    loud = set(_windows(triggers.filter(pc.greater_equal(triggers["snr"], events_snr))))
    if scores is not None:
        loud |= set(_windows(scores.filter(pc.greater(scores["score"], scores["limit"]))))
    return np.array([key not in loud for key in _windows(planned)], bool)


def _windows(table: pa.Table) -> list[tuple[str, int]]:
    columns = (table[name].to_pylist() for name in ("detector", "gps_start"))
    return list(zip(*columns, strict=True))


def _taken(judgement: Judgement, rows: NDArray[np.int64]) -> Judgement:
    return Judgement(*(values[rows] for values in vars(judgement).values()))


def _taken_of_none(count: int) -> Judgement:
    never, none = np.zeros(count, bool), np.zeros(count)
    return Judgement(never, none, none, none, np.full(count, ""), none, never)


def _table(
    keys: pa.Table, statuses: NDArray[np.str_], judgement: Judgement, row: NDArray[np.int64]
) -> pa.Table:
    """Return STATUSES and ``margin``.

    ``row`` says where in the judgement each row stands, −1 for nowhere.
    """
    asked = is_about_vectors(statuses)
    at = pa.array(row, mask=~asked)

    def column(values: NDArray) -> pa.Array:
        return pa.array(values).take(at)

    columns = {
        **{name: keys[name] for name in ("detector", "gps_start", "view", "trigger_time")},
        "status": [str(status) for status in statuses.tolist()],
        "named": column(judgement.named),
        "agreeing": column(judgement.agreeing),
        "similarity": column(judgement.similarity),
        "margin": column(judgement.margin),
        "p_value": column(judgement.p_value),
    }
    return pa.table(columns)
