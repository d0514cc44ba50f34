"""Two statistics of a window for signals that are long and have no loud tile.

Both add up mean energies of cells (row times column, `QBatch.means`), plane by plane:

- **excess** adds them up in boxes of all sizes and asks how improbable the largest sum is: it
  finds what fills an area, like a burst of noise;
- **track** adds them up along paths and gives the best path's log-likelihood ratio: it finds what
  is drawn with a thin pen, like a chirp, an arch, a whistle or a line.

In white noise a tile's energy over its noise's mean, Z = E·ln 2, is exponentially distributed,
and its time average over T has a variance of |r|², the squared autocorrelation of the row's
response, integrated: rows and columns overlap, so that sums have fewer degrees of freedom than
cells. The level of real noise changes by some per cent, which no box may be taken for. Rows are
over their own medians: what lasts longer than half the window raises the median of its rows and
hides itself.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, erfc, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gwmorph.spectra.compiled import compiled
from gwmorph.spectra.qtransform import GUARD_S, QBatch, mean_columns
from gwmorph.spectra.regions import Region, centroid
from gwmorph.spectra.tiling import Row, Tiling

_LN2 = log(2)
# Noise bandwidth of a row's response over the half-width √11·f/Q of its bisquare window.
_NOISE_BANDWIDTH = 256 / 315
# Density of signal energy per degree of freedom of noise that a track is taken to have.
_TRACK_DENSITY = 1.5
# ln of exp(−Z/(1+a))/(1+a) over exp(−Z), a the signal's density: slope times energy less offset.
_SLOPE = np.float32(_LN2 * _TRACK_DENSITY / (1 + _TRACK_DENSITY))
_OFFSET = np.float32(np.log1p(_TRACK_DENSITY))
# What a path pays (in nats) for each row that it crosses. Cheaper paths find longer ones in noise
# alone; this price keeps the noise's best paths short.
_CROSSING_PRICE = 0.7
# ASSUME: the level of the noise (in energy) changes by this inside a window, at all frequencies
# together. Without it boxes of ten thousand degrees of freedom would report nothing else.
_LEVEL_RMS = 0.05
# erfc is zero in double precision soon after.
_ASYMPTOTIC = 25.0


def box_excess(batch: QBatch) -> NDArray[np.float64]:
    """Return how improbable the energy of each window's least probable box is: float64 [n].

    It is −log10 of the smallest tail probability of any box's energy, times the number of boxes of
    its size, and 0 where noise alone would do as much; it rises without bound. Boxes are those of
    the lowest and the highest Q: boxes of other planes hold much the same energy.
    """
    planes = _planes(batch)
    return np.max([_plane_excess(*plane) for plane in (planes[0], planes[-1])], axis=0)


def track_ratio(batch: QBatch) -> NDArray[np.float64]:
    """Return the log-likelihood ratio, in nats, of each window's best path: float64 [n]."""
    return np.max([_plane_track(*plane) for plane in _planes(batch)], axis=0)


def excess_region(batch: QBatch, window: int) -> Region:
    """Return the least probable box of one window of a batch, its moment being its centroid."""
    planes = _planes(batch)
    ends = (0, len(planes) - 1)
    found = [_plane_box(planes[p][0][window], planes[p][1]) for p in ends]
    best = int(np.argmax([excess for excess, _ in found]))
    return _region(batch, window, ends[best], found[best][1])


def track_region(batch: QBatch, window: int) -> Region:
    """Return the best path of one window of a batch, its moment being its centroid."""
    found = [_plane_path(means[window], cells) for means, cells in _planes(batch)]
    best = int(np.argmax([ratio for ratio, _ in found]))
    return _region(batch, window, best, found[best][1])


def _region(batch: QBatch, window: int, plane: int, cells: NDArray[np.bool_]) -> Region:
    column_s = (batch.tiling.duration - 2 * GUARD_S) / cells.shape[1]
    return Region(plane, cells, centroid(batch.means[plane][window], cells, column_s))


