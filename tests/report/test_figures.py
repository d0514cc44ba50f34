import csv
import hashlib
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gwmorph.report import figures
from gwmorph.report.palette import cluster_color
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.block import LEDGER
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS

START = 1262301184
SCALE = figures.GalleryScale(32, 20, 1291, 25.5)
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
RUNS = {
    "usual": {},
    "none": {"windows": 0},
    "one_window": {"detectors": ("H1",), "windows": 2, "clusters": 1, "lost_every": 2},
    "one_cluster": {"detectors": ("V1",), "windows": 60, "clusters": 1},
    "thirty_clusters": {"windows": 1200, "clusters": 30},
    "five_detectors": {"detectors": ("G1", "H1", "K1", "L1", "V1"), "windows": 40},
    "all_lost": {"lost_every": 1},
}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pictures_of(folder: Path, count: int, shape: tuple[int, int] = (224, 224)) -> list[Path]:
    scale = PictureScale("linear", 25.5, "cividis")
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        write_picture(path, np.full(shape, number, dtype=np.uint8), scale)
    return paths


# -- the map --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_map_and_occupancy_are_drawn_for_any_run(tmp_path, run_tables, name):
    tables = run_tables(**RUNS[name])
    figures.draw_map(tables.clusters, "window", tmp_path / "map.png")
    figures.draw_occupancy(
        tables.clusters, "window", tables.ledger, 1024, tmp_path / "occupancy.png"
    )
    for path in (tmp_path / "map.png", tmp_path / "occupancy.png"):
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert min(image.size) > 500


def test_map_shows_the_colours_of_its_clusters_and_of_no_other(tmp_path, run_tables):
    figures.draw_map(run_tables(clusters=4).clusters, "window", tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        left = image.convert("RGB").crop((0, 0, image.width * 6 // 16, image.height))
        colours = {colour for _, colour in left.getcolors(1 << 24)}
    wanted = [tuple(round(255 * part) for part in cluster_color(number)) for number in range(5)]
    assert all(near(colour, colours) for colour in wanted[:4])
    assert not near(wanted[4], colours)


def near(colour: tuple[int, ...], others: set) -> bool:
    return any(max(abs(np.subtract(colour, other))) <= 1 for other in others)


def test_same_rows_give_the_same_bytes_whatever_the_users_settings(tmp_path, run_tables):
    tables = run_tables()
    examples = figures.choose_examples(0, tables.clusters, tables.summary, 5)
    pictures = pictures_of(tmp_path, 5)

    def draw(folder: Path) -> list[str]:
        figures.draw_map(tables.clusters, "event", folder / "map.png")
        figures.draw_occupancy(tables.clusters, "event", tables.ledger, 1024, folder / "o.png")
        figures.draw_gallery(0, "event", examples, pictures, SCALE, folder / "gallery.png")
        return [digest(path) for path in sorted(folder.iterdir())]

    first = draw(tmp_path / "first")
    with mpl.rc_context({"font.size": 31, "savefig.dpi": 40, "axes.facecolor": "red"}):
        assert draw(tmp_path / "second") == first


def test_figures_store_neither_date_nor_software(tmp_path, run_tables):
    figures.draw_map(run_tables().clusters, "window", tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert set(image.info) <= {"dpi"}


def test_first_27_clusters_have_distinct_colours():
    colours = np.array([cluster_color(number) for number in range(27)])
    apart = np.abs(colours[:, None] - colours[None]).max(axis=-1) + np.eye(27)
    assert apart.min() > 0.05
    assert colours.min() >= 0
    assert colours.max() <= 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900)), min_size=0, max_size=30))
def test_labels_end_up_apart(points):
    places = figures.spread_labels(np.array(points).reshape(-1, 2), distance=36)
    gaps = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0))
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min(initial=np.inf) > 0.9 * 36


def test_labels_that_are_apart_stay_where_they_are():
    points = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    np.testing.assert_allclose(figures.spread_labels(points, distance=36), points, atol=0.2)


