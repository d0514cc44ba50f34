"""The tutorial notebook runs from its first cell to its last, with a run and without one."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from made_run import make_run
from nbclient import NotebookClient

import gwmorph

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "tutorial.ipynb"


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Return the notebook; what a kernel keeps on the disk goes to the test's folder."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a shell's would keep figures from showing
    return nbformat.read(NOTEBOOK, as_version=4)


def run(notebook, folder: Path) -> str:
    """Execute all cells in ``folder`` and return what they print."""
    (folder / "docs").mkdir()
    where = {"metadata": {"path": str(folder / "docs")}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    assert "image/png" in outputs[-1].data  # it ends with a figure
    texts = (output.get("text") or output.get("data", {}).get("text/plain") for output in outputs)
    return "\n".join(filter(None, texts))


def test_without_a_run_it_shows_the_strain_alone(notebook, tmp_path):
    text = run(notebook, tmp_path)
    assert "1262304075.300" in text
    assert "open_run" not in text


def test_with_a_run_it_shows_what_the_strain_is_most_like(notebook, tmp_path):
    noise = 1e-21 * np.random.default_rng(0).standard_normal(100 * 4096)
    made = gwmorph.analyse(noise, "H1", 1262304000, 4096).identity()
    metadata = {"gwmorph.render_id": made.render_id, "gwmorph.encoder_id": made.encoder_id}
    make_run(tmp_path / "results" / "demo", metadata=metadata)
    text = run(notebook, tmp_path)
    assert "open_run('../results/demo')" in text
    assert "tomte" in text


def test_it_is_kept_without_outputs():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
