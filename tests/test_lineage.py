"""Where a table comes from: keys and inputs, and all keys that it depends on."""

from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gwmorph.block import BlockResult
from gwmorph.config import Config
from gwmorph.errors import TableError
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.parquet import read_metadata, write_table
from gwmorph.tables.scores import ABOVE_LIMIT, SCORES

ROOT = Path(__file__).resolve().parents[1]
RENDERING = ("conditioning", "qtransform", "picture")


def test_lineage_follows_keys_and_inputs(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    a, b = hashes_of([tmp_path / "a", tmp_path / "b"])
    one = lineage({"x": 1, "y": [2]}, [a, b])
    assert one == lineage({"y": [2], "x": 1}, [a, b])
    other_keys, other_inputs = (
        lineage({"x": 2, "y": [2]}, [a, b]),
        lineage({"x": 1, "y": [2]}, [a]),
    )
    differ = {key for key in one if one[key] != other_keys[key]}
    assert differ == {"gwmorph.config_hash"}
    assert {key for key in one if one[key] != other_inputs[key]} == {"gwmorph.inputs_hash"}


def test_a_table_that_was_altered_is_no_input(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, TRIGGERS, [])
    content = path.read_bytes()
    assert hashes_of([path])
    half = len(content) // 2
    flipped = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
    for altered in (content[:half], flipped, b""):
        path.write_bytes(altered)
        with pytest.raises(TableError, match=r"a\.parquet: not a readable Parquet table"):
            hashes_of([path])


# -- what the scripts put into it ---------------------------------------------------------------


def script(name: str) -> ModuleType:
    spec = spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECTIONS = {name: getattr(Config(), name).model_dump() for name in RENDERING}
EVENTS = Config().events.model_dump(exclude={"parts"})


def hashes_of_block(folder: Path, monkeypatch, sections=SECTIONS, events=EVENTS) -> dict[str, str]:
    """The config hashes of a block's tables, of which nothing is drawn."""
    module = script("block")
    nothing = BlockResult([], [], TRIGGERS.empty_table())
    monkeypatch.setattr(module, "verified_files", lambda receipts, root: [])
    monkeypatch.setattr(module, "draw_block", lambda *arguments: nothing)
    paths = {name: folder / name for name in ("ledger", "measurements", "triggers")}
    module.block(
        receipts=[], root=folder, detector="H1", gps_start=0, segments=[],
        window={"duration_s": 32, "stride_s": 32, "context_s": 4},
        rendering=sections, events=events,
        **paths, pictures=folder, event_views=folder,
    )  # fmt: skip
    return {name: read_metadata(path)["gwmorph.config_hash"] for name, path in paths.items()}


def changed(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: changed(entry) for key, entry in value.items()}
    return {"max": "loudest", "linear": "sqrt", "cividis": "gray"}.get(value) or 2 * value


@pytest.mark.parametrize("key", EVENTS)
def test_what_makes_events_is_in_the_lineage_of_triggers_alone(key, tmp_path, monkeypatch):
    before = hashes_of_block(tmp_path, monkeypatch)
    events = EVENTS | {key: changed(EVENTS[key])}
    after = hashes_of_block(tmp_path, monkeypatch, events=events)
    assert {name for name in before if before[name] != after[name]} == {"triggers"}


@pytest.mark.parametrize(("section", "key"), [(s, k) for s in RENDERING for k in SECTIONS[s]])
def test_what_draws_pictures_is_in_the_lineage_of_all(section, key, tmp_path, monkeypatch):
    before = hashes_of_block(tmp_path, monkeypatch)
    own = SECTIONS[section] | {key: changed(SECTIONS[section][key])}
    after = hashes_of_block(tmp_path, monkeypatch, sections=SECTIONS | {section: own})
    assert all(before[name] != after[name] for name in before)


@pytest.mark.parametrize("change", [{"window_s": 16}, {"events_snr": 8.0}, {"parts": ["tile"]}])
def test_what_admits_events_is_in_their_lineage(change, tmp_path, monkeypatch):
    module = script("triggers")
    tables = (TRIGGERS.empty_table(), ABOVE_LIMIT.empty_table())
    monkeypatch.setattr(module, "admit", lambda *arguments: tables)
    blocks, scores = tmp_path / "block", tmp_path / "scores"
    for path, schema in ((blocks, TRIGGERS), (scores, SCORES)):
        write_table(path, schema, schema.empty_table(), {"gwmorph.render_id": "r"})

    def hashes(**given: Any) -> list[str]:
        keys = {"window_s": 32, "events_snr": 7.5, "parts": ["tile", "track"]} | given
        made = [tmp_path / "joined", tmp_path / "above"]
        module.triggers([blocks], scores, **keys, joined=made[0], above_limit=made[1])
        return [read_metadata(path)["gwmorph.config_hash"] for path in made]

    assert all(a != b for a, b in zip(hashes(), hashes(**change), strict=True))
