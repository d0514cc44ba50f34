"""Times that are known from elsewhere."""

import pytest

from gwmorph.utc import utc


@pytest.mark.parametrize(
    ("gps", "decimals", "text"),
    [
        (0, 0, "1980-01-06 00:00:00"),
        (1126259462.42, 0, "2015-09-14 09:50:45"),
        (1126259462.42, 2, "2015-09-14 09:50:45.42"),
        (1126259462.9996, 3, "2015-09-14 09:50:46.000"),
        (1262306090.073974609, 3, "2020-01-06 00:34:32.074"),
        (1167264017, 0, "2016-12-31 23:59:60"),  # the leap second before 2017
        (1167264018, 0, "2017-01-01 00:00:00"),
    ],
)
def test_utc_is_what_the_clocks_said(gps, decimals, text):
    assert utc(gps, decimals) == text
