"""What a search for chirps finds, and at what price: the same windows for every statistic.

Limits are set on one set of noise windows and tested on another; signals are put into noise of
their own, each signal at every SNR in the same noise and at the same place. A limit on a rate
comes from slid time, in which no signal is in both detectors.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.evidence.chirp_windows import Look, Noise, Signals, batches, place, slid_windows
from gwmorph.evidence.limits import limit_at
from gwmorph.evidence.rates import YEAR_S, false_alarm_rate, louder
from gwmorph.evidence.recall import wilson
from gwmorph.simulation.streams import stream
from gwmorph.tables.chirp_search import CHIRP_SCORES

MATCHED_FILTER = "matched_filter"
HOUR_S = 3600
_KEY = "chirp_search.noise_windows"
_PERCENTILES = (2.5, 97.5)
_AT_ONCE = 256
_ROC_POINTS = 60

# From windows float32 [n, detectors, samples] to each statistic's scores [n].
Score = Callable[[NDArray[np.float32]], Mapping[str, NDArray[np.floating]]]
Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Slides:
    """Slid time: ``count`` slides of a ring of ``ring_s`` seconds."""

    count: int
    ring_s: int

    @property
    def background_s(self) -> int:
        """Seconds of all slides together."""
        return self.count * self.ring_s


def quiet_scores(score: Score, noise: Noise, role: str, count: int, seed: int) -> pa.Table:
    """Score ``count`` windows of noise: rows of CHIRP_SCORES of a role."""
    found: dict[str, list[NDArray]] = {}
    for number, size in enumerate(batches(count, _AT_ONCE)):
        rng = stream(seed, "chirp search windows", role, number)
        _gather(found, score(noise.windows(size, rng)))
    return _table(found, role, np.arange(count), None)


def injection_scores(
    score: Score,
    noise: Noise,
    signals: Signals,
    snrs: Sequence[float],
    look: Look,
    seed: int,
) -> pa.Table:
    """Score every signal at every SNR, in the same noise: rows of CHIRP_SCORES."""
    tables = []
    for number, rows in enumerate(np.array_split(np.arange(len(signals)), -(-len(signals) // 64))):
        rng = stream(seed, "chirp search injections", number)
        quiet = noise.windows(len(rows), rng)
        places = rng.uniform(look.earliest, look.latest, len(rows))
        unit = place(signals.white[rows], places, np.ones(len(rows)), look)
        for snr in snrs:
            found: dict[str, list[NDArray]] = {}
            _gather(found, score(quiet + np.float32(snr) * unit))
            tables.append(_table(found, "injection", rows, snr))
    return pa.concat_tables(tables)


def slide_scores(score: Score, noise: Noise, slides: Slides, look: Look, seed: int) -> pa.Table:
    """Score slid time: rows of CHIRP_SCORES, the loudest window of each second.

    Windows follow each other by as much as the places of a merger in one of them differ, so that
    every moment is such a place in one window. Each slide shifts by another multiple of a second.

    Raises
    ------
    ValueError
        There are more slides than whole seconds of the ring to slide by.
    """
    rate = look.sample_rate
    streams = noise.streams(slides.ring_s * rate, stream(seed, "chirp search slides"))
    seconds = streams.shape[1] // rate
    if slides.count > seconds - 2 * int(np.ceil(look.window_s)):
        raise ValueError(
            f"chirp_search.slides: {slides.count} slides of a ring of {seconds} s, expected fewer "
            "than its seconds, less two windows. Take fewer slides or a longer ring."
        )
    streams = streams[:, : seconds * rate]
    step = max(int((look.latest - look.earliest) * look.samples), 1)
    first = int(np.ceil(look.window_s))
    shifts = first + np.arange(slides.count) * ((seconds - 2 * first) // slides.count)
    tables = []
    for number, shift in enumerate(shifts):
        found: dict[str, list[NDArray]] = {}
        for windows in slid_windows(streams, look, step, int(shift) * rate):
            _gather(found, score(windows))
        second = np.arange(len(next(iter(_joined(found).values())))) * step // rate
        loudest = {
            name: [_loudest(values, second, seconds)] for name, values in _joined(found).items()
        }
        tables.append(_table(loudest, "slide", number * seconds + np.arange(seconds), None))
    return pa.concat_tables(tables)


def _loudest(
    values: NDArray[np.floating], second: NDArray[np.int64], seconds: int
) -> NDArray[np.float64]:
    """Return the largest value of each second, of which each has one at least."""
    best = np.full(seconds, -np.inf)
    np.maximum.at(best, np.minimum(second, seconds - 1), values)
    return best


def _gather(found: dict[str, list[NDArray]], scores: Mapping[str, NDArray[np.floating]]) -> None:
    for name, values in scores.items():
        found.setdefault(name, []).append(np.asarray(values, np.float64))


def _joined(found: Mapping[str, list[NDArray]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _table(
    found: Mapping[str, list[NDArray]], role: str, numbers: NDArray[np.int64], snr: float | None
) -> pa.Table:
    tables = [
        pa.table(
            {
                "statistic": [name] * len(numbers),
                "role": [role] * len(numbers),
                "number": numbers,
                "snr": pa.array([snr] * len(numbers), pa.float64()),
                "score": values,
            },
            schema=CHIRP_SCORES,
        )
        for name, values in _joined(found).items()
    ]
    return pa.concat_tables(tables)


@dataclass(frozen=True)
class Scored:
    """Scores of one statistic.

    ``injections`` is float64 [signals, SNRs]; of ``slides`` there is one for each second.
    """

    calibration: NDArray[np.float64]
    test: NDArray[np.float64]
    injections: NDArray[np.float64]
    slides: NDArray[np.float64]
    snrs: NDArray[np.float64]


def scored(table: pa.Table) -> dict[str, Scored]:
    """Return the scores of each statistic of rows of CHIRP_SCORES, in the order met."""
    return {
        name: _scored(table.filter(pc.equal(table["statistic"], name)))
        for name in table["statistic"].unique().to_pylist()
    }


def _scored(table: pa.Table) -> Scored:
    of = {
        role: table.filter(pc.equal(table["role"], role)).sort_by(
            [("number", "ascending"), ("snr", "ascending")]
        )
        for role in ("calibration", "test", "injection", "slide")
    }
    snrs = np.unique(of["injection"]["snr"].to_numpy())
    scores = {role: rows["score"].to_numpy() for role, rows in of.items()}
    injections = scores["injection"].reshape(-1, len(snrs))
    return Scored(scores["calibration"], scores["test"], injections, scores["slide"], snrs)


def efficiency_rows(
    name: str,
    held: Scored,
    probabilities: Sequence[float],
    per_hour: Sequence[float],
) -> Rows:
    """Yield rows of CHIRP_EFFICIENCY: what is found at each limit and SNR (Wilson interval).

    Raises
    ------
    ConfigError
        There are too few noise windows for a probability.
    """
    for probability in probabilities:
        limit = limit_at(held.calibration, probability, _KEY)
        found = held.injections > limit
        yield from _efficiency(name, held, "probability", probability, limit, found)
    rates = rates_per_hour(held)
    for rate in per_hour:
        found = rates <= rate
        limit = float(held.injections[found].min(initial=np.inf))
        yield from _efficiency(name, held, "rate", rate, limit, found)


def rates_per_hour(held: Scored) -> NDArray[np.float64]:
    """Return the false-alarm rate of every injection, (n + 1)/T of the slid time, per hour.

    Usman et al. 2016, arXiv:1508.02357, eq. 17. Float64 [signals, SNRs]; a background event as
    loud as the injection counts as louder.
    """
    count = louder(held.slides, held.injections.ravel()).reshape(held.injections.shape)
    return false_alarm_rate(count, len(held.slides)) * HOUR_S / YEAR_S


def _efficiency(
    name: str,
    held: Scored,
    limited_by: str,
    nominal: float,
    limit: float,
    found: NDArray[np.bool_],
) -> Rows:
    for column, snr in enumerate(held.snrs):
        count, total = int(found[:, column].sum()), len(found)
        low, high = wilson(count, total)
        yield {
            "statistic": name,
            "limited_by": limited_by,
            "false_alarms": nominal,
            "limit": limit,
            "snr": float(snr),
            "signals": total,
            "found": count,
            "efficiency": count / total,
            "low": low,
            "high": high,
        }


def roc_rows(name: str, held: Scored) -> Rows:
    """Yield rows of CHIRP_ROC at each SNR, on test noise; probabilities are even in logarithm."""
    noise = np.sort(held.test)[::-1]
    ranks = np.unique(np.geomspace(1, len(noise), _ROC_POINTS).astype(int)) - 1
    for column, snr in enumerate(held.snrs):
        for rank in ranks:
            limit = noise[rank]
            yield {
                "statistic": name,
                "snr": float(snr),
                "false_alarm_probability": float((noise > limit).mean()),
                "efficiency": float((held.injections[:, column] > limit).mean()),
            }


def confusion_rows(name: str, held: Scored, probabilities: Sequence[float]) -> Rows:
    """Yield rows of CHIRP_CONFUSION: all injections and fresh noise at each limit.

    Raises
    ------
    ConfigError
        There are too few noise windows for a probability.
    """
    for probability in probabilities:
        limit = limit_at(held.calibration, probability, _KEY)
        above, total = int((held.test > limit).sum()), len(held.test)
        found = int((held.injections > limit).sum())
        low, high = wilson(above, total)
        yield {
            "statistic": name,
            "false_alarm_probability": probability,
            "limit": limit,
            "signals_found": found,
            "signals_missed": held.injections.size - found,
            "false_alarms": above,
            "noise_passed_over": total - above,
            "achieved": above / total,
            "low": low,
            "high": high,
        }


def auc_rows(name: str, held: Scored, repeats: int, seed: int) -> Rows:
    """Yield rows of CHIRP_FIGURES: the area under the ROC of each SNR, and of it and all higher.

    Test noise and signals are drawn anew, each signal with all its SNRs.
    """
    for column, snr in enumerate(held.snrs):
        for last in sorted({column, len(held.snrs) - 1}):
            signals = held.injections[:, column : last + 1]
            value, low, high = auc(signals, held.test, repeats, seed)
            yield {
                "statistic": name,
                "figure": "auc",
                "false_alarm_probability": None,
                "snr_low": float(snr),
                "snr_high": float(held.snrs[last]),
                "value": value,
                "low": low,
                "high": high,
                "signals": signals.size,
                "noise_windows": len(held.test),
            }


def auc(
    signals: NDArray[np.float64], noise: NDArray[np.float64], repeats: int, seed: int
) -> tuple[float, float, float]:
    """Return the area under the ROC and its 95 % bootstrap interval.

    ``signals`` is float64 [n, k], of which rows are drawn together, ``noise`` float64 [m]. Ties
    count half.
    """
    levels, place = np.unique(noise, return_inverse=True)
    # A signal has beaten what lies below it, and half of what lies beside it.
    below = np.searchsorted(levels, signals, side="left")
    up_to = np.searchsorted(levels, signals, side="right")

    def area(signal_weights: NDArray[np.int64], noise_weights: NDArray[np.int64]) -> float:
        counts = np.bincount(place, weights=noise_weights, minlength=len(levels))
        beaten = np.append(0, np.cumsum(counts))
        share = (beaten[below] + beaten[up_to]).mean(axis=1) / 2
        return float(signal_weights @ share / signal_weights.sum() / noise_weights.sum())

    n, m = len(signals), len(noise)
    rng = stream(seed, "bootstrap of the ROC")
    draws = [area(_drawn(n, rng), _drawn(m, rng)) for _ in range(repeats)]
    low, high = np.percentile(draws, _PERCENTILES)
    return area(np.ones(n, int), np.ones(m, int)), float(low), float(high)


def _drawn(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how often each of ``count`` is among as many that are drawn with replacement."""
    return np.bincount(rng.integers(count, size=count), minlength=count)


