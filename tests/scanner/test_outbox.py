"""Records on their way: nothing is lost, and nothing goes twice without need."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from receiving import LoopbackReceiver

from gwmorph.errors import ConfigError, DownloadError, StorageError
from gwmorph.scanner.courier import Courier, deliver_waiting
from gwmorph.scanner.outbox import Message, Outbox, OutboxCounts
from gwmorph.scanner.receivers import FileReceiver, UrlReceiver, receiver_at
from gwmorph.strain.download import Patience, TryFailedError

QUICK = Patience(attempts=2, first_wait_s=0.01, longest_wait_s=0.05)


def records(*ids: str) -> list[dict[str, str]]:
    return [{"event_id": event_id, "text": "a\nb"} for event_id in ids]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    (tmp_path / "scan").mkdir()
    return Outbox(tmp_path / "scan" / "outbox.sqlite")


def test_an_outbox_is_made_when_something_is_put_in(tmp_path):
    outbox = Outbox(tmp_path / "outbox.sqlite")
    assert (outbox.waiting(), outbox.counts()) == ([], OutboxCounts(0, 0))
    assert not outbox.has_taken("block")
    assert list(tmp_path.iterdir()) == []


def test_what_is_put_waits_in_order_until_it_is_delivered(outbox):
    assert outbox.take(records("b", "a"), "block 1") == 2
    assert outbox.take(records("c"), "block 2") == 1
    assert [message.event_id for message in outbox.waiting()] == ["b", "a", "c"]
    assert all("\n" not in message.line for message in outbox.waiting())
    outbox.mark_delivered("a")
    assert [message.event_id for message in outbox.waiting()] == ["b", "c"]
    assert outbox.counts() == OutboxCounts(waiting=2, delivered=1)


def test_a_block_that_is_taken_again_puts_nothing_twice(outbox):
    outbox.take(records("a"), "block")
    outbox.mark_delivered("a")
    assert outbox.take(records("a", "b"), "block") == 1
    assert [message.event_id for message in outbox.waiting()] == ["b"]


def test_a_block_without_events_is_noted_as_taken(outbox):
    assert not outbox.has_taken("block")
    assert outbox.take([], "block") == 0
    assert outbox.has_taken("block")


def test_another_process_finds_what_was_put(outbox, tmp_path):
    outbox.take(records("a"), "block")
    later = Outbox(tmp_path / "scan" / "outbox.sqlite")
    assert later.has_taken("block")
    assert [message.event_id for message in later.waiting()] == ["a"]


def test_an_outbox_that_is_about_to_be_made_is_empty(tmp_path):
    """The file is there a moment before its tables are, and stays so where a process dies then."""
    path = tmp_path / "outbox.sqlite"
    path.touch()
    assert (Outbox(path).waiting(), Outbox(path).counts()) == ([], OutboxCounts(0, 0))
    assert not Outbox(path).has_taken("block")
    assert Outbox(path).take(records("a"), "block") == 1
    assert Outbox(path).has_taken("block")


def test_many_may_use_it_at_once_from_its_first_moment(outbox):
    begin = threading.Barrier(6)

    def put(i: int) -> None:
        begin.wait()
        outbox.take(records(str(i), "same"), f"block {i}")

    def look(_: int) -> None:
        begin.wait()
        for _ in range(20):
            assert outbox.counts().waiting <= 4

    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(what, i) for what in (put, look) for i in range(3)]
    assert [one.result() for one in done] == [None] * 6
    assert {message.event_id for message in outbox.waiting()} == {"0", "1", "2", "same"}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blocks=st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=6))
def test_every_id_is_put_once_whatever_comes_how_often(blocks, tmp_path_factory):
    outbox = Outbox(tmp_path_factory.mktemp("outbox") / "outbox.sqlite")
    put = [outbox.take(records(*ids), str(i)) for i, ids in enumerate(blocks)]
    expected = list(dict.fromkeys(one for ids in blocks for one in ids))
    assert [message.event_id for message in outbox.waiting()] == expected
    assert sum(put) == len(expected)


def test_what_is_no_outbox_is_told_with_the_way_out(tmp_path):
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"something else" * 100)
    with pytest.raises(StorageError, match=r"outbox\.sqlite.*move it away"):
        Outbox(path).counts()


DYING = """
import os, signal, sys
from pathlib import Path
from gwmorph.scanner.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]))
print("ready", flush=True)
for i in range(10**6):
    outbox.take([{"event_id": f"{i}-{j}"} for j in range(3)], f"block {i}")
    print(i, flush=True)
