import math

import torch
from torch.nn import functional

from gwmorph.learning.contrastive import Augmentation, augment, nt_xent

NONE = Augmentation(
    shift_columns=0, shift_rows=0, stretch=0, energy=0, speckle=0, blur=0, dropout=0
)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spot() -> torch.Tensor:
    views = torch.full((8, 4, 56, 56), 0.3)
    views[:, :, 20:24, 30:34] = 0.9
    return views


def test_no_augmentation_changes_nothing():
    views = torch.rand(3, 4, 56, 56, generator=seeded())
    torch.testing.assert_close(augment(views, NONE, seeded()), views, atol=1e-5, rtol=0)


def test_equal_seeds_give_equal_changes():
    first, again, other = (augment(spot(), Augmentation(), seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 1


def test_shifts_stay_within_their_limits_and_rows_shift_together():
    how = Augmentation(**{**vars(NONE), "shift_columns": 3, "shift_rows": 2})
    bright = augment(spot(), how, seeded()) - 0.3
    grid = torch.arange(56.0)
    weight = bright.sum((2, 3))
    row = (bright.sum(3) * grid).sum(2) / weight - 21.5
    column = (bright.sum(2) * grid).sum(2) / weight - 31.5
    assert 1 < row.abs().max() <= 2.01
    assert 1 < column.abs().max() <= 3.01
    torch.testing.assert_close(row, row[:, :1].expand(-1, 4), atol=1e-3, rtol=0)
    assert column.std(1).max() > 0.5


def test_dropout_leaves_quiet_spans_behind():
    how = Augmentation(**{**vars(NONE), "dropout": 1.0})
    changed = augment(torch.ones(50, 4, 56, 56), how, seeded())
    assert set(changed.unique().tolist()) == {changed.min().item(), 1.0}
    assert 0.02 < (changed < 1).float().mean() < 0.25


def test_loss_of_partners_that_agree_and_of_chance():
    vectors = functional.normalize(torch.randn(40, 64, generator=seeded()), dim=1)
    others = functional.normalize(torch.randn(40, 64, generator=seeded(2)), dim=1)
    assert nt_xent(vectors, vectors, 0.05) < 0.01
    assert abs(nt_xent(vectors, others, 1.0).item() - math.log(79)) < 0.1


def test_alike_pairs_are_no_negatives_of_each_other():
    same = torch.ones(3, 2) / math.sqrt(2)
    alike = torch.tensor([True, True, True])
    assert nt_xent(same, same, 0.1, alike).item() == 0
    assert abs(nt_xent(same, same, 0.1).item() - math.log(5)) < 1e-5
