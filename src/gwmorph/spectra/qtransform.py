"""The Q-transform of many windows at once, pooled into pictures.

For every tile gwpy's energy is computed in single precision: the squared modulus of the inverse
FFT of a windowed piece of the spectrum, over the median of its row. A picture's pixel takes the
*maximum* over the tiles whose centres lie in it, because sampling at pixel centres misses what is
shorter than a pixel; a pixel without a centre takes the nearest tile.

The transform is circular: what happens just before the end of the span shows up at its start.
Spans therefore carry ``GUARD_S`` seconds on each side of the window that count for the medians
but not for the picture.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.fft import ifft, rfft

from gwmorph.errors import StrainError
from gwmorph.spectra.tiling import Row, Tiling

GUARD_S = 2
# Several arrays at once let the FFT use the processor's vector units. Batches are always full:
# those units round differently, and a window's energies must not depend on its neighbours.
_BATCH = 8


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
        self._columns = {
            row.tiles: _column_tiles(row.tiles, window_s, width)
            for plane in tiling.planes
            for row in plane
        }
        self._rows = [_pixel_rows(plane, tiling, height) for plane in tiling.planes]

    def __call__(self, spans: NDArray[np.float32]) -> QPlanes:
        """Transform whitened spans, float32 [n, duration·sample_rate].

        Raises
        ------
        ValueError
            The spans have another length.
        StrainError
            The median energy of a row is zero or not finite, so that energies mean nothing.
        """
        samples = int(self.tiling.duration * self.tiling.sample_rate)
        if spans.ndim != 2 or spans.shape[1] != samples:
            raise ValueError(f"expected spans of shape (n, {samples}), got {spans.shape}")
        parts = [self._transform(spans[i : i + _BATCH]) for i in range(0, len(spans), _BATCH)]
        return QPlanes(
            np.concatenate([part.energy for part in parts]),
            LoudestTiles(
                *(
                    np.concatenate([getattr(part.loudest, name) for part in parts])
                    for name in LoudestTiles.__dataclass_fields__
                )
            ),
        )

    def _transform(self, spans: NDArray[np.float32]) -> QPlanes:
        real = len(spans)
        spectra = rfft(np.pad(spans, ((0, _BATCH - real), (0, 0)), mode="edge"), axis=-1)
        n, (height, width) = _BATCH, self._shape
        pooled = np.empty((n, len(self.tiling.planes), height, width), np.float32)
        peak = np.zeros(n, np.float32)
        where = np.zeros((n, 3), np.int64)  # plane, row, tile
        for number, plane in enumerate(self.tiling.planes):
            rows = np.empty((n, len(plane), width), np.float32)
            for index, row in enumerate(plane):
                energy = row_energies(spectra, row)
                energy_scale = 1 / _row_medians(energy, row)
                _pool_columns(
                    energy, energy_scale, *self._columns[row.tiles], rows[:, index],
                    peak, where, number, index,
                )  # fmt: skip
            _pool_rows(rows, *self._rows[number], pooled[:, number])
        return QPlanes(pooled[:real], self._loudest(peak[:real], where[:real]))

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


def row_energies(spectra: NDArray[np.complex64], row: Row) -> NDArray[np.float32]:
    """Return the energies of one row's tiles, not yet over their median: float32 [n, tiles].

    ``spectra`` are the Fourier coefficients (``rfft``) of n whitened spans. Where the piece of
    spectrum sits inside the padded array changes only phases, so it sits at its start.
    """
    size = len(row.window)
    padded = np.zeros((len(spectra), row.tiles), np.complex64)
    np.multiply(spectra[:, row.first : row.first + size], row.window, out=padded[:, :size])
    return _squared_modulus(ifft(padded, axis=-1, norm="forward", overwrite_x=True))


def _row_medians(energy: NDArray[np.float32], row: Row) -> NDArray[np.float32]:
    """Median of each row of tiles, whose number is even: the mean of the two middle values.

    A partition of float32 runs on vector units, unlike ``np.median``.
    """
    middle = row.tiles // 2
    ordered = np.partition(energy, middle, axis=1)
    medians = (ordered[:, :middle].max(axis=1) + ordered[:, middle]) / 2
    if not (np.isfinite(medians).all() and (medians > 0).all()):
        raise StrainError(
            f"median tile energy {medians.min()} at {row.frequency:.1f} Hz, Q {row.q:.1f}: "
            "expected a positive number; the whitened data are zero or not finite."
        )
    return medians


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


def _pixel_rows(
    plane: tuple[Row, ...], tiling: Tiling, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, from the top pixel row down, the span [first, last) of tile rows of each."""
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


@njit(cache=True, fastmath=True)
def _squared_modulus(values):  # type: ignore[no-untyped-def]
    out = np.empty(values.shape, np.float32)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            z = values[i, j]
            out[i, j] = z.real * z.real + z.imag * z.imag
    return out


@njit(cache=True, fastmath=True)
def _pool_columns(energy, energy_scale, edges, nearest, out, peak, where, plane, row):  # type: ignore[no-untyped-def]
    """Write each column's maximum into ``out`` and keep the loudest tile so far."""
    width = out.shape[1]
    for i in range(energy.shape[0]):
        tiles = energy[i]
        for column in range(width):
            first, last = edges[column], edges[column + 1]
            if first == last:
                first, last = nearest[column], nearest[column] + 1
            largest = np.float32(0)
            for tile in range(first, last):
                largest = max(largest, tiles[tile])
            largest *= energy_scale[i]
            out[i, column] = largest
            if largest > peak[i]:
                peak[i] = largest
                where[i, 0], where[i, 1] = plane, row
                where[i, 2] = first + np.argmax(tiles[first:last])


@njit(cache=True, fastmath=True)
def _pool_rows(rows, first, last, out):  # type: ignore[no-untyped-def]
    """Write each pixel row's maximum over its tile rows into ``out``."""
    for i in range(out.shape[0]):
        for pixel in range(out.shape[1]):
            out[i, pixel] = rows[i, first[pixel]]
            for row in range(first[pixel] + 1, last[pixel]):
                for column in range(out.shape[2]):
                    out[i, pixel, column] = max(out[i, pixel, column], rows[i, row, column])
