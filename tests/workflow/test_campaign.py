"""A campaign through the real workflow, small enough for a test."""

import json
import os
import re

import pytest

from gwmorph.tables.injections import NOISE_COUNTS, RECALL
from gwmorph.tables.parquet import read_table

pytestmark = pytest.mark.workflow

CAMPAIGN = {
    "reference_windows": 100,
    "quiet_windows": 24,
    "injections_per_point": 4,
    "snrs": [6.0, 30.0],
    "morphologies": ["blip"],
    "false_alarm_fractions": [0.1],
    "windows_per_job": 64,
    "noise_files": {"H1": ["data/H-H1_*.hdf5"]},
    "noise_windows": 3,
}
FOLDER = "injections"


@pytest.fixture(scope="module")
def campaign(new, tmp_path_factory):
    project = new(tmp_path_factory.mktemp("campaign") / "project")
    changed = project.change(run={"name": "campaign"}, injections=CAMPAIGN)
    changed.make("injections")
    return changed


def jobs(printed):
    return sorted(re.findall(r"^Job \d+: (.+)$", printed, flags=re.MULTILINE))


def test_campaign_leaves_recall_figures_and_counts(campaign):
    results = campaign.results("campaign")
    made = {name for name in results if name.startswith(FOLDER)}
    assert {
        f"{FOLDER}/{name}"
        for name in (
            "figures/glitches.svg",
            "half_recall.html",
            "achieved.html",
            "agreement.svg",
            "noise_counts.html",
        )
    } <= made
    folder = campaign.folder / "results" / "campaign" / FOLDER
    recall = read_table(folder / "recall.parquet", RECALL).to_pylist()
    loud = [r for r in recall if r["statistic"] == "loudest_tile" and r["snr"] == 30]
    assert [row["recall"] for row in loud] == [1.0]
    counts = read_table(folder / "noise_counts.parquet", NOISE_COUNTS).to_pylist()
    assert {(r["morphology"], r["windows"]) for r in counts} == {(None, 3), ("blip", 3)}
    achieved = json.loads((folder / "achieved.json").read_text())
    assert {row["test_windows"] for row in achieved} == {24}


def test_one_job_alone_gives_the_same_bytes(campaign):
    before = campaign.results("campaign")
    target = f"results/campaign/{FOLDER}/windows/blip-0.parquet"
    (campaign.folder / target).unlink()
    campaign.make(target, cores=1)
    # Whether the rest is of this configuration, too, is not known before all is asked for.
    record = f"{FOLDER}/config.yaml"
    assert campaign.results("campaign") | {record: before[record]} == before
    assert not (campaign.folder / "results" / "campaign" / record).exists()
    campaign.make("injections")
    assert campaign.results("campaign") == before


def test_another_morphology_adds_only_its_own_windows(campaign):
    wider = campaign.change(injections={"morphologies": ["blip", "tomte"]})
    looked = [job for job in jobs(wider.make("--dry-run", "injections")) if "windows" in job]
    assert looked == [
        "Looking at the campaign's windows tomte-0",
        "Looking at windows of real noise H1-tomte",
    ]


def test_noise_files_count_by_their_content(campaign):
    path = next((campaign.folder / "data").glob("H-H1_*.hdf5"))
    content, made = path.read_bytes(), path.stat()
    path.touch()
    assert jobs(campaign.make("--dry-run", "injections")) == []
    try:
        path.write_bytes(content[:-8] + bytes(8))
        changed = jobs(campaign.make("--dry-run", "injections"))
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(made.st_atime_ns, made.st_mtime_ns))
    assert "Looking at windows of real noise H1-blip" in changed
    assert not [job for job in changed if "campaign's windows" in job]


def test_report_of_a_campaign_is_made(campaign):
    campaign.make("injections", "--report", "campaign.zip")
    assert (campaign.folder / "campaign.zip").stat().st_size > 100_000


def test_unknown_morphology_is_named_before_a_job_starts(campaign):
    done = campaign.change(injections={"morphologies": ["blib"]}).snakemake("injections")
    assert done.returncode != 0
    assert "unknown morphology 'blib'; did you mean 'blip'?" in done.stdout
    assert "Traceback" not in done.stdout


def test_default_run_has_no_campaign(campaign):
    assert not [job for job in campaign.would_run() if "campaign's" in job]
