import itertools
import os
import pty
import sys
import termios

import pytest

from gwmorph.progress import (
    BAR,
    Account,
    Told,
    accounting,
    counting,
    each,
    left_out,
    timed,
    told_by,
)


@pytest.fixture
def told():
    lines = []
    with accounting(Account(lines.append)) as _:
        yield lines


def test_outside_of_a_job_nobody_listens():
    with timed("reading"):
        left_out("windows", {"gap": 1})
        assert list(each("abc", "letters", 3)) == ["a", "b", "c"]


def test_a_long_part_is_told_every_half_minute(told):
    clock = itertools.count(0, 10).__next__
    with counting("windows", 8, clock) as progress:
        for _ in range(7):
            progress.add(1)
    assert told == [
        "3 of 8 windows, 30 s, about 50 s left",
        "6 of 8 windows, 60 s, about 20 s left",
    ]


def test_without_a_total_there_is_no_time_left(told):
    clock = iter([0.0, 31.0]).__next__
    with counting("pictures", None, clock) as progress:
        progress.reach(1024)
    assert told == ["1,024 pictures, 31 s"]


def test_nothing_done_says_no_time_left(told):
    clock = iter([0.0, 31.0]).__next__
    with counting("steps", 5, clock) as progress:
        progress.add(0)
    assert told == ["0 of 5 steps, 31 s"]


def test_parts_and_reasons_add_up():
    account = Account(print)
    with accounting(account):
        for _ in range(2):
            with timed("reading"):
                left_out("windows", {"gap": 1})
    assert list(account.parts) == ["reading"]
    assert account.excluded["windows"] == {"gap": 2}


def test_a_part_that_fails_is_counted_too():
    account = Account(print)
    with pytest.raises(ZeroDivisionError), accounting(account), timed("dividing"):
        _ = 1 / 0
    assert "dividing" in account.parts


@pytest.mark.parametrize("asked", [True, False])
def test_a_bar_is_drawn_in_a_terminal_that_is_free(monkeypatch, asked):
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 80))
    monkeypatch.setenv(BAR, "1" * asked)
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert list(each(range(3), "windows", 3)) == [0, 1, 2]
        terminal.write("end")
        terminal.flush()
        shown = os.read(reader, 10_000).decode()
    os.close(reader)
    assert ("windows" in shown) is asked


def test_no_bar_is_drawn_into_a_file(monkeypatch, capsys):
    monkeypatch.setenv(BAR, "1")
    list(each(range(3), "windows", 3))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("total", [None, 1200])
def test_what_a_line_says_is_read_again(total):
    lines: list[str] = []
    clock = iter([0.0, 40.4, 80.6])
    with (
        accounting(Account(lines.append)),
        counting("quiet windows of H1", total, lambda: next(clock)) as progress,
    ):
        progress.add(300)
        progress.add(300)
    told = [told_by(line) for line in lines]
    assert told == [Told(40.0, total and 121.0), Told(81.0, total and 81.0)]


@pytest.mark.parametrize("line", ["", "WARNING: 3 files, late", "Took 3.10 s", "StrainError: 3 s"])
def test_other_lines_say_nothing_of_time(line):
    assert told_by(line) is None
