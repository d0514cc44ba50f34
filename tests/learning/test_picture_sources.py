"""Labelled pictures from a folder, from Gravity Spy's HDF5 file, from signals and from a run."""

import h5py
import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from filled import filled
from gwmorph.errors import ConfigError, TableError
from gwmorph.learning.labelled_pictures import in_window
from gwmorph.learning.picture_sources import (
    folder_pictures,
    has_triggers,
    hdf5_pictures,
    metadata_beside,
    read_metadata_csv,
    run_event_pictures,
    simulated_pictures,
)
from gwmorph.naming import event_name, span_name
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.comparison import LABELLED
from gwmorph.tables.labels import LABELS
from gwmorph.tables.truth import TRUTH

SCALE = PictureScale("linear", 25.5, "cividis")
SIZE = (16, 16)
LENGTHS = (0.5, 1.0, 2.0, 4.0)
GREY = np.array([0.2125, 0.7154, 0.0721])
METADATA = (
    "event_time,ifo,peak_frequency,duration,bandwidth,snr,gravityspy_id,label,sample_type\n"
    "1126400000.5,H1,120.5,0.25,300,11.5,aaa,Blip,train\n"
    "1126500000.25,L1,60,2,80,,bbb,Tomte,test\n"
)


def glitch_picture(folder, label, name, seconds, level):
    """A picture of one brightness, 20 x 24 pixels, so that it tells where it ends up."""
    path = folder / label / f"{name}_spectrogram_{seconds}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = colormaps["viridis"](np.full((20, 24), level), bytes=True)
    Image.fromarray(shown[..., :3]).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "release"
    for number, (label, name) in enumerate([("Blip", "H1_aaa"), ("Tomte", "L1_bbb")]):
        for place, seconds in enumerate(LENGTHS):
            glitch_picture(root, label, name, seconds, 40 * place + 20 * number + 10)
    return root


def test_a_folder_gives_pictures_of_one_length(folder):
    found = folder_pictures(folder, "1", SCALE, SIZE)
    assert found.labels.tolist() == ["Blip", "Tomte"]
    assert found.groups.tolist() == ["H1_aaa", "L1_bbb"]
    assert found.splits.tolist() == ["", ""]
    assert np.isnan(found.gps_times).all()
    assert found.triggers is None
    assert found.pictures.shape == (2, *SIZE)
    assert [set(np.unique(p)) for p in found.pictures] == [{50}, {70}]


def test_a_folder_gives_event_views_of_four_lengths(folder, caplog):
    glitch_picture(folder, "Blip", "H1_ccc", 0.5, 9)
    found = folder_pictures(folder, "all", SCALE, SIZE)
    assert found.groups.tolist() == ["H1_aaa", "L1_bbb"]
    for place, seconds in enumerate(("0.5", "1", "2", "4")):
        assert set(np.unique(in_window(found, seconds).pictures[0])) == {40 * place + 10}
    assert "1 glitch without pictures of 0.5, 1, 2, 4 s left out." in caplog.text


def test_folders_of_parts_are_the_split(tmp_path):
    for side, name in (("train", "a"), ("Validation", "b"), ("test", "c")):
        glitch_picture(tmp_path / side, "Blip", f"H1_{name}", 1.0, 5)
    found = folder_pictures(tmp_path, "1", SCALE, SIZE)
    assert sorted(zip(found.groups, found.splits, strict=True)) == [
        ("H1_a", "train"), ("H1_b", "validation"), ("H1_c", "test"),
    ]  # fmt: skip
    glitch_picture(tmp_path, "Blip", "H1_d", 1.0, 5)
    with pytest.raises(ConfigError, match=r"folders of parts .* and others"):
        folder_pictures(tmp_path, "1", SCALE, SIZE)


def test_metadata_gives_times_parts_and_triggers(folder, tmp_path):
    (tmp_path / "about.csv").write_text(METADATA)
    found = folder_pictures(folder, "2", SCALE, SIZE, tmp_path / "about.csv")
    assert found.gps_times.tolist() == [1126400000.5, 1126500000.25]
    assert found.splits.tolist() == ["train", "test"]
    np.testing.assert_array_equal(
        found.triggers, [[120.5, np.nan, 0.25, 300, 11.5], [60, np.nan, 2, 80, np.nan]]
    )


