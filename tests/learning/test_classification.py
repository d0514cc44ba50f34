"""Training a network to name classes, on pictures that a test knows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from closeness import near
from gwmorph.errors import TrainingError
from gwmorph.learning import classification
from gwmorph.learning.classification import (
    DEVIATION,
    MEAN,
    ClassifierRecipe,
    Looks,
    changed,
    ms_per_picture,
    prediction_columns,
    probabilities,
    rate_of,
    train_classifier,
)
from gwmorph.learning.contrastive import Augmentation
from gwmorph.learning.labelled_pictures import LabelledPictures
from gwmorph.learning.loop import Checkpoint
from gwmorph.spectra.pictures import PictureScale, palette

CPU = torch.device("cpu")
SCALE = PictureScale("linear", 25.5, "cividis")
RECIPE = ClassifierRecipe(
    epochs=5, batch_size=8, optimiser="adamw", learning_rate=0.05, schedule="cosine", factor=0.1,
    factor_epochs=2, weight_decay=0.0, augmented=False, smoothing=0.0, patience=None, seed=3,
)  # fmt: skip


class Tiny(nn.Module):
    """Two convolutions, which stand for a network of pytorchcv."""

    def __init__(self, classes):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.output = nn.Linear(16, classes)

    def forward(self, shown):
        pooled = nn.functional.adaptive_max_pool2d(self.first(shown).relu(), 2)
        return self.output(pooled.flatten(1))


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(classification, "make_classifier", lambda name, classes: Tiny(classes))
    monkeypatch.setattr(classification, "side_of", lambda name: 8)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def pictures():
    """Bright above, below or left: three classes of 20 pictures, and a fourth of the test part."""
    rng = np.random.default_rng(4)
    labels = np.array(["above", "below", "left"] * 20 + ["unknown"])
    shown = rng.integers(0, 60, (61, 16, 16)).astype(np.uint8)
    shown[labels == "above", :6] += 180
    shown[labels == "below", 10:] += 180
    shown[labels == "left", :, :6] += 180
    sides = np.array(["train"] * 30 + ["validation"] * 15 + ["test"] * 16)
    names = np.array([f"g{i}" for i in range(61)])
    nothing = np.full(61, np.nan)
    return LabelledPictures(shown, SCALE, labels, names, nothing, np.full(61, ""), nothing), sides


def trained(folder, pictures, recipe=RECIPE, progress=lambda step, parts: None, every=3):
    return train_classifier(
        "tiny", *pictures, recipe, None, Checkpoint(folder / "state.pt", every, "a"), CPU,
        torch.float32, progress,
    )  # fmt: skip


def test_classes_that_can_be_told_are_learned(tmp_path, pictures):
    found = trained(tmp_path, pictures)
    assert found.classes == ["above", "below", "left"]
    shown, sides = pictures
    held = shown.of(sides == "test")
    chances = probabilities(found.network, held.pictures, found.task.looks, torch.float32)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    columns = prediction_columns(chances, found.classes, held, np.arange(45, 61))
    assert columns["named"][:15] == columns["label"][:15]
    # No network can know the class that it was not trained on.
    assert columns["named"][15] != "unknown"
    assert columns["label_probability"][15] == 0
    assert columns["label_probability"][:15] == near(columns["probability"][:15].tolist())
    facts = found.facts()
    assert facts["validation_error"] == 0
    assert (facts["trained_on"], facts["classes"], facts["epochs"]) == (30, 3, 5)
    assert facts["best_epoch"] <= 5
    assert (facts["start"], facts["start_sha256"]) == ("random", None)
    assert facts["parameters"] == 4 * 27 + 4 + 3 * 16 + 3


def test_a_single_class_is_refused(tmp_path, pictures):
    shown, sides = pictures
    alone = np.where(shown.labels == "above", sides, "test")
    with pytest.raises(TrainingError, match=r"has the class above alone.*section learning"):
        trained(tmp_path, (shown, alone))


class Kill(BaseException):
    pass


def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path, pictures):
    recipe = replace(RECIPE, augmented=True, epochs=3)
    whole = trained(tmp_path / "whole", pictures, recipe)

    def stop(step, parts):
        if step == 7:
            raise Kill

    with pytest.raises(Kill):
        trained(tmp_path, pictures, recipe, stop)
    again = trained(tmp_path, pictures, recipe)
    for name, tensor in again.network.state_dict().items():
        assert torch.equal(tensor, whole.network.state_dict()[name])
    np.testing.assert_array_equal(again.fitted.losses, whole.fitted.losses)


def test_an_epoch_shows_every_picture_once(tmp_path, pictures):
    task = trained(tmp_path, pictures, replace(RECIPE, epochs=1, batch_size=10)).task
    assert task.steps_per_epoch == 3
    shown = [
        torch.cat([task.batch(3 * epoch + step)[0] for step in range(3)]).numpy().round(4)
        for epoch in (0, 1)
    ]
    for once in shown:
        assert len(np.unique(once.reshape(30, -1), axis=0)) == 30
    assert (shown[0] != shown[1]).any()


def test_the_test_part_changes_nothing(tmp_path, pictures):
    shown, sides = pictures
    whole = trained(tmp_path / "a", pictures, replace(RECIPE, epochs=1))
    blank = shown.pictures.copy()
    blank[sides == "test"] = 0
    other = trained(
        tmp_path / "b", (replace(shown, pictures=blank), sides), replace(RECIPE, epochs=1)
    )
    assert torch.equal(whole.network.output.weight, other.network.output.weight)
    assert whole.fitted.validations == other.fitted.validations


def test_pictures_have_the_colours_that_imagenet_is_normalised_by():
    looks = Looks("viridis", 4, CPU)
    shown = looks.tensor(torch.full((1, 4, 4), 200 / 255))
    rgb = shown[0, :, 2, 3].numpy() * DEVIATION + MEAN
    np.testing.assert_allclose(255 * rgb, palette("viridis")[200], rtol=1e-4)


def test_a_short_signal_stays_where_pictures_become_smaller():
    shown = np.zeros((1, 40, 60), np.uint8)
    shown[0, 13, 31] = 255
    sized = Looks("cividis", 8, CPU).sized(shown)
    assert np.argwhere(sized[0]).tolist() == [[13 * 8 // 40, 31 * 8 // 60]]
    assert sized.max() == 255


def test_small_pictures_are_enlarged():
    shown = np.full((2, 4, 20), 77, np.uint8)
    sized = Looks("cividis", 16, CPU).sized(shown)
    assert sized.shape == (2, 16, 16)
    assert set(np.unique(sized)) == {77}
    assert Looks("cividis", 16, CPU).tensor(torch.rand(2, 16, 16)).shape == (2, 3, 16, 16)


def test_changes_keep_crops_apart(monkeypatch):
    monkeypatch.setattr(classification, "augment", lambda parts, how, generator: parts)
    shown = torch.rand(3, 12, 8)
    for event_views in (True, False):
        assert torch.equal(changed(shown, event_views, torch.Generator()), shown)
    seen = []
    how = []
    monkeypatch.setattr(
        classification, "augment", lambda p, h, g: (seen.append(p), how.append(h)) and p
    )
    changed(shown, True, torch.Generator())
    assert seen[0].shape == (3, 4, 6, 4)
    assert torch.equal(seen[0][:, 1], shown[:, :6, 4:])
    assert torch.equal(seen[0][:, 2], shown[:, 6:, :4])
    # As far as in a crop of 56 pixels.
    assert how[0].shift_columns == near(Augmentation().shift_columns * 4 / 56)


def test_rates_fall_by_steps_or_as_a_cosine():
    steps = replace(RECIPE, schedule="steps", epochs=6)
    assert [rate_of(steps, step, 10) for step in (0, 19, 20, 59)] == near(
        [0.05, 0.05, 0.005, 0.0005]
    )
    assert rate_of(RECIPE, 49, 10) < 0.01 * rate_of(RECIPE, 3, 10) * 2


def test_the_time_of_a_picture_is_that_of_one_thread(tmp_path, pictures, monkeypatch):
    found = trained(tmp_path, pictures, replace(RECIPE, epochs=1))
    threads = []
    monkeypatch.setattr(
        classification,
        "probabilities",
        lambda *arguments: threads.append(torch.get_num_threads()),
    )
    assert ms_per_picture(found.network, pictures[0].pictures, found.task.looks) >= 0
    assert set(threads) == {1}
