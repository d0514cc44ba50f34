"""What views may differ in, and how far apart vectors of different sources should lie."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How far the two views of a pair are changed at random; nothing is ever flipped or rotated.

    Attributes
    ----------
    shift_columns, shift_rows
        Largest shift in time of each crop on its own, and in frequency of all four together, in
        pixels of 56.
    stretch
        Largest change of a crop's time scale, as a fraction.
    energy
        Standard deviation of the logarithm of the factor on all energies.
    speckle
        Standard deviation of what is added to each pixel's brightness.
    blur
        Probability that a view is smoothed, as other programs draw their tiles.
    dropout
        Probability that a view loses a span of time or a band of frequencies.
    """

    shift_columns: float = 3.0
    shift_rows: float = 2.0
    stretch: float = 0.1
    energy: float = 0.25
    speckle: float = 0.02
    blur: float = 0.3
    dropout: float = 0.3


# Brightness of quiet pixels, which dropout leaves behind.
_QUIET = 0.3


def augment(views: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Return changed views, float [n, crops, 56, 56] of brightness; equal seeds, equal changes."""

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator).to(views.device)

    n = len(views)
    factor = torch.exp(0.5 * how.energy * torch.randn(n, generator=generator)).to(views.device)
    out = _moved(views, how, draw) * factor[:, None, None, None]
    out = out + how.speckle * torch.randn(out.shape, generator=generator).to(out.device)
    smooth = functional.avg_pool2d(out, 3, 1, 1, count_include_pad=False)
    out = torch.where((draw(n) < how.blur)[:, None, None, None], smooth, out)
    out = _with_gap(out, 2, how.dropout / 2, draw)
    return _with_gap(out, 3, how.dropout / 2, draw).clamp(0, 1)


def _moved(views: Tensor, how: Augmentation, draw) -> Tensor:  # type: ignore[no-untyped-def]
    """Shift and stretch; what comes in from outside repeats the edge."""
    n, crops, rows, columns = views.shape
    theta = torch.zeros(n, crops, 2, 3, device=views.device)
    theta[:, :, 0, 0] = 1 + how.stretch * (2 * draw(n, crops) - 1)
    theta[:, :, 1, 1] = 1
    theta[:, :, 0, 2] = 2 * how.shift_columns / columns * (2 * draw(n, crops) - 1)
    theta[:, :, 1, 2] = 2 * how.shift_rows / rows * (2 * draw(n, 1) - 1)
    grid = functional.affine_grid(
        theta.flatten(0, 1), [n * crops, 1, rows, columns], align_corners=False
    )
    moved = functional.grid_sample(
        views.reshape(-1, 1, rows, columns), grid, padding_mode="border", align_corners=False
    )
    return moved.view_as(views)


def _with_gap(views: Tensor, axis: int, probability: float, draw) -> Tensor:  # type: ignore[no-untyped-def]
    """Make one span of up to a quarter of an axis quiet, in some of the views."""
    n, size = len(views), views.shape[axis]
    place = torch.arange(size, device=views.device)
    first, length = draw(n, 1) * size, draw(n, 1) * size / 4
    gap = (place >= first) & (place < first + length) & (draw(n, 1) < probability)
    gap = gap[:, None, None, :] if axis == 3 else gap[:, None, :, None]
    return torch.where(gap, _QUIET, views)


def nt_xent(
    first: Tensor, second: Tensor, temperature: float, alike: Tensor | None = None
) -> Tensor:
    """Return the normalised, temperature-scaled cross entropy of n pairs of unit vectors [n, d].

    Each vector is to be nearer to its partner than to the 2n - 2 others (Chen et al. 2020,
    arXiv:2002.05709). ``alike`` bool [n] marks pairs that all show the same, as quiet windows
    do: they are no negatives of each other.
    """
    n = len(first)
    vectors = torch.cat([first, second])
    logits = vectors @ vectors.T / temperature
    banned = torch.eye(2 * n, dtype=torch.bool, device=logits.device)
    target = (torch.arange(2 * n, device=logits.device) + n) % (2 * n)
    if alike is not None:
        both = torch.cat([alike, alike])
        banned |= both[:, None] & both[None, :]
        banned[torch.arange(2 * n), target] = False
    return functional.cross_entropy(logits.masked_fill(banned, -torch.inf), target)
