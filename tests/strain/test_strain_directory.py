"""Files that the user has: which are chosen, which serves what, and what is science."""

import time
from pathlib import Path

import numpy as np
import pytest

from gwmorph.config import SourceConfig
from gwmorph.errors import SegmentError, StrainError
from gwmorph.strain.base import StrainFile
from gwmorph.strain.directory import DirectorySource, recording, share
from gwmorph.strain.files import read_strain
from gwmorph.strain.sources import make_source
from gwosc_files import write_gwosc_file

GPS = 1262301184
RATE = 64


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(name: str, first: int, seconds: int, value: float = 1.0, **options: object) -> str:
    detector = str(options.pop("detector", "H1"))
    values = np.full(seconds * RATE, value)
    write_gwosc_file(name, detector, GPS + first, values, RATE, **options)  # type: ignore[arg-type]
    return name


def test_patterns_are_relative_and_files_sorted(folder: Path) -> None:
    for name, first in (("c.hdf5", 0), ("b.hdf5", 16), ("a.hdf5", 32)):
        make(name, first, 16)
    make("other.hdf5", 0, 16, detector="L1")
    source = DirectorySource({"H1": ["[a-c].hdf5", "b*"], "L1": [str(folder / "other.*")]})
    files = source.files("H1", GPS, GPS + 48)
    assert [(file.location, file.gps_start) for file in files] == [
        ("c.hdf5", GPS), ("b.hdf5", GPS + 16), ("a.hdf5", GPS + 32),
    ]  # fmt: skip
    assert [file.location for file in source.files("H1", GPS + 15, GPS + 17)] == [
        "c.hdf5",
        "b.hdf5",
    ]
    assert [file.location for file in source.files("H1", GPS + 16, GPS + 17)] == ["b.hdf5"]
    assert source.files("H1", GPS + 48, GPS + 99) == []
    assert [file.detector for file in source.files("L1", GPS, GPS + 1)] == ["L1"]


def test_a_recording_is_all_that_files_hold(folder: Path) -> None:
    make("a.hdf5", 0, 16)
    write_gwosc_file("b.hdf5", "H1", GPS + 64, np.ones(8 * 32), 32)
    held = recording("some.files", "H1", ["*.hdf5"])
    assert [Path(file.path).name for file in held.files] == ["a.hdf5", "b.hdf5"]
    assert [tuple(part) for part in held.segments] == [(GPS, GPS + 16), (GPS + 64, GPS + 72)]
    assert held.sample_rate == 32
    with pytest.raises(StrainError, match=r"^some\.files\.H1 .*no file matches 'none\*'"):
        recording("some.files", "H1", ["none*"])


def test_a_pattern_without_files_is_named(folder: Path) -> None:
    make("a.hdf5", 0, 4)
    source = DirectorySource({"H1": ["a.hdf5", "data/*.hdf5"]})
    with pytest.raises(StrainError, match=r"source\.directory\.files\.H1: .*'data/\*\.hdf5'"):
        source.files("H1", GPS, GPS + 4)


def test_a_detector_without_patterns_is_named(folder: Path) -> None:
    make("a.hdf5", 0, 4)
    with pytest.raises(StrainError, match=r"no files of L1; it has \['H1'\]"):
        DirectorySource({"H1": ["a.hdf5"]}).files("L1", GPS, GPS + 4)


def test_another_detectors_file_is_refused_when_planning(folder: Path) -> None:
    make("a.hdf5", 0, 4, detector="L1")
    with pytest.raises(StrainError, match=r"a\.hdf5: holds strain of L1, expected H1"):
        DirectorySource({"H1": ["a.hdf5"]}).files("H1", GPS, GPS + 4)


def test_an_overlap_without_ranking_names_both_and_the_way_out(folder: Path) -> None:
    make("a.hdf5", 0, 16)
    make("b.hdf5", 12, 16)
    with pytest.raises(StrainError) as caught:
        DirectorySource({"H1": ["*.hdf5"]}).files("H1", GPS, GPS + 4)
    message = str(caught.value)
    assert f"a.hdf5 and b.hdf5 both hold H1 in [{GPS + 12}, {GPS + 16})" in message
    assert "source:\n  directory:\n    prefer: ['a.hdf5']" in message


