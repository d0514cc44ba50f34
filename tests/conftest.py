"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real strain; set ``GWMORPH_DATA`` to point elsewhere."""
    folder = Path(os.environ.get("GWMORPH_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "strain").is_dir():
        pytest.skip(f"no real strain at {folder}; set GWMORPH_DATA to a folder that has it")
    return folder
