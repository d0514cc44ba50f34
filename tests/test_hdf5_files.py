"""HDF5 files are opened, but for those that HDF5 would read for ever."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwmorph.errors import StrainError
from gwmorph.hdf5_files import open_hdf5
from gwmorph.strain.files import describe

SIGNATURE, HEADER = b"GCOL", 16


def written(path, sizes=(8, 8)):
    """Write plain strain with a detector of any length, and return the place of its heap."""
    properties = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    properties.set_sizes(*sizes)
    with h5py.File(h5py.h5f.create(bytes(path), fcpl=properties)) as file:
        strain = file.create_dataset("strain", data=np.random.default_rng(1).normal(size=4096))
        strain.attrs.update({"start_time": 1000, "delta_t": 1 / 4096, "detector": "H1"})
    return path.read_bytes().index(SIGNATURE)


def changed(path, place, value, count):
    content = bytearray(path.read_bytes())
    content[place : place + count] = value.to_bytes(count, "little")
    path.write_bytes(content)


def objects(path, heap, size_bytes=8):
    """Return where the first objects of a heap begin."""
    content = path.read_bytes()
    first = heap + HEADER
    header = 8 + -(-size_bytes // 8) * 8
    length = int.from_bytes(content[first + 8 : first + 8 + size_bytes], "little")
    return first, first + header + -(-length // 8) * 8


@pytest.mark.parametrize("size_bytes", [4, 8])
def test_a_heap_whose_free_space_has_no_size_is_refused(tmp_path, size_bytes):
    path = tmp_path / "H1.hdf5"
    heap = written(path, (8, size_bytes))
    assert describe(path).detector == "H1"
    _, free = objects(path, heap, size_bytes)
    changed(path, free + 8, 0, size_bytes)
    with pytest.raises(OSError, match=f"global heap at byte {heap} never ends"):
        open_hdf5(path)
    with pytest.raises(StrainError, match=r"H1\.hdf5: damaged .*never ends.*Fetch it again"):
        describe(path)


def test_a_size_that_leads_back_is_refused(tmp_path):
    path = tmp_path / "H1.hdf5"
    heap = written(path)
    first, _ = objects(path, heap)
    changed(path, first + 8, 2**64 - HEADER, 8)
    with pytest.raises(OSError, match="never ends"):
        open_hdf5(path)


def test_a_heap_that_is_cut_short_is_left_to_hdf5(tmp_path):
    path = tmp_path / "H1.hdf5"
    heap = written(path)
    changed(path, heap + 8, 2**40, 8)
    with pytest.raises(StrainError, match="damaged"):
        describe(path)


def test_what_cannot_be_opened_is_closed(tmp_path):
    (tmp_path / "a").write_bytes(b"no")
    with pytest.raises(OSError, match="Unable to"):
        open_hdf5(tmp_path / "a")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    st.integers(0, 3),
)
def test_texts_of_any_length_are_read_as_they_were_written(tmp_path_factory, texts, removed):
    path = tmp_path_factory.mktemp("heaps") / "a.hdf5"
    with h5py.File(path, "w") as file:
        for number, text in enumerate(texts):
            file.attrs[str(number)] = [text * 50, text]
        for number in range(min(removed, len(texts))):
            del file.attrs[str(number)]
        file["samples"] = np.zeros(3000)
    with open_hdf5(path) as file:
        for number, text in enumerate(texts[removed:], removed):
            assert file.attrs[str(number)].tolist() == [text * 50, text]
