"""A training through the real workflow, small enough for a test."""

import re

import pytest

from gwmorph.encoders.indomain import left_out, load_network
from gwmorph.learning.pairs import read_pairs
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import LOSSES

pytestmark = pytest.mark.workflow

TRAINING = {
    "parts": 1,
    "windows_per_part": 8,
    "excluded": ["blip"],
    "noise_files": {"H1": ["data/H-H1_*.hdf5"]},
    "noise_windows": 4,
    "steps": 2,
    "event_pairs": 4,
    "window_pairs": 2,
    "seed": 3,
}


@pytest.fixture(scope="module")
def trained(new, tmp_path_factory):
    project = new(tmp_path_factory.mktemp("training") / "project")
    changed = project.change(run={"name": "training"}, training=TRAINING)
    changed.make("train_encoder")
    return changed


def jobs(project, *arguments):
    printed = project.make("--dry-run", *arguments)
    return re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE)


def test_a_training_leaves_weights_and_losses(trained):
    folder = trained.folder / "results" / "training" / "training"
    load_network(folder / "encoder.safetensors")
    assert left_out(folder / "encoder.safetensors") == {"blip"}
    losses = read_table(folder / "losses.parquet", LOSSES)
    assert losses["step"].to_pylist() == [1, 2]
    assert (folder / "losses.svg").stat().st_size > 5000
    assert not (folder / "checkpoint.pt").exists()
    pairs = read_pairs([folder / "pairs" / "0.npz", folder / "noise_pairs" / "H1.npz"])
    assert len(pairs.events) > 4
    assert "blip" not in {*pairs.event_names, *pairs.window_names}


def test_only_what_a_key_changes_runs_again(trained):
    assert jobs(trained, "train_encoder") == []
    longer = trained.change(training={"steps": 3})
    assert not [job for job in jobs(longer, "train_encoder") if "Simulating" in job]
    assert "Training the encoder of run training" in jobs(longer, "train_encoder")
    other = jobs(trained.change(training={"spread": 0.1}), "train_encoder")
    assert "Simulating part 0 of the training views" in other


def test_a_run_does_not_train(trained):
    assert not [job for job in jobs(trained) if "raining" in job.replace("run training", "")]
