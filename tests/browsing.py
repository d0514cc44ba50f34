"""A real browser to look at pages with, where this machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# WebGL without a graphics card.
_SOFTWARE = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@contextmanager
def launched() -> Iterator:
    """Yield a browser of playwright's; without Chromium the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here; Debian's package is chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=_SOFTWARE)
        yield browser
        browser.close()


@contextmanager
def watched(browser, **options) -> Iterator:
    """Yield a context of ``browser``, and see that no page of it complains or leaves the disk."""
    faults: list[str] = []
    context = browser.new_context(**options)

    def watch(page) -> None:
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith(("file:", "data:", "blob:"))
                else faults.append(asked.url)
            ),
        )

    context.on("page", watch)
    yield context
    context.close()
    assert faults == []


def address(path: Path) -> str:
    """Return the address of a file."""
    return path.resolve().as_uri()
