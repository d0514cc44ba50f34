"""How like a chirp an event is: by its track in the picture, and by the reference's chirps.

To lowest order a binary has the frequency f at the time τ₂₅·(f/25 Hz)^(−8/3) before its merger
(Peters 1964, doi 10.1103/PhysRev.136.B1224; `spectra.chirps`). In each crop of an event's picture
four sums are taken of what is bright: along the best such track, along the best one that runs
backwards in time, in the best columns (a moment at all frequencies) and in the best rows (a line).
Glitches have as much along a track turned round, in a moment or in a line; chirps have not. The
logistic regression of the sums' logarithms was fitted to simulated views of the population
(`benchmarks/chirps.py`, which fits it again), on seeds that nothing is scored on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from gwmorph.spectra.chirps import chirp_mass
from gwmorph.spectra.compiled import compiled
from gwmorph.spectra.pictures import CROPS_S, crops
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.known_events import CHIRPS

FEATURES = ("forward", "backward", "moment", "line")
_REFERENCE_HZ = 25.0
# τ₂₅ in seconds: of chirp masses from 145 solar masses down to 1.9.
_TAU_S = np.geomspace(0.03, 40, 28)
# Where τ₂₅ is 1 s, equal masses of 20.5 solar masses each merge; that frequency rises with τ₂₅ to
# the power of 3/5.
_LAST_ORBIT_HZ = 107.0
# What is bright: energy above this, and above its row's median times the second.
_BRIGHT, _ABOVE_MEDIAN = 10.0, 1.4
# ASSUME: the view is centred on a trigger near the merger: no more than a quarter of a crop after
# the merger's place, or two fifths before it.
_MERGERS = (0.25, 0.9)
# Rows and columns of a line and of a moment.
_LINE, _MOMENT = 7, 3
# A sum over few pixels is noise: they count as so many more.
_LEAST_AREA = 30.0
_BATCH = 1024
# Labels that mean a chirp, in small letters.
CHIRP_LABELS = frozenset({"chirp"})
# How much of a cosine counts as much as a nat of the track's log-odds. Measured on development
# views: with 5 or more labelled chirps, 10 to 40 are as good.
SIMILARITY_WEIGHT = 20.0
# What one in a hundred others passes: by the track, of the views that the model was fitted to; by
# both, of the events of a development run, whose reference is its own rows with 40 chirps (−1.9 to
# −1.3 with others of them, −1.1 with 114, −4.4 with 10).
_LIMIT_OF_TRACK, _LIMIT_OF_BOTH = -0.28, -1.84
# A chirp that lasts long lends its label to a glitch in its midst, and one such row must not make
# chirps of all glitches of the kind.
_CHIRPS = 3


@dataclass(frozen=True)
class Sums:
    """What is bright in n event views, and the track that it follows best.

    ``logarithms`` float64 [n, 4 crops, 4]: of ``FEATURES``, in the order of ``CROPS_S``, each of
    1 + the sum over the root of its area in pixels. ``tau_s`` float64 [n] is τ₂₅ of the brightest
    track forward in time.
    """

    logarithms: NDArray[np.float64]
    tau_s: NDArray[np.float64]


def joined(parts: Iterable[Sums]) -> Sums:
    """Return the sums of several sets of views as those of one."""
    each = list(parts)
    empty = np.zeros((0, len(CROPS_S), len(FEATURES)))
    return Sums(
        np.concatenate([empty, *(part.logarithms for part in each)]),
        np.concatenate([np.zeros(0), *(part.tau_s for part in each)]),
    )


def bright_sums(energies: NDArray[np.float32], f_low: float, f_top: float) -> Sums:
    """Add up what is bright in event views along tracks, in a moment and in a line.

    Parameters
    ----------
    energies
        Event views float32 [n, height, width], as `spectra.views.event_view` draws them.
    f_low, f_top
        Band of the pictures' rows, Hz.
    """
    found = np.zeros((len(energies), len(CROPS_S), len(FEATURES)))
    best = np.zeros((len(energies), 2))
    for number, view in enumerate(energies):
        for place, (crop, duration) in enumerate(zip(crops(view), CROPS_S, strict=True)):
            height, width = crop.shape
            median = np.median(crop, axis=1, keepdims=True)
            bright = np.clip(crop - np.maximum(_BRIGHT, _ABOVE_MEDIAN * median), 0, None)
            bright = np.ascontiguousarray(bright, dtype=np.float64)
            first, last = _tracks(height, width, duration, f_low, f_top)
            mergers = int(_MERGERS[0] * width), int(_MERGERS[1] * width)
            forward, track = _best_track(bright, first, last, *mergers, _LEAST_AREA)
            turned = np.ascontiguousarray(bright[:, ::-1])
            backward, _ = _best_track(turned, first, last, *mergers, _LEAST_AREA)
            moment = _densest(bright.sum(axis=0), _MOMENT) / np.sqrt(_MOMENT * height)
            line = _densest(bright.sum(axis=1), _LINE) / np.sqrt(_LINE * width)
            found[number, place] = np.log1p([forward, backward, moment, line])
            if forward > best[number, 0]:
                best[number] = forward, _TAU_S[track]
    return Sums(found, np.where(best[:, 0] > 0, best[:, 1], np.nan))


def _densest(sums: NDArray[np.float64], width: int) -> float:
    """Return the largest sum of so many neighbours."""
    return float(np.convolve(sums, np.ones(width), "same").max())


@lru_cache
def _tracks(
    height: int, width: int, duration_s: float, f_low: float, f_top: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where tracks cross rows, columns back from the merger: int64 [tracks, rows] each.

    The first is the earlier column and the larger number; −1 where the track does not go.
    """
    edges = np.exp(np.linspace(np.log(f_low), np.log(f_top), height + 1))
    low, high = edges[:-1][::-1], edges[1:][::-1]  # the top row first
    column_s = duration_s / width
    before = [
        np.floor(_TAU_S[:, None] * (edge / _REFERENCE_HZ) ** (-8 / 3) / column_s + 0.5)
        for edge in (low, high)
    ]
    inside = low < (_LAST_ORBIT_HZ * _TAU_S**0.6)[:, None]
    first, last = (np.where(inside, columns, -1).astype(np.int64) for columns in before)
    return first, last


