"""The validator of crates, which has an environment of its own (make env-crate)."""

import os
import subprocess
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_PYTHON = os.environ.get(
    "GWMORPH_CRATE_PYTHON", _HERE.parents[1] / ".venv" / "crate" / "bin" / "python"
)


def issues(crate: Path) -> list[str]:
    """What the Workflow Run profile demands and a crate lacks; no connection is opened.

    Skips the test where there is no validator and none is named.
    """
    if "GWMORPH_CRATE_PYTHON" not in os.environ and not Path(_PYTHON).is_file():
        pytest.skip("roc-validator is not there: make env-crate, or set GWMORPH_CRATE_PYTHON")
    call = [str(_PYTHON), str(_HERE / "roc_validate.py"), str(crate), str(_HERE / "contexts")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert "issues of 4 profiles" in done.stdout, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("REQUIRED: ")]
    assert bool(lines) == bool(done.returncode)
    return lines
