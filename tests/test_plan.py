from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from igwn_segments import segment, segmentlist

from gwmorph.config import Config, RunConfig, ScoreConfig, SourceConfig, parse_config
from gwmorph.errors import ConfigError, PlanError, SegmentError, StrainError
from gwmorph.grid import BLOCK_S, Grid, block_of, group_of
from gwmorph.plan import (
    DetectorPlan,
    keep_plan,
    load_plan,
    make_plan,
    plan_hash,
    require_own,
    require_quiet_windows,
    require_rate,
    run_hash,
    wait_to_expect,
)
from gwmorph.segments import clip, read_segments
from gwmorph.storage import sha256_of_file, write_json
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.receipts import write_receipts

B = 1262301184  # a multiple of 4096
GRID = Grid(duration=32, stride=32, context=4)


class FakeSource:
    """A source whose answers are set, and that counts how often it is asked."""

    def __init__(self, segments, blocks=range(-2, 6)):
        self._segments = segmentlist(segment(*span) for span in segments)
        self.blocks = blocks
        self.asked = 0

    def __call__(self, config):
        return self

    def segments(self, detector, start, end):
        self.asked += 1
        return clip(self._segments, start, end)

    def files(self, detector, start, end):
        offered = [
            StrainFile(detector, B + n * BLOCK_S, BLOCK_S, 4096, f"{detector}-{n}.hdf5")
            for n in self.blocks
        ]
        return [file for file in offered if file.gps_start < end and file.gps_end > start]

    def obtain(self, file):
        raise AssertionError("a plan never obtains strain")


GWOSC = SourceConfig(kind="gwosc")


def run(start=B, end=B + 3 * BLOCK_S, detectors=("H1",)):
    return RunConfig(name="r", detectors=list(detectors), gps_start=start, gps_end=end)


def planned(folder, *question):
    """Plan as a run does: what the source answered is kept once the run starts."""
    plan, kept = make_plan(folder, *question)
    keep_plan(folder, kept)
    return plan


def plan_of(segments, tmp_path, grid=GRID, **span):
    return planned(tmp_path, run(**span), GWOSC, grid, FakeSource(segments))["H1"]


def test_every_gridded_window_belongs_to_the_block_of_its_start(tmp_path):
    plan = plan_of([(B + 10, B + 100), (B + 4000, B + 4200)], tmp_path)
    assert plan.blocks == [B, B + BLOCK_S]
    assert plan.windows(B) == [B + 32, B + 64, B + 4000, B + 4032, B + 4064]
    assert plan.windows(B + BLOCK_S) == [B + 4096, B + 4128, B + 4160]
    # [B + 64, B + 96) ends 4 s before its segment; [B + 4000, …) begins with its segment
    assert plan.windows_with_context(B) == [B + 32, B + 64, B + 4032, B + 4064]
    assert plan.science_s == 90 + 200


def test_overlapping_windows_may_end_in_the_next_block(tmp_path):
    grid = Grid(duration=32, stride=16, context=4)
    plan = plan_of([(B, B + 2 * BLOCK_S)], tmp_path, grid)
    assert plan.windows(B)[-1] == B + BLOCK_S - 16
    assert plan.windows_with_context(B)[-1] == B + BLOCK_S - 16
    assert grid.read_span(B) == segment(B - 4, B + BLOCK_S + 16 + 4)


@given(
    st.lists(st.tuples(st.integers(-100, 12000), st.integers(1, 6000)), min_size=1, max_size=6),
    st.sampled_from([16, 32]),
    st.integers(4, 64),
)
def test_a_block_sees_its_windows_in_its_own_part_of_the_segments(spans, stride, context):
    grid = Grid(32, stride, context)
    segments = segmentlist(segment(B + a, B + a + n) for a, n in spans).coalesce()
    plan = DetectorPlan("H1", B - 4096, B + 20480, grid, segments, ())
    for block in plan.blocks:
        near = plan.block_segments(block)
        assert near == clip(segments, *grid.read_span(block))
        assert grid.block_windows(near, block) == plan.windows(block)
        assert grid.with_context(near, plan.windows(block)) == plan.windows_with_context(block)
    every = sorted(t for block in plan.blocks for t in plan.windows(block))
    expected = [
        t
        for t in range(B - 4096, B + 20480, stride)
        if any(a <= t and t + 32 <= b for a, b in segments)
    ]
    assert every == expected


