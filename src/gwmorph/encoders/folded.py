"""The in-domain network as it is run: the vectors of the one that is trained, in less time.

A profile of the plain network on one core showed, of the time of an event view: 40 % in the
matrices of the transformer at 40 % of what the processor can do, 30 % in convolutions that wait
for memory, 8 % in normalising what they give. So

- batch norms are folded into what stands before them, which changes only roundings;
- convolutions keep the channels of a pixel together, as their vector instructions want them;
- a linear layer of tokens is a convolution of one pixel. PyTorch gives products of matrices to
  MKL, which uses half the width of the vector units of processors that are not Intel's, and
  convolutions to oneDNN, which uses all of it.

How many crops are read at once matters as much: see `gwmorph.encoders.indomain`.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from gwmorph.encoders.crop_network import GRID, CropNetwork


def folded(network: CropNetwork) -> CropNetwork:
    """Return a network of the same weights that gives the same vectors, for inference only.

    They agree to the rounding of float32. ``network`` is in evaluation mode and stays as it is.
    """
    made = deepcopy(network).requires_grad_(False)
    made.edges = _folded_convolutions(made.edges)
    made.embedding = _folded_convolutions(made.embedding)
    made.crop_head = _folded_head(made.crop_head)
    made.window_head = _folded_head(made.window_head)
    made.blocks = nn.ModuleList(_with_convolutions(block) for block in made.blocks)
    return made


def _folded_convolutions(layers: nn.Sequential) -> nn.Sequential:
    """Fold what is convolution, batch norm, ReLU, and again; the ReLU overwrites its input."""
    made: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            convolution = layer
        elif isinstance(layer, nn.BatchNorm2d):
            fused = fuse_conv_bn_eval(convolution, layer)
            # Of a single channel, only `to` writes the order down; `contiguous` sees no change.
            weight = fused.weight.to(memory_format=torch.channels_last)
            fused.weight = nn.Parameter(weight, requires_grad=False)
            made += [fused, nn.ReLU(inplace=True)]
    return nn.Sequential(*made)


def _folded_head(layers: nn.Sequential) -> nn.Sequential:
    linear, norm, *others = layers
    assert isinstance(linear, nn.Linear)
    assert isinstance(norm, nn.BatchNorm1d)
    return nn.Sequential(fuse_linear_bn_eval(linear, norm), *others)


def _with_convolutions(block: nn.Module) -> nn.Module:
    """Replace every linear layer inside a block."""
    for name, layer in block.named_children():
        replaced = _OnePixel(layer) if isinstance(layer, nn.Linear) else _with_convolutions(layer)
        setattr(block, name, replaced)
    return block


class _OnePixel(nn.Module):
    """A linear layer of tokens [m, 49, given] that is computed as a convolution."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight[:, :, None, None], requires_grad=False)
        self.bias = linear.bias

    def forward(self, tokens: Tensor) -> Tensor:
        """Return [m, 49, made]. A view of the tokens as pixels has their channels together."""
        pixels = tokens.transpose(1, 2).unflatten(2, (GRID, GRID))
        return functional.conv2d(pixels, self.weight, self.bias).flatten(2).transpose(1, 2)
