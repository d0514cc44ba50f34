"""The folder of a scan: what counts, and what does not, whenever a process died."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from gwmorph.errors import CalibrationError, StorageError
from gwmorph.scanner import record
from gwmorph.scanner.record import opened, read_record
from gwmorph.scanner.summary import Alarm, BlockSummary
from gwmorph.spectra.albums import Picture
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.parquet import read_table
from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS

FIRST = 4096 * 300000
ABOUT = {"atlas": "a1", "render_id": "r1"}
NAME = f"H1-GWMORPH_SCAN-{FIRST}-4096"
PICTURE = Picture(np.zeros((8, 8), np.uint8), PictureScale("linear", 25.5, "cividis"), {})


def summary(start=FIRST, status="DONE", detector="H1", novel=()):
    return BlockSummary(
        status=status, why=None if status == "DONE" else "it was so", detector=detector,
        gps_start=start, duration_s=4096, strain_s=4096, windows={"QUIET": 1}, excluded={},
        events={},
        novel_windows=tuple(novel), science_s=4096, livetime_s=32, gaps=((1, 2),),
        files=("a.hdf5",), faults=(), behind_s=1.5, latency_s=None, took_s=0.5,
    )  # fmt: skip


def windows(count=2):
    blank = dict.fromkeys(SCAN_WINDOWS.names)
    rows = [
        {**blank, "detector": "H1", "gps_start": FIRST + 32 * i, "duration_s": 32,
         "status": "QUIET", "events": 0}
        for i in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCAN_WINDOWS)


def finish(held, block=None, **pictures):
    held.finish(block or summary(), windows(), SCAN_TRIGGERS.empty_table(), pictures, {})


def test_a_finished_block_counts_and_its_folder_is_whole(tmp_path):
    alarm = Alarm("too much", FIRST, FIRST + 4096, (FIRST,), "a.yaml")
    block = replace(summary(), alarm=alarm)
    with opened(tmp_path / "out", ABOUT) as held:
        finish(held, block, **{"a.png": PICTURE})
        assert held.is_finished(("H1", FIRST))
        assert not held.is_finished(("L1", FIRST))
    assert read_record(tmp_path / "out") == {("H1", FIRST): block}
    folder = tmp_path / "out" / NAME
    assert len(read_table(folder / "windows.parquet", SCAN_WINDOWS)) == 2
    assert BlockSummary.from_json(json.loads((folder / "summary.json").read_text())) == block
    assert [path.name for path in (folder / "pictures").iterdir()] == ["a.png"]


@pytest.mark.parametrize("died_at", ["write_picture", "_to_disk", "os.fsync"])
def test_whoever_dies_before_the_line_is_written_leaves_nothing_that_counts(
    tmp_path, monkeypatch, died_at
):
    out = tmp_path / "out"

    def die(*arguments):
        raise KeyboardInterrupt

    with opened(out, ABOUT) as held, monkeypatch.context() as patched:
        name, _, attribute = died_at.partition(".")
        patched.setattr(getattr(record, name) if attribute else record, attribute or name, die)
        with pytest.raises(KeyboardInterrupt):
            finish(held, **{"a.png": PICTURE})
    (out / "blocks.jsonl").write_text((out / "blocks.jsonl").read_text() + '{"torn": ')
    assert read_record(out) == {}
    with opened(out, ABOUT) as held:
        assert not list(out.glob(".*"))
        assert not held.is_finished(("H1", FIRST))
        finish(held)
        assert held.is_finished(("H1", FIRST))
    assert list(read_record(out)) == [("H1", FIRST)]


def test_a_block_that_failed_is_tried_again_and_the_last_word_counts(tmp_path):
    with opened(tmp_path / "out", ABOUT) as held:
        finish(held, summary(status="FAILED"))
        assert not held.is_finished(("H1", FIRST))
    with opened(tmp_path / "out", ABOUT) as held:
        finish(held)
    assert [block.status for block in read_record(tmp_path / "out").values()] == ["DONE"]


def test_a_folder_is_one_scans_and_one_atlass_alone(tmp_path):
    with (
        opened(tmp_path / "out", ABOUT),
        pytest.raises(StorageError, match="another scan is at work"),
        opened(tmp_path / "out", ABOUT),
    ):
        pass
    with (
        pytest.raises(CalibrationError, match=r"judged by another atlas: expected \['a1'\]"),
        opened(tmp_path / "out", {**ABOUT, "atlas": "a2"}),
    ):
        pass
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").touch()
    with (
        pytest.raises(StorageError, match=r"holds files, but no scan\.json"),
        opened(tmp_path / "full", ABOUT),
    ):
        pass


def test_a_damaged_record_is_named_with_its_line(tmp_path):
    with opened(tmp_path / "out", ABOUT) as held:
        finish(held)
    path = tmp_path / "out/blocks.jsonl"
    path.write_text(path.read_text() + "nonsense\n")
    with pytest.raises(StorageError, match=r"blocks.jsonl, line 2: "):
        read_record(tmp_path / "out")
    path.write_text('{"detector": "H1"}\n')
    with pytest.raises(StorageError, match="line 1: the summary of a block does not have"):
        read_record(tmp_path / "out")
