"""An autoencoder that learns planted bars, and heads that tell them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gwmorph.encoders.autoencoder_network import Autoencoder, AutoencoderArchitecture
from gwmorph.errors import ConfigError
from gwmorph.learning.autoencoder import (
    ACCURACY,
    AUGMENTATION,
    LOSS,
    MSE,
    TRAINING_MSE,
    AutoencoderRecipe,
    Crops,
    Head,
    Labelled,
    bottleneck_logits,
    classes_of,
    latents,
    mean_picture_errors,
    reconstruction_errors,
    train_autoencoder,
    train_bottleneck_classifier,
)
from gwmorph.learning.loop import Checkpoint
from gwmorph.learning.machine import Machine

CPU = Machine(torch.device("cpu"), torch.float32)
SMALL = AutoencoderArchitecture(widths=(8,) * 7 + (24,), decoder_widths=(16, 8, 8))
RECIPE = AutoencoderRecipe(
    steps=60, batch_size=16, learning_rate=0.02, weight_decay=0.0, validation_steps=20,
    patience=9, seed=3,
)  # fmt: skip
BARS = ("high", "low", "tall")


def bars(count, seed):
    """Views of faint noise, with a bar that depends on the class and lies anywhere in time."""
    rng = np.random.default_rng(seed)
    shown = rng.integers(60, 90, (count, 4, 56, 56))
    labels = np.array(BARS)[np.arange(count) % len(BARS)]
    for view, label in zip(shown, labels, strict=True):
        column = rng.integers(8, 40)
        rows = {"high": slice(4, 12), "low": slice(44, 52), "tall": slice(4, 52)}[label]
        view[:, rows, column : column + 8] = 250
    return Crops(shown.astype(np.uint8), np.arange(256, dtype=np.float32) / 255), labels


@pytest.fixture(scope="module")
def parts():
    return {name: bars(*given) for name, given in {"train": (48, 1), "other": (18, 2)}.items()}


def fitted(folder, parts, recipe=RECIPE, how=None):
    checkpoint = Checkpoint(folder / "state.pt", 1000, "a")
    train, other = parts["train"][0], parts["other"][0]
    return train_autoencoder(train, other, recipe, SMALL, how, checkpoint, CPU, lambda *_: None)[0]


@pytest.fixture(scope="module")
def trained(parts, tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("autoencoder"), parts)


def test_it_draws_bars_better_than_their_mean(trained, parts):
    errors = reconstruction_errors(trained.network, parts["other"][0], CPU)
    mean = mean_picture_errors(*(views for views, _ in parts.values()))
    assert errors.shape == mean.shape == (18,)
    assert errors.mean() < 0.75 * mean.mean()


def test_each_validation_measures_how_far_it_is_over_fitted(trained, parts):
    step, measured = trained.validations[-1]
    assert (step, set(measured)) == (60, {MSE, TRAINING_MSE})
    best = dict(trained.validations)[trained.best_step]
    errors = reconstruction_errors(trained.network, parts["other"][0], CPU)
    assert best[MSE] == errors.mean() == min(found[MSE] for _, found in trained.validations)


def test_the_mean_view_errs_by_the_variance(parts):
    train, _ = parts["train"]
    shown = train.brightness.take(train.indices)
    errors = mean_picture_errors(train, train)
    np.testing.assert_allclose(errors.mean(), shown.var(axis=0).mean(), rtol=1e-4)


def test_equal_seeds_give_equal_networks_and_others_others(parts, tmp_path):
    short = replace(RECIPE, steps=3, validation_steps=3)
    losses = [
        fitted(tmp_path / name, parts, recipe, AUGMENTATION).losses
        for name, recipe in {"a": short, "b": short, "c": replace(short, seed=4)}.items()
    ]
    np.testing.assert_array_equal(losses[0], losses[1])
    assert not np.array_equal(losses[0], losses[2])


@pytest.fixture(scope="module", params=[True, False], ids=["frozen", "whole"])
def told(request, trained, parts, tmp_path_factory):
    """What a head is before and after its training, and whether it is alone."""
    folder = tmp_path_factory.mktemp("head")
    weights = {name: t.clone() for name, t in trained.network.state_dict().items()}
    network = type(trained.network)(SMALL)
    network.load_state_dict(weights)
    found = train_bottleneck_classifier(
        network, request.param, Labelled(*parts["train"]), Labelled(*parts["other"]), RECIPE,
        Head(32, 0.3), AUGMENTATION, Checkpoint(folder / "state.pt", 1000, "a"), CPU,
        lambda *_: None,
    )[0]  # fmt: skip
    return found, weights, request.param


def test_heads_tell_the_classes(told, parts):
    found, _, _ = told
    views, labels = parts["other"]
    classes = classes_of(parts["train"][1])
    assert classes.tolist() == sorted(BARS)
    right = classes[bottleneck_logits(found.network, views, CPU).argmax(1)] == labels
    assert right.mean() >= 0.8
    best = dict(found.validations)[found.best_step]
    assert best[ACCURACY] == right.mean()
    assert best[LOSS] < np.log(len(BARS)) / 2


def test_a_head_alone_changes_nothing_before_it(told):
    found, before, frozen = told
    after = found.network.network.state_dict()
    encoder = [name for name in before if name.startswith("encoder") and "num_batches" not in name]
    assert all(torch.equal(before[name], after[name]) for name in encoder) is frozen


def test_what_the_training_lacks_is_told_wrong(trained, parts, tmp_path):
    views, labels = parts["train"]
    kept = labels != "tall"
    train = Labelled(replace(views, indices=views.indices[kept]), labels[kept])
    found = train_bottleneck_classifier(
        trained.network, True, train, Labelled(*parts["other"]),
        replace(RECIPE, steps=2, validation_steps=2), Head(8, 0.3), None,
        Checkpoint(tmp_path / "state.pt", 1000, "a"), CPU, lambda *_: None,
    )[0]  # fmt: skip
    measured = dict(found.validations)[2]
    assert measured[ACCURACY] <= 2 / 3
    assert np.isfinite(measured[LOSS])


def test_a_validation_of_other_classes_alone_is_told(parts, tmp_path):
    views, labels = parts["train"]
    with pytest.raises(ConfigError, match="no view of the validation part is of a class"):
        train_bottleneck_classifier(
            Autoencoder(SMALL), True, Labelled(views, labels),
            Labelled(views, np.full(len(labels), "new")), RECIPE, Head(8, 0.3), None,
            Checkpoint(tmp_path / "state.pt", 1000, "a"), CPU, lambda *_: None,
        )  # fmt: skip


def test_bottlenecks_are_normalised_over_the_training(trained, parts):
    found = latents(trained.network, parts["train"][0], CPU)
    assert found.shape == (48, 384)
    assert abs(float(found.mean())) < 0.5
    assert 0.4 < float(found.std()) < 2.5


@pytest.mark.parametrize(("train", "other"), [(1, 18), (48, 0)])
def test_too_few_views_are_told(parts, tmp_path, train, other):
    few = {"train": bars(train, 1), "other": bars(other, 2)}
    with pytest.raises(ConfigError, match=f"{train} views to train on and {other} to validate"):
        fitted(tmp_path, few)


def test_one_class_alone_is_told(trained, parts, tmp_path):
    views, labels = parts["train"]
    with pytest.raises(ConfigError, match="the training part has the class high alone"):
        train_bottleneck_classifier(
            trained.network, True, Labelled(views, np.full_like(labels, "high")),
            Labelled(*parts["other"]), RECIPE, Head(8, 0.3), None,
            Checkpoint(Path(tmp_path) / "state.pt", 1000, "a"), CPU, lambda *_: None,
        )  # fmt: skip
