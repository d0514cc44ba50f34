import json
from dataclasses import replace

import pytest
from crate_checking import issues
from made import ADDRESS, GWOSC_FILE, SHA, made_facts, made_folder, strain

from gwmorph.provenance.crate import named_by_content, write_crate
from gwmorph.provenance.facts import EncoderFacts, Input
from gwmorph.provenance.hashes import HashedFile, lines_hash
from gwmorph.provenance.names import CODE, MEANINGS, METADATA
from gwmorph.provenance.record import write_record
from gwmorph.storage import write_bytes


@pytest.fixture
def written(tmp_path):
    facts, hashed = made_folder(tmp_path)
    write_bytes(tmp_path / CODE / "Snakefile", b"rule all:\n")
    write_record(tmp_path, facts, hashed)
    return tmp_path


def graph(folder):
    content = json.loads((folder / METADATA).read_text())
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_a_record_is_a_crate_of_the_workflow_run_profile(written):
    assert issues(written) == []


@pytest.mark.parametrize("lost", ["instrument", "mainEntity", "conformsTo"])
def test_the_validator_notices_what_is_lost(written, lost):
    path = written / METADATA
    content = json.loads(path.read_text())
    for entity in content["@graph"]:
        if entity["@id"] != METADATA:
            entity.pop(lost, None)
    path.write_text(json.dumps(content))
    assert issues(written)


def test_the_validator_notices_a_result_that_is_not_there(written):
    (written / "triggers.parquet").unlink()
    assert any("triggers.parquet" in issue for issue in issues(written))


def test_the_same_facts_are_the_same_bytes(written):
    before = (written / METADATA).read_bytes()
    facts, hashed = made_folder(written)
    write_record(written, facts, hashed)
    assert (written / METADATA).read_bytes() == before


def test_no_address_is_needed_to_read_the_crate(written):
    context = json.loads((written / METADATA).read_text())["@context"]
    assert context[0] == "https://w3id.org/ro/crate/1.1/context"
    assert all(isinstance(more, dict) for more in context[1:])


def test_results_have_size_hash_and_the_command_that_makes_them(written):
    facts, hashed = made_folder(written)
    entities = graph(written)
    by_path = {one.path: one for one in hashed}
    figure = entities["figures/event/map.png"]
    assert figure["sha256"] == by_path["figures/event/map.png"].sha256
    assert figure["contentSize"] == str(len("figures/event/map.png"))
    assert "snakemake --cores 1 results/t/figures/event/map.png" in figure["description"]
    folder = entities["pictures/"]
    inside = [one for one in hashed if one.path.startswith("pictures/")]
    assert folder["sha256"] == lines_hash(inside)
    assert folder["contentSize"] == "3"
    (run,) = (one for one in entities.values() if one["@type"] == "CreateAction")
    assert {one["@id"].rstrip("/") for one in run["result"]} == {
        one.path for one in facts.products
    }
    assert "config.yaml" in {one["@id"] for one in run["object"]}
    assert not {one["@id"] for one in run["object"]} & {"triggers.parquet", "pictures/"}
    assert (run["startTime"], run["endTime"]) == (facts.span.start, facts.span.end)
    assert entities["./"]["datePublished"] == facts.span.end


def test_the_records_own_files_are_parts(written):
    parts = {part["@id"] for part in graph(written)["./"]["hasPart"]}
    assert {*MEANINGS, f"{CODE}/", f"{CODE}/Snakefile"} <= parts


def crate_of(folder, **changed):
    write_crate(folder / METADATA, made_facts(**changed), {}, "words")
    return graph(folder)


def test_public_strain_is_named_by_its_address_and_has_gwoscs_licence(tmp_path):
    entity = crate_of(tmp_path, inputs=[strain(GWOSC_FILE, ADDRESS)])[ADDRESS]
    assert entity["license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert entity["sha256"] == SHA
    assert "https://doi.org/10.7935/nfnt-hm34" in crate_of(
        tmp_path, inputs=[strain(GWOSC_FILE, ADDRESS)]
    )


def test_a_users_file_is_named_by_its_content_and_not_by_its_place(tmp_path):
    given = Input(HashedFile("/home/somebody/mine.gwf", SHA, 7), "strain", None, "H1")
    entities = crate_of(tmp_path, inputs=[given])
    assert entities[named_by_content(SHA)]["name"] == "mine.gwf"
    assert "somebody" not in (tmp_path / METADATA).read_text()


def test_a_name_by_content_is_rfc_6920s():
    # Its section 8.1: the SHA-256 of "Hello World!".
    digest = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"
    assert named_by_content(digest) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"


def test_weights_have_hash_licence_and_card(tmp_path):
    own = EncoderFacts("id", SHA, "Apache-2.0", "src/gwmorph/encoders/indomain.md")
    entities = crate_of(tmp_path, encoder=own)
    weights = entities[f"{CODE}/src/gwmorph/encoders/indomain.safetensors"]
    assert weights["sha256"] == SHA
    assert weights["license"] == {"@id": "https://spdx.org/licenses/Apache-2.0"}
    assert weights["subjectOf"] == {"@id": f"{CODE}/src/gwmorph/encoders/indomain.md"}


def test_an_encoder_without_weights_has_none(tmp_path):
    entities = crate_of(tmp_path, encoder=EncoderFacts("dct:1::224x224", None, None, None))
    assert not [name for name in entities if "safetensors" in name]


def test_values_that_are_no_files_are_there(tmp_path):
    entities = crate_of(tmp_path)
    values = {one["name"]: one["value"] for one in entities.values() if "value" in one}
    assert values["seed-run.seed"] == 20200106
    assert values["H1-livetime-seconds"] == 64
    assert values["git-clean"] == "yes"
    assert values["machine-processor"] == "Some CPU"


def test_one_file_of_two_detectors_is_one_entity(tmp_path):
    first = strain("both.hdf5")
    entities = crate_of(tmp_path, inputs=[first, replace(first, detector="L1")])
    assert sum(name.startswith("ni:") for name in entities) == 1
