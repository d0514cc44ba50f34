"""Strain scanned block by block: statuses, what is lost, what fails, and how it stops.

Blocks are drawn in this process but where its workers are what is tested.
"""

import json
import os
import re
import signal
import threading

import numpy as np
import pytest
from igwn_segments import segment, segmentlist
from scanning import BLOCK, RATE, SETTINGS, SIZE, Here, make_atlas, noise, scanned, write_file

from gwmorph.block import draw_block
from gwmorph.config import load_yaml, parse_config
from gwmorph.encoders.dct import DctEncoder
from gwmorph.encoders.shards import EventOutputs, write_shard
from gwmorph.errors import CalibrationError, StrainError
from gwmorph.evidence.events import admit_tiles
from gwmorph.evidence.judging import judge_rows, status_of_events
from gwmorph.grid import block_of
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.naming import event_name, span_name
from gwmorph.scanner import scan as module
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.drawing import DrawingTask, draw
from gwmorph.scanner.record import read_record
from gwmorph.spectra.albums import FolderAlbum
from gwmorph.strain.directory import recording
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_metadata, read_table, write_table
from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS
from gwosc_files import write_gwosc_file

# The last 256 s of a block, and the first of the next.
LAST, NEXT = BLOCK + 4096 - 256, BLOCK + 4096


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(module, "Workers", Here)


@pytest.fixture
def atlas(tmp_path):
    return make_atlas(tmp_path)


def tables(out, block):
    return (
        read_table(out / block.folder / "windows.parquet", SCAN_WINDOWS),
        read_table(out / block.folder / "triggers.parquet", SCAN_TRIGGERS),
    )


def statuses(out, block):
    windows, _ = tables(out, block)
    starts, found, reasons = (windows[n].to_pylist() for n in ("gps_start", "status", "reason"))
    return {t: reason or status for t, status, reason in zip(starts, found, reasons, strict=True)}


def test_windows_events_and_pictures_are_those_of_the_workflow(here, atlas, tmp_path):
    files = [
        write_file(tmp_path, LAST, noise(256, [50.3, 100.1])),
        write_file(tmp_path, NEXT, noise(256, [70.0], seed=2)),
    ]
    out = tmp_path / "out"
    blocks = list(scanned(files, atlas, out))
    assert [(block.status, block.gps_start) for block in blocks] == [
        ("DONE", BLOCK),
        ("DONE", NEXT),
    ]
    held = recording("files", "H1", [str(file.path) for file in files])
    for block in blocks:
        windows, events = tables(out, block)
        folders = tmp_path / f"w{block.gps_start}", tmp_path / f"e{block.gps_start}"
        expected = draw_block(
            held.files, "H1", block.gps_start,
            SETTINGS.grid.block_windows(held.segments, block.gps_start), held.segments,
            4, SETTINGS.rendering, SETTINGS.events, FolderAlbum.made(*folders),
        )  # fmt: skip
        lost = [row["gps_start"] for row in expected.ledger if row["status"] != "analysed"]
        assert windows["gps_start"].to_pylist() == [row["gps_start"] for row in expected.ledger]
        assert [t for t, said in statuses(out, block).items() if said == "context"] == lost
        loud = expected.triggers.filter(expected.triggers["snr"].to_numpy() >= 7.5)
        assert events["trigger_time"].to_pylist() == loud["peak_time"].to_pylist()
        assert events["snr"].to_pylist() == loud["snr"].to_pylist()
        assert set(events["status"].to_pylist()) == {"NOVEL"}  # like nothing in the atlas
        novel = events["gps_start"].to_pylist()
        assert list(block.novel_windows) == novel
        drawn = {path.name for path in (out / block.folder / "pictures").iterdir()}
        names = [event_name("H1", time) for time in events["trigger_time"].to_pylist()]
        shown = [span_name("H1", "WINDOW", start, 32, "png") for start in novel]
        assert drawn == {*names, *shown}
        for name, folder in [(names[0], folders[1]), (shown[0], folders[0])]:
            pictures = out / block.folder / "pictures" / name, folder / name
            assert pictures[0].read_bytes() == pictures[1].read_bytes()
    # The last window of the first block had its context in the second file.
    assert statuses(out, blocks[0])[NEXT - 32] == "QUIET"
    assert blocks[0].windows == {
        "EXCLUDED": 1, "QUIET": 5, "KNOWN": 0, "AMBIGUOUS": 0, "NOVEL": 2,
    }  # fmt: skip
    assert blocks[0].livetime_s == 7 * 32
    assert json.loads((out / blocks[0].folder / "summary.json").read_text())["livetime_s"] == 224
    about = read_metadata(out / blocks[0].folder / "windows.parquet")
    assert about["gwmorph.encoder_id"] == DctEncoder((56, 56)).encoder_id
    assert about["gwmorph.atlas"] == atlas.identity


