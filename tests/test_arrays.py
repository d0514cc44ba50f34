"""Archives of arrays: what is not as it was written is refused."""

import zipfile

import numpy as np
import pytest

from gwmorph.arrays import read_arrays, require_arrays
from gwmorph.errors import TableError


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.arange(6.0), names=np.array(["x"]))
    return tmp_path / "a.npz"


def test_arrays_come_back(path):
    held = read_arrays(path)
    require_arrays(path, held, {"one": ("f8", 1), "names": ("U", 1)})
    assert held["one"].tolist() == list(range(6))


def damaged(path, how):
    if how == "pickled":
        np.savez(path, one=np.array([{}], dtype=object))
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        header = {"no array": b"text", "header": b"\x93NUMPY\x01\x00\x08\x00{'descr'"}[how]
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("one.npy", header)


@pytest.mark.parametrize("how", ["pickled", "cut", "empty", "no array", "header"])
def test_damage_is_an_error_that_names_the_file(path, how):
    damaged(path, how)
    with pytest.raises(TableError, match=r"a\.npz: not a readable archive of arrays"):
        read_arrays(path)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"two": ("f8", 1)}, "two: expected .* got none"),
        ({"one": ("f4", 1)}, "one: expected .* got float64"),
        ({"one": ("f8", 2)}, "one: expected .* axes"),
    ],
)
def test_other_arrays_are_named(path, expected, said):
    with pytest.raises(TableError, match=said):
        require_arrays(path, read_arrays(path), expected)


def test_numbers_that_are_not_finite_are_refused(path):
    with pytest.raises(TableError, match="one holds values that are not finite"):
        require_arrays(path, {"one": np.array([1, np.nan])}, {"one": ("f8", 1)})
