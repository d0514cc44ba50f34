import re
from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from vector import LARGEST, drawn_twice

from closeness import near
from gwmorph.report.scan import detectors_of, draw_scan, scan_page
from gwmorph.report.times import since
from gwmorph.scanner.summary import Alarm, BlockSummary
from gwmorph.utc import utc

GPS = 1262301184


def block(number: int, detector: str = "H1", **changes) -> BlockSummary:
    own = BlockSummary(
        status="DONE",
        why=None,
        detector=detector,
        gps_start=GPS + 4096 * number,
        duration_s=4096,
        strain_s=4096,
        windows={"QUIET": 80, "KNOWN": 30, "AMBIGUOUS": 10, "NOVEL": 7, "EXCLUDED": 1},
        excluded={"gap": 1},
        events={"KNOWN": 50, "AMBIGUOUS": 3, "NOVEL": 2},
        novel_windows=(GPS + 4096 * number,),
        science_s=4096,
        livetime_s=4064,
        gaps=(),
        files=("a.hdf5",),
        faults=(),
        behind_s=10.0,
        latency_s=6.25,
        took_s=4.75,
    )
    return replace(own, **changes)


def failed(number: int) -> BlockSummary:
    return block(
        number, status="FAILED", why="a<b>.hdf5: damaged.", windows={"EXCLUDED": 128},
        excluded={"failed": 128}, events={}, novel_windows=(), livetime_s=0, latency_s=None,
    )  # fmt: skip


ALARM = Alarm("ALARM: 23 windows of H1 are NOVEL", GPS, GPS + 4096, (GPS,), "a.yaml")


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Return a function that draws blocks and gives the figure."""
    kept = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda self, *args, **more: (kept.append(self), save(self, *args, **more)),
    )

    def draw(blocks):
        draw_scan(blocks, tmp_path / "scan.svg")
        return kept[-1]

    return draw


def heights(axes) -> list[float]:
    return [bar.get_height() for bars in axes.containers for bar in bars]


def test_every_count_is_drawn_to_scale(drawn):
    windows, events, lag = drawn([block(0)]).axes
    assert heights(windows) == [80, 30, 10, 7, 1]
    assert heights(events) == [50, 3, 2]
    assert heights(lag) == [4.75]
    assert lag.collections[0].get_segments()[0][0][1] == 6.25


def test_detectors_stand_below_each_other_in_order_of_time(drawn):
    blocks = [block(1), block(0, "L1"), failed(0)]
    figure = drawn(blocks)
    assert [axes.get_title("left") for axes in figure.axes[::3]] == [
        "H1: 2 blocks, 1 FAILED, 0 alarms, 1.13 h analysed",
        "L1: 1 block, 0 FAILED, 0 alarms, 1.13 h analysed",
    ]
    assert [b.gps_start for b in detectors_of(blocks)["H1"]] == [GPS, GPS + 4096]


def test_failures_and_alarms_are_marked_at_their_blocks(drawn):
    windows = drawn([block(0, alarm=ALARM), failed(1), block(2)]).axes[0]
    crosses, triangles = windows.lines
    assert crosses.get_xdata() == near([1.5 * 4096 / 3600])
    assert triangles.get_xdata() == near([0.5 * 4096 / 3600])


def test_time_is_said_in_gps_and_utc(drawn):
    label = "Time since GPS 1262301184 (2020-01-05 23:12:46 UTC) [h]"
    assert drawn([block(0)]).axes[-1].get_xlabel() == since(GPS) == label
    assert utc(1126259462.42) == "2015-09-14 09:50:45"


def test_a_scan_of_nothing_says_so(drawn):
    assert "no blocks were scanned" in [text.get_text() for text in drawn([]).axes[0].texts]
    assert "No blocks were scanned." in scan_page([])


def test_equal_scans_give_equal_bytes(tmp_path):
    said = drawn_twice(tmp_path / "a.svg", draw_scan, [block(0), failed(1)])
    assert {"per block", "block FAILED", since(GPS)} <= set(said)


def test_a_thousand_blocks_are_a_small_figure(tmp_path):
    draw_scan([block(number) for number in range(1000)], tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < LARGEST


def test_the_page_says_why_and_what(drawn):
    page = scan_page([block(0, alarm=ALARM, faults=("x.hdf5: no strain.",)), failed(1)])
    assert "ALARM: 23 windows of H1 are NOVEL" in page
    assert "H1-GWMORPH_SCAN-1262305280-4096: FAILED. a&lt;b&gt;.hdf5: damaged." in page
    assert "x.hdf5: no strain." in page
    row = re.search(r"<tr>.*H1 1262301184.*", page)[0]
    cells = [re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    assert cells == [
        "H1 1262301184", "2020-01-05 23:12:46", "4096", "DONE", "4,064", "80", "30", "10", "7",
        "1",
        "gap 1", "50", "3", "2", "4.8", "6.2", "ALARM",
    ]  # fmt: skip


def test_a_long_page_lists_what_matters_first():
    blocks = [block(number, novel_windows=()) for number in range(30)]
    blocks[7], blocks[20] = failed(7), block(20, alarm=ALARM)
    page = scan_page(blocks, listed=2)
    assert page.count("</td></tr>") == 2
    assert "30 blocks the 2 are listed" in page
    assert str(GPS + 7 * 4096) in page
    assert str(GPS + 20 * 4096) in page
