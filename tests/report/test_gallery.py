import importlib.util
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from drawn import SCALE, pictures_of
from matplotlib.figure import Figure
from PIL import Image

from gwmorph.errors import TableError
from gwmorph.report import gallery
from gwmorph.report.gallery import (
    Example,
    GalleryScale,
    Heading,
    choose_examples,
    choose_outliers,
    draw_gallery,
)
from gwmorph.report.names import ClusterName
from gwmorph.report.palette import cluster_color
from gwmorph.spectra.pictures import CROPS_S, PictureScale, crops, write_picture
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS
from gwmorph.tables.parquet import write_table

ROOT = Path(__file__).resolve().parents[2]
START = 1262301184
SOME = Heading.of_cluster(3, supported=True, outside_umap=True)


def test_examples_begin_with_the_medoid_and_fall_in_probability(run_tables):
    tables = run_tables()
    for row in tables.summary.to_pylist():
        examples = choose_examples(row["cluster"], tables.clusters, tables.summary, 9)
        assert len(examples) == 9
        assert [example.is_medoid for example in examples] == [True] + 8 * [False]
        medoid = (row["medoid_detector"], row["medoid_gps_start"])
        assert (examples[0].detector, examples[0].gps_start) == medoid
        probabilities = [example.probability for example in examples[1:]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len({(example.detector, example.gps_start) for example in examples}) == 9


def test_examples_reach_from_the_surest_to_the_most_doubtful_member(run_tables):
    tables = run_tables(clusters=1)
    examples = choose_examples(0, tables.clusters, tables.summary, 6)
    others = sorted(
        row["probability"]
        for row in tables.clusters.to_pylist()
        if (row["gps_start"], row["detector"]) != (examples[0].gps_start, examples[0].detector)
        and not row["outlier"]
    )
    assert examples[1].probability == others[-1]
    assert examples[-1].probability == others[0]


def test_small_cluster_gives_all_of_its_members(run_tables):
    tables = run_tables(detectors=("H1",), windows=8, clusters=1)
    examples = choose_examples(0, tables.clusters, tables.summary, 16)
    assert len(examples) == tables.clusters.num_rows == 6
    assert choose_examples(0, tables.clusters, tables.summary, 1)[0].is_medoid
    assert choose_examples(99, tables.clusters, tables.summary, 16) == []


def test_outliers_are_shown_apart_whatever_their_cluster(run_tables):
    tables = run_tables()
    rows = [row for row in tables.clusters.to_pylist() if row["outlier"]]
    assert len({row["cluster"] for row in rows}) > 1
    outliers = choose_outliers(tables.clusters, 1000)
    places = [(one.outlier_of, one.detector, one.gps_start) for one in outliers]
    assert places == sorted((row["cluster"], row["detector"], row["gps_start"]) for row in rows)
    few = choose_outliers(tables.clusters, 2)
    assert few == [outliers[0], outliers[-1]]
    for row in tables.summary.to_pylist():
        shown = choose_examples(row["cluster"], tables.clusters, tables.summary, 1000)
        members = tables.clusters.filter(pc.equal(tables.clusters["cluster"], row["cluster"]))
        assert len(shown) == len(members) - row["outliers"]
        assert all(one.outlier_of is None for one in shown if not one.is_medoid)


def test_the_outliers_of_all_clusters_have_a_sheet_beside_the_clusters(tmp_path, run_tables):
    path = ROOT / "scripts" / "galleries.py"
    specification = importlib.util.spec_from_file_location("galleries", path)
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    tables = run_tables(windows=40)
    (picture,) = pictures_of(tmp_path, 1)
    script.Pictures = lambda *_: SimpleNamespace(of=lambda *_: picture)
    for keep, sheets in ((True, ["outliers"]), (False, [])):
        folder = tmp_path / str(keep)
        folder.mkdir()
        clusters = tables.clusters
        if not keep:
            clusters = clusters.filter(pc.invert(clusters["outlier"]))
        write_table(folder / "clusters.parquet", CLUSTERS, clusters, {})
        write_table(folder / "summary.parquet", CLUSTER_SUMMARY, tables.summary, {})
        script.galleries(
            folder / "clusters.parquet",
            folder / "summary.parquet",
            [],
            "window",
            [],
            SCALE,
            count=3,
            largest=2,
            folder=folder / "galleries",
        )
        drawn = sorted(sheet.stem for sheet in (folder / "galleries").iterdir())
        assert drawn == [f"cluster_{name}" for name in ("000", "001", *sheets)]


def test_events_of_one_window_are_examples_of_their_own(run_tables):
    tables = run_tables(clusters=1, windows=8)
    members = tables.clusters.filter(pc.invert(tables.clusters["outlier"]))
    times = pa.array([START + 10.5 + i for i in range(len(members))])
    place = tables.clusters.column_names.index("trigger_time")
    clusters = members.set_column(place, CLUSTERS.field("trigger_time"), times)
    starts = pa.array([START] * len(times))
    clusters = clusters.set_column(1, CLUSTERS.field("gps_start"), starts)
    (summary,) = tables.summary.to_pylist()
    medoid = clusters.to_pylist()[3]
    summary |= {f"medoid_{key}": medoid[key] for key in ("detector", "gps_start", "trigger_time")}
    summary = pa.Table.from_pylist([summary], schema=CLUSTER_SUMMARY)
    examples = choose_examples(0, clusters, summary, 16)
    assert [example.is_medoid for example in examples] == [True] + (len(times) - 1) * [False]
    assert examples[0].trigger_time == medoid["trigger_time"]
    assert sorted(example.trigger_time for example in examples) == times.to_pylist()


@pytest.mark.parametrize("view", ["window", "event"])
@pytest.mark.parametrize("count", [0, 1, 3, 16])
def test_gallery_shows_every_picture(tmp_path, count, view):
    examples = [
        Example("H1", 32 * i, None, 8.0, 0.9, i == 0, 3 if i == 1 else None) for i in range(count)
    ]
    pictures = pictures_of(tmp_path, count)
    draw_gallery(SOME, view, examples, pictures, SCALE, tmp_path / "gallery.png")
    palette = mpl.colormaps["cividis"](np.arange(256), bytes=True)[:, :3]
    with Image.open(tmp_path / "gallery.png") as image:
        area = {colour: number for number, colour in image.convert("RGB").getcolors(1 << 24)}
    for index in range(count):
        # Two pictures of the same colour or one in the colour bar add up; a missing one is zero.
        assert area.get(tuple(palette[index].tolist()), 0) > 200 * 200


@pytest.mark.parametrize("fault", ["lost", "cut short"])
def test_a_picture_that_cannot_be_read_is_named(tmp_path, fault):
    (picture,) = pictures_of(tmp_path, 1)
    content = picture.read_bytes()
    picture.unlink()
    if fault == "cut short":
        picture.write_bytes(content[: len(content) // 2])
    with pytest.raises(TableError, match=rf"{picture.name}: .* Remove its folder and run"):
        draw_gallery(SOME, "window", [example(0)], [picture], SCALE, tmp_path / "gallery.png")


def test_gallery_takes_other_shapes_and_scales(tmp_path):
    scale = GalleryScale(0.5, 10, 2048, 50, "sqrt", "gray")
    pictures = pictures_of(tmp_path, 1, (56, 112))
    example = [Example("K1", 0, None, 1.0, 1.0, True, None)]
    draw_gallery(SOME, "window", example, pictures, scale, tmp_path / "gallery.png")
    assert (tmp_path / "gallery.png").stat().st_size > 0


def example(number: int, is_medoid: bool = False) -> Example:
    return Example("H1", 32 * number, None, 8.0, 0.9, is_medoid, None)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 16, 31, 100])
def test_a_sheet_is_flat_enough_for_the_viewer_and_holds_every_picture(count):
    sheet = gallery._Sheet(count)
    assert sheet.width >= 1.6 * sheet.height
    corners = np.array([sheet.corner(index) for index in range(count)]).reshape(-1, 2)
    assert corners.min(initial=0) >= 0
    inside = corners + 224 <= (sheet.width, sheet.height)
    assert inside.all()
    # No picture lies on another.
    gaps = np.abs(corners[:, None] - corners[None, :])
    assert ((gaps >= 224).any(axis=-1) | np.eye(count, dtype=bool)).all()


def test_the_medoid_stands_first_in_a_frame_of_its_own(tmp_path):
    examples = [example(number, is_medoid=number == 0) for number in range(6)]
    draw_gallery(SOME, "window", examples, pictures_of(tmp_path, 6), SCALE, tmp_path / "g.png")
    with Image.open(tmp_path / "g.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    framed = np.argwhere(np.abs(pixels - (0xD5, 0x5E, 0x00)).max(axis=-1) < 8)
    top, left = framed.min(axis=0)
    height, width = framed.max(axis=0) - (top, left)
    assert max(top, left) < 100
    assert height == pytest.approx(224, abs=8)
    assert width == pytest.approx(224, abs=8)


def test_a_gallery_has_the_colour_of_its_cluster(tmp_path):
    for cluster in (0, 4):
        heading = Heading.of_cluster(cluster, supported=True, outside_umap=True)
        draw_gallery(heading, "event", [], [], SCALE, tmp_path / "g.png")
        with Image.open(tmp_path / "g.png") as image:
            colors = {color for _, color in image.convert("RGB").getcolors(1 << 24)}
        assert tuple(round(255 * part) for part in cluster_color(cluster)) in colors


def test_labels_can_be_read_on_the_brightest_picture(tmp_path):
    (tmp_path / "bright").mkdir()
    bright = tmp_path / "bright" / "x.png"
    write_picture(
        bright, np.full((224, 224), 255, dtype=np.uint8), PictureScale("linear", 25.5, "gray")
    )
    scale = GalleryScale(32, 20, 1291, 25.5, colormap="gray")
    draw_gallery(SOME, "event", [example(0)], [bright], scale, tmp_path / "g.png")
    with Image.open(tmp_path / "g.png") as image:
        light = np.asarray(image.convert("L")).astype(int)
    left, top = gallery._LEFT, gallery._TOP
    label = light[top + 3 : top + 18, left + 4 : left + 30]
    assert label.max() > 240
    assert (label < 120).mean() > 0.3


def test_titles_count_in_singular_and_plural(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        gallery.Figure, "text", lambda self, x, y, text, **style: said.append(text)
    )
    for count in (1, 2):
        some = [example(number) for number in range(count)]
        draw_gallery(SOME, "event", some, pictures_of(tmp_path, count), SCALE, tmp_path / "g.png")
    doubtful = Heading.of_cluster(1, supported=False, outside_umap=False)
    draw_gallery(doubtful, "window", [], [], SCALE, tmp_path / "g.png")
    draw_gallery(Heading.of_outliers(), "event", [], [], SCALE, tmp_path / "g.png")
    assert said == [
        "Cluster 3: 1 example event",
        "Cluster 3: 2 example events",
        "Cluster 1, unsupported, in UMAP alone: 0 example windows",
        "Outliers: 0 example events",
    ]


LONG = ClusterName(r"$\frac$ LOW_FREQUENCY_BURSTS", 1_234_567, 1_300_000, 1.0)


@pytest.mark.parametrize("count", [1, 16])
def test_the_longest_name_stands_below_the_title_and_inside_of_the_sheet(
    tmp_path, monkeypatch, count
):
    texts = []
    write = Figure.text
    monkeypatch.setattr(
        gallery.Figure,
        "text",
        lambda self, *about, **style: texts.append(write(self, *about, **style)),
    )
    heading = Heading.of_cluster(1, supported=False, outside_umap=False, name=LONG)
    some = [example(number) for number in range(count)]
    draw_gallery(heading, "window", some, pictures_of(tmp_path, count), SCALE, tmp_path / "g.png")
    title, name = (text.get_window_extent() for text in texts)
    assert texts[1].get_text() == LONG.line
    height = texts[0].figure.bbox.height
    assert max(title.x1, name.x1) < texts[0].figure.bbox.width
    assert title.y0 > name.y1
    # The time's label stands 24 pixels above the pictures.
    assert name.y0 > height - gallery._TOP + 24 + 10


def test_each_crop_of_an_event_has_its_own_duration_written_into_it():
    axes = Figure().subplots()
    gallery._label_crops(axes)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    number = np.arange(224 * 224).reshape(224, 224)
    texts = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(texts) == {f"{duration:g} s" for duration in CROPS_S}
    for duration, crop in zip(CROPS_S, crops(number), strict=True):
        x, y = texts[f"{duration:g} s"]
        # Where the text begins, in pixels from the upper left.
        column = int(224 * (x - left) / (right - left))
        row = int(224 * (top - y) / (top - bottom))
        assert number[row, column] in crop, duration
