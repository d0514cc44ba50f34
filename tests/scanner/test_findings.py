"""What is said of a block: what is lost, how long it was waited for, where strain is missing."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from left_behind import DONE

from gwmorph.grid import Grid
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.scanner import findings
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.assembly import BlockFiles, HeldFile
from gwmorph.scanner.drawing import DrawnBlock
from gwmorph.scanner.examination import Examined
from gwmorph.scanner.findings import gaps_of, too_much_lost, with_latency
from gwmorph.spectra.albums import HeldAlbum
from gwmorph.tables.block import MEASUREMENTS, TRIGGERS
from gwmorph.tables.scan import SCAN_TRIGGERS, SCAN_WINDOWS

FIRST = 4096 * 300000
GRID = Grid(32, 32, 4)


def held(start, seconds, since=0.0):
    return HeldFile(ArrivedFile(Path(f"{start}"), "H1", FIRST + start, seconds), since)


def drawn(outside=0, **counts):
    """A block with so many analysed windows, and so many lost for each reason."""
    analysed = counts.pop("analysed", 0)
    rows = [analysed_row("H1", FIRST + 32 * i, 32, FIRST) for i in range(analysed)]
    for name, count in counts.items():
        rows += [
            excluded_row("H1", FIRST, 32, FIRST, reason=Reason(name), detail="")
            for _ in range(count)
        ]
    lost = [excluded_row("H1", FIRST, 32, FIRST, reason=Reason.GAP, detail="")] * outside
    return DrawnBlock(
        rows, lost, MEASUREMENTS.empty_table(), TRIGGERS.empty_table(), HeldAlbum(), 0, ()
    )


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (drawn(analysed=1, context=2), None),
        (drawn(analysed=1, context=2, outside=100), None),
        (drawn(outside=128), None),  # the detector was off
        (drawn(analysed=5, nan=5), None),
        (drawn(analysed=5, nan=6), "6 of 11 windows are lost, more than run.max_excluded"),
        (drawn(analysed=5, nan=3, dq=3), "3 nan"),
        (drawn(context=2), "none of its windows could be analysed: 2 context"),
    ],
)
def test_a_block_fails_for_what_is_lost_inside_science(block, said):
    found = too_much_lost(block, 0.5)
    assert found is None if said is None else said in found


def test_each_window_is_waited_for_since_the_last_file_that_it_needs(monkeypatch):
    monkeypatch.setattr(findings.time, "monotonic", lambda: 100.0)
    files = BlockFiles("H1", FIRST, (held(0, 64, 10.0), held(64, 4032, 20.0)),
                       (held(4096, 64, 70.0),))  # fmt: skip
    blank = dict.fromkeys(SCAN_WINDOWS.names)
    starts = [0, 32, 64, 4032, 4064]
    rows = [
        {**blank, "detector": "H1", "gps_start": FIRST + start, "duration_s": 32,
         "status": "EXCLUDED" if start == 64 else "QUIET", "events": 0}
        for start in starts
    ]  # fmt: skip
    found = Examined(
        pa.Table.from_pylist(rows, schema=SCAN_WINDOWS), SCAN_TRIGGERS.empty_table(), {}
    )
    windows, triggers = with_latency(found, files, GRID)
    assert windows.schema == SCAN_WINDOWS
    # The second needs 4 s of the second file, the last 4 s of the next block's.
    assert windows["latency_s"].to_pylist() == [90.0, 80.0, None, 80.0, 30.0]
    assert len(triggers) == 0


def test_gaps_are_told_inside_a_block_and_before_it():
    files = BlockFiles("H1", FIRST, (held(100, 200), held(400, 3696)), ())
    inside = (FIRST + 300, FIRST + 400)
    assert gaps_of(files, []) == (inside,)
    earlier = replace(DONE, gps_start=FIRST - 3 * 4096)
    scanned = [
        earlier,
        replace(DONE, detector="L1", gps_start=FIRST - 4096),
        replace(DONE, gps_start=FIRST + 4096),
    ]
    assert gaps_of(files, scanned) == ((FIRST - 2 * 4096, FIRST + 100), inside)
    just_before = replace(DONE, gps_start=FIRST - 4096)
    assert gaps_of(files, [just_before]) == ((FIRST, FIRST + 100), inside)
    # One that begins inside an earlier block is told of with the next one.
    short = replace(just_before, strain_s=1000)
    assert gaps_of(files, [earlier, short]) == ((FIRST - 3096, FIRST + 100), inside)
