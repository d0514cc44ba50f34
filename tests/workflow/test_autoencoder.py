"""An autoencoder through the real workflow, small enough for a test."""

import re

import pytest

from gwmorph.encoders.autoencoder import AutoencoderEncoder, classes_seen
from gwmorph.tables.autoencoder import AUTOENCODER_SCORES, RECONSTRUCTIONS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import CURVES

pytestmark = pytest.mark.workflow

CLASSES = ["blip", "low_frequency_blip"]
SMALL = {"steps": 4, "batch_size": 4, "validation_steps": 2}
CHANGED = {
    "run": {"name": "autoencoder"},
    "picture": {"height": 112, "width": 112},
    "learning": {"classes": CLASSES, "per_class": 6, "precision": "float32"},
    "autoencoder": {**SMALL, "head": {**SMALL, "hidden": 8}},
}


@pytest.fixture(scope="module")
def made(new, tmp_path_factory):
    project = new(tmp_path_factory.mktemp("autoencoder") / "project").change(**CHANGED)
    project.make("autoencoder")
    return project


def test_an_autoencoder_leaves_weights_scores_and_figures(made):
    folder = made.folder / "results" / "autoencoder" / "autoencoder"
    assert AutoencoderEncoder(folder / "encoder.safetensors", (112, 112)).width == 384
    assert classes_seen(folder / "encoder.safetensors") == set(CLASSES)
    curves = read_table(folder / "curves.parquet", CURVES).to_pylist()
    assert {(row["measure"], row["step"]) for row in curves} == {
        (measure, step)
        for measure in ("training mse", "validation mse", "validation mse of training pictures")
        for step in (2, 4)
    }
    scores = read_table(folder / "scores.parquet", AUTOENCODER_SCORES).to_pylist()
    assert {row["scored"] for row in scores if row["figure"] == "macro_f1"} == {
        "head alone",
        "head and network",
        "neighbours of the bottleneck",
        "neighbours of the trigger columns",
    }
    assert {row["scored"] for row in scores if row["figure"] == "mse"} == {
        "drawn again",
        "mean view of the training",
    }
    assert len(read_table(folder / "reconstructions.parquet", RECONSTRUCTIONS)) == 9
    for figure in ("learning.svg", "reconstructions.svg", "scores.html"):
        assert (folder / figure).stat().st_size > 2000
    assert not list(folder.glob("*.pt"))
    assert (folder / "config.yaml").is_file()


def test_only_what_a_key_changes_runs_again(made):
    def jobs(project):
        printed = project.make("--dry-run", "autoencoder")
        return re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE)

    assert jobs(made) == []
    longer = jobs(made.change(autoencoder={"head": {"steps": 5}}))
    assert not [job for job in longer if "Training the autoencoder" in job]
    assert [job for job in longer if "Training heads" in job]
