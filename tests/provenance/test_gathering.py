from pathlib import Path

import pytest
from igwn_segments import segment, segmentlist
from made import GWOSC_FILE, SHA

from gwmorph.config import Config
from gwmorph.grid import Grid
from gwmorph.plan import DetectorPlan
from gwmorph.provenance.gathering import (
    command_for,
    encoder_facts,
    flag_of,
    named_paths,
    product_list,
    strain_inputs,
    whole_folders,
)
from gwmorph.provenance.hashes import HashedFile
from gwmorph.storage import sha256_of_file, write_bytes
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.receipts import write_receipts

ROOT = Path(__file__).parents[2]

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


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ({"kind": "gwosc"}, {"H1": "H1_DATA", "L1": "L1_DATA"}),
        ({"kind": "simulated"}, dict.fromkeys(("H1", "L1"), "simulated segments")),
        ({"kind": "directory"}, {"H1": "h1.txt", "L1": "the files' own masks"}),
    ],
)
def test_what_says_when_data_are_science_is_named(source, flags):
    whole = Config().model_dump(mode="json")["source"]
    whole["directory"]["segments"] = {"H1": "lists/h1.txt"}
    assert {name: flag_of(whole | source, name) for name in flags} == flags


def planned(location):
    file = StrainFile("H1", 4096, 4096, 4096, location)
    grid = Grid(32, 32, 4)
    return {
        "H1": DetectorPlan("H1", 4096, 8192, grid, segmentlist([segment(4096, 8192)]), (file,))
    }


def received(folder, name):
    file = LocalFile("H1", 4096, 4096, 4096, name, SHA, 7, "gwosc")
    (folder / "strain" / "H1").mkdir(parents=True)
    write_receipts(folder / "strain" / "H1" / "4096.json", [file])


def test_strain_that_was_fetched_has_its_address(tmp_path):
    received(tmp_path, f"gwosc/gwosc.org/O3a_4KHZ_R1/1238000000/{GWOSC_FILE}")
    address = f"https://gwosc.org/archive/data/O3a_4KHZ_R1/1238000000/{GWOSC_FILE}"
    (found,) = strain_inputs(tmp_path, planned(address), Path("cache"))
    assert found.location == address
    assert found.file.path.startswith("cache/gwosc/")
    assert (found.file.sha256, found.file.size, found.detector) == (SHA, 7, "H1")


def test_strain_of_the_users_own_has_none(tmp_path):
    received(tmp_path, "data/mine.hdf5")
    (found,) = strain_inputs(tmp_path, planned("data/mine.hdf5"), Path())
    assert found.location is None


@pytest.fixture
def weights(tmp_path):
    write_bytes(tmp_path / "a.safetensors", b"abc")
    return tmp_path / "a.safetensors"


def encoder(read, shipped, **keys):
    configuration = Config().model_dump(mode="json")
    configuration["encoder"] |= keys
    return encoder_facts(configuration, f"name:rev:{SHA}:224x224", read, shipped)


def test_shipped_weights_have_a_licence_and_a_card(weights):
    found = encoder([weights], weights)
    assert found.weights_sha256 == sha256_of_file(weights)
    assert found.licence == "Apache-2.0"
    assert (ROOT / found.card).is_file()
    assert (ROOT / found.card).with_suffix(".safetensors").is_file()


def test_weights_of_the_users_own_have_no_licence_that_is_known(weights, tmp_path):
    found = encoder([weights], tmp_path / "shipped.safetensors")
    assert (found.licence, found.card) == (None, None)


def test_an_encoder_without_weights_has_no_hash(tmp_path):
    found = encoder([], tmp_path / "shipped.safetensors", name="dct")
    assert found.weights_sha256 is None


def test_weights_of_the_hub_are_known_by_the_encoder_id(tmp_path):
    found = encoder([], tmp_path / "shipped.safetensors", name="dinov2")
    assert found.weights_sha256 == SHA
    assert found.licence == "Apache-2.0"
    assert found.card == "https://huggingface.co/facebook/dinov2-with-registers-small"


def test_a_local_folder_of_weights_may_hold_anything(weights, tmp_path):
    section = Config().model_dump(mode="json")["encoder"]["weights"] | {"path": str(tmp_path)}
    found = encoder([weights], tmp_path / "shipped", name="dinov2", weights=section)
    assert found.weights_sha256 == sha256_of_file(weights)
    assert (found.licence, found.card) == (None, None)