def test_events_have_the_statuses_of_the_workflow(here, tmp_path):
    # The first of three is what the atlas knows.
    files = [write_file(tmp_path, LAST, noise(256, [50.3, 100.1, 150.2], seed=3))]
    written = tmp_path / "triggers.parquet"
    drawn = draw_block(
        recording("files", "H1", [str(files[0].path)]).files, "H1", BLOCK,
        SETTINGS.grid.block_windows(segmentlist([segment(LAST, NEXT)]), BLOCK),
        segmentlist([segment(LAST, NEXT)]), 4, SETTINGS.rendering, SETTINGS.events,
        FolderAlbum.made(tmp_path / "windows", tmp_path / "events"),
    )  # fmt: skip
    ids = {"gwmorph.render_id": SETTINGS.rendering.render_id}
    write_table(written, TRIGGERS, drawn.triggers, ids)
    shard = tmp_path / "shard.parquet"
    loud = EventOutputs(written, tmp_path / "events", SETTINGS.events.snr)
    write_shard(shard, [loud], DctEncoder(SIZE), 2)
    admitted = tmp_path / "admitted.parquet"
    write_table(admitted, TRIGGERS, admit_tiles(drawn.triggers, SETTINGS.events.snr, 32), ids)
    events = events_of_run([shard], [admitted])
    atlas = make_atlas(tmp_path, like=embedding_matrix(events)[:1])
    about = atlas.about
    judged = judge_rows(
        events, atlas.reference("event"), atlas.limits("event"), about.promise, about.neighbors
    )
    expected = status_of_events(events, judged, about.agreeing)
    (block,) = scanned(files, atlas, tmp_path / "out")
    _, found = tables(tmp_path / "out", block)
    for name in ("detector", "gps_start", "trigger_time", "status", "named", "agreeing"):
        assert found[name].to_pylist() == expected[name].to_pylist(), name
    for name in ("similarity", "p_value"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
    assert len(set(found["status"].to_pylist())) > 1


def test_without_the_next_file_the_last_window_lacks_context(here, atlas, tmp_path):
    block = next(scanned([write_file(tmp_path, LAST, noise(256))], atlas, tmp_path / "out"))
    assert statuses(tmp_path / "out", block)[NEXT - 32] == "context"
    assert block.status == "DONE"


def test_every_window_of_gaps_and_of_a_detector_that_is_off_is_told(here, atlas, tmp_path):
    off = np.full(256, 127)
    off[100:200] = 0
    files = [
        write_file(tmp_path, BLOCK + 1024, noise(256), dqmask=off),
        write_file(tmp_path, BLOCK + 1024 + 320, noise(192, seed=2)),
    ]
    block = next(scanned(files, atlas, tmp_path / "out"))
    found = {t - BLOCK - 1024: said for t, said in statuses(tmp_path / "out", block).items()}
    assert list(found) == list(range(0, 512, 32))
    assert {t for t, said in found.items() if said == "dq"} == {96, 128, 160, 192}
    assert {t for t, said in found.items() if said == "gap"} == {256, 288}
    assert {t for t, said in found.items() if said == "context"} == {0, 224, 320, 480}
    assert block.gaps == ((BLOCK + 1280, BLOCK + 1344),)
    assert block.science_s == 156 + 192
    assert block.status == "DONE"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("truncated", r"StrainError: .*damaged or truncated"),
        ("nan", r"windows are lost, more than run.max_excluded_fraction \(0.5\) allows: .* nan"),
        ("detector", r"StrainError: .*: holds strain of L1, expected H1"),
        ("elsewhere", r"StrainError: .* is of V1, expected one of the atlas's detectors, H1, L1"),
        ("rate", r"StrainError: .*sample rate 1024 Hz is lower"),
        ("zeros", r"none of its|windows are lost"),
    ],
)
def test_what_cannot_be_scanned_fails_and_others_do_not(here, atlas, tmp_path, fault, why):
    sound = write_file(tmp_path, NEXT + 1024, noise(256, [100.0], seed=3))
    values = noise(256)
    if fault == "nan":
        values[20 * RATE : 200 * RATE : 50] = np.nan
    if fault == "zeros":
        values[:] = 0
    if fault == "rate":
        values = values[::2]
    detector = {"detector": "L1", "elsewhere": "V1"}.get(fault, "H1")
    broken = write_file(tmp_path, LAST, values, detector)
    if fault == "truncated":
        broken.path.write_bytes(broken.path.read_bytes()[:-5000])
    told = "V1" if fault == "elsewhere" else "H1"
    broken = ArrivedFile(broken.path, told, LAST, 256)
    if fault == "rate":
        write_gwosc_file(broken.path, "H1", LAST, noise(256)[::2], 1024)
    out = tmp_path / "out"
    first, second = scanned([broken, sound], atlas, out)
    assert (first.status, second.status) == ("FAILED", "DONE")
    assert re.search(why, first.why), first.why
    found = statuses(out, first)
    assert list(found) == list(range(LAST, NEXT, 32))
    assert not {"QUIET", "KNOWN", "NOVEL", "AMBIGUOUS"} & set(found.values()) or fault == "nan"
    if fault not in ("nan", "zeros"):
        assert set(found.values()) == {"failed"}
    assert second.events["NOVEL"] == 1


