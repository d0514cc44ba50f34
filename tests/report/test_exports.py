"""What other programs read is what the table says."""

import os

import numpy as np
import pyarrow as pa
import pytest
from gwpy.table import EventTable

from gwmorph.cli import main
from gwmorph.errors import TableError
from gwmorph.naming import span_name
from gwmorph.report.exports import export_triggers
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.parquet import write_table


@pytest.fixture
def triggers() -> pa.Table:
    """Seven triggers of H1 and L1 with all columns different."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(7):
        peak = 1126259456 + 32 * number + rng.uniform(0, 32)
        row = {field.name: rng.uniform(1, 100) for field in TRIGGERS}
        row |= {
            "detector": "H1" if number < 4 else "L1",
            "gps_start": 1126259456 + 32 * number,
            "time": peak + 0.001,
            "peak_time": peak,
            "tstart": peak - 0.125,
            "tend": peak + 0.25,
            "duration": 0.375,
            "amplitude": 1e-23 * rng.uniform(1, 9),
            "tiles": int(rng.integers(1, 5000)),
            "view": bool(number % 2),
            "found_by": ("tile", "chirp")[number % 2],
            "chirp_mass": 10.0 + number if number % 2 else None,
        }
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=TRIGGERS)


@pytest.fixture
def run(tmp_path, triggers):
    """Folder of a run with its triggers."""
    folder = tmp_path / "results" / "demo"
    write_table(folder / "triggers.parquet", TRIGGERS, triggers, {"gwmorph.render_id": "abc"})
    for detector in ("H1", "L1"):
        name = span_name(detector, "LEDGER", 1126256640, 4096, "parquet")
        write_table(folder / "ledger" / name, LEDGER, LEDGER.empty_table(), {})
    (folder / "config.yaml").touch()
    return folder


@pytest.mark.parametrize("suffix", ["h5", "hdf5", "hdf"])
def test_gwpy_reads_every_column_from_hdf5(tmp_path, triggers, suffix):
    path = tmp_path / f"t.{suffix}"
    export_triggers(triggers, path, {"gwmorph.render_id": "abc"})
    found = EventTable.read(path, format="hdf5", path="triggers")
    assert len(found) == 7
    assert found.meta["gwmorph.render_id"] == "abc"
    # Omicron's own
    assert {"time", "frequency", "tstart", "tend", "fstart", "fend", "snr", "q", "amplitude"} <= {
        *found.colnames
    }
    assert [str(value) for value in found["ifo"]] == triggers["detector"].to_pylist()
    assert [str(value) for value in found["found_by"]] == triggers["found_by"].to_pylist()
    for name in set(triggers.column_names) - {"detector", "found_by"}:
        expected = [np.nan if value is None else value for value in triggers[name].to_pylist()]
        np.testing.assert_array_equal(found[name], expected, err_msg=name)


def test_gwpy_reads_sngl_burst_from_ligo_lw(tmp_path, triggers):
    path = tmp_path / "t.xml"
    export_triggers(triggers, path, {})
    columns = [
        "ifo", "peak", "start", "stop", "duration", "peak_frequency", "central_freq", "bandwidth",
        "flow", "fhigh", "snr", "amplitude", "param_one_name", "param_one_value", "search",
        "param_two_name", "param_two_value", "confidence",
    ]  # fmt: skip
    found = EventTable.read(path, format="ligolw", tablename="sngl_burst", columns=columns)
    assert list(found["ifo"]) == triggers["detector"].to_pylist()
    assert list(found["search"]) == ["gwmorph", "gwmorph:chirp"] * 3 + ["gwmorph"]
    assert set(found["param_one_name"]) == {"q"}
    assert set(found["param_two_name"]) == {"chirp_mass"}
    masses = triggers["chirp_mass"].to_numpy()
    assert np.isnan(masses).sum() == 4
    np.testing.assert_array_equal(np.asarray(found["param_two_value"], float), masses)
    for name, source in (("peak", "peak_time"), ("start", "tstart"), ("stop", "tend")):
        times = [float(time) for time in found[name]]
        np.testing.assert_allclose(times, triggers[source].to_numpy(), rtol=0, atol=1e-6)
    for name, source in (
        ("duration", "duration"), ("peak_frequency", "peak_frequency"), ("snr", "snr"),
        ("central_freq", "frequency"), ("bandwidth", "bandwidth"), ("flow", "fstart"),
        ("fhigh", "fend"), ("amplitude", "amplitude"), ("param_one_value", "q"),
        ("confidence", "significance"),
    ):  # fmt: skip
        np.testing.assert_allclose(found[name], triggers[source].to_numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["t.h5", "t.xml"])
def test_no_triggers_are_an_empty_table(tmp_path, triggers, name):
    path = tmp_path / name
    export_triggers(triggers.slice(0, 0), path, {})
    which = {"path": "triggers"} if name == "t.h5" else {"tablename": "sngl_burst"}
    kind = "hdf5" if name == "t.h5" else "ligolw"
    assert len(EventTable.read(path, format=kind, **which)) == 0


def test_equal_triggers_give_equal_bytes(tmp_path, triggers):
    for name in ("t.h5", "t.xml"):
        contents = []
        for _ in range(2):
            export_triggers(triggers, tmp_path / name, {})
            contents.append((tmp_path / name).read_bytes())
        assert contents[0] == contents[1]


def test_another_ending_is_refused_and_nothing_written(tmp_path, triggers):
    with pytest.raises(TableError, match=r"t\.csv: expected a name that ends in one of \.h5"):
        export_triggers(triggers, tmp_path / "t.csv", {})
    assert not list(tmp_path.iterdir())


def test_the_command_writes_a_runs_triggers(run, tmp_path, capsys):
    path = tmp_path / "t.hdf5"
    assert main(["triggers", str(run), "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 7 triggers\n"
    found = EventTable.read(path, format="hdf5", path="triggers")
    assert len(found) == 7
    assert found.meta["gwmorph.render_id"] == "abc"


def test_triggers_of_an_interrupted_run_are_said_to_be(run, tmp_path, capsys):
    (run / "config.yaml").unlink()
    assert main(["triggers", str(run), "--out", str(tmp_path / "t.h5")]) == 0
    assert "Not finished: " in capsys.readouterr().out


def test_the_command_can_write_one_detector(run, tmp_path):
    path = tmp_path / "t.xml"
    assert main(["triggers", str(run), "--out", str(path), "--detector", "L1"]) == 0
    found = EventTable.read(path, format="ligolw", tablename="sngl_burst", columns=["ifo"])
    assert list(found["ifo"]) == ["L1"] * 3


def test_a_detector_that_the_run_has_not_is_refused_and_nothing_written(run, tmp_path, capsys):
    path = tmp_path / "t.h5"
    assert main(["triggers", str(run), "--out", str(path), "--detector", "V1"]) == 1
    assert f"{run}: holds nothing of V1, but of H1, L1" in capsys.readouterr().err
    assert not path.exists()


def test_a_detector_of_the_run_may_have_no_triggers(run, tmp_path, triggers):
    write_table(run / "triggers.parquet", TRIGGERS, triggers[:4], {})
    path = tmp_path / "t.h5"
    assert main(["triggers", str(run), "--out", str(path), "--detector", "L1"]) == 0
    assert len(EventTable.read(path, format="hdf5", path="triggers")) == 0


@pytest.mark.parametrize("name", ["t.h5", "t.xml"])
def test_the_umask_says_who_may_read_an_export(run, tmp_path, name):
    before = os.umask(0o002)
    try:
        assert main(["triggers", str(run), "--out", str(tmp_path / name)]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize(
    ("folder", "out", "said"),
    [("nowhere", "t.h5", "run snakemake to its end first"), ("demo", "t.root", "expected a name")],
)
def test_the_command_says_what_is_wrong(run, tmp_path, capsys, folder, out, said):
    assert main(["triggers", str(run.parent / folder), "--out", str(tmp_path / out)]) == 1
    assert said in capsys.readouterr().err
