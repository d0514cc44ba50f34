import csv

from gwmorph.report.cluster_table import write_cluster_csv, write_cluster_html
from gwmorph.tables.clusters import CLUSTER_SUMMARY

DIAGNOSTICS = {
    "clustered": True,
    "method": "mixture",
    "rows": 1080,
    "groups_before_joining": 9,
    "clusters": 6,
    "clusters_supported": 5,
    "overlap_limit": 0.1234,
    "null_surrogates": 20,
    "null_level": 0.1567,
    "outliers": 22,
}
TOO_FEW = {"clustered": False, "rows": 0, "minimum_rows": 16}


def test_csv_holds_the_table_and_names_units(tmp_path, run_tables):
    summary = run_tables(clusters=6).summary
    write_cluster_csv(summary.take([3, 0, 5, 1, 4, 2]), tmp_path / "clusters.csv")
    with (tmp_path / "clusters.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert "median_frequency_hz" in rows[0]
    assert "medoid_gps_start_s" in rows[0]
    for row, expected in zip(rows, summary.to_pylist(), strict=True):
        assert int(row["members"]) == expected["members"]
        assert float(row["share"]) == expected["share"]
        assert int(row["medoid_gps_start_s"]) == expected["medoid_gps_start"]


def test_html_has_a_row_for_every_cluster_and_explains_its_columns(tmp_path, run_tables):
    summary = run_tables(clusters=6).summary
    write_cluster_html(summary, DIAGNOSTICS, tmp_path / "clusters.html")
    page = (tmp_path / "clusters.html").read_text()
    assert page.count("<tr>") == 1 + 6
    assert page.count("<th title=") == len(CLUSTER_SUMMARY)
    assert "median frequency [Hz]" in page
    for row in summary.to_pylist():
        assert f"<td>{row['members']}</td>" in page
    assert page.count("<td>no</td>") == 1
    assert "9 groups, joined to 6 clusters, of which 5 are supported" in page
    assert "an overlap of 0.123 or more" in page


def test_empty_tables_are_written_with_their_heads(tmp_path):
    empty = CLUSTER_SUMMARY.empty_table()
    write_cluster_csv(empty, tmp_path / "clusters.csv")
    write_cluster_html(empty, TOO_FEW, tmp_path / "clusters.html")
    assert (tmp_path / "clusters.csv").read_text().count("\n") == 1
    page = (tmp_path / "clusters.html").read_text()
    assert "<td>" not in page
    assert "0 rows are too few to cluster (at least 16)" in page
