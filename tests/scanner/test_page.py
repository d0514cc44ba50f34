"""The live page of a folder that a scan left, as HTTP and in a browser."""

import json
import re
import socket
import subprocess
from collections import Counter
from dataclasses import replace
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from left_behind import ABOUT, BLOCK, DONE, FIRST, leave
from PIL import Image

from browsing import CHROMIUM
from gwmorph.cli import _parser
from gwmorph.errors import StorageError
from gwmorph.scanner.alerts import Novel
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.outbox import Outbox, OutboxCounts
from gwmorph.scanner.page import (
    BLOCKS_SHOWN,
    PICTURES_SHOWN,
    State,
    read_state,
    render,
    render_fault,
)
from gwmorph.scanner.record import LateFile, opened
from gwmorph.scanner.server import PageServer, names_of
from gwmorph.scanner.summary import Alarm
from gwmorph.spectra.pictures import palette


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "scan"


def state_of(folder: Path, now: float = FIRST + 3 * BLOCK):
    return read_state(folder, folder / "outbox.sqlite", now)


def text_of(html: str) -> str:
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append
    parser.feed(re.sub("<style>.*</style>", "", html, flags=re.DOTALL))
    return " ".join(" ".join(words).split())


def test_a_folder_without_a_block_says_so(folder):
    text = text_of(render(state_of(folder)))
    assert "no block yet" in text
    assert "Nothing is NOVEL" in text


def test_it_shows_blocks_counts_lag_and_pictures(folder):
    other = replace(DONE, detector="L1", gps_start=FIRST + BLOCK)
    leave(folder, (DONE, [FIRST + 100.5]), (other, [FIRST + BLOCK + 7.25, FIRST + BLOCK + 50.0]))
    leave(folder, (replace(DONE, detector="L1"), [FIRST + 64.0, FIRST + 128.0]))
    state = state_of(folder)
    html = render(state)
    text = text_of(html)
    assert "something NOVEL in 5 windows of 24 h" in text
    # It is 3 blocks after the first one began, which ends where the second begins.
    assert "H1 : scanned up to 2020-01-06 00:21:02 UTC" in text
    assert "2.3 h behind" in text
    assert "judged 5.5 s after its last file" in text
    assert (
        "Windows in its last 24 h: 1 NOVEL, 3 AMBIGUOUS, 12 KNOWN, 110 QUIET, 2 EXCLUDED" in text
    )
    assert [one.time - FIRST for one, _ in state.novel] == [
        BLOCK + 50, BLOCK + 7.25, 128, 100.5, 64,
    ]  # fmt: skip
    pictures = re.findall('<img src="([^"]+)"', html)
    assert [path for _, path in state.novel] == pictures
    assert all((folder / path).is_file() for path in pictures)
    assert "nearest: Blip (0.40)" in text


def test_counts_are_of_the_last_day_of_each_detector(folder):
    day = 24 * 3600 // BLOCK + 2
    leave(folder, *((replace(DONE, gps_start=FIRST + i * BLOCK), []) for i in (0, day)))
    assert state_of(folder).windows["H1"]["KNOWN"] == 12
    assert state_of(folder).livetime_s["H1"] == 4032


def test_it_does_not_grow_with_the_scan(folder):
    blocks = [replace(DONE, gps_start=FIRST + i * BLOCK) for i in range(BLOCKS_SHOWN + 5)]
    times = [b.gps_start + k + 0.5 for b in blocks[-2:] for k in range(0, 32 * 10, 32)]
    leave(folder, *((b, [t for t in times if 0 <= t - b.gps_start < BLOCK]) for b in blocks))
    state = state_of(folder)
    assert len(state.blocks) == BLOCKS_SHOWN
    assert state.blocks[0].gps_start == blocks[-1].gps_start
    assert [one.time for one, _ in state.novel] == times[::-1][:PICTURES_SHOWN]


