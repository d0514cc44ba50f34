import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import SubFigure
from PIL import Image

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
    draw_map(tables.clusters, "window", tmp_path / "map.png")
    draw_occupancy(tables.clusters, "window", tables.ledger, 1024, tmp_path / "occupancy.png")
    for path in (tmp_path / "map.png", tmp_path / "occupancy.png"):
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert min(image.size) > 500


def test_map_shows_the_colours_of_its_clusters_and_of_no_other(tmp_path, run_tables):
    draw_map(run_tables(clusters=4).clusters, "window", tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        left = image.convert("RGB").crop((0, 0, image.width * 6 // 16, image.height))
        colours = {colour for _, colour in left.getcolors(1 << 24)}
    wanted = [tuple(round(255 * part) for part in cluster_color(number)) for number in range(5)]
    assert all(near(colour, colours) for colour in wanted[:4])
    assert not near(wanted[4], colours)


def near(colour: tuple[int, ...], others: set) -> bool:
    return any(max(abs(np.subtract(colour, other))) <= 1 for other in others)


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
    draw_map(clusters, "window", tmp_path / "map.png")
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
    draw_map(clusters, "window", tmp_path / "map.png", names)
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
    with Image.open(tmp_path / "map.png") as image:
        assert image.width >= 1.6 * image.height


def test_map_without_a_name_is_the_same_as_ever(tmp_path, run_tables):
    clusters = run_tables(clusters=3).clusters
    draw_map(clusters, "window", tmp_path / "map.png")
    draw_map(clusters, "window", tmp_path / "none.png", None)
    nothing = clusters.slice(0, 0)
    draw_map(nothing, "window", tmp_path / "nothing.png", {})
    for name in ("map", "none", "nothing"):
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.size == (2325, 900)
    assert (tmp_path / "map.png").read_bytes() == (tmp_path / "none.png").read_bytes()
