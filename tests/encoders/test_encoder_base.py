import numpy as np
import pytest

from gwmorph.encoders.base import unit_rows
from gwmorph.errors import WeightsError


def test_unit_rows_keep_direction() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, -1e-20]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, -1.0]], rtol=1e-6)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_direction_are_refused(bad: float) -> None:
    with pytest.raises(WeightsError, match=r"1 of 3 vectors .* picture 1 of the batch"):
        unit_rows(np.array([[1.0, 0.0], [bad, bad], [0.0, 1.0]]))