def test_the_preferred_file_serves_and_the_other_fills_the_rest(folder: Path) -> None:
    make("long_V1.hdf5", 0, 32, value=1.0)
    make("short_V2.hdf5", 8, 8, value=2.0)
    source = DirectorySource({"H1": ["*.hdf5"]}, prefer=["*_V2.hdf5", "*_V1.hdf5"])
    planned = source.files("H1", GPS, GPS + 32)
    assert [(file.location, file.rank) for file in planned] == [
        ("long_V1.hdf5", 1), ("short_V2.hdf5", 0),
    ]  # fmt: skip
    assert [f.location for f in source.files("H1", GPS + 9, GPS + 12)] == ["short_V2.hdf5"]
    strain = read_strain([source.obtain(f) for f in planned], "H1", GPS, GPS + 32, RATE)
    expected = np.where((np.arange(32) >= 8) & (np.arange(32) < 16), 2.0, 1.0)
    assert np.array_equal(strain.values.reshape(32, RATE)[:, 0], expected)


def test_a_preferred_name_with_brackets_is_that_name(folder: Path) -> None:
    make("a[1].hdf5", 0, 16)
    make("a1.hdf5", 0, 16, value=2.0)
    source = DirectorySource({"H1": ["a*"]}, prefer=["a[1].hdf5"])
    assert [file.location for file in source.files("H1", GPS, GPS + 16)] == ["a[1].hdf5"]


def test_a_file_wholly_covered_by_a_better_one_is_left_out(folder: Path) -> None:
    make("better.hdf5", 0, 16)
    make("worse.hdf5", 4, 8)
    source = DirectorySource({"H1": ["*.hdf5"]}, prefer=["better*"])
    assert [file.location for file in source.files("H1", GPS, GPS + 16)] == ["better.hdf5"]


def test_equal_ranks_may_overlap_under_a_better_file(folder: Path) -> None:
    make("best.hdf5", 8, 8)
    make("left.hdf5", 0, 12)
    make("right.hdf5", 12, 12)
    make("deep.hdf5", 9, 4)
    source = DirectorySource({"H1": ["*.hdf5"]}, prefer=["best.hdf5"])
    assert [file.location for file in source.files("H1", GPS, GPS + 24)] == [
        "left.hdf5", "best.hdf5", "right.hdf5",
    ]  # fmt: skip


def test_time_is_shared_out_among_any_number_of_files() -> None:
    """A day in files of 4 s, and as many of less rank that lie askew."""
    files = [
        StrainFile("H1", GPS + 4 * n + 2 * rank, 4, 64, f"{rank}-{n}", rank=rank)
        for rank in (0, 1)
        for n in range(21_600)
    ]
    began = time.process_time()
    served = share(files)
    # The time that each pair of files would take it would be minutes.
    assert time.process_time() - began < 10
    assert [file.location for file, _ in served[:2]] == ["0-0", "0-1"]
    assert [(file.location, spans) for file, spans in served if file.rank] == [
        ("1-21599", [(GPS + 86400, GPS + 86402)])
    ]


def test_a_file_that_overlaps_a_long_one_is_found_behind_others(folder: Path) -> None:
    make("long.hdf5", 0, 40)
    make("better.hdf5", 4, 16)
    make("inside.hdf5", 6, 4)
    make("late.hdf5", 30, 20)
    with pytest.raises(StrainError, match=rf"long.* and late.*\[{GPS + 30}, {GPS + 40}\)"):
        DirectorySource({"H1": ["*.hdf5"]}, prefer=["better*"]).files("H1", GPS, GPS + 4)


def test_without_a_list_the_masks_of_the_serving_files_decide(folder: Path) -> None:
    make("a.hdf5", 0, 8, dqmask=np.array([127, 127, 0, 127, 126, 1, 127, 127]))
    make("b.hdf5", 8, 8)
    make("worse.hdf5", 0, 24, dqmask=np.array([127] * 20 + [0] * 4))
    source = DirectorySource({"H1": ["*.hdf5"]}, prefer=["a*", "b*"])
    assert source.segments("H1", GPS, GPS + 100) == [
        (GPS, GPS + 2), (GPS + 3, GPS + 4), (GPS + 5, GPS + 20),
    ]  # fmt: skip
    assert source.segments("H1", GPS + 1, GPS + 6) == [
        (GPS + 1, GPS + 2), (GPS + 3, GPS + 4), (GPS + 5, GPS + 6),
    ]  # fmt: skip
    assert source.segments("H1", GPS - 9, GPS) == []


