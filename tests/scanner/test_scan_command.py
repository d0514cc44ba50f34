"""``gwmorph scan``: what it prints, how it ends, and GW150914."""

import signal

import pytest
from scanning import BLOCK, RAW, Here, make_atlas, noise, write_file

from gwmorph.cli import main
from gwmorph.config import load_yaml, parse_config
from gwmorph.scanner import scan, telling
from gwmorph.scanner.record import read_late, read_record
from gwmorph.tables.parquet import read_table
from gwmorph.tables.scan import SCAN_TRIGGERS

GW150914 = "strain/DERIVED_GW150914_H1L1_64s_4096Hz_1126259430.hdf5"


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(scan, "Workers", Here)


@pytest.fixture
def command(tmp_path):
    make_atlas(tmp_path)

    def run(*paths, out="out", configfile=None):
        own = ["--configfile", str(configfile)] if configfile else []
        call = ["scan", *map(str, paths), "--atlas", str(tmp_path / "atlas")]
        return main([*call, "--out", str(tmp_path / out), *own])

    return run


def test_exit_codes_tell_quiet_alarm_and_failure(here, command, tmp_path, capsys):
    loud = write_file(tmp_path, BLOCK, noise(160, [80.0])).path
    assert command(loud) == 0
    assert "1 NOVEL windows" in capsys.readouterr().out
    assert command(loud) == 0
    assert "all blocks of these files were scanned before" in capsys.readouterr().out
    config = tmp_path / "strict.yaml"
    told = parse_config({**RAW, "scan": {**RAW["scan"], "novel_alarm": 0}})
    config.write_text(told.model_dump_json())
    assert command(loud, out="alarm", configfile=config) == 4
    printed = capsys.readouterr().out
    assert "ALARM: 1 window of H1" in printed
    # Who asks again is told again: a script that was interrupted must hear of it.
    assert command(loud, out="alarm", configfile=config) == 4
    assert "were scanned before" in capsys.readouterr().out
    alarm = next((tmp_path / "alarm").glob("*ALARM*.yaml"))
    assert parse_config(load_yaml(alarm)).run.gps_start == BLOCK
    loud.write_bytes(b"")
    assert command(loud, out="failed") == 3
    assert "FAILED, nothing is known of it. StrainError" in capsys.readouterr().out
    assert command(tmp_path / "nowhere.hdf5", out="none") == 1
    assert "nowhere.hdf5: no such file" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    call = ["scan", str(loud), "--out", str(tmp_path / "none"), "--atlas", str(tmp_path)]
    assert main(call) == 1
    assert f"so {tmp_path} is no atlas" in capsys.readouterr().err


def test_a_file_that_its_block_was_scanned_without_is_told_each_time_and_noted_once(
    here, command, tmp_path, capsys
):
    first = write_file(tmp_path, BLOCK, noise(160)).path
    late = write_file(tmp_path, BLOCK + 160, noise(160, seed=2)).path
    assert command(first) == 0
    for _ in range(2):
        assert command(first, late) == 0
        told = f"{late}: comes too late for block {BLOCK} of H1, which was scanned without it"
        assert capsys.readouterr().err.count(told) == 1
    (noted,) = read_late(tmp_path / "out")
    assert (noted.file, noted.file_gps_start) == (str(late), BLOCK + 160)


def test_a_signal_ends_it_cleanly_and_the_same_command_goes_on(
    here, command, tmp_path, capsys, monkeypatch
):
    files = [write_file(tmp_path, BLOCK + n * 4096, noise(128, seed=n)).path for n in range(3)]
    told = telling.lines_of

    def told_and_signalled(block, folder):
        signal.raise_signal(signal.SIGTERM)
        return told(block, folder)

    monkeypatch.setattr(telling, "lines_of", told_and_signalled)
    assert command(*files) == 128 + signal.SIGTERM
    assert "the same command goes on from there" in capsys.readouterr().out
    assert [start for _, start in read_record(tmp_path / "out")] == [BLOCK]
    monkeypatch.setattr(telling, "lines_of", told)
    assert command(*files) == 0
    assert [start for _, start in read_record(tmp_path / "out")] == [
        BLOCK + n * 4096 for n in range(3)
    ]
    assert not list((tmp_path / "out").glob(".*"))


def test_gw150914_is_found_and_told(real_data, tmp_path, capsys):
    raw = {"encoder": {"name": "dct"}, "score": {"background": "none"}, "scan": {"workers": 1}}
    make_atlas(tmp_path, raw=raw)
    call = ["scan", str(real_data / GW150914), "--atlas", str(tmp_path / "atlas")]
    assert main([*call, "--out", str(tmp_path / "out")]) == 0
    blocks = read_record(tmp_path / "out").values()
    assert [(block.detector, block.failed) for block in blocks] == [("H1", False), ("L1", False)]
    for block, snr, likeness in zip(blocks, (12.0, 8.5), (0.5, -1.0), strict=True):
        table = read_table(tmp_path / "out" / block.folder / "triggers.parquet", SCAN_TRIGGERS)
        (event,) = table.to_pylist()
        assert abs(event["trigger_time"] - 1126259462.42) < 0.05
        assert 100 < event["peak_frequency"] < 200
        assert event["snr"] > snr
        assert event["chirp_likeness"] > likeness  # by the track alone: no class is a chirp
        assert event["status"] == "NOVEL"  # since the atlas knows of nothing like it
    printed = capsys.readouterr().out
    assert "GPS 1126259462.4" in printed
    assert "like a chirp (likeness" in printed