"""


def test_who_is_killed_while_putting_leaves_whole_blocks(tmp_path):
    path = tmp_path / "outbox.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", DYING, str(path)], stdout=subprocess.PIPE, text=True
    ) as dying:
        for line in dying.stdout:
            if line.strip() == "5":
                os.kill(dying.pid, signal.SIGKILL)
                break
    waiting = [message.event_id for message in Outbox(path).waiting()]
    blocks = len(waiting) // 3
    assert blocks >= 6
    assert waiting == [f"{i}-{j}" for i in range(blocks) for j in range(3)]
    assert Outbox(path).has_taken(f"block {blocks - 1}")
    assert not Outbox(path).has_taken(f"block {blocks}")


# ----------------------------------------------------------------- receivers


def lines_of(path: Path) -> list[str]:
    return [json.loads(line)["event_id"] for line in path.read_text().splitlines()]


def message(event_id: str) -> Message:
    return Message(event_id, json.dumps({"event_id": event_id}))


def test_an_address_says_who_receives(tmp_path):
    assert isinstance(receiver_at("https://gracedb.example/api", 5.0), UrlReceiver)
    assert isinstance(receiver_at(str(tmp_path / "events.jsonl"), 5.0), FileReceiver)
    with pytest.raises(ConfigError, match=r"expected http.*got 'kafka://host/events'"):
        receiver_at("kafka://host/events", 5.0)
    for name in ("typo/events.jsonl", "."):
        with pytest.raises(ConfigError, match="a file in a folder that is there"):
            receiver_at(str(tmp_path / name), 5.0)


def test_a_file_gets_a_line_each_and_none_twice_even_by_another_process(tmp_path):
    path = tmp_path / "new" / "events.jsonl"
    for event_id in ("a", "b", "a"):
        FileReceiver(path).deliver(message(event_id))
    again = FileReceiver(path)
    for event_id in ("b", "c", "c"):
        again.deliver(message(event_id))
    assert lines_of(path) == ["a", "b", "c"]


def test_a_line_that_was_cut_short_is_written_whole(tmp_path):
    path = tmp_path / "events.jsonl"
    FileReceiver(path).deliver(message("a"))
    with path.open("a") as stream:
        stream.write(message("b").line[:9])
    FileReceiver(path).deliver(message("b"))
    assert lines_of(path) == ["a", "b"]


def test_lines_of_others_stay_in_the_file(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("# a comment\n[]\n")
    FileReceiver(path).deliver(message("a"))
    assert path.read_text().splitlines()[:2] == ["# a comment", "[]"]


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(StorageError, match=r"events\.jsonl"):
        FileReceiver(tmp_path / "events.jsonl").deliver(message("a"))


def test_a_server_is_given_the_record_with_its_id():
    with LoopbackReceiver() as receiver:
        UrlReceiver(receiver.url, 5.0).deliver(message("a"))
        UrlReceiver(receiver.url, 5.0).deliver(message("a"))  # which it answers with 409
        assert receiver.given == {"a": 2}
        receiver.down = True
        with pytest.raises(TryFailedError, match="503"):
            UrlReceiver(receiver.url, 5.0).deliver(message("b"))
        receiver.down, receiver.refused = False, {"b"}
        with pytest.raises(DownloadError, match="422"):
            UrlReceiver(receiver.url, 5.0).deliver(message("b"))
    with pytest.raises(TryFailedError):
        UrlReceiver(receiver.url, 5.0).deliver(message("b"))


# ----------------------------------------------------------------- delivery


def test_what_is_refused_holds_up_nobody_and_is_kept(outbox):
    outbox.take(records("a", "b", "c"), "block")
    with LoopbackReceiver() as receiver:
        receiver.refused = {"a"}
        done = deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0))
        assert (done.delivered, done.done) == (2, False)
        assert "a" in done.fault
        assert [message.event_id for message in outbox.waiting()] == ["a"]
        receiver.refused = set()
        assert deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0)).done
    assert receiver.given == {"a": 1, "b": 1, "c": 1}


def test_a_server_that_is_down_is_tried_once_a_round(outbox):
    outbox.take(records("a", "b", "c"), "block")
    with LoopbackReceiver() as receiver:
        receiver.down = True
        assert not deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0)).done
        assert receiver.tries == 1
    assert outbox.counts() == OutboxCounts(3, 0)


def test_a_receiver_that_dies_before_it_answers_gets_the_same_id_again(outbox):
    """Delivery is at least once; ids make it exactly once for who counts them."""
    outbox.take(records("a", "b"), "block")
    with LoopbackReceiver() as receiver:
        receiver.forgetful = True
        assert not deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0)).done
        receiver.forgetful = False
        assert deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0)).done
        assert receiver.given == {"a": 2, "b": 1}
    assert outbox.waiting() == []


class Dying(UrlReceiver):
    """Delivers, and is killed before that can be noted."""

    def deliver(self, message: Message) -> None:
        super().deliver(message)
        raise KeyboardInterrupt


def test_who_is_killed_between_delivery_and_note_delivers_once_more(outbox):
    outbox.take(records("a"), "block")
    with LoopbackReceiver() as receiver:
        with pytest.raises(KeyboardInterrupt):
            deliver_waiting(outbox, Dying(receiver.url, 5.0))
        assert deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0)).delivered == 1
        assert set(receiver.given) == {"a"}
        assert deliver_waiting(outbox, UrlReceiver(receiver.url, 5.0)).delivered == 0


def until(holds) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


def test_a_courier_delivers_what_earlier_processes_left_and_what_comes(outbox):
    outbox.take(records("a"), "block 1")
    with LoopbackReceiver() as receiver:
        with Courier(outbox, UrlReceiver(receiver.url, 5.0), QUICK, print) as courier:
            until(lambda: receiver.given == {"a": 1})
            outbox.take(records("b"), "block 2")
            courier.call()
            until(lambda: receiver.given == {"a": 1, "b": 1})
            outbox.take(records("c"), "block 3")
        assert receiver.given == {"a": 1, "b": 1, "c": 1}


def test_a_courier_outlasts_a_receiver_that_is_down_and_tells_twice(outbox):
    told: list[str] = []
    with LoopbackReceiver() as receiver:
        receiver.down = True
        with Courier(outbox, UrlReceiver(receiver.url, 5.0), QUICK, told.append) as courier:
            for i in range(5):
                outbox.take(records(str(i)), f"block {i}")
                courier.call()
            until(lambda: receiver.tries >= 5)
            receiver.down = False
            until(lambda: len(receiver.given) == 5)
    assert set(receiver.given.values()) == {1}
    assert len(told) == 2
    assert "503" in told[0]
    assert "again" in told[1]


@pytest.mark.parametrize("hurried", [False, True])
def test_a_courier_leaves_in_the_outbox_what_nobody_takes(outbox, hurried):
    told: list[str] = []
    slow = Patience(attempts=4, first_wait_s=60.0 if hurried else 0.3)
    outbox.take(records("a"), "block")
    with LoopbackReceiver() as receiver:
        receiver.down = True
        begun = time.monotonic()
        with Courier(outbox, UrlReceiver(receiver.url, 5.0), slow, told.append) as courier:
            if hurried:
                courier.hurry()
        assert time.monotonic() - begun < 5
        # One at the beginning, the others at the end.
        assert receiver.tries == (2 if hurried else 5)
    assert outbox.counts() == OutboxCounts(1, 0)
    assert "1 event record could not be delivered: kept in the outbox" in told[-1]


def test_an_outbox_that_breaks_ends_the_scan(outbox, tmp_path):
    path = tmp_path / "scan" / "outbox.sqlite"
    held = threading.Event()

    class Breaking:
        def deliver(self, message: Message) -> None:
            path.write_bytes(b"something else" * 100)
            held.set()

    outbox.take(records("a"), "block")
    with (
        pytest.raises(StorageError, match="cannot be used as an outbox"),
        Courier(outbox, Breaking(), QUICK, print) as courier,
    ):
        held.wait()
        until(courier._work.done)
        courier.call()