def test_a_table_may_have_no_trigger_columns(tmp_path):
    (tmp_path / "a.csv").write_text(METADATA)
    (tmp_path / "b.csv").write_text("gravityspy_id,event_time,label\naaa,1126400000.5,Blip\n")
    assert has_triggers(tmp_path / "a.csv")
    assert not has_triggers(tmp_path / "b.csv")


def test_metadata_that_says_something_else_is_told_of(folder, tmp_path, caplog):
    text = METADATA.replace("Blip", "Whistle").replace("bbb", "xyz")
    (tmp_path / "about.csv").write_text(text)
    folder_pictures(folder, "2", SCALE, SIZE, tmp_path / "about.csv")
    assert "says nothing of 1 glitch of 2" in caplog.text
    assert "another class for 1 glitch (H1_aaa)" in caplog.text


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a,b\n1,2\n", "expected a column gravityspy_id or id, got a, b"),
        ("a,b\n1,2,3\n", "expected a column gravityspy_id or id, got a, b"),
        (METADATA.replace("train", "day"), "sample_type 'day' of glitch aaa"),
        (METADATA.replace("120.5", "loud"), "peak_frequency of glitch aaa: 'loud' is no number"),
    ],
)
def test_metadata_that_cannot_be_used_is_an_error(tmp_path, text, match):
    (tmp_path / "about.csv").write_text(text)
    with pytest.raises(TableError, match=match):
        read_metadata_csv(tmp_path / "about.csv")


def test_the_only_csv_file_beside_is_the_metadata(tmp_path):
    assert metadata_beside(tmp_path, None) is None
    (tmp_path / "a.csv").touch()
    assert metadata_beside(tmp_path, None) == tmp_path / "a.csv"
    (tmp_path / "b.csv").touch()
    with pytest.raises(ConfigError, match=r"several CSV files .a.csv, b.csv"):
        metadata_beside(tmp_path, None)
    assert metadata_beside(tmp_path, str(tmp_path / "b.csv")) == tmp_path / "b.csv"
    with pytest.raises(ConfigError, match=r"learning\.metadata: .*no such file"):
        metadata_beside(tmp_path, str(tmp_path / "c.csv"))


def test_damaged_pictures_are_named_counted_and_left_out(folder, caplog):
    empty = folder / "Blip" / "H1_ddd_spectrogram_1.0.png"
    empty.touch()
    (folder / "Tomte" / "L1_eee_spectrogram_1.0.png").write_text("no picture")
    (folder / "Tomte" / "notes.png").touch()
    found = folder_pictures(folder, "1", SCALE, SIZE)
    assert len(found) == 2
    assert f"Left out: {empty}: not a readable picture" in caplog.text
    assert "2 glitches left out, since pictures cannot be read" in caplog.text
    assert "1 pictures of other names are left out" in caplog.text


def test_a_class_of_damaged_pictures_alone_is_an_error(folder, caplog):
    (folder / "Blip" / "H1_aaa_spectrogram_1.0.png").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"none of the pictures of Blip can be read"):
        folder_pictures(folder, "1", SCALE, SIZE)
    assert "H1_aaa_spectrogram_1.0.png: not a readable picture" in caplog.text


def test_folders_without_pictures_are_errors(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"no such folder"):
        folder_pictures(tmp_path / "nowhere", "1", SCALE, SIZE)
    (folder / "Whistle").mkdir()
    with pytest.raises(ConfigError, match=r"no picture .* of Whistle"):
        folder_pictures(folder, "1", SCALE, SIZE)


def test_a_class_without_this_length_is_told_of(folder, caplog):
    glitch_picture(folder, "Whistle", "H1_fff", 4.0, 9)
    found = folder_pictures(folder, "0.5", SCALE, SIZE)
    assert found.classes == ["Blip", "Tomte"]
    assert "left out, and with them all of Whistle" in caplog.text