def _planes(batch: QBatch) -> list[tuple[NDArray[np.float32], "_Cells"]]:
    window_s = int(batch.tiling.duration) - 2 * GUARD_S
    return list(zip(batch.means, _cells(batch.tiling, window_s), strict=True))


@dataclass(frozen=True)
class _Cells:
    """The cells of one plane, and the boxes made of them.

    Attributes
    ----------
    area
        Degrees of freedom of a cell of each row, row spacing times duration: float32 [rows].
    along
        The same for a path of one row: noise bandwidth times duration, float32 [rows].
    expected
        Area of each box one column wide: float64 [sizes in frequency, boxes].
    freedom
        Degrees of freedom of each box's mean energy, its squared mean over its variance (that of
        the noise's level included): float64 [sizes in time, sizes in frequency, boxes].
    least
        Energy above its mean that noise alone reaches in one box of each size of a window, on
        average: float64 as ``freedom``. What is below needs no closer look.
    log_trials
        Logarithm of the number of independent boxes of each size: float64 [times, frequencies].
    """

    area: NDArray[np.float32]
    along: NDArray[np.float32]
    expected: NDArray[np.float64]
    freedom: NDArray[np.float64]
    least: NDArray[np.float64]
    log_trials: NDArray[np.float64]


@lru_cache(maxsize=4)
def _cells(tiling: Tiling, window_s: int) -> tuple[_Cells, ...]:
    return tuple(_plane_cells(rows, window_s) for rows in tiling.planes)