def test_it_says_how_far_the_strain_was_scanned_that_is_known(folder):
    failed = replace(DONE, gps_start=FIRST + BLOCK, status="FAILED", why="damaged")
    other = replace(failed, detector="L1")
    leave(folder, (replace(DONE, strain_s=256), []), (failed, []), (other, []))
    state = state_of(folder)
    text = text_of(render(state))
    assert state.to_json()["behind_s"] == {"H1": 3 * BLOCK - 256}
    assert "H1 : scanned up to 2020-01-05 23:17:02 UTC" in text
    assert "L1 : every block FAILED" in text


def test_it_shows_the_newest_alarm_of_each_detector(folder):
    def alarmed(number, detector):
        start = FIRST + number * BLOCK
        alarm = Alarm(f"alarm {detector} {number}", start, start + BLOCK, (start,), "a.yaml")
        return replace(DONE, gps_start=start, detector=detector, alarm=alarm), []

    leave(folder, alarmed(0, "H1"), alarmed(1, "H1"), alarmed(0, "L1"))
    text = text_of(render(state_of(folder)))
    assert "alarm H1 1 alarm L1 0" in text
    assert "alarm H1 0" not in text


def test_it_tells_of_files_that_came_too_late(folder):
    leave(folder, (DONE, []))
    late = ArrivedFile(Path("in/<late>.hdf5"), "H1", FIRST + 256, 256)
    with opened(folder, ABOUT) as record:
        for _ in range(2):  # told twice, it is one file
            record.note_late(late, FIRST)
    state = state_of(folder)
    assert state.to_json()["files_too_late"] == 1
    text = text_of(render(state))
    assert "1 file came after its block was scanned, and was not looked at (late.jsonl)" in text
    assert f"the last one: in/<late>.hdf5, for H1 {FIRST}" in text


def test_what_went_wrong_stands_at_the_top(folder):
    alarm = Alarm("ALARM: <21 windows> are NOVEL", FIRST, FIRST + BLOCK, (FIRST,), "H1.yaml")
    failed = replace(
        DONE,
        gps_start=FIRST + BLOCK,
        status="FAILED",
        why="x.hdf5: truncated",
        windows={"EXCLUDED": 128},
        latency_s=None,
    )
    leave(folder, (replace(DONE, alarm=alarm), []), (failed, []))
    Outbox(folder / "outbox.sqlite").take([{"event_id": "a"}], None)
    html = render(state_of(folder))
    head = text_of(html.partition("<h2>")[0])
    assert "ALARM: <21 windows> are NOVEL" in head
    assert "&lt;21 windows&gt;" in html
    assert f"H1 {FIRST + BLOCK} FAILED: x.hdf5: truncated" in head
    assert "Not delivered: 1 event record" in head
    assert text_of(html).count("FAILED") == 2
    # Of a block that failed nobody knows that nothing is NOVEL.
    assert "FAILED \N{EN DASH}" in text_of(html)


HOSTILE = '</script><img src=x onerror="alert(1)">'


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def told(text: str, now: float = FIRST + 2.0 * BLOCK) -> State:
    """A state in which every text that comes from outside is ``text``."""
    alarm = Alarm(text, FIRST, FIRST + BLOCK, (FIRST,), text)
    block = replace(
        DONE, status="FAILED", why=text, excluded={text: 2}, files=(text,),
        faults=(text,), alarm=alarm,
    )  # fmt: skip
    row = {"snr": 9.0, "peak_frequency": 60.0, "similarity": 0.5, "named": text,
           "gps_start": FIRST, "likeness": None}  # fmt: skip
    novel = [(Novel(view, text, FIRST + 1.5, text, row), text) for view in ("event", "window")]
    late = (LateFile(text, text, FIRST, FIRST, BLOCK),)
    of_each = {text: {"NOVEL": 1}}
    return State(
        now, (block, replace(block, status="DONE")), {text: block}, {text: FIRST}, late,
        {name: Counter(counts) for name, counts in of_each.items()}, {text: 1}, {text: BLOCK},
        tuple(novel), OutboxCounts(1, 1),
    )  # fmt: skip


