"""The explorer in Chromium, as a file: what a user sees, presses and takes away."""

import csv
import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from explored import NASTY, START, leave_run, view_of
from explorer_browser import lasso_around, point, saved
from gwpy.segments import SegmentList
from PIL import Image

from browsing import address, watched
from gwmorph.grid import block_of
from gwmorph.labels import read_labels
from gwmorph.morphology.neighbors import Nearest
from gwmorph.report.explorer.contents import ViewTables
from gwmorph.report.explorer.link import explorer_link

ROWS = 24


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    views = {"event": view_of("event", ROWS), "window": view_of("window", ROWS)}
    return leave_run(tmp_path_factory.mktemp("run"), views)


@pytest.fixture
def visit(browser) -> Iterator:
    """Yield a function that opens a page, and see that nothing was said on its console."""
    size = {"width": 1300, "height": 800}
    with watched(browser, viewport=size, accept_downloads=True) as context:

        def opened(html: Path, state: str = "", expected_ready: bool = True):
            page = context.new_page()
            page.goto(address(html) + state)
            if expected_ready:
                page.wait_for_selector("html[data-ready=yes]")
            return page

        yield opened


def loaded(page, images: str) -> None:
    page.wait_for_function(
        "s => { const all = [...document.querySelectorAll(s)];"
        " return all.length && all.every((one) => one.complete && one.naturalWidth === 224); }",
        arg=images,
    )


def test_it_opens_and_shows_a_picture_under_the_pointer(visit, html):
    page = visit(html)
    assert page.title() == "small · gwmorph explorer"
    assert page.inner_text("#count") == "24 events"
    page.mouse.move(*point(page, 7))
    page.wait_for_selector("#hover", state="visible")
    loaded(page, "#hover img")
    assert "cluster 1" in page.inner_text("#hover")


def test_a_click_opens_pictures_numbers_neighbours_partner_and_commands(visit, html):
    page = visit(html)
    page.mouse.click(*point(page, 0))
    page.wait_for_selector("#panel", state="visible")
    # Half a nanosecond is where a browser's own rounding would miss the picture.
    assert f"H1 event at GPS {START + 16}.000976562" in page.inner_text("#panel h2")
    loaded(page, "#panel img")
    assert page.locator("#panel .pictures img").count() == 2
    assert page.locator("#neighbors button").count() == 8
    assert "L1, 19.0 ms later" in page.inner_text("#partners")
    said = page.inner_text("#panel")
    assert f"gwmorph similar results/small --detector H1 --gps {START + 16}.000976562" in said
    assert "gwmorph veto results/small --cluster 0" in said
    assert f"H1: {ROWS // 6} segments around {ROWS // 6} of {ROWS // 2} triggers" in said
    with page.expect_popup() as shown:
        page.click("#panel .vetoes li:has-text('H1') >> text=segwizard")
    segments = SegmentList.read(
        html.parent / "vetoes" / Path(shown.value.url).name, format="segwizard"
    )
    assert (START + 16.001) in segments
    block = f"results/small/events/H1-GWMORPH_EVENTS-{block_of(START)}-4096"
    record = "results/small/config.yaml"
    assert f"snakemake --cores 1 --force {block} {record} --configfile {record}" in said
    # A path with a blank and a quote is one word of a shell.
    show = page.locator("#panel code").first.inner_text()
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {show}"], capture_output=True, text=True, check=True
    )
    assert words.stdout.splitlines()[2] == "my strain/H1 it's.hdf5"
    assert "open=H1%40" in page.url
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel", state="hidden")
    assert "open=" not in page.url