def test_a_damaged_file_beside_a_block_costs_its_context_alone(here, atlas, tmp_path):
    files = [write_file(tmp_path, start, noise(256, seed=start)) for start in (LAST, NEXT)]
    files[1].path.write_bytes(b"no strain")
    first, second = scanned(files, atlas, tmp_path / "out")
    assert (first.status, second.status) == ("DONE", "FAILED")
    assert statuses(tmp_path / "out", first)[NEXT - 32] == "context"
    assert len(first.faults) == 1
    assert "neither HDF5 nor a frame file" in first.faults[0]


def test_every_file_beside_a_block_is_looked_into(tmp_path):
    own = write_file(tmp_path, LAST, noise(128))
    around = [ArrivedFile(tmp_path / name, "H1", NEXT, 4) for name in ("a.gwf", "b.gwf")]
    task = DrawingTask(
        "H1", BLOCK, (own,), tuple(around), None, SETTINGS.grid, SETTINGS.rendering,
        SETTINGS.events,
    )  # fmt: skip
    assert [fault.partition(": ")[2] for fault in draw(task).faults] == ["no such file."] * 2


def test_an_atlas_that_was_made_otherwise_is_refused(here, tmp_path):
    file = write_file(tmp_path, LAST, noise(64))
    for name in ("render_id", "encoder_id"):
        folder = tmp_path / name
        folder.mkdir()
        other = make_atlas(folder, **{name: "another"})
        with pytest.raises(CalibrationError, match=f"{name}: expected 'another'"):
            list(scanned([file], other, folder / "out"))
        assert read_record(folder / "out") == {}


def test_strain_without_a_window_is_no_silent_nothing(here, atlas, tmp_path):
    file = write_file(tmp_path, LAST + 1, noise(40))
    with pytest.raises(StrainError, match="nothing was scanned: 1 blocks with strain hold no"):
        list(scanned([file], atlas, tmp_path / "out"))


def test_nothing_is_scanned_twice_and_what_failed_is_tried_again(here, atlas, tmp_path):
    files = [write_file(tmp_path, start, noise(128, seed=start)) for start in (LAST, NEXT + 64)]
    content = files[1].path.read_bytes()
    files[1].path.write_bytes(b"")
    assert [b.failed for b in scanned(files, atlas, tmp_path / "out")] == [False, True]
    files[1].path.write_bytes(content)
    assert [b.gps_start for b in scanned(files, atlas, tmp_path / "out")] == [NEXT]
    assert list(scanned(files, atlas, tmp_path / "out")) == []
    found = read_record(tmp_path / "out")
    assert [block.status for block in found.values()] == ["DONE", "DONE"]
    again = list(scanned(files, atlas, tmp_path / "again"))
    for block in again:  # the same numbers, however often
        for name in ("windows", "triggers"):
            path = f"{block.folder}/{name}.parquet"
            schema = SCAN_WINDOWS if name == "windows" else SCAN_TRIGGERS
            one, other = (read_table(tmp_path / o / path, schema) for o in ("out", "again"))
            kept = [column for column in schema.names if column != "latency_s"]
            assert one.select(kept).equals(other.select(kept))