def test_a_segment_list_decides_alone_and_is_clipped(folder: Path) -> None:
    make("a.hdf5", 0, 8, dqmask=np.zeros(8))
    Path("list.txt").write_text(f"{GPS + 4} {GPS + 90}\n{GPS - 9} {GPS + 2}\n")
    source = DirectorySource({"H1": ["a.hdf5"]}, segments={"H1": "list.txt"})
    assert source.segments("H1", GPS, GPS + 10) == [(GPS, GPS + 2), (GPS + 4, GPS + 10)]
    Path("list.txt").write_text("5 4\n")
    with pytest.raises(SegmentError, match=r"list\.txt:1: segment is reversed"):
        source.segments("H1", GPS, GPS + 10)


def test_obtain_copies_nothing_and_notices_changes(folder: Path) -> None:
    make("a.hdf5", 0, 8)
    source = DirectorySource({"H1": ["a.hdf5"]})
    (file,) = source.files("H1", GPS, GPS + 8)
    local = source.obtain(file)
    assert (local.path, local.layout, local.size) == (
        "a.hdf5",
        "gwosc",
        Path("a.hdf5").stat().st_size,
    )
    assert [path.name for path in folder.iterdir()] == ["a.hdf5"]
    local.verify()
    make("a.hdf5", 0, 8, value=2.0)
    with pytest.raises(
        StrainError, match=r"a\.hdf5: expected .* changed since the run was planned"
    ):
        local.verify()
    make("a.hdf5", 0, 6)
    with pytest.raises(StrainError, match=r"a\.hdf5: duration is 6 s, expected 8 s"):
        source.obtain(file)
    Path("a.hdf5").unlink()
    with pytest.raises(StrainError, match=r"a\.hdf5: no such file"):
        source.obtain(file)


def test_a_truncated_file_stops_the_plan(folder: Path) -> None:
    make("a.hdf5", 0, 8)
    Path("a.hdf5").write_bytes(Path("a.hdf5").read_bytes()[:3000])
    with pytest.raises(StrainError, match=r"a\.hdf5: damaged or truncated"):
        DirectorySource({"H1": ["a.hdf5"]}).files("H1", GPS, GPS + 8)


def test_the_configuration_makes_the_source(folder: Path) -> None:
    make("a.hdf5", 0, 8)
    config = SourceConfig.model_validate(
        {"kind": "directory", "directory": {"files": {"H1": ["*.hdf5"]}, "prefer": ["a*"]}}
    )
    source = make_source(config)
    assert [file.location for file in source.files("H1", GPS, GPS + 8)] == ["a.hdf5"]


def test_both_detectors_of_one_real_file(real_data: Path) -> None:
    path = real_data / "strain" / "DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"
    source = DirectorySource(
        {"H1": [str(path)], "L1": [str(path)]}, dataset={"H1": "H1", "L1": "L1"}
    )
    start, end = 1126259430, 1126259494
    strains = {}
    for detector in ("H1", "L1"):
        assert source.segments(detector, 0, 2_000_000_000) == [(start, end)]
        (file,) = source.files(detector, start, end)
        strains[detector] = read_strain([source.obtain(file)], detector, start, end, 4096)
    assert not np.array_equal(strains["H1"].values, strains["L1"].values)
    swapped = DirectorySource({"H1": [str(path)]}, dataset={"H1": "L1"})
    with pytest.raises(StrainError, match="holds strain of L1, expected H1"):
        swapped.files("H1", start, end)


def test_two_versions_of_one_real_span_need_a_ranking(real_data: Path) -> None:
    pattern = str(real_data / "strain" / "L-L1_LOSC_4_V?-1128678884-32.hdf5")
    span = (1128678884, 1128678916)
    with pytest.raises(StrainError, match=r"V1-1128678884-32.hdf5 and .*V2-1128678884-32.hdf5"):
        DirectorySource({"L1": [pattern]}).files("L1", *span)
    source = DirectorySource({"L1": [pattern]}, prefer=["*_V2-*"])
    assert [Path(f.location).name for f in source.files("L1", *span)] == [
        "L-L1_LOSC_4_V2-1128678884-32.hdf5"
    ]