def test_map_names_doubtful_clusters_and_rings_outliers(tmp_path, run_tables, monkeypatch):
    titles, marks = [], []
    frame, number = figures._frame_map, figures._number_clusters
    monkeypatch.setattr(
        figures,
        "_frame_map",
        lambda axes, title, *rest: (titles.append(title), frame(axes, title, *rest)),
    )
    monkeypatch.setattr(
        figures,
        "_number_clusters",
        lambda axes, numbers, shown, anchors: (
            marks.extend(shown),
            number(axes, numbers, shown, anchors),
        ),
    )
    clusters = run_tables(clusters=4).clusters
    figures.draw_map(clusters, "window", tmp_path / "map.png")
    assert marks == ["0", "1?", "2", "3"]
    assert (
        f"4 clusters, 1 unsupported (?), {sum(clusters['outlier'].to_pylist())} outliers"
        in titles[-1]
    )


# -- occupancy ------------------------------------------------------------------------------


def ledger_row(gps: int, status: str, detector: str = "H1") -> dict:
    return {
        "detector": detector,
        "gps_start": gps,
        "duration_s": 32,
        "block": 0,
        "status": status,
        "reason": None if status == "analysed" else "nan",
        "detail": None,
    }


def cluster_row(gps: int, cluster: int, detector: str = "H1") -> dict:
    numbers = {field.name: 0.0 for field in CLUSTERS}
    ids = {"detector": detector, "gps_start": gps, "view": "window", "cluster": cluster}
    flags = {"outlier": False, "supported": True}
    return numbers | flags | ids


def test_occupancy_counts_are_the_known_ones():
    # Bins of 128 s: [128, 256) holds three windows, [256, 384) none, [384, 512) two.
    ledger = LEDGER.empty_table().from_pylist(
        [
            ledger_row(128, "analysed"),
            ledger_row(160, "analysed"),
            ledger_row(224, "excluded"),
            ledger_row(384, "analysed"),
            ledger_row(480, "excluded"),
            ledger_row(480, "analysed", "L1"),
        ],
        schema=LEDGER,
    )
    clusters = CLUSTERS.empty_table().from_pylist(
        [
            cluster_row(128, 0),
            cluster_row(160, 2),
            cluster_row(384, 0),
            cluster_row(480, 1, "L1"),
        ],
        schema=CLUSTERS,
    )
    counts = figures.count_occupancy(clusters, ledger, 128)
    assert list(counts) == ["H1", "L1"]
    h1, l1 = counts.values()
    assert h1.starts.tolist() == l1.starts.tolist() == [128, 256, 384]
    assert h1.members.tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert h1.analysed.tolist() == [2, 0, 1]
    assert h1.excluded.tolist() == [1, 0, 1]
    assert l1.members.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
    np.testing.assert_array_equal(
        h1.shares(), [[0.5, 0, 0.5], [np.nan, np.nan, np.nan], [1, 0, 0]]
    )


def test_occupancy_counts_every_window_once(run_tables):
    tables = run_tables(windows=500, clusters=7)
    for bin_s in (32, 1000, 1024, 10**6):
        counts = figures.count_occupancy(tables.clusters, tables.ledger, bin_s)
        assert all((count.starts % bin_s == 0).all() for count in counts.values())
        assert sum(count.members.sum() for count in counts.values()) == tables.clusters.num_rows
        lost = sum(count.excluded.sum() for count in counts.values())
        assert lost == tables.ledger.num_rows - tables.clusters.num_rows
        for count in counts.values():
            np.testing.assert_array_equal(count.members.sum(axis=1), count.analysed)


# -- galleries ------------------------------------------------------------------------------


