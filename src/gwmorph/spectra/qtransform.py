"""The Q-transform of many windows at once, pooled into pictures.

For every tile gwpy's energy is computed in single precision: the squared modulus of the inverse
FFT of a windowed piece of the spectrum, over the median of its row. A picture's pixel takes the
*maximum* over the tiles whose centres lie in it, because sampling at pixel centres misses what is
shorter than a pixel; a pixel without a centre takes the nearest tile.

The transform is circular: what happens just before the end of the span shows up at its start.
Spans therefore carry ``GUARD_S`` seconds on each side of the window that count for the medians
but not for the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray
from scipy.fft import ifft, rfft

from gwmorph.errors import StrainError
from gwmorph.spectra.compiled import compiled
from gwmorph.spectra.medians import row_median
from gwmorph.spectra.tiling import Row, Tiling

GUARD_S = 2
# Several arrays at once let the FFT use the processor's vector units. Batches are always full:
# those units round differently, and a window's energies must not depend on its neighbours.
# Four windows' tiles are 51 MB.
BATCH = 4
_COLUMN_HZ = 160.0


@dataclass(frozen=True)
class LoudestTiles:
    """The loudest tile of each of n windows; every array is float64 [n] but ``plane`` int64 [n].

    ``time`` is in seconds from the window's start, ``frequency`` in Hz, ``energy`` over the
    row's median.
    """

    time: NDArray[np.float64]
    frequency: NDArray[np.float64]
    q: NDArray[np.float64]
    energy: NDArray[np.float64]
    plane: NDArray[np.int64]


@dataclass(frozen=True)
class QPlanes:
    """Pooled energies float32 [n, planes, height, width], top row first, and loudest tiles."""

    energy: NDArray[np.float32]
    loudest: LoudestTiles


@dataclass(frozen=True)
class QBatch:
    """All tiles of up to four windows, valid until the next batch is asked for.

    Attributes
    ----------
    tiling
        Where the tiles of each plane and row are.
    energies
        For each plane, for each of its rows: energies over the row's median, float32
        [n, tiles]; tile k is centred ``k·row.step - GUARD_S`` seconds after the window's start,
        so that the guards on both sides are included.
    means
        For each plane the mean energy of each row's tiles in each of `mean_columns` equal parts
        of the window, float32 [n, rows, columns].
    row_peaks
        For each plane the largest energy of each row, guards included, float32 [n, rows].
    planes
        Pooled pictures of all planes and the loudest tiles.
    """

    tiling: Tiling
    energies: tuple[tuple[NDArray[np.float32], ...], ...]
    means: tuple[NDArray[np.float32], ...]
    row_peaks: tuple[NDArray[np.float32], ...]
    planes: QPlanes


def mean_columns(q: float, window_s: int) -> int:
    """Return the number of columns of ``QBatch.means`` in the plane of one Q, a power of two.

    A column lasts about as long as Q periods of 160 Hz, so that the cells (row times column) of
    all planes hold about the same area and no plane has many more of them than another.
    """
    return int(2 ** round(log2(window_s * _COLUMN_HZ / q)))


def max_over_planes(planes: QPlanes) -> NDArray[np.float32]:
    """Return the largest energy over all planes, pixel by pixel: float32 [n, height, width]."""
    return planes.energy.max(axis=1)


def loudest_plane(planes: QPlanes) -> NDArray[np.float32]:
    """Return, as gwpy does, the plane with each window's loudest tile: [n, height, width]."""
    return planes.energy[np.arange(len(planes.energy)), planes.loudest.plane]