# The pointer comes and is pressed before the next frame, and then goes on as it says.
PRESS = """async ([x, y, by]) => {
  const canvas = document.querySelector("#canvas");
  const send = (type, x, buttons) => canvas.dispatchEvent(
    new MouseEvent(type, { clientX: x, clientY: y, buttons, bubbles: true }));
  const frames = async () => {
    for (let i = 0; i < 3; i += 1) await new Promise(requestAnimationFrame);
  };
  send("mousemove", x, 0);
  send("mousedown", x, 1);
  await frames();
  if (by) send("mousemove", x + by, 1);
  await frames();
  send("mouseup", x + by, 0);
}"""


def test_the_map_goes_with_a_pressed_pointer_and_not_with_the_way_to_the_press(visit, html):
    page = visit(html)
    before = point(page, 0)
    page.evaluate(PRESS, [*before, 0])
    assert point(page, 0) == before
    page.evaluate(PRESS, [*before, 30])
    assert point(page, 0) == pytest.approx((before[0] + 30, before[1]), abs=0.01)


def test_a_cluster_in_doubt_is_marked_wherever_it_is_named(visit, html):
    page = visit(html)
    assert "1?*" in page.inner_text("#clusters")
    assert "* found in UMAP alone" in page.inner_text("#clusters")
    page.mouse.move(*point(page, 1))
    page.wait_for_selector("#hover", state="visible")
    assert "cluster 1?*" in page.inner_text("#hover")
    page.mouse.click(*point(page, 1))
    page.wait_for_selector("#panel h2")
    said = page.inner_text("#panel")
    assert "? hardly more separate than parts of noise are" in said
    assert "that it is of its cluster" in said
    # The map is narrower now: what the pointer was on lies elsewhere.
    page.mouse.move(5, 5)
    assert page.locator("#hover").is_hidden()


def test_letters_step_on_after_a_box_was_checked_and_not_while_one_writes(visit, html):
    page = visit(html)
    page.check("#views input[value=window]")
    page.wait_for_function("document.querySelector('#count').textContent.includes('windows')")
    page.keyboard.press("j")
    page.wait_for_selector("#panel h2")
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel", state="hidden")
    page.click("#label")
    page.keyboard.type("jk")
    assert page.input_value("#label") == "jk"
    assert page.locator("#panel").is_hidden()


def test_filters_that_nothing_passes_are_said(visit, html):
    page = visit(html)
    page.fill("#snr-low", "1000")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#count').textContent.startsWith('None of')")


def test_keys_go_through_rows_in_time_and_windows_open_their_events(visit, html):
    page = visit(html, "#view=window")
    page.keyboard.press("j")
    page.wait_for_selector("#panel h2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    page.wait_for_function(
        "document.querySelector('#panel h2')?.textContent.startsWith('H1 window')"
    )
    page.click("#panel .thumbnail >> nth=0")
    page.wait_for_function(
        "document.querySelector('#panel h2')?.textContent.startsWith('H1 event')"
    )
    assert "view=event" in page.url


def test_filters_narrow_the_map_and_a_link_keeps_them(visit, html):
    page = visit(html)
    page.click("#detectors [aria-label='Only H1']")
    assert page.inner_text("#count") == "12 of 24 events"
    page.fill("#snr-low", "12")
    assert page.inner_text("#count") == "10 of 24 events"
    page.click("#statuses [aria-label='Only NOVEL']")
    assert page.inner_text("#count") == "3 of 24 events"
    page.select_option("#color", "snr")
    again = visit(html, "#" + page.url.partition("#")[2])
    assert again.inner_text("#count") == "3 of 24 events"
    assert again.input_value("#color") == "snr"
    assert again.input_value("#snr-low") == "12"
    again.click("#reset")
    assert again.inner_text("#count") == "24 events"
    again.fill("#time-high", str(START + 40))
    assert again.inner_text("#count") == "2 of 24 events"


def test_every_colour_is_drawn(visit, html):
    page = visit(html)
    for color in ("status", "class", "time", "snr", "frequency", "cluster"):
        page.select_option("#color", color)
        page.wait_for_function(f"location.hash.includes('color={color}')")


