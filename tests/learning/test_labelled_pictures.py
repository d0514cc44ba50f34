"""Labelled pictures: written and read back, cut to a window, and split."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.errors import ConfigError, TableError
from gwmorph.learning.labelled_pictures import (
    LabelledPictures,
    in_window,
    read_labelled_pictures,
    split,
    window_seconds,
    write_labelled_pictures,
)
from gwmorph.spectra.pictures import CROPS_S, PictureScale

SCALE = PictureScale("sqrt", 20.0, "gray")
FRACTIONS = (0.2, 0.25)


def glitches(counts, each=1, times=None, splits=None, triggers=None):
    """Pictures of 8 x 6 pixels: so many glitches of each class, with ``each`` pictures."""
    labels = np.repeat([f"class_{i}" for i in range(len(counts))], counts)
    count = len(labels)
    labels, groups = (np.repeat(x, each) for x in (labels, [f"g{i}" for i in range(count)]))
    shown = np.random.default_rng(1).integers(0, 256, (count * each, 8, 6)).astype(np.uint8)
    times = np.arange(count, dtype=float) if times is None else np.asarray(times, float)
    return LabelledPictures(
        shown, SCALE, labels, groups, np.repeat(times, each),
        np.repeat(np.full(count, "") if splits is None else splits, each),
        np.full(count * each, np.nan), triggers,
    )  # fmt: skip


@pytest.mark.parametrize("known", [True, False])
def test_what_is_written_is_read_back(tmp_path, known):
    triggers = np.arange(25.0).reshape(5, 5)
    triggers[2, 1] = np.nan
    pictures = glitches(
        [2, 3], splits=["train", "", "test", "", ""], times=[1, 2, np.nan, 4, 5],
        triggers=triggers if known else None,
    )  # fmt: skip
    write_labelled_pictures(tmp_path / "a.parquet", pictures, {"gwmorph.render_id": "r"})
    back = read_labelled_pictures(tmp_path / "a.parquet")
    for name in ("pictures", "labels", "groups", "gps_times", "splits", "durations_s"):
        np.testing.assert_array_equal(getattr(back, name), getattr(pictures, name))
    assert back.scale == SCALE
    if known:
        np.testing.assert_array_equal(back.triggers, triggers)
    else:
        assert back.triggers is None
    assert back.classes == ["class_0", "class_1"]


def test_a_window_is_the_crop_of_its_duration():
    pictures = glitches([3])
    assert in_window(pictures, "all") is pictures
    corners = [(slice(0, 4), slice(0, 3)), (slice(0, 4), slice(3, 6))]
    corners += [(slice(4, 8), slice(0, 3)), (slice(4, 8), slice(3, 6))]
    for seconds, (rows, columns) in zip(CROPS_S, corners, strict=True):
        cut = in_window(pictures, f"{seconds:g}")
        np.testing.assert_array_equal(cut.pictures, pictures.pictures[:, rows, columns])
        assert set(cut.durations_s) == {seconds}
    with pytest.raises(ConfigError, match=r"window '3' is none of all, 0.5"):
        window_seconds("3")


# -- splits -----------------------------------------------------------------------------------


@given(
    counts=st.lists(st.integers(3, 30), min_size=1, max_size=4),
    each=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_a_random_split_keeps_glitches_together_and_every_class_everywhere(counts, each, seed):
    pictures = glitches(counts, each)
    sides = split(pictures, "random", FRACTIONS, seed)
    for group in set(pictures.groups.tolist()):
        assert len(set(sides[pictures.groups == group])) == 1
    for label, count in zip(pictures.classes, counts, strict=True):
        own = sides[pictures.labels == label]
        assert set(own) == {"train", "validation", "test"}
        assert abs((own == "test").sum() / each - 0.25 * count) <= 1
        assert abs((own == "validation").sum() / each - 0.2 * count) <= 1


def test_a_random_split_is_that_of_its_seed():
    pictures = glitches([20, 20])
    one = split(pictures, "random", FRACTIONS, 1)
    assert (one == split(pictures, "random", FRACTIONS, 1)).all()
    assert (one != split(pictures, "random", FRACTIONS, 2)).any()
    # Another class changes nothing of the others.
    more = split(glitches([20, 20, 9]), "random", FRACTIONS, 1)
    assert (more[:40] == one).all()


def test_classes_of_one_and_two_glitches_train_and_are_told_of(caplog):
    sides = split(glitches([1, 2, 8]), "random", FRACTIONS, 3)
    assert sides[0] == "train"
    assert sorted(sides[1:3]) == ["test", "train"]
    assert "too few glitches of class_0, so that none is in the test part" in caplog.text


def test_a_temporal_split_trains_on_the_past(caplog):
    times = np.random.default_rng(5).permutation(40)
    pictures = glitches([39, 1], times=times)
    sides = split(pictures, "temporal", FRACTIONS, 0)
    latest = {side: pictures.gps_times[sides == side].max() for side in set(sides)}
    first = {side: pictures.gps_times[sides == side].min() for side in set(sides)}
    assert latest["train"] < first["validation"] <= latest["validation"] < first["test"]
    assert [(sides == s).sum() for s in ("train", "validation", "test")] == [22, 8, 10]


def test_a_class_that_only_the_test_part_has_is_told_of(caplog):
    split(glitches([30, 3]), "temporal", FRACTIONS, 0)
    assert "no training picture is of class_1" in caplog.text
    assert "3 pictures of the test part count as wrong" in caplog.text


def test_without_times_there_is_no_temporal_split():
    pictures = glitches([4], times=[1, np.nan, 3, 4])
    with pytest.raises(ConfigError, match=r"1 of 4 glitches have no GPS time.*learning.metadata"):
        split(pictures, "temporal", FRACTIONS, 0)


def test_a_given_split_is_kept():
    given_sides = ["train", "test", "validation", "train"]
    pictures = glitches([4], each=2, splits=given_sides)
    assert split(pictures, "given", FRACTIONS, 0).tolist() == np.repeat(given_sides, 2).tolist()


def test_a_given_split_without_validation_draws_it_from_the_training_part():
    pictures = glitches([20], splits=["train"] * 15 + ["test"] * 5)
    sides = split(pictures, "given", FRACTIONS, 0)
    assert (sides[15:] == "test").all()
    assert (sides[:15] == "validation").sum() == 3


def test_what_names_no_parts_has_no_given_split():
    with pytest.raises(ConfigError, match=r"split 'given': 4 pictures of 4 are in no part"):
        split(glitches([4]), "given", FRACTIONS, 0)


def test_nothing_left_to_score_is_an_error():
    with pytest.raises(ConfigError, match=r"of 2 pictures nothing is left for validation"):
        split(glitches([2]), "random", FRACTIONS, 0)


def test_one_glitch_of_two_classes_or_parts_is_an_error():
    pictures = glitches([2, 2])
    both = LabelledPictures(
        pictures.pictures, SCALE, pictures.labels, np.array(["a", "b", "b", "c"]),
        pictures.gps_times, np.array(["train", "train", "test", "test"]), pictures.durations_s,
    )  # fmt: skip
    with pytest.raises(TableError, match=r"glitch b has pictures of several classes"):
        split(both, "random", FRACTIONS, 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("picture_size", "[8]"),
        ("picture_size", "[8, 0]"),
        ("picture_size", "[true, 6]"),
        ("picture_size", "[9, 6]"),
        ("picture_size", "no JSON"),
        ("picture_scale", "{}"),
        ("picture_scale", None),
    ],
)
def test_a_table_that_does_not_say_what_its_pictures_are_is_refused(tmp_path, key, value):
    path = tmp_path / "a.parquet"
    write_labelled_pictures(path, glitches([2]), {})
    table = pq.read_table(path)
    about = {**table.schema.metadata, f"gwmorph.{key}".encode(): (value or "").encode()}
    pq.write_table(table.replace_schema_metadata(about), path)
    with pytest.raises(TableError, match=r"a\.parquet: (does not say the size|expected pictures)"):
        read_labelled_pictures(path)


def test_a_part_of_no_split_is_refused(tmp_path):
    write_labelled_pictures(tmp_path / "a.parquet", glitches([2], splits=["train", "day"]), {})
    with pytest.raises(TableError, match=r"a\.parquet: expected pictures .* got also \['day'\]"):
        read_labelled_pictures(tmp_path / "a.parquet")