def test_examples_begin_with_the_medoid_and_fall_in_probability(run_tables):
    tables = run_tables()
    for row in tables.summary.to_pylist():
        examples = figures.choose_examples(row["cluster"], tables.clusters, tables.summary, 9)
        assert len(examples) == 9
        assert [example.is_medoid for example in examples] == [True] + 8 * [False]
        medoid = (row["medoid_detector"], row["medoid_gps_start"])
        assert (examples[0].detector, examples[0].gps_start) == medoid
        probabilities = [example.probability for example in examples[1:]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len({(example.detector, example.gps_start) for example in examples}) == 9


def test_examples_reach_from_the_surest_to_the_most_doubtful_member(run_tables):
    tables = run_tables(clusters=1)
    examples = figures.choose_examples(0, tables.clusters, tables.summary, 6)
    others = sorted(
        row["probability"]
        for row in tables.clusters.to_pylist()
        if row["gps_start"] != examples[0].gps_start or row["detector"] != examples[0].detector
    )
    assert examples[1].probability == others[-1]
    assert examples[-1].probability == others[0]


def test_small_cluster_gives_all_of_its_members(run_tables):
    tables = run_tables(detectors=("H1",), windows=8, clusters=1)
    examples = figures.choose_examples(0, tables.clusters, tables.summary, 16)
    assert len(examples) == tables.clusters.num_rows == 6
    assert figures.choose_examples(0, tables.clusters, tables.summary, 1)[0].is_medoid
    assert figures.choose_examples(99, tables.clusters, tables.summary, 16) == []


def test_events_of_one_window_are_examples_of_their_own(run_tables):
    tables = run_tables(clusters=1, windows=8)
    times = pa.array([START + 10.5 + i for i in range(tables.clusters.num_rows)])
    place = tables.clusters.column_names.index("trigger_time")
    clusters = tables.clusters.set_column(place, CLUSTERS.field("trigger_time"), times)
    starts = pa.array([START] * len(times))
    clusters = clusters.set_column(1, CLUSTERS.field("gps_start"), starts)
    (summary,) = tables.summary.to_pylist()
    medoid = clusters.to_pylist()[3]
    summary |= {f"medoid_{key}": medoid[key] for key in ("detector", "gps_start", "trigger_time")}
    summary = pa.Table.from_pylist([summary], schema=CLUSTER_SUMMARY)
    examples = figures.choose_examples(0, clusters, summary, 16)
    assert [example.is_medoid for example in examples] == [True] + (len(times) - 1) * [False]
    assert examples[0].trigger_time == medoid["trigger_time"]
    assert sorted(example.trigger_time for example in examples) == times.to_pylist()


@pytest.mark.parametrize("view", ["window", "event"])
@pytest.mark.parametrize("count", [0, 1, 3, 16])
def test_gallery_shows_every_picture(tmp_path, count, view):
    examples = [
        figures.Example("H1", 32 * i, None, 8.0, 0.9, i == 0, i == 1) for i in range(count)
    ]
    pictures = pictures_of(tmp_path, count)
    figures.draw_gallery(3, view, examples, pictures, SCALE, tmp_path / "gallery.png")
    palette = mpl.colormaps["cividis"](np.arange(256), bytes=True)[:, :3]
    with Image.open(tmp_path / "gallery.png") as image:
        area = {colour: number for number, colour in image.convert("RGB").getcolors(1 << 24)}
    for index in range(count):
        # Two pictures of the same colour or one in the colour bar add up; a missing one is zero.
        assert area.get(tuple(palette[index].tolist()), 0) > 200 * 200


def test_gallery_takes_other_shapes_and_scales(tmp_path):
    scale = figures.GalleryScale(0.5, 10, 2048, 50, "sqrt", "gray")
    pictures = pictures_of(tmp_path, 1, (56, 112))
    example = [figures.Example("K1", 0, None, 1.0, 1.0, True, False)]
    figures.draw_gallery(0, "window", example, pictures, scale, tmp_path / "gallery.png")
    assert (tmp_path / "gallery.png").stat().st_size > 0


# -- the cluster table ----------------------------------------------------------------------


def test_csv_holds_the_table_and_names_units(tmp_path, run_tables):
    summary = run_tables(clusters=6).summary
    figures.write_cluster_csv(summary.take([3, 0, 5, 1, 4, 2]), tmp_path / "clusters.csv")
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
    figures.write_cluster_html(summary, DIAGNOSTICS, tmp_path / "clusters.html")
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
    figures.write_cluster_csv(empty, tmp_path / "clusters.csv")
    figures.write_cluster_html(empty, TOO_FEW, tmp_path / "clusters.html")
    assert (tmp_path / "clusters.csv").read_text().count("\n") == 1
    page = (tmp_path / "clusters.html").read_text()
    assert "<td>" not in page
    assert "0 rows are too few to cluster (at least 16)" in page
