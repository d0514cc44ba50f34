"""Labelled references: what a run's rows are known to be, and how well neighbours tell it.

A reference is made by the pipeline itself: the rows of a run whose class is known, from labels
that somebody else gave or from the truth about simulated strain. It says how its pictures were
drawn and encoded, and of which view they are: vectors that were made in another way are not
compared with it.

Scores are of the later part of a run by the earlier one, with a gap between them: rows at one time
are alike for other reasons than their class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import Size, View
from gwmorph.encoders.registry import may_have_made
from gwmorph.errors import TableError
from gwmorph.evidence.agreement import majority
from gwmorph.evidence.intervals import interval_rows
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.truth import classes_of
from gwmorph.labels import matching_triggers
from gwmorph.morphology.partitions import agreement, information
from gwmorph.morphology.similarity import UNKNOWN
from gwmorph.morphology.thresholds import QUIET
from gwmorph.tables.embeddings import embedding_matrix, of_width
from gwmorph.tables.keys import row_keys
from gwmorph.tables.parquet import read_metadata, read_table, require_metadata
from gwmorph.tables.validation import REFERENCE
from gwmorph.wording import counted

Classes = NDArray[np.str_]
_MADE_OTHERWISE = (
    "Its vectors were made in another way than this run's and say nothing of them: make a "
    "reference with the configuration of this run."
)


@dataclass(frozen=True)
class Split:
    """Rows of the earlier and of the later part: int64 [a] and [b]. The gap is in neither."""

    earlier: NDArray[np.int64]
    later: NDArray[np.int64]


def known_classes(
    run: pa.Table,
    view: View,
    triggers: pa.Table,
    window_s: int,
    labels: pa.Table | None,
    truth: pa.Table | None,
) -> Classes:
    """Return the class of each row by labels, or else by the truth, '' where none: str [n].

    By the truth, a window is ``QUIET`` where nothing was injected; labels say that of none.

    Parameters
    ----------
    run
        Rows of EMBEDDINGS of one view.
    triggers
        Rows of TRIGGERS of the run.
    window_s
        Length of a window, s.
    labels, truth
        Rows of LABELS, and of TRUTH.

    Raises
    ------
    TableError
        There are labels, but no row has one.
    """
    if labels is None:
        return _classes_by_truth(run, view, window_s, truth)
    if view == "window":
        names = np.array(labels["label"].to_pylist(), dtype=str)
        found = classes_in_windows(run, labels, names, window_s)
    else:
        found = labels_of_events(run, labels, triggers)
    if len(run) and (found == UNKNOWN).all():
        raise TableError(
            f"validation.similarity.labels: {counted(len(labels), 'label')}, none of them for one "
            f"of this run's {view}s, so there is nothing to name the others by. `gwmorph labels "
            "FILE RUN` says what becomes of each. Name labels of the run's detectors and span, "
            "or none, or another run's reference (validation.similarity.reference)."
        )
    return found


def _classes_by_truth(run: pa.Table, view: View, window_s: int, truth: pa.Table | None) -> Classes:
    if truth is None:
        return np.full(len(run), UNKNOWN)
    if view == "event":
        return classes_of(run, truth)
    names = np.array(truth["morphology"].to_pylist(), dtype=str)
    found = classes_in_windows(run, truth, names, window_s)
    return np.where(found == UNKNOWN, QUIET, found)


def labels_of_events(embeddings: pa.Table, labels: pa.Table, triggers: pa.Table) -> Classes:
    """Return the label that each event has, '' where it has none: str [n].

    Of several labels that mean one trigger the loudest counts.

    Parameters
    ----------
    embeddings
        Rows of EMBEDDINGS of events.
    labels, triggers
        Rows of LABELS and TRIGGERS; `labels.matching_triggers` says which trigger a label means.
    """
    keys = row_keys(triggers, "peak_time")
    order = np.argsort(labels["snr"].to_numpy(), kind="stable")
    meant = matching_triggers(labels, triggers)
    words = labels["label"].to_pylist()
    named = {keys[row]: words[i] for i in order.tolist() if (row := meant[i]) is not None}
    return np.array([named.get(key, UNKNOWN) for key in row_keys(embeddings)], dtype=str)


def classes_in_windows(
    embeddings: pa.Table, known: pa.Table, names: Classes, window_s: int
) -> Classes:
    """Return the class of the loudest known transient in each window, '' for none: str [n].

    Parameters
    ----------
    embeddings
        Rows of EMBEDDINGS of windows of ``window_s`` seconds.
    known
        Transients with ``detector``, ``gps_time`` and ``snr``; ``names`` are their classes.
    """
    detectors, starts = (np.array(embeddings[n].to_pylist()) for n in ("detector", "gps_start"))
    where = np.array(known["detector"].to_pylist())
    times, snr = known["gps_time"].to_numpy(), known["snr"].to_numpy()
    found = np.full(len(embeddings), UNKNOWN, dtype=names.dtype if len(names) else "U1")
    for name in np.unique(detectors):
        rows = np.flatnonzero(detectors == name)
        rows = rows[np.argsort(starts[rows], kind="stable")]
        own = np.flatnonzero(where == name)
        # The loudest last, so that it is what is left.
        for i in own[np.argsort(snr[own], kind="stable")].tolist():
            low, high = np.searchsorted(starts[rows], [times[i] - window_s, times[i]], "right")
            found[rows[low:high]] = names[i]
    return found


def reference_table(
    embeddings: pa.Table, classes: Classes, shapes: Mapping[str, NDArray[np.float64]]
) -> pa.Table:
    """Return the REFERENCE table of the rows of EMBEDDINGS whose class is known.

    ``shapes`` are ``duration`` and ``bandwidth`` of all rows, nan where they are not known.
    """
    known = np.flatnonzero(classes != UNKNOWN)
    rows = embeddings.take(pa.array(known))
    schema = of_width(REFERENCE, embeddings["embedding"].type.list_size)
    columns = {name: rows[name] for name in schema.names if name in rows.column_names}
    own = {name: pa.array(values[known], from_pandas=True) for name, values in shapes.items()}
    return pa.table({**columns, "label": classes[known].tolist(), **own}, schema=schema)


def trigger_columns_of(rows: pa.Table) -> NDArray[np.float64]:
    """Return logarithms of what is known of each row without a picture: float64 [n, 3 or 5].

    Frequency, Q and SNR of the loudest tile, and of events duration and bandwidth.
    """
    names = ["tile_frequency", "tile_q", "tile_snr"]
    if len(rows) and rows["duration"].null_count == 0:
        names += ["duration", "bandwidth"]
    values = [np.log(np.maximum(rows[name].to_numpy(), 1e-12)) for name in names]
    return np.column_stack(values)


def named_by_columns(reference: pa.Table, rows: pa.Table, count: int) -> Classes:
    """Return the commonest class of the nearest reference rows by trigger columns alone: str [n].

    Distances are Euclidean between logarithms over the reference's spread.
    """
    known, new = trigger_columns_of(reference), trigger_columns_of(rows)
    width = min(known.shape[1], new.shape[1])
    known, new = known[:, :width], new[:, :width]
    centre, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-12)
    search = NearestNeighbors(n_neighbors=min(count, len(known))).fit((known - centre) / spread)
    near = search.kneighbors((new - centre) / spread, return_distance=False)
    return majority(np.array(reference["label"].to_pylist())[near])


def check_reference(
    path: Path | str, render_id: str, encoder: EncoderConfig, size: Size, sha256: str | None
) -> None:
    """Raise unless a reference may be compared with a run whose pictures are not encoded yet.

    It takes a moment and finds before a run's first job what `read_reference` would find in one of
    its last.

    Parameters
    ----------
    path
        Table of REFERENCE.
    render_id
        How the run's pictures are drawn.
    encoder, size, sha256
        By what they will be encoded, as `encoders.registry.may_have_made` takes it.

    Raises
    ------
    TableError
        The file cannot be read, or its pictures were drawn or encoded in another way.
    """
    require_metadata(path, {"gwmorph.render_id": render_id}, _MADE_OTHERWISE)
    known = read_metadata(path).get("gwmorph.encoder_id", "")
    if not may_have_made(encoder, size, sha256, known):
        of_weights = f", weights {sha256}," if encoder.name in ("indomain", "autoencoder") else ""
        raise TableError(
            f"{path}: expected vectors of the encoder {encoder.name}{of_weights} of pictures of "
            f"{size[0]}x{size[1]}, got those of {known!r}. {_MADE_OTHERWISE}"
        )


def read_reference(path: Path | str, render_id: str, encoder_id: str, view: View) -> pa.Table:
    """Read a REFERENCE table whose vectors may be compared with a run's.

    Raises
    ------
    TableError
        The table is damaged or empty, or holds vectors that are not finite; or its pictures were
        drawn or encoded in another way, or are of the other view, and the error names both.
    """
    reference = read_table(path, REFERENCE)
    require_metadata(
        path,
        {"gwmorph.render_id": render_id, "gwmorph.encoder_id": encoder_id},
        _MADE_OTHERWISE,
    )
    finite = np.isfinite(embedding_matrix(reference)).all(axis=1)
    if not finite.all():
        raise TableError(
            f"{path}: {int((~finite).sum())} of {len(reference)} vectors hold values that are not "
            f"finite, the first in row {int(finite.argmin())}. Make the reference anew."
        )
    views = set(reference["view"].to_pylist())
    if views != {view}:
        raise TableError(
            f"{path}: expected views of {view}s, got {', '.join(sorted(views)) or 'no row'}. "
            "Name the reference of the same view."
        )
    return reference


def times_of(rows: pa.Table) -> NDArray[np.float64]:
    """Return the GPS time of each row [n]: of an event's trigger, of a window's start."""
    starts, triggers = rows["gps_start"].to_pylist(), rows["trigger_time"].to_pylist()
    times = [start if time is None else time for start, time in zip(starts, triggers, strict=True)]
    return np.array(times, dtype=float)


def split_by_time(times: NDArray[np.float64], gap_s: float) -> Split:
    """Return the earlier and the later half of rows by GPS time, ``gap_s`` seconds apart.

    Rows within half a gap of the median time are in neither part.
    """
    middle = float(np.median(times)) if len(times) else 0.0
    return Split(
        np.flatnonzero(times < middle - gap_s / 2), np.flatnonzero(times >= middle + gap_s / 2)
    )


def naming_rows(
    features: str,
    named: Classes,
    classes: Classes,
    blocks: NDArray[np.integer],
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``NAMING``: how often rows of known class are named right, and agreement.

    ``top1`` of all and of each class (Wilson intervals), ``precision`` of each name that is given,
    even if it is never right, and, over all rows, how far names agree with classes, by
    `partitions.agreement` (whose parts are the classes) and `partitions.information`
    (block-bootstrap intervals). A row without a name is wrong.

    Parameters
    ----------
    features
        What was compared.
    named, classes
        Name and class of each row, str [n].
    blocks
        Block of time of each row, [n]; ``repeats`` and ``seed`` of the draws.
    """
    right = named == classes
    rows = [_share(features, "top1", None, right)]
    for label in sorted({*classes.tolist(), *named.tolist()} - {UNKNOWN}):
        for figure, own in (("top1", classes == label), ("precision", named == label)):
            if own.any():
                rows.append(_share(features, figure, label, right[own]))
    if len(classes):
        whole = interval_rows(partial(_agreement_of, named, classes), blocks, repeats, seed)
        rows += [{"features": features, "label": None, **row} for row in whole]
    return rows