def test_a_block_costs_the_same_however_many_segments_its_run_has(monkeypatch):
    """A clip of all segments for every block would take an hour for an observing run."""
    looked_at = []
    monkeypatch.setattr(
        "gwmorph.grid.clip",
        lambda segments, *span: looked_at.append(len(segments)) or clip(segments, *span),
    )
    spans = [segment(B + 1000 * n, B + 1000 * n + 900) for n in range(5000)]
    plan = DetectorPlan("H1", B, B + 5_000_000, GRID, segmentlist(spans), ())
    for block in plan.blocks:
        plan.block_segments(block)
    assert len(looked_at) == len(plan.blocks)
    assert max(looked_at) <= 6  # as many as touch 4096 s and context


def test_neighbours_are_read_where_they_have_science(tmp_path):
    # the last block has 6 s of science: no window, yet context for the one before
    plan = plan_of([(B, B + 2 * BLOCK_S + 6)], tmp_path)
    assert plan.blocks == [B, B + BLOCK_S]
    assert plan.neighbourhood(B) == [B, B + BLOCK_S]
    assert plan.neighbourhood(B + BLOCK_S) == [B, B + BLOCK_S, B + 2 * BLOCK_S]
    last = B + 2 * BLOCK_S - 32
    assert last in plan.windows_with_context(B + BLOCK_S)
    assert [file.location for file in plan.files_of(B)] == ["H1-0.hdf5"]


def test_a_file_longer_than_a_block_serves_every_block_that_it_touches():
    files = (StrainFile("H1", B + 4000, 5000, 4096, "long.gwf"),)
    plan = DetectorPlan("H1", B, B + 3 * BLOCK_S, GRID, segmentlist(), files)
    assert [len(plan.files_of(B + n * BLOCK_S)) for n in range(4)] == [1, 1, 1, 0]