def cell_areas(
    rows: tuple[Row, ...], window_s: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return degrees of freedom of a plane's cells, along their row alone and among others.

    Float64 [rows] each: the noise bandwidth and the row spacing (Hz), times a column's duration.
    """
    duration = window_s / mean_columns(rows[0].q, window_s)
    frequency = np.array([row.frequency for row in rows])
    along = _NOISE_BANDWIDTH * _half_width(rows) * duration
    return along, np.gradient(frequency) * duration if len(rows) > 1 else along


def _half_width(rows: tuple[Row, ...]) -> NDArray[np.float64]:
    return sqrt(11) * np.array([row.frequency for row in rows]) / rows[0].q


def _plane_cells(rows: tuple[Row, ...], window_s: int) -> _Cells:
    columns = mean_columns(rows[0].q, window_s)
    duration = window_s / columns
    frequency, half_width = np.array([row.frequency for row in rows]), _half_width(rows)
    along, area = cell_areas(rows, window_s)
    spans = _row_spans(len(rows))
    widths = 2 ** np.arange(max(columns.bit_length() - 1, 1))  # up to half the window
    expected = np.zeros((len(spans), len(rows)))
    freedom = np.ones((len(widths), len(spans), len(rows)))
    log_trials = np.zeros((len(widths), len(spans)))
    for size, boxes in enumerate(spans):
        expected[size, : len(boxes)] = [area[first:last].sum() for first, last in boxes]
    for time, width in enumerate(widths):
        variance = _Variance(area, frequency, half_width, duration * width)
        for size, boxes in enumerate(spans):
            mean = expected[size, : len(boxes)]
            relative = variance.of(*np.transpose(boxes)) / mean**2
            freedom[time, size, : len(boxes)] = 1 / (relative + _LEVEL_RMS**2)
            apart = mean[:: min(size + 1, 2)] * width  # every other box of size 2 and more
            log_trials[time, size] = np.log(max(np.minimum(apart, 1).sum() * columns / width, 1.0))
    spread = 1 / (9 * freedom)
    floor = np.clip(-ndtri(np.exp(-log_trials)), 0, None)[..., None]
    least = ((floor * np.sqrt(spread) + 1 - spread) ** 3 - 1) * expected * widths[:, None, None]
    return _Cells(
        area.astype(np.float32), along.astype(np.float32), expected, freedom, least, log_trials
    )


def _row_spans(rows: int) -> list[list[tuple[int, int]]]:
    """Return for each box size 1, 2, 4, … all its spans of rows [first, last).

    Boxes of size 2 and more overlap by half; at the top they are cut; the last size has one
    box that holds all rows.
    """
    spans = [[(row, row + 1) for row in range(rows)]]
    half = 1
    while half < rows:
        count = max(ceil(rows / half) - 1, 1)
        spans.append([(i * half, min((i + 2) * half, rows)) for i in range(count)])
        half *= 2
    return spans


class _Variance:
    """Variance of the energy (each tile's noise has mean 1) in boxes of one duration, by rows.

    The covariance of two rows' time averages over T is ∫(1 − |τ|/T)·|r(τ)|² dτ / T, with r the
    Fourier transform of the product of both rows' windows over that of one squared.
    """

    def __init__(
        self,
        area: NDArray[np.float64],
        frequency: NDArray[np.float64],
        half_width: NDArray[np.float64],
        duration: float,
    ) -> None:
        self._sums = []
        for lag in range(len(area)):
            apart = frequency[lag:] - frequency[: len(area) - lag]
            width = np.sqrt(half_width[lag:] * half_width[: len(area) - lag])
            offset = float(np.median(apart / width))
            if offset >= 2:
                break
            covariance = _covariance(round(offset, 3), width * duration)
            products = area[lag:] * area[: len(area) - lag] * covariance
            self._sums.append(np.concatenate([[0], np.cumsum(products)]))

    def of(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the variances of the summed energies of boxes of rows [first, last)."""
        own = self._sums[0][last] - self._sums[0][first]
        total = own.copy()
        for lag, sums in enumerate(self._sums[1:], 1):
            wide = last - first > lag
            total[wide] += sums[last[wide] - lag] - sums[first[wide]]
        return 2 * total - own


def _covariance(offset: float, time_bandwidth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of two rows' mean energies over T, given T times the window's half-width.

    ``offset`` is the distance of the rows over that half-width.
    """
    lag, inner, outer = _response(offset)
    capped = np.minimum(time_bandwidth, lag[-1])
    overlap = np.interp(capped, lag, inner) - np.interp(capped, lag, outer) / time_bandwidth
    return 2 * overlap / time_bandwidth


@lru_cache(maxsize=64)
def _response(
    offset: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return lags u (times half-width), ∫|r|² du and ∫u·|r|² du from 0 to each lag."""
    lag, x, waves = _waves()
    window = (1 - x**2) ** 2
    other = np.clip(1 - (x - offset) ** 2, 0, None) ** 2
    response = waves @ (window * other) / np.sum(window**2)
    power = np.abs(response) ** 2
    step = lag[1]
    inner, outer = (
        np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2) * step])
        for values in (power, lag * power)
    )
    return lag, inner, outer


@lru_cache
def _waves() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.complex128]]:
    """Return lags [n], places in a window [m], and exp(2πi·lag·place) [n, m]."""
    x = np.linspace(-1, 1, 401)
    lag = np.linspace(0, 12, 1201)
    return lag, x, np.exp(2j * pi * np.outer(lag, x))


def _plane_excess(means: NDArray[np.float32], cells: _Cells) -> NDArray[np.float64]:
    """Return −log10 of any box's smallest trials-corrected tail probability: float64 [n]."""
    return _scanned(means, cells)[0] / log(10)


def _plane_box(means: NDArray[np.float32], cells: _Cells) -> tuple[float, NDArray[np.bool_]]:
    """Return one window's −log10 of the same, and the box: bool [rows, columns]."""
    best, where = _scanned(means[None], cells)
    size, box, time, column = where[0]
    first, last = _row_spans(len(means))[size][box]
    step = 2 ** max(time - 1, 0)
    inside = np.zeros(means.shape, bool)
    inside[first:last, column * step : column * step + 2**time] = True
    return best[0] / log(10), inside