def _agreement_of(named: Classes, classes: Classes, rows: NDArray[np.int64]) -> dict[str, float]:
    return {
        **agreement(classes[rows], named[rows]),
        **information(named[rows], classes[rows]),
    }


def _share(
    features: str, figure: str, label: str | None, right: NDArray[np.bool_]
) -> dict[str, Any]:
    count, total = int(right.sum()), len(right)
    low, high = wilson(count, total) if total else (0.0, 1.0)
    value = count / total if total else float("nan")
    return {
        "features": features,
        "figure": figure,
        "label": label,
        "value": value,
        "low": low,
        "high": high,
        "rows": total,
    }


def confusion_rows(named: Classes, classes: Classes) -> list[dict[str, Any]]:
    """Return rows of ``CONFUSION``: how many rows of each class are given each name."""
    pairs, counts = np.unique(np.column_stack([classes, named]), axis=0, return_counts=True)
    return [
        {"label": label, "named": name, "rows": count}
        for (label, name), count in zip(pairs.tolist(), counts.tolist(), strict=True)
    ]


def labels_of_rows(embeddings: pa.Table, reference: pa.Table) -> Classes:
    """Return the class that each row of a run has in a reference, '' where none: str [n]."""
    words = np.array([*reference["label"].to_pylist(), UNKNOWN], dtype=str)
    return words[of_same_row(embeddings, reference)]


def of_same_row(embeddings: pa.Table, reference: pa.Table) -> NDArray[np.int64]:
    """Return which row of the reference each row of a run is itself, −1 where none: int64 [n]."""
    place = {key: i for i, key in enumerate(row_keys(reference))}
    return np.array([place.get(key, -1) for key in row_keys(embeddings)], dtype=np.int64)
