"""Networks that tell windows of whitened strain with a chirp from those without.

Both give two logits; two scores follow. The softmax is what such networks are trained with; it is
1 in single precision for all that is loud, and so cannot rank at low false-alarm probability. The
difference of the logits is its unbounded form (Schäfer et al. 2021, arXiv:2106.03741).
"""

from collections.abc import Callable
from math import log2

import torch
from torch import Tensor, nn

# The classic network: channels and kernels of its eight convolutions.
_CHANNELS = (8, 16, 16, 32, 64, 64, 128, 128)
_KERNELS = (32, 16, 16, 16, 8, 8, 4, 4)
_DENSE = 64
# What is left along time behind all convolutions.
_LAST = 8
# The residual network: blocks and channels of its six stages, 27 blocks in all.
_STAGES = ((4, 8), (4, 16), (4, 16), (5, 32), (5, 32), (5, 64))
_STEM_KERNEL, _STEM_CHANNELS = 16, 16


class ChirpNetwork(nn.Module):
    """Two logits, noise and signal, float32 [n, 2] of windows [n, detectors, samples]."""

    def __init__(self, features: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, windows: Tensor) -> Tensor:
        """Return the logits of noise and of a signal."""
        return self.head(self.features(windows)).float()


def classic(detectors: int, samples: int, dropout: float) -> ChirpNetwork:
    """Return the classic network: eight convolutions, each halving the length, two dense layers.

    As Gabbard et al. 2018 (arXiv:1712.06041) with ELU and batch normalisation; a window of more
    than 2048 samples is cut down faster by the first convolutions.

    Raises
    ------
    ValueError
        There are not enough samples for eight halvings.
    """
    pools = _pools(samples)
    layers: list[nn.Module] = []
    width = detectors
    for channels, kernel, pool in zip(_CHANNELS, _KERNELS, pools, strict=True):
        layers += [
            nn.Conv1d(width, channels, kernel, padding=kernel // 2),
            # The largest of a rising function is the function of the largest, and costs less.
            nn.MaxPool1d(pool),
            nn.ELU(),
            nn.BatchNorm1d(channels),
        ]
        width = channels
    head = nn.Sequential(
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(width * _LAST, _DENSE),
        nn.ELU(),
        nn.Dropout(dropout),
        nn.Linear(_DENSE, 2),
    )
    return ChirpNetwork(nn.Sequential(*layers), head)


def _pools(samples: int) -> list[int]:
    """Return by how much each convolution of the classic network cuts the length."""
    halvings = log2(samples / _LAST)
    if halvings < len(_CHANNELS) or halvings % 1:
        raise ValueError(
            f"windows of {samples} samples, expected a power of two, at least "
            f"{_LAST * 2 ** len(_CHANNELS)}"
        )
    more = int(halvings) - len(_CHANNELS)
    return [2 ** (1 + (more + len(_CHANNELS) - 1 - n) // len(_CHANNELS)) for n in range(8)]


class Residual(nn.Module):
    """One block: two convolutions beside a shortcut, the first of which may halve the length."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv1d(before, after, 3, stride, padding=1, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(inplace=True),
            nn.Conv1d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm1d(after),
        )
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv1d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the block adds to its input."""
        return torch.relu(self.way(x) + self.shortcut(x))


def residual(detectors: int, samples: int, dropout: float) -> ChirpNetwork:
    """Return the residual network: 27 blocks of two convolutions, five of which halve the length.

    After Nousi et al. 2022 (arXiv:2211.01520). A first convolution looks for short waves and keeps
    every fourth of its results, which makes the training as many times faster.

    Raises
    ------
    ValueError
        The samples are no multiple of 128.
    """
    if samples % 128:
        raise ValueError(f"windows of {samples} samples, expected a multiple of 128")
    layers: list[nn.Module] = [
        nn.Conv1d(detectors, _STEM_CHANNELS, _STEM_KERNEL, 4, padding=6, bias=False),
        nn.BatchNorm1d(_STEM_CHANNELS),
        nn.ReLU(inplace=True),
    ]
    width = _STEM_CHANNELS
    for stage, (blocks, channels) in enumerate(_STAGES):
        for block in range(blocks):
            layers.append(Residual(width, channels, 2 if stage and not block else 1))
            width = channels
    head = nn.Sequential(
        nn.AdaptiveMaxPool1d(_LAST),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(width * _LAST, _DENSE),
        nn.ReLU(inplace=True),
        nn.Linear(_DENSE, 2),
    )
    return ChirpNetwork(nn.Sequential(*layers), head)


NETWORKS: dict[str, Callable[[int, int, float], ChirpNetwork]] = {
    "classic": classic,
    "residual": residual,
}


def unbounded(logits: Tensor) -> Tensor:
    """Return the difference of the logits of signal and noise, [n]."""
    return logits[:, 1] - logits[:, 0]


def softmax(logits: Tensor) -> Tensor:
    """Return the probability of a signal in single precision, [n]."""
    return torch.softmax(logits.float(), dim=1)[:, 1]
