"""Quiet windows are simulated once for all runs."""

import importlib.util
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gwmorph.config import Config, EncoderConfig
from gwmorph.tables.parquet import read_table
from gwmorph.tables.scores import QUIET

ROOT = Path(__file__).resolve().parents[2]
WINDOWS = 8


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("quiet", ROOT / "scripts" / "quiet.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def run(script, tmp_path, monkeypatch, encoder):
    """Run the script's function for a run's name, and tell how many windows were simulated."""
    simulated = []

    def counted(detector, windows, *others):
        simulated.append(windows)
        return quiet_windows(detector, windows, *others)

    quiet_windows = script.quiet_windows
    monkeypatch.setattr(script, "quiet_windows", counted)
    monkeypatch.setattr(script, "make_encoder", lambda config, size: encoder)
    config = Config()
    picture = config.picture.model_copy(update={"height": 32, "width": 32}).model_dump()

    def of_run(name, qtransform=None, **changed):
        simulated.clear()
        arguments = {"detector": "H1", "seed": 3, "code": "c0de", **changed}
        result = tmp_path / name / "quiet.parquet"
        script.quiet(
            windows=WINDOWS,
            window_s=32,
            rendering={
                "conditioning": {**config.conditioning.model_dump(), "sample_rate": 2048},
                "qtransform": {**config.qtransform.model_dump(), **(qtransform or {})},
                "picture": picture,
            },
            encoder=EncoderConfig(),
            cache=tmp_path / "cache",
            result=result,
            **arguments,
        )
        return result, sum(simulated)

    return of_run


def test_a_new_name_takes_what_another_run_simulated(run):
    first, simulated = run("first")
    assert simulated == WINDOWS
    other, simulated = run("other")
    assert simulated == 0
    assert other.read_bytes() == first.read_bytes()
    assert len(read_table(other, QUIET)) == WINDOWS


@pytest.mark.parametrize(
    "changed",
    [
        {"detector": "L1"},
        {"seed": 4},
        {"code": "other"},
        {"qtransform": {"mismatch": 0.3}},
    ],
    ids=str,
)
def test_what_the_windows_depend_on_simulates_them_again(run, changed):
    first, _ = run("first")
    other, simulated = run("other", **changed)
    assert simulated == WINDOWS
    if "code" not in changed:
        assert other.read_bytes() != first.read_bytes()


def test_another_encoder_encodes_them_again(run, encoder, monkeypatch):
    run("first")
    monkeypatch.setattr(encoder, "encoder_id", "another")
    assert run("other")[1] == WINDOWS


def test_damage_in_the_cache_is_noticed(run, tmp_path):
    first, _ = run("first")
    whole = first.read_bytes()
    (kept,) = (tmp_path / "cache" / "quiet").glob("*.parquet")
    kept.write_bytes(whole[:-20])
    other, simulated = run("other")
    assert simulated == WINDOWS
    assert other.read_bytes() == whole


def test_every_window_is_counted_as_it_comes(run, script, monkeypatch):
    told = []

    @contextmanager
    def counting(what, total):
        done = []
        yield SimpleNamespace(add=done.append)
        told.append((what, total, sum(done), len(done) > 1))

    monkeypatch.setattr(script, "counting", counting)
    run("first")
    assert told == [("quiet windows of H1", WINDOWS, WINDOWS, True)]
