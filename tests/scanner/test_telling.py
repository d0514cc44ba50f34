"""What a person is told of a block."""

from dataclasses import replace

import pyarrow as pa
from test_record import FIRST, summary

from gwmorph.scanner.summary import Alarm
from gwmorph.scanner.telling import lines_of
from gwmorph.tables.parquet import write_table
from gwmorph.tables.scan import SCAN_TRIGGERS

BLOCK = replace(
    summary(), windows={"EXCLUDED": 2, "QUIET": 0, "NOVEL": 1}, excluded={"gap": 1, "context": 1},
    gaps=((FIRST, FIRST + 32),), faults=("b.hdf5: no such file.",),
)  # fmt: skip


def event(**values):
    return {
        **dict.fromkeys(SCAN_TRIGGERS.names), "detector": "H1", "gps_start": FIRST,
        "trigger_time": FIRST + 1.25, "found_by": "tile", "status": "NOVEL", "named": "blip",
        "agreeing": 0.8, "similarity": 0.5, "margin": -0.125, "p_value": 0.01,
        "chirp_likeness": 7.7, "chirp_mass": 30.2, "tstart": 0.0, "tend": 1.0,
        "peak_frequency": 143.2, "fstart": 30.0, "fend": 300.0, "q": 8.0, "snr": 12.34, **values,
    }  # fmt: skip


def told(tmp_path, *events, block=BLOCK):
    path = tmp_path / block.folder
    path.mkdir(exist_ok=True)
    table = pa.Table.from_pylist(list(events), schema=SCAN_TRIGGERS)
    write_table(path / "triggers.parquet", SCAN_TRIGGERS, table)
    return lines_of(block, tmp_path)


def test_windows_events_gaps_and_faults_are_told(tmp_path):
    lines = told(tmp_path, event())
    assert lines[0] == (
        f"H1 GPS {FIRST} to {FIRST + 4096}: 2 EXCLUDED, 1 NOVEL windows; excluded: 1 gap, "
        "1 context; 32 s analysed"
    )
    assert lines[1] == (
        f"  GPS {FIRST + 1}.250, 143 Hz, SNR 12.3: NOVEL, nearest to 'blip' (80% of its "
        "neighbours, cosine 0.500, -0.125 from the limit); like a chirp (likeness 7.7, chirp mass "
        "about 30 solar masses)"
    )
    assert lines[2:] == [
        f"  no strain from GPS {FIRST} to {FIRST + 32}",
        "  beside it: b.hdf5: no such file.",
    ]


def test_known_events_are_told_only_where_they_are_like_chirps(tmp_path):
    dull = event(status="KNOWN", chirp_likeness=-2.0)
    bare = event(status=None, named=None, chirp_likeness=None, similarity=None)
    lines = told(tmp_path, dull, event(status="KNOWN", trigger_time=FIRST + 2.0), bare)
    assert len(lines) == 2 + 2
    assert f"GPS {FIRST + 2}.000" in lines[1]


def test_many_events_are_told_by_the_loudest_in_order_of_time(tmp_path):
    events = [event(trigger_time=FIRST + float(i), snr=50.0 - i) for i in range(25)]
    lines = told(tmp_path, *events)
    assert [line.split()[1] for line in lines[1:21]] == [f"{FIRST + i}.000," for i in range(20)]
    assert lines[21] == "  and 5 fainter ones"


def test_a_failed_block_says_why_and_an_alarm_speaks_plainly(tmp_path):
    alarm = Alarm("ALARM: 30 windows", FIRST, FIRST + 4096, (FIRST,), "a.yaml")
    failed = replace(summary(status="FAILED"), gaps=(), alarm=alarm)
    assert lines_of(failed, tmp_path) == [
        f"H1 GPS {FIRST} to {FIRST + 4096}: FAILED, nothing is known of it. it was so",
        "ALARM: 30 windows",
    ]
