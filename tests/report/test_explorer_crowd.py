"""The explorer in Chromium with very many rows: what is painted as it moves, and at rest."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from explored import leave_run, view_of
from explorer_browser import lasso_around, point, saved

from browsing import address, watched

ROWS = 600
FEW = 60
# Says how many points each call paints, over the page and its library.
COUNTED = """
window.painted = [];
const paint = WebGLRenderingContext.prototype.drawArrays;
WebGLRenderingContext.prototype.drawArrays = function (mode, first, count) {
  if (mode === this.POINTS) window.painted.push(count);
  return paint.call(this, mode, first, count);
};
window.filled = {};
const fill = WebGLRenderingContext.prototype.bufferData;
WebGLRenderingContext.prototype.bufferData = function (target, data, ...rest) {
  if (data.byteLength && data.byteLength % 4 === 0) {
    const floats = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    window.filled[floats.length] = Array.from(floats);
  }
  return fill.call(this, target, data, ...rest);
};
"""


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    """Return a page to which 600 rows are very many."""
    views = {view: view_of(view, ROWS) for view in ("event", "window")}
    made = leave_run(tmp_path_factory.mktemp("run"), views)
    script = made.with_name("crowd.js")
    text = script.read_text()
    for name, value in (("MANY", 100), ("FEW", FEW)):
        text, found = re.subn(rf"const {name} = \d+;", f"const {name} = {value};", text)
        assert found == 1
    script.write_text(text)
    return made


@pytest.fixture
def visit(browser) -> Iterator:
    size = {"width": 1300, "height": 800}
    with watched(browser, viewport=size, accept_downloads=True) as context:
        context.add_init_script(COUNTED)

        def opened(html: Path, state: str = ""):
            page = context.new_page()
            page.goto(address(html) + state)
            page.wait_for_selector("html[data-ready=yes]")
            rest(page)
            return page

        yield opened


def counts(page) -> list[int]:
    """Return how many points each call has painted since this was last asked."""
    return page.evaluate("window.painted.splice(0)")


def pairs(numbers: list[float]) -> list[tuple[float, float]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def rest(page) -> None:
    """Wait until the map has rested for longer than it takes to paint all rows again."""
    page.evaluate(
        "new Promise((done) => { let before = -1; const look = () => {"
        " if (window.painted.length === before) return done();"
        " before = window.painted.length; setTimeout(look, 600); }; look(); })"
    )


def middle(page) -> tuple[float, float]:
    box = page.locator("#canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def wheel(page) -> None:
    page.mouse.move(*middle(page))
    for _ in range(6):
        page.mouse.wheel(0, -30)
        page.wait_for_timeout(30)


def drag(page) -> None:
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=6)


def keyboard(page) -> None:
    page.focus("#closer")
    page.keyboard.press("Enter")
    page.wait_for_timeout(60)


def picture(page) -> bytes:
    """Return the map itself, without what lies over it."""
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    rest(page)
    return page.locator("#map").screenshot()


@pytest.mark.parametrize("move", [wheel, drag, keyboard])
def test_few_rows_are_painted_while_the_map_moves_and_all_when_it_rests(visit, html, move):
    page = visit(html)
    assert max(counts(page)) == ROWS
    move(page)
    moving = counts(page)
    assert moving
    assert max(moving) == FEW
    page.mouse.up()
    rest(page)
    assert max(counts(page)) == ROWS


def test_a_button_that_is_held_keeps_the_map_moving(visit, html):
    page = visit(html)
    counts(page)
    drag(page)
    page.wait_for_timeout(700)
    assert max(counts(page)) == FEW
    page.mouse.up()
    rest(page)
    assert max(counts(page)) == ROWS


def test_the_map_is_the_same_after_it_has_moved_there_and_back(visit, html):
    page = visit(html)
    before = picture(page)
    wheel(page)
    assert picture(page) != before
    page.click("#whole")
    assert picture(page) == before


def test_few_rows_stand_for_all_and_are_always_the_same(visit, html):
    page = visit(html)
    first = "Array.from(explorer.paintingOrder(600).rowAt.subarray(0, 60))"
    rows = page.evaluate(first)
    assert len(set(rows)) == FEW
    gaps = [b - a for a, b in pairwise(sorted(rows))]
    assert max(gaps) <= 20
    assert page.evaluate(first) == rows
    every = page.evaluate("Array.from(explorer.paintingOrder(1000).rowAt)")
    assert sorted(every) == list(range(1000))
    assert page.evaluate("Array.from(explorer.paintingOrder(100).rowAt)") == list(range(100))


def test_a_pointer_that_only_points_paints_nothing(visit, html):
    page = visit(html)
    counts(page)
    for row in (0, 301, 599):
        page.mouse.move(*point(page, row))
        page.wait_for_selector("#hover", state="visible")
        shown = page.inner_text("#hover p >> nth=0")
        assert shown == page.evaluate(
            f"(view) => explorer.detector(view, {row}) + ' ' + explorer.gps(view, {row})",
            page.evaluate_handle("explorer.loadView('event')"),
        )
    box = page.locator(".ring").bounding_box()
    x, y = point(page, 599)
    assert abs(box["x"] + box["width"] / 2 - x) < 1
    assert abs(box["y"] + box["height"] / 2 - y) < 1
    page.mouse.move(5, 5)
    page.wait_for_selector(".ring", state="hidden")
    assert counts(page) == []


def test_choosing_filtering_and_colouring_mean_all_rows(visit, html):
    page = visit(html)
    lasso_around(page, range(1, ROWS, 3))
    assert page.inner_text("#chosen-count") == "200 chosen"
    times = list(csv.DictReader(io.StringIO(saved(page, "#save-times"))))
    table = view_of("event", ROWS).clusters.to_pylist()[1::3]
    assert {row["gps_time"] for row in times} == {f"{row['trigger_time']:.9f}" for row in table}
    rest(page)
    painted = counts(page)
    assert painted[-4:] == [ROWS, 200, 200, 200]
    # In the order of painting, so that the first few of the chosen are like all of them.
    chosen = page.evaluate("window.filled[400]")
    places = [round(25 * (x - 0.02)) + 25 * round(25 * (y - 0.02)) for x, y in pairs(chosen)]
    assert places == sorted(places, reverse=True)
    assert len(set(places)) == 200
    wheel(page)
    moving = counts(page)
    assert max(moving) == FEW  # of the chosen ones as well
    page.click("#unchoose")
    page.click("#detectors [aria-label='Only H1']")
    assert page.inner_text("#count") == "300 of 600 events"
    rest(page)
    assert counts(page)[-1] == 300
    page.select_option("#color", "snr")
    rest(page)
    assert counts(page)[-1] == 300
    page.click("#reset")
    rest(page)
    assert counts(page)[-1] == ROWS


def test_an_opened_row_is_marked_while_the_map_moves(visit, html):
    page = visit(html)
    page.mouse.click(*point(page, 7))
    page.wait_for_selector("#panel h2")
    rest(page)
    assert counts(page)[-4:] == [ROWS, 1, 1, 1]
    wheel(page)
    assert counts(page)[-4:] == [FEW, 1, 1, 1]
    rest(page)
    counts(page)
    page.keyboard.press("j")
    rest(page)
    assert counts(page)[-4:] == [ROWS, 1, 1, 1]


def test_a_map_that_changes_its_size_is_painted_anew(visit, html):
    page = visit(html)
    counts(page)
    page.set_viewport_size({"width": 1100, "height": 700})
    rest(page)
    assert counts(page)[-1] == ROWS
    size = page.evaluate("['.points', '#canvas'].map((c) => document.querySelector(c).width)")
    assert size[0] == size[1]


def test_another_view_is_painted_in_place_of_the_first(visit, html):
    page = visit(html)
    page.mouse.click(*point(page, 7))
    page.wait_for_selector("#panel h2")
    page.check("[value=window]", force=True)
    page.wait_for_function("document.querySelector('#count').textContent === '600 windows'")
    rest(page)
    assert page.locator(".points").count() == page.locator(".ring").count() == 1
    counts(page)
    wheel(page)
    assert max(counts(page)) == FEW
    rest(page)
    assert counts(page)[-1] == ROWS


def test_a_small_map_is_painted_whole_whatever_it_does(visit, tmp_path):
    page = visit(leave_run(tmp_path, {"event": view_of("event", 120)}))
    assert page.locator(".points").count() == 0
    counts(page)
    wheel(page)
    assert set(counts(page)) <= {120, 1}  # all rows, and what the pointer is over
