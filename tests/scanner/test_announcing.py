"""From the record of a scan to its receiver, whatever was interrupted in between."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from left_behind import BLOCK, DONE, FIRST, leave
from receiving import LoopbackReceiver

from gwmorph.errors import StorageError
from gwmorph.scanner.announcing import OUTBOX, announcing
from gwmorph.scanner.outbox import Message, Outbox, OutboxCounts
from gwmorph.scanner.receivers import FileReceiver, UrlReceiver
from gwmorph.scanner.record import read_record
from gwmorph.scanner.records import event_lines
from gwmorph.strain.download import Patience

QUICK = Patience(attempts=2, first_wait_s=0.01, longest_wait_s=0.05)


def announced(folder: Path, receiver, *keys, stop=None, tell=lambda text: None) -> None:
    """Announce blocks of the record, and end."""
    stop = stop or threading.Event()
    # Who hurries makes no wait at all.
    patience = replace(QUICK, first_wait_s=60.0, longest_wait_s=60.0) if stop.is_set() else QUICK
    with announcing(folder, receiver, patience, "", stop, tell) as announce:
        for key in keys:
            announce(read_record(folder)[key])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "scan"


def test_blocks_are_announced_as_they_are_finished(folder):
    leave(folder, (DONE, [FIRST + 7.25]), (replace(DONE, detector="L1"), [FIRST + 7.25]))
    with LoopbackReceiver() as receiver:
        announced(folder, UrlReceiver(receiver.url, 5.0), ("H1", FIRST), ("L1", FIRST))
    assert sorted(record["instruments"] for record in receiver.records.values()) == ["H1", "L1"]
    (record, _) = receiver.records.values()
    about = record["extra_attributes"]["Morphology"]
    assert (about["atlas"], about["render_id"], about["encoder_id"]) == ("a" * 16, "r", "e")
    assert (folder / record["links"]["picture"]).is_file()


def test_what_an_earlier_process_finished_and_did_not_tell_is_told_first(folder):
    """It died after the record's line was written, before the outbox had the events."""
    leave(folder, (DONE, [FIRST + 7.25]), (replace(DONE, gps_start=FIRST + BLOCK), []))
    with LoopbackReceiver() as receiver:
        announced(folder, UrlReceiver(receiver.url, 5.0))
        announced(folder, UrlReceiver(receiver.url, 5.0))
    assert list(receiver.given.values()) == [1]


def test_a_block_that_failed_may_have_more_to_tell_when_it_is_scanned_again(folder):
    failed = replace(DONE, status="FAILED", why="too much was lost")
    leave(folder, (failed, [FIRST + 7.25]))
    with LoopbackReceiver() as receiver:
        announced(folder, UrlReceiver(receiver.url, 5.0), ("H1", FIRST))
        leave(folder, (DONE, [FIRST + 7.25, FIRST + 900.5]))
        announced(folder, UrlReceiver(receiver.url, 5.0))  # killed before it could announce it
    assert sorted(record["gpstime"] - FIRST for record in receiver.records.values()) == [
        7.25,
        900.5,
    ]
    assert set(receiver.given.values()) == {1}


def test_a_folder_that_no_scan_has_claimed_is_left_empty(folder):
    folder.mkdir()
    announced(folder, FileReceiver(folder / "events.jsonl"))
    assert list(folder.iterdir()) == []


def test_two_processes_do_not_deliver_from_one_folder(folder):
    leave(folder, (DONE, [FIRST + 7.25]))
    with (
        announcing(folder, FileReceiver(folder / "e"), QUICK, "", threading.Event(), print),
        pytest.raises(StorageError, match="another process delivers"),
    ):
        announced(folder, FileReceiver(folder / "e"))


def test_a_stop_does_not_wait_for_a_receiver_that_is_down(folder):
    leave(folder, (DONE, [FIRST + 7.25]))
    stop, told = threading.Event(), []
    stop.set()
    with LoopbackReceiver() as receiver:
        receiver.down = True
        begun = time.monotonic()
        announced(folder, UrlReceiver(receiver.url, 5.0), stop=stop, tell=told.append)
        assert time.monotonic() - begun < 20
    assert Outbox(folder / OUTBOX).counts() == OutboxCounts(1, 0)
    assert "kept in the outbox" in told[-1]


def test_a_file_that_cannot_be_written_loses_nothing(folder):
    class Full:
        def deliver(self, message: Message) -> None:
            raise StorageError("no space left")

    leave(folder, (DONE, [FIRST + 7.25]))
    told: list[str] = []
    announced(folder, Full(), tell=told.append)
    assert "no space left" in told[0]
    announced(folder, FileReceiver(folder / "events.jsonl"))
    assert len((folder / "events.jsonl").read_text().splitlines()) == 1


def test_lines_of_all_blocks_are_those_that_are_delivered(folder):
    leave(folder, (DONE, [FIRST + 7.25]), (replace(DONE, detector="L1"), [FIRST + 9.5]))
    announced(folder, FileReceiver(folder / "events.jsonl"))
    lines = event_lines(folder, read_record(folder).values(), "")
    assert lines == (folder / "events.jsonl").read_text()
    assert lines.count("\n") == 2
