"""GWOSC's table of event versions: what is read of it, and how its faults are told."""

from pathlib import Path

import pytest

from gwmorph.errors import TableError
from gwmorph.evidence.catalog import catalog_of, read_catalog
from gwmorph.tables.known_events import CATALOG

HEADER = "name,shortName,gps,version,catalog,detectors\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_latest_version_of_each_event_counts(tmp_path):
    path = written(
        tmp_path,
        HEADER
        + "GW2,GW2-v1,1300.5,1,B,H1 L1\n"
        + "GW1,GW1-v1,1200.4,1,A,H1\n"
        + 'GW1,GW1-v3,1200.6,3,B,"H1,V1"\n'
        + "GW1,GW1-v2,1200.5,2,A,\n",
    )
    found = read_catalog(path)
    assert found.schema.equals(CATALOG)
    assert found.to_pylist() == [
        {"name": "GW1", "gps_time": 1200.6, "version": 3, "release": "B",
         "detectors": ["H1", "V1"]},
        {"name": "GW2", "gps_time": 1300.5, "version": 1, "release": "B",
         "detectors": ["H1", "L1"]},
    ]  # fmt: skip
    assert read_catalog(path, ["A"])["version"].to_pylist() == [2]


def test_a_table_need_not_tell_detectors(tmp_path):
    path = written(tmp_path, "gps,name,version,catalog\n1200.4,GW1,1,A\n")
    assert read_catalog(path)["detectors"].to_pylist() == [None]


@pytest.mark.parametrize("cell", ["H1 L1", "H1;L1", "['H1', 'L1']"])
def test_detectors_are_read_however_they_are_written(tmp_path, cell):
    path = written(tmp_path, HEADER + f'GW1,GW1-v1,1200.4,1,A,"{cell}"\n')
    assert read_catalog(path)["detectors"].to_pylist() == [["H1", "L1"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GPStime,snr,label\n1,2,Blip\n", "no column name, gps, version, catalog; it has GPStime"),
        (HEADER, "holds no event"),
        ("", "no column"),
        (HEADER + "GW1,GW1-v1,1200.4,1,A,H1 X1\n", "line 2: unknown detector 'X1'; known are H1"),
        (HEADER + "GW1,GW1-v1,soon,1,A,\n", "line 2: gps is 'soon', expected a number"),
        (HEADER + "GW1,GW1-v1,-5,1,A,\n", "line 2: gps is -5"),
        (HEADER + "GW1,GW1-v1,1200,1.5,A,\n", "version is 1.5"),
        (HEADER + "GW1,GW1-v1,1200,1e30,A,\n", "version is 1e30, expected a whole number b"),
        (HEADER + "GW1,GW1-v1,1200,-1,A,\n", "version is -1"),
        (HEADER + "GW1,GW1-v1,1200,1,A,\n,x,1,1,A,\n", "line 3: no value of name"),
        (HEADER + "GW1,GW1-v1,1200,1,A,\nGW1,GW1-v1,1300,1,B,\n", "version 1 of GW1 stands there"),
        (HEADER + "GW1,GW1-v1,nan,1,A,\n", "no GPS time"),
    ],
)  # fmt: skip
def test_faults_name_the_line_and_what_is_wrong(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(TableError, match=r"events\.csv") as fault:
        read_catalog(path)
    assert said in str(fault.value)


def test_a_release_that_the_file_has_not_is_refused_with_those_that_it_has(tmp_path):
    path = written(tmp_path, HEADER + "GW1,GW1-v1,1200,1,GWTC-1-confident,\n")
    with pytest.raises(TableError, match=r"no event of GWTC-9; its releases are GWTC-1-confident"):
        read_catalog(path, ["GWTC-9"])


def test_a_file_that_is_not_there_or_no_text_is_an_error(tmp_path):
    with pytest.raises(TableError, match="cannot be read as CSV"):
        read_catalog(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    with pytest.raises(TableError, match="cannot be read as CSV"):
        read_catalog(tmp_path / "binary.csv")


def test_rows_of_the_api_are_read_as_those_of_a_file():
    row = {"name": "GW1", "shortName": "GW1-v1", "gps": 1200.4, "version": 1, "catalog": "A",
           "detectors": ["H1", "L1"]}  # fmt: skip
    assert catalog_of([row], [], "host").to_pylist()[0]["detectors"] == ["H1", "L1"]
    assert len(catalog_of([], [], "host")) == 0
    assert len(catalog_of([row], ["B"], "host")) == 0
    with pytest.raises(TableError, match="host: row 0: no value of catalog"):
        catalog_of([row | {"catalog": None}], [], "host")


def test_detectors_that_no_run_has_any_more_are_known():
    row = {"name": "blind", "gps": 968654557.9, "version": 1, "catalog": "A", "detectors": ["H2"]}
    assert catalog_of([row], [], "host")["detectors"].to_pylist() == [["H2"]]


def test_the_real_table_has_each_event_once(real_data):
    found = read_catalog(real_data / "events" / "gwosc_event_versions.csv")
    names = found["name"].to_pylist()
    assert len(names) == len(set(names)) == 122
    first = found.filter([name == "GW150914" for name in names]).to_pylist()[0]
    assert (first["gps_time"], first["version"]) == (1126259462.4, 3)
    assert first["release"] == "GWTC-1-confident"