def hashes(plan):
    return {(block - B) // BLOCK_S: plan.block_hash(block) for block in plan.blocks}


def changed(before, after):
    return {block for block in before | after if before.get(block) != after.get(block)}


def test_a_block_more_touches_itself_and_its_direct_neighbour(tmp_path):
    science = [(B, B + 5 * BLOCK_S)]
    before = hashes(plan_of(science, tmp_path / "a", end=B + 3 * BLOCK_S))
    after = hashes(plan_of(science, tmp_path / "b", end=B + 4 * BLOCK_S))
    assert set(before) == {0, 1, 2}
    assert changed(before, after) == {2, 3}


def test_a_changed_segment_touches_the_blocks_that_it_reaches(tmp_path):
    def with_end(end):
        return hashes(plan_of([(B, B + 100), (B + BLOCK_S, B + end)], tmp_path / str(end)))

    before = with_end(BLOCK_S + 1000)
    assert changed(before, with_end(BLOCK_S + 1010)) == {1}
    # to the next block's border and beyond: its windows, and their context
    assert changed(before, with_end(2 * BLOCK_S + 64)) == {1, 2}


def test_another_file_touches_the_blocks_that_read_it(tmp_path):
    science = [(B, B + 3 * BLOCK_S)]
    plan = plan_of(science, tmp_path)
    files = [
        StrainFile(**(file.to_json() | {"location": "new"})) if file.gps_start == B else file
        for file in plan.files
    ]
    other = DetectorPlan("H1", B, B + 3 * BLOCK_S, GRID, plan.segments, tuple(files))
    assert changed(hashes(plan), hashes(other)) == {0, 1}


def test_a_remote_source_is_asked_once_for_each_question(tmp_path):
    source = FakeSource([(B, B + 3 * BLOCK_S)])

    def ask(grid=GRID, config=GWOSC, **span):
        plan = planned(tmp_path, run(**span), config, grid, source)
        return source.asked, plan

    assert ask()[0] == 1
    assert ask()[0] == 1
    count, plan = ask(grid=Grid(32, 16, 8))
    assert count == 1  # the grid is no part of the question ...
    assert plan["H1"].grid == Grid(32, 16, 8)  # ... but of the plan
    patient = SourceConfig.model_validate({"kind": "gwosc", "gwosc": {"attempts": 9}})
    assert ask(config=patient)[0] == 1
    assert ask(detectors=("H1", "L1"))[0] == 2
    assert ask(end=B + 2 * BLOCK_S)[0] == 3
    flag = SourceConfig.model_validate({"kind": "gwosc", "gwosc": {"flag": "CBC_CAT1"}})
    assert ask(config=flag)[0] == 4
    (tmp_path / "H1.json").unlink()
    assert ask(config=flag)[0] == 5


def of_files(patterns, **keys):
    directory = {"files": {"H1": patterns}, **keys}
    return SourceConfig.model_validate({"kind": "directory", "directory": directory})


def test_local_files_are_asked_again_when_they_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    for name in ("a.hdf5", "H1-0.hdf5", "segments[1].txt"):
        (tmp_path / name).write_text(name)
    config = of_files(["**/*.hdf5"], segments={"H1": f"{tmp_path}/segments[1].txt"})
    source = FakeSource([(B, B + 3 * BLOCK_S)], blocks=[0])

    def asked():
        planned(tmp_path / "plan", run(), config, GRID, source)
        return source.asked

    assert [asked(), asked()] == [1, 1]
    (tmp_path / "segments[1].txt").write_text("other segments")
    assert [asked(), asked()] == [2, 2]
    (tmp_path / "deep" / "c.hdf5").touch()
    assert [asked(), asked()] == [3, 3]
    (tmp_path / "a.hdf5").unlink()
    assert [asked(), asked()] == [4, 4]


@pytest.fixture
def collected(tmp_path, monkeypatch):
    """Two blocks of files of the user's, planned and with receipts, and how to plan them again."""
    monkeypatch.chdir(tmp_path)
    source = FakeSource([(B, B + 2 * BLOCK_S)], blocks=(0, 1))

    def plan():
        return planned(tmp_path / "plan", run(), of_files(["H1-*.hdf5"]), GRID, source)["H1"]

    for n in (0, 1):
        Path(f"H1-{n}.hdf5").write_text(f"content {n}")
    for n, file in enumerate(plan().files):
        receipt = LocalFile.receipt(file, file.location, "gwosc")
        write_receipts(tmp_path / "strain" / "H1" / f"{n}.json", [receipt])
    return plan


def test_a_file_that_was_only_touched_is_the_same(collected):
    before = hashes(collected())
    for _ in range(2):
        Path("H1-0.hdf5").touch()
        assert hashes(collected()) == before
    Path("H1-0.hdf5").write_text("CONTENT 0")
    after = hashes(collected())
    assert changed(before, after) == {0, 1}
    assert hashes(collected()) == after


def test_a_segment_list_of_an_impossible_name_is_left_to_the_reader(collected, tmp_path):
    config = of_files(["H1-*.hdf5"], segments={"H1": 300 * "x"})
    source = FakeSource([(B, B + 2 * BLOCK_S)], blocks=(0, 1))
    make_plan(tmp_path / "plan", run(), config, GRID, source)
    with pytest.raises(SegmentError, match="cannot be read as a segment list"):
        read_segments(300 * "x")


def test_only_touched_files_are_read_again(collected, monkeypatch):
    read = []
    monkeypatch.setattr(
        "gwmorph.strain.versions.sha256_of_file",
        lambda path: read.append(path) or sha256_of_file(path),
    )
    collected()
    assert read == []
    Path("H1-1.hdf5").touch()
    collected()
    collected()
    assert read == ["H1-1.hdf5"]
    Path("H1-1.hdf5").write_text("longer content")
    collected()
    assert read == ["H1-1.hdf5"]


def test_a_file_without_a_receipt_counts_by_its_time(collected, tmp_path):
    before = hashes(collected())
    (tmp_path / "strain" / "H1" / "1.json").unlink()
    Path("H1-1.hdf5").touch()
    assert changed(before, hashes(collected())) == {0, 1}


def test_the_plan_survives_json_and_is_rewritten_only_when_it_changes(tmp_path):
    source = FakeSource([(B + 5, B + 2000), (B + 5000, B + 3 * BLOCK_S)])
    made = planned(tmp_path, run(), GWOSC, GRID, source)
    assert load_plan(tmp_path, ["H1"]) == made
    written = (tmp_path / "H1.json").stat().st_mtime_ns
    planned(tmp_path, run(), GWOSC, GRID, source)
    assert (tmp_path / "H1.json").stat().st_mtime_ns == written
    planned(tmp_path, run(), GWOSC, Grid(32, 16, 4), source)
    assert (tmp_path / "H1.json").stat().st_mtime_ns > written


def test_making_a_plan_writes_nothing(tmp_path):
    source = FakeSource([(B, B + 3 * BLOCK_S)])
    first = planned(tmp_path / "plan", run(), GWOSC, GRID, source)
    before = (tmp_path / "plan" / "H1.json").read_bytes()
    other, _ = make_plan(tmp_path / "plan", run(end=B + BLOCK_S), GWOSC, GRID, source)
    make_plan(tmp_path / "new", run(), GWOSC, GRID, source)
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]
    assert (tmp_path / "plan" / "H1.json").read_bytes() == before
    assert plan_hash(other) != plan_hash(first) == plan_hash(load_plan(tmp_path / "plan", ["H1"]))


