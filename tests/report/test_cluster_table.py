import csv
import re

import pyarrow as pa
import pytest
from matplotlib.colors import to_hex

from gwmorph.config import ClusteringConfig
from gwmorph.morphology.clustering import cluster
from gwmorph.report.cluster_table import (
    mixture_note,
    mixture_warnings,
    null_note,
    write_cluster_csv,
    write_cluster_html,
)
from gwmorph.report.names import ClusterName
from gwmorph.report.palette import cluster_color
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from morphology.planted import blobs

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
    assert page.count("<td>no</td>") == 2  # one unsupported, one in UMAP alone
    assert "9 groups, joined to 6 clusters, 5 of them supported" in page
    assert "an overlap of 0.123 or more" in page


NAMES = {
    0: ClusterName("Koi_Fish", 87, 100, 0.02),
    1: ClusterName('a "class", of ours <b>', 60, 100, 0.4),
    2: ClusterName("", 20, 60, 0.9),
}


def test_names_stand_beside_their_clusters_with_their_evidence(tmp_path, run_tables):
    summary = run_tables(clusters=3).summary
    write_cluster_csv(summary.take([2, 0, 1]), tmp_path / "c.csv", dict(reversed(NAMES.items())))
    with (tmp_path / "c.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[len(CLUSTER_SUMMARY) :] == ["named", "agreeing", "neighbors", "unknown"]
    for number, row in enumerate(rows):
        name = NAMES[int(row["cluster"])]
        assert int(row["cluster"]) == number
        assert (row["named"], int(row["agreeing"])) == (name.named, name.agreeing)
        assert (int(row["neighbors"]), float(row["unknown"])) == (name.neighbors, name.unknown)
    write_cluster_html(summary.take([2, 0, 1]), DIAGNOSTICS, tmp_path / "c.html", NAMES)
    page = (tmp_path / "c.html").read_text()
    assert page.count("<th title=") == len(CLUSTER_SUMMARY) + 2
    said = re.findall(r"&nbsp;(\d+)</td><td class=\"words\">(.*?)</td><td>(.*?)</td>", page)
    assert said == [
        ("0", "Koi Fish, 87 % of 100 neighbours agree", "2 %"),
        ("1", "a &quot;class&quot;, of ours &lt;b&gt;, 60 % of 100 neighbours agree", "40 %"),
        ("2", "no known class (33 % of 60 neighbours agree)", "90 %"),
    ]


def test_without_names_nothing_is_shown_of_them(tmp_path, run_tables):
    summary = run_tables(clusters=3).summary
    write_cluster_csv(summary, tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_text().split("\n")[0].endswith(",medoid_trigger_time_s")
    write_cluster_html(summary, DIAGNOSTICS, tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    assert not [word for word in ("looks like", "labels", "known class") if word in page]


def test_a_run_that_is_named_has_the_columns_without_clusters_too(tmp_path):
    write_cluster_csv(CLUSTER_SUMMARY.empty_table(), tmp_path / "c.csv", {})
    assert (tmp_path / "c.csv").read_text().endswith(",named,agreeing,neighbors,unknown\n")


def test_empty_tables_are_written_with_their_heads(tmp_path):
    empty = CLUSTER_SUMMARY.empty_table()
    write_cluster_csv(empty, tmp_path / "clusters.csv")
    write_cluster_html(empty, TOO_FEW, tmp_path / "clusters.html")
    assert (tmp_path / "clusters.csv").read_text().count("\n") == 1
    page = (tmp_path / "clusters.html").read_text()
    assert "<td>" not in page
    assert "0 rows, too few to cluster (at least 16)" in page


def test_html_gives_every_digit_that_counts(tmp_path, run_tables):
    (row,) = run_tables(clusters=1).summary.to_pylist()
    row |= {"medoid_trigger_time": 1262301190.421875, "median_frequency": 1234.56, "p_value": 0.02}
    write_cluster_html(
        pa.Table.from_pylist([row], schema=CLUSTER_SUMMARY), DIAGNOSTICS, tmp_path / "c.html"
    )
    page = (tmp_path / "c.html").read_text()
    assert "<td>1262301190.422</td>" in page
    assert f"<td>{row['medoid_gps_start']}</td>" in page
    assert "<td>1,235</td>" in page
    assert "<td>0.02</td>" in page
    assert not re.search(r"<td>[^<]*e[+-]\d", page)


def test_html_shows_the_colours_of_the_figures(tmp_path, run_tables):
    write_cluster_html(run_tables(clusters=3).summary, DIAGNOSTICS, tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    assert all(to_hex(cluster_color(number)) in page for number in range(3))


FITTED = DIAGNOSTICS | {
    "starts": 9,
    "starts_converged": 7,
    "converged": True,
    "iterations": 312,
    "truncations": [40, 80],
    "components_used": 47,
    "effective_components": 23.456,
}


def notes_of(tmp_path, diagnostics, run_tables):
    write_cluster_html(run_tables(clusters=3).summary, diagnostics, tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    return re.findall(r"<p>(.*?)</p>", page)[1:]


def test_the_fit_of_a_mixture_is_told_below_the_table(tmp_path, run_tables):
    assert notes_of(tmp_path, FITTED, run_tables) == [
        "The mixture: 7 of 9 starts converged, and the best of all is taken. It uses 47 of the 80 "
        "components that it may; by their weights they count as 23.5 equal ones."
    ]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"converged": False}, ["did not converge in 312 iterations"]),
        ({"components_used": 80}, ["uses every component that it may"]),
        ({"components_used": 79}, []),
        (
            {"converged": False, "components_used": 80},
            ["mixture.max_iterations", "mixture.components"],
        ),
    ],
)
def test_a_mixture_that_fell_short_is_warned_of(tmp_path, run_tables, fault, said):
    warnings = notes_of(tmp_path, FITTED | fault, run_tables)[1:]
    assert len(warnings) == len(said)
    for warning, words in zip(warnings, said, strict=True):
        assert warning.startswith("<strong>Warning: the mixture ")
        assert words in warning


def test_of_what_is_no_mixture_nothing_is_told(tmp_path, run_tables):
    for diagnostics in (DIAGNOSTICS | {"method": "communities"}, TOO_FEW):
        assert notes_of(tmp_path, diagnostics, run_tables) == []


def test_a_real_fit_tells_of_its_components():
    """Two blobs; 35 rows allow eight components in their layout of three dimensions."""
    vectors, _ = blobs((20, 15), seed=3)
    diagnostics = cluster(vectors, ClusteringConfig(), 1).diagnostics
    (note,) = mixture_note(diagnostics)
    assert "3 of 3 starts converged" in note
    assert "uses 2 of the 8 components that it may" in note
    assert mixture_warnings(diagnostics) == []


def test_one_of_a_kind_is_singular():
    one = dict.fromkeys(DIAGNOSTICS, 1) | {"method": "mixture", "clustered": True}
    note = null_note(one)
    assert "1 group, joined to 1 cluster, 1 of them" in note
    assert "1 structureless cloud overlap" in note
    assert note.endswith("1 row, 1 outlier among them.")


def test_table_counts_members_that_are_new_where_that_is_known(tmp_path, run_tables):
    summary = run_tables(clusters=2).summary
    novel = {0: 7, 1: 0}
    write_cluster_csv(summary, tmp_path / "clusters.csv", novel=novel)
    with (tmp_path / "clusters.csv").open(newline="") as stream:
        assert [row["novel"] for row in csv.DictReader(stream)] == ["7", "0"]
    write_cluster_html(summary, DIAGNOSTICS, tmp_path / "clusters.html", novel=novel)
    page = (tmp_path / "clusters.html").read_text()
    assert ">NOVEL</th>" in page
    assert "<td>7</td></tr>" in page


def test_table_counts_members_that_show_something_known(tmp_path, run_tables):
    summary = run_tables(clusters=2).summary
    counts = {"novel": {0: 7, 1: 0}, "known": {0: 0, 1: 3}}
    write_cluster_csv(summary, tmp_path / "clusters.csv", **counts)
    with (tmp_path / "clusters.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["novel"], row["known_events"]) for row in rows] == [("7", "0"), ("0", "3")]
    write_cluster_html(summary, DIAGNOSTICS, tmp_path / "clusters.html", **counts)
    page = (tmp_path / "clusters.html").read_text()
    assert ">known events</th></tr>" in page
    assert "<td>7</td><td>0</td></tr>" in page
    assert "<td>0</td><td>3</td></tr>" in page
