"""The in-domain network as it is run: the vectors of the one that is trained, in less time.

A profile of the trained network on one core (AMD EPYC with AVX-512, batches of 32 event views):
40 % of the time goes into the transformer's matrices, at 40 % of what the processor can do, 30 %
into convolutions, 8 % into batch norms, and as much into looking up pixels and pooling them; the
system adds a quarter, since it takes back and wipes anew what a batch needs. So

- batch norms are folded into what stands before them, which changes only roundings;
- convolutions keep the channels of a pixel together, as vector instructions want them: the first
  takes an eighth of the time;
- a linear layer of tokens is a convolution of one pixel. PyTorch gives products of matrices to
  MKL, which uses half the width of the vector units of processors that are not Intel's (105
  GFLOP/s), and convolutions to oneDNN, which uses all of it (250 GFLOP/s);
- attention is PyTorch's fused one, which in float32 takes four fifths of the time;
- a few pictures are read at once, so that what a layer makes of them stays in a core's cache and
  below what the system takes back. Their features are joined for the heads, whose matrices are
  the largest.

A picture is 0.2 GFLOP, so 0.8 ms is the least that a core of this kind can do in float32.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from gwmorph.encoders.crop_network import GRID, Block, CropNetwork
from gwmorph.encoders.crops import CROPS

_PICTURES = 4


class FoldedNetwork(CropNetwork):
    """A network of the weights of another that gives its vectors, for inference only.

    They agree to the rounding of float32. The other is in evaluation mode and stays as it is.
    """

    def __init__(self, network: CropNetwork) -> None:
        super().__init__(network.architecture)
        self.load_state_dict(network.state_dict())
        self.eval().requires_grad_(False)
        self.edges = _folded_convolutions(self.edges)
        self.embedding = _folded_convolutions(self.embedding)
        self.crop_head = _folded_head(self.crop_head)
        self.window_head = _folded_head(self.window_head)
        for block in self.blocks:
            assert isinstance(block, Block)
            block.attention = functional.scaled_dot_product_attention
            _with_convolutions(block)

    def features(self, crops: Tensor, durations: Tensor) -> Tensor:
        """See `CropNetwork`; a few pictures' crops at once."""
        together = zip(*(x.split(CROPS * _PICTURES) for x in (crops, durations)), strict=True)
        of_some = super().features
        return torch.cat([of_some(*some) for some in together])

    def window_tokens(self, quarters: Tensor) -> Tensor:
        """See `CropNetwork`; a few windows at once."""
        of_some = super().window_tokens
        return torch.cat([of_some(some) for some in quarters.split(_PICTURES)])


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


def _with_convolutions(module: nn.Module) -> nn.Module:
    """Replace every linear layer inside a module, and return it."""
    for name, layer in list(module.named_children()):
        replaced = _OnePixel(layer) if isinstance(layer, nn.Linear) else _with_convolutions(layer)
        setattr(module, name, replaced)
    return module


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
