"""Frames that take LALFrame down are refused, and the process that asked goes on."""

import os
import time
from pathlib import Path

import lalframe
import numpy as np
import pytest

from frame_files import without_checksums, write_frame_file
from gwmorph.errors import StrainError
from gwmorph.strain import frame_process
from gwmorph.strain.files import describe
from gwmorph.strain.frame_process import NO_SUCH_CHANNEL, channel_of, contents

GPS = 1262301184


@pytest.fixture
def good(tmp_path):
    values = np.random.default_rng(1).normal(size=256)
    return write_frame_file(tmp_path / "good.gwf", GPS, values, 64)


@pytest.fixture
def wrong(good):
    """A file without checksums, as older ones are, with a wrong length in its contents."""
    content = without_checksums(good.read_bytes())
    before, name, after = content.rpartition(b"\x07\x00FrVect\x00")
    path = good.with_name("wrong.gwf")
    path.write_bytes(before + b"\xff\xff" + name[2:] + after)
    return path


@pytest.fixture
def other_program(monkeypatch, tmp_path):
    """Return a function that lets another program open the files."""
    monkeypatch.setattr(frame_process, "_begun", {})

    def use(code):
        program = tmp_path / "program.py"
        program.write_text(code)
        monkeypatch.setattr(frame_process.frame_contents, "__file__", str(program))

    return use


def test_a_file_that_crashes_the_library_is_an_error_and_the_next_is_read(good, wrong):
    for _ in range(2):
        with pytest.raises(StrainError, match=r"wrong\.gwf: damaged .*ended by SIG(SEGV|ABRT)"):
            describe(wrong)
        assert describe(good).gps_start == GPS


def test_one_process_opens_all_files(good, monkeypatch):
    monkeypatch.setattr(frame_process, "_begun", {})
    assert contents(good) == frame_process.Contents(["H1:STRAIN"], [GPS], [4.0])
    assert channel_of(good, "H1:STRAIN") == frame_process.Channel(256, lalframe.FRAMEU_FR_VECT_8R)
    with pytest.raises(ValueError, match=NO_SUCH_CHANNEL):
        channel_of(good, "H1:OTHER")
    (process,) = frame_process._begun.values()
    assert process.poll() is None
    assert list(frame_process._begun) == [os.getpid()]


def test_a_file_that_the_library_never_ends_with_is_an_error(good, other_program, monkeypatch):
    monkeypatch.setattr(frame_process, "_HANG_S", 0.3)
    other_program("import time\ntime.sleep(60)\n")
    started = time.monotonic()
    with pytest.raises(StrainError, match=r"good\.gwf: .* not done with it after 0\.3 s"):
        describe(good)
    assert time.monotonic() - started < 30


def test_a_process_that_ends_before_it_is_asked_is_an_error(good, other_program):
    other_program("raise SystemExit(3)\n")
    with pytest.raises(StrainError, match=r"good\.gwf: .* ended by 3"):
        describe(good)


def test_a_process_that_ended_in_between_is_begun_again(good, monkeypatch):
    monkeypatch.setattr(frame_process, "_begun", {})
    contents(good)
    (process,) = frame_process._begun.values()
    process.kill()
    process.wait()
    contents(good)


def test_memory_that_a_file_asks_for_is_bounded(good, other_program):
    real = Path(frame_process.frame_contents.__file__).read_text()
    other_program(real.replace("lalframe.FrFileOpenURL(", "bytearray(64 << 30), ("))
    with pytest.raises(StrainError, match=r"good\.gwf: .* ended by 1"):
        describe(good)
