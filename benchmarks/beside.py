"""Statistics of the campaign of `recall.yaml` beside the library's: other vectors, other scores.

A module of statistics (``injections.modules``). Other encoders are ``dct`` and ``held_out``, an
in-domain one whose training left out the campaign's shapes; each has its vectors, and a score that
takes its vector of the window for the default's. Other scores go without a vector, with the event
view's vector as well, and by the two rarest parts instead of the rarest.
"""

from pathlib import Path

import numpy as np

from gwmorph.config import EncoderConfig
from gwmorph.config.encoder import IndomainConfig
from gwmorph.evidence.score import combine, fit_tails, surprises_of
from gwmorph.evidence.statistics import Features, Scorer, combination, register_encoder, score
from gwmorph.spectra.triggers import energy_of_snr

ROOT = Path(__file__).resolve().parents[1]
HELD_OUT = ROOT / "results" / "held_out" / "training" / "encoder.safetensors"
SIZE = (224, 224)
MEASURED = ("loudest_tile", "excess", "track", "chirp")

ENCODERS = {
    "dct": EncoderConfig(name="dct"),
    "held_out": EncoderConfig(indomain=IndomainConfig(path=str(HELD_OUT))),
}

for _name, _config in ENCODERS.items():
    register_encoder(_name, _config, SIZE)
    combination(f"score_{_name}", f"score, {_name}", parts=(*MEASURED, f"window_vector_{_name}"))(
        score
    )


def _parts(features: Features) -> dict[str, np.ndarray]:
    # Energies, not SNRs, have an exponential tail.
    parts = dict(enumerate(np.asarray(features, np.float64).T))
    parts[0] = energy_of_snr(parts[0])
    return {str(number): values for number, values in parts.items()}


def rarest(quiet: Features) -> Scorer:
    """Score by the rarest of any parts, the first of which is the loudest tile's SNR."""
    tails = fit_tails(_parts(quiet))
    return lambda features: combine(surprises_of(tails, _parts(features)))


combination("score_no_vector", "score, no vector", parts=MEASURED)(rarest)
combination(
    "score_event_vector", "score, both vectors", parts=(*MEASURED, "window_vector", "event_vector")
)(rarest)


@combination("score_two_rarest", "score, two rarest", parts=(*MEASURED, "window_vector"))
def two_rarest(quiet: Features) -> Scorer:
    """Score by the product of the two smallest probabilities."""
    tails = fit_tails(_parts(quiet))

    def scored(features: Features) -> np.ndarray:
        surprises = np.array(list(surprises_of(tails, _parts(features)).values()))
        return np.sort(surprises, axis=0)[-2:].sum(axis=0)

    return scored