@compiled()
def _best_track(bright, first, last, earliest, latest, least_area):  # type: ignore[no-untyped-def]
    """Return the largest sum over the root of its area along any track, and the track's number."""
    rows, columns = bright.shape
    sums = np.zeros((rows, columns + 1))
    for r in range(rows):
        for c in range(columns):
            sums[r, c + 1] = sums[r, c] + bright[r, c]
    best, number = 0.0, 0
    for track in range(len(first)):
        for merger in range(earliest, latest):
            total, area = 0.0, 0
            for r in range(rows):
                if first[track, r] < 0:
                    continue
                low = max(merger - first[track, r] - 1, 0)
                high = min(merger - last[track, r] + 2, columns)
                if high > low:
                    total += sums[r, high] - sums[r, low]
                    area += high - low
            density = total / np.sqrt(area + least_area)
            if density > best:
                best, number = density, track
    return best, number


@dataclass(frozen=True)
class ChirpModel:
    """Log-odds of a chirp among as many chirps as other events: linear in the sums.

    ``mean``, ``scale`` and ``weight`` [16] of the sums' logarithms, crop by crop; ``offset`` nat.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    offset: float

    def log_odds(self, sums: Sums) -> NDArray[np.float64]:
        """Return the log-odds of n views, nat: float64 [n]."""
        flat = sums.logarithms.reshape(-1, len(self.weight))
        return (flat - self.mean) / self.scale @ np.array(self.weight) + self.offset


# As `python benchmarks/chirps.py` prints it.
MODEL = ChirpModel(
    mean=(
        *(3.281, 3.0631, 3.1622, 3.67),
        *(3.4467, 3.17, 3.3079, 3.6538),
        *(3.5825, 3.2972, 3.4266, 3.5554),
        *(3.6637, 3.4086, 3.5193, 3.4001),
    ),
    scale=(
        *(1.4562, 1.2719, 1.5665, 1.3097),
        *(1.2813, 1.0896, 1.3812, 1.0281),
        *(1.1551, 0.9885, 1.2098, 0.8984),
        *(1.0539, 0.9217, 1.0508, 0.8308),
    ),
    weight=(
        *(2.93, -1.591, -0.763, -0.9121),
        *(1.8937, -2.0258, 0.1238, -0.2907),
        *(3.0773, -1.7861, 0.1171, 0.9211),
        *(5.2836, -4.8307, 1.2305, -2.3061),
    ),
    offset=-2.5673,
)


def similarities(
    vectors: NDArray[np.float32],
    reference: NDArray[np.float32],
    labels: NDArray[np.str_],
    apart: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return how much nearer the reference's chirps are than its other rows: float64 [n].

    The mean cosine to the three nearest chirps (or to as many as there are) less that to the
    nearest other row; nan where there is none of one of them.

    Parameters
    ----------
    vectors, reference
        Unit vectors float32 [n, d] and [m, d].
    labels
        Classes of the reference's rows, str [m].
    apart
        Which rows of the reference each vector may be compared with, bool [n, m]; all, if None.
    """
    chirps = is_chirp(labels)
    found = np.full((2, len(vectors)), np.nan)
    kinds = ((np.flatnonzero(chirps), _CHIRPS), (np.flatnonzero(~chirps), 1))
    for place, (rows, count) in enumerate(kinds):
        for first in range(0, len(vectors) if len(rows) else 0, _BATCH):
            part = slice(first, first + _BATCH)
            cosines = (vectors[part] @ reference[rows].T).astype(float)
            if apart is not None:
                cosines[~apart[part, rows]] = -np.inf
            nearest = np.sort(cosines, axis=1)[:, -count:]
            there = np.isfinite(nearest)
            sums = np.where(there, nearest, 0).sum(axis=1)
            found[place, part] = np.where(
                there.any(axis=1), sums / np.maximum(there.sum(axis=1), 1), np.nan
            )
    return found[0] - found[1]


