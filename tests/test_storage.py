"""Outputs are whole or absent."""

import errno
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import h5py
import numpy as np
import pytest

from gwmorph import storage
from gwmorph.errors import StorageError
from gwmorph.report.exports import export_triggers
from gwmorph.report.palette import saved_figure
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.storage import parse_json, read_json, record_path, record_sha256, recorded_sha256
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.parquet import write_table
from gwmorph.tables.training import LOSSES

SCALE = PictureScale("linear", 25.5, "cividis")


def test_written_content_comes_back_and_leaves_nothing_else(tmp_path):
    storage.write_json(tmp_path / "deep" / "a.json", {"b": 1, "a": [1.5, None]})
    assert json.loads((tmp_path / "deep" / "a.json").read_text()) == {"a": [1.5, None], "b": 1}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.json"]


def test_an_error_inside_leaves_the_old_content_and_no_partial_file(tmp_path):
    path = tmp_path / "a.txt"
    storage.write_bytes(path, b"old")
    with pytest.raises(RuntimeError), storage.atomic_path(path) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_taken_over(tmp_path):
    path = tmp_path / "a.txt"
    killed = """
import os, signal, sys
from gwmorph.storage import atomic_path
with atomic_path(sys.argv[1]) as partial:
    partial.write_bytes(b"much longer than what follows")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert [p.name for p in tmp_path.iterdir()] == [".a.txt.part"]
    storage.write_bytes(path, b"whole")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"whole"


def test_two_that_write_one_file_at_once_have_a_partial_file_each(tmp_path):
    path = tmp_path / "a.txt"
    with storage.atomic_path(path) as first, storage.atomic_path(path) as second:
        assert first != second
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_partial_file_that_has_got_its_final_name_meanwhile_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    usual = tmp_path / ".a.txt.part"
    usual.write_bytes(b"whole")
    lock = fcntl.flock

    def renamed_meanwhile(held, how):
        lock(held, how)
        usual.rename(path)
        usual.write_bytes(b"somebody else's")

    monkeypatch.setattr(fcntl, "flock", renamed_meanwhile)
    with storage.atomic_path(path) as partial:
        assert partial != usual
        assert path.read_bytes() == b"whole"
        assert usual.read_bytes() == b"somebody else's"


def test_a_library_that_locks_a_partial_file_can(tmp_path):
    with storage.atomic_path(tmp_path / "a.h5", locked_by_others=True) as partial:
        with h5py.File(partial, "w") as file:
            file["x"] = 1
        with h5py.File(partial) as file:
            assert file["x"][()] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_without_locks_a_partial_file_has_a_name_of_its_own(tmp_path, monkeypatch):
    def without(held, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    with storage.atomic_path(tmp_path / "a") as partial:
        assert partial.name != ".a.part"


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(StorageError, match=r"a\.txt: no space left"), storage.atomic_path(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_disk(tmp_path):
    full = Path("/dev/full")
    with pytest.raises(StorageError, match="no space left"), storage.atomic_path(tmp_path / "a"):
        full.open("wb", buffering=0).write(b"x" * 10)


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "a").write_text("file")
    with pytest.raises(StorageError, match=r"a/b\.json: cannot be written"):
        storage.write_json(tmp_path / "a" / "b.json", {})


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_umask_says_who_may_read_an_output(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        storage.write_bytes(tmp_path / "deep" / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "a").stat().st_mode & 0o777 == mode
    assert (tmp_path / "deep").stat().st_mode & 0o666 == mode


def test_a_name_that_is_too_long_is_named(tmp_path):
    with pytest.raises(StorageError, match="x: cannot be written"):
        storage.write_bytes(tmp_path / (300 * "x"), b"")


def test_nan_is_never_written_as_json(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        storage.write_json(tmp_path / "a.json", {"x": float("nan")})


def test_unchanged_json_keeps_its_modification_time(tmp_path):
    path = tmp_path / "a.json"
    storage.write_json_if_changed(path, {"a": 1})
    before = path.stat().st_mtime_ns
    storage.write_json_if_changed(path, {"a": 1})
    assert path.stat().st_mtime_ns == before
    storage.write_json_if_changed(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}


def test_hashes(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert storage.sha256_of_file(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    with pytest.raises(StorageError, match="cannot be read"):
        storage.sha256_of_file(tmp_path)
    assert storage.content_hash({"a": 1, "b": 2}) == storage.content_hash({"b": 2, "a": 1})
    assert storage.content_hash({"a": 1}) != storage.content_hash({"a": 1.5})


def kept(path: Path, content: bytes = b"content") -> list[Path]:
    """Keep a file and return the paths that it had to be made for."""
    made = []

    def make(target: Path) -> None:
        made.append(target)
        storage.write_bytes(target, content)

    storage.keep(path, make)
    return made


def test_a_kept_file_is_made_once(tmp_path):
    path = tmp_path / "kept" / "a.bin"
    assert kept(path) == [path]
    assert kept(path, b"never written") == []
    assert path.read_bytes() == b"content"


@pytest.mark.parametrize("damaged", [b"content"[:3], b"other content", b""])
def test_a_damaged_file_is_noticed_and_made_anew(tmp_path, caplog, damaged):
    path = tmp_path / "a.bin"
    kept(path)
    path.write_bytes(damaged)
    assert kept(path) == [path]
    assert path.read_bytes() == b"content"
    assert f"{path}: damaged in the cache" in caplog.text
    assert kept(path) == []


@pytest.mark.parametrize("lost", ["a.bin", "a.bin.sha256"])
def test_a_file_without_its_hash_or_a_hash_without_its_file_is_made_anew(tmp_path, lost):
    path = tmp_path / "a.bin"
    kept(path)
    (tmp_path / lost).unlink()
    assert kept(path) == [path]
    assert kept(path) == []


def test_what_fails_while_it_is_made_is_not_kept(tmp_path):
    path = tmp_path / "a.bin"

    def fail(target: Path) -> None:
        raise ValueError("interrupted")

    with pytest.raises(ValueError, match="interrupted"):
        storage.keep(path, fail)
    assert kept(path) == [path]


def test_two_at_once_both_have_a_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    content = bytes(range(256)) * 4096
    both = Barrier(2, timeout=30)

    def make(target: Path) -> None:
        both.wait()
        storage.write_bytes(target, content)

    def keep(_: int) -> bytes:
        storage.keep(path, make)
        return path.read_bytes()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(keep, range(2))) == [content, content]
    assert kept(path) == []


def draw_nothing(path: Path) -> None:
    with saved_figure(path, 2, 2):
        pass


WRITERS = {
    "bytes": lambda path: storage.write_bytes(path, b"new"),
    "json": lambda path: storage.write_json(path, {"a": 1}),
    "json if changed": lambda path: storage.write_json_if_changed(path, {"a": 1}),
    "table": lambda path: write_table(path, LOSSES, LOSSES.empty_table()),
    "picture": lambda path: write_picture(path, np.zeros((4, 4), np.uint8), SCALE),
    "figure": draw_nothing,
    "hdf5": lambda path: export_triggers(TRIGGERS.empty_table(), path.with_suffix(".h5"), {}),
    "xml": lambda path: export_triggers(TRIGGERS.empty_table(), path.with_suffix(".xml"), {}),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_write_that_does_not_come_to_its_end_changes_nothing(name, tmp_path, monkeypatch):
    """Whoever reads meanwhile, or after a kill, finds the old content."""
    path = tmp_path / "a.png"
    for suffix in (".png", ".h5", ".xml"):
        path.with_suffix(suffix).write_bytes(b"old")
    before = sorted(tmp_path.iterdir())

    def killed(self: Path, target: Path) -> None:
        raise OSError(errno.EIO, "killed")

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(StorageError, match="killed"):
        WRITERS[name](path)
    assert sorted(tmp_path.iterdir()) == before
    assert {entry.read_bytes() for entry in before} == {b"old"}


def test_a_line_that_was_cut_short_is_taken_off_before_the_next_is_added(tmp_path):
    path = tmp_path / "lines"
    storage.append_line(path, "one")
    with path.open("ab") as stream:
        stream.write(b"tw")
    storage.cut_unfinished_line(path)
    storage.append_line(path, "three")
    assert path.read_text() == "one\nthree\n"
    storage.cut_unfinished_line(path)
    assert path.read_text() == "one\nthree\n"
    storage.cut_unfinished_line(tmp_path / "none yet")
    assert (tmp_path / "none yet").read_bytes() == b""


def test_a_file_is_held_by_one_at_a_time(tmp_path):
    path = tmp_path / "lock"
    with (
        storage.locked(path, "held"),
        pytest.raises(StorageError, match="held by another"),
        storage.locked(path, "held by another"),
    ):
        pass
    with storage.locked(path, "never said"):
        assert path.exists()


@pytest.mark.parametrize("text", ["[" * 100_000, "NaN", '{"a": -Infinity}', "1e999", "", "{"])
def test_json_that_is_none_is_one_kind_of_error(text, tmp_path):
    with pytest.raises(ValueError):
        parse_json(text)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(StorageError, match=r"a\.json: damaged, it is not JSON"):
        read_json(tmp_path / "a.json")


def test_a_record_that_holds_no_hash_is_none(tmp_path):
    path = tmp_path / "a.hdf5"
    record_sha256(path, "0a" * 32)
    assert recorded_sha256(path) == "0a" * 32
    record_path(path).write_text("error 404\n")
    assert recorded_sha256(path) is None
