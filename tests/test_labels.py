"""Labels by others: what is read, how faults are named, and where a run meets them."""

import pyarrow as pa
import pytest

from gwmorph import labels as fate
from gwmorph.errors import TableError
from gwmorph.labels import fates, matching_triggers, read_labels
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.labels import LABELS

HEADER = "GPStime,peakFreq,snr,amplitude,confidence,id,ifo,label"
ROW = "1252747032.963,217.7,45.9,1.7e-22,0.999,UjLN,H1,Blip"


@pytest.fixture
def write(tmp_path):
    def written(*rows, header=HEADER):
        path = tmp_path / "labels.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return written


def test_labels_come_by_detector_and_time_with_what_the_file_has(write):
    other = "1252747000.5,30,8,1e-22,0.5,abcd,L1,Scattered_Light"
    early = "1252747000.5,30,8,1e-22,0.5,efgh,H1,Tomte"
    table = read_labels(write(other, ROW, early))
    assert table.schema.equals(LABELS)
    assert table["gravityspy_id"].to_pylist() == ["efgh", "UjLN", "abcd"]
    row = table.to_pylist()[1]
    assert row["gps_time"] == 1252747032.963
    assert (row["detector"], row["label"], row["confidence"]) == ("H1", "Blip", 0.999)
    assert (row["peak_frequency"], row["snr"], row["amplitude"]) == (217.7, 45.9, 1.7e-22)
    assert row["duration"] is None


@pytest.mark.parametrize("column", ["GPStime", "ifo", "label", "confidence", "id", "snr"])
def test_missing_columns_are_named(write, column):
    path = write(ROW, header=f",{HEADER},".replace(f",{column},", ",other,")[1:-1])
    with pytest.raises(TableError, match=rf"labels.csv: no column {column}; it has .*other"):
        read_labels(path)


def test_unknown_detectors_are_named_with_their_lines(write):
    wrong = ROW.replace("H1", "H2").replace("UjLN", "x")
    with pytest.raises(TableError, match=r"1 ifo value unknown; known are H1.*: H2 \(line 3\)"):
        read_labels(write(ROW, wrong))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1252747032.963", "late", r"1 GPStime value no number.*: late \(line 2\)"),
        ("1252747032.963", "", r"1 GPStime value no number.*: \(line 2\)"),
        ("1252747032.963", "inf", r"1 GPStime value no number.*: inf"),
        ("1252747032.963", '"1252747032,963"', r"decimal point: 1252747032,963 \(line 2\)"),
        ("1252747032.963", "-5", r"1 GPS time not positive: -5.0 \(line 2\)"),
        ("45.9", "loud", r"1 snr value no number.*: loud"),
        ("Blip", " ", r"1 label value empty: \(line 2\)"),
        ("UjLN", "", r"1 id value empty: \(line 2\)"),
    ],
)
def test_values_that_make_no_sense_are_named(write, old, new, message):
    with pytest.raises(TableError, match=message):
        read_labels(write(ROW.replace(old, new)))


def test_many_faults_are_counted_and_some_named(write):
    rows = [ROW.replace("45.9", "x").replace("UjLN", f"n{i}") for i in range(8)]
    with pytest.raises(TableError, match=r"8 snr values no number.*\(line 6\) and 3 more"):
        read_labels(write(*rows))


@pytest.mark.parametrize(
    "changed",
    [
        ("UjLN", "other"),
        ("1252747032.963", "1252747099.0"),
        ("1252747032.963,217.7,45.9,1.7e-22,0.999,UjLN", "1252747032.964,2,3,4,5,other"),
    ],
)
def test_two_classes_of_one_transient_name_both_lines(write, changed):
    other = ROW.replace("Blip", "Tomte").replace(*changed)
    message = r"line 2 says Blip and line 4 says Tomte of one transient of H1"
    with pytest.raises(TableError, match=message):
        read_labels(write(ROW, ROW.replace("H1", "L1").replace("Blip", "Tomte"), other))


def test_two_transients_may_follow_each_other(write):
    other = ROW.replace("Blip", "Tomte").replace("963", "967").replace("UjLN", "other")
    assert read_labels(write(ROW, other))["label"].to_pylist() == ["Blip", "Tomte"]


def test_a_line_that_is_there_twice_counts_once(write):
    assert len(read_labels(write(ROW, ROW, ROW.replace("H1", "L1")))) == 2


