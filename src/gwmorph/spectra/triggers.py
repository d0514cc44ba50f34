"""Triggers: significant tiles of all Q-planes, clustered in time and frequency.

A tile of frequency f and Q fills 2·√π·f/Q hertz, gwpy's bandwidth, and the inverse of that in
seconds. Two significant tiles belong together when their bands touch and no more than ``gap_s``
lies between them; a cluster is what hangs together through any number of such pairs. All planes
count at once, as in Omicron (Robinet et al. 2020, arXiv:2007.11374), which looks at time alone.

Tiles of one row that belong together make a run. Connected runs instead of tiles give the same
clusters, and there are at most some hundred of them in a row however loud the window is: a
saturated glitch takes the time of reading its tiles and no memory that grows with them.

The transform is circular and so is the clustering: what a very loud transient in one guard leaks
to the other end of the span belongs to its cluster, and is not taken for something inside the
window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log, pi, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.spectra.compiled import compiled
from gwmorph.spectra.qtransform import GUARD_S, QBatch
from gwmorph.spectra.tiling import Row
from gwmorph.tables.block import FOUND_BY

# A window claims a trigger when a tile inside it has this share of the peak's energy. Tiles lie
# differently in each window, so that both neighbours of a border may see the peak on the other's
# side; but neighbouring tiles lose less than half, so that one of them claims it at least.
_CLAIM = 0.5
_NOISE_MEAN = 1 / log(2)
_RUN = np.dtype(
    [
        ("row", np.int64),
        ("start", np.float64),
        ("end", np.float64),
        ("peak_time", np.float64),
        ("peak", np.float64),
        ("inside", np.float64),
        ("tiles", np.int64),
        ("energy", np.float64),
        ("time_moment", np.float64),
    ]
)


@dataclass(frozen=True)
class Trigger:
    """One cluster of significant tiles; times in seconds from its window's start.

    Attributes
    ----------
    time, frequency
        Means over the cluster's tiles, weighted by energy.
    peak_time, peak_frequency, q, energy
        Centre, Q and energy (over its row's median) of the loudest tile.
    tstart, tend, fstart, fend
        Edges of the cluster: of the tile that reaches farthest.
    tiles
        Number of significant tiles.
    energy_sum
        Sum of their energies, less the 1/ln 2 that noise gives to each on average.
    """

    time: float
    peak_time: float
    frequency: float
    peak_frequency: float
    tstart: float
    tend: float
    fstart: float
    fend: float
    q: float
    energy: float
    tiles: int
    energy_sum: float

    @property
    def snr(self) -> float:
        """Omicron's SNR of the loudest tile."""
        return sqrt(2 * max(self.energy / _NOISE_MEAN - 1, 0))


def energy_of_snr(snr: Any) -> Any:
    """Return the tile energy over its row's median that has this Omicron SNR (or array)."""
    return (1 + snr * snr / 2) * _NOISE_MEAN


def tile_bandwidth(frequency: Any, q: Any) -> Any:
    """Return the bandwidth of tiles in Hz, as gwpy has it; its inverse is their length in s."""
    return 2 * sqrt(pi) * frequency / q


def amplitude(trigger: Trigger, psd: NDArray[np.float64], segment_s: int) -> float:
    """Return a trigger's amplitude in Hz^-1/2: snr · √(PSD/2).

    A signal in the loudest tile with this root-sum-square strain, h_rss² = ∫h² dt, has this SNR
    against the noise there, since SNR² = 4 ∫|h̃|²/PSD df. ``psd`` is one-sided in 1/Hz, in steps
    of ``1/segment_s`` hertz; its harmonic mean over the tile's band keeps lines from counting.
    """
    half = tile_bandwidth(trigger.peak_frequency, trigger.q) / 2
    low, high = trigger.peak_frequency - half, trigger.peak_frequency + half
    band = psd[max(floor(low * segment_s), 1) : ceil(high * segment_s) + 1]
    return trigger.snr * sqrt(0.5 / np.mean(1 / band))


def find_triggers(batch: QBatch, tile_snr: float, snr: float, gap_s: float) -> list[list[Trigger]]:
    """Return the triggers of each window of a batch, loudest first.

    Tiles of Omicron SNR ``tile_snr`` and more are clustered, guards included; clusters whose
    peak has ``snr`` and more are triggers. A window claims those of which a tile inside it has
    at least half the peak's energy, wherever the peak is, so that nothing on a border is lost:
    `merge_triggers` makes one of what two windows claim.

    A transient that fills the window (a saturated glitch) is one trigger, up to as long as the
    window and its guards, together with everything in it that its tiles touch.
    """
    rows = [row for plane in batch.tiling.planes for row in plane]
    energies = [row for plane in batch.energies for row in plane]
    peaks = np.concatenate(batch.row_peaks, axis=1)
    least = energy_of_snr(tile_snr)
    found: list[list[Trigger]] = []
    for i, window_peaks in enumerate(peaks):
        if window_peaks.max() < energy_of_snr(snr):
            found.append([])
            continue
        loud = np.flatnonzero(window_peaks >= least)
        clusters = _clusters([rows[k] for k in loud], [energies[k][i] for k in loud], least, gap_s)
        triggers = [t for t, inside in clusters if t.snr >= snr and inside >= _CLAIM * t.energy]
        found.append(sorted(triggers, key=lambda trigger: (-trigger.energy, trigger.peak_time)))
    return found


def _clusters(
    rows: list[Row], energies: list[NDArray[np.float32]], least: float, gap_s: float
) -> Iterator[tuple[Trigger, float]]:
    """Yield every cluster and its largest energy inside the window."""
    parts = [
        _runs(k, *pair, least, gap_s) for k, pair in enumerate(zip(rows, energies, strict=True))
    ]
    first = np.cumsum([0, *(len(part) for part in parts)])
    runs = np.concatenate(parts)
    frequency = np.array([row.frequency for row in rows])
    q = np.array([row.q for row in rows])
    half = tile_bandwidth(frequency, q) / 2
    low, high = frequency - half, frequency + half
    label = _connect(first, runs["start"], runs["end"], low, high, gap_s, rows[0].duration)

    order = np.lexsort((-runs["peak"], label))
    runs, label = runs[order], label[order]
    heads = np.flatnonzero(np.diff(label, prepend=-1))
    loudest, row = runs[heads], runs["row"]
    energy = np.add.reduceat(runs["energy"], heads)
    tiles = np.add.reduceat(runs["tiles"], heads)
    columns = {
        "time": np.add.reduceat(runs["time_moment"], heads) / energy,
        "peak_time": loudest["peak_time"],
        "frequency": np.add.reduceat(runs["energy"] * frequency[row], heads) / energy,
        "peak_frequency": frequency[loudest["row"]],
        "tstart": np.minimum.reduceat(runs["start"], heads),
        "tend": np.maximum.reduceat(runs["end"], heads),
        "fstart": np.minimum.reduceat(low[row], heads),
        "fend": np.maximum.reduceat(high[row], heads),
        "q": q[loudest["row"]],
        "energy": loudest["peak"],
        "tiles": tiles,
        "energy_sum": energy - tiles * _NOISE_MEAN,
    }
    inside = np.maximum.reduceat(runs["inside"], heads)
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    for own, part in zip(values, inside.tolist(), strict=True):
        yield Trigger(**dict(zip(columns, own, strict=True))), part


def _runs(
    number: int, row: Row, energy: NDArray[np.float32], least: float, gap_s: float
) -> NDArray[np.void]:
    """Return the runs of one window's row, in order of time."""
    duration = 1 / tile_bandwidth(row.frequency, row.q)
    reach = duration + gap_s
    # The first and last tile inside the window: it shares its tiles with its picture.
    first = ceil(GUARD_S / row.step)
    last = ceil((row.duration - GUARD_S) / row.step)
    runs = np.zeros(int(row.duration / reach) + 2, _RUN)
    count = _collect_runs(energy, least, row.step, reach, first, last, runs)
    runs = runs[:count]
    runs["row"] = number
    for name in ("start", "end", "peak_time"):
        runs[name] -= GUARD_S
    runs["time_moment"] -= GUARD_S * runs["energy"]
    runs["start"] -= duration / 2
    runs["end"] += duration / 2
    return runs


@compiled()
def _collect_runs(energy, least, step, reach, first, last, runs):  # type: ignore[no-untyped-def]
    """Fill ``runs`` with centres of tiles in seconds from the span's start; return how many."""
    count = 0
    for tile in range(energy.size):
        if energy[tile] < least:
            continue
        value, time = np.float64(energy[tile]), tile * step
        if count == 0 or time - runs[count - 1].end > reach:
            runs[count].start = time
            count += 1
        run = runs[count - 1]
        run.end = time
        run.tiles += 1
        run.energy += value
        run.time_moment += value * time
        if value > run.peak:
            run.peak = value
            run.peak_time = time
        if first <= tile < last:
            run.inside = max(run.inside, value)
    return count


@compiled()
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled()
def _connect(first, start, end, low, high, gap, duration):  # type: ignore[no-untyped-def]
    """Return the cluster of each run; those of row k are ``first[k] … first[k + 1] - 1``."""
    parent = np.arange(start.size)
    rows = low.size
    for a in range(rows):
        before, after = first[a + 1] - 1, first[a]
        if start[after] + duration - end[before] <= gap:
            parent[_root(parent, before)] = _root(parent, after)
        for b in range(a + 1, rows):
            if low[a] > high[b] or low[b] > high[a]:
                continue
            i, j = first[a], first[b]
            while i < first[a + 1] and j < first[b + 1]:
                if start[i] - end[j] <= gap and start[j] - end[i] <= gap:
                    parent[_root(parent, i)] = _root(parent, j)
                if end[i] < end[j]:
                    i += 1
                else:
                    j += 1
    for i in range(parent.size):
        parent[i] = _root(parent, i)
    return parent


def merge_triggers(triggers: pa.Table, window_s: int) -> pa.Table:
    """Make one of what several windows claimed, and sort by detector and peak time.

    Of two triggers of one detector that overlap in time and in frequency, and that different
    windows claim or different parts of the score found, the one is kept that a tile found, then
    whose peak lies in its own window of ``window_s`` seconds, then the louder (or the more
    significant, where no tile found them). ``triggers`` follow the schema ``TRIGGERS``, in
    any order.
    """
    column = {
        name: triggers[name].to_numpy()
        for name in ("gps_start", "peak_time", "snr", "tstart", "tend", "fstart", "fend")
    }
    column["part"] = np.array(
        [FOUND_BY.index(name) for name in triggers["found_by"].to_pylist()], int
    )
    significance = triggers["significance"].to_numpy().astype(np.float64)
    column["strength"] = np.where(column["part"] == 0, column["snr"], significance)
    detector = np.asarray(triggers["detector"].to_pylist(), dtype="U2")
    offset = column["peak_time"] - column["gps_start"]
    at_home = (offset >= 0) & (offset < window_s)
    kept = np.ones(len(detector), bool)
    for name in np.unique(detector):
        own = np.flatnonzero(detector == name)
        own = own[np.argsort(column["tstart"][own], kind="stable")]
        values = {key: value[own] for key, value in column.items()}
        kept[own] = _distinct(values, at_home[own])
    order = np.lexsort((column["peak_time"][kept], detector[kept]))
    return triggers.take(np.flatnonzero(kept)[order])


def _distinct(
    column: dict[str, NDArray[np.float64]], at_home: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which of one detector's triggers, sorted by ``tstart``, are kept: bool [n]."""
    start, end, low, high, window, part = (
        column[key] for key in ("tstart", "tend", "fstart", "fend", "gps_start", "part")
    )
    kept = np.ones(len(start), bool)
    longest = (end - start).max(initial=0)
    for i in np.lexsort((column["peak_time"], -column["strength"], ~at_home, part > 0)):
        if not kept[i]:
            continue
        near = slice(*np.searchsorted(start, [start[i] - longest, end[i]]))
        kept[near] &= (
            ((window[near] == window[i]) & (part[near] == part[i]))
            | (end[near] < start[i])
            | (low[near] > high[i])
            | (high[near] < low[i])
        )
    return kept
