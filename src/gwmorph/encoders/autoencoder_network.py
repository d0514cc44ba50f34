"""The autoencoder's network: eight convolutions down to 384 numbers, and back to the picture.

An event view goes in as its four crops of 56 x 56 pixels, which are the channels of one picture
or, laid out two by two, one picture of one channel. Eight convolutions with maxima between them
leave 24 channels of 4 x 4 places; the decoder doubles their sides with bilinear interpolation, a
convolution after each. Nothing else of a picture reaches the decoder.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from gwmorph.encoders.crops import CROP, CROPS
from gwmorph.tables.columns import EMBEDDING_SIZE

Seen = Literal["crops", "whole"]
GRID = 4  # places along each side of the latent
# After which convolutions the picture is halved; where it is twice as large, once more.
_HALVED = (2, 4, 6, 7)
_HALVED_WHOLE = (1, *_HALVED)


@dataclass(frozen=True)
class AutoencoderArchitecture:
    """Sizes of the network: they are written into a weights file and checked when it is read.

    Attributes
    ----------
    seen
        Whether the crops are four channels or, two by two, one picture.
    widths
        Channels after each of the eight convolutions; the last is the latent's.
    decoder_widths
        Channels after each of the decoder's convolutions but the last.
    """

    seen: Seen = "crops"
    widths: tuple[int, ...] = (16, 16, 32, 32, 96, 96, 256, EMBEDDING_SIZE // GRID**2)
    decoder_widths: tuple[int, ...] = (128, 96, 32)
    version: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError unless these are sizes of such a network."""
        if self.seen not in ("crops", "whole"):
            raise ValueError(f"seen {self.seen!r}")
        if len(self.widths) != 8 or len(self.decoder_widths) != 3:
            raise ValueError(f"widths {self.widths} and {self.decoder_widths}")
        if self.widths[-1] * GRID**2 != EMBEDDING_SIZE:
            raise ValueError(f"widths {self.widths}: the last is not {EMBEDDING_SIZE // GRID**2}")

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return what `to_json` gave.

        Raises
        ------
        TypeError, ValueError
            These are no sizes of such a network.
        """
        lists = {name: tuple(given[name]) for name in ("widths", "decoder_widths")}
        return cls(**{**given, **lists})

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


class Autoencoder(nn.Module):
    """Crops float [n, 4, 56, 56] of brightness in, the same out, through 384 numbers."""

    def __init__(self, architecture: AutoencoderArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        whole = architecture.seen == "whole"
        channels = 1 if whole else CROPS
        self.encoder = _encoder(channels, architecture.widths, _HALVED_WHOLE if whole else _HALVED)
        # Cosines compare directions: every number has mean 0 and variance 1 over the training.
        self.norm = nn.BatchNorm1d(EMBEDDING_SIZE, affine=False)
        side = 2 * CROP if whole else CROP
        sides = [side]
        while sides[0] > GRID:
            sides.insert(0, -(-sides[0] // 2))
        widths = (architecture.widths[-1], *architecture.decoder_widths)
        self.decoder = _decoder(widths, channels, sides[1:])

    def latent(self, crops: Tensor) -> Tensor:
        """Return the bottleneck [n, 384] of crops: 24 channels of 4 x 4 places."""
        shown = _laid_out(crops) if self.architecture.seen == "whole" else crops
        places = self.encoder(shown.contiguous(memory_format=torch.channels_last))
        latent: Tensor = self.norm(places.float().flatten(1))
        return latent

    def decoded(self, latent: Tensor) -> Tensor:
        """Return the crops float [n, 4, 56, 56] that a bottleneck [n, 384] stands for."""
        shown = self.decoder(latent.unflatten(1, (-1, GRID, GRID)))
        return _taken_apart(shown) if self.architecture.seen == "whole" else shown

    def forward(self, crops: Tensor) -> Tensor:
        """Return the reconstruction of crops, of their shape."""
        return self.decoded(self.latent(crops))


def squared_errors(shown: Tensor, crops: Tensor) -> Tensor:
    """Return the mean squared difference of the brightness of two [n, 4, 56, 56]: float [n]."""
    return (shown.float() - crops).square().flatten(1).mean(1)


def _encoder(channels: int, widths: tuple[int, ...], halved: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (given, made) in enumerate(pairwise((channels, *widths)), 1):
        last = number == len(widths)
        # No bias: the normalisation has one. The latent has no ReLU: it may have any sign.
        layers.append(nn.Conv2d(given, made, 3, padding=1, bias=last))
        if not last:
            layers += [nn.BatchNorm2d(made), nn.ReLU()]
        if number in halved:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers)


class _Enlarged(nn.Module):
    """Bilinear interpolation to pictures of a side of so many pixels."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, grid: Tensor) -> Tensor:
        return functional.interpolate(grid, (self.side, self.side), mode="bilinear")


def _decoder(widths: tuple[int, ...], channels: int, sides: list[int]) -> nn.Sequential:
    """Return the decoder; what has one more doubling than widths repeats the last one."""
    made = [*widths[1:], *[widths[-1]] * (len(sides) - len(widths)), channels]
    layers: list[nn.Module] = []
    for given, width, side in zip([widths[0], *made], made, sides, strict=False):
        last = len(layers) == 4 * (len(sides) - 1)
        layers += [_Enlarged(side), nn.Conv2d(given, width, 3, padding=1, bias=last)]
        if not last:
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


def _laid_out(crops: Tensor) -> Tensor:
    """Return crops [n, 4, 56, 56] two by two, as they are in the view: [n, 1, 112, 112]."""
    rows = crops.unflatten(1, (2, 2)).transpose(2, 3).flatten(3, 4).flatten(1, 2)
    return rows[:, None]


def _taken_apart(picture: Tensor) -> Tensor:
    """Return a picture [n, 1, 112, 112] as its crops [n, 4, 56, 56]."""
    parts = picture[:, 0].unflatten(1, (2, CROP)).unflatten(3, (2, CROP))
    return parts.transpose(2, 3).flatten(1, 2)