@pytest.mark.parametrize("text", [HOSTILE, "' onclick=alert(1) x='", "{body} {0}"])
def test_no_text_from_outside_becomes_a_part_of_the_page(text):
    page, usual = render(told(text)), render(told("harmless"))
    assert (Tags(page).tags, Tags(page).names) == (Tags(usual).tags, Tags(usual).names)
    assert "script" not in Tags(page).tags
    assert text in text_of(page)
    fault = render_fault(StorageError(text))
    assert Tags(fault).tags == Tags(render_fault(StorageError("x"))).tags
    assert text in text_of(fault)


# ----------------------------------------------------------------- served


@pytest.fixture
def served(folder):
    leave(folder, (DONE, [FIRST + 100.5, FIRST + 500.25, FIRST + 900.0]))
    with PageServer(
        folder, folder / "outbox.sqlite", lambda: FIRST + 2 * BLOCK, "127.0.0.1", 0
    ) as page:
        yield page


def test_the_server_gives_page_state_pictures_and_summaries(served, folder):
    page = requests.get(served.url, timeout=5)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for path in re.findall('(?:src|href)="([^"]+)"', page.text):
        assert requests.get(served.url + path, timeout=5).status_code == 200, path
    state = requests.get(f"{served.url}state.json", timeout=5).json()
    assert state["behind_s"] == {"H1": BLOCK}
    assert [one["gpstime"] for one in state["novel"]] == [FIRST + t for t in (900, 500.25, 100.5)]
    assert json.loads((folder / "blocks.jsonl").read_text()) == state["blocks"][0]
    # What comes later is there without a restart.
    leave(folder, (replace(DONE, gps_start=FIRST + BLOCK), []))
    assert len(requests.get(f"{served.url}state.json", timeout=5).json()["blocks"]) == 2


@pytest.mark.parametrize(
    "path",
    [
        "blocks.jsonl",
        "outbox.sqlite",
        f"H1-GWMORPH_SCAN-{FIRST}-4096/windows.parquet",
        f"H1-GWMORPH_SCAN-{FIRST}-4096/pictures/..%2f..%2fblocks.jsonl",
        f"H1-GWMORPH_SCAN-{FIRST}-4096/pictures/%2e%2e/summary.json",
        f"H1-GWMORPH_SCAN-{FIRST}-4096/pictures/notes.txt",
        "other/summary.json",
        "..%2fsecret/summary.json",
        f"H1-GWMORPH_SCAN-{FIRST}-4096/pictures/H1-GWMORPH_EVENT-1.0-4.png",
    ],
)
def test_nothing_else_of_the_disk_is_served(served, folder, path):
    (folder.parent / "secret").mkdir()
    (folder.parent / "secret" / "summary.json").write_text("secret")
    (folder / "other").mkdir()
    (folder / "other" / "summary.json").write_text("secret")
    (folder / f"H1-GWMORPH_SCAN-{FIRST}-4096" / "pictures" / "notes.txt").write_text("secret")
    assert requests.get(served.url + path, timeout=5).status_code == 404


def test_who_is_on_loopback_answers_to_no_other_name(served):
    answer = requests.get(served.url, headers={"Host": "evil.example"}, timeout=5)
    assert answer.status_code == 400
    port = urlsplit(served.url).port
    answer = requests.get(served.url, headers={"Host": f"localhost:{port}"}, timeout=5)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["", "state.json", f"H1-GWMORPH_SCAN-{FIRST}-4096/summary.json"])
def test_other_sites_pages_can_neither_read_nor_hold_it(served, path):
    page = requests.get(served.url + path, headers={"Origin": "https://evil.example"}, timeout=5)
    assert page.status_code == 200
    assert not [name for name in page.headers if name.lower().startswith("access-control")]
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["", "state.json", f"H1-GWMORPH_SCAN-{FIRST}-4096/summary.json"])
def test_it_can_be_read_and_nothing_else(served, folder, method, path):
    before = sorted(folder.rglob("*"))
    assert requests.request(method, served.url + path, data="x", timeout=5).status_code == 405
    assert sorted(folder.rglob("*")) == before


