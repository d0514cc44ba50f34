"""One score per window: how improbable is it that quiet noise looks like this?

A window has five parts: the energy of its loudest tile, the excess of energy in a box, the energy
along a track and along a chirp's, and the distance of its picture's vector from those of quiet
noise. Each is turned into the probability p that a quiet window reaches it: empirical,
(b + 1)/(n + 1) with b of n quiet windows at or above it, up to the largest twentieth of the quiet
values, and falling exponentially beyond. Tile energies, log-probabilities and log-likelihood
ratios have such tails by their nature; for the distance it is an assumption. So p never reaches a
floor, and a louder signal always has a higher score. The score is −log10 of the smallest p,
corrected for having looked at several parts.

Limits compare scores that were learned without the windows they belong to: twenty times a part of
the quiet windows is left out, scored by what the others teach, and compared with the new window's
score by the same others.
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
from gwmorph.evidence.limits import fold_limits, limit_at, limit_rank
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_table, require_metadata
from gwmorph.tables.scores import QUIET, SCORES

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

MEASURED = ("tile_energy", "excess", "track", "chirp")
PARTS = (*MEASURED, "distance")
NEIGHBORS = 5
_TAIL = 20  # the largest 1/20 of the quiet values makes the tail
_FEWEST = 8
_FOLDS = 20
_KEY = "score.quiet_windows"
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
    if not len(vectors):
        return np.zeros(0)
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

    def judge(self, windows: pa.Table) -> pa.Table:
        """Return windows' parts, surprises and score, float64 columns as in SCORES."""
        parts = self.parts(windows)
        surprises = surprises_of(self.tails, parts)
        named = {f"surprise_{name}": values for name, values in surprises.items()}
        return pa.table({**parts, **named, "score": combine(surprises)})


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
    require_metadata(
        path,
        {"gwmorph.render_id": render_id, "gwmorph.encoder_id": encoder_id},
        "Quiet windows say nothing about windows that were made in another way: remove the table "
        "and run the workflow again.",
    )
    return quiet


@dataclass(frozen=True)
class _Folds:
    """Quiet windows in parts, each with what was learned without it.

    ``number`` int64 [n], the part of each window; ``backgrounds``, one for each part, from the
    windows outside of it; ``judged``, from `QuietBackground.judge`, each window by its part's
    background; ``vectors`` float32 [n, d].
    """

    number: NDArray[np.int64]
    backgrounds: list[QuietBackground]
    judged: pa.Table
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, quiet: pa.Table) -> "_Folds":
        rows = np.arange(len(quiet))
        parts = np.array_split(rows, min(_FOLDS, len(rows)))
        backgrounds = [QuietBackground.learn(quiet.take(np.delete(rows, p))) for p in parts]
        judged = [
            one.judge(quiet.take(part)) for one, part in zip(backgrounds, parts, strict=True)
        ]
        number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return cls(number, backgrounds, pa.concat_tables(judged), embedding_matrix(quiet))

    @property
    def held_out(self) -> Values:
        """Each window's score by its own part's background, float64 [n]."""
        return self.judged["score"].to_numpy()

    def scores(self, windows: pa.Table) -> Values:
        """Return the score of new windows by each background: float64 [m, K]."""
        measured = _measured(windows)
        away = self._distances(embedding_matrix(windows))
        scores = [
            combine(surprises_of(one.tails, {**measured, "distance": away[:, part]}))
            for part, one in enumerate(self.backgrounds)
        ]
        return np.column_stack(scores)

    def _distances(self, vectors: NDArray[np.float32]) -> Values:
        """Return the same as each background's `vector_distance`, in one search: [m, K]."""
        if not len(vectors):
            return np.zeros((0, len(self.backgrounds)))
        largest = int(np.bincount(self.number).max())
        enough = min(NEIGHBORS + largest, len(self.vectors))
        distances, rows = _nearest(self.vectors).kneighbors(vectors, enough)
        found = []
        for part in range(len(self.backgrounds)):
            outside = self.number[rows] != part
            counted = outside & (outside.cumsum(axis=1) <= NEIGHBORS)
            found.append((distances * counted).sum(axis=1) / counted.sum(axis=1))
        return np.column_stack(found)


@dataclass(frozen=True)
class Scorer:
    """What the windows of one detector are scored by; it is learned once for many windows.

    Attributes
    ----------
    quiet : its quiet windows, rows of QUIET.
    background : what all of them teach, by which new windows are scored.
    limit : of the quiet windows of a run, which are scored by those outside of their part.
    """

    quiet: pa.Table
    background: QuietBackground
    limit: float
    _folds: _Folds
    _rank: int

    @classmethod
    def learn(cls, quiet: pa.Table, false_alarm_fraction: float) -> "Scorer":
        """Learn from quiet windows; arguments and errors as of `score_windows`."""
        rank = limit_rank(len(quiet), false_alarm_fraction, _KEY)
        folds = _Folds.of(quiet)
        limit = limit_at(folds.held_out, false_alarm_fraction, _KEY)
        return cls(quiet, QuietBackground.learn(quiet), limit, folds, rank)

    def of(self, windows: pa.Table) -> pa.Table:
        """Return the SCORES table of windows, in order of time; see `score_windows`."""
        starts = self.quiet["gps_start"].combine_chunks()
        place = pc.index_in(windows["gps_start"], value_set=starts)
        new, known = (windows.filter(those(place)) for those in (pc.is_null, pc.is_valid))
        judged = self.background.judge(new)
        folds = self._folds
        limits = fold_limits(
            judged["score"].to_numpy(), folds.scores(new), folds.held_out, folds.number, self._rank
        )
        again = folds.judged.take(place.drop_null())
        count = len(self.quiet)
        tables = [
            _scores(new, judged, limits, count, is_quiet=False),
            _scores(known, again, np.full(len(known), self.limit), count, is_quiet=True),
        ]
        return pa.concat_tables(tables).sort_by("gps_start")


def score_windows(windows: pa.Table, quiet: pa.Table, false_alarm_fraction: float) -> pa.Table:
    """Score the windows of one detector, each by quiet windows that it is not among.

    New ones are scored by all quiet windows, and their limits are `fold_limits`. A quiet window
    of the run is scored by those outside of its part; its limit is the k-th largest of all such
    scores, which k − 1 of them exceed.

    Parameters
    ----------
    windows
        Columns of MEASUREMENTS and ``embedding``.
    quiet
        From `read_quiet`. Simulated windows that share a stretch of noise lie next to each other,
        as the windows of a part do, and those of a run lie in random order.
    false_alarm_fraction
        Probability with which a new quiet window may exceed its limit.

    Returns
    -------
    Table of schema SCORES in order of time.

    Raises
    ------
    ConfigError
        There are too few quiet windows to learn from, or for so small a fraction.
    """
    return Scorer.learn(quiet, false_alarm_fraction).of(windows)


def _scores(
    windows: pa.Table, judged: pa.Table, limits: Values, quiet_windows: int, *, is_quiet: bool
) -> pa.Table:
    columns = {
        **{name: windows[name] for name in ("detector", "gps_start", "tile_snr")},
        **dict(zip(judged.column_names, judged.columns, strict=True)),
        "limit": limits,
        "quiet_windows": np.full(len(windows), quiet_windows),
        "quiet": np.full(len(windows), is_quiet),
    }
    return pa.table(columns).select(SCORES.names).cast(SCORES)