def test_grey_pictures_are_told_of(folder, caplog):
    path = folder / "Blip" / "H1_aaa_spectrogram_1.0.png"
    level = np.rint(colormaps["viridis"](200, bytes=True)[:3] @ GREY).astype(np.uint8)
    Image.fromarray(np.full((9, 9), level)).save(path)
    found = folder_pictures(folder, "1", SCALE, SIZE)
    assert found.pictures[0].mean() == pytest.approx(200, abs=2)
    assert "pictures of 1 glitch have grey levels" in caplog.text


def test_the_crops_of_gravity_spy_are_read(real_data):
    root = real_data / "glitch_images" / "gravityspy_axes"
    found = folder_pictures(root, "0.5", SCALE, (56, 56))
    assert found.classes == ["Blip", "Whistle"]
    assert len(found) == 24
    # White, as of axes, would be no energy; black text is the lowest.
    assert found.pictures.max(axis=(1, 2)).min() > 200
    assert np.median(found.pictures) < 60


# -- HDF5 -------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path):
    """The layout of trainingsetv1d1.h5, one picture of one brightness each."""
    path = tmp_path / "trainingsetv1d1.h5"
    with h5py.File(path, "w") as file:
        for number, (label, side, name) in enumerate(
            [("Blip", "train", "aaa"), ("Blip", "test", "ccc"), ("Tomte", "validation", "bbb")]
        ):
            for place, seconds in enumerate(LENGTHS):
                level = colormaps["viridis"](60 * place + 10 * number + 5)[:3] @ GREY
                shown = np.full((1, 14, 17), level, np.float32)
                file[f"{label}/{side}/{name}/{seconds}.png"] = shown
    return path


