"""What tests of the explorer do in a browser."""

from collections.abc import Iterable
from pathlib import Path


def point(page, row: int) -> tuple[float, float]:
    """Return where a row lies on the screen."""
    box = page.locator("#canvas").bounding_box()
    x, y = page.evaluate(f"explorer.screenPosition({row})")
    return box["x"] + x, box["y"] + y


def saved(page, button: str) -> str:
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_text()


def lasso_around(page, rows: Iterable[int]) -> None:
    """Draw a lasso around rows and wait until something is chosen."""
    places = [point(page, row) for row in rows]
    low_x, high_x = (f(x for x, _ in places) for f in (min, max))
    low_y, high_y = (f(y for _, y in places) for f in (min, max))
    page.click("#lasso")
    corners = [(low_x - 9, low_y - 9), (high_x + 9, low_y - 9), (high_x + 9, high_y + 9),
               (low_x - 9, high_y + 9), (low_x - 9, low_y - 5)]  # fmt: skip
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=12)
    page.mouse.up()
    page.wait_for_function(
        "document.querySelector('#chosen-count').textContent.includes('chosen')"
    )
