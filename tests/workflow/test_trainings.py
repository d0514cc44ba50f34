"""Another training of the encoder as a variant of stability, through the real workflow."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from workflow_project import UNCHANGED

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import write_network
from gwmorph.storage import sha256_of_file
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_matrix
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.validation import AGREEMENTS, PAIRS, SURVIVAL

pytestmark = pytest.mark.workflow

FOLDER = "results/t/validation/window"
PAGE = f"{FOLDER}/stability.html"
ENCODING = "Encoding window views of run t with training 1"
CLUSTERING = "Clustering the window views of run t in other ways"
DRAWING = "Drawing which window clusters of run t stay"


def write_weights(path, seed, width=16):
    torch.manual_seed(seed)
    sizes = {"stem": 4, "blocks": 1, "heads": 2, "crop_size": 96}
    write_network(path, CropNetwork(Architecture(width=width, **sizes)), {})


def with_trainings(project, *paths):
    return project.change(validation={"stability": {"trainings": list(paths)}})


@pytest.fixture(scope="module")
def retrained(new, tmp_path_factory):
    project = new(tmp_path_factory.mktemp("trainings") / "project")
    for name, seed in (("own", 1), ("other", 2)):
        write_weights(project.folder / f"{name}.safetensors", seed)
    changed = with_trainings(
        project.change(
            picture={"height": 112, "width": 112},
            encoder={"name": "indomain", "indomain": {"path": "own.safetensors"}},
            clustering={"views": ["window"]},
            validation={"rows": 50, "repeats": 20, "stability": UNCHANGED},
        ),
        "other.safetensors",
    )
    changed.make(PAGE)
    return changed


def jobs(project):
    printed = project.make("--dry-run", PAGE)
    return re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE)


def test_another_training_is_a_variant_with_its_encoder_id(retrained):
    folder = retrained.folder / FOLDER
    agreements = read_table(folder / "stability.parquet", AGREEMENTS)
    changed = dict(
        zip(agreements["variant"].to_pylist(), agreements["changed"].to_pylist(), strict=True)
    )
    assert changed == {"sample alone": "sample alone", "training 1": "training"}
    assert {"training 1"} <= {*read_table(folder / "pairs.parquet", PAIRS)["other"].to_pylist()}
    survival = read_table(folder / "survival.parquet", SURVIVAL)
    assert {*survival["runs"].to_pylist()} == {1}  # the sample alone is no variant
    sha256 = sha256_of_file(retrained.folder / "other.safetensors")
    known = f"indomain:{Architecture().version}:{sha256}:112x112:float32"
    for name in ("stability", "pairs", "survival"):
        metadata = read_metadata(folder / f"{name}.parquet")
        assert json.loads(metadata["gwmorph.trainings"]) == {"training 1": known}
        assert metadata["gwmorph.encoder_id"] != known
    assert known in (retrained.folder / PAGE).read_text()


def test_its_vectors_are_of_the_samples_rows_and_are_others(retrained):
    table = read_table(retrained.folder / FOLDER / "stability" / "training_1.parquet", EMBEDDINGS)
    assert 16 <= len(table) <= 50
    shards = sorted((retrained.folder / "results/t/embeddings/window").glob("*.parquet"))
    own = {
        (row["detector"], row["gps_start"]): row["embedding"]
        for shard in shards
        for row in read_table(shard, EMBEDDINGS).to_pylist()
    }
    keys = zip(table["detector"].to_pylist(), table["gps_start"].to_pylist(), strict=True)
    cosines = (np.array([own[key] for key in keys]) * embedding_matrix(table)).sum(axis=1)
    assert np.abs(cosines).max() < 0.9


def test_content_of_the_weights_reruns_it_and_where_they_lie_does_not(retrained):
    assert jobs(retrained) == []
    folder = retrained.folder
    (folder / "moved").mkdir()
    shutil.copy(folder / "other.safetensors", folder / "moved" / "again.safetensors")
    assert jobs(with_trainings(retrained, "moved/again.safetensors")) == []
    write_weights(folder / "moved" / "again.safetensors", 3)
    assert jobs(with_trainings(retrained, "moved/again.safetensors")) == [
        ENCODING,
        CLUSTERING,
        DRAWING,
    ]


def test_one_more_training_leaves_the_first_alone(retrained):
    write_weights(retrained.folder / "third.safetensors", 4)
    more = jobs(with_trainings(retrained, "other.safetensors", "third.safetensors"))
    assert more == [ENCODING.replace("1", "2"), CLUSTERING, DRAWING]
    assert jobs(with_trainings(retrained)) == [CLUSTERING, DRAWING]


def test_other_ways_to_cluster_do_not_encode_again(retrained):
    assert ENCODING not in jobs(retrained.change(clustering={"umap": {"neighbors": 6}}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["nowhere.safetensors"], "nowhere.safetensors: nothing is there"),
        (["own.safetensors"], "own.safetensors: .*got those of the run's encoder again"),
        (["other.safetensors", "copy.safetensors"], "got those of other.safetensors again"),
        (["cut.safetensors"], "cut.safetensors: not a whole safetensors file"),
        (["wide.safetensors"], "wide.safetensors: another architecture"),
    ],
)
def test_what_is_no_other_training_is_refused_before_any_job(retrained, given, message):
    folder = retrained.folder
    whole = (folder / "other.safetensors").read_bytes()
    (folder / "copy.safetensors").write_bytes(whole)
    (folder / "cut.safetensors").write_bytes(whole[:-10])
    write_weights(folder / "wide.safetensors", 2, width=32)
    done = with_trainings(retrained, *given).snakemake("--dry-run", PAGE)
    assert done.returncode != 0
    assert re.search(rf"Error: validation\.stability\.trainings.*{message}", done.stdout)
    assert "Traceback" not in done.stdout


def test_an_encoder_without_weights_has_no_other_training(retrained):
    done = retrained.change(encoder={"name": "dct"}).snakemake("--dry-run")
    assert done.returncode != 0
    assert "validation.stability.trainings: encoder.name dct has no weights" in done.stdout
    assert "Traceback" not in done.stdout
