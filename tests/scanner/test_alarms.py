"""When a scan raises an alarm, and what it proposes."""

from pathlib import Path

import pytest
import yaml
from test_record import FIRST, summary

from gwmorph.config import parse_config
from gwmorph.scanner.alarms import alarm_of, full_analysis, write_full_analysis

BLOCK_S = 4096
OUT = Path("scans/to day")


def block(number, novel, detector="H1"):
    starts = [FIRST + number * BLOCK_S + 32 * i for i in range(novel)]
    return summary(FIRST + number * BLOCK_S, detector=detector, novel=starts)


def test_a_block_raises_an_alarm_where_more_are_novel_than_allowed():
    assert alarm_of(block(0, 3), [], 3, 1.0, OUT) is None
    alarm = alarm_of(block(0, 4), [], 3, 1.0, OUT)
    assert alarm.novel_windows == tuple(FIRST + 32 * i for i in range(4))
    assert (alarm.gps_start, alarm.gps_end) == (FIRST, FIRST + BLOCK_S)
    assert alarm.text.startswith("ALARM: 4 windows of H1 of block 1228800000 are NOVEL")
    command = f"snakemake --cores 2 --configfile 'scans/to day/{alarm.config}'"
    for word in ("more than 3", f"{FIRST + 96}.", command):
        assert word in alarm.text
    assert alarm.config == f"H1-GWMORPH_ALARM-{FIRST}-4096.yaml"


def test_novel_windows_add_up_over_the_hours_of_their_detector():
    earlier = [block(0, 3), block(1, 3), block(2, 3, "L1"), block(4, 9)]
    hours = 2.5 * BLOCK_S / 3600
    assert alarm_of(block(2, 1), earlier, 4, hours, OUT) is None  # those of block 0 are too old
    alarm = alarm_of(block(2, 2), earlier, 4, hours, OUT)
    assert len(alarm.novel_windows) == 5
    assert min(alarm.novel_windows) == FIRST + BLOCK_S
    assert alarm.gps_end == FIRST + 3 * BLOCK_S
    assert "of the last 2.84444 h" in alarm.text
    alarm = alarm_of(block(2, 2), earlier, 4, 2 * BLOCK_S / 3600, OUT)
    assert alarm.gps_start == FIRST + BLOCK_S  # block 0 ends where the span begins


def test_a_block_that_adds_nothing_novel_raises_none():
    assert alarm_of(block(1, 0), [block(0, 9)], 3, 9.0, OUT) is None
    assert alarm_of(block(1, 1), [block(0, 9)], 3, 9.0, OUT) is not None


@pytest.mark.parametrize(("background", "expected"), [("run", "none"), ("simulated", "simulated")])
def test_the_full_analysis_is_a_configuration_of_that_span(tmp_path, background, expected):
    held = parse_config(
        {"score": {"background": background}, "conditioning": {"sample_rate": 2048}}
    ).model_dump(mode="json")
    alarm = alarm_of(block(0, 30), [], 3, 1.0, OUT)
    files = ["/data/a[1].hdf5", "/data/b.hdf5", "/data/b.hdf5"]
    raw = full_analysis(alarm, "H1", files, tmp_path / "atlas", held)
    write_full_analysis(tmp_path / alarm.config, alarm, raw)
    text = (tmp_path / alarm.config).read_text()
    assert text.startswith("# ALARM: 30 windows of H1")
    found = parse_config(yaml.safe_load(text))
    assert (found.run.gps_start, found.run.gps_end) == (FIRST, FIRST + BLOCK_S)
    assert found.run.detectors == ["H1"]
    assert found.source.directory.files == {"H1": ["/data/a[[]1].hdf5", "/data/b.hdf5"]}
    assert found.conditioning.sample_rate == 2048
    assert found.score.background == expected
    assert found.calibration.atlas == str(tmp_path / "atlas")
