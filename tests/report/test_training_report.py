import numpy as np
import pyarrow as pa
import pytest
from vector import drawn_twice

from gwmorph.report.training import draw_losses
from gwmorph.tables.training import LOSSES

CHANCE = {"event": 4.8, "crop": 4.8, "window": 3.4}


def losses(steps: int, factor: float = 1.0) -> pa.Table:
    falling = factor * np.exp(-np.arange(steps) / 50)
    columns = {name: chance * falling for name, chance in CHANCE.items()}
    return pa.table({"step": np.arange(1, steps + 1), **columns}, schema=LOSSES)


@pytest.mark.parametrize("steps", [2, 200, 20_000])
def test_equal_losses_give_equal_bytes_and_others_do_not(steps, tmp_path):
    for name, factor in (("one", 1.0), ("other", 0.5)):
        said = drawn_twice(tmp_path / f"{name}.svg", draw_losses, losses(steps, factor), CHANCE)
        assert {"update", "event views", "single crops"} <= set(said)
    assert (tmp_path / "one.svg").read_bytes() != (tmp_path / "other.svg").read_bytes()