def test_a_stop_between_blocks_or_in_one_leaves_whole_blocks_alone(here, atlas, tmp_path):
    files = [write_file(tmp_path, BLOCK + n * 4096, noise(128, seed=n)) for n in range(3)]
    stop = threading.Event()
    blocks = scanned(files, atlas, tmp_path / "out", stop)
    assert next(blocks).gps_start == BLOCK
    stop.set()
    assert list(blocks) == []
    assert len(read_record(tmp_path / "out")) == 1
    left = [block.gps_start - BLOCK for block in scanned(files, atlas, tmp_path / "out")]
    assert left == [4096, 8192]


def test_blocks_come_in_order_and_few_are_drawn_ahead(atlas, tmp_path, monkeypatch):
    drawn = []

    class Counting(Here):
        def submit(self, task):
            drawn.append(task.gps_start)
            return super().submit(task)

    monkeypatch.setattr(module, "Workers", Counting)
    files = [
        write_file(tmp_path, BLOCK + n * 4096, noise(128, seed=n), detector)
        for n in range(5)
        for detector in ("H1", "L1")
    ]
    blocks = scanned(files, atlas, tmp_path / "out", workers=2, queue_blocks=1)
    found = []
    for block in blocks:
        found.append((block.gps_start, block.detector))
        assert len(drawn) - len(found) <= 2 + 1
    assert found == sorted(found)
    assert len(found) == 10


def test_too_much_that_is_novel_raises_an_alarm_with_a_configuration(here, atlas, tmp_path):
    file = write_file(tmp_path, LAST, noise(256, [50.0, 100.0, 150.0]))
    (block,) = scanned([file], atlas, tmp_path / "out", novel_alarm=2)
    assert len(block.alarm.novel_windows) == 3
    assert read_record(tmp_path / "out")["H1", BLOCK].alarm == block.alarm
    config = parse_config(load_yaml(tmp_path / "out" / block.alarm.config))
    assert config.source.directory.files == {"H1": [str(file.path)]}
    assert (config.run.gps_start, config.run.gps_end) == (BLOCK, NEXT)
    (block,) = scanned([file], atlas, tmp_path / "again", novel_alarm=3)
    assert block.alarm is None


@pytest.mark.parametrize("views", [["window"], ["window", "event"]])
def test_windows_are_judged_by_their_own_pictures_where_the_atlas_can(here, tmp_path, views):
    atlas = make_atlas(tmp_path, views)
    file = write_file(tmp_path, LAST, noise(256, [50.0]))
    (block,) = scanned([file], atlas, tmp_path / "out")
    windows, events = tables(tmp_path / "out", block)
    (novel,) = windows.filter(windows["status"].to_numpy() == "NOVEL").to_pylist()
    assert novel["gps_start"] == block_of(LAST) + 4096 - 256 + 32
    assert novel["margin"] < 0
    assert events["status"].to_pylist() == ["NOVEL" if "event" in views else None]


def test_segments_that_are_known_say_what_windows_there_are(here, atlas, tmp_path):
    file = write_file(tmp_path, LAST, noise(256))
    known = {"H1": segmentlist([segment(LAST + 64, LAST + 192)])}
    (block,) = scanned([file], atlas, tmp_path / "out", segments=known)
    found = statuses(tmp_path / "out", block)
    assert list(found) == list(range(LAST + 64, LAST + 192, 32))
    assert [t - LAST for t, said in found.items() if said == "context"] == [64, 160]


def test_a_worker_that_dies_fails_its_block_alone(atlas, tmp_path, monkeypatch):
    """The one test with processes: one of them is killed while it has a block."""

    class Killed(module.Workers):
        def submit(self, task):
            if task.gps_start == BLOCK:
                os.kill(self.processes[0], signal.SIGKILL)
            return super().submit(task)

    monkeypatch.setattr(module, "Workers", Killed)
    files = [write_file(tmp_path, BLOCK + n * 4096, noise(128, seed=n)) for n in range(2)]
    first, second = scanned(files, atlas, tmp_path / "out")
    assert first.failed
    assert "WorkerError: the worker process died over it (signal 9, SIGKILL)" in first.why
    assert second.status == "DONE"
