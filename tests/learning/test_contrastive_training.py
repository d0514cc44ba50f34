from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import write_network
from gwmorph.errors import ConfigError
from gwmorph.learning.contrastive import Augmentation
from gwmorph.learning.contrastive_training import (
    PARTS,
    Batch,
    Contrasting,
    Vectors,
    batch_of,
    losses_of,
    losses_table,
    train,
)
from gwmorph.learning.loop import Checkpoint
from gwmorph.learning.pairs import QUIET
from gwmorph.tables.parquet import read_table, write_table
from gwmorph.tables.training import LOSSES

NONE = Augmentation(**dict.fromkeys(vars(Augmentation()), 0))
SMALL = Architecture(stem=8, width=16, blocks=1, heads=2, crop_size=8)
CPU = torch.device("cpu")


class Kill(BaseException):
    pass


# For the whole module: the fixture that trains is made before those of any test.
@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(
    pairs,
    recipe,
    path: Path,
    stop_at: int = -1,
    training: str = "a",
    precision: torch.dtype = torch.float32,
):
    """Train and return the bytes of the weights and the losses; ``stop_at`` kills it there."""

    def progress(step, parts):
        if step == stop_at:
            raise Kill

    checkpoint = Checkpoint(path / "state.pt", 5, training)
    network, losses = train(
        pairs, recipe, SMALL, Augmentation(), checkpoint, CPU, precision, progress
    )
    write_network(path / "weights", network, {})
    return (path / "weights").read_bytes(), losses


@pytest.fixture(scope="module")
def uninterrupted(pairs, recipe, tmp_path_factory):
    return run(pairs, recipe, tmp_path_factory.mktemp("whole"))


def test_losses_fall(uninterrupted):
    losses = uninterrupted[1]
    assert losses.shape == (20, len(PARTS))
    assert np.isfinite(losses).all()
    assert (losses[-5:].mean(axis=0) < losses[:5].mean(axis=0)).all()


def test_same_seed_same_bytes_and_another_seed_others(uninterrupted, pairs, recipe, tmp_path):
    assert run(pairs, recipe, tmp_path)[0] == uninterrupted[0]
    assert run(pairs, replace(recipe, seed=4), tmp_path, training="b")[0] != uninterrupted[0]


def test_a_killed_bf16_training_ends_as_if_it_had_not_been(pairs, recipe, tmp_path):
    whole = run(pairs, recipe, tmp_path, training="whole", precision=torch.bfloat16)
    with pytest.raises(Kill):
        run(pairs, recipe, tmp_path, stop_at=8, precision=torch.bfloat16)
    assert run(pairs, recipe, tmp_path, precision=torch.bfloat16)[0] == whole[0]


def test_a_killed_training_ends_as_if_it_had_not_been(uninterrupted, pairs, recipe, tmp_path):
    with pytest.raises(Kill):
        run(pairs, recipe, tmp_path, stop_at=8)
    told = []
    network, losses = train(
        pairs,
        recipe,
        SMALL,
        Augmentation(),
        Checkpoint(tmp_path / "state.pt", 5, "a"),
        CPU,
        torch.float32,
        lambda step, parts: told.append(step),
    )
    assert told[0] == 5  # the last checkpoint before the kill
    write_network(tmp_path / "weights", network, {})
    assert (tmp_path / "weights").read_bytes() == uninterrupted[0]
    np.testing.assert_array_equal(losses, uninterrupted[1])


def test_bf16_trains_as_float32_does(uninterrupted, pairs, recipe, tmp_path):
    """Matrices are rounded, weights and losses are not: the same course, which drifts apart."""
    data, losses = run(pairs, recipe, tmp_path, precision=torch.bfloat16)
    assert data != uninterrupted[0]
    np.testing.assert_allclose(losses[0], uninterrupted[1][0], rtol=0.02)
    assert (losses[-5:].mean(axis=0) < losses[:5].mean(axis=0)).all()


def test_another_trainings_checkpoint_is_ignored(uninterrupted, pairs, recipe, tmp_path):
    with pytest.raises(Kill):
        run(pairs, recipe, tmp_path, stop_at=8, training="other")
    assert run(pairs, recipe, tmp_path)[0] == uninterrupted[0]


