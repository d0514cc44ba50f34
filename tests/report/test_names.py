"""Names of clusters in words, and in every place that shows them."""

import re

import pyarrow as pa
import pytest

from gwmorph.errors import TableError
from gwmorph.report.names import ClusterName, names_of, read_names
from gwmorph.tables.parquet import write_table
from gwmorph.tables.validation import NAMED_CLUSTERS

WHISTLE = ClusterName("whistle", agreeing=36, neighbors=41, unknown=0.02)
NONE = ClusterName("", agreeing=20, neighbors=60, unknown=0.9)


def table(*rows):
    names = NAMED_CLUSTERS.names
    records = [dict(zip(names, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(records, schema=NAMED_CLUSTERS)


@pytest.mark.parametrize(
    ("name", "words", "line"),
    [
        (
            WHISTLE,
            "whistle, 88 % of 41 neighbours agree",
            "whistle, 88 % of 41 neighbours agree; 2 % of members far from all labels",
        ),
        (
            NONE,
            "no known class (33 % of 60 neighbours agree)",
            "no known class (33 % of 60 neighbours agree); 90 % of members far from all labels",
        ),
        (
            ClusterName("", 0, 0, 1.0),
            "no known class (too few labelled rows)",
            "no known class (too few labelled rows)",
        ),
        (
            ClusterName("Low_Frequency_Burst\nof ours", 1500, 1500, 0.0),
            "Low Frequency Burst of ours, 100 % of 1,500 neighbours agree",
            "Low Frequency Burst\N{HORIZONTAL ELLIPSIS}, 100 % of 1,500 neighbours agree; "
            "0 % of members far from all labels",
        ),
    ],
)
def test_a_name_stands_with_its_evidence(name, words, line):
    assert name.words == words
    assert name.line == line


def test_names_go_by_number_in_whatever_order_the_rows_are():
    rows = [(0, "whistle", 36, 41, 0.02), (1, "", 20, 60, 0.9), (2, "blip", 5, 10, 0.5)]
    expected = names_of(table(*rows))
    assert expected == {0: WHISTLE, 1: NONE, 2: ClusterName("blip", 5, 10, 0.5)}
    assert list(names_of(table(*rows[::-1])).items()) == list(expected.items())


def test_names_of_other_clusters_are_refused(tmp_path):
    path = tmp_path / "named_clusters.parquet"
    clusters = pa.table({"cluster": pa.array([1, 0, 1, 2, 0], pa.int32())})

    def read(*numbers):
        rows = table(*((number, "blip", 1, 2, 0.0) for number in numbers))
        write_table(path, NAMED_CLUSTERS, rows)
        return read_names([path], clusters)

    assert set(read(2, 0, 1)) == {0, 1, 2}
    for numbers in ((0, 1), (0, 1, 3), (0, 1, 1), (0, 1, 1, 2), ()):
        listed = ", ".join(map(str, numbers)) or "none"
        said = f"{path}: expected a name for each of the clusters 0, 1, 2, got names for {listed}."
        with pytest.raises(TableError, match=f"^{re.escape(said)}.* remove the table"):
            read(*numbers)


def test_a_run_without_clusters_has_no_names_and_one_without_a_table_none(tmp_path):
    nothing = pa.table({"cluster": pa.array([], pa.int32())})
    write_table(tmp_path / "n.parquet", NAMED_CLUSTERS, table())
    assert read_names([tmp_path / "n.parquet"], nothing) == {}
    assert read_names([], nothing) is None
