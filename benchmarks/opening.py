"""How fast the explorer opens in Chromium, from a file, and how smoothly a million rows move.

WebGL is drawn in software, so that a machine without a graphics card measures the same.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from gwmorph.morphology.neighbors import Nearest
from gwmorph.report.explorer.contents import ViewTables
from gwmorph.report.explorer.folder import about_run, write_explorer
from gwmorph.tables.clusters import CLUSTERS
from harness import Entry, benchmark, seconds

SEED = 150914
REPEATS = 5
# Steps of a gesture, and how long it rests after it.
STEPS, KEYS, REST_MS = 40, 15, 3000
NEIGHBORS = 8
START = 1262301184
_FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@benchmark
def explorer_open() -> Entry:
    """From the address to the drawn map, with 10,000 rows."""
    return _opening("explorer_open", 10_000, REPEATS)


@benchmark
def explorer_open_million() -> Entry:
    """The same with 1,000,000 rows."""
    return _opening("explorer_open_million", 1_000_000, 3)


@benchmark
def explorer_frame_million() -> Entry:
    """One frame of 1,000,000 rows while wheel, pointer and keyboard move the map.

    From one frame of the browser to the next, between the first and the last that the gesture
    painted.
    """
    frames = np.sort(np.concatenate(_moved()["frames"]))
    return Entry(
        "explorer_frame_million", float(np.median(frames)), "ms", float(frames[0]),
        float(frames[-1]), n=len(frames), seed=SEED,
    )  # fmt: skip


@benchmark
def explorer_rest_million() -> Entry:
    """How long the browser paints all of 1,000,000 rows when the map has come to rest."""
    longest = sorted(_moved()["rests"])
    return Entry(
        "explorer_rest_million", longest[len(longest) // 2], "ms", longest[0], longest[-1],
        n=len(longest), seed=SEED,
    )  # fmt: skip


# Notes the time of each frame, and between which of them points were painted.
_WATCH = """
window.frames = []; window.paints = [];
const paint = WebGLRenderingContext.prototype.drawArrays;
WebGLRenderingContext.prototype.drawArrays = function (mode, ...rest) {
  if (mode === this.POINTS) window.paints.push(performance.now());
  return paint.call(this, mode, ...rest);
};
const frame = (now) => { window.frames.push(now); requestAnimationFrame(frame); };
requestAnimationFrame(frame);
"""


@cache
def _moved() -> dict[str, list]:
    """Return the times [ms] between frames of each gesture, and the longest of each rest after."""
    found: dict[str, list] = {"frames": [], "rests": []}
    with _explorer(1_000_000) as address, _browser() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.add_init_script(_WATCH)
        _open(page, address)
        page.wait_for_timeout(REST_MS)
        for gesture in (_wheel, _drag, _keys) * REPEATS:
            gesture(page)
            frames, paints = _seen(page)
            found["frames"].append(
                np.diff(frames[(frames >= paints[0] - 17) & (frames <= paints[-1] + 17)])
            )
            page.mouse.up()
            page.wait_for_timeout(REST_MS)
            found["rests"].append(float(np.diff(_seen(page)[0]).max()))
    return found


def _seen(page) -> tuple[np.ndarray, np.ndarray]:
    said = page.evaluate("[window.frames.splice(0), window.paints.splice(0)]")
    return np.array(said[0]), np.array(said[1])


def _wheel(page) -> None:
    """Turn the wheel in and out, as fast as the browser takes it."""
    page.evaluate("window.paints.length = window.frames.length = 0")
    browser = page.context.new_cdp_session(page)
    for way in (1, -1):
        browser.send(
            "Input.synthesizeScrollGesture",
            {"x": 800, "y": 450, "yDistance": way * 600, "speed": 600,
             "gestureSourceType": "mouse"},
        )  # fmt: skip
    browser.detach()


def _drag(page) -> None:
    page.mouse.move(800, 450)
    page.evaluate("window.paints.length = window.frames.length = 0")
    page.mouse.down()
    for x, y in ((1000, 550), (800, 450)):
        page.mouse.move(x, y, steps=STEPS)


def _keys(page) -> None:
    page.focus("#closer")
    page.evaluate("window.paints.length = window.frames.length = 0")
    for _ in range(KEYS):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.evaluate("explorer.wholeMap()")


def _opening(name: str, rows: int, repeats: int) -> Entry:
    with _explorer(rows) as address, _browser() as browser:
        times = []
        for _ in range(repeats + 1):  # the first starts the browser's processes
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            times.append(seconds(lambda page=page: _open(page, address)))
            page.close()
    times = sorted(times[1:])
    return Entry(
        name, times[repeats // 2], "s", times[0], times[-1], n=repeats, seed=SEED
    )  # fmt: skip


def _open(page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]", timeout=120_000)


@contextmanager
def _browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def _explorer(rows: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "explorer"
        write_explorer(made, about_run("benchmark", 32, [], []), {"event": _view(rows)}, {})
        yield (made / "index.html").as_uri()


def _view(rows: int) -> ViewTables:
    """Return a view of rows in 24 round clusters, with neighbours drawn at random."""
    rng = np.random.default_rng(SEED)
    cluster = np.sort(rng.integers(0, 24, rows)).astype(np.int32)
    place = rng.uniform(-10, 10, (24, 2))[cluster] + rng.normal(0, 0.6, (rows, 2))
    start = START + 32 * np.arange(rows) // 2
    time = start + rng.uniform(0, 32, rows)
    same = np.full(rows, 1.0)
    columns = {
        "detector": np.array(["H1", "L1"])[np.arange(rows) % 2],
        "gps_start": start, "view": np.full(rows, "event"), "trigger_time": time,
        "tile_time": time, "tile_frequency": rng.uniform(20, 1000, rows), "tile_q": 8 * same,
        "tile_energy": 50 * same, "tile_snr": 5 + rng.pareto(2, rows), "cluster": cluster,
        "probability": same, "outlier": same < 0, "supported": same > 0, "outside_umap": same > 0,
        "log_likelihood": same, "x": place[:, 0], "y": place[:, 1],
    }  # fmt: skip
    near = rng.integers(0, rows, (rows, NEIGHBORS))
    cosines = rng.uniform(0.5, 1, near.shape).astype(np.float32)
    nearest = Nearest(near, cosines, rows)
    return ViewTables(pa.table(columns, schema=CLUSTERS), nearest)
