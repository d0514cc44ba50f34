"""``gwmorph watch``: the command from a file that appears to its page and its receiver."""

import json
import os
import re
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import requests
from left_behind import DONE, leave
from receiving import LoopbackReceiver
from scanning import BLOCK, RAW, Here, make_atlas, noise, write_file

from gwmorph.cli import main
from gwmorph.config import parse_config
from gwmorph.errors import StrainError
from gwmorph.scanner import scan
from gwmorph.scanner.record import read_record
from gwmorph.scanner.watching import resume_at, source_at
from gwosc_files import gwosc_file_name, write_gwosc_file
from replica import GwoscReplica

CONFIG = {
    **RAW,
    "scan": {**RAW["scan"], "watch": {"poll_s": 0.05, "settle_s": 0.0, "longest_wait_s": 1.0}},
}


def until(holds) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def watch(tmp_path, monkeypatch):
    """Run the command while ``during`` does what it does beside it, and then signals the end."""
    monkeypatch.setattr(scan, "Workers", Here)
    make_atlas(tmp_path, raw=CONFIG)
    (tmp_path / "new").mkdir()

    def run(*options, during, where=tmp_path / "new"):
        faults: list[BaseException] = []

        def beside() -> None:
            try:
                during()
            except BaseException as fault:
                faults.append(fault)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        # What comes when the command has ended by itself is not to end pytest.
        before = signal.signal(signal.SIGTERM, lambda *_: None)
        thread = threading.Thread(target=beside)
        thread.start()
        own = ["--atlas", str(tmp_path / "atlas"), "--out", str(tmp_path / "out")]
        code = main(["watch", str(where), *own, *options])
        thread.join()
        signal.signal(signal.SIGTERM, before)
        if faults:
            raise faults[0]
        return code

    return run


def test_a_file_that_appears_is_scanned_shown_and_told(watch, tmp_path, capsys):
    shown = {}

    def during() -> None:
        printed = ""
        while not (address := re.search(r"Live page: (\S+)", printed)):
            time.sleep(0.02)
            printed += capsys.readouterr().out
        write_file(tmp_path, BLOCK, noise(160, [80.0])).path.rename(
            tmp_path / "new" / "H-H1_NEW-1228800000-160.hdf5"
        )
        until(lambda: receiver.given)
        shown.update(requests.get(f"{address[1]}state.json", timeout=5).json())
        (picture,) = [one["picture"] for one in shown["novel"]]
        assert requests.get(address[1] + picture, timeout=5).status_code == 200

    with LoopbackReceiver() as receiver:
        options = ("--receiver", receiver.url, "--serve", "--port", "0")
        assert watch(*options, during=during) == 0
    (record,) = receiver.records.values()
    assert abs(record["gpstime"] - (BLOCK + 80)) < 0.1
    assert shown["blocks"][0]["windows"]["NOVEL"] == 1
    assert "1 NOVEL windows" in capsys.readouterr().out


@pytest.mark.parametrize(("mended", "code"), [(False, 3), (True, 0)])
def test_a_damaged_file_fails_its_block_until_a_whole_one_comes(watch, tmp_path, mended, code):
    config = {
        **CONFIG,
        "scan": {**CONFIG["scan"], "watch": {"poll_s": 0.05, "settle_s": 0.1, "give_up_s": 0.1}},
    }
    path = tmp_path / "quick.yaml"
    path.write_text(parse_config(config).model_dump_json())
    arriving = write_file(tmp_path, BLOCK, noise(160, [80.0])).path
    damaged = tmp_path / "new" / arriving.name
    damaged.write_bytes(b"damaged")
    events = tmp_path / "out" / "events.jsonl"

    def during() -> None:
        until(lambda: len(read_record(tmp_path / "out")) == 1)
        write_file(tmp_path / "new", BLOCK + 4096, noise(160, [90.0]))
        until(lambda: len(read_record(tmp_path / "out")) == 2)
        if mended:
            arriving.rename(damaged)
        until(lambda: events.exists() and len(events.read_text().splitlines()) == 1 + mended)

    assert watch("--configfile", str(path), during=during) == code
    blocks = read_record(tmp_path / "out")
    assert [blocks["H1", BLOCK + i * 4096].failed for i in range(2)] == [not mended, False]
    times = [json.loads(line)["gpstime"] for line in events.read_text().splitlines()]
    expected = [BLOCK + 4096 + 90, BLOCK + 80] if mended else [BLOCK + 4096 + 90]
    np.testing.assert_allclose(times, expected, rtol=0, atol=0.1)


def test_a_folder_that_is_not_there_is_an_error(watch, tmp_path, capsys):
    options = ["--atlas", str(tmp_path / "atlas"), "--out", str(tmp_path / "out")]
    assert main(["watch", str(tmp_path / "absent"), *options]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_a_server_is_asked_for_what_its_configuration_says(tmp_path):
    path = tmp_path / gwosc_file_name("H1", BLOCK, sample_rate=4096)
    write_gwosc_file(path, "H1", BLOCK, np.zeros(4096 * 4096), 4096)
    config = parse_config({**CONFIG, "source": {"cache": str(tmp_path / "cache")}})
    with GwoscReplica([path], {}) as replica:
        source = source_at(replica.url, config, ["H1"], None, print, threading.Event())
        found = next(source)
    assert found is not None
    assert (found.detector, found.start) == ("H1", BLOCK)
    assert found.path.is_relative_to(tmp_path / "cache")


def test_a_misspelt_folder_is_not_watched_for_ever(tmp_path):
    with pytest.raises(StrainError, match="no such folder"):
        source_at(
            str(tmp_path / "absent"), parse_config(CONFIG), ["H1"], None, print, threading.Event()
        )


def test_a_scan_goes_on_where_the_slowest_detector_is(tmp_path):
    assert resume_at(tmp_path / "out") is None
    blocks = [("H1", 0), ("L1", 0), ("H1", 2), ("L1", 1), ("H1", 1)]
    leave(
        tmp_path / "out",
        *((replace(DONE, detector=d, gps_start=BLOCK + 4096 * i), []) for d, i in blocks),
    )
    assert resume_at(tmp_path / "out") == BLOCK + 4096


@pytest.mark.parametrize("port", ["70000", "-5", "http"])
def test_a_port_that_is_none_is_refused(port, capsys):
    with pytest.raises(SystemExit):
        main(["watch", ".", "--atlas", "a", "--out", "o", f"--port={port}"])
    assert "expected a port, 0 to 65535" in capsys.readouterr().err
