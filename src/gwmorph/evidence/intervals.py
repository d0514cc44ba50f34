"""Intervals by a block bootstrap: what happens close in time is drawn together.

Glitches come in bursts, so rows of one stretch of time are no independent draws. All rows of a
block of GPS time and of a detector are drawn or left out together (Kuensch 1989,
doi:10.1214/aos/1176347265, with blocks on a fixed grid).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.simulation.streams import stream

# Fewer blocks say nothing of how blocks differ.
FEWEST_BLOCKS = 5
_PERCENTILES = (2.5, 97.5)

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are drawn: ``repeats`` times, in stretches of ``block_s`` s, with ``seed``."""

    block_s: int
    repeats: int
    seed: int


def blocks_of_time(rows: pa.Table, block_s: int) -> NDArray[np.int64]:
    """Return the block of each row, int64 [n]: its detector, and ``block_s`` seconds of GPS time.

    ``rows`` have the columns ``detector`` and ``gps_start``.
    """
    place = np.char.add(
        np.array(rows["detector"].to_pylist(), dtype="U2"),
        (rows["gps_start"].to_numpy() // block_s).astype("U20"),
    )
    return np.unique(place, return_inverse=True)[1].astype(np.int64)


def drawn_rows(
    blocks: NDArray[np.integer], repeats: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of as many blocks as there are, drawn with replacement."""
    _, number = np.unique(blocks, return_inverse=True)
    order = np.argsort(number, kind="stable")
    pieces = np.split(order, np.cumsum(np.bincount(number))[:-1])
    for _ in range(repeats):
        chosen = rng.integers(len(pieces), size=len(pieces))
        yield np.concatenate([pieces[block] for block in chosen])


def intervals(
    figures: Callable[[NDArray[np.int64]], Figures],
    blocks: NDArray[np.integer],
    repeats: int,
    seed: int,
) -> dict[str, tuple[float, float, float]]:
    """Return value and 95 % interval of each figure of n rows.

    A row that is drawn twice agrees with itself, which raises every agreement of partitions: the
    percentiles are moved by as much as the mean of the draws lies beside the value, but neither
    past the value nor past 1, which no figure exceeds.

    Parameters
    ----------
    figures
        From row numbers to figures by name; a figure may be nan where it cannot be taken.
    blocks
        Block of each row, [n].
    repeats
        Number of draws.
    seed
        Of the draws.

    Returns
    -------
    Value, low and high by name; low and high are nan where there are fewer than 5 blocks, or no
    draw has the figure.
    """
    value = figures(np.arange(len(blocks)))
    if len(np.unique(blocks)) < FEWEST_BLOCKS:
        return {name: (float(found), np.nan, np.nan) for name, found in value.items()}
    rng = stream(seed, "bootstrap of blocks")
    draws = [figures(rows) for rows in drawn_rows(blocks, repeats, rng)]
    return {name: _interval(found, [d[name] for d in draws]) for name, found in value.items()}


def interval_rows(
    figures: Callable[[NDArray[np.int64]], Figures],
    blocks: NDArray[np.integer],
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return `intervals` as records with figure, value, low, high and the number of rows."""
    return [
        {"figure": name, "value": value, "low": low, "high": high, "rows": len(blocks)}
        for name, (value, low, high) in intervals(figures, blocks, repeats, seed).items()
    ]


def _interval(value: float, draws: list[float]) -> tuple[float, float, float]:
    known = np.array([draw for draw in draws if np.isfinite(draw)])
    if not len(known):
        return float(value), np.nan, np.nan
    low, high = np.percentile(known, _PERCENTILES) + value - known.mean()
    return float(value), min(float(low), value), min(max(float(high), value), 1.0)
