import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from gwmorph.errors import CalibrationError, TableError
from gwmorph.morphology.atlas import (
    describe,
    limit_rows,
    limits_in,
    read_atlas,
    require_usable,
    write_atlas,
)
from gwmorph.morphology.manifest import About
from gwmorph.morphology.thresholds import ANY, limits_of
from gwmorph.storage import content_hash, read_json, write_json
from gwmorph.tables.calibration import THRESHOLDS
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.parquet import write_table
from gwmorph.tables.scores import QUIET
from gwmorph.tables.validation import REFERENCE

ABOUT = About(
    run="demo",
    detectors=("H1", "L1"),
    gps_start=1000,
    gps_end=9000,
    render_id="r1",
    encoder_id="e1",
    config_hash="c1",
    classes="labels",
    promise="each_class",
    rate=0.05,
    agreeing=0.6,
    neighbors=5,
    views=("event",),
)
SPAN = (2000, 8000)
IDS = {"gwmorph.render_id": "r1", "gwmorph.encoder_id": "e1"}
CLASSES = ["blip"] * 30 + ["tomte"] * 6 + ["alone"]


def labelled():
    count = len(CLASSES)
    vectors = np.random.default_rng(1).normal(size=(count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    columns = {
        "detector": ["H1"] * count,
        "gps_start": range(count),
        "view": ["event"] * count,
        "trigger_time": np.arange(count, dtype=float),
        "label": CLASSES,
        **{f"tile_{n}": np.ones(count) for n in ("time", "frequency", "q", "energy", "snr")},
        "duration": np.ones(count),
        "bandwidth": np.ones(count),
        "embedding": embedding_column(vectors.astype(np.float32)),
    }
    return pa.table(columns, schema=of_width(REFERENCE, 8)), vectors.astype(np.float32)


@pytest.fixture
def tables(tmp_path):
    table, vectors = labelled()
    limits = limits_of(vectors, np.array(CLASSES), 0.05, 1)
    files = {name: tmp_path / f"{name}.parquet" for name in ("reference", "thresholds")}
    write_table(files["reference"], table.schema, table, IDS)
    write_table(files["thresholds"], THRESHOLDS, limit_rows(limits, CLASSES, 0.05), IDS)
    return files


@pytest.fixture
def atlas(tmp_path, tables):
    write_atlas(tmp_path / "atlas", ABOUT, {"event": tables}, {}, "run: {}\n")
    return tmp_path / "atlas"


def test_an_atlas_holds_what_was_written_and_may_be_copied(atlas, tmp_path):
    shutil.move(atlas, tmp_path / "elsewhere")
    found = read_atlas(tmp_path / "elsewhere")
    table, vectors = labelled()
    assert found.about == ABOUT
    assert found.reference("event").equals(table)
    assert found.limits("event") == sorted(
        limits_of(vectors, np.array(CLASSES), 0.05, 1), key=lambda one: one.label
    )
    assert set(found.parts) == {
        "config.yaml",
        "event/reference.parquet",
        "event/thresholds.parquet",
    }
    assert not list(tmp_path.glob(".*.part"))


def test_a_table_that_was_altered_gets_into_no_atlas(tables, tmp_path):
    content = tables["reference"].read_bytes()
    middle = len(content) // 2
    altered = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    tables["reference"].write_bytes(altered)
    with pytest.raises(TableError, match=r"reference\.parquet: not a readable Parquet table"):
        write_atlas(tmp_path / "atlas", ABOUT, {"event": tables}, {}, "run: {}\n")
    assert not (tmp_path / "atlas").exists()


def test_what_a_killed_process_left_of_an_atlas_is_removed(tables, tmp_path):
    left = tmp_path / ".atlas.part" / "event"
    left.mkdir(parents=True)
    (left / "other.parquet").touch()
    write_atlas(tmp_path / "atlas", ABOUT, {"event": tables}, {}, "run: {}\n")
    assert not list(tmp_path.glob(".*.part"))
    assert not (tmp_path / "atlas" / "event" / "other.parquet").exists()


def test_the_same_content_is_the_same_bytes(atlas, tables, tmp_path):
    before = (atlas / "manifest.json").read_bytes()
    write_atlas(atlas, ABOUT, {"event": tables}, {}, "run: {}\n")  # in place of the other
    assert (atlas / "manifest.json").read_bytes() == before


def test_limits_come_through_their_table_with_the_classes_that_have_none(tables):
    _, vectors = labelled()
    limits = limits_of(vectors, np.array(CLASSES), 0.05, 1)
    table = limit_rows(limits, CLASSES, 0.05)
    assert {one.label for one in limits_in(table)} == {ANY, "blip", "tomte"}
    (alone,) = (row for row in table.to_pylist() if row["label"] == "alone")
    assert (alone["members"], alone["limit"], alone["granted"]) == (1, None, None)


@pytest.mark.parametrize(
    "part", ["config.yaml", "event/reference.parquet", "event/thresholds.parquet"]
)
@pytest.mark.parametrize("fault", ["missing", "altered"])
def test_a_part_that_is_not_as_it_was_is_named(atlas, part, fault):
    if fault == "missing":
        (atlas / part).unlink()
    else:
        content = bytearray((atlas / part).read_bytes())
        content[-1] ^= 1
        (atlas / part).write_bytes(content)
    with pytest.raises(CalibrationError, match=rf"{part}: this part of the atlas .*{fault}"):
        read_atlas(atlas)


def rewritten(atlas, change):
    """Alter the manifest, and its own hash, where that is not what is altered."""
    found = read_json(atlas / "manifest.json") | change
    if "sha256" not in change:
        del found["sha256"]
        found["sha256"] = content_hash(found)
    write_json(atlas / "manifest.json", found)


@pytest.mark.parametrize(
    "change",
    [
        {"rate": 0.06},
        {"encoder_id": "e2"},
        {"gps_end": 1_999_999_999},
        {"detectors": ["H1", "L1", "V1"]},
        {"parts": {}},
    ],
)
def test_what_a_manifest_says_is_not_altered_unseen(atlas, change):
    write_json(atlas / "manifest.json", read_json(atlas / "manifest.json") | change)
    with pytest.raises(CalibrationError, match=r"manifest\.json: was altered after it"):
        read_atlas(atlas)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "expected a manifest of format 1, got 2"),
        ({"rate": "5 %"}, "rate: expected float, got '5 %'"),
        ({"render_id": None}, "render_id: expected str, got None"),
        ({"rate": 7.5}, "rate: expected more than 0 and less than 1, got 7.5"),
        ({"promise": "bogus"}, "promise: expected each_class or overall, got 'bogus'"),
        ({"classes": "guesses"}, "classes: expected labels or clusters, got 'guesses'"),
        ({"agreeing": 0.0}, "agreeing: expected more than 0 and at most 1, got 0.0"),
        ({"neighbors": -3}, "neighbors: expected at least 1, got -3"),
        ({"detectors": [1]}, "detectors: expected names"),
        ({"gps_end": 10}, "gps_end: expected more than gps_start, 1000, got 10"),
        ({"sha256": None}, "sha256: expected str, got None"),
        ({"views": ["event", "window"]}, "says nothing of window/reference.parquet"),
        ({"parts": {"config.yaml": ["0"]}}, r"parts: expected a hash of each, got \{'config"),
        ({"parts": {"../../passwd": "0"}}, "outside of the atlas"),
        ({"parts": {"/etc/passwd": "0"}}, "outside of the atlas"),
        ({"views": ["event", "../elsewhere"]}, "outside of the atlas"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(atlas, change, message):
    rewritten(atlas, change)
    with pytest.raises(CalibrationError, match=message):
        read_atlas(atlas)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_damaged_manifest_is_refused(atlas, content):
    (atlas / "manifest.json").write_bytes(content)
    with pytest.raises(CalibrationError, match=r"manifest\.json: (damaged|expected)") as caught:
        read_atlas(atlas)
    assert str(caught.value).count("anew") == 1


def test_a_folder_that_is_no_atlas_is_refused(tmp_path):
    with pytest.raises(CalibrationError, match=r"so .* is no atlas"):
        read_atlas(tmp_path)


def test_a_view_that_is_not_in_it_is_refused(atlas):
    with pytest.raises(CalibrationError, match="of windows, got an atlas of events"):
        read_atlas(atlas).limits("window")


def test_tables_made_in_another_way_make_no_atlas(tables, tmp_path):
    with pytest.raises(TableError, match=r"expected encoder_id 'e2' .*, got 'e1'"):
        other = replace(ABOUT, encoder_id="e2")
        write_atlas(tmp_path / "atlas", other, {"event": tables}, {}, "")
    assert not (tmp_path / "atlas").exists()


@pytest.mark.parametrize(
    ("render", "encoder", "detectors", "span", "message"),
    [
        ("r2", "e1", ["H1"], SPAN, "render_id: expected 'r2'"),
        ("r1", "e2", ["H1"], SPAN, "encoder_id: expected 'e2'"),
        ("r1", "e1", ["V1"], SPAN, "is of H1, L1, .* this run of V1"),
        ("r1", None, ["H1"], (500, 8000), "GPS 1000 to 9000, this run of H1, GPS 500 to 8000"),
        ("r1", None, ["H1"], (2000, 9001), "calibration.elsewhere: allowed"),
    ],
)
def test_limits_are_used_only_where_they_hold(atlas, render, encoder, detectors, span, message):
    found = read_atlas(atlas)
    with pytest.raises(CalibrationError, match=message):
        require_usable(found, render, encoder, detectors, span, elsewhere=False)
    require_usable(found, "r1", "e1", ["H1"], SPAN, elsewhere=False)
    if render == "r1" and encoder != "e2":
        require_usable(found, render, encoder, detectors, span, elsewhere=True)


def test_an_atlas_says_what_it_holds(atlas):
    text = describe(read_atlas(atlas))
    assert "whole, all 3 parts" in text
    assert "run demo: H1, L1, GPS 1000 to 9000" in text
    assert "events: 37 labelled rows" in text
    assert "NOVEL: at most 0.05 of the rows of each class" in text
    assert "NOVEL below the limit of every class" in text
    assert "tomte: 6 rows, limit at a cosine of" in text
    assert "(of 0.14: too few for 0.05)" in text
    assert "alone: one row, no limit" in text
    assert "all as one" not in text
    assert "measured by: none" in text


def test_quiet_windows_are_a_part_of_the_atlas(tables, tmp_path):
    rows = {
        "number": np.arange(3),
        "gps_start": pa.nulls(3, pa.int64()),
        **dict.fromkeys(("tile_energy", "excess", "track", "chirp"), np.ones(3)),
        "embedding": embedding_column(np.eye(3, 8, dtype=np.float32)),
    }
    quiet = pa.table(rows, schema=of_width(QUIET, 8))
    write_table(tmp_path / "quiet.parquet", quiet.schema, quiet, IDS)
    files = {"H1": tmp_path / "quiet.parquet"}
    write_atlas(tmp_path / "atlas", ABOUT, {"event": tables}, files, "")
    atlas = read_atlas(tmp_path / "atlas")
    assert atlas.quiet("H1")["number"].to_pylist() == [0, 1, 2]
    assert atlas.quiet("L1") is None
    assert "measured by: H1 3" in describe(atlas)
    with pytest.raises(CalibrationError, match="expected an atlas of V1, got one of H1, L1"):
        atlas.quiet("V1")
    (tmp_path / "atlas/quiet/H1.parquet").unlink()
    with pytest.raises(CalibrationError, match=r"quiet/H1.parquet: this part .* is missing"):
        read_atlas(tmp_path / "atlas")
    write_table(tmp_path / "quiet.parquet", quiet.schema, quiet, {"gwmorph.render_id": "r2"})
    with pytest.raises(TableError, match="expected render_id 'r1'"):
        write_atlas(tmp_path / "other", ABOUT, {"event": tables}, files, "")


def test_an_atlas_says_whose_limit_decides(tables, tmp_path):
    about = replace(ABOUT, promise="overall", classes="clusters")
    write_atlas(tmp_path / "atlas", about, {"event": tables}, {}, "")
    text = describe(read_atlas(tmp_path / "atlas"))
    assert "NOVEL: at most 0.05 of all rows together" in text
    assert "NOVEL below the limit of all as one" in text
    assert "all as one: 37 rows, limit at" in text
    assert "events: 37 rows of clusters" in text
    assert "nobody has said what they are" in text
    assert about.judging["classes"] == "clusters"
