"""Files of labelled strain: what is read, and how faults are named."""

import h5py
import numpy as np
import pytest

from gwmorph.errors import StrainError
from gwmorph.strain.labelled import read_labelled_strain

RATE = 256
ABOUT = {"detector": "H1", "label": "Blip", "snr": 12.5, "sample_rate": RATE, "glitch_time_s": 7.0}


def write(path, **datasets):
    """Write data sets of noise; each is given as changes to its attributes (None: left out)."""
    with h5py.File(path, "w") as file:
        for name, changes in datasets.items():
            values = np.random.default_rng(1).standard_normal(14 * RATE)
            file[name] = changes.pop("values", values)
            about = {k: v for k, v in {**ABOUT, **changes}.items() if v is not None}
            file[name].attrs.update(about)
    return path


def test_every_data_set_is_a_glitch(tmp_path):
    path = write(tmp_path / "a.hdf5", one={}, two={"label": b"Tomte", "detector": "L1"})
    one, two = read_labelled_strain([path])
    assert (one.name, one.label, one.detector, one.snr) == ("one", "Blip", "H1", 12.5)
    assert (two.label, two.detector, two.sample_rate, two.glitch_time_s) == (
        "Tomte",
        "L1",
        RATE,
        7,
    )
    with h5py.File(path) as file:
        np.testing.assert_array_equal(one.values, file["one"][:])


@pytest.mark.parametrize("key", ABOUT)
def test_a_missing_attribute_is_named_beside_one_whose_name_is_no_utf8(tmp_path, key):
    path = write(tmp_path / "a.hdf5", one={key: None})
    with h5py.File(path, "r+") as file:
        file["one"].attrs[b"\xff"] = 1
        file["one"].attrs["b"] = 1
    with pytest.raises(StrainError, match=rf"a.hdf5:one: no attribute '{key}'.*this data set has"):
        read_labelled_strain([path])


@pytest.mark.parametrize("key", ABOUT)
def test_a_missing_attribute_is_named(tmp_path, key):
    path = write(tmp_path / "a.hdf5", one={}, two={key: None})
    with pytest.raises(StrainError, match=rf"a.hdf5:two: no attribute '{key}'.*this data set has"):
        read_labelled_strain([path])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("detector", "X1"),
        ("label", ""),
        ("label", 3),
        ("label", b"\xff"),
        ("label", np.bytes_(b"\xff")),
        ("snr", -1.0),
        ("snr", "loud"),
        ("snr", np.nan),
        ("sample_rate", 0),
        ("sample_rate", 100.5),
        ("glitch_time_s", 14.0),
        ("glitch_time_s", -0.5),
    ],
)
def test_an_attribute_that_makes_no_sense_is_named(tmp_path, key, value):
    path = write(tmp_path / "a.hdf5", one={key: value})
    with pytest.raises(StrainError, match=rf"a.hdf5:one: attribute {key} is .*, expected"):
        read_labelled_strain([path])


def test_samples_that_are_not_finite_are_placed(tmp_path):
    values = np.zeros(14 * RATE)
    values[3 * RATE :][:2] = np.nan
    path = write(tmp_path / "a.hdf5", one={"values": values})
    with pytest.raises(StrainError, match=r"one: 2 of 3584 samples.*first at 3.000 s"):
        read_labelled_strain([path])


def test_one_name_in_two_files_is_refused(tmp_path):
    paths = [write(tmp_path / f"{name}.hdf5", one={}) for name in "ab"]
    with pytest.raises(StrainError, match=r"b.hdf5: data set 'one' is in .*a.hdf5 as well"):
        read_labelled_strain(paths)


def test_empty_damaged_and_missing_files_are_named(tmp_path):
    write(tmp_path / "empty.hdf5")
    (tmp_path / "damaged.hdf5").write_bytes(b"no HDF5")
    with pytest.raises(StrainError, match=r"empty.hdf5: no data set"):
        read_labelled_strain([tmp_path / "empty.hdf5"])
    for name, fault in (("damaged.hdf5", "damaged"), ("missing.hdf5", "no such file")):
        with pytest.raises(StrainError, match=rf"{name}: {fault}"):
            read_labelled_strain([tmp_path / name])
