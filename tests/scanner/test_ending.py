"""How a scan ends: exit codes, the summary of all blocks, errors behind the tables, signals."""

import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from test_record import FIRST, summary

from gwmorph.errors import ScanError
from gwmorph.scanner.ending import (
    exit_code,
    require_sound,
    summary_of_blocks,
)
from gwmorph.scanner.summary import Alarm

DONE, FAILED = summary(), summary(FIRST + 4096, "FAILED")
ALARM = replace(
    summary(FIRST + 8192), alarm=Alarm("ALARM: too much", FIRST, FIRST + 4096, (FIRST,), "a.yaml")
)


def test_exit_codes_tell_a_failure_before_an_alarm():
    assert exit_code([]) == exit_code([DONE]) == 0
    assert exit_code([DONE, ALARM]) == 4
    assert exit_code([ALARM, FAILED, DONE]) == 3


def test_a_block_is_what_was_said_of_it_last():
    again = replace(FAILED, status="DONE", why=None)
    assert exit_code([FAILED, DONE, again]) == 0
    assert exit_code([again, FAILED]) == 3
    assert summary_of_blocks([FAILED, DONE, again])["blocks_failed"] == 0
    assert summary_of_blocks([FAILED, again])["blocks_done"] == 1


def test_all_blocks_are_counted_together():
    told = summary_of_blocks([DONE, ALARM, FAILED])
    assert (told["blocks_done"], told["blocks_failed"]) == (2, 1)
    assert told["windows"] == {"QUIET": 3}
    assert told["alarms"] == ["ALARM: too much"]
    assert told["blocks"][0]["folder"] == f"H1-GWMORPH_SCAN-{FIRST}-4096"
    assert summary_of_blocks([])["livetime_s"] == 0


def test_a_failed_block_is_an_error_and_an_alarm_where_it_is_asked_for():
    require_sound(summary_of_blocks([DONE, ALARM]), "report")
    with pytest.raises(ScanError, match="all tables are in place, but:\n  ALARM: too much"):
        require_sound(summary_of_blocks([DONE, ALARM]), "fail")
    name = f"H1-GWMORPH_SCAN-{FIRST + 4096}-4096"
    with pytest.raises(ScanError, match=f"{name}: FAILED. it was so"):
        require_sound(summary_of_blocks([DONE, FAILED]), "report")


SIGNALLED = """
import os, signal, sys
from gwmorph.scanner.ending import stopped_by_signals

number = int(sys.argv[1])
before = signal.getsignal(number)
with stopped_by_signals() as stop:
    assert not stop.event.is_set()
    assert stop.code == 0
    os.kill(os.getpid(), number)
    assert stop.event.wait(5)
    assert stop.code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL
assert signal.getsignal(number) is before
print("ended cleanly")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_a_clean_end_once(number):
    # In a process of its own, which is all that can die of it.
    command = [sys.executable, "-c", SIGNALLED, str(int(number))]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=False).stdout
        == "ended cleanly\n"
    )
