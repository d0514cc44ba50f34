"""Batches of examples, and a training that learns from them and survives being killed."""

import numpy as np
import pytest
import torch
from torch import nn

from closeness import near
from gwmorph.evidence.chirp_windows import Look, Signals
from gwmorph.learning import chirp_search
from gwmorph.learning.chirp_examples import Curriculum, chirp_batch, fixed_examples
from gwmorph.learning.chirp_networks import ChirpNetwork
from gwmorph.learning.chirp_search import ChirpRecipe, chirp_logits, scores_of, train_chirp_network
from gwmorph.learning.loop import Checkpoint, curves_table
from gwmorph.simulation.binaries import Binary
from gwmorph.simulation.streams import stream
from gwmorph.spectra.band import Band

LOOK = Look(("H1", "L1"), 128, 128, Band(1.0, 2.0), 0.5, 0.75)
CPU = torch.device("cpu")


class White:
    """White noise, one number after the other."""

    def windows(self, count, rng):
        return rng.standard_normal((count, 2, 128)).astype(np.float32)

    def streams(self, samples, rng):
        return rng.standard_normal((2, samples)).astype(np.float32)


def burst(count=6) -> Signals:
    """A wave packet at the merger, of another frequency for each binary."""
    t = np.arange(LOOK.kept) - LOOK.merger
    waves = [np.exp(-((t / 6) ** 2)) * np.cos(t * (0.5 + 0.1 * n)) for n in range(count)]
    white = np.repeat(np.array(waves, np.float32)[:, None], 2, axis=1)
    return Signals((Binary(30, 30, 0, 0, 0, 0, 0, 0, 0),) * count, white)


def small(detectors, samples, dropout):
    features = nn.Sequential(nn.Conv1d(detectors, 8, 15, padding=7), nn.ELU(), nn.BatchNorm1d(8))
    head = nn.Sequential(
        nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(8, 2)
    )
    return ChirpNetwork(features, head)


RECIPE = ChirpRecipe("small", 60, 64, 0.01, 0.0, 0.2, Curriculum(16.0, 8.0, 20.0), 20, 3)


@pytest.fixture(autouse=True)
def _one_thread_and_a_small_network(monkeypatch):
    monkeypatch.setitem(chirp_search.NETWORKS, "small", small)
    torch.set_num_threads(1)


def test_half_of_a_batch_holds_signals_of_the_curriculum():
    class Silence(White):
        def windows(self, count, rng):
            return np.zeros((count, 2, 128), np.float32)

    def norms(done):
        found = chirp_batch(
            burst(), Silence(), LOOK, Curriculum(16, 6, 20), 400, done, stream(1, "a", 1)
        )
        norm = np.sqrt((found.windows.astype(float) ** 2).sum(axis=(1, 2)))
        assert (norm[~found.signal] == 0).all()
        return norm[found.signal], found

    first, found = norms(0.0)
    assert found.signal.sum() == 200
    assert 16 <= first.min() < 16.3
    assert 19.7 < first.max() <= 20.0001
    assert norms(0.25)[0].min() == near(11.0, rel=0.05)
    assert norms(0.5)[0].min() == near(6.0, rel=0.06)
    assert norms(1.0)[0].min() == near(6.0, rel=0.06)
    # At every place where a merger may lie, and of both signs.
    peaks = np.abs(found.windows[:200, 0]).argmax(axis=1)
    assert {64, 96} <= set(range(peaks.min(), peaks.max() + 1))
    assert 50 < (found.windows[np.arange(200), 0, peaks] > 0).sum() < 150


def test_waves_are_used_again_in_other_noise():
    one, other = (
        chirp_batch(burst(1), White(), LOOK, Curriculum(9, 9, 10), 8, 1.0, stream(1, "b", n))
        for n in (1, 2)
    )
    assert not np.isin(one.windows[:, 0, :5], other.windows[:, 0, :5]).any()
    again = fixed_examples(burst(), White(), LOOK, 8.0, 16, 1, "validation")
    same = fixed_examples(burst(), White(), LOOK, 8.0, 16, 1, "validation")
    assert (again.windows == same.windows).all()


def fitted(path, stop_at=-1, recipe=RECIPE):
    def progress(step, parts):
        if step == stop_at:
            raise KeyboardInterrupt

    validation = fixed_examples(burst(), White(), LOOK, 10.0, 400, 1, "validation")
    return train_chirp_network(
        burst(), White(), LOOK, recipe, validation, Checkpoint(path, 10, "a"), CPU,
        torch.float32, progress,
    )  # fmt: skip


def test_a_network_learns_to_tell_windows_with_a_signal(tmp_path):
    found, task = fitted(tmp_path / "a")
    assert found.losses[-10:].mean() < 0.5 * found.losses[:5].mean()
    assert found.validations[-1][1]["efficiency"] > 0.6
    test = fixed_examples(burst(), White(), LOOK, 15.0, 200, 1, "test")
    scores = scores_of(found.network, test.windows)["unbounded"]
    assert (scores[test.signal].mean() - scores[~test.signal].mean()) > 2
    table = curves_table("small", task, found, 20)
    assert set(table["measure"].to_pylist()) == {
        "training loss", "validation loss", "validation efficiency",
    }  # fmt: skip


def test_a_training_that_was_killed_ends_the_same(tmp_path):
    whole, _ = fitted(tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "b", stop_at=37)
    resumed, _ = fitted(tmp_path / "b")
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name
    assert (whole.losses == resumed.losses).all()


def test_halves_of_a_batch_are_the_batch(tmp_path):
    found, task = fitted(tmp_path / "a")
    whole, _ = task.losses(found.network, 5, 0, 1)
    halves = [task.losses(found.network, 5, piece, 2)[0] for piece in range(2)]
    assert sum(half.item() for half in halves) / 2 == near(whole.item(), rel=1e-5)


def test_scores_do_not_depend_on_what_is_beside(tmp_path):
    found, _ = fitted(tmp_path / "a")
    windows = White().windows(300, np.random.default_rng(1))
    together = chirp_logits(found.network, windows, torch.float32)
    alone = chirp_logits(found.network, windows[270:280], torch.float32)
    assert torch.allclose(together[270:280], alone, rtol=1e-5, atol=1e-6)
