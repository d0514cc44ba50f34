"""One score per window: how improbable is it that quiet noise looks like this?

A window has five parts: the energy of its loudest tile, the excess of energy in a box, the energy
along a track and along a chirp's, and the distance of its picture's vector from those of quiet
noise. Each is turned into the probability p that a quiet window reaches it: empirical,
(b + 1)/(n + 1) with b of n quiet windows at or above it, up to the largest twentieth of the quiet
values, and falling exponentially beyond. Tile energies, log-probabilities and log-likelihood
ratios have such tails by their nature; for the distance it is an assumption. So p never reaches a
floor, and a louder signal always has a higher score. The score is −log10 of the smallest p,
corrected for having looked at several parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from gwmorph.errors import ConfigError, TableError
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.scores import QUIET, SCORES

MEASURED = ("tile_energy", "excess", "track", "chirp")
PARTS = (*MEASURED, "distance")
NEIGHBORS = 5
_TAIL = 20  # the largest 1/20 of the quiet values makes the tail
_FOLDS = 5
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


@dataclass(frozen=True)
class QuietBackground:
    """What quiet noise looks like, and with it the score of any window.

    Attributes
    ----------
    tails
        One for each part.
    scores
        Rising scores of the n quiet windows, float64 [n]: each from tails that were fitted
        without it.
    """

    tails: Mapping[str, Tail]
    scores: Values

    @classmethod
    def fit(cls, parts: Mapping[str, Values]) -> "QuietBackground":
        """Learn from the parts of quiet windows, float64 [n] each; errors as `Tail.fit`."""
        columns = {name: np.asarray(values, np.float64) for name, values in parts.items()}
        fold = np.arange(len(next(iter(columns.values())))) % _FOLDS
        scores = np.empty(len(fold))
        for number in range(_FOLDS):
            held = fold == number
            tails = {name: Tail.fit(values[~held]) for name, values in columns.items()}
            scores[held] = combine(
                {name: tail.surprise(columns[name][held]) for name, tail in tails.items()}
            )
        tails = {name: Tail.fit(values) for name, values in columns.items()}
        return cls(tails, np.sort(scores))

    def surprises(self, parts: Mapping[str, Values]) -> dict[str, Values]:
        """Return −log10 of each part's probability in quiet noise."""
        return {name: tail.surprise(parts[name]) for name, tail in self.tails.items()}

    def score(self, parts: Mapping[str, Values]) -> Values:
        """Return the score of each window from its parts, float64 [n] each."""
        return combine(self.surprises(parts))

    @property
    def resolution(self) -> float:
        """Smallest fraction of false alarms that can be asked for, 1/(n + 1)."""
        return 1 / (len(self.scores) + 1)

    def limit(self, false_alarm_fraction: float) -> float:
        """Return the score that a quiet window reaches with at most this probability.

        It is the k-th largest score of n quiet windows, k = ⌊fraction·(n + 1)⌋: another quiet
        window reaches it with probability k/(n + 1).

        Raises
        ------
        ConfigError
            The fraction is finer than the resolution, or not below 1.
        """
        count = int(false_alarm_fraction * (len(self.scores) + 1) + 1e-9)
        if not 1 <= count <= len(self.scores):
            raise ConfigError(
                f"score.false_alarm_fraction: expected a number from {self.resolution:.2g} to 1 "
                f"(the former is 1/(n + 1) for {len(self.scores)} quiet windows), got "
                f"{false_alarm_fraction:g}. Raise score.quiet_windows for a finer one."
            )
        return float(self.scores[-count])


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


def vector_distance(
    quiet: NDArray[np.float32], vectors: NDArray[np.float32], same: NDArray[np.intp]
) -> Values:
    """Return each unit vector's mean cosine distance to the nearest five quiet ones.

    ``same`` int [n] is each vector's own row among the quiet ones, which is left out, or −1.
    """
    index = NearestNeighbors(n_neighbors=NEIGHBORS + 1, metric="cosine").fit(quiet)
    distances, rows = index.kneighbors(vectors)
    others = np.argsort(rows == same[:, None], axis=1, kind="stable")[:, :NEIGHBORS]
    return np.take_along_axis(distances, others, axis=1).mean(axis=1).astype(np.float64)


def mutual_distance(quiet: NDArray[np.float32]) -> Values:
    """Return the same for the quiet vectors, each with itself left out."""
    index = NearestNeighbors(n_neighbors=NEIGHBORS, metric="cosine").fit(quiet)
    return index.kneighbors()[0].mean(axis=1).astype(np.float64)


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


def load_background(
    path: Path | str, render_id: str, encoder_id: str
) -> tuple[QuietBackground, pa.Table]:
    """Read a QUIET table; return what it says about quiet noise, and the table.

    Raises
    ------
    TableError
        The table is damaged, or its windows were drawn or encoded in another way.
    ConfigError
        It has too few windows.
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
    parts = {name: quiet[name].to_numpy() for name in MEASURED}
    distance = mutual_distance(embedding_matrix(quiet))
    return QuietBackground.fit({**parts, "distance": distance}), quiet


def score_windows(
    windows: pa.Table,
    background: QuietBackground,
    quiet: pa.Table,
    false_alarm_fraction: float,
) -> pa.Table:
    """Score the windows of one detector; a window is not its own quiet neighbour.

    Parameters
    ----------
    windows
        Columns of MEASUREMENTS and ``embedding``.
    background, quiet
        From `load_background`.
    false_alarm_fraction
        Fraction of quiet windows whose score may reach the limit.

    Returns
    -------
    Table of schema SCORES.

    Raises
    ------
    ConfigError
        The fraction is finer than the quiet windows resolve.
    """
    distance = _distances(windows, quiet) if len(windows) else np.empty(0)
    parts = {**{name: windows[name].to_numpy() for name in MEASURED}, "distance": distance}
    surprises = background.surprises(parts)
    return (
        pa.table(
            {
                **{name: windows[name] for name in ("detector", "gps_start", "tile_snr")},
                **parts,
                **{f"surprise_{name}": values for name, values in surprises.items()},
                "score": combine(surprises),
                "limit": np.full(len(distance), background.limit(false_alarm_fraction)),
                "quiet_windows": np.full(len(distance), len(quiet)),
            }
        )
        .select(SCORES.names)
        .cast(SCORES)
    )


def _distances(windows: pa.Table, quiet: pa.Table) -> Values:
    rows = {start: row for row, start in enumerate(quiet["gps_start"].to_pylist())}
    same = np.array([rows.get(start, -1) for start in windows["gps_start"].to_pylist()])
    return vector_distance(embedding_matrix(quiet), embedding_matrix(windows), same)