def _scanned(
    means: NDArray[np.float32], cells: _Cells
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what `_scan_boxes` finds: float64 [n] and int64 [n, 4]."""
    best, where = np.zeros(len(means)), np.zeros((len(means), 4), np.int64)
    _scan_boxes(
        means, cells.area, cells.expected, cells.freedom, cells.least, cells.log_trials,
        best, where,
    )  # fmt: skip
    return best, where


def _plane_track(means: NDArray[np.float32], cells: _Cells) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of the best path: float64 [n]."""
    best = np.zeros(len(means), np.float32)
    _best_paths(means, cells.along, cells.area / cells.along, _SLOPE, _OFFSET, best)
    return best.astype(np.float64)


def _plane_path(means: NDArray[np.float32], cells: _Cells) -> tuple[float, NDArray[np.bool_]]:
    """Return one window's best path, its ratio and its cells: bool [rows, columns]."""
    across = (cells.area / cells.along).astype(np.float32)
    reached, origin = _follow_paths(means, cells.along, across, _SLOPE, _OFFSET)
    inside = np.zeros(means.shape, bool)
    column, row = np.unravel_index(reached.argmax(), reached.shape)
    ratio = float(reached[column, row])
    while column >= 0 and reached[column, row] > 0:
        start = origin[column, row]
        inside[min(row, start) : max(row, start) + 1, column] = True
        column, row = column - 1, start
    return ratio, inside


@compiled()
def _log_tail(z):  # type: ignore[no-untyped-def]
    """−ln of the normal distribution's tail above z."""
    if z < _ASYMPTOTIC:
        return -log(0.5 * erfc(z / sqrt(2.0)))
    return 0.5 * z * z + log(z * sqrt(2.0 * pi))


@compiled(fastmath=True)
def _scan_boxes(means, area, expected, freedom, least, log_trials, best, where):  # type: ignore[no-untyped-def]
    """Raise ``best`` [n] to the largest −ln p − ln trials of any box of each window.

    ``where`` [n, 4] becomes that box: its size in frequency, which one of that size, its size in
    time, and its first column over half its width.
    """
    n, rows, columns = means.shape
    halves = np.empty((rows, columns), np.float32)
    line = np.empty(columns, np.float32)
    for i in range(n):
        for r in range(rows):
            for c in range(columns):
                halves[r, c] = area[r] * (means[i, r, c] * np.float32(_LN2) - np.float32(1))
        count = rows
        for size in range(expected.shape[0]):
            alone = size == 0 or count == 1
            for r in range(count if alone else count - 1):
                for c in range(columns):
                    line[c] = halves[r, c]
                if not alone:
                    for c in range(columns):
                        line[c] += halves[r + 1, c]
                found, time, column = _scan_line(
                    line, expected[size, r], freedom[:, size, r], least[:, size, r],
                    log_trials[:, size],
                )  # fmt: skip
                if found > best[i]:
                    best[i] = found
                    where[i, 0], where[i, 1], where[i, 2], where[i, 3] = size, r, time, column
            if size > 0:
                _join_rows(halves, count)
                count = (count + 1) // 2


@compiled(fastmath=True)
def _join_rows(halves, count):  # type: ignore[no-untyped-def]
    """Add up neighbouring rows of the first ``count`` in place; an odd last one stays alone."""
    for r in range(count // 2):
        for c in range(halves.shape[1]):
            halves[r, c] = halves[2 * r, c] + halves[2 * r + 1, c]
    if count % 2:
        halves[count // 2] = halves[count - 1]


@compiled(fastmath=True)
def _scan_line(line, expected, freedom, least, log_trials):  # type: ignore[no-untyped-def]
    """Return the largest −ln p − ln trials of any box of one span of rows; uses ``line`` up.

    Boxes are 1, 2, 4, … columns wide; those of 2 and more overlap by half. Returned are as well
    the box's size in time and its first column over half its width.
    """
    best, best_time, best_column = 0.0, 0, 0
    count = len(line)
    for time in range(len(least)):
        top = np.float32(-1e30)
        if time > 0:
            count = len(line) >> (time - 1)
            for c in range(count - 1):
                top = max(top, line[c] + line[c + 1])
        else:
            for c in range(count):
                top = max(top, line[c])
        if top >= least[time]:
            # Wilson & Hilferty 1931: the cube root of a gamma variable is nearly normal.
            spread = 1 / (9 * freedom[time])
            z = ((1 + top / (expected * 2**time)) ** (1 / 3) - (1 - spread)) / sqrt(spread)
            value = _log_tail(z) - log_trials[time]
            if value > best:
                best, best_time = value, time
                best_column = _column_of(line[:count], time > 0)
        if time > 0:
            for c in range(count // 2):
                line[c] = line[2 * c] + line[2 * c + 1]
    return best, best_time, best_column


@compiled()
def _column_of(line, paired):  # type: ignore[no-untyped-def]
    """Return where a line, or the sum of neighbours on it, is largest."""
    if paired:
        return np.argmax(line[:-1] + line[1:])
    return np.argmax(line)


@compiled(fastmath=True)
def _best_paths(means, along, across, slope, offset, best):  # type: ignore[no-untyped-def]
    """Raise ``best`` [n] to the largest sum of log-likelihood ratios along any path.

    A path goes on in its row, or climbs or falls inside a column for a price; it may begin and
    end anywhere, so a sum below zero begins anew. Neighbouring rows share most of their noise: a
    row crossed counts for ``across`` of a cell.
    """
    n, rows, columns = means.shape
    energy = np.empty((columns, rows), np.float32)
    reached = np.empty(rows, np.float32)
    arriving = np.empty(rows, np.float32)
    crossing = np.empty(rows, np.float32)
    zero = np.float32(0)
    for i in range(n):
        for r in range(rows):
            for c in range(columns):
                energy[c, r] = means[i, r, c]
        reached[:] = 0
        top = best[i]
        for c in range(columns):
            for r in range(rows):
                ratio = along[r] * (energy[c, r] * slope - offset)
                arriving[r] = max(reached[r] + ratio, zero)
                crossing[r] = across[r] * ratio - np.float32(_CROSSING_PRICE)
            reached[:] = arriving
            # Upwards and downwards at once: each waits for its own last sum alone.
            up, down = zero, zero
            for r in range(rows):
                up = max(arriving[r], up + crossing[r])
                reached[r] = max(reached[r], up)
                q = rows - 1 - r
                down = max(arriving[q], down + crossing[q])
                reached[q] = max(reached[q], down)
            for r in range(rows):
                top = max(top, reached[r])
        best[i] = top


@compiled()
def _follow_paths(means, along, across, slope, offset):  # type: ignore[no-untyped-def]
    """Return what the best path to each cell of one window has, and where it entered its column.

    Paths are those of `_best_paths`; float32 and int64 [columns, rows]. A path that reaches a cell
    came along the row ``origin`` into the cell's column, from what was reached there before.
    """
    rows, columns = means.shape
    reached = np.zeros((columns, rows), np.float32)
    origin = np.empty((columns, rows), np.int64)
    crossing = np.empty(rows, np.float32)
    arriving = np.empty(rows, np.float32)
    zero = np.float32(0)
    for c in range(columns):
        for r in range(rows):
            ratio = along[r] * (means[r, c] * slope - offset)
            before = reached[c - 1, r] if c > 0 else zero
            arriving[r] = max(before + ratio, zero)
            crossing[r] = across[r] * ratio - np.float32(_CROSSING_PRICE)
            reached[c, r], origin[c, r] = arriving[r], r
        for step in (1, -1):
            best, start = zero, 0 if step > 0 else rows - 1
            for r in range(start, rows if step > 0 else -1, step):
                best += crossing[r]
                if arriving[r] >= best:
                    best, start = arriving[r], r
                if best > reached[c, r]:
                    reached[c, r], origin[c, r] = best, start
    return reached, origin