def test_a_lasso_leaves_times_and_labels_that_the_workflow_reads(visit, html, tmp_path):
    page = visit(html)
    lasso_around(page, range(1, ROWS, 3))
    assert page.inner_text("#chosen-count") == "8 chosen"
    times = list(csv.DictReader(io.StringIO(saved(page, "#save-times"))))
    table = view_of("event", ROWS).clusters.to_pylist()[1::3]
    assert [row["gps_time"] for row in times] == [f"{row['trigger_time']:.9f}" for row in table]
    assert {row["class"] for row in times} == {NASTY}
    page.click("#save-labels")  # without a name nothing is saved
    page.fill("#label", 'my "own", class')
    file = tmp_path / "labels.csv"
    file.write_text(saved(page, "#save-labels"))
    labels = read_labels(file)
    assert len(labels) == 8
    assert set(labels["label"].to_pylist()) == {'my "own", class'}
    assert labels["snr"].to_pylist() != []
    page.keyboard.press("Tab")  # out of the field, whose Escape is its own
    page.keyboard.press("Escape")
    assert page.inner_text("#chosen-count") == "All 24 shown"


def lightness(page, row: int) -> int:
    with Image.open(io.BytesIO(page.screenshot())) as image:
        return sum(image.convert("RGB").getpixel(tuple(map(round, point(page, row)))))


def test_what_a_lasso_leaves_out_fades(visit, html):
    page = visit(html)
    before = lightness(page, 0)
    lasso_around(page, range(1, ROWS, 3))
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    assert lightness(page, 0) > before + 100
    page.click("#unchoose")
    page.wait_for_timeout(300)
    assert lightness(page, 0) == before


def test_what_users_write_is_never_html(visit, html):
    page = visit(html, "#color=class")
    page.mouse.move(*point(page, 1))
    page.wait_for_selector("#hover", state="visible")
    page.mouse.click(*point(page, 1))
    page.wait_for_selector("#neighbors")
    assert NASTY in page.inner_text("#panel")
    assert page.evaluate("window.hacked") is None


def test_a_link_that_cannot_be_shows_the_whole_run(visit, html):
    page = visit(html, "#view=nothing&color=x&snr=a:b&clusters=9,z&open=H1@<b>")
    assert page.input_value("#color") == "cluster"
    assert page.inner_text("#count") == "None of 24 events passes the filters"
    assert page.is_hidden("#panel")


def test_every_control_has_a_name_and_the_phone_shows_all_in_its_width(visit, html):
    page = visit(html)
    named = "one.textContent.trim() || one.ariaLabel || one.labels?.length"
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select')]"
        f".filter((one) => !({named})).map((one) => one.outerHTML)"
    )
    assert nameless == []
    page.set_viewport_size({"width": 375, "height": 700})
    page.keyboard.press("j")
    page.wait_for_selector("#neighbors")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("document.querySelector('#panel').scrollWidth") <= 375


def test_a_run_with_nothing_but_clusters_says_so(visit, tmp_path):
    page = visit(leave_run(tmp_path, {"window": view_of("window", 1, plain=True)}))
    said = page.inner_text("#legend")
    assert "This run has no statuses." in said
    assert "clusters have no names" in said
    page.keyboard.press("j")
    page.wait_for_selector("#panel h2")
    said = page.inner_text("#panel")
    assert "There is no other row." in said
    assert "The run has no other detector." in said


def test_a_run_whose_rows_were_not_all_looked_at_says_among_how_many(visit, tmp_path):
    whole = view_of("event", 6)
    nearest = Nearest(whole.nearest.rows, whole.nearest.cosines, 1234)
    page = visit(leave_run(tmp_path, {"event": replace(whole, nearest=nearest)}))
    page.keyboard.press("j")
    page.wait_for_selector("#panel h2")
    assert "Nearest by the encoder's vectors, among 1,234 of 6 rows" in page.inner_text("#panel")


