import json

import pytest
import yaml

from gwmorph.config import Config, load_yaml, parse_config
from gwmorph.errors import ConfigError, PlanError
from gwmorph.results import (
    check_folder,
    claim_folder,
    is_recorded,
    mark_withdrawn,
    record_config,
    remove_strays,
    require_recorded,
    withdraw_record,
)

B = 1262301184


def test_a_results_folder_belongs_to_one_schema_version(tmp_path):
    folder = tmp_path / "results" / "r"
    check_folder(folder)
    assert not folder.exists()
    claim_folder(folder)
    claim_folder(folder)
    marker = folder / "schema.json"
    marker.write_text(json.dumps({"schema_version": "0"}))
    with pytest.raises(
        PlanError, match=r"results/r: holds results of schema version 0.*run\.name"
    ):
        claim_folder(folder)
    marker.unlink()
    claim_folder(folder)
    marker.unlink()
    (folder / "ledger.parquet").touch()
    with pytest.raises(PlanError, match=r"no readable schema\.json"):
        claim_folder(folder)
    for damaged in ("", "[]", "{}"):
        marker.write_text(damaged)
        with pytest.raises(PlanError, match=r"no readable schema\.json.*Move the folder away"):
            claim_folder(folder)


def config(**sections):
    return parse_config(sections)


def test_a_record_is_a_configuration_that_gives_the_same_run(tmp_path):
    made = config(run={"name": "r"}, events={"snr": 8.25})
    path = tmp_path / "r" / "config.yaml"
    record_config(path, made.model_dump(mode="json"))
    require_recorded(path, made)
    assert parse_config(yaml.safe_load(path.read_text())) == made


def test_results_of_another_configuration_are_told_by_their_keys(tmp_path):
    path = tmp_path / "r" / "config.yaml"
    record_config(path, Config().model_dump(mode="json"))
    other = config(events={"snr": 8.25}, clustering={"umap": {"neighbors": 6}})
    with pytest.raises(PlanError, match=r"events\.snr: 8\.25 here, 7\.5 there") as raised:
        require_recorded(path, other)
    assert "clustering.umap.neighbors: 6 here, 30 there" in str(raised.value)
    assert f"--configfile {path}" in str(raised.value)
    assert "run.name" not in str(raised.value)


def test_maps_from_names_are_told_by_their_entries(tmp_path):
    path = tmp_path / "config.yaml"
    files = {"H1": ["a.hdf5"]}
    record_config(path, config(injections={"noise_files": files}).model_dump(mode="json"))
    with pytest.raises(
        PlanError, match=r"injections\.noise_files\.H1: 'nothing' here, \['a\.hdf5'\]"
    ):
        require_recorded(path, Config())


def test_results_without_a_record_are_not_finished(tmp_path):
    with pytest.raises(PlanError, match=r"config\.yaml: no such record, so .* not finished"):
        require_recorded(tmp_path / "config.yaml", Config())


def test_a_record_that_a_run_is_started_with_is_kept_and_is_none(tmp_path):
    path = tmp_path / "config.yaml"
    made = config(events={"snr": 8.25})
    record_config(path, made.model_dump(mode="json"))
    assert is_recorded(path)
    for _ in range(2):
        mark_withdrawn(path)
        assert not is_recorded(path)
        assert parse_config(load_yaml(path)) == made
        assert path.stat().st_mtime == 1  # of 0 Snakemake makes nothing
        assert path.read_text().count("# Withdrawn") == 1
    with pytest.raises(PlanError, match="not finished"):
        require_recorded(path, made)
    for _ in range(2):
        withdraw_record(path)
        assert not path.exists()


def test_a_damaged_record_is_an_error(tmp_path):
    (tmp_path / "config.yaml").write_text("[]")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        require_recorded(tmp_path / "config.yaml", Config())


def test_what_another_span_or_grouping_left_is_removed_and_nothing_else(tmp_path):
    def there(name, folder=False):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if folder:
            path.mkdir()
            (path / "a.png").touch()
        else:
            path.touch()
        return path

    kept = [
        there(f"embeddings/window/H1-GWMORPH_EMBEDDINGS-{B}-4096.parquet"),
        there(f"pictures/H1-GWMORPH_PICTURES-{B}-4096", folder=True),
    ]
    strays = [
        there(f"embeddings/window/H1-GWMORPH_EMBEDDINGS-{B}-65536.parquet"),
        there(f"embeddings/window/L1-GWMORPH_EMBEDDINGS-{B}-4096.parquet"),
        there(f"pictures/H1-GWMORPH_PICTURES-{B + 4096}-4096", folder=True),
    ]
    others = [
        there("embeddings/window/notes.txt"),
        there(f"ledger/H1-GWMORPH_LEDGER-{B + 4096}-4096.parquet"),
    ]
    assert remove_strays(kept) == sorted(strays)
    assert not [path for path in strays if path.exists()]
    assert all(path.exists() for path in kept + others)
    assert remove_strays(kept) == []