def is_chirp(labels: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which labels mean a chirp: bool [n]."""
    return np.isin(np.char.lower(labels.astype(str)), sorted(CHIRP_LABELS))


def likeness(track: NDArray[np.float64], similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of n events by both, or by the track alone where similarity is nan.

    ``track`` in nat. Of simulated events that it was made with, one in a hundred without a chirp
    has a score above 0, by either.
    """
    both = track + SIMILARITY_WEIGHT * similarity - _LIMIT_OF_BOTH
    return np.where(np.isfinite(similarity), both, track - _LIMIT_OF_TRACK)


def chirp_rows(
    events: pa.Table,
    sums: Sums,
    reference: pa.Table | None,
    gap_s: float,
    model: ChirpModel,
) -> pa.Table:
    """Return how like a chirp each event is: rows of CHIRPS, in the order of ``events``.

    Parameters
    ----------
    events
        Rows of EMBEDDINGS of event views.
    sums
        Of their pictures.
    reference
        Rows of REFERENCE whose vectors may be compared with theirs, or None.
    gap_s
        An event is compared with rows that are farther from it in time, in s, in any detector: one
        signal reaches several, and rows at one time are alike for other reasons than their class.
    """
    track = model.log_odds(sums)
    similarity = np.full(len(events), np.nan)
    if reference is not None and len(reference):
        times, others = (
            np.array(table["trigger_time"].to_pylist(), float) for table in (events, reference)
        )
        similarity = similarities(
            embedding_matrix(events),
            embedding_matrix(reference),
            np.array(reference["label"].to_pylist(), dtype=str),
            np.abs(times[:, None] - others) > gap_s,
        )
    columns = {name: events[name] for name in ("detector", "gps_start", "view", "trigger_time")}
    found = {
        "track": track,
        "similarity": pa.array(similarity, from_pandas=True),
        "likeness": likeness(track, similarity),
        "chirp_mass": pa.array([chirp_mass(tau) for tau in sums.tau_s], from_pandas=True),
    }
    return pa.table({**columns, **found}, schema=CHIRPS)


def roc(
    score: NDArray[np.float64], chirps: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return false and true positive rates over all limits, and the area under the curve.

    ``score`` and ``chirps`` are [n], with at least one chirp and one other row.
    """
    false, true, _ = roc_curve(chirps, score)
    return false, true, float(roc_auc_score(chirps, score))