def test_empty_and_unreadable_files_are_named(write, tmp_path):
    with pytest.raises(TableError, match=r"labels.csv: holds no label"):
        read_labels(write())
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(TableError, match=r"empty.csv: no column ifo, .*it has none.*tabs"):
        read_labels(tmp_path / "empty.csv")
    with pytest.raises(TableError, match=r"missing.csv: cannot be read as CSV"):
        read_labels(tmp_path / "missing.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("case", [str.lower, str.upper, str])
def test_what_spreadsheets_make_of_a_file_is_read(tmp_path, delimiter, encoding, case):
    path = tmp_path / "labels.csv"
    text = f"{case(HEADER)}\n{ROW}\n".replace(",", delimiter)
    path.write_text(text, encoding=encoding)
    (row,) = read_labels(path).to_pylist()
    assert (row["label"], row["detector"], row["gps_time"]) == ("Blip", "H1", 1252747032.963)
    assert row["peak_frequency"] == 217.7


def test_a_column_as_it_is_written_in_releases_comes_first(write):
    table = read_labels(write(f"{ROW},Other", header=f"{HEADER},LABEL"))
    assert table["label"].to_pylist() == ["Blip"]


def test_another_encoding_is_refused(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(f"{HEADER}\n{ROW.replace('Blip', 'Blïp')}\n", encoding="latin-1")
    with pytest.raises(TableError, match=r"cannot be read as CSV: line 2 is not in UTF-8 "):
        read_labels(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_faults_are_named_by_the_line_of_the_file(tmp_path, end):
    """Behind an empty line, and behind a line break within quotes."""
    quoted = ROW.replace("UjLN", f'"in{end}two"').replace("1252747032.963", "1252747001.0")
    wrong = ROW.replace("45.9", "loud").replace("UjLN", "last")
    path = tmp_path / "labels.csv"
    path.write_bytes(end.join([HEADER, "", ROW, quoted, wrong]).encode())
    with pytest.raises(TableError, match=r"loud \(line 6\)"):
        read_labels(path)


def test_lines_of_another_length_are_named(write):
    short, long = ROW.removesuffix(",Blip"), ROW.replace("963,", "963,5,")
    message = r"header names 8 columns, .*values in 2 lines: 7 \(line 3\), 9 \(line 4\)"
    with pytest.raises(TableError, match=message):
        read_labels(write(ROW, short, long))


@pytest.mark.parametrize("row", ['"unfinished', '"x"y,1'])
def test_quotes_that_do_not_fit_are_named(write, row):
    with pytest.raises(TableError, match=r"cannot be read as CSV: .* \(line 3\)"):
        read_labels(write(ROW, row, ROW))


def test_another_delimiter_is_told_what_delimiters_are_read(write):
    with pytest.raises(TableError, match=r"it has GPStime\|.*with commas, semicolons or tabs"):
        read_labels(write(ROW.replace(",", "|"), header=HEADER.replace(",", "|")))


def labelled(*places):
    rows = [
        {
            "detector": detector,
            "gps_time": time,
            "label": "Blip",
            "confidence": 1.0,
            "gravityspy_id": f"n{i}",
            "snr": 10.0,
            "peak_frequency": 100.0,
        }
        for i, (detector, time) in enumerate(places)
    ]
    return pa.Table.from_pylist(rows, schema=LABELS)


def triggers(*spans):
    rows = [
        {"detector": detector, "peak_time": peak, "tstart": start, "tend": end}
        for detector, start, peak, end in spans
    ]
    names = ("detector", "peak_time", "tstart", "tend")
    return pa.Table.from_pylist(rows, schema=pa.schema([TRIGGERS.field(name) for name in names]))


def test_a_label_means_the_nearest_trigger_whose_span_holds_it():
    found = triggers(
        ("H1", 100.0, 100.1, 100.2),
        ("L1", 100.0, 100.1, 100.2),
        ("H1", 90.0, 95.0, 101.0),
        ("H1", 200.0, 200.1, 200.2),
    )
    places = [("H1", 100.12), ("L1", 100.0), ("H1", 100.6), ("H1", 101.24), ("H1", 101.3)]
    places += [("H1", 199.8), ("H1", 199.7), ("V1", 100.1)]
    expected = [0, 1, 2, 2, None, 3, None, None]
    assert matching_triggers(labelled(*places), found) == expected
    assert matching_triggers(labelled(*places), triggers()) == [None] * len(places)


def test_every_label_has_a_fate():
    ledger = pa.Table.from_pylist(
        [
            {
                "detector": "H1",
                "gps_start": start,
                "duration_s": 32,
                "block": 0,
                "status": "excluded" if reason else "analysed",
                "reason": reason,
            }
            for start, reason in ((64, None), (32, "nan"), (128, None))
        ],
        schema=LEDGER,
    )
    places = [("H1", 40.0), ("H1", 64.0), ("H1", 100.0), ("H1", 159.9), ("H1", 160.0)]
    places += [("L1", 70.0), ("H1", 127.9)]
    matched = [None] * 6 + [4]
    assert fates(labelled(*places), ledger, matched) == [
        fate.EXCLUDED,
        fate.WITHOUT_TRIGGER,
        fate.NO_WINDOW,
        fate.WITHOUT_TRIGGER,
        fate.NO_WINDOW,
        fate.NO_DETECTOR,
        fate.WITH_TRIGGER,
    ]


def test_gravity_spys_release_is_read(real_data):
    path = real_data / "labels" / "gravityspy_O3a_sample.csv"
    table = read_labels(path)
    assert len(table) == 170
    assert len(set(table["label"].to_pylist())) == 17
    assert not any(table[name].null_count for name in table.column_names)


def test_a_label_that_begins_with_nul_is_not_taken_for_none(tmp_path):
    text = "GPStime,ifo,label,confidence,id,snr,peakFreq\n1,H1,\0Blip,1,a,9,100\n"
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(TableError, match=r"a\.csv: .* line 2 holds a NUL"):
        read_labels(tmp_path / "a.csv")
