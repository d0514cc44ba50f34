"""A trained network's score of a campaign's windows."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from closeness import near
from gwmorph.block import RenderParameters
from gwmorph.config import Config, EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.chirp_windows import Look
from gwmorph.evidence.injections import features_of, observe, simulated_backgrounds
from gwmorph.evidence.recall import statistics_of
from gwmorph.learning.chirp_networks import ChirpNetwork
from gwmorph.learning.chirp_statistic import (
    NAME,
    network_starts,
    require_suits,
    resampled,
    with_network_score,
)
from gwmorph.learning.chirp_weights import Trained
from gwmorph.spectra.band import Band
from gwmorph.spectra.qtransform import GUARD_S

LOOK = Look(("H1",), 2048, 2048, Band(20.0, 900.0), 0.75, 0.95)
JOB = Job("chirps-0", "injection", 2, "H1", 5, "chirp_30_30", (6.0, 40.0))


class Peak(nn.Module):
    """Logits whose difference is the largest sample of where the merger may be."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        peak = x[..., 1536:1946].abs().amax(dim=(1, 2)) * self.scale
        return torch.stack([torch.zeros_like(peak), peak], dim=1)


def trained(look=LOOK) -> Trained:
    return Trained(ChirpNetwork(nn.Identity(), Peak()).eval(), "classic", look)


@pytest.fixture(scope="module")
def parameters():
    config = Config()
    picture = config.picture.model_copy(update={"height": 32, "width": 32})
    return RenderParameters.from_sections(
        32, config.conditioning.model_dump(), config.qtransform.model_dump(), picture.model_dump()
    )


@pytest.fixture(scope="module")
def windows(parameters):
    encoder = make_encoder(EncoderConfig(name="dct"), (32, 32))
    return observe(
        JOB, simulated_backgrounds(JOB, parameters), parameters, encoder, Config().events
    )


def test_the_network_sees_the_injections_that_the_campaign_made(windows, parameters):
    found = with_network_score(
        windows, JOB, simulated_backgrounds(JOB, parameters), parameters, trained()
    )
    assert found.column_names == [*windows.column_names, NAME]
    scores = found[NAME].to_numpy().reshape(2, 2)
    # A whitened 30 + 30 binary of SNR 40 has a peak of several standard deviations.
    assert (scores[:, 1] > 6).all()
    assert (scores[:, 0] < scores[:, 1]).all()
    assert NAME in statistics_of(found)
    assert NAME not in statistics_of(windows)
    assert features_of(found, NAME).tolist() == found[NAME].to_pylist()


def test_windows_of_another_version_are_refused(windows, parameters):
    place = windows.column_names.index("gps_time")
    other = windows.set_column(place, "gps_time", pa.array(np.arange(4.0)))
    with pytest.raises(TableError, match="chirps-0: expected a window with"):
        with_network_score(
            other, JOB, simulated_backgrounds(JOB, parameters), parameters, trained()
        )


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (Look(("H1", "L1"), 2048, 2048, Band(20, 900), 0.75, 0.95), "for H1 and L1, expected one"),
        (Look(("H1",), 16384, 16384, Band(20, 900), 0.75, 0.95), "for 16384 Hz, of which"),
        (Look(("H1",), 2048, 2048, Band(30, 900), 0.75, 0.95), "for 30 to 849.92 Hz"),
        (Look(("H1",), 4096, 4096, Band(20, 1700), 0.75, 0.95), None),
    ],
)
def test_a_network_for_other_strain_is_refused(parameters, look, message):
    if message is None:
        require_suits(look, parameters)
        return
    with pytest.raises(ConfigError, match=message):
        require_suits(look, parameters)


def test_resampled_noise_stays_white_and_a_wave_stays_a_wave():
    rng = np.random.default_rng(1)
    white = resampled(rng.standard_normal(36 * 4096).astype(np.float32), 4096, LOOK)
    assert len(white) == 36 * 2048
    # White up to 0.83 of Nyquist and half of the roll-off.
    assert white.std() == near(np.sqrt(0.83 * 1.04), rel=0.02)
    t = np.arange(36 * 4096) / 4096
    wave = resampled(np.sin(2 * np.pi * 100 * t).astype(np.float32), 4096, LOOK)
    # What is seen against half of the noise is larger by the root of two.
    expected = np.sqrt(2) * np.sin(2 * np.pi * 100 * t[::2])
    assert np.abs(wave - expected).max() < 1e-3


@settings(deadline=None)
@given(st.sampled_from([1, 2]), st.floats(0.3, 0.7), st.floats(0.05, 0.25), st.integers(8, 40))
def test_every_moment_is_once_where_a_merger_may_lie(length_s, earliest, width, window_s):
    rate = 256
    look = Look(("H1",), rate, length_s * rate, Band(1, 2), earliest, earliest + width)
    samples = (window_s + 2 * GUARD_S) * rate
    starts = network_starts(look, window_s, samples)
    assert starts.min() >= 0
    assert starts.max() + look.samples <= samples
    seen = np.zeros(samples, bool)
    for start in starts:
        low, high = (int(part * look.samples) for part in (look.earliest, look.latest))
        seen[start + low : start + high + 1] = True
    assert seen[GUARD_S * rate : (GUARD_S + window_s) * rate].all()
