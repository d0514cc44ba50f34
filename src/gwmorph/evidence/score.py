"""One score per window: how improbable is it that quiet noise looks like this?

A window has five parts: the energy of its loudest tile, the excess of energy in a box, the energy
along a track and along a chirp's, and the distance of its picture's vector from those of quiet
noise. Each is turned into the probability p that a quiet window reaches it: empirical,
(b + 1)/(n + 1) with b of n quiet windows at or above it, up to the largest twentieth of the quiet
values, and falling exponentially beyond. Tile energies, log-probabilities and log-likelihood
ratios have such tails by their nature; for the distance it is an assumption. So p never reaches a
floor, and a louder signal always has a higher score. The score is −log10 of the smallest p,
corrected for having looked at several parts.

A limit is set on the scores of quiet windows that nothing was learned from, so that a new quiet
window is as likely to pass it as the law of ranks says, whatever their number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.limits import limit_at
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.scores import QUIET, SCORES

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

MEASURED = ("tile_energy", "excess", "track", "chirp")
PARTS = (*MEASURED, "distance")
NEIGHBORS = 5
_TAIL = 20  # the largest 1/20 of the quiet values makes the tail
_FEWEST = 8
# Below this probability 1 − (1 − p)^m is m·p in double precision.
_SMALL = 12.0

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """How often quiet windows reach a value.

    ``quiet`` float64 [n] in rising order; beyond ``threshold`` the probability falls by e with
    every ``scale``.
    """

    quiet: Values
    threshold: float
    scale: float

    @classmethod
    def fit(cls, quiet: Values) -> "Tail":
        """Learn from the values of n quiet windows.

        Raises
        ------
        ConfigError
            There are too few values to know a tail.
        """
        if len(quiet) < _FEWEST:
            raise ConfigError(
                f"{len(quiet)} quiet windows are too few to know their tail: expected at least "
                f"{_FEWEST} (score.quiet_windows, injections.reference_windows)."
            )
        rising = np.sort(np.asarray(quiet, np.float64))
        beyond = rising[-max(len(rising) // _TAIL, 2) :]
        scale = float(np.sum(beyond - beyond[0]) / (len(beyond) - 1))
        # Where all are equal, any scale keeps the order of what is beyond them.
        return cls(rising, float(beyond[0]), scale or 1.0)

    def surprise(self, values: Values) -> Values:
        """Return −log10 of the probability that a quiet window reaches each value."""
        capped = np.minimum(values, self.threshold)
        reaching = len(self.quiet) - np.searchsorted(self.quiet, capped, side="left")
        body = np.log10((len(self.quiet) + 1) / (reaching + 1))
        return body + (values - capped) / self.scale / np.log(10)


def fit_tails(parts: Mapping[str, Values]) -> dict[str, Tail]:
    """Learn how often quiet windows reach each part, float64 [n] each; errors as `Tail.fit`."""
    return {name: Tail.fit(np.asarray(values, np.float64)) for name, values in parts.items()}


def surprises_of(tails: Mapping[str, Tail], parts: Mapping[str, Values]) -> dict[str, Values]:
    """Return −log10 of each part's probability in quiet noise."""
    return {name: tail.surprise(parts[name]) for name, tail in tails.items()}


def combine(surprises: Mapping[str, Values]) -> Values:
    """Return −log10 of the smallest probability, corrected for the number of parts m.

    With p the smallest, the corrected one is 1 − (1 − p)^m, as for independent parts; dependent
    ones make it too large, never too small.
    """
    count = len(surprises)
    largest = np.max(list(surprises.values()), axis=0)
    with np.errstate(divide="ignore"):  # p = 1 stays 1
        exact = -np.log10(-np.expm1(count * np.log1p(-(10.0**-largest))))
    return np.where(largest < _SMALL, exact, largest - np.log10(count)) + 0.0


def vector_distance(quiet: NDArray[np.float32], vectors: NDArray[np.float32]) -> Values:
    """Return each unit vector's mean cosine distance to the nearest five quiet ones."""
    distances, _ = _nearest(quiet).kneighbors(vectors)
    return distances.mean(axis=1).astype(np.float64)


def mutual_distance(quiet: NDArray[np.float32]) -> Values:
    """Return the same for the quiet vectors, each with itself left out."""
    distances, _ = _nearest(quiet).kneighbors()
    return distances.mean(axis=1).astype(np.float64)


def _nearest(quiet: NDArray[np.float32]) -> "NearestNeighbors":
    # Takes a second to import, and most jobs that know of scores measure no distance.
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=min(NEIGHBORS, len(quiet)), metric="cosine").fit(quiet)


