"""What the vectors of other encoders find in the campaign of `recall.yaml`, beside the default's.

A module of statistics (``injections.modules``): ``held_out``, an in-domain encoder whose training
left out the campaign's shapes, and ``dct``. Each has its vectors, and a score that takes its
vector of the window for the default's.
"""

from pathlib import Path

from gwmorph.config import EncoderConfig
from gwmorph.config.encoder import IndomainConfig
from gwmorph.evidence.statistics import combination, register_encoder, score

ROOT = Path(__file__).resolve().parents[1]
HELD_OUT = ROOT / "results" / "held_out" / "training" / "encoder.safetensors"
SIZE = (224, 224)

ENCODERS = {
    "dct": EncoderConfig(name="dct"),
    "held_out": EncoderConfig(indomain=IndomainConfig(path=str(HELD_OUT))),
}

for _name, _config in ENCODERS.items():
    register_encoder(_name, _config, SIZE)
    combination(
        f"score_{_name}",
        f"score with {_name}",
        parts=("loudest_tile", "excess", "track", "chirp", f"window_vector_{_name}"),
    )(score)