def relative_rows(
    name: str,
    held: Scored,
    best: Scored,
    probabilities: Sequence[float],
    snrs: tuple[float, float],
    repeats: int,
    seed: int,
) -> Rows:
    """Yield rows of CHIRP_FIGURES: efficiency over the matched filter's on the same signals.

    Signals of SNRs from the first to the second of ``snrs`` count. Signals, with all their SNRs,
    and the noise of both limits are drawn anew together. nan where the matched filter finds none.
    """
    inside = (held.snrs >= snrs[0]) & (held.snrs <= snrs[1])
    if not inside.any():
        return
    for probability in probabilities:
        value, low, high = _relative(held, best, probability, inside, repeats, seed)
        yield {
            "statistic": name,
            "figure": "relative_efficiency",
            "false_alarm_probability": probability,
            "snr_low": float(held.snrs[inside].min()),
            "snr_high": float(held.snrs[inside].max()),
            "value": value,
            "low": low,
            "high": high,
            "signals": int(inside.sum()) * len(held.injections),
            "noise_windows": len(held.calibration),
        }


def _relative(
    held: Scored,
    best: Scored,
    probability: float,
    inside: NDArray[np.bool_],
    repeats: int,
    seed: int,
) -> tuple[float, float, float]:
    def ratio(signals: NDArray[np.int64], noise: NDArray[np.int64]) -> float:
        ours, theirs = (
            (
                one.injections[signals][:, inside]
                > limit_at(one.calibration[noise], probability, _KEY)
            ).sum()
            for one in (held, best)
        )
        return float(ours / theirs) if theirs else float("nan")

    n, m = len(held.injections), len(held.calibration)
    rng = stream(seed, "bootstrap of the efficiency")
    draws = [ratio(rng.integers(n, size=n), rng.integers(m, size=m)) for _ in range(repeats)]
    known = np.array([draw for draw in draws if np.isfinite(draw)])
    low, high = np.percentile(known, _PERCENTILES) if len(known) else (np.nan, np.nan)
    return ratio(np.arange(n), np.arange(m)), float(low), float(high)
