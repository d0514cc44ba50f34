"""Classifiers through the real workflow, small enough for a test."""

import re

import numpy as np
import pytest
import yaml
from matplotlib import colormaps
from PIL import Image
from workflow_project import build

from gwmorph.learning.labelled_pictures import read_labelled_pictures
from gwmorph.learning.networks import load_classifier
from gwmorph.tables.learning import SUPERVISED
from gwmorph.tables.parquet import read_table
from gwmorph.tables.training import CURVES

pytestmark = pytest.mark.workflow

NAME = "mobilenetv2_wd4-4-1-temporal"
LEARNING = {"source": "folder", "folder": "glitches", "seed": 3}
TRAINED = {
    "networks": ["mobilenetv2_wd4"], "batch_sizes": [4], "windows": ["1"],
    "splits": ["temporal"], "epochs": 1,
}  # fmt: skip


def write_glitches(folder):
    """Two classes of eight glitches, bright above or below, with a table of metadata."""
    rng = np.random.default_rng(6)
    lines = ["gravityspy_id,event_time,peak_frequency,snr,label"]
    for number in range(16):
        label = ("Blip", "Tomte")[number % 2]
        shown = rng.integers(0, 60, (40, 48))
        shown[(slice(0, 20), slice(20, 40))[number % 2], 20:28] = 240
        path = folder / label / f"H1_g{number}_spectrogram_1.0.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colormaps["viridis"](shown, bytes=True)[..., :3]).save(path)
        lines.append(f"g{number},{1126400000 + 100 * number},{100 + number},9,{label}")
    (folder / "Blip" / "H1_damaged_spectrogram_1.0.png").touch()
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")


def test_classifiers_are_trained_scored_and_shown(tmp_path):
    project = build(tmp_path / "project").change(learning=LEARNING, supervised=TRAINED)
    write_glitches(project.folder / "glitches")
    results = project.folder / "results" / "t"
    project.make("results/t/supervised/triggers/temporal.parquet")
    # The record of a run that is finished: nothing here is among what it speaks of.
    (results / "config.yaml").write_text("{}")
    project.make("supervised", "--forcerun", "labelled_pictures")
    assert (results / "config.yaml").read_text() == "{}"
    pictures = read_labelled_pictures(results / "learning" / "pictures" / "1.parquet")
    assert pictures.pictures.shape == (16, 28, 28)
    log = (results / "logs" / "labelled_pictures" / "1.log").read_text()
    assert "H1_damaged_spectrogram_1.0.png: not a readable picture" in log
    folder = results / "supervised"
    scored = read_table(folder / "accuracy.parquet", SUPERVISED).to_pylist()
    rows = {row["network"]: row for row in scored}
    assert set(rows) == {"mobilenetv2_wd4", "triggers"}
    assert {row["glitches"] for row in rows.values()} == {3}
    assert rows["mobilenetv2_wd4"]["start"] == "random"
    log = (results / "logs" / "supervise" / f"{NAME}.log").read_text()
    assert "starts from random weights" in log
    _, told = load_classifier(folder / "trainings" / NAME / "classifier.safetensors")
    assert told["classes"] == ["Blip", "Tomte"]
    assert not (folder / "trainings" / NAME / "checkpoint.pt").exists()
    curves = read_table(folder / "curves.parquet", CURVES)
    assert "validation error" in curves["measure"].to_pylist()
    assert "RANDOM, no transfer" in (folder / "classifiers.html").read_text()
    for figure in ("curves.svg", "confusion.svg", "mistakes.png"):
        assert (folder / figure).stat().st_size > 2000
    recorded = yaml.safe_load((folder / "config.yaml").read_text())
    assert recorded["supervised"]["networks"] == ["mobilenetv2_wd4"]
    # What it is for is asked for by nobody else, and what a key changes alone is made again.
    printed = project.make("--dry-run")
    assert not re.findall(r"^Job \d+: .*(?:lassif|abelled|Naming classes)", printed, re.MULTILINE)
    again = project.change(supervised={"mistakes": 3})
    assert sorted(again.would_run_for("supervised")) == [
        "Drawing the comparison of classifiers",
        "Recording the configuration of run t",
    ]