def test_no_window_at_all_is_an_error_that_says_why(tmp_path):
    with pytest.raises(PlanError, match=r"H1: 1 science segments, 40 s in all, the longest 40 s"):
        plan_of([(B + 10, B + 50)], tmp_path)
    # one silent detector of two is no error: its livetime is zero, and said to be
    source = FakeSource([(B, B + 100)])
    source.segments = lambda detector, start, end: segmentlist(
        [segment(B, B + 100)] if detector == "L1" else []
    )
    plan, _ = make_plan(tmp_path / "two", run(detectors=("H1", "L1")), GWOSC, GRID, source)
    assert (plan["H1"].blocks, plan["L1"].blocks) == ([], [B])


@pytest.mark.parametrize(("blocks", "said"), [(3000, ""), (8000, "16,000 blocks: ")])
def test_whoever_waits_for_many_blocks_is_told(tmp_path, blocks, said):
    span = run(end=B + blocks * BLOCK_S, detectors=("H1", "L1"))
    source = FakeSource([(span.gps_start, span.gps_end)], blocks=range(blocks))
    source.files = lambda detector, start, end: [
        StrainFile(detector, start, end - start, 4096, f"{detector}.hdf5")
    ]
    plan, _ = make_plan(tmp_path / "plan", span, GWOSC, GRID, source)
    told = wait_to_expect(plan)
    assert told.startswith(said) if said else told == ""
    assert not said or "about 2 min" in told


@pytest.mark.parametrize("listed", [False, True])
def test_a_span_without_files_says_which_times_they_cover(tmp_path, monkeypatch, listed):
    monkeypatch.chdir(tmp_path)
    for n in range(8):
        (tmp_path / f"H1-{n}.hdf5").touch()
    config = of_files(["*.hdf5"])
    away = run(start=B + 40 * BLOCK_S, end=B + 41 * BLOCK_S)
    science = [(B, B + 90 * BLOCK_S)] if listed else []
    with pytest.raises(PlanError) as caught:
        make_plan(tmp_path, away, config, GRID, FakeSource(science, blocks=range(0, 14, 2)))
    said = str(caught.value)
    first = f"{B} to {B + BLOCK_S}, {B + 2 * BLOCK_S} to"
    assert f"H1: 7 files cover GPS {first}" in said
    assert f" and 2 more spans until {B + 13 * BLOCK_S}." in said
    assert f"The span is GPS {away.gps_start} to {away.gps_end}" in said
    assert "gwmorph show" not in said


def test_files_too_short_for_a_window_are_to_be_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "GW 150914.hdf5").touch()
    source = FakeSource([(B + 10, B + 42)])
    file = StrainFile("H1", B + 10, 32, 4096, "GW 150914.hdf5")
    source.files = lambda detector, start, end: [file]
    with pytest.raises(PlanError) as caught:
        make_plan(tmp_path, run(), of_files(["*.hdf5"]), GRID, source)
    assert f"H1: 1 file covers GPS {B + 10} to {B + 42}." in str(caught.value)
    assert f"gwmorph show 'GW 150914.hdf5' --gps {B + 26}" in str(caught.value)


