"""Rows of known class, from labels and in windows and events; and how names are scored."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from closeness import near
from gwmorph.config import EncoderConfig
from gwmorph.errors import TableError
from gwmorph.evidence.reference import (
    check_reference,
    classes_in_windows,
    confusion_rows,
    known_classes,
    labels_of_events,
    labels_of_rows,
    naming_rows,
    of_same_row,
    read_reference,
    reference_table,
    split_by_time,
)
from gwmorph.morphology.thresholds import QUIET
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.embeddings import embedding_column, embedding_matrix
from gwmorph.tables.parquet import write_table

GPS = 1_262_301_184
SHAPES = {"duration": np.ones(6), "bandwidth": np.ones(6)}


def embeddings(count=6, view="event", width=4):
    vectors = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    starts = GPS + 32 * np.arange(count)
    times = (starts + 10.0) if view == "event" else [None] * count
    tiles = {
        f"tile_{name}": np.ones(count) for name in ("time", "frequency", "q", "energy", "snr")
    }
    return pa.table(
        {
            "detector": ["H1", "L1"] * (count // 2),
            "gps_start": starts,
            "view": [view] * count,
            "trigger_time": pa.array(times, pa.float64()),
            **tiles,
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), width),
        }
    )


def triggers(rows):
    nothing = {
        field.name: {pa.string(): "tile", pa.bool_(): True}.get(field.type, 1)
        for field in TRIGGERS
        if not field.nullable
    }
    records = [
        nothing
        | {
            "detector": row["detector"],
            "gps_start": row["gps_start"],
            "peak_time": row["trigger_time"],
            "tstart": row["trigger_time"] - 0.1,
            "tend": row["trigger_time"] + 0.1,
        }
        for row in rows.to_pylist()
    ]
    return pa.Table.from_pylist(records, schema=TRIGGERS)


def labels(*rows):
    names = ("detector", "gps_time", "label", "snr")
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def test_an_event_has_the_label_that_means_its_trigger():
    rows = embeddings()
    known = labels(
        ("H1", GPS + 10.05, "Blip", 12.0),
        ("L1", GPS + 42.3, "Whistle", 9.0),  # a fifth of a second after the trigger's end
        ("L1", GPS + 110.0, "Tomte", 9.0),  # seconds away
    )
    found = labels_of_events(rows, known, triggers(rows))
    assert found.tolist() == ["Blip", "Whistle", "", "", "", ""]


def test_of_two_labels_of_one_trigger_the_loudest_counts():
    rows = embeddings()
    known = labels(("H1", GPS + 10.0, "Blip", 30.0), ("H1", GPS + 10.1, "Koi_Fish", 90.0))
    assert labels_of_events(rows, known, triggers(rows))[0] == "Koi_Fish"
    assert labels_of_events(rows, known.take([1, 0]), triggers(rows))[0] == "Koi_Fish"


def test_an_event_of_another_detector_is_not_labelled():
    rows = embeddings()
    known = labels(("L1", GPS + 10.0, "Blip", 30.0))
    assert set(labels_of_events(rows, known, triggers(rows)).tolist()) == {""}


def test_a_window_has_the_class_of_its_loudest_transient():
    rows = embeddings(view="window")
    known = pa.table(
        {
            "detector": ["H1", "H1", "L1", "H1", "H1"],
            "gps_time": [GPS + 1.0, GPS + 31.9, GPS + 32.0, GPS + 96.0, GPS + 500.0],
            "snr": [30.0, 8.0, 9.0, 9.0, 99.0],
        }
    )
    names = np.array(["loud", "faint", "whistle", "never", "elsewhere"])
    found = classes_in_windows(rows, known, names, 32)
    # The windows of H1 start at 0, 64 and 128 s, those of L1 at 32, 96 and 160 s.
    assert found.tolist() == ["loud", "whistle", "", "", "", ""]


@pytest.mark.parametrize("view", ["window", "event"])
def test_labels_that_no_row_has_are_refused_with_what_to_do(view):
    rows = embeddings(view=view)
    found = triggers(embeddings())
    given = labels(("H1", GPS + 10.0, "Blip", 12.0), ("V1", GPS + 10.0, "Blip", 12.0))
    assert known_classes(rows, view, found, 32, given, None).tolist() == ["Blip"] + 5 * [""]
    said = rf"similarity\.labels: 1 label, none of them for one of this run's {view}s.*reference"
    with pytest.raises(TableError, match=said):
        known_classes(rows, view, found, 32, given.slice(1), None)
    nothing = rows.slice(0, 0)
    assert len(known_classes(nothing, view, found, 32, given, None)) == 0


@pytest.mark.parametrize(("view", "other"), [("window", QUIET), ("event", "")])
def test_by_the_truth_a_window_is_quiet_and_an_event_unknown_where_nothing_was_injected(
    view, other
):
    rows, found = embeddings(view=view), triggers(embeddings())
    truth = pa.table(
        {
            "detector": ["H1", "V1"],
            "gps_time": [GPS + 10.0] * 2,
            "snr": [12.0, 12.0],
            "duration": [0.1, 0.1],
            "morphology": ["blip", "tomte"],
        }
    )
    assert known_classes(rows, view, found, 32, None, truth).tolist() == ["blip"] + 5 * [other]
    assert set(known_classes(rows, view, found, 32, None, truth.slice(1)).tolist()) == {other}
    assert set(known_classes(rows, view, found, 32, None, None).tolist()) == {""}


@given(st.lists(st.tuples(st.floats(0, 190), st.floats(5, 50)), max_size=12), st.integers(1, 64))
def test_windows_that_overlap_each_have_their_loudest(transients, length):
    rows = embeddings(view="window")
    known = pa.table(
        {
            "detector": pa.array(["H1"] * len(transients), pa.string()),
            "gps_time": pa.array([GPS + t for t, _ in transients], pa.float64()),
            "snr": pa.array([snr for _, snr in transients], pa.float64()),
        }
    )
    names = np.array([f"{i}" for i in range(len(transients))], dtype=str)
    found = classes_in_windows(rows, known, names, length)
    for i, row in enumerate(rows.to_pylist()):
        inside = [
            (snr, j)
            for j, (t, snr) in enumerate(transients)
            if row["detector"] == "H1" and row["gps_start"] <= GPS + t < row["gps_start"] + length
        ]
        expected = {f"{j}" for snr, j in inside if snr == max(inside)[0]} or {""}
        assert found[i] in expected


def test_a_reference_holds_the_rows_of_known_class(tmp_path):
    rows = embeddings()
    shapes = {"duration": np.arange(6.0), "bandwidth": np.full(6, np.nan)}
    table = reference_table(rows, np.array(["a", "", "b", "", "", "a"]), shapes)
    assert table["duration"].to_pylist() == [0, 2, 5]
    assert table["bandwidth"].null_count == 3
    assert table["label"].to_pylist() == ["a", "b", "a"]
    assert table["gps_start"].to_pylist() == [GPS, GPS + 64, GPS + 160]
    assert of_same_row(rows, table).tolist() == [0, -1, 1, -1, -1, 2]
    about = {"gwmorph.render_id": "r", "gwmorph.encoder_id": "e"}
    write_table(tmp_path / "r.parquet", table.schema, table, about)
    assert read_reference(tmp_path / "r.parquet", "r", "e", "event").equals(table)


@pytest.mark.parametrize(
    ("render_id", "encoder_id", "view", "said"),
    [
        ("other", "e", "event", r"gwmorph.render_id = 'other', got 'r'"),
        ("r", "other", "event", r"gwmorph.encoder_id = 'other', got 'e'"),
        ("r", "e", "window", r"expected views of windows, got event"),
    ],
)
def test_a_reference_made_in_another_way_is_refused(tmp_path, render_id, encoder_id, view, said):
    table = reference_table(embeddings(), np.array(["a"] * 6), SHAPES)
    about = {"gwmorph.render_id": "r", "gwmorph.encoder_id": "e"}
    write_table(tmp_path / "r.parquet", table.schema, table, about)
    with pytest.raises(TableError, match=rf"r\.parquet: .*{said}"):
        read_reference(tmp_path / "r.parquet", render_id, encoder_id, view)


DCT, INDOMAIN = EncoderConfig(name="dct"), EncoderConfig(name="indomain")
DINOV2 = EncoderConfig(name="dinov2", weights={"path": "."})


@pytest.mark.parametrize(
    ("encoder", "known"),
    [
        (DCT, "dct:1:-:8x9:float32"),
        (INDOMAIN, "indomain:3:abc:8x9:float32"),
        (
            EncoderConfig(name="dinov2", weights={"path": "."}),
            "any/dinov2:f:any:8x9:bf16:cls",
        ),
    ],
)
def test_a_reference_is_known_to_fit_before_the_encoder_is_made(tmp_path, encoder, known):
    path = tmp_path / "r.parquet"
    table = reference_table(embeddings(), np.array(["a"] * 6), SHAPES)
    about = {"gwmorph.render_id": "r", "gwmorph.encoder_id": known}
    write_table(path, table.schema, table, about)
    check_reference(path, "r", encoder, (8, 9), "abc")
    with pytest.raises(TableError, match=r"gwmorph.render_id = 'q', got 'r'"):
        check_reference(path, "q", encoder, (8, 9), "abc")
    other = INDOMAIN if encoder is DCT else DCT
    for wrong, size in ((other, (8, 9)), (encoder, (9, 8))):
        with pytest.raises(TableError, match=rf"the encoder {wrong.name}.*got those of '{known}'"):
            check_reference(path, "r", wrong, size, "abc")


def test_a_reference_by_other_weights_or_unnamed_ones_is_known_not_to_fit(tmp_path):
    path = tmp_path / "r.parquet"
    table = reference_table(embeddings(), np.array(["a"] * 6), SHAPES)
    for known in ("indomain:3:other:8x9:float32", "indomain", ""):
        about = {"gwmorph.render_id": "r", "gwmorph.encoder_id": known}
        write_table(path, table.schema, table, about)
        with pytest.raises(TableError, match=r"indomain, weights abc, .* got those of"):
            check_reference(path, "r", INDOMAIN, (8, 9), "abc")


def test_a_reference_with_vectors_that_are_not_finite_is_refused(tmp_path):
    rows = embeddings()
    vectors = embedding_matrix(rows).copy()
    vectors[4, 1] = np.nan
    place = rows.schema.get_field_index("embedding")
    rows = rows.set_column(place, "embedding", embedding_column(vectors))
    table = reference_table(rows, np.array(["a"] * 6), SHAPES)
    about = {"gwmorph.render_id": "r", "gwmorph.encoder_id": "e"}
    write_table(tmp_path / "r.parquet", table.schema, table, about)
    with pytest.raises(TableError, match=r"r\.parquet: 1 of 6 vectors .* first in row 4"):
        read_reference(tmp_path / "r.parquet", "r", "e", "event")


def test_an_empty_reference_is_refused(tmp_path):
    table = reference_table(embeddings(), np.array([""] * 6), SHAPES)
    about = {"gwmorph.render_id": "r", "gwmorph.encoder_id": "e"}
    write_table(tmp_path / "r.parquet", table.schema, table, about)
    with pytest.raises(TableError, match="got no row"):
        read_reference(tmp_path / "r.parquet", "r", "e", "event")


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=60), st.floats(0, 3000))
def test_parts_are_a_gap_apart(raw, gap):
    times = np.array(raw)
    split = split_by_time(times, gap)
    assert not set(split.earlier.tolist()) & set(split.later.tolist())
    if len(split.earlier) and len(split.later):
        assert times[split.later].min() - times[split.earlier].max() >= gap * (1 - 1e-9)
    if gap == 0:
        assert len(split.earlier) + len(split.later) == len(times)


def test_names_are_scored_by_class_and_as_a_whole():
    classes = np.array(["a"] * 6 + ["b"] * 3 + ["c"])
    named = np.array(["a"] * 5 + ["b"] + ["b", "b", ""] + ["a"])
    rows = {
        (row["figure"], row["label"]): row
        for row in naming_rows("vectors", named, classes, np.arange(10), 20, 1)
    }
    assert rows["top1", None]["value"] == near(0.7)
    assert rows["top1", "a"]["value"] == near(5 / 6)
    assert rows["top1", "b"]["value"] == near(2 / 3)
    assert rows["top1", "c"]["value"] == 0
    assert rows["top1", "c"]["rows"] == 1  # a class with one member
    assert rows["precision", "a"]["value"] == near(5 / 6)
    assert rows["precision", "b"]["value"] == near(2 / 3)
    assert ("precision", "c") not in rows
    assert rows["ami", None]["value"] == near(adjusted_mutual_info_score(classes, named))
    assert rows["top1", None]["low"] < 0.7 < rows["top1", None]["high"]
    for figure in ("ami", "ari", "macro_jaccard", "ari_without_largest", "v_measure"):
        assert rows[figure, None]["low"] < rows[figure, None]["high"]
    assert rows["largest_share", None]["value"] == near(0.6)
    table = {(row["label"], row["named"]): row["rows"] for row in confusion_rows(named, classes)}
    assert table == {
        ("a", "a"): 5, ("a", "b"): 1, ("b", "b"): 2, ("b", ""): 1, ("c", "a"): 1,
    }  # fmt: skip


def test_a_name_that_is_given_and_never_right_is_scored():
    classes, named = np.array(["a", "a", "b"]), np.array(["a", "scratchy", "scratchy"])
    rows = {
        (row["figure"], row["label"]): row
        for row in naming_rows("vectors", named, classes, np.arange(3), 20, 1)
    }
    wrong = rows["precision", "scratchy"]
    assert (wrong["value"], wrong["rows"]) == (0, 2)
    assert wrong["high"] < 1
    assert ("top1", "scratchy") not in rows


def test_random_names_agree_by_chance_alone():
    rng = np.random.default_rng(3)
    classes, named = rng.choice(list("abcd"), (2, 2000))
    rows = {
        (row["figure"], row["label"]): row["value"]
        for row in naming_rows("x", named, classes, np.arange(len(classes)), 20, 1)
    }
    assert rows["top1", None] == pytest.approx(0.25, abs=0.04)
    for figure in ("ari", "ami"):
        assert rows[figure, None] == pytest.approx(0, abs=0.01)


def test_rows_have_the_labels_that_a_reference_has_of_them():
    run = embeddings()
    own = reference_table(run, np.array(["", "blip", "", "tomte", "", ""]), SHAPES)
    assert labels_of_rows(run, own).tolist() == ["", "blip", "", "tomte", "", ""]
    turned = pa.table(own.take(pa.array([1, 0])))
    assert labels_of_rows(run.slice(1, 3), turned).tolist() == ["blip", "", "tomte"]
    assert labels_of_rows(run, own.slice(0, 0)).tolist() == [""] * 6