def test_a_batch_depends_on_seed_and_step_alone(pairs, recipe):
    first, again, other = (
        batch_of(pairs, recipe, Augmentation(), step, CPU) for step in (7, 7, 8)
    )
    assert torch.equal(first.events[0], again.events[0])
    assert not torch.equal(first.events[0], other.events[0])
    assert first.events[0].shape == (10, 4, 56, 56)
    assert first.windows[1].shape == (6, 4, 56, 56)


def test_too_few_pairs_are_refused(pairs, recipe, tmp_path):
    few = replace(pairs, windows=pairs.windows[:1], window_names=pairs.window_names[:1])
    with pytest.raises(ConfigError, match="1 pairs of windows, expected at least two"):
        run(few, recipe, tmp_path)


def test_losses_become_a_table(tmp_path):
    table = losses_table(np.arange(6.0).reshape(2, 3))
    write_table(tmp_path / "losses", LOSSES, table)
    assert read_table(tmp_path / "losses", LOSSES).to_pylist()[1] == {
        "step": 2,
        "event": 3.0,
        "crop": 4.0,
        "window": 5.0,
    }


def some_vectors(seed: int = 0) -> Vectors:
    rng = torch.Generator().manual_seed(seed)

    def unit(*shape: int) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(*shape, generator=rng), dim=-1)

    crops, windows = unit(8, 4, 96), unit(8, 384)
    return Vectors((crops, crops.clone()), (windows, windows.clone()))


def a_batch(quiet: bool = False, other_crop: int = 0) -> Batch:
    nothing = torch.empty(0)
    return Batch((nothing, nothing), (nothing, nothing), torch.full((8,), quiet), other_crop)


def test_single_crops_are_contrasted_with_the_crop_that_the_batch_names(recipe):
    """At temperature 0.2 partners that agree cost next to nothing, strangers log 15."""
    same, vectors = some_vectors(), some_vectors()
    assert losses_of(same, a_batch(), recipe)["crop"] < 0.2
    assert losses_of(same, a_batch(other_crop=1), recipe)["crop"] > 2
    turned = Vectors((vectors.crops[0], vectors.crops[0].roll(-1, 1)), vectors.windows)
    assert losses_of(turned, a_batch(other_crop=1), recipe)["crop"] < 0.2
    assert losses_of(turned, a_batch(), recipe)["crop"] > 2


def test_every_other_step_contrasts_crops_of_different_duration(pairs, recipe):
    few = replace(recipe, event_pairs=2, window_pairs=2)
    chosen = [batch_of(pairs, few, NONE, step, CPU).other_crop for step in range(80)]
    assert set(chosen) == {0, 1, 2, 3}
    assert 25 < chosen.count(0) < 55


def test_single_crops_have_a_part_in_what_is_learned(uninterrupted, pairs, recipe, tmp_path):
    assert run(pairs, replace(recipe, crop_weight=0), tmp_path)[0] != uninterrupted[0]


def test_quiet_windows_are_no_negatives_of_each_other(recipe):
    alike = torch.nn.functional.normalize(torch.ones(8, 384), dim=1)
    vectors = replace(some_vectors(), windows=(alike, alike))
    assert losses_of(vectors, a_batch(quiet=True), recipe)["window"] == 0
    assert losses_of(vectors, a_batch(quiet=False), recipe)["window"] > 2


def test_a_batch_knows_which_of_its_windows_are_quiet(pairs, recipe):
    numbered = replace(pairs, windows=np.empty_like(pairs.windows))
    numbered.windows[:] = 10 * np.arange(24).reshape(-1, 1, 1, 1, 1)
    batch = batch_of(numbered, replace(recipe, window_pairs=24), NONE, 3, CPU)
    rows = (25.5 * batch.windows[0][:, 0, 0, 0]).round().int().numpy()
    np.testing.assert_array_equal(batch.quiet.numpy(), pairs.window_names[rows] == QUIET)
    assert 0 < batch.quiet.sum() < len(rows)


def test_halves_of_a_batch_are_all_of_it(pairs, recipe):
    batch = batch_of(pairs, recipe, NONE, 3, CPU)
    first, second = (batch.piece(number, 2) for number in range(2))
    assert torch.equal(torch.cat([first.events[1], second.events[1]]), batch.events[1])
    assert torch.equal(torch.cat([first.quiet, second.quiet]), batch.quiet)
    assert first.other_crop == second.other_crop == batch.other_crop
    network = CropNetwork(SMALL)
    task = Contrasting(pairs, recipe, NONE, CPU, torch.float32)
    assert task.losses(network, 3, 0, 2)[0] != task.losses(network, 3, 1, 2)[0]