@pytest.mark.parametrize("text", ["", '{"detector":', "[]"])
def test_a_damaged_plan_names_itself(tmp_path, text):
    (tmp_path / "H1.json").write_text(text)
    with pytest.raises(PlanError, match=r"H1\.json: the stored plan cannot be read"):
        make_plan(tmp_path, run(), GWOSC, GRID, FakeSource([(B, B + 100)]))


def test_a_missing_plan_names_itself(tmp_path):
    with pytest.raises(PlanError, match=r"H1\.json: the stored plan cannot be read"):
        load_plan(tmp_path, ["H1"])


@pytest.mark.parametrize(("rate", "fault"), [(8192, "is lower than"), (3000, "is no multiple of")])
def test_files_that_cannot_become_the_analysis_rate_are_named(tmp_path, rate, fault):
    plan, _ = make_plan(tmp_path, run(), GWOSC, GRID, FakeSource([(B, B + BLOCK_S)]))
    require_rate(plan, 2048)
    with pytest.raises(StrainError, match=rf"H1-0\.hdf5: sample rate 4096 Hz {fault}"):
        require_rate(plan, rate)


@pytest.mark.parametrize(
    ("background", "fraction", "fewest"),
    [("run", 0.05, 100), ("run", 0.005, 399), ("simulated", 0.05, 0), ("none", 0.05, 0)],
)
def test_a_run_too_short_for_its_own_quiet_windows_is_refused(
    tmp_path, background, fraction, fewest
):
    score = ScoreConfig(background=background, false_alarm_fraction=fraction, quiet_windows=400)
    enough = plan_of([(B, B + max(fewest, 1) * 32)], tmp_path / "a", end=B + 4 * BLOCK_S)
    require_quiet_windows({"H1": enough}, score)
    if fewest:
        short = plan_of([(B, B + (fewest - 1) * 32)], tmp_path / "b", end=B + 4 * BLOCK_S)
        said = f"H1 has {fewest - 1} windows in all, expected at least {fewest} quiet ones"
        with pytest.raises(ConfigError, match=said):
            require_quiet_windows({"H1": short}, score)


def test_a_missing_population_is_an_error_of_the_configuration(tmp_path):
    config = SourceConfig.model_validate(
        {"kind": "simulated", "simulated": {"population": f"{tmp_path}/none.yaml"}}
    )
    with pytest.raises(ConfigError, match=r"source\.simulated\.population: .*none\.yaml"):
        make_plan(tmp_path / "plan", run(), config, GRID, FakeSource([(B, B + BLOCK_S)]))


def test_groups_do_not_depend_on_what_else_is_in_the_run():
    assert block_of(B + 4095) == B
    first = 16 * BLOCK_S * 19262
    assert {group_of(first + n * BLOCK_S, 16) for n in range(16)} == {19262}
    assert group_of(first + 16 * BLOCK_S, 16) == 19263


def test_a_job_knows_its_run_by_configuration_and_plan():
    own = run_hash(Config(), {})
    require_own(Path("results/r"), own, own)
    for other in (run_hash(parse_config({"events": {"snr": 8.0}}), {}), ""):
        with pytest.raises(PlanError, match=r"results/r: this job was started for another plan"):
            require_own(Path("results/r"), own, other)


@pytest.mark.parametrize(
    "change",
    [
        {"files": 3},
        {"files": [{"detector": "H1"}]},
        {"segments": [[10, 5]]},
        {"segments": [[1, 2, 3]]},
        {"gps_start": "0"},
        {"gps_end": True},
        {"detector": None},
    ],
)
def test_a_stored_plan_of_other_types_is_refused(tmp_path, change):
    plan = DetectorPlan("H1", 0, 100, Grid(32, 32, 4), segmentlist([segment(0, 100)]), ())
    write_json(tmp_path / "H1.json", plan.to_json())
    assert load_plan(tmp_path, ["H1"])["H1"] == plan
    write_json(tmp_path / "H1.json", plan.to_json() | change)
    with pytest.raises(PlanError, match=r"H1\.json: the stored plan cannot be read"):
        load_plan(tmp_path, ["H1"])
