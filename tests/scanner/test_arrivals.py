"""Files that are given: what of them is scanned, in which order, and what is told of the rest."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.errors import StrainError
from gwmorph.scanner.arrivals import ArrivedFile, Served, given_files, look_at
from gwosc_files import gwosc_file_name

GPS = 1368195072


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(b"not read")
    return [folder / name for name in names]


def named(detector: str, start: int, duration: int = 4096) -> str:
    return gwosc_file_name(detector, start, duration=duration)


def series(path: Path, **start: int) -> Path:
    with h5py.File(path, "w") as file:
        for name, gps in start.items():
            file[name] = np.zeros(64 * 16)
            file[name].attrs.update({"t0": gps, "sample_rate": 16})
    return path


def test_a_name_tells_detector_and_span_without_opening_the_file(tmp_path):
    (path,) = touch(tmp_path, "L-L1_LOSC_4_V2-1126259446-32.gwf")
    (found,) = given_files([path])
    assert found == ArrivedFile(path, "L1", 1126259446, 32)
    assert found.end == 1126259478


@pytest.mark.parametrize("name", ["H-H1_llhoft-1240215503-4.gwf", "V-V1_HoftOnline-12-2000.h5"])
def test_names_need_not_be_those_of_gwosc(name, tmp_path):
    (found,) = look_at(*touch(tmp_path, name))
    assert found.series is None


def test_files_and_folders_come_in_gps_order(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    touch(one, named("H1", GPS + 4096), named("L1", GPS), "notes.txt", "." + named("H1", 0))
    (alone,) = touch(other, named("H1", GPS))
    found = [(file.start, file.detector) for file in given_files([one, alone])]
    assert found == [(GPS, "H1"), (GPS, "L1"), (GPS + 4096, "H1")]


def test_a_file_of_two_detectors_without_a_telling_name_is_two(tmp_path):
    path = series(tmp_path / "around_an_event.hdf5", H1=GPS, L1=GPS + 1)
    assert list(given_files([path])) == [
        ArrivedFile(path, "H1", GPS, 64, "H1"),
        ArrivedFile(path, "L1", GPS + 1, 64, "L1"),
    ]


def test_the_file_around_gw150914_is_of_both_detectors(real_data):
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    found = [(file.detector, file.start, file.duration) for file in given_files([path])]
    assert found == [("H1", 1126259430, 64), ("L1", 1126259430, 64)]


def test_who_does_not_say_its_detector_is_told_how_to_be_named(tmp_path):
    path = series(tmp_path / "noise.hdf5", data=GPS)
    with pytest.raises(StrainError, match=r"noise\.hdf5.*says its detector.*H-H1_"):
        list(given_files([path]))


@pytest.mark.parametrize("name", ["H-L1_X-1-2.gwf", "H-H1_X-1-0.gwf", "H-H1_X-9999999999-4.gwf"])
def test_names_that_make_no_sense_are_looked_into(name, tmp_path):
    with pytest.raises(StrainError, match="neither HDF5 nor a frame file"):
        look_at(*touch(tmp_path, name))


def test_what_is_not_there_is_an_error_and_nothing_comes(tmp_path):
    (path,) = touch(tmp_path, named("H1", GPS))
    with pytest.raises(StrainError, match="no such file"):
        next(given_files([path, tmp_path / "absent.hdf5"]))
    with pytest.raises(StrainError, match="holds no strain file"):
        next(given_files([path, Path(__file__).parent]))


def test_duplicates_are_passed_over_and_told(tmp_path):
    first, second = touch(tmp_path, named("H1", GPS), "H-H1_GWOSC_O4a_4KHZ_R2-1368195072-4096.gwf")
    told = []
    (found,) = given_files([first, second, first], told.append)
    assert found.path == first
    assert len(told) == 2
    assert all(str(first) in line and "passed over" in line for line in told)


def test_where_files_overlap_the_one_that_begins_first_serves(tmp_path):
    second, first = touch(tmp_path, named("H1", GPS + 64, 64), named("H1", GPS, 96))
    told = []
    found = list(given_files([second, first], told.append))
    assert [(file.start, file.rank) for file in found] == [(GPS, 0), (GPS + 64, 1)]
    assert len(told) == 1
    assert str(first) in told[0]


def test_gaps_and_late_files_are_told_once(tmp_path):
    told = []
    served = Served(told.append)
    for start in (0, 4, 16, 20, 8):
        served.admit(ArrivedFile(Path(f"at {start}"), "H1", start, 4))
    assert len(told) == 2
    assert "a gap of 8 s, no file holds GPS 8 to 16" in told[0]
    assert "at 8: comes late; H1 is at GPS 24" in told[1]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=12))
def test_every_second_is_served_once_by_rank(spans):
    """Whatever comes in whatever order: who is passed over brought nothing, ranks decide all."""
    served, told = Served(lambda line: None), []
    brought: set[int] = set()
    for start, duration in spans:
        file = ArrivedFile(Path(f"{start}-{duration}"), "H1", start, duration)
        seconds = set(range(start, start + duration))
        kept = served.admit(file)
        assert (kept is None) == (seconds <= brought)
        brought |= seconds
        if kept is not None:
            told.append(kept)
    for second in brought:
        ranks = [file.rank for file in told if file.start <= second < file.end]
        assert len(set(ranks)) == len(ranks)


def test_detectors_do_not_serve_each_other():
    served = Served()
    assert served.admit(ArrivedFile(Path("a"), "H1", 0, 4)) is not None
    assert served.admit(ArrivedFile(Path("b"), "L1", 0, 4)) is not None
