"""Known events and injections in a small run through the real workflow."""

import csv
import json
import re

import h5py
import pytest
from workflow_project import DETECTORS, FIRST, Project, border

from gwmorph.evidence.known_events import NO_DETECTOR, NO_SPAN, NO_WINDOW
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.known_events import CHIRPS, FLAGGED, KNOWN_EVENTS, KNOWN_SPANS, TOLD
from gwmorph.tables.parquet import read_table
from gwmorph.tables.validation import REFERENCE

pytestmark = pytest.mark.workflow

INJECTED_S = 40  # before the second border, at H1
LABELS = "GPStime,ifo,label,confidence,id,snr,peakFreq\n"
HEADER = "name,gps,version,catalog,detectors\n"


def table(project, name, schema):
    return read_table(
        project.folder / "results" / "t" / "known_events" / f"{name}.parquet", schema
    )


def inject(project: Project) -> None:
    """Set what GWOSC's mask says of 4 s of one file."""
    (path,) = project.folder.glob(f"data/H-H1_*-{border(1) - 96}-*.hdf5")
    with h5py.File(path, "a") as file:
        mask = file["quality/injections/Injmask"]
        first = 96 - INJECTED_S
        mask[first : first + 4] = 0b11101


@pytest.fixture(scope="module")
def looked(started):
    project = started.change(
        clustering={"views": ["window"]},
        known_events={"catalog": "file", "file": "events.csv"},
        validation={"similarity": {"labels": "labels.csv", "neighbors": 2}},
    )
    inject(project)
    rows = [
        f"{border(number) + second},{detector},{kind},0.9,{detector}{number}{second},9,100"
        for number in range(2)
        for second, kind in ((-80, "Blip"), (-40, "Whistle"), (10, "Blip"))
        for detector in DETECTORS
    ]
    (project.folder / "labels.csv").write_text(LABELS + "\n".join(rows) + "\n")
    events = [
        f"GW1,{border(0) - 70.5},1,A,H1 L1 V1",
        f"GW2,{border(0) - 2000},1,A,",
        f"GW3,{FIRST - 1000},1,B,",
    ]
    (project.folder / "events.csv").write_text(HEADER + "\n".join(events) + "\n")
    project.make(
        "events", "results/t/validation/window/reference.parquet",
        "results/t/tables/window/clusters.csv", "results/t/summary.json",
    )  # fmt: skip
    return project


def test_everything_known_has_a_fate_and_a_reason(looked):
    made = set(looked.results())
    assert {f"known_events/known_events.{kind}" for kind in ("svg", "html")} <= made
    assert "known_events/config.yaml" in made
    rows = table(looked, "known_events", KNOWN_EVENTS).to_pylist()
    assert len(rows) == 3 + 2 + 2 + 1
    reasons = {(row["name"], row["detector"]): row["reason"] for row in rows}
    assert reasons["GW1", "V1"] == NO_DETECTOR
    assert reasons["GW2", "H1"] == NO_WINDOW
    assert reasons["GW3", "L1"] == NO_SPAN
    (injection,) = [row for row in rows if row["kind"] == "injection"]
    start = border(1) - INJECTED_S
    assert (injection["name"], injection["detector"]) == ("burst", "H1")
    assert (injection["start"], injection["end"]) == (start, start + 4)
    told = {row["detector"]: row for row in table(looked, "told", TOLD).to_pylist()}
    assert told["H1"]["told_s"] == told["L1"]["told_s"] == 3 * 192
    assert told["H1"]["untold_s"] == 0


def test_windows_with_something_known_are_flagged(looked):
    flagged = table(looked, "flagged", FLAGGED).to_pylist()
    windows = {(row["name"], row["detector"]) for row in flagged if row["view"] == "window"}
    assert windows == {("GW1", "H1"), ("GW1", "L1"), ("burst", "H1")}


def test_windows_with_something_known_are_counted_where_results_are_shown(looked):
    counts = json.loads((looked.folder / "results/t/summary.json").read_text())["detectors"]
    # Those with GW1 had too little context.
    assert [counts[name]["known_windows"] for name in ("H1", "L1")] == [1, 0]
    with (looked.folder / "results/t/tables/window/clusters.csv").open(newline="") as stream:
        assert sum(int(row["known_events"]) for row in csv.DictReader(stream)) == 1


def test_labelled_rows_are_free_of_what_is_known(looked):
    reference = read_table(
        looked.folder / "results/t/validation/window/reference.parquet", REFERENCE
    ).to_pylist()
    assert reference
    spans = table(looked, "spans", KNOWN_SPANS).to_pylist()
    for row in reference:
        for span in spans:
            if span["detector"] == row["detector"]:
                start = row["gps_start"]
                assert span["end"] + 8 < start or start + 32 <= span["start"] - 8
    kept = looked.change(known_events={"kept_out": ["background", "training"]})
    assert "Collecting the labelled window views of run t" in kept.would_run_for(
        "results/t/validation/window/reference.parquet"
    )


def test_another_catalogue_draws_no_block_again(looked):
    (looked.folder / "events.csv").write_text(HEADER + f"GW9,{border(1)},1,A,\n")
    jobs = looked.would_run_for("events")
    assert "Listing published events for run t" in jobs
    assert not [job for job in jobs if re.search("Drawing (H1|L1)|Encoding|Checking", job)]


def test_chirps_are_told_of_every_event(looked):
    # No label means an event; without any the track alone tells.
    whole = looked.change(
        clustering={"views": ["window", "event"]}, validation={"similarity": {"labels": None}}
    )
    page = "results/t/tables/event/events.html"
    whole.make("results/t/known_events/chirps.parquet", page)
    assert ">known as</th>" in (looked.folder / page).read_text()
    chirps = table(looked, "chirps", CHIRPS)
    found = read_table(looked.folder / "results/t/triggers.parquet", TRIGGERS)
    assert len(chirps) == len(found.filter(found["view"])) > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GPStime,label\n1,Blip\n", "no column name, gps, version, catalog"),
        (HEADER + "GW1,1262301200,1,A,H9\n", "line 2: unknown detector 'H9'"),
    ],
)
def test_a_table_of_events_that_is_none_ends_the_run_before_its_first_job(unfinished, text, said):
    project = unfinished.change(known_events={"catalog": "file", "file": "events.csv"})
    (project.folder / "events.csv").write_text(text)
    done = project.snakemake("events", "--dry-run")
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(("file", "said"), [("none.csv", "no such file"), (".", "is a folder")])
def test_a_table_of_events_that_is_no_file_is_named(unfinished, file, said):
    project = unfinished.change(known_events={"catalog": "file", "file": file})
    done = project.snakemake("events", "--dry-run")
    assert f"known_events.file: {file}: {said}. Give the path of a CSV file." in done.stdout


def test_training_asks_for_published_events_unless_it_may_see_them(unfinished):
    (unfinished.folder / "events.csv").write_text(HEADER + "GW1,1262301200,1,A,\n")
    project = unfinished.change(
        known_events={"catalog": "file", "file": "events.csv"},
        training={"noise_files": {"H1": ["data/H-H1_*.hdf5"]}, "parts": 1},
    )
    listing = "Listing published events for run t"
    assert listing in project.would_run_for("train_encoder")
    seen = project.change(known_events={"kept_out": ["background", "references"]})
    assert listing not in seen.would_run_for("train_encoder")
