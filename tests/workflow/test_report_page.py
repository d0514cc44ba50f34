"""The report of a small run: what it is made of, and how it opens where a user unpacks it."""

import json
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from browsing import address, watched

pytestmark = pytest.mark.workflow


def variable(html: str, name: str) -> Any:
    """The value of a variable of the report's page."""
    start = re.search(rf"^\s*var {name} *= *(?={{)", html, re.MULTILINE).end()
    return json.JSONDecoder().raw_decode(html[start:])[0]


@pytest.fixture(scope="module")
def page_file(started):
    """Return the page of the run's report, unpacked in the run's folder."""
    started.make("--report", "report.zip")
    run = started.folder / "results" / "t"
    with ZipFile(started.folder / "report.zip") as zipped:
        zipped.extractall(run)
    return run / "report" / "report.html"


@pytest.fixture(scope="module")
def report(page_file) -> dict[str, Any]:
    """The variables of the page."""
    html = page_file.read_text()
    return {name: variable(html, name) for name in ("results", "categories", "rules")} | {
        "runtimes": variable(html, "runtimes_spec")["data"]["values"]
    }


def test_all_that_the_report_shows_is_labelled_and_has_a_caption_of_the_run(report):
    results = report["results"]
    shown = {Path(path).name for path in results}
    assert shown >= {"map.svg", "occupancy.svg", "clusters.html", "events.html", "summary.html"}
    for path, result in results.items():
        assert result["labels"], path
        assert "<p>" in result["caption"], path
        assert "{{" not in result["caption"], path
    placed = [
        path for parts in report["categories"].values() for p in parts.values() for path in p
    ]
    assert sorted(placed) == sorted(results)


def test_every_rule_of_the_report_shows_its_code_and_its_times(report):
    rules = report["rules"]
    asked_for_alone = {"all", "tables"}
    assert {"block", "embed", "cluster", "summary"} <= rules.keys()
    for name, rule in rules.items():
        code = re.sub(r"<[^>]+>", "", "".join(rule["code"]))
        assert name in asked_for_alone or "JobLog(snakemake.log[0]" in code, name
    timed = {entry["rule"] for entry in report["runtimes"]}
    assert rules.keys() - asked_for_alone <= timed
    assert all(entry["runtime"] >= 0 for entry in report["runtimes"])


def test_it_opens_on_the_summary_and_leads_to_figures_and_the_explorer(browser, page_file):
    with watched(browser) as context:
        page = context.new_page()
        page.goto(address(page_file))
        page.get_by_text("Transients in run t").wait_for()
        page.get_by_role("heading", name="Run t").wait_for()
        assert r"\n" not in page.inner_text("body")
        for category in ("Summary", "Views of events", "Views of windows"):
            page.get_by_text(category, exact=True).first.wait_for()
        images = page.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)")
        assert images
        assert min(images) > 0
        with page.expect_popup() as opened:
            page.click("#explorer-link")
        explorer = opened.value
        explorer.wait_for_selector("html[data-ready=yes]")
        assert explorer.url.startswith(address(page_file.parents[1] / "explorer" / "index.html"))


def test_the_summary_that_it_keeps_leads_to_the_explorer_too(browser, page_file):
    (kept,) = page_file.parent.glob("data/raw/*/summary.html")
    with watched(browser) as context:
        page = context.new_page()
        page.goto(address(kept))
        with page.expect_popup() as opened:
            page.click("#explorer-link")
        opened.value.wait_for_selector("html[data-ready=yes]")
