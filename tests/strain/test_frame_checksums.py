"""Checksums of frame files: every altered byte is noticed before LALFrame sees it."""

import subprocess

import numpy as np
import pytest

from frame_files import structures, without_checksums, write_frame_file
from gwmorph.errors import StrainError
from gwmorph.strain.files import describe
from gwmorph.strain.frame_checksums import cksum, require_checksums
from gwmorph.strain.layouts import open_strain

GPS = 1262301184


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "a.gwf"
    values = np.random.default_rng(1).normal(size=256)
    write_frame_file(path, GPS, values, 64)
    return path.read_bytes()


def test_a_checksum_is_that_of_posix(tmp_path):
    assert cksum(b"123456789") == 930766865  # The Open Group's check value
    data = np.random.default_rng(2).bytes(3_000_001)
    (tmp_path / "a").write_bytes(data)
    said = subprocess.run(["cksum", tmp_path / "a"], capture_output=True, text=True, check=True)
    assert cksum(data) == int(said.stdout.split()[0])
    assert cksum(b"") == 0xFFFFFFFF


def test_a_good_file_is_accepted(content, tmp_path):
    (tmp_path / "a.gwf").write_bytes(content)
    require_checksums(tmp_path / "a.gwf")
    require_checksums(tmp_path / "a.gwf", 100)


def test_every_altered_byte_is_noticed(content, tmp_path):
    path = tmp_path / "a.gwf"
    for place in [*range(40), *range(40, len(content), 7)]:
        altered = bytearray(content)
        altered[place] ^= 0x40
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=r"checksum|does not end inside|its header"):
            require_checksums(path)


@pytest.mark.parametrize("length", [10, 60, 1000, -1])
def test_a_file_that_was_cut_is_an_error(content, tmp_path, length):
    (tmp_path / "a.gwf").write_bytes(content[:length])
    with pytest.raises(ValueError, match=r"ends inside|does not end"):
        require_checksums(tmp_path / "a.gwf")


def test_samples_are_checked_before_they_are_read(content, tmp_path):
    path = tmp_path / "a.gwf"
    # The longest structure holds the samples; a file's contents are known without it.
    where, longest = max(structures(content), key=lambda structure: structure[1])
    altered = bytearray(content)
    altered[where + longest // 2] ^= 1
    path.write_bytes(altered)
    require_checksums(path, longest - 1)
    with pytest.raises(StrainError, match=r"a\.gwf: damaged or truncated.* checksum"):
        describe(path)  # in a file as small as this they are checked at once


def test_a_file_without_checksums_is_left_to_the_library(content, tmp_path):
    older = bytearray(content)
    older[5] = 6  # the version
    (tmp_path / "older.gwf").write_bytes(older)
    require_checksums(tmp_path / "older.gwf")
    (tmp_path / "without.gwf").write_bytes(without_checksums(content))
    require_checksums(tmp_path / "without.gwf")


def test_frames_that_made_the_library_hang_are_refused(content, tmp_path):
    """The byte that says that there are checksums was altered, and others besides."""
    altered = bytearray(content)
    altered[39] = 0x44
    altered[40:48] = bytes(8)
    (tmp_path / "a.gwf").write_bytes(altered)
    with pytest.raises(StrainError, match=r"a\.gwf: damaged or truncated"):
        describe(tmp_path / "a.gwf")


def test_a_frame_is_read_as_before(content, tmp_path):
    (tmp_path / "a.gwf").write_bytes(content)
    with open_strain(tmp_path / "a.gwf") as reader:
        out = np.empty(256)
        reader.read_into(out, GPS)
    assert np.array_equal(out, np.random.default_rng(1).normal(size=256))
