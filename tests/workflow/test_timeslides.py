"""Time slides of a small run through the real workflow."""

import re

import pytest

from gwmorph.tables.parquet import read_table
from gwmorph.tables.timeslides import CANDIDATES, SEARCHED, SUMMARY

pytestmark = pytest.mark.workflow

FOLDER = "results/t/timeslides"
NAMES = ("candidates", "summary", "searched", "window_counts", "limits", "efficiency")
SLIDES = "Sliding the detectors of run t past each other"
REPORT = "Drawing what coincides in the detectors of run t"
RECORD = "Recording the configuration of run t"


@pytest.fixture(scope="module")
def slid(started):
    started.make("timeslides")
    return started


def jobs(printed):
    return sorted(re.findall(r"^Job \d+: (?!Asking for)(.+)$", printed, flags=re.MULTILINE))


def table(project, name, schema):
    return read_table(project.folder / FOLDER / f"{name}.parquet", schema).to_pylist()


def test_slides_leave_tables_figures_and_a_record(slid):
    made = {path.name for path in (slid.folder / FOLDER).iterdir()}
    assert made == {
        *(f"{name}.parquet" for name in NAMES),
        "rates.svg", "windows.svg", "timeslides.html", "config.yaml",
    }  # fmt: skip
    (summary,) = table(slid, "summary", SUMMARY)
    assert summary["detectors"] == "H1 L1"
    assert summary["livetime"] > 0
    assert 0 < summary["p_loudest"] <= 1
    searched = table(slid, "searched", SEARCHED)
    assert [row["detector"] for row in searched] == ["H1", "L1"]
    assert len(table(slid, "candidates", CANDIDATES)) == summary["candidates"]


def test_a_run_is_not_slid_unless_it_is_asked_for(slid):
    assert SLIDES not in slid.would_run()


def test_a_key_reruns_the_slides_alone(slid):
    other = slid.change(timeslides={"step_s": 4.0})
    assert jobs(other.make("--dry-run", "timeslides")) == sorted([SLIDES, REPORT, RECORD])


def test_equal_runs_have_equal_bytes(slid):
    before = {name: (slid.folder / FOLDER / name).read_bytes() for name in ("rates.svg",)}
    tables = {name: (slid.folder / FOLDER / f"{name}.parquet").read_bytes() for name in NAMES}
    for name in NAMES:
        (slid.folder / FOLDER / f"{name}.parquet").unlink()
    slid.make("timeslides")
    after = {name: (slid.folder / FOLDER / f"{name}.parquet").read_bytes() for name in NAMES}
    assert after == tables
    assert (slid.folder / FOLDER / "rates.svg").read_bytes() == before["rates.svg"]


def test_a_detector_that_the_run_has_not_is_refused_before_any_job(slid):
    done = slid.change(timeslides={"detectors": ["H1", "V1"]}).snakemake("timeslides")
    assert done.returncode != 0
    assert "ConfigError: timeslides.detectors: V1: no detector of this run" in done.stdout
    assert "Traceback" not in done.stdout
    assert not jobs(done.stdout)


def test_a_campaign_that_is_not_there_is_refused(slid):
    done = slid.change(timeslides={"campaign": "results/none/injections"}).snakemake(
        "--dry-run", "timeslides"
    )
    assert done.returncode != 0
    assert "timeslides.campaign: results/none/injections/recall.parquet: no such" in done.stdout


def test_a_run_of_one_detector_says_that_it_takes_two(slid):
    done = slid.change(run={"name": "one", "detectors": ["H1"]}).snakemake("timeslides")
    assert done.returncode != 0
    assert "ConfigError: run.detectors: time slides need two detectors, got H1" in done.stdout
    assert not jobs(done.stdout)


def test_report_of_slides_is_made(slid):
    slid.make("timeslides", "--report", "slides.zip")
    assert (slid.folder / "slides.zip").stat().st_size > 100_000
