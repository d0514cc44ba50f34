"""Segment lists: reading, faults, and the windows in them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist
from igwn_segments.utils import tosegwizard

from gwmorph.errors import SegmentError
from gwmorph.segments import (
    clip,
    grid_windows,
    has_context,
    livetime,
    read_segments,
)

SPANS = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 400)).map(lambda s: segment(s[0], sum(s))),
    max_size=12,
).map(lambda spans: segmentlist(spans).coalesce())


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "segments.txt"
    path.write_text(text)
    return path


def seconds_of(segments: segmentlist) -> set[int]:
    return {second for start, end in segments for second in range(start, end)}


@pytest.mark.parametrize(
    "text",
    [
        "300 400\n100 200\n",
        "100 200 100\n300 400 100\n",
        "# seg start stop duration\n0 100 200 100\n\n1 300 400 100 # a remark\n",
        "; made by hand\n100.0 200.000\n300 400.0\n",
        json.dumps({"segments": [[300, 400], [100, 200]], "flag": "H1_DATA"}),
        json.dumps([[100, 200], [300, 400]]),
    ],
    ids=["two-columns", "three-columns", "four-columns", "decimal-points", "timeline", "pairs"],
)
def test_every_format_gives_the_same_sorted_list(tmp_path: Path, text: str) -> None:
    assert read_segments(written(tmp_path, text)) == [(100, 200), (300, 400)]


def test_touching_rows_become_one_segment(tmp_path: Path) -> None:
    path = written(tmp_path, "200 300\n100 200\n301 400\n")
    assert read_segments(path) == [(100, 300), (301, 400)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100 200\n400 300\n", r"txt:2: segment is reversed: start 400, stop 300"),
        ("100 100\n", r"txt:1: segment is empty"),
        ("100 200\n\nten 300\n", r"txt:3: 'ten' is not a number"),
        ("100 200.5\n", r"txt:1: '200.5' is not a whole GPS second"),
        ("100 nan\n", r"txt:1: 'nan' is not a whole GPS second"),
        ("100 200 50\n", r"txt:1: duration 50 does not fit start 100 and stop 200"),
        ("100\n", r"txt:1: 1 columns"),
        ("1 2 3 4 5\n", r"txt:1: 5 columns"),
        ("100 200\n500 600\n150 160\n", r"txt:1 and .*txt:3: segments overlap from 150"),
        ("100 200\n100 200\n", r"txt:1 and .*txt:2: segments overlap"),
        ("", "holds no segments"),
        ("# nothing here\n", "holds no segments"),
        ('{"segments": []}', "holds no segments"),
        ('{"segments": [[1, 2], [9, 4]]}', r"segments\[1\]: segment is reversed"),
        ('{"segments": [[1, 2, 3]]}', r"segments\[0\]: expected \[start, stop\]"),
        ('{"spans": [[1, 2]]}', r"expected .*got keys \['spans'\]"),
        ('{"segments": [[1, 2]', "txt:1: not valid JSON"),
    ],
)
def test_faults_name_file_and_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SegmentError, match=message):
        read_segments(written(tmp_path, text))


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(SegmentError, match=r"none\.txt"):
        read_segments(tmp_path / "none.txt")


@given(segments=SPANS)
def test_lists_that_igwn_segments_writes_are_read(
    tmp_path_factory: pytest.TempPathFactory, segments: segmentlist
) -> None:
    path = tmp_path_factory.mktemp("lists") / "segments.txt"
    with path.open("w") as stream:
        tosegwizard(stream, segments)
    if segments:
        assert read_segments(path) == segments
    else:
        with pytest.raises(SegmentError, match="no segments"):
            read_segments(path)


@given(segments=SPANS, start=st.integers(0, 3000), length=st.integers(1, 500))
def test_clipping_keeps_exactly_the_seconds_inside(
    segments: segmentlist, start: int, length: int
) -> None:
    clipped = clip(segments, start, start + length)
    assert seconds_of(clipped) == seconds_of(segments) & set(range(start, start + length))


@given(segments=SPANS, stride=st.sampled_from([16, 32]), context=st.integers(0, 40))
def test_windows_agree_with_counting_seconds(
    segments: segmentlist, stride: int, context: int
) -> None:
    seconds = seconds_of(segments)
    expected = [t for t in range(0, 3500, stride) if set(range(t, t + 32)) <= seconds]
    windows = grid_windows(segments, 32, stride)
    assert windows == expected
    for t in range(0, 3500, 7):
        whole = set(range(t - context, t + 32 + context)) <= seconds
        assert has_context(segments, t, 32, context) == whole


@given(starts=st.lists(st.integers(0, 500), max_size=30))
def test_livetime_counts_each_second_once(starts: list[int]) -> None:
    assert livetime(starts, 32) == len({t + i for t in starts for i in range(32)})


def test_real_lists_are_unsorted_and_lose_time_to_the_grid(real_data: Path) -> None:
    found = {
        detector: read_segments(real_data / "segments" / f"O1_{detector}_dq_noinj_segments.txt")
        for detector in ("H1", "L1")
    }
    # 1253 and 257 rows, of which 39 and 10 touch the one before.
    assert {detector: len(segments) for detector, segments in found.items()} == {
        "H1": 1214,
        "L1": 247,
    }
    science = abs(found["H1"])
    assert science == 158948
    windows = grid_windows(found["H1"], 32, 32)
    with_context = [t for t in windows if has_context(found["H1"], t, 32, 4)]
    assert livetime(windows, 32) / science == pytest.approx(0.818, abs=5e-4)
    assert livetime(with_context, 32) / science == pytest.approx(0.780, abs=5e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-5 10\n", "'-5' is no GPS time"),
        ("0 1e300\n", "'1e300' is no GPS time"),
        ("[[0, 4294967296]]", "4294967296 is no GPS time"),
        ("[[0, true]]", "True is not a number"),
        (f"[[0, 1{'0' * 400}]]", "is not a number"),
        ("[[0, NaN]]", "not valid JSON .NaN is no finite number"),
        ("[" * 100_000, "not valid JSON .it is nested too deeply"),
    ],
)
def test_what_no_gps_second_is_is_refused(tmp_path, text, said):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(SegmentError, match=rf"a\.txt.*{said}"):
        read_segments(tmp_path / "a.txt")
