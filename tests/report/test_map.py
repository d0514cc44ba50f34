import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import SubFigure
from vector import drawn_twice, size

from gwmorph.report import map as map_module
from gwmorph.report.map import _frame_map, _number_clusters, draw_map, spread_labels
from gwmorph.report.names import ClusterName
from gwmorph.report.occupancy import draw_occupancy
from gwmorph.report.palette import cluster_color

RUNS = {
    "usual": {},
    "none": {"windows": 0},
    "one_window": {"detectors": ("H1",), "windows": 2, "clusters": 1, "lost_every": 2},
    "one_cluster": {"detectors": ("V1",), "windows": 60, "clusters": 1},
    "thirty_clusters": {"windows": 1200, "clusters": 30},
    "five_detectors": {"detectors": ("G1", "H1", "K1", "L1", "V1"), "windows": 40},
    "all_lost": {"lost_every": 1},
}


@pytest.mark.parametrize("name", RUNS)
def test_map_and_occupancy_are_drawn_for_any_run(tmp_path, run_tables, name):
    tables = run_tables(**RUNS[name])
    said = drawn_twice(tmp_path / "map.svg", draw_map, tables.clusters, "window")
    assert any(text.startswith("Coloured by cluster:") for text in said)
    drawn_twice(
        tmp_path / "occupancy.svg",
        draw_occupancy,
        tables.clusters,
        "window",
        tables.ledger,
        1024,
    )


def test_map_shows_the_colours_of_its_clusters_and_of_no_other(tmp_path, run_tables):
    draw_map(run_tables(clusters=4).clusters, "window", tmp_path / "map.svg")
    colours = set(re.findall(r"fill: (#[0-9a-f]{6})", (tmp_path / "map.svg").read_text()))
    wanted = [to_hex(cluster_color(number)) for number in range(5)]
    assert set(wanted[:4]) <= colours
    assert wanted[4] not in colours


@pytest.mark.parametrize(("windows", "pictures"), [(100, 0), (2000, 4)])
def test_a_dense_map_has_its_points_as_pictures_and_its_words_as_vectors(
    tmp_path, run_tables, windows, pictures
):
    path = tmp_path / "map.svg"
    said = drawn_twice(path, draw_map, run_tables(windows=windows).clusters, "window")
    assert any(text.startswith("H1: ") for text in said)
    # Besides these the scale of SNR is one.
    assert path.read_text().count("<image ") == pictures + 1


def test_first_27_clusters_have_distinct_colours():
    colours = np.array([cluster_color(number) for number in range(27)])
    apart = np.abs(colours[:, None] - colours[None]).max(axis=-1) + np.eye(27)
    assert apart.min() > 0.05
    assert colours.min() >= 0
    assert colours.max() <= 1


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900)), min_size=0, max_size=30))
def test_labels_end_up_apart(points):
    places = spread_labels(np.array(points).reshape(-1, 2), distance=36)
    gaps = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0))
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min(initial=np.inf) > 0.9 * 36


def test_labels_that_are_apart_stay_where_they_are():
    points = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    np.testing.assert_allclose(spread_labels(points, distance=36), points, atol=0.2)


def test_map_names_doubtful_clusters_and_rings_outliers(tmp_path, run_tables, monkeypatch):
    titles, marks = [], []
    frame, number = _frame_map, _number_clusters
    monkeypatch.setattr(
        map_module,
        "_frame_map",
        lambda axes, title, *rest: (titles.append(title), frame(axes, title, *rest)),
    )
    monkeypatch.setattr(
        map_module,
        "_number_clusters",
        lambda axes, numbers, shown, anchors: (
            marks.extend(shown),
            number(axes, numbers, shown, anchors),
        ),
    )
    clusters = run_tables(clusters=4).clusters
    draw_map(clusters, "window", tmp_path / "map.svg")
    assert marks == ["0", "1?", "2*", "3"]
    outliers = sum(clusters["outlier"].to_pylist())
    told = f"4 clusters, 1 unsupported (?), 1 in UMAP alone (*), {outliers} outliers"
    assert told in titles[-1].replace("\n", " ")
    assert max(map(len, titles[-1].splitlines())) < 70


def test_map_says_below_what_each_cluster_looks_like(tmp_path, run_tables, monkeypatch):
    clusters = run_tables(clusters=5).clusters
    names = {
        number: ClusterName((r"$\frac$", "m" * 40, "")[number % 3], 999_999, 1_000_000, 1.0)
        for number in reversed(range(5))
    }
    texts = []
    write = SubFigure.text
    monkeypatch.setattr(
        SubFigure,
        "text",
        lambda self, *about, **style: texts.append(write(self, *about, **style)),
    )
    draw_map(clusters, "window", tmp_path / "map.svg", names)
    said = [text.get_text() for text in texts[1:]]
    assert said[1::3] == ["0", "1?", "2*", "3", "4"]
    assert said[2::3] == [names[number].line for number in range(5)]
    places = [text.get_window_extent() for text in texts]
    whole = texts[0].figure.bbox
    assert all(whole.y0 < place.y0 < place.y1 < whole.y1 for place in places)
    assert max(place.x1 for place in places) < whole.x1
    # None on another: of a column in order downwards, and the columns beside each other.
    lines = places[3::3]
    assert all(above.y0 >= below.y1 - 1 for above, below in itertools.pairwise(lines[:3]))
    assert max(line.x1 for line in lines[:3]) < min(chip.x0 for chip in places[1::3][3:])
    width, height = size(tmp_path / "map.svg")
    assert width >= 1.6 * height


def test_map_without_a_name_is_the_same_as_ever(tmp_path, run_tables):
    clusters = run_tables(clusters=3).clusters
    draw_map(clusters, "window", tmp_path / "map.svg")
    draw_map(clusters, "window", tmp_path / "none.svg", None)
    nothing = clusters.slice(0, 0)
    draw_map(nothing, "window", tmp_path / "nothing.svg", {})
    sizes = {size(tmp_path / f"{name}.svg") for name in ("map", "none", "nothing")}
    assert len(sizes) == 1
    assert (tmp_path / "map.svg").read_bytes() == (tmp_path / "none.svg").read_bytes()
