"""The loop of every training: its state, its end, and what stops it."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from closeness import near
from gwmorph.errors import ConfigError, TrainingError
from gwmorph.learning import loop
from gwmorph.learning.loop import (
    Checkpoint,
    Validation,
    adamw,
    choose_device,
    choose_precision,
    counted_steps,
    curves_table,
    fit,
    schedule,
    write_curves,
)
from gwmorph.tables.parquet import read_metadata, read_table
from gwmorph.tables.training import CURVES

CPU = torch.device("cpu")
STEPS = 20


class Kill(BaseException):
    pass


@dataclass(frozen=True)
class Line:
    """Learn y = 3 x from eight points a step, of which ``holds`` fit into memory at once.

    ``spoiled`` says of a step what its loss is multiplied with.
    """

    holds: int = 8
    spoiled: Mapping[int, float] = field(default_factory=dict)
    parts: tuple[str, ...] = ("error", "points")

    def losses(self, network, step, piece, pieces):
        x = torch.rand(8, 1, generator=torch.Generator().manual_seed(step)).chunk(pieces)[piece]
        if len(x) > self.holds:
            raise torch.OutOfMemoryError("tried to allocate 2 GiB")
        error = ((network(x) - 3 * x) ** 2).mean() * self.spoiled.get(step, 1.0)
        return error, {"error": error, "points": torch.tensor(float(len(x)))}


def far_from_two(network):
    """Of a line that is learning to have the slope 3, which passes by 2."""
    weight = network.weight.item()
    return {"error": abs(weight - 2), "weight": weight}


def run(path: Path, task=None, stop_at=-1, training="a", rate=0.1, **validation):
    """Fit a line; ``stop_at`` kills it there."""

    def progress(step, parts):
        if step == stop_at:
            raise Kill

    torch.manual_seed(3)
    network = nn.Linear(1, 1)
    validated = Validation(
        **{"every": 4, "measure": far_from_two, "judged_by": "error"} | validation
    )
    return fit(
        network,
        task or Line(),
        adamw(network, rate, 0.0),
        lambda step: rate,
        STEPS,
        Checkpoint(path / "state.pt", 5, training),
        progress,
        validated,
    )


def test_the_best_validation_is_what_is_returned(tmp_path):
    fitted = run(tmp_path, rate=0.3)
    steps = [step for step, _ in fitted.validations]
    errors = [found["error"] for _, found in fitted.validations]
    assert steps == [4, 8, 12, 16, 20]
    assert fitted.best_step == steps[int(np.argmin(errors))] < STEPS
    assert abs(fitted.network.weight.item() - 2) == min(errors)
    assert not fitted.network.training


def test_without_a_validation_the_last_step_counts(tmp_path):
    network = nn.Linear(1, 1)
    before = network.weight.item()
    checkpoint = Checkpoint(tmp_path / "state.pt", 5, "a")
    fitted = fit(
        network, Line(), adamw(network, 0.1, 0.0), lambda step: 0.1, 7, checkpoint, lambda *_: None
    )
    assert (fitted.validations, fitted.best_step, len(fitted.losses)) == ((), 7, 7)
    assert fitted.network.weight.item() > before


def test_the_last_step_is_validated_too(tmp_path):
    assert [step for step, _ in run(tmp_path, every=8).validations] == [8, 16, 20]


def test_it_ends_when_it_becomes_no_better(tmp_path):
    whole = run(tmp_path / "whole", rate=0.3)
    ended = run(tmp_path, rate=0.3, patience=1)
    assert len(ended.losses) == ended.best_step + 4 < STEPS
    np.testing.assert_array_equal(ended.losses, whole.losses[: len(ended.losses)])


@pytest.mark.parametrize("stop_at", [6, 13, 19])
def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path, stop_at):
    whole = run(tmp_path / "whole", rate=0.3, patience=2)
    with pytest.raises(Kill):
        run(tmp_path, stop_at=min(stop_at, len(whole.losses) - 1), rate=0.3, patience=2)
    again = run(tmp_path, rate=0.3, patience=2)
    assert again.validations == whole.validations
    assert again.best_step == whole.best_step
    assert torch.equal(again.network.weight, whole.network.weight)
    np.testing.assert_array_equal(again.losses, whole.losses)


def test_another_trainings_state_is_not_taken_up(tmp_path):
    whole = run(tmp_path / "whole")
    with pytest.raises(Kill):
        run(tmp_path, stop_at=13, training="other")
    assert torch.equal(run(tmp_path).network.weight, whole.network.weight)


@pytest.mark.parametrize(
    ("step", "kept"), [(12, "The state before step 11 is kept"), (2, "before its first")]
)
def test_a_loss_that_is_not_finite_stops_it_and_its_last_state_stays(tmp_path, step, kept):
    with pytest.raises(
        TrainingError, match=f"step {step + 1}: .*error nan.*{kept}.*learning rate"
    ):
        run(tmp_path, Line(spoiled={step: float("nan")}))
    if step > 5:
        state = torch.load(tmp_path / "state.pt", weights_only=True)
        assert state["step"] == 10
        assert torch.isfinite(state["network"]["weight"]).all()


@pytest.mark.parametrize(("from_step", "kept"), [(20, 15), (8, 5)])
def test_a_validation_that_is_not_finite_stops_it_too(tmp_path, from_step, kept):
    """NaN is smaller than nothing, and the last step is followed by no loss that would tell."""
    steps = iter(range(4, STEPS + 1, 4))

    def spoiled(network):
        return {"error": float("nan") if next(steps) >= from_step else 1.0}

    with pytest.raises(
        TrainingError,
        match=f"step {from_step}: the validation .*error nan.*before step {kept + 1} is kept",
    ):
        run(tmp_path, measure=spoiled)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == kept


def test_a_batch_that_a_gpu_does_not_hold_is_halved_once(tmp_path, caplog):
    halved = run(tmp_path, Line(holds=4))
    assert "cut in half" in caplog.text
    assert set(halved.losses[:, 1]) == {4}
    whole = run(tmp_path / "whole")
    np.testing.assert_allclose(halved.losses[:, 0], whole.losses[:, 0], rtol=1e-4, atol=0)
    with pytest.raises(
        TrainingError, match=r"step 1: .*half a batch.*2 GiB.*Set the batch size lower"
    ):
        run(tmp_path, Line(holds=2), training="b")


def test_curves_are_validations_and_means_of_steps(tmp_path):
    fitted = run(tmp_path)
    rows = curves_table("line", Line(), fitted, every=8).to_pylist()
    errors = [row["value"] for row in rows if row["measure"] == "training error"]
    assert errors == near([fitted.losses[a : a + 8, 0].mean() for a in (0, 8, 16)])
    assert [row["step"] for row in rows if row["measure"] == "training points"] == [8, 16, 20]
    found = [row["value"] for row in rows if row["measure"] == "validation weight"]
    assert found == [one["weight"] for _, one in fitted.validations]
    assert {row["trained"] for row in rows} == {"line"}


def test_written_curves_name_their_training(tmp_path):
    fitted = run(tmp_path)
    write_curves(tmp_path / "curves.parquet", "line", Line(), fitted, 8, "abc")
    assert read_table(tmp_path / "curves.parquet", CURVES) == curves_table(
        "line", Line(), fitted, 8
    )
    assert read_metadata(tmp_path / "curves.parquet")["gwmorph.training"] == "abc"


def test_steps_are_counted_as_they_are_done(monkeypatch):
    reached = []

    class Counted:
        reach = staticmethod(reached.append)

    monkeypatch.setattr(loop, "counting", lambda what, steps: nullcontext(Counted))
    with counted_steps(3) as tell:
        for step in range(3):
            tell(step, {})
    assert reached == [1, 2, 3]


def test_the_rate_rises_and_falls():
    rates = [schedule(step, 100) for step in range(100)]
    assert rates[4] == 1 == max(rates)
    assert rates[0] == 0.2
    assert rates[-1] == pytest.approx(0.01, abs=0.001)
    assert np.all(np.diff(rates[5:]) < 0)


def test_a_gpu_is_taken_where_there_is_one_and_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto", "training") == choose_device("cuda", "training")
    assert choose_device("cuda", "training") == torch.device("cuda")
    assert choose_device("cpu", "training") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"training\.device: 'cuda'"):
        choose_device("cuda", "training")
    assert choose_device("auto", "training") == CPU


@pytest.mark.parametrize(("device", "name"), [(CPU, "cpu"), (torch.device("cuda"), "gpu")])
def test_bf16_is_chosen_where_it_is_fast(monkeypatch, device, name):
    for fast in (True, False):
        monkeypatch.setattr(loop, "has_bf16", lambda fast=fast: fast and name == "cpu")
        monkeypatch.setattr(
            torch.cuda,
            "is_bf16_supported",
            lambda including_emulation, fast=fast: fast and name == "gpu",
        )
        assert choose_precision("auto", device, "training") == (
            torch.bfloat16 if fast else torch.float32
        )
        assert choose_precision("float32", device, "training") == torch.float32
    if name == "gpu":
        with pytest.raises(ConfigError, match="this GPU does not have it"):
            choose_precision("bf16", device, "training")
    else:
        assert choose_precision("bf16", device, "training") == torch.bfloat16
