import subprocess
import sys

import pytest

from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import check_weights, make_encoder
from gwmorph.errors import ConfigError

DCT = EncoderConfig(name="dct")


def test_the_baseline_is_made_without_weights() -> None:
    encoder = make_encoder(DCT, (56, 70))
    assert encoder.encoder_id == "dct:1:-:56x70:float32"
    assert encoder.width == 384
    check_weights(DCT)


def test_the_baseline_does_not_import_torch() -> None:
    program = (
        "import sys\n"
        "from gwmorph.config import EncoderConfig\n"
        "from gwmorph.encoders.registry import make_encoder\n"
        "make_encoder(EncoderConfig(name='dct'))\n"
        "sys.exit(bool({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("call", [make_encoder, check_weights])
def test_a_missing_extra_names_the_command(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gwmorph.encoders.weights", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"pip install 'gwmorph\[dinov2\]'"):
        call(EncoderConfig(name="dinov2", weights={"path": "."}))
