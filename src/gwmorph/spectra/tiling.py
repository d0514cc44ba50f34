"""The tiling of the time-frequency plane, tile for tile as gwpy lays it.

Conventions: Chatterji (2005, PhD thesis, MIT) chapter 5 and ``gwpy.signal.qtransform``. Every
formula here equals gwpy's, so that energies can be compared tile by tile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, exp, log, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwmorph.errors import ConfigError
from gwmorph.spectra.band import Band

_SQRT_11 = sqrt(11.0)


@dataclass(frozen=True)
class Row:
    """All tiles of one Q and one frequency.

    ``tiles`` cells of equal length cover ``duration`` seconds. The row's spectrum is the product
    of the data's Fourier coefficients ``first … first + len(window) - 1`` and ``window``.
    """

    q: float
    frequency: float
    duration: float
    tiles: int
    first: int
    window: NDArray[np.float32]

    @property
    def step(self) -> float:
        """Time between tile centres in seconds."""
        return self.duration / self.tiles


@dataclass(frozen=True)
class Tiling:
    """Rows of tiles for spans of ``duration`` seconds at ``sample_rate`` Hz.

    The band really covered ends at ``f_top``: ``f_high`` or, where lower, the frequency at which
    the bisquare window of the lowest Q reaches Nyquist, 1291 Hz for 4096 Hz data and Q from 4.

    Raises
    ------
    ConfigError
        The band ends where it begins, or before.
    """

    duration: float
    sample_rate: int
    q_low: float
    q_high: float
    f_low: float
    f_high: float
    mismatch: float

    def __post_init__(self) -> None:
        """Check that there is a band."""
        if self.f_top <= self.f_low:
            raise ConfigError(
                f"qtransform: there are no tiles from {self.f_low:g} to {self.f_top:g} Hz. Tiles "
                "begin at qtransform.f_low (at conditioning.low_hz where that is higher) and end "
                "at qtransform.f_high, at conditioning.high_hz or where the lowest Q reaches "
                "Nyquist, whichever is lowest; change one of them."
            )

    def within(self, band: Band) -> "Tiling":
        """Return the tiles inside a pass band: of what a filter took away rows hold anything.

        Rows are divided by their medians, which outside the band are next to nothing. ``f_high``
        stays as it is where the rows end inside the band anyway.
        """
        upper = band.upper(self.sample_rate)
        high = upper if self.f_top > upper else self.f_high
        return replace(self, f_low=max(self.f_low, band.low_hz), f_high=high)

    @cached_property
    def qs(self) -> tuple[float, ...]:
        """Q of each plane, rising."""
        total = log(self.q_high / self.q_low) / sqrt(2)
        planes = max(ceil(total / self._step), 1)
        step = total / planes
        return tuple(self.q_low * exp(sqrt(2) * step * (i + 0.5)) for i in range(planes))

    @cached_property
    def f_top(self) -> float:
        """Upper edge of the band that is really covered, in Hz."""
        return min(self.f_high, self.sample_rate / 2 / (1 + _SQRT_11 / self.qs[0]))

    @cached_property
    def planes(self) -> tuple[tuple[Row, ...], ...]:
        """Rows of each plane, frequencies rising."""
        return tuple(tuple(self._row(q, f) for f in self._frequencies(q)) for q in self.qs)

    @property
    def _step(self) -> float:
        """Mismatch distance between neighbouring tiles."""
        return 2 * sqrt(self.mismatch / 3)

    def _frequencies(self, q: float) -> list[float]:
        total = log(self.f_top / self.f_low) * sqrt(2 + q * q) / 2
        count = max(1, ceil(total / self._step))
        step = total / count
        grid = 1 / self.duration
        raw = [
            self.f_low * exp(2 / sqrt(2 + q * q) * (i + 0.5) * step) // grid * grid
            for i in range(count)
        ]
        return [f for i, f in enumerate(raw) if i == 0 or f != raw[i - 1]]

    def _row(self, q: float, frequency: float) -> Row:
        tiles = 2 ** ceil(log(self.duration * 2 * pi * frequency / q / self._step, 2))
        half = int(frequency / (q / _SQRT_11) * self.duration)
        offsets = np.arange(-half, half + 1)
        x = offsets / self.duration * (q / _SQRT_11) / frequency
        window = ((1 - x * x) ** 2).astype(np.float32)
        # The extra 1 is gwpy's; it shifts every row by one Fourier coefficient.
        first = round(-half + 1 + frequency * self.duration)
        return Row(q, frequency, self.duration, tiles, first, window)


def tiling_within_band(
    duration: float, conditioning: Mapping[str, Any], qtransform: Mapping[str, Any]
) -> Tiling:
    """Lay tiles over ``duration`` seconds inside the pass band.

    The mappings have the keys of the configuration's sections.

    Raises
    ------
    ConfigError
        No frequency is left.
    """
    band = Band(conditioning["low_hz"], conditioning["high_hz"])
    return Tiling(duration, conditioning["sample_rate"], **qtransform).within(band)
