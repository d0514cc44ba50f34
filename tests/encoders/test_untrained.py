"""The in-domain network with random weights."""

import numpy as np
import torch

from gwmorph.encoders.untrained import untrained_encoder
from gwmorph.spectra.pictures import PictureScale

SCALE = PictureScale("linear", 25.5, "cividis")
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 112, 112), dtype=np.uint8)


def test_equal_seeds_give_equal_networks_and_leave_torch_alone():
    before = torch.random.get_rng_state()
    first, again, other = (untrained_encoder((112, 112), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.encoder_id == again.encoder_id != other.encoder_id
    vectors = first.encode(PICTURES, SCALE, "event")
    assert vectors.shape == (3, 384)
    np.testing.assert_array_equal(vectors, again.encode(PICTURES, SCALE, "event"))
    assert not np.allclose(vectors, other.encode(PICTURES, SCALE, "event"), atol=1e-3)
