"""The in-domain encoder written plainly: every pixel looked up, the network as it is trained."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_max_pool2d

from gwmorph.encoders.crop_network import CropNetwork
from gwmorph.spectra.pictures import PictureScale


def plain_vectors(
    network: CropNetwork, pictures: NDArray[np.uint8], render: PictureScale, view: str
) -> NDArray[np.float32]:
    """Return the unit vectors [n, 384] of event views or windows with even sides."""
    energy = torch.from_numpy(render.energy(pictures))
    seen = (energy.clamp(0, 25.5) / 25.5).sqrt()
    with torch.inference_mode():
        if view == "window":
            pooled = adaptive_max_pool2d(seen, (56, 224))
            return network.window(pooled.unflatten(2, (4, 56)).transpose(1, 2)).numpy()
        rows, columns = seen.shape[1] // 2, seen.shape[2] // 2
        parts = seen.unflatten(1, (2, rows)).unflatten(3, (2, columns)).transpose(2, 3)
        crops = adaptive_max_pool2d(parts.flatten(1, 2), 56)
        vectors = network.event(crops).flatten(1).numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
