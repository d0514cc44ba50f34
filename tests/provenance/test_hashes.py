import subprocess

import pytest

from gwmorph.errors import StorageError
from gwmorph.provenance.hashes import (
    HashedFile,
    files_below,
    hash_files,
    lines_hash,
    read_hashes,
    write_hashes,
)

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures" / "deep").mkdir(parents=True)
    (tmp_path / "a.txt").write_bytes(b"abc")
    (tmp_path / "pictures" / "b.png").write_bytes(b"abc")
    (tmp_path / "pictures" / "deep" / "c.png").write_bytes(b"")
    (tmp_path / "pictures" / ".snakemake_timestamp").touch()
    return tmp_path


def test_a_folder_stands_for_its_files_but_for_snakemakes_mark(folder):
    assert files_below(folder, ["pictures", "a.txt", "a.txt"]) == [
        "a.txt",
        "pictures/b.png",
        "pictures/deep/c.png",
    ]


def test_what_is_not_there_is_an_error_and_not_left_out(folder):
    with pytest.raises(StorageError, match="gone: no such file"):
        files_below(folder, ["gone"])


def test_hashes_are_known_ones_and_bytes_are_told(folder):
    told = []
    hashed = hash_files(folder, ["a.txt", "pictures/deep/c.png"], told.append)
    assert hashed[0] == HashedFile("a.txt", ABC, 3)
    assert told == [3, 0]


def test_a_list_is_what_sha256sum_checks(folder):
    hashed = hash_files(folder, files_below(folder, ["pictures", "a.txt"]))
    write_hashes(folder / "list", reversed(hashed))
    call = ["sha256sum", "--check", "--strict", "list"]
    assert subprocess.run(call, cwd=folder, capture_output=True, check=False).returncode == 0
    assert read_hashes(folder / "list") == {one.path: one.sha256 for one in hashed}


def test_a_damaged_list_names_its_line(folder):
    (folder / "list").write_text(f"{ABC}  a.txt\n{ABC[:-1]}  b.txt\n")
    with pytest.raises(StorageError, match="list:2: expected a SHA-256 and a path"):
        read_hashes(folder / "list")


def test_a_folders_hash_changes_with_a_name_and_with_a_content():
    one, other = HashedFile("a", ABC, 3), HashedFile("b", ABC, 3)
    changed = HashedFile("a", ABC[::-1], 3)
    assert len({lines_hash([one]), lines_hash([other]), lines_hash([changed])}) == 3


def test_names_may_hold_what_else_ends_a_line(tmp_path):
    files = [HashedFile(f"a{sign}b.txt", "0a" * 32, 1) for sign in "\r\x0b\x85\u2028"]
    write_hashes(tmp_path / "list.txt", files)
    assert set(read_hashes(tmp_path / "list.txt")) == {file.path for file in files}
