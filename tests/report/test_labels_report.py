"""``gwmorph labels``: what it prints of a file, and of what a run has of it."""

import pyarrow as pa
import pytest

from gwmorph.cli import main
from gwmorph.ledger import analysed_row
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.parquet import write_table

HEADER = "GPStime,peakFreq,snr,confidence,id,ifo,label"


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    rows = [
        "110.1,100,10,1,found,H1,Blip",
        "115,100,10,1,missed,H1,Tomte",
        "500.25,100,10,1,later,H1,Blip",
        "110,100,10,1,other,V1,Blip",
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


@pytest.fixture
def run(tmp_path):
    numbers = {field.name: 1 for field in TRIGGERS if field.type != pa.string()}
    trigger = numbers | {"detector": "H1", "found_by": "tile"}
    trigger |= {"peak_time": 110, "tstart": 109, "tend": 111}
    folder = tmp_path / "run"
    write_table(folder / "triggers.parquet", TRIGGERS, [trigger | {"view": True}])
    ledger = [analysed_row("H1", 96, 32, 0)]
    write_table(folder / "ledger" / "H1.parquet", LEDGER, ledger)
    return folder


def test_labels_are_counted_and_those_outside_of_a_run_are_named(labels, run, capsys):
    assert main(["labels", str(labels), str(run)]) == 0
    printed = capsys.readouterr().out
    assert "4 labels" in printed
    assert "H1 GPS 500.250 Blip (later): outside the planned windows" in printed
    assert "V1 GPS 110.000 Blip (other): detector not in the run" in printed
    assert "(missed)" not in printed
    assert "(found)" not in printed
    assert "Not finished: " in printed
    (run / "config.yaml").touch()
    assert main(["labels", str(labels), str(run)]) == 0
    assert "Not finished" not in capsys.readouterr().out


def test_faults_are_errors_without_a_traceback(labels, tmp_path, capsys):
    assert main(["labels", str(labels), str(tmp_path)]) == 1
    assert "no triggers.parquet or no ledger/" in capsys.readouterr().err
    labels.write_text("a,b\n1,2\n")
    assert main(["labels", str(labels)]) == 1
    assert "no column ifo, GPStime" in capsys.readouterr().err


def test_a_single_label_is_singular(tmp_path, capsys):
    path = tmp_path / "one.csv"
    path.write_text(f"{HEADER}\n110,100,10,1,found,H1,Blip\n")
    assert main(["labels", str(path)]) == 0
    assert "1 label " in capsys.readouterr().out
