"""A folder in which files appear in every way that files appear, with a clock of its own."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from gwmorph.scanner.folder import Rest, watched_folder
from gwosc_files import gwosc_file_name, write_gwosc_file

GPS = 1368195072
SECONDS = 8
REST = Rest(settle_s=2.0, give_up_s=60.0)


class Days:
    """A clock that stands still but for what `pause` adds; files are made at its time."""

    def __init__(self) -> None:
        self.now = 2e9
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def stamp(self, path: Path) -> Path:
        os.utime(path, (self.now, self.now))
        return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[tuple[str, int], Path]:
    """Good files of two detectors, 8 s each."""
    folder = tmp_path_factory.mktemp("whole")
    made = {}
    for detector in ("H1", "L1"):
        for start in range(GPS, GPS + 4 * SECONDS, SECONDS):
            path = folder / gwosc_file_name(detector, start, duration=SECONDS)
            values = np.random.default_rng(start).normal(size=SECONDS * 64)
            made[detector, start] = write_gwosc_file(path, detector, start, values, 64)
    return made


class Watched:
    """A watched folder, what it yields and what is told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.days = Days()
        self.told: list[str] = []
        self._source = watched_folder(
            folder,
            REST,
            1.0,
            tell=self.told.append,
            pause=self.days.pause,
            clock=lambda: self.days.now,
        )

    def put(self, source: Path, name: str | None = None) -> Path:
        return self.days.stamp(Path(shutil.copy(source, self.folder / (name or source.name))))

    def after(self, seconds: float) -> list[tuple[str, int]]:
        """Let so much time pass and return what came, as (detector, GPS start)."""
        end, came = self.days.now + seconds, []
        while self.days.now < end:
            if (file := next(self._source)) is not None:
                came.append((file.detector, file.start))
        return came


@pytest.fixture
def watched(tmp_path) -> Watched:
    return Watched(tmp_path / "arriving")


def test_a_file_that_is_renamed_into_place_comes_at_the_first_look(watched, whole):
    path = watched.put(whole["H1", GPS], "." + whole["H1", GPS].name)
    assert watched.after(3) == []
    path.rename(watched.folder / whole["H1", GPS].name)
    assert watched.after(1) == [("H1", GPS)]
    assert watched.after(10) == []
    assert not watched.told


def test_a_slow_copy_comes_once_and_when_it_is_whole(watched, whole):
    content = whole["H1", GPS].read_bytes()
    path = watched.folder / whole["H1", GPS].name
    for share in (0.0, 0.3, 0.6, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        watched.days.stamp(path)
        assert watched.after(1.5) == []
    path.write_bytes(content)
    watched.days.stamp(path)
    assert watched.after(1) == []
    assert watched.after(3) == [("H1", GPS)]
    assert watched.after(100) == []


def test_a_copy_that_stalls_is_waited_for(watched, whole):
    content = whole["H1", GPS].read_bytes()
    path = watched.folder / whole["H1", GPS].name
    path.write_bytes(content[: len(content) // 2])
    watched.days.stamp(path)
    assert watched.after(50) == []
    path.write_bytes(content)
    watched.days.stamp(path)
    assert watched.after(4) == [("H1", GPS)]
    assert not watched.told


def test_what_stays_cut_short_is_handed_on_and_mended_by_a_whole_one(watched, whole):
    content = whole["H1", GPS].read_bytes()
    path = watched.folder / whole["H1", GPS].name
    path.write_bytes(content[: len(content) // 2])
    watched.days.stamp(path)
    assert watched.after(70) == [("H1", GPS)]
    (told,) = watched.told
    assert str(path) in told
    assert "handed on as damaged" in told
    watched.put(whole["H1", GPS])
    assert watched.after(4) == [("H1", GPS)]


def test_a_file_of_another_detector_than_its_name_says_is_damaged(watched, whole):
    watched.put(whole["L1", GPS], whole["H1", GPS].name)
    watched.put(whole["L1", GPS])
    assert watched.after(10) == [("L1", GPS)]
    assert watched.after(60) == [("H1", GPS)]
    (told,) = watched.told
    assert f"('H1', {GPS}, 8) by its name, got ('L1', {GPS}, 8)" in told


def test_files_out_of_order_come_in_order_within_a_look_and_late_ones_are_told(watched, whole):
    watched.put(whole["H1", GPS + 16])
    watched.put(whole["L1", GPS + 8])
    watched.put(whole["H1", GPS])
    assert watched.after(4) == [("H1", GPS), ("L1", GPS + 8), ("H1", GPS + 16)]
    assert [f"GPS {GPS + 8} to {GPS + 16}" in told for told in watched.told] == [True]
    watched.put(whole["H1", GPS + 8])
    assert watched.after(4) == [("H1", GPS + 8)]
    assert "comes late" in watched.told[-1]


def test_duplicates_are_told_and_come_once(watched, whole):
    watched.put(whole["H1", GPS])
    assert watched.after(4) == [("H1", GPS)]
    watched.put(whole["H1", GPS], whole["H1", GPS].name.replace("R1", "R2"))
    assert watched.after(10) == []
    (told,) = watched.told
    assert "passed over" in told


def test_a_file_in_place_of_another_comes_again_since_the_first_may_have_been_bad(watched, whole):
    watched.put(whole["H1", GPS])
    assert watched.after(4) == [("H1", GPS)]
    watched.put(whole["H1", GPS])
    assert watched.after(10) == [("H1", GPS)]
    assert not watched.told


def test_other_files_and_a_folder_of_them_are_left_alone(watched, whole):
    (watched.folder / "old.hdf5").mkdir()
    (watched.folder / "README.txt").write_text("mine")
    watched.put(whole["H1", GPS], whole["H1", GPS].name + ".part")
    assert watched.after(100) == []
    assert not watched.told


def test_a_file_of_unknown_time_is_told_once_and_never_comes(watched):
    (watched.folder / "noise.hdf5").write_bytes(b"no HDF5")
    watched.days.stamp(watched.folder / "noise.hdf5")
    assert watched.after(200) == []
    assert len([told for told in watched.told if "passed over" in told]) == 1


def test_a_folder_that_goes_is_told_once_and_looked_for_less_and_less(watched, whole):
    watched.put(whole["H1", GPS])
    assert watched.after(4) == [("H1", GPS)]
    watched.folder.rename(watched.folder.with_name("away"))
    watched.days.pauses.clear()
    assert watched.after(200) == []
    assert watched.days.pauses[:7] == [2, 4, 8, 16, 32, 60, 60]
    (told,) = watched.told
    assert "cannot be read" in told
    watched.folder.with_name("away").rename(watched.folder)
    watched.put(whole["H1", GPS + 8])
    assert watched.after(64) == [("H1", GPS + 8)]


def test_a_file_that_vanishes_while_it_settles_is_nothing(watched, whole):
    path = watched.put(whole["H1", GPS])
    assert watched.after(1) == []
    path.unlink()
    assert watched.after(10) == []
    assert not watched.told
