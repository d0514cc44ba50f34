"""Heads and whole networks that learn planted classes, and what each way says of another set."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from filled import filled
from gwmorph.config import ClusteringConfig
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import write_network
from gwmorph.errors import ConfigError, TableError, TrainingError
from gwmorph.learning.backbones import IndomainBackbone
from gwmorph.learning.feature_maps import map_rows
from gwmorph.learning.finetune import (
    FinetuneRecipe,
    checkpoint_of,
    head_logits,
    mlp_head,
    train_head,
)
from gwmorph.learning.labelled_pictures import LabelledPictures
from gwmorph.learning.machine import Machine
from gwmorph.learning.specialise import (
    How,
    head_name,
    in_common,
    real_glitches,
    specialise,
)
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.comparison import REAL_STRAIN
from gwmorph.tables.finetune import FULL, PROBE, TRIGGERS

SCALE = PictureScale("linear", 25.5, "cividis")
RECIPE = FinetuneRecipe(
    hidden=8, dropout=0.1, head_steps=60, full_steps=72, batch_size=8, head_learning_rate=0.01,
    learning_rate=0.01, weight_decay=0.01, validation_steps=12, patience=20, seed=5,
)  # fmt: skip


class Kill(BaseException):
    pass


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def labelled(each=8, seed=1, colormap="cividis"):
    """Event views with a bright bar, high, low or upright; columns that tell nothing."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(["high", "low", "upright"], each)
    pictures = rng.integers(0, 60, (3 * each, 112, 112)).astype(np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        for rows, columns in ((0, 0), (0, 56), (56, 0), (56, 56)):
            crop = picture[rows : rows + 56, columns : columns + 56]
            at = rng.integers(4, 16)
            if label == "high":
                crop[at : at + 5, 10:46] = 230
            elif label == "low":
                crop[52 - at : 57 - at, 10:46] = 230
            else:
                crop[8:48, 22 + at : 27 + at] = 230
    count = len(labels)
    unknown = np.full(count, np.nan)
    groups = np.array([f"{seed}-{i}" for i in range(count)])
    return LabelledPictures(
        pictures, replace(SCALE, colormap=colormap), labels, groups, unknown,
        np.full(count, ""), unknown, rng.normal(size=(count, 5)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def weights(one_thread, tmp_path_factory):
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    network = CropNetwork(Architecture(stem=4, width=16, blocks=1, heads=2, crop_size=8))
    write_network(path, network, {"training": {"excluded": []}})
    return path


SIDES = np.tile(np.repeat(["train", "validation", "test"], [4, 2, 2]), 3)


def specialised(weights, folder, stop_at=None, **others):
    def progress(name, step, parts):
        if (name, step) == stop_at:
            raise Kill

    backbone = IndomainBackbone(weights, None)
    how = How(
        RECIPE, (1, 2), 2, Machine(torch.device("cpu"), torch.float32),
        lambda name: checkpoint_of(folder, name, 4, "a"),
        lambda name: partial(progress, name),
    )  # fmt: skip
    return backbone, specialise("small", backbone, labelled(), SIDES, others, how)


@pytest.fixture(scope="module")
def done(weights, tmp_path_factory):
    other = labelled(seed=2)
    return specialised(weights, tmp_path_factory.mktemp("state"), another=other)


def test_every_way_says_something_of_every_set(done):
    _, found = done
    rows = found.predictions.to_pylist()
    counts = {}
    for row in rows:
        counts[row["method"], row["data"]] = counts.get((row["method"], row["data"]), 0) + 1
    methods = (TRIGGERS, PROBE, head_name(1), head_name(2), FULL)
    assert counts == {(m, data): n for m in methods for data, n in (("test", 6), ("another", 24))}
    assert {row["row"] for row in rows if row["data"] == "test"} == set(
        np.flatnonzero(SIDES == "test").tolist()
    )
    assert set(found.curves["trained"].to_pylist()) == {head_name(1), head_name(2), FULL}


def test_full_fine_tuning_learns_what_columns_do_not_tell(done):
    _, found = done

    def right(method, data):
        rows = found.predictions.to_pylist()
        own = [r["label"] == r["predicted"] for r in rows if (r["method"], r["data"]) == (
            method, data)]  # fmt: skip
        return np.mean(own)

    assert right(FULL, "another") > 0.7
    assert right(TRIGGERS, "another") < 0.6
    before, after = (
        np.stack([row["embedding"] for row in found.features.to_pylist() if row["when"] == when])
        for when in ("before", "after")
    )
    assert before.shape == after.shape == (6, 32)
    assert np.abs(before - after).max() > 0.01


def test_a_killed_training_ends_with_the_same_weights(weights, done, tmp_path):
    with pytest.raises(Kill):
        specialised(weights, tmp_path, stop_at=(FULL, 29))
    assert (tmp_path / "checkpoint_full.pt").exists()
    again, found = specialised(weights, tmp_path)
    for ours, theirs in zip(again.parameters(), done[0].parameters(), strict=True):
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())
    assert found.about == done[1].about


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_head_has_so_many_layers_and_learns(layers, tmp_path):
    head = mlp_head(6, 3, layers, 8, 0.0)
    assert sum(isinstance(layer, torch.nn.Linear) for layer in head) == layers
    rng = np.random.default_rng(3)
    labels = np.tile(np.arange(3), 10)
    vectors = (np.eye(6)[labels] + 0.05 * rng.normal(size=(30, 6))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    both = dict.fromkeys(("train", "validation"), vectors)
    fitted, _ = train_head(
        both, dict.fromkeys(both, labels), layers, 3, RECIPE,
        checkpoint_of(tmp_path, "a", 1000, "a"), lambda step, parts: None,
    )  # fmt: skip
    assert (head_logits(fitted.network, vectors).argmax(1) == labels).all()


def test_an_empty_part_is_named(tmp_path):
    vectors = np.ones((4, 6), np.float32)
    with pytest.raises(TrainingError, match=r"validation part holds 1 .*\.validation_fraction"):
        train_head(
            {"train": vectors, "validation": vectors[:1]},
            {"train": np.zeros(4, np.int64), "validation": np.zeros(1, np.int64)},
            1, 2, RECIPE, checkpoint_of(tmp_path, "a", 9, "a"), lambda step, parts: None,
        )  # fmt: skip


def test_only_classes_that_both_sets_have_are_asked_about():
    other = labelled(each=2, seed=4)
    found = in_common(other, {"high": "top"}, ["top", "low", "koi"], "there")
    assert found.labels.tolist() == ["top", "top", "low", "low"]
    assert len(found) == 4
    with pytest.raises(ConfigError, match="no class in common"):
        in_common(other, {}, ["koi"], "there")
    with pytest.raises(ConfigError, match="helix: no such class in that set"):
        in_common(other, {"helix": "low"}, ["low"], "there")
    with pytest.raises(ConfigError, match="helix: no such class in the set that is trained on"):
        in_common(other, {"low": "helix"}, ["low"], "there")


def test_another_set_in_other_colours_is_refused(weights, tmp_path):
    with pytest.raises(TableError, match="viridis"):
        specialised(weights, tmp_path, another=labelled(each=2, colormap="viridis"))


def test_real_glitches_are_named_as_populations_name_them():
    about = {"label": "Blip_Low_Frequency", "name": "g1", "picture": bytes(16)}
    about |= {f"trigger_{n}": 2.0 for n in ("time", "frequency", "q", "duration", "bandwidth")}
    seen = filled(REAL_STRAIN, {**about, "trigger_snr": 9.0}, {"name": "g2", "picture": None})
    found = real_glitches(seen, SCALE, (4, 4))
    assert found.labels.tolist() == ["low_frequency_blip"]
    assert found.triggers.tolist() == [[2.0, 2.0, 2.0, 2.0, 9.0]]


def test_a_t_sne_map_keeps_islands_apart():
    rng = np.random.default_rng(2)
    vectors = np.repeat(np.eye(2, 8), 15, axis=0) + 0.05 * rng.normal(size=(30, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = ["a"] * 15 + ["b"] * 15
    rows = map_rows("before", vectors, np.arange(30), labels, ["t-SNE"], ClusteringConfig(), 3)
    places = np.array([(row["x"], row["y"]) for row in rows])
    distance = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(30)
    assert all(labels[i] == labels[near] for i, near in enumerate(distance.argmin(axis=1)))