def test_the_hdf5_file_of_the_training_set_is_read(stored):
    (stored.parent / "about.csv").write_text(METADATA)
    found = hdf5_pictures(stored, "2", SCALE, SIZE, stored.parent / "about.csv")
    assert found.labels.tolist() == ["Blip", "Blip", "Tomte"]
    assert found.splits.tolist() == ["test", "train", "validation"]
    assert found.groups.tolist() == ["ccc", "aaa", "bbb"]
    assert found.gps_times[1:].tolist() == [1126400000.5, 1126500000.25]
    np.testing.assert_allclose(found.pictures[:, 3, 3], [135, 125, 145], atol=1)
    views = hdf5_pictures(stored, "all", SCALE, SIZE)
    corners = views.pictures[1, [0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, [5, 65, 125, 185], atol=1)


def test_other_layouts_of_hdf5_are_errors(tmp_path, stored):
    (tmp_path / "no.h5").write_bytes(b"")
    with pytest.raises(TableError, match=r"no.h5: not a readable HDF5 file"):
        hdf5_pictures(tmp_path / "no.h5", "1", SCALE, SIZE)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["Blip/H1/aaa/1.0.png"] = np.zeros((2, 2))
    with pytest.raises(TableError, match=r"Blip/H1: expected train, validation or test"):
        hdf5_pictures(tmp_path / "b.h5", "1", SCALE, SIZE)
    with pytest.raises(ConfigError, match=r"no such file"):
        hdf5_pictures(tmp_path / "c.h5", "1", SCALE, SIZE)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_group("Blip")
    with pytest.raises(TableError, match=r"no groups <class>/"):
        hdf5_pictures(tmp_path / "d.h5", "1", SCALE, SIZE)


def test_pictures_of_other_shapes_are_left_out_of_an_hdf5_file(stored, caplog):
    with h5py.File(stored, "r+") as file:
        del file["Blip/test/ccc/1.0.png"]
        file["Blip/test/ccc/1.0.png"] = np.zeros(7)
    assert len(hdf5_pictures(stored, "1", SCALE, SIZE)) == 2
    assert "expected grey levels [height, width], got (7,)" in caplog.text


# -- this workflow's own ----------------------------------------------------------------------


def test_simulated_views_are_taken_with_their_triggers():
    picture = np.arange(256, dtype=np.uint8).reshape(SIZE)
    rows = [
        {"morphology": name, "number": number, "gps_time": 7.5, "picture": picture.tobytes()}
        | {f"trigger_{n}": 2.0 for n in ("frequency", "q", "duration", "bandwidth", "snr")}
        for name, number in (("blip", 3), ("tomte", 3))
    ]
    found = simulated_pictures(filled(LABELLED, *rows), SCALE, SIZE)
    np.testing.assert_array_equal(found.pictures[1], picture)
    assert found.groups.tolist() == ["blip-3", "tomte-3"]
    assert (found.triggers == 2).all()
    assert np.isnan(found.durations_s).all()


START = 1262301184
TIMES = (START + 10.25, START + 40.5)


@pytest.fixture
def run(tmp_path):
    """Two events of a run, and a trigger without a view."""
    folder = tmp_path / span_name("H1", "EVENTS", START, 4096)
    folder.mkdir()
    for number, time in enumerate(TIMES):
        write_picture(folder / event_name("H1", time), np.full(SIZE, number, np.uint8), SCALE)
    rows = [
        {
            "detector": "H1", "gps_start": START + int(time - START) // 32 * 32,
            "peak_time": time, "tstart": time - 0.1, "tend": time + 0.1, "snr": 9.0, "view": view,
        }
        for time, view in [*((t, True) for t in TIMES), (START + 70.0, False)]
    ]  # fmt: skip
    return filled(TRIGGERS, *rows), Pictures([folder], 32)


def test_the_events_of_a_run_have_the_labels_that_mean_them(run):
    label = {"detector": "H1", "gps_time": TIMES[1] + 0.05, "label": "Tomte"}
    found = run_event_pictures(*run, SCALE, SIZE, filled(LABELS, label), None)
    assert found.labels.tolist() == ["Tomte"]
    assert found.gps_times.tolist() == [TIMES[1]]
    assert set(np.unique(found.pictures)) == {1}
    assert found.triggers[0, -1] == 9


def test_or_the_classes_of_what_was_injected(run):
    truth = {"detector": "H1", "gps_time": TIMES[0], "duration": 0.1, "morphology": "blip"}
    found = run_event_pictures(*run, SCALE, SIZE, None, filled(TRUTH, truth))
    assert found.labels.tolist() == ["blip"]
    assert set(np.unique(found.pictures)) == {0}


def test_a_run_without_labels_and_pictures_of_another_scale_are_errors(run):
    with pytest.raises(ConfigError, match=r"none of the run's 2 events has a class"):
        run_event_pictures(*run, SCALE, SIZE, None, None)
    truth = {"detector": "H1", "gps_time": TIMES[0], "duration": 0.1, "morphology": "blip"}
    with pytest.raises(TableError, match=r"made with another section `picture`"):
        run_event_pictures(
            *run, PictureScale("sqrt", 25.5, "cividis"), SIZE, None, filled(TRUTH, truth)
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (METADATA.replace("120.5", "inf"), "'inf' is not finite"),
        (METADATA.replace("bbb", "aaa"), "glitch 'aaa' has no id, or stands there again"),
        (METADATA.replace("bbb", ""), "glitch '' has no id"),
    ],
)
def test_metadata_that_contradict_themselves_are_refused(tmp_path, text, said):
    (tmp_path / "about.csv").write_text(text)
    with pytest.raises(TableError, match=rf"about\.csv: .*{said}"):
        read_metadata_csv(tmp_path / "about.csv")


@pytest.mark.parametrize("stored", [b"text", "group", np.zeros(3), np.complex128(1)])
def test_what_is_no_picture_in_the_training_set_is_left_out(tmp_path, stored, caplog):
    grey = np.full((4, 4), 0.5)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["Blip/train/aaa/1.0.png"] = grey
        if isinstance(stored, str):
            file.create_group("Blip/train/bbb/1.0.png")
        else:
            file["Blip/train/bbb/1.0.png"] = stored
    found = hdf5_pictures(tmp_path / "a.h5", "1", SCALE, SIZE)
    assert found.groups.tolist() == ["aaa"]
    assert "a.h5" in caplog.text
