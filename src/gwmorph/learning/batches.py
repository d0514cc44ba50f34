"""Which rows a step of a training sees: the same for equal seeds, however often it was killed."""

import numpy as np
from numpy.typing import NDArray

from gwmorph.simulation.streams import stream


def epoch_steps(rows: int, batch_size: int) -> int:
    """Return the updates in which every row is seen once, but for what is left over."""
    return rows // min(batch_size, rows)


def batch_rows(rows: int, batch_size: int, step: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of one step's batch: every row once before any is met again.

    What does not fill a batch at the end of an epoch is left out of that epoch. Where there are
    fewer rows than asked for, all are a batch.
    """
    size = min(batch_size, rows)
    epoch, number = divmod(step, epoch_steps(rows, size))
    order = stream(seed, "epoch", epoch).permutation(rows)
    return order[number * size : (number + 1) * size]
