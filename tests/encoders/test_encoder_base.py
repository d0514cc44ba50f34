import subprocess
import sys

import numpy as np
import pytest

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import check_weights, make_encoder, unit_rows
from gwmorph.errors import ConfigError, WeightsError

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
        "from gwmorph.encoders.base import make_encoder\n"
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


def test_unit_rows_keep_direction() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, -1e-20]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, -1.0]], rtol=1e-6)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_direction_are_refused(bad: float) -> None:
    with pytest.raises(WeightsError, match=r"1 of 3 vectors .* picture 1 of the batch"):
        unit_rows(np.array([[1.0, 0.0], [bad, bad], [0.0, 1.0]]))