@dataclass(frozen=True)
class QuietBackground:
    """What some quiet windows look like, and how others are scored against them.

    Attributes
    ----------
    tails
        One for each part.
    vectors
        Of their pictures, float32 [n, d].
    """

    tails: Mapping[str, Tail]
    vectors: NDArray[np.float32]

    @classmethod
    def learn(cls, quiet: pa.Table) -> "QuietBackground":
        """Learn from rows of QUIET; errors as `Tail.fit`."""
        vectors = embedding_matrix(quiet)
        return cls(fit_tails({**_measured(quiet), "distance": mutual_distance(vectors)}), vectors)

    def parts(self, windows: pa.Table) -> dict[str, Values]:
        """Return the parts of windows (columns of MEASUREMENTS and ``embedding``)."""
        vectors = embedding_matrix(windows)
        return {**_measured(windows), "distance": vector_distance(self.vectors, vectors)}

    def score(self, windows: pa.Table) -> Values:
        """Return the score of each of the same windows."""
        return combine(surprises_of(self.tails, self.parts(windows)))


def _measured(windows: pa.Table) -> dict[str, Values]:
    return {name: windows[name].to_numpy() for name in MEASURED}


def windows_of(detector: str, measured: pa.Table, embedded: pa.Table) -> pa.Table:
    """Return the rows of MEASUREMENTS of one detector in order of time, with their vectors.

    Raises
    ------
    TableError
        The two tables do not hold the same windows.
    """
    own, vectors = (
        table.filter(pc.equal(table["detector"], detector)).sort_by("gps_start")
        for table in (measured, embedded)
    )
    if own["gps_start"].to_pylist() != vectors["gps_start"].to_pylist():
        raise TableError(
            f"{detector}: {own.num_rows} measured windows, but {vectors.num_rows} embedded ones, "
            "or others. Remove the run's embeddings and run the workflow again."
        )
    return own.append_column("embedding", vectors["embedding"])


def read_quiet(path: Path | str, render_id: str, encoder_id: str) -> pa.Table:
    """Read a QUIET table whose windows were drawn and encoded as those that will be scored.

    Raises
    ------
    TableError
        The table is damaged, or its windows were drawn or encoded in another way.
    """
    quiet = read_table(path, QUIET)
    found = read_metadata(path)
    expected = {"gwmorph.render_id": render_id, "gwmorph.encoder_id": encoder_id}
    for key, value in expected.items():
        if found.get(key) != value:
            raise TableError(
                f"{path}: expected {key} = {value!r}, got {found.get(key)!r}. Quiet windows say "
                "nothing about windows that were made in another way: remove the table and run "
                "the workflow again."
            )
    return quiet


def halves(quiet: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the rows of QUIET that are learned from, and those that set the limit.

    Simulated windows that share a stretch of noise lie next to each other, and those of a run lie
    in random order: a new window is to the second half as the second half's are to each other.
    """
    middle = len(quiet) // 2
    return quiet.slice(0, middle), quiet.slice(middle)


def score_windows(windows: pa.Table, quiet: pa.Table, false_alarm_fraction: float) -> pa.Table:
    """Score the windows of one detector by what none of them was learned from.

    One half of the quiet windows is learned from, the other sets the limit. Where a window of the
    run is among the former, the halves change places.

    Parameters
    ----------
    windows
        Columns of MEASUREMENTS and ``embedding``.
    quiet
        From `read_quiet`.
    false_alarm_fraction
        Probability with which a new quiet window may exceed the limit.

    Returns
    -------
    Table of schema SCORES in order of time.

    Raises
    ------
    ConfigError
        There are too few quiet windows to learn from, or for so small a fraction.
    """
    first, second = halves(quiet)
    learned = pc.is_in(windows["gps_start"], first["gps_start"].drop_null())
    scored = [
        _scored(own, reference, calibration, false_alarm_fraction)
        for own, reference, calibration in (
            (windows.filter(pc.invert(learned)), first, second),
            (windows.filter(learned), second, first),
        )
        if len(own)
    ]
    return pa.concat_tables(scored or [SCORES.empty_table()]).sort_by("gps_start")


def _scored(
    windows: pa.Table, reference: pa.Table, calibration: pa.Table, false_alarm_fraction: float
) -> pa.Table:
    background = QuietBackground.learn(reference)
    limit = limit_at(background.score(calibration), false_alarm_fraction, "score.quiet_windows")
    parts = background.parts(windows)
    surprises = surprises_of(background.tails, parts)
    known = pa.concat_tables([reference, calibration])["gps_start"].drop_null()
    return (
        pa.table(
            {
                **{name: windows[name] for name in ("detector", "gps_start", "tile_snr")},
                **parts,
                **{f"surprise_{name}": values for name, values in surprises.items()},
                "score": combine(surprises),
                "limit": np.full(len(windows), limit),
                "quiet_windows": np.full(len(windows), len(calibration)),
                "quiet": pc.is_in(windows["gps_start"], known),
            }
        )
        .select(SCORES.names)
        .cast(SCORES)
    )
