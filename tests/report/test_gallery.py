import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pytest
from drawn import SCALE, pictures_of
from PIL import Image

from gwmorph.report.gallery import Example, GalleryScale, choose_examples, draw_gallery
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS

START = 1262301184


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
        if row["gps_start"] != examples[0].gps_start or row["detector"] != examples[0].detector
    )
    assert examples[1].probability == others[-1]
    assert examples[-1].probability == others[0]


def test_small_cluster_gives_all_of_its_members(run_tables):
    tables = run_tables(detectors=("H1",), windows=8, clusters=1)
    examples = choose_examples(0, tables.clusters, tables.summary, 16)
    assert len(examples) == tables.clusters.num_rows == 6
    assert choose_examples(0, tables.clusters, tables.summary, 1)[0].is_medoid
    assert choose_examples(99, tables.clusters, tables.summary, 16) == []


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
    examples = choose_examples(0, clusters, summary, 16)
    assert [example.is_medoid for example in examples] == [True] + (len(times) - 1) * [False]
    assert examples[0].trigger_time == medoid["trigger_time"]
    assert sorted(example.trigger_time for example in examples) == times.to_pylist()


@pytest.mark.parametrize("view", ["window", "event"])
@pytest.mark.parametrize("count", [0, 1, 3, 16])
def test_gallery_shows_every_picture(tmp_path, count, view):
    examples = [Example("H1", 32 * i, None, 8.0, 0.9, i == 0, i == 1) for i in range(count)]
    pictures = pictures_of(tmp_path, count)
    draw_gallery(3, view, examples, pictures, SCALE, tmp_path / "gallery.png")
    palette = mpl.colormaps["cividis"](np.arange(256), bytes=True)[:, :3]
    with Image.open(tmp_path / "gallery.png") as image:
        area = {colour: number for number, colour in image.convert("RGB").getcolors(1 << 24)}
    for index in range(count):
        # Two pictures of the same colour or one in the colour bar add up; a missing one is zero.
        assert area.get(tuple(palette[index].tolist()), 0) > 200 * 200


def test_gallery_takes_other_shapes_and_scales(tmp_path):
    scale = GalleryScale(0.5, 10, 2048, 50, "sqrt", "gray")
    pictures = pictures_of(tmp_path, 1, (56, 112))
    example = [Example("K1", 0, None, 1.0, 1.0, True, False)]
    draw_gallery(0, "window", example, pictures, scale, tmp_path / "gallery.png")
    assert (tmp_path / "gallery.png").stat().st_size > 0