def test_a_run_without_events_says_so(visit, tmp_path):
    none = view_of("event", 3).clusters.slice(0, 0)
    one = view_of("event", 1).nearest
    nearest = Nearest(one.rows[:0], one.cosines[:0], 0)
    page = visit(
        leave_run(tmp_path, {"event": ViewTables(none, nearest), "window": view_of("window", 4)})
    )
    assert page.inner_text("#message") == "This run has no events to show."
    page.check("[value=window]", force=True)
    page.wait_for_function("document.querySelector('#count').textContent === '4 windows'")
    assert page.is_hidden("#message")


def test_lost_data_are_named(browser, html, tmp_path):
    copy = tmp_path / "explorer"
    shutil.copytree(html.parent, copy)
    (copy / "data" / "event.js").unlink()
    page = browser.new_page()
    page.goto((copy / "index.html").as_uri())
    page.wait_for_selector("#message", state="visible")
    assert "data/event.js is missing or damaged" in page.inner_text("#message")
    # As are an archive's copy, and a picture that it has not.
    said = "(path) => explorer.packedPicture(path).catch((error) => error.message)"
    assert page.evaluate(said, "../events/a.zip/a.png") == (
        "data/pictures/a.zip.js is missing or damaged: make the explorer again."
    )
    (copy / "data" / "pictures").mkdir()
    (copy / "data" / "pictures" / "a.zip.js").write_text(
        'explorer.packed("a.zip", {"a.png": "eA=="});'
    )
    assert page.evaluate(said, "../events/a.zip/a.png") == "data:image/png;base64,eA=="
    assert page.evaluate(said, "../events/a.zip/b.png") == "no picture at ../events/a.zip/b.png."
    page.close()


def test_pictures_of_archives_are_shown_from_a_file(visit, tmp_path):
    views = {"event": view_of("event", ROWS), "window": view_of("window", ROWS)}
    html = leave_run(tmp_path, views, packed=True)
    page = visit(html)
    page.mouse.move(*point(page, 7))
    page.wait_for_selector("#hover", state="visible")
    loaded(page, "#hover img")
    page.mouse.click(*point(page, 0))
    page.wait_for_selector("#panel", state="visible")
    loaded(page, "#panel img")
    assert page.locator("#panel .pictures img").count() == 2
    assert page.locator("#panel img").count() > 2 + 8
    assert page.locator(".no-picture").count() == 0
    command = page.locator("#panel code", has_text="--force").inner_text()
    assert f"results/small/events/H1-GWMORPH_EVENTS-{block_of(START)}-4096.zip" in command


@pytest.mark.parametrize(
    "place",
    ["tables", "report", "report/data/raw/4dd54411526190ba"],
    ids=["run", "start", "report"],
)
def test_the_summary_page_leads_to_it_from_the_run_and_from_a_report_unpacked_there(
    browser, html, place
):
    summary = html.parents[1] / place / "summary.html"
    summary.parent.mkdir(parents=True, exist_ok=True)
    summary.write_text(f"<main>{explorer_link()}</main>")
    page = browser.new_page()
    page.goto(summary.as_uri())
    with page.expect_popup() as opened:
        page.click("a")
    opened.value.wait_for_selector("html[data-ready=yes]")
    assert opened.value.url.startswith(html.as_uri())
    page.close()


@pytest.mark.parametrize("size", [(1000, 700), (390, 844)], ids=["narrow", "phone"])
def test_no_row_lies_behind_the_export_bar(visit, html, size):
    page = visit(html)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.keyboard.press("j")
    page.wait_for_selector("#panel h2")
    page.wait_for_timeout(300)
    bar = page.locator("#chosen").bounding_box()
    assert bar["y"] + bar["height"] <= size[1]
    assert max(point(page, row)[1] for row in range(ROWS)) < bar["y"]
    canvas = page.locator("#canvas").bounding_box()
    assert canvas["y"] + canvas["height"] <= bar["y"]
