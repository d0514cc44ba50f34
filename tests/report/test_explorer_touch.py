"""The explorer under fingers, on a screen of 390 × 844."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from explored import leave_run, view_of
from explorer_browser import point

from browsing import address, watched
from closeness import near

ROWS = 24


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    return leave_run(tmp_path_factory.mktemp("run"), {"event": view_of("event", ROWS)})


@pytest.fixture
def page(browser, html) -> Iterator:
    size = {"width": 390, "height": 844}
    with watched(browser, viewport=size, has_touch=True, is_mobile=True) as phone:
        page = phone.new_page()
        page.goto(address(html))
        page.wait_for_selector("html[data-ready=yes]")
        yield page


def touch(page, *paths: list[tuple[float, float]]) -> None:
    """Put a finger at the beginning of each path, go along all at once, and lift them."""
    session = page.context.new_cdp_session(page)
    for step, places in enumerate(zip(*paths, strict=True)):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(200)
    session.detach()


def line(start: tuple[float, float], end: tuple[float, float], steps: int = 10) -> list:
    return [
        (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        for i in range(steps + 1)
    ]


def middle(page) -> tuple[float, float]:
    box = page.locator("#canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_tap_beside_a_row_opens_it(page):
    # The row that lies farthest to the left has none beside it on that side.
    row = min(range(ROWS), key=lambda one: point(page, one)[0])
    x, y = point(page, row)
    page.touchscreen.tap(x - 10, y)
    page.wait_for_selector("#panel h2")
    gps = page.evaluate(
        f"(view) => explorer.gps(view, {row})",
        page.evaluate_handle("explorer.loadView('event')"),
    )
    assert gps in page.inner_text("#panel h2")
    page.tap("#close")
    page.wait_for_selector("#panel", state="hidden")
    assert page.is_hidden("#hover")


def test_one_finger_moves_the_map_by_as_much_as_itself(page):
    before = point(page, 3)
    x, y = middle(page)
    touch(page, line((x, y), (x + 70, y - 120)))
    after = point(page, 3)
    assert after[0] - before[0] == near(70, 0.02)
    assert after[1] - before[1] == near(-120, 0.02)
    assert page.is_hidden("#panel")


def test_two_fingers_zoom_about_their_middle(page):
    x, y = middle(page)
    before = [point(page, row) for row in (0, 1)]
    touch(page, line((x - 40, y), (x - 100, y)), line((x + 40, y), (x + 100, y)))
    after = [point(page, row) for row in (0, 1)]
    for old, new in zip(before, after, strict=True):
        assert new[0] - x == near(2.5 * (old[0] - x), 0.02)
        assert new[1] - y == near(2.5 * (old[1] - y), 0.02)


def test_a_finger_draws_the_lasso(page):
    page.tap("#lasso")
    box = page.locator("#canvas").bounding_box()
    left, right = box["x"] + 5, box["x"] + box["width"] - 5
    top, low = box["y"] + 60, box["y"] + box["height"] - 5
    corners = [(left, top), (right, top), (right, low), (left, low), (left, top + 20)]
    before = point(page, 3)
    touch(page, [at for a, b in pairwise(corners) for at in line(a, b)])
    page.wait_for_function(
        "document.querySelector('#chosen-count').textContent.includes('chosen')"
    )
    assert page.inner_text("#chosen-count") == "24 chosen"
    assert point(page, 3) == before
