"""Which pictures encoders take, before any of them is made."""

import pytest

from gwmorph.encoders import dct
from gwmorph.encoders.crops import CROP
from gwmorph.encoders.sizes import SMALLEST, check_size
from gwmorph.errors import ConfigError


def test_the_smallest_sizes_are_those_of_the_encoders():
    assert SMALLEST["indomain"] == 2 * CROP
    assert SMALLEST["dct"] == max(dct.VERTICAL.max(), dct.HORIZONTAL.max()) + 1


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("dct", (21, 300), "the dct encoder needs at least 22 pixels, got 21 x 300"),
        ("indomain", (224, 110), "the indomain encoder needs at least 112 pixels, got 224 x 110"),
        ("dinov2", (224, 230), "multiples of 14 pixels, got 224 x 230; the nearest are 224 x 224"),
    ],
)
def test_a_size_that_does_not_suit_is_refused(name, size, message):
    with pytest.raises(ConfigError, match=message):
        check_size(name, size)


@pytest.mark.parametrize("size", [(112, 224), (1022, 2044)])
@pytest.mark.parametrize("name", ["dct", "indomain", "dinov2"])
def test_other_sizes_are_taken(name, size):
    check_size(name, size)
