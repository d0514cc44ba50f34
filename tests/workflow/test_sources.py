"""Strain from a server and from the simulation, through the real workflow."""

import hashlib
import json
import re

import numpy as np
import pytest
from workflow_project import BLOCK_S, FIRST, HALF_S, border

from gwmorph.cli import main
from gwmorph.tables.block import LEDGER
from gwmorph.tables.parquet import read_table
from gwmorph.tables.truth import TRUTH
from gwosc_files import gwosc_file_name, write_gwosc_file
from replica import GwoscReplica

pytestmark = pytest.mark.workflow

ONE_BLOCK = {"detectors": ["H1"], "gps_start": FIRST, "gps_end": FIRST + BLOCK_S}


def ledger_of(project):
    path = project.folder / "results" / "t" / "ledger" / f"H1-GWMORPH_LEDGER-{FIRST}-4096.parquet"
    return read_table(path, LEDGER).to_pylist()


@pytest.fixture
def served(tmp_path):
    """A whole file as GWOSC would release it, with strain in 160 s of it."""
    values = np.full(BLOCK_S * 4096, np.nan)
    values[1024 * 4096 : 1184 * 4096] = np.random.default_rng(1).normal(0, 1e-21, 160 * 4096)
    return write_gwosc_file(tmp_path / gwosc_file_name("H1", FIRST), "H1", FIRST, values, 4096)


def test_public_data_are_asked_for_once_and_fetched_within_the_limit(unfinished, served):
    with GwoscReplica([served]) as replica:
        server = {"host": replica.url, "attempts": 2, "timeout_s": 10.0, "max_downloads": 3}
        project = unfinished.change(run=ONE_BLOCK, source={"kind": "gwosc", "gwosc": server})
        printed = project.make("tables")
        assert 'downloads=Resource("downloads", 3)' in printed
        asked = len(replica.requests)
        assert replica.count("/archive/") == 1
        assert "Nothing to be done" in project.make("tables")
        assert len(replica.requests) == asked
    # patience is no reason to run again, and a finished run needs no network
    impatient = project.change(source={"gwosc": {"attempts": 1, "timeout_s": 1.0}})
    assert "Nothing to be done" in impatient.make("tables")
    status = {row["gps_start"] - FIRST: row["reason"] for row in ledger_of(project)}
    assert status == {1024: "context", 1056: None, 1088: None, 1120: None, 1152: "context"}
    # What a paper is to say of such data, still without network.
    impatient.make("provenance")
    record = impatient.folder / "results" / "t" / "provenance"
    said = (record / "methods.md").read_text()
    assert "the data set O4a [@opendata2025]" in said
    assert "Gravitational Wave Open Science Center" in said
    assert "@misc{opendata2025," in (record / "references.bib").read_text()
    observed = json.loads((record / "record.json").read_text())["observed"]["H1"]
    assert observed["flag"] == "H1_DATA"
    assert observed["livetime_s"] == 3 * 32
    digest = hashlib.sha256(served.read_bytes()).hexdigest()
    inputs = (record / "inputs.sha256").read_text()
    assert re.search(rf"^{digest}  .*{re.escape(served.name)}$", inputs, re.MULTILINE)
    assert main(["verify", str(record.parent), "--base", str(impatient.folder)]) == 0


def test_a_server_that_is_away_is_a_clear_error(unfinished, served):
    with GwoscReplica([served]) as replica:
        server = {"host": replica.url, "attempts": 1, "timeout_s": 1.0}
    project = unfinished.change(run=ONE_BLOCK, source={"kind": "gwosc", "gwosc": server})
    done = project.snakemake("tables")
    assert done.returncode != 0
    assert "DownloadError" in done.stdout
    assert "source.gwosc.host" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("name", ["strain{run}[1].hdf5", "a b/{x}.hdf5"])
def test_names_that_snakemake_would_interpret_are_names(unfinished, name):
    path = next((unfinished.folder / "data").glob(f"H-H1_*-{border(0) - HALF_S}-*.hdf5"))
    odd = unfinished.folder / "data" / name
    odd.parent.mkdir(exist_ok=True)
    path.rename(odd)
    files = ["data/H-*.hdf5", f"data/{name}"]
    project = unfinished.change(source={"directory": {"files": {"H1": files}}})
    receipts = f"results/t/strain/H1/{FIRST}.json"
    project.make(receipts)
    content = json.loads((project.folder / receipts).read_text())
    assert [file["path"] for file in content] == [f"data/{name}"]


def test_simulated_strain_comes_with_its_truth(unfinished):
    project = unfinished.change(
        run=ONE_BLOCK, source={"kind": "simulated", "simulated": {"sample_rate": 2048}}
    )
    project.make("tables", "results/t/truth.parquet")
    truth = read_table(project.folder / "results" / "t" / "truth.parquet", TRUTH)
    assert truth.num_rows > 0
    assert set(truth["detector"].to_pylist()) == {"H1"}
    times = truth["gps_time"].to_numpy()
    assert ((times >= FIRST) & (times < FIRST + BLOCK_S)).all()
    assert len(ledger_of(project)) > 50
    # A cache that was moved is the same one.
    (project.folder / "cache").rename(project.folder / "elsewhere")
    moved = project.change(source={"cache": "elsewhere"})
    assert "Nothing to be done" in moved.make("tables", "results/t/truth.parquet")
    (project.folder / "results" / "t" / "truth.parquet").unlink()
    moved.make("results/t/truth.parquet")
    assert not (project.folder / "cache").exists()


def test_a_run_without_scores_makes_none_of_what_scores_need(unfinished):
    jobs = unfinished.change(score={"background": "none"}, clustering={"views": ["event"]})
    would_run = jobs.would_run()
    assert "Joining the triggers of run t, which has no scores" in would_run
    assert not [job for job in would_run if re.search(r"quiet|Scoring|window views", job)]
    assert [job for job in would_run if job.startswith("Clustering the event views")]
