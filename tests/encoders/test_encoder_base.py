import subprocess
import sys

import numpy as np
import pytest

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import make_encoder, resolve_encoder_id, unit_rows
from gwmorph.errors import ConfigError, WeightsError


def test_the_baseline_is_made_without_weights() -> None:
    encoder = make_encoder(EncoderConfig(), (56, 70))
    assert encoder.encoder_id == "dct:1:-:56x70:float32"
    assert resolve_encoder_id(EncoderConfig(), (56, 70)) == encoder.encoder_id


def test_the_baseline_does_not_import_torch() -> None:
    program = (
        "import sys\n"
        "from gwmorph.config import EncoderConfig\n"
        "from gwmorph.encoders.base import make_encoder\n"
        "make_encoder(EncoderConfig())\n"
        "sys.exit(bool({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("make", [make_encoder, resolve_encoder_id])
def test_a_missing_extra_names_the_command(make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dinov2", "weights"):
        monkeypatch.delitem(sys.modules, f"gwmorph.encoders.{name}", raising=False)
    for name in ("torch", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"pip install 'gwmorph\[dinov2\]'"):
        make(EncoderConfig(name="dinov2", weights={"path": "."}), (56, 56))


def test_unit_rows_keep_direction() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, -1e-20]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, -1.0]], rtol=1e-6)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_direction_are_refused(bad: float) -> None:
    with pytest.raises(WeightsError, match=r"1 of 3 vectors .* picture 1 of the batch"):
        unit_rows(np.array([[1.0, 0.0], [bad, bad], [0.0, 1.0]]))
