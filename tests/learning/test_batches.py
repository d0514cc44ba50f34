"""Which rows a step sees."""

import numpy as np

from gwmorph.learning.batches import batch_rows, epoch_steps


def test_an_epoch_meets_every_row_once():
    met = np.concatenate([batch_rows(12, 4, step, 7) for step in range(3)])
    assert sorted(met.tolist()) == list(range(12))
    later = np.concatenate([batch_rows(12, 4, step, 7) for step in range(3, 6)])
    assert met.tolist() != later.tolist()
    assert len(batch_rows(3, 32, 5, 7)) == 3


def test_what_fills_no_batch_is_left_out_of_an_epoch():
    assert epoch_steps(10, 4) == 2
    epochs = [[batch_rows(10, 4, step, 7) for step in (2 * n, 2 * n + 1)] for n in range(9)]
    assert all(len(set(np.concatenate(epoch).tolist())) == 8 for epoch in epochs)
    # Not always the same.
    assert len(set(np.concatenate(epochs).ravel().tolist())) == 10
