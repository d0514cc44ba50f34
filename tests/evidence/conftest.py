"""A campaign small enough for a test, and the noise of a search for chirps."""

import pytest
from searched import LOOK

from gwmorph.block import RenderParameters
from gwmorph.config import Config, EncoderConfig, InjectionsConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.chirp_windows import model_spectra

SIZE = 32


@pytest.fixture(scope="session")
def parameters():
    config = Config()
    picture = config.picture.model_copy(update={"height": SIZE, "width": SIZE})
    conditioning = config.conditioning.model_copy(update={"sample_rate": 2048})
    return RenderParameters.from_sections(
        32, conditioning.model_dump(), config.qtransform.model_dump(), picture.model_dump()
    )


@pytest.fixture(scope="session")
def encoder():
    return make_encoder(EncoderConfig(name="dct"), (SIZE, SIZE))


@pytest.fixture(scope="session")
def events():
    return Config().events


@pytest.fixture(scope="session")
def campaign():
    return InjectionsConfig(
        reference_windows=100,
        quiet_windows=20,
        injections_per_point=10,
        snrs=[6.0, 20.0],
        morphologies=["blip", "chirp_30_30"],
        false_alarm_fractions=[0.1],
        windows_per_job=60,
    )


@pytest.fixture(scope="session")
def spectra():
    return model_spectra(LOOK)