def omicron_snr(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Omicron's SNR, √(2(Z − 1)) with Z = E·ln 2, and 0 where Z ≤ 1.

    E over the median has mean 1/ln 2 in white noise, so Z is the energy over the noise's mean
    (Robinet et al. 2020, arXiv:2007.11374).
    """
    return np.sqrt(2 * np.maximum(energy * np.log(2) - 1, 0))


class QTransform:
    """The Q-transform of windows of ``window_s`` seconds with ``GUARD_S`` more on both sides.

    Parameters
    ----------
    tiling
        Tiling of the whole span; its duration must be ``window_s + 2·GUARD_S``.
    window_s
        Length of the window that the picture shows, in seconds.
    height, width
        Pixels; rows are logarithmic in frequency from ``tiling.f_low`` to ``tiling.f_top``.

    Raises
    ------
    ValueError
        The tiling's duration does not fit the window.
    """

    def __init__(
        self,
        tiling: Tiling,
        window_s: int,
        height: int,
        width: int,
    ) -> None:
        if tiling.duration != window_s + 2 * GUARD_S:
            raise ValueError(
                f"the tiling spans {tiling.duration} s, expected {window_s + 2 * GUARD_S} s"
            )
        self.tiling = tiling
        self._shape = (height, width)
        self._window_s = window_s
        self._columns = {
            row.tiles: _column_tiles(row.tiles, window_s, width)
            for plane in tiling.planes
            for row in plane
        }
        self._mean_edges = [
            {
                row.tiles: _column_tiles(row.tiles, window_s, mean_columns(row.q, window_s))
                for row in plane
            }
            for plane in tiling.planes
        ]
        self._rows = [pixel_rows(plane, tiling, height) for plane in tiling.planes]
        self._energies = [
            [np.empty((BATCH, row.tiles), np.float32) for row in plane] for plane in tiling.planes
        ]

    def __call__(self, spans: NDArray[np.float32]) -> QPlanes:
        """Return the pooled pictures of n whitened spans; errors as in `batches`."""
        parts = [batch.planes for batch in self.batches(spans)]
        return QPlanes(
            np.concatenate([part.energy for part in parts]),
            LoudestTiles(
                *(
                    np.concatenate([getattr(part.loudest, name) for part in parts])
                    for name in LoudestTiles.__dataclass_fields__
                )
            ),
        )

    def batches(self, spans: NDArray[np.float32]) -> Iterator[QBatch]:
        """Transform whitened spans, float32 [n, duration·sample_rate], a few at a time.

        Raises
        ------
        ValueError
            The spans have another length.
        StrainError
            The median energy of a row is zero or not finite, so that energies mean nothing.
        """
        for first in range(0, len(spans), BATCH):
            yield self.batch(spans[first : first + BATCH])

    def batch(self, spans: NDArray[np.float32]) -> QBatch:
        """Transform at most ``BATCH`` whitened spans; as `batches`.

        Raises
        ------
        ValueError
            The spans have another length, or there are more of them.
        StrainError
            As `batches`.
        """
        real, samples = len(spans), int(self.tiling.duration * self.tiling.sample_rate)
        if real > BATCH or spans.shape[1:] != (samples,):
            raise ValueError(f"expected at most {BATCH} spans of {samples}, got {spans.shape}")
        spectra = rfft(np.pad(spans, ((0, BATCH - real), (0, 0)), mode="edge"), axis=-1)
        pooled = np.empty((BATCH, len(self.tiling.planes), *self._shape), np.float32)
        peak = np.zeros(BATCH, np.float32)
        where = np.zeros((BATCH, 3), np.int64)  # plane, row, tile
        means, row_peaks = [], []
        for number, plane in enumerate(self.tiling.planes):
            largest = np.empty((BATCH, len(plane), self._shape[1]), np.float32)
            columns = mean_columns(plane[0].q, self._window_s)
            mean = np.empty((BATCH, len(plane), columns), np.float32)
            row_peak = np.empty((BATCH, len(plane)), np.float32)
            medians = np.empty((BATCH, len(plane)), np.float32)
            for index, row in enumerate(plane):
                _finish_row(
                    _tiles(spectra, row), self._energies[number][index], medians,
                    self._columns[row.tiles], largest, self._mean_edges[number][row.tiles], mean,
                    row_peak, peak, where, number, index,
                )  # fmt: skip
            _require_sound(medians, plane)
            pool_rows(largest, *self._rows[number], pooled[:, number])
            means.append(mean[:real])
            row_peaks.append(row_peak[:real])
        return QBatch(
            self.tiling,
            tuple(tuple(row[:real] for row in plane) for plane in self._energies),
            tuple(means),
            tuple(row_peaks),
            QPlanes(pooled[:real], self._loudest(peak[:real], where[:real])),
        )

    def _loudest(self, peak: NDArray[np.float32], where: NDArray[np.int64]) -> LoudestTiles:
        rows = [self.tiling.planes[plane][row] for plane, row, _ in where]
        return LoudestTiles(
            time=np.array(
                [t * row.step - GUARD_S for row, t in zip(rows, where[:, 2], strict=True)]
            ),
            frequency=np.array([row.frequency for row in rows]),
            q=np.array([row.q for row in rows]),
            energy=peak.astype(np.float64),
            plane=where[:, 0],
        )


def row_energies(
    spectra: NDArray[np.complex64], row: Row, out: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Write the energies of one row's tiles, not yet over their median, to ``out`` [n, tiles].

    ``spectra`` are the Fourier coefficients (``rfft``) of n whitened spans. Where the piece of
    spectrum sits inside the padded array changes only phases, so it sits at its start.
    """
    _squared_moduli(_tiles(spectra, row), out)
    return out


def _tiles(spectra: NDArray[np.complex64], row: Row) -> NDArray[np.complex64]:
    """Return the complex amplitudes of one row's tiles, [n, tiles]."""
    padded = np.empty((len(spectra), row.tiles), np.complex64)
    _take_windowed(spectra, row.first, row.window, padded)
    return ifft(padded, axis=-1, norm="forward", overwrite_x=True)


def _require_sound(medians: NDArray[np.float32], plane: tuple[Row, ...]) -> None:
    """Raise unless the medians of a plane's rows, [n, rows], are positive numbers."""
    sound = (np.isfinite(medians) & (medians > 0)).all(axis=0)
    if not sound.all():
        index = int(sound.argmin())
        row = plane[index]
        raise StrainError(
            f"median tile energy {medians[:, index].min()} at {row.frequency:.1f} Hz, "
            f"Q {row.q:.1f}: expected a positive number; the whitened data are zero or not finite."
        )


def _column_tiles(
    tiles: int, window_s: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first tile of each column (and of the end), and each column's nearest tile."""
    duration = window_s + 2 * GUARD_S
    # Edge c lies at GUARD_S + c·window_s/width seconds; integers keep the ceiling exact.
    edges = -(-(GUARD_S * width + np.arange(width + 1) * window_s) * tiles // (width * duration))
    centres = (GUARD_S + (np.arange(width) + 0.5) * window_s / width) * tiles / duration
    nearest = np.clip(np.rint(centres).astype(np.int64), edges[0], edges[-1] - 1)
    return edges.astype(np.int64), nearest


def pixel_rows(
    plane: tuple[Row, ...], tiling: Tiling, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, from the top pixel row down, the span [first, last) of tile rows of each.

    A plane's tile rows belong to the pixel row that holds their frequency, of ``height`` pixel
    rows logarithmic from ``tiling.f_low`` to ``tiling.f_top``; one without takes the nearest.
    """
    position = np.log([row.frequency for row in plane])
    low, high = np.log(tiling.f_low), np.log(tiling.f_top)
    edges = np.linspace(low, high, height + 1)
    # Rounding down to the Fourier grid can put the lowest row below the picture.
    pixel = np.clip(np.searchsorted(edges, position, side="right") - 1, 0, height - 1)
    first = np.searchsorted(pixel, np.arange(height), side="left")
    last = np.searchsorted(pixel, np.arange(height), side="right")
    centres = (edges[1:] + edges[:-1]) / 2
    nearest = np.abs(centres[:, None] - position).argmin(axis=1)
    empty = first == last
    first[empty], last[empty] = nearest[empty], nearest[empty] + 1
    return first[::-1].copy(), last[::-1].copy()


# Loops below run over whole slices, and largest energies are found among their bits: numbers that
# are not negative lie in the order of these. Otherwise numba takes one number at a time, since an
# index may count from the end and a float may be NaN. Rows that hold NaN raise by their median.


@compiled(fastmath=True)
def _take_windowed(spectra, first, window, padded):  # type: ignore[no-untyped-def]
    """Write each spectrum's piece times the window, and zeros behind it."""
    for i in range(len(padded)):
        piece = spectra[i, first : first + len(window)]
        out = padded[i, : len(window)]
        for k in range(len(out)):
            out[k] = piece[k] * window[k]
        padded[i, len(window) :] = 0


@compiled(error_model="numpy")
def _finish_row(  # type: ignore[no-untyped-def]
    values, energies, medians, columns, largest, parts, mean, peaks, peak, where, plane, row
):  # fmt: skip
    """Write all that is wanted of one row: window by window, while its tiles are in the cache."""
    near = np.empty(energies.shape[1], np.float32)
    guess = np.float32(0)
    for i in range(len(energies)):
        energy = energies[i]
        _squared_modulus(values[i], energy)
        guess = medians[i, row] = row_median(energy, guess, near)
        _scale(energy, np.float32(1) / guess)
        peaks.view(np.int32)[i, row] = _largest(energy.view(np.int32))
        _pool_columns(energy, *columns, largest[i, row])
        _mean_columns(energy, *parts, mean[i, row])
        column = np.argmax(largest[i, row])
        if largest[i, row, column] > peak[i]:
            peak[i] = largest[i, row, column]
            first, last = _column(*columns, column)
            where[i, 0], where[i, 1] = plane, row
            where[i, 2] = first + np.argmax(energy[first:last])


@compiled()
def _squared_moduli(values, out):  # type: ignore[no-untyped-def]
    for i in range(len(values)):
        _squared_modulus(values[i], out[i])


@compiled(fastmath=True)
def _squared_modulus(values, out):  # type: ignore[no-untyped-def]
    for tile in range(len(values)):
        z = values[tile]
        out[tile] = z.real * z.real + z.imag * z.imag


@compiled(fastmath=True)
def _scale(energy, factor):  # type: ignore[no-untyped-def]
    for tile in range(len(energy)):
        energy[tile] *= factor


@compiled()
def _largest(bits):  # type: ignore[no-untyped-def]
    top = np.int32(0)
    for tile in range(len(bits)):
        top = max(top, bits[tile])
    return top


@compiled(fastmath=True)
def _sum(energy):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for tile in range(len(energy)):
        total += energy[tile]
    return total


@compiled()
def _column(edges, nearest, column):  # type: ignore[no-untyped-def]
    """Return the first tile of a column and the one behind its last."""
    if edges[column] == edges[column + 1]:
        return nearest[column], nearest[column] + 1
    return edges[column], edges[column + 1]


@compiled()
def _pool_columns(energy, edges, nearest, largest):  # type: ignore[no-untyped-def]
    """Write each column's maximum."""
    bits, out = energy.view(np.int32), largest.view(np.int32)
    for column in range(len(out)):
        first, last = _column(edges, nearest, column)
        out[column] = _largest(bits[first:last])


@compiled(fastmath=True)
def _mean_columns(energy, edges, nearest, mean):  # type: ignore[no-untyped-def]
    """Write each column's mean."""
    for column in range(len(mean)):
        first, last = _column(edges, nearest, column)
        mean[column] = _sum(energy[first:last]) / (last - first)


@compiled(fastmath=True)
def pool_rows(rows, first, last, out):  # type: ignore[no-untyped-def]
    """Write each pixel row's maximum over its tile rows into ``out``.

    ``rows`` float32 [n, tile rows, columns], ``out`` float32 [n, pixel rows, columns]; ``first``
    and ``last`` as `pixel_rows` gives them.
    """
    for i in range(out.shape[0]):
        for pixel in range(out.shape[1]):
            out[i, pixel] = rows[i, first[pixel]]
            for row in range(first[pixel] + 1, last[pixel]):
                for column in range(out.shape[2]):
                    out[i, pixel, column] = max(out[i, pixel, column], rows[i, row, column])