def test_it_is_bound_to_loopback_unless_told_otherwise():
    options = _parser().parse_args(["watch", "strain", "--atlas", "a", "--out", "o", "--serve"])
    assert options.host == "127.0.0.1"
    assert options.name == []


LOOPBACK = names_of("127.0.0.1")
OPEN = names_of("0.0.0.0", ["Maps.Example.org"])


@pytest.mark.parametrize("header", ["127.0.0.1", "localhost:8765", "[::1]:8765", "LOCALHOST"])
def test_a_server_on_loopback_knows_its_names(header):
    assert LOOPBACK.hold(header)


@pytest.mark.parametrize(
    "header",
    ["", "evil.example", "evil.example:8765", "localhost.evil.example", "192.168.0.7", "[::1",
     "127.0.0.1.evil.example", "localhost@evil.example", "evil.example@localhost",
     "maps.example.org"],
)  # fmt: skip
def test_a_server_on_loopback_knows_no_others(header):
    assert not LOOPBACK.hold(header)


def test_an_open_server_is_called_by_its_names_and_by_numbers_and_by_no_other_sites():
    known = ["192.168.0.7:8765", "[fe80::1]", "maps.example.org", socket.gethostname()]
    assert all(map(OPEN.hold, known))
    assert not any(map(OPEN.hold, ["evil.example", "", "1.2.3.4.evil.example", "0x7f.1.evil"]))


def test_a_damaged_record_is_told_on_the_page(served, folder):
    (folder / "blocks.jsonl").write_text("{}\n")
    page = requests.get(served.url, timeout=5)
    assert page.status_code == 500
    assert "blocks.jsonl, line 1" in text_of(page.text)
    assert requests.get(f"{served.url}state.json", timeout=5).status_code == 500


def test_an_address_that_is_taken_is_told(served, folder):
    port = urlsplit(served.url).port
    with (
        pytest.raises(StorageError, match=r"cannot be served there.*--port"),
        PageServer(folder, folder / "outbox.sqlite", lambda: 0.0, "127.0.0.1", port),
    ):
        pass


def browsed(url: str, profile: Path, *options: str) -> str:
    """What a headless Chromium prints of a page."""
    call = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        "--virtual-time-budget=3000",
        *options,
        url,
    ]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=True).stdout


PHONE = """<iframe width="390" height="844" srcdoc="{page}"></iframe>
<script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument;
  const right = [...page.querySelectorAll("p, img, h1, h2")]
    .map((one) => one.getBoundingClientRect().right);
  document.title = JSON.stringify({{
    wide: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    right: Math.max(...right),
    letters: parseFloat(getComputedStyle(page.body).fontSize),
    columns: [...page.querySelectorAll("th")].filter((one) => one.offsetWidth).length,
  }});
}};
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; Debian's package is chromium")
def test_a_browser_shows_it_and_a_phone_without_scrolling_sideways(served, tmp_path):
    shot = tmp_path / "page.png"
    browsed(served.url, tmp_path / "profile", "--window-size=1200,900", f"--screenshot={shot}")
    colors = {color for _, color in Image.open(shot).convert("RGB").getcolors(1 << 24)}
    # The pictures are loaded: the colours of their palette are on the screen.
    assert len({tuple(one) for one in palette("cividis").tolist()} & colors) > 100

    wrapper = tmp_path / "phone.html"
    text = requests.get(served.url, timeout=5).text
    wrapper.write_text(PHONE.format(page=escape(text)), encoding="utf-8")
    dumped = browsed(wrapper.as_uri(), tmp_path / "profile", "--dump-dom")
    seen = json.loads(unescape(re.search("<title>(.*?)</title>", dumped)[1]))
    assert seen["wide"] == 0
    assert seen["right"] <= 390
    assert seen["letters"] >= 16
    assert seen["columns"] == 5
