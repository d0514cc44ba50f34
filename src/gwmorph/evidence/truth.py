"""What was injected where a simulated run has an event."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# What an injection reaches beyond its characteristic duration, in seconds.
_SLACK_S = 0.1


def nearest_injections(events: pa.Table, truth: pa.Table) -> NDArray[np.int64]:
    """Return for every event the row of the injection that it shows, or -1.

    It is the injection of its detector that is nearest in units of its own reach: characteristic
    duration and a tenth of a second. None shows what lies farther than one reach away.

    Parameters
    ----------
    events
        Any table with ``detector`` and ``trigger_time`` (GPS seconds).
    truth
        Rows of the TRUTH schema, in any order.
    """
    # ASSUME: an injection has no power farther from its peak than its characteristic duration.
    found = np.full(len(events), -1, dtype=np.int64)
    detectors, times = (np.array(events[n].to_pylist()) for n in ("detector", "trigger_time"))
    injected = np.array(truth["detector"].to_pylist())
    at, reach = truth["gps_time"].to_numpy(), truth["duration"].to_numpy() + _SLACK_S
    for detector in np.unique(detectors):
        own = np.flatnonzero(injected == detector)
        for row in np.flatnonzero(detectors == detector):
            away = np.abs(at[own] - times[row]) / reach[own]
            if len(own) and away.min() <= 1:
                found[row] = own[away.argmin()]
    return found


def classes_of(events: pa.Table, truth: pa.Table) -> NDArray[np.str_]:
    """Return the morphology that every event shows by `nearest_injections`, "" where none."""
    names = np.array([*truth["morphology"].to_pylist(), ""])
    return names[nearest_injections(events, truth)]


@dataclass(frozen=True)
class Crosstable:
    """How many events of each morphology stand in each cluster.

    ``events`` int64 [morphologies + 1, clusters + 1]; its last row counts events where nothing
    was injected, its last column the outliers of all clusters. ``injected`` and ``found`` int64
    [morphologies]: injections in analysed windows, and those of them that an event shows.
    Morphologies go by their number of events, the most first.
    """

    morphologies: list[str]
    events: NDArray[np.int64]
    injected: NDArray[np.int64]
    found: NDArray[np.int64]


def cross_tabulate(clusters: pa.Table, truth: pa.Table, ledger: pa.Table) -> Crosstable:
    """Count the events of a simulated run by what was injected and by cluster.

    Parameters
    ----------
    clusters, truth, ledger
        Rows of the CLUSTERS (of events), TRUTH and LEDGER schemas.
    """
    shown = nearest_injections(clusters, truth)
    names = np.array(truth["morphology"].to_pylist(), dtype=np.str_)
    kinds, kind = np.unique(names, return_inverse=True)
    number = np.append(kind, len(kinds))[shown]
    cluster = clusters["cluster"].to_numpy()
    columns = cluster.max(initial=-1) + 2
    column = np.where(np.asarray(clusters["outlier"]), columns - 1, cluster)
    events = np.zeros((len(kinds) + 1, columns), dtype=np.int64)
    np.add.at(events, (number, column), 1)
    was_found = np.zeros(len(truth), dtype=bool)
    was_found[shown[shown >= 0]] = True
    observed = was_found | _in_analysed_windows(truth, ledger)
    injected = np.bincount(kind[observed], minlength=len(kinds))
    found = np.bincount(kind[was_found], minlength=len(kinds))
    order = np.argsort(-events[:-1].sum(axis=1), kind="stable")
    return Crosstable(
        kinds[order].tolist(), events[np.append(order, -1)], injected[order], found[order]
    )


def _in_analysed_windows(truth: pa.Table, ledger: pa.Table) -> NDArray[np.bool_]:
    inside = np.zeros(len(truth), dtype=bool)
    analysed = ledger.filter(pc.equal(ledger["status"], "analysed"))
    injected, times = np.array(truth["detector"].to_pylist()), truth["gps_time"].to_numpy()
    for detector in np.unique(injected):
        windows = analysed.filter(pc.equal(analysed["detector"], detector)).sort_by("gps_start")
        own = np.flatnonzero(injected == detector)
        starts = windows["gps_start"].to_numpy()
        ends = starts + windows["duration_s"].to_numpy()
        last = np.searchsorted(starts, times[own], side="right") - 1
        inside[own[last >= 0]] = times[own[last >= 0]] < ends[last[last >= 0]]
    return inside
