"""The in-domain network: a small vision transformer that reads spectrograms crop by crop.

A crop is 56 x 56 pixels of one duration. A convolutional stem makes 7 x 7 tokens of it (Xiao et
al. 2021, arXiv:2106.14881), transformer blocks follow, and what the stem and every block say is
fused before the projection, as contrastive transformers for galaxies do (PASP 134, 2022, doi
10.1088/1538-3873/aca04e). An event is embedded as its four crops, one by one by the same
network, and their vectors are joined; a window of 32 s is read as four quarters of 8 s whose
features are pooled, so that it does not matter where in the window something happens.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from gwmorph.encoders.crops import CROPS

GRID = 7
# Durations in seconds of an event view's crops, and of a quarter of a window.
DURATIONS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
QUARTER = len(DURATIONS_S) - 1


@dataclass(frozen=True)
class Architecture:
    """Sizes of the network: they are written into a weights file and checked when it is read."""

    stem: int = 32
    width: int = 128
    blocks: int = 2
    heads: int = 4
    crop_size: int = 96
    version: int = 2

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return what `to_json` gave."""
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class CropNetwork(nn.Module):
    """Crops float [n, 4, 56, 56] in, unit vectors of the whole event or window out.

    Pixels are `brightness`: square roots of energies, 0 to 1.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        stem, width = architecture.stem, architecture.width
        self.architecture = architecture
        self.edges = nn.Sequential(*_convolution(1, stem, 5), *_convolution(stem, 2 * stem))
        self.embedding = nn.Sequential(*_convolution(2 * stem, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, GRID * GRID, width))
        self.duration = nn.Parameter(0.02 * torch.randn(len(DURATIONS_S), 1, width))
        self.blocks = nn.ModuleList(
            Block(width, architecture.heads) for _ in range(architecture.blocks)
        )
        token_depths = architecture.blocks + 1
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(token_depths))
        features = 2 * (2 * stem + token_depths * width)
        self.crop_head = _head(features, 2 * width, architecture.crop_size)
        self.window_head = _head(2 * features, 2 * width, CROPS * architecture.crop_size)

    def depths(self, crops: Tensor, durations: Tensor) -> list[Tensor]:
        """Return what is seen at every depth: [m, 196, 2 stem], then tokens [m, 49, width].

        The first are the edges that the stem sees; the tokens are those after the stem and after
        each block. ``crops`` [m, 56, 56]; ``durations`` int64 [m], numbers in ``DURATIONS_S``.
        """
        edges = self.edges(crops[:, None])
        tokens = [_sequence(self.embedding(edges)) + self.position + self.duration[durations]]
        for block in self.blocks:
            tokens.append(block(tokens[-1]))
        normed = [norm(x) for norm, x in zip(self.norms, tokens, strict=True)]
        return [_sequence(edges), *normed]

    def features(self, crops: Tensor, durations: Tensor) -> Tensor:
        """Return mean and maximum over the places of all depths: [m, features]."""
        depths = self.depths(crops, durations)
        return torch.cat([f for x in depths for f in (x.mean(1), x.amax(1))], 1)

    def crops(self, crops: Tensor, durations: Tensor) -> Tensor:
        """Return unit vectors [m, 96] of single crops [m, 56, 56]."""
        vectors = self.crop_head(self.features(crops, durations))
        return functional.normalize(vectors.float(), dim=1)

    def event(self, crops: Tensor) -> Tensor:
        """Return the unit vectors [n, 4, 96] of the crops [n, 4, 56, 56] of events.

        Joined and halved, the four are the unit vector of the event.
        """
        durations = torch.arange(CROPS, device=crops.device).repeat(len(crops))
        return self.crops(crops.flatten(0, 1), durations).unflatten(0, (-1, CROPS))

    def window_tokens(self, quarters: Tensor) -> Tensor:
        """Return the tokens after the last block on one grid: [n, 7, 28, width]."""
        tokens = self.depths(quarters.flatten(0, 1), _quarters_of(quarters))[-1]
        grid = tokens.unflatten(1, (GRID, GRID)).unflatten(0, (-1, CROPS))
        return grid.transpose(1, 2).flatten(2, 3)

    def window(self, quarters: Tensor) -> Tensor:
        """Return the unit vectors [n, 384] of windows, given as quarters [n, 4, 56, 56]."""
        features = self.features(quarters.flatten(0, 1), _quarters_of(quarters))
        features = features.unflatten(0, (-1, CROPS))
        pooled = torch.cat([features.mean(1), features.amax(1)], 1)
        return functional.normalize(self.window_head(pooled).float(), dim=1)


def _sequence(grid: Tensor) -> Tensor:
    """Return [m, channels, rows, columns] as [m, rows * columns, channels]."""
    return grid.flatten(2).transpose(1, 2)


def _quarters_of(windows: Tensor) -> Tensor:
    return torch.full((len(windows) * CROPS,), QUARTER, device=windows.device)


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return softmax(query·keyᵀ/√size)·value, all [m, heads, tokens, size].

    PyTorch's fused attention takes five times as long in bf16 on a CPU.
    """
    weights = torch.softmax(query @ key.transpose(2, 3) / query.shape[3] ** 0.5, dim=3)
    return weights @ value


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention = attention
        self.norm_1 = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens of the shape of ``x`` [m, tokens, width]."""
        mixed = self.mix(self.norm_1(x)).unflatten(2, (3, self.heads, -1))
        attended = self.attention(*mixed.permute(2, 0, 3, 1, 4))
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm_2(x))


def _convolution(given: int, made: int, size: int = 3, stride: int = 2) -> list[nn.Module]:
    # No bias: the normalisation has one.
    convolution = nn.Conv2d(given, made, size, stride, size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(made), nn.ReLU()]


def _head(features: int, hidden: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(features, hidden), nn.BatchNorm1d(hidden), nn.GELU(), nn.Linear(hidden, size)
    )
