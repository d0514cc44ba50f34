"""From scored windows to recall at a fixed fraction of false alarms.

Three sets of quiet windows have three uses, and no noise in common. Statistics that learn the
background learn it on the reference set: vectors on its even rows, combinations on the scores of
its odd rows, since a vector's distance to itself says nothing. Limits are set on the calibration
set, and the fraction of quiet windows above them is measured on the test set.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import binomtest

from gwmorph.evidence.injections import features_of
from gwmorph.evidence.limits import limit_at, limit_rank, passing_interval
from gwmorph.evidence.statistics import STATISTICS, Scorer
from gwmorph.tables.injections import injected_windows

Scores = dict[str, NDArray[np.float64]]
Score = Callable[[pa.Table], Scores]
_KEY = "injections.quiet_windows"


def fit_score(reference: pa.Table) -> Score:
    """Let all statistics that the windows have learn the background; return what scores.

    Parameters
    ----------
    reference
        Quiet windows of `injections.observe`, at least two.

    Returns
    -------
    Function from windows of `injections.observe` to the float64 [n] of every statistic.
    """
    rows = np.arange(len(reference))
    learned = reference.filter(pa.array(rows % 2 == 0))
    kept = reference.filter(pa.array(rows % 2 == 1))
    scorers: dict[str, Scorer] = {}
    known: Scores = {}
    names = statistics_of(reference)
    for name in names:
        statistic = STATISTICS[name]
        if statistic.fit is not None:
            parts = statistic.parts
            quiet = _columns(known, parts) if parts else features_of(learned, name)
            scorers[name] = statistic.fit(quiet)
        known[name] = _score_one(name, kept, known, scorers)

    def score(windows: pa.Table) -> Scores:
        scores: Scores = {}
        for name in names:
            scores[name] = _score_one(name, windows, scores, scorers)
        return scores

    return score


def statistics_of(windows: pa.Table) -> list[str]:
    """Return the registered statistics whose features the windows have, and their combinations."""
    found: list[str] = []
    for name, entry in STATISTICS.items():
        if set(entry.parts) <= set(found) if entry.parts else name in windows.column_names:
            found.append(name)
    return found


def _score_one(
    name: str, windows: pa.Table, known: Scores, scorers: Mapping[str, Scorer]
) -> NDArray[np.float64]:
    parts = STATISTICS[name].parts
    features = _columns(known, parts) if parts else features_of(windows, name)
    scores = scorers[name](features) if name in scorers else features
    return np.asarray(scores, np.float64)


def _columns(scores: Scores, names: Sequence[str]) -> NDArray[np.float64]:
    return np.column_stack([scores[name] for name in names])


def with_scores(windows: Mapping[str, pa.Table], scores: Mapping[str, Scores]) -> pa.Table:
    """Join the windows of several roles, with the score of each statistic for its features."""
    schema = injected_windows({n: 1 for held in scores.values() for n in held})
    about = injected_windows({}).names
    parts = [
        pa.table(
            {**{name: table[name] for name in about}, **scores[role]},
            schema=schema,
        )
        for role, table in windows.items()
    ]
    return pa.concat_tables(parts)


def wilson(found: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a fraction (Wilson 1927, doi:10.2307/2276774)."""
    interval = binomtest(found, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def limits(calibration: Scores, fractions: Iterable[float]) -> dict[tuple[str, float], float]:
    """Return the limit of each statistic at each false-alarm fraction.

    Raises
    ------
    ConfigError
        As in `limit_at`.
    """
    wanted = list(fractions)
    return {
        (name, fraction): limit_at(scores, fraction, _KEY)
        for name, scores in calibration.items()
        for fraction in wanted
    }


def achieved(
    calibration: Scores, test: Scores, fractions: Iterable[float]
) -> list[dict[str, Any]]:
    """Return, for each statistic and fraction, how many fresh quiet windows pass its limit.

    ``low`` and ``high`` are the Wilson interval of the achieved fraction. The limit has an error
    of its own: ``expected_low`` and ``expected_high`` bound the achieved fraction in 95 % of
    repetitions of both sets together (beta-binomial).
    """
    rows = []
    for (name, fraction), limit in limits(calibration, fractions).items():
        quiet, fresh = len(calibration[name]), len(test[name])
        above = int((test[name] > limit).sum())
        low, high = wilson(above, fresh)
        expected = passing_interval(fresh, quiet, limit_rank(quiet, fraction, _KEY))
        rows.append(
            {
                "statistic": name,
                "false_alarm_fraction": fraction,
                "limit": limit,
                "calibration_windows": quiet,
                "test_windows": fresh,
                "above": above,
                "achieved": above / fresh,
                "low": low,
                "high": high,
                "nominal_inside": low <= fraction <= high,
                "expected_low": expected[0] / fresh,
                "expected_high": expected[1] / fresh,
            }
        )
    return rows


def recall_rows(
    windows: pa.Table, scores: Scores, limit: Mapping[tuple[str, float], float]
) -> list[dict[str, Any]]:
    """Return rows of ``RECALL``: injections above the limit, of all that were made.

    ``windows`` are injections (`injections.observe`) and ``scores`` theirs.
    """
    groups = list(_groups(windows))
    rows = []
    for (name, fraction), bound in limit.items():
        for morphology, snr, chosen in groups:
            found, total = int((scores[name][chosen] > bound).sum()), int(chosen.sum())
            low, high = wilson(found, total)
            rows.append(
                {
                    "statistic": name,
                    "false_alarm_fraction": fraction,
                    "limit": bound,
                    "morphology": morphology,
                    "snr": snr,
                    "injections": total,
                    "found": found,
                    "recall": found / total,
                    "low": low,
                    "high": high,
                }
            )
    return rows


def _groups(windows: pa.Table) -> Iterator[tuple[str, float, NDArray[np.bool_]]]:
    """Yield each point of the grid, morphologies in the order met, with its rows."""
    morphology = np.array(windows["morphology"].to_pylist())
    snr = np.array(windows["snr"].to_pylist(), float)
    for name in dict.fromkeys(morphology.tolist()):
        for value in np.unique(snr[morphology == name]):
            yield name, float(value), (morphology == name) & (snr == value)


def half_recall_rows(recall: pa.Table) -> list[dict[str, Any]]:
    """Return rows of ``HALF_RECALL``: the SNR at which half of all injections is found.

    Between the last SNR with a recall below one half and the next one, recall is taken to be
    linear in the logarithm of SNR.
    """
    keys = ["statistic", "false_alarm_fraction", "morphology"]
    rows = []
    for key in recall.select(keys).group_by(keys, use_threads=False).aggregate([]).to_pylist():
        chosen = recall
        for name, value in key.items():
            chosen = chosen.filter(pc.equal(chosen[name], value))
        chosen = chosen.sort_by("snr")
        reached, snr = half_snr(chosen["snr"].to_pylist(), chosen["recall"].to_pylist())
        rows.append({**key, "reached": reached, "snr": snr})
    return rows


def half_snr(snrs: Sequence[float], recall: Sequence[float]) -> tuple[str, float | None]:
    """Return where recall reaches one half ('below', 'inside', 'not') and the SNR if inside."""
    if recall[-1] < 0.5:
        return "not", None
    crossings = [i for i, (a, b) in enumerate(pairwise(recall)) if a < 0.5 <= b]
    if not crossings:
        return "below", None
    i = crossings[-1]
    share = (0.5 - recall[i]) / (recall[i + 1] - recall[i])
    return "inside", float(snrs[i] * (snrs[i + 1] / snrs[i]) ** share)


def noise_rows(
    windows: pa.Table, scores: Scores, limit: Mapping[tuple[str, float], float]
) -> list[dict[str, Any]]:
    """Return rows of ``NOISE_COUNTS`` for one detector's windows of real noise.

    Windows without an injection have rows of their own: how many of them pass a limit says how
    far it holds in this noise.
    """
    is_quiet = windows["morphology"].is_null().to_numpy()
    injected = np.flatnonzero(~is_quiet)
    groups: list[tuple[str | None, float | None, NDArray[np.intp]]] = [
        (None, None, np.flatnonzero(is_quiet))
    ]
    groups += [
        (name, snr, injected[chosen]) for name, snr, chosen in _groups(windows.take(injected))
    ]
    return [
        {
            "detector": windows["detector"][0].as_py(),
            "statistic": name,
            "false_alarm_fraction": fraction,
            "limit": bound,
            "morphology": morphology,
            "snr": snr,
            "windows": len(rows),
            "above": int((scores[name][rows] > bound).sum()),
        }
        for (name, fraction), bound in limit.items()
        for morphology, snr, rows in groups
    ]
