"""Compiled functions need no folder that can be written."""

import importlib.util
import sys

import pytest

from gwmorph.morphology.layout import umap_itself

SOURCE = """
from gwmorph.spectra.compiled import compiled

@compiled(fastmath=True)
def double(x):
    return 2 * x
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Return a function that loads a module with a compiled function from its own folder."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    path = tmp_path / "doubling.py"
    path.write_text(SOURCE)

    def load():
        spec = importlib.util.spec_from_file_location("doubling", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "doubling", module)
        spec.loader.exec_module(module)
        return module

    return load


def test_a_compiled_function_is_kept_beside_its_source(tmp_path, loaded):
    assert loaded().double(2) == 4
    assert list((tmp_path / "__pycache__").glob("doubling.double-*.nbc"))


def test_without_a_folder_for_it_a_function_is_compiled_in_memory(tmp_path, loaded, monkeypatch):
    nowhere = tmp_path / "__pycache__"
    nowhere.write_text("a file, in which nothing can be kept")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(nowhere / "home"))
    assert loaded().double(2) == 4


def test_umaps_slowest_functions_are_kept_too():
    umap = umap_itself()
    for function in (umap.smooth_knn_dist, umap.compute_membership_strengths):
        assert function.stats.cache_path is not None
