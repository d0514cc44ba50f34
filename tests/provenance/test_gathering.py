from pathlib import Path

import pytest
from made import SHA

from gwmorph.config import Config
from gwmorph.provenance.gathering import command_for, named_paths, product_list, whole_folders
from gwmorph.provenance.hashes import HashedFile
from gwmorph.storage import write_bytes

TARGETS = {"all": ["map.png"], "injections": ["injections/recall.parquet", "injections/views"]}


@pytest.fixture
def folder(tmp_path):
    for name in ("recall.parquet", "views/1.png", "windows/H1.parquet", "config.yaml"):
        write_bytes(tmp_path / "injections" / name, b"x")
    return tmp_path


def test_what_a_target_made_on_its_way_is_told_of_once(folder):
    whole = whole_folders(folder, TARGETS, ["injections/"])
    assert whole["injections"] == TARGETS["injections"]
    assert whole["all"] == ["map.png", "injections/config.yaml", "injections/windows/H1.parquet"]


def test_folders_of_other_targets_are_left_alone(folder):
    assert whole_folders(folder, TARGETS, []) == TARGETS


def test_a_command_asks_for_the_records_that_making_a_result_withdraws():
    records = ["config.yaml", "calibration/config.yaml"]
    assert command_for(Path("results/t"), "figures/a b.png", records) == (
        "snakemake --cores 1 'results/t/figures/a b.png' results/t/config.yaml "
        "results/t/calibration/config.yaml --configfile results/t/config.yaml"
    )


def test_a_record_is_asked_for_once():
    command = command_for(Path("results/t"), "config.yaml", ["config.yaml"])
    assert command.count("results/t/config.yaml") == 2  # once as the configuration


def test_a_folder_whose_name_begins_as_anothers_has_its_own_files():
    hashed = [HashedFile("views/1.png", SHA, 2), HashedFile("views_b/1.png", SHA, 3)]
    made = product_list(Path("results/t"), {"all": ["views", "views_b"]}, {}, hashed)
    assert [(one.path, one.files, one.size) for one in made] == [
        ("views", 1, 2),
        ("views_b", 1, 3),
    ]


def test_what_a_simulated_run_reads_is_its_population():
    configuration = Config().model_dump(mode="json")
    assert named_paths(configuration) == [
        ("source.simulated.population", Path("config/population.yaml"))
    ]


def test_every_named_file_of_a_run_is_among_what_it_reads(tmp_path):
    configuration = Config().model_dump(mode="json")
    configuration["source"] |= {"kind": "directory"}
    configuration["source"]["directory"] |= {"segments": {"H1": "h1.txt"}}
    configuration["known_events"]["file"] = "events.csv"
    other = tmp_path / "other"
    write_bytes(other / "event" / "reference.parquet", b"x")
    write_bytes(other / "recall.parquet", b"x")
    configuration["validation"]["similarity"] |= {"labels": "labels.csv", "reference": str(other)}
    configuration["timeslides"]["campaign"] = str(other)
    assert {key for key, _ in named_paths(configuration)} == {
        "known_events.file",
        "validation.similarity.labels",
        "validation.similarity.reference",
        "timeslides.campaign",
        "source.directory.segments.H1",
    }
