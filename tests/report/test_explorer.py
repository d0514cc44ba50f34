"""What the explorer's scripts of data hold."""

import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from explored import NASTY, START, leave_run, view_of
from hypothesis import given
from hypothesis import strategies as st
from made_run import make_run

from closeness import near
from gwmorph.cli import main
from gwmorph.errors import TableError
from gwmorph.grid import block_of
from gwmorph.morphology.neighbors import Nearest
from gwmorph.report.explorer import contents
from gwmorph.report.explorer.columns import coded, encoded, script, seconds_and_nanoseconds
from gwmorph.report.explorer.contents import ViewTables, chunks_of, columns_of, vectors_of
from gwmorph.report.explorer.folder import about_run, write_explorer
from gwmorph.runs.vetoes import cluster_vetoes
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, of_width
from gwmorph.tables.parquet import read_table, read_tables

TYPES = {"Float32Array": "<f4", "Uint32Array": "<u4", "Uint16Array": "<u2", "Uint8Array": "|u1"}


def decoded(columns: dict) -> dict[str, np.ndarray]:
    return {
        name: np.frombuffer(b64decode(text), TYPES[kind]) for name, (kind, text) in columns.items()
    }


@pytest.mark.parametrize("kind", ["f4", "u4", "u2", "u1"])
def test_a_column_comes_back(kind):
    column = np.array([0, 1, 200], kind)
    assert decoded({"c": encoded(column)})["c"].tolist() == [0, 1, 200]


def test_big_endian_columns_are_turned():
    column = np.array([1, 2, 3], ">u4")
    assert decoded({"c": encoded(column)})["c"].tolist() == [1, 2, 3]


def test_a_type_that_the_page_has_no_array_for_is_refused():
    with pytest.raises(KeyError):
        encoded(np.array([1.0]))


def test_a_script_holds_no_number_that_json_cannot_say():
    with pytest.raises(ValueError, match="not JSON compliant"):
        script("f", [float("nan")])


@given(st.integers(0, 2**32 - 2), st.integers(0, 2**22 - 1))
def test_times_are_written_as_names_of_files_are(second, part):
    time = second + part / 2**22
    whole, rest = seconds_and_nanoseconds(np.array([time]))
    assert f"{whole[0]}.{rest[0]:09d}" == f"{time:.9f}"


def test_too_many_words_are_refused():
    with pytest.raises(ValueError, match="65,537"):
        coded([str(i) for i in range(65537)])


def test_columns_hold_what_the_tables_hold():
    view = view_of("event", 12)
    said = columns_of(view)
    columns, rows = decoded(said["columns"]), view.clusters
    assert said["rows"] == 12
    assert columns["start"].tolist() == rows["gps_start"].to_pylist()
    assert columns["cluster"].tolist() == rows["cluster"].to_pylist()
    assert columns["outlier"].tolist() == [i == 4 for i in range(12)]
    assert columns["snr"].tolist() == rows["tile_snr"].to_pylist()
    assert columns["frequency"].tolist() == rows["tile_frequency"].to_pylist()
    assert [said["detectors"][i] for i in columns["detector"]] == rows["detector"].to_pylist()
    assert [said["statuses"][i] for i in columns["status"][:3]] == ["KNOWN", "AMBIGUOUS", "NOVEL"]
    assert [said["classes"][i] for i in columns["named"][:3]] == ["Blip", NASTY, ""]
    times = columns["second"] + columns["nanosecond"] * 1e-9
    np.testing.assert_allclose(times, rows["trigger_time"].to_pylist(), rtol=1e-15)
    for name in "xy":
        assert columns[name].min() == -1
        assert columns[name].max() == 1
    assert [one["members"] for one in said["clusters"]] == [4, 4, 4]
    assert [one["mark"] for one in said["clusters"]] == ["0", "1?*", "2*"]


def test_windows_have_the_time_of_their_loudest_tile():
    said = columns_of(view_of("window", 3))
    assert decoded(said["columns"])["second"].tolist() == [START + 16, START + 16, START + 48]


def test_what_a_run_lacks_is_said():
    said = columns_of(view_of("event", 3, plain=True))
    assert not said["hasStatuses"]
    assert not said["hasClasses"]
    assert [one["name"] for one in said["clusters"]] == ["", "", ""]


def test_one_row_lies_in_the_middle():
    columns = decoded(columns_of(view_of("event", 1))["columns"])
    assert (columns["x"][0], columns["y"][0]) == (0, 0)


def test_no_row_gives_empty_columns():
    empty = ViewTables(CLUSTERS.empty_table(), Nearest(np.zeros((0, 0), int), np.zeros((0, 0)), 0))
    said = columns_of(empty)
    assert said["rows"] == 0
    assert not list(chunks_of(empty))


def test_chunks_hold_all_rows_in_order(monkeypatch):
    monkeypatch.setattr(contents, "CHUNK", 5)
    view = view_of("event", 12)
    chunks = list(chunks_of(view))
    assert [chunk["width"] for chunk in chunks] == [8, 8, 8]
    near_rows = np.concatenate([decoded(c["columns"])["neighbors"] for c in chunks])
    np.testing.assert_array_equal(near_rows.reshape(12, 8), view.nearest.rows)
    cosines = np.concatenate([decoded(c["columns"])["cosines"] for c in chunks])
    np.testing.assert_array_equal(cosines.reshape(12, 8), view.nearest.cosines)
    q = np.concatenate([decoded(c["columns"])["tile_q"] for c in chunks])
    assert q.tolist() == [8.0] * 12


def test_vectors_are_found_by_key_and_a_missing_one_is_an_error():
    rows = view_of("event", 6).clusters
    vectors = np.arange(24, dtype=np.float32).reshape(6, 4)
    kept = {name: rows[name] for name in EMBEDDINGS.names if name != "embedding"}
    table = pa.table(
        {**kept, "embedding": embedding_column(vectors)}, schema=of_width(EMBEDDINGS, 4)
    )
    turned = table.take([5, 3, 1, 0, 2, 4])
    np.testing.assert_array_equal(vectors_of(rows, turned), vectors)
    with pytest.raises(TableError, match="and 1 more"):
        vectors_of(rows, table.slice(2))


def test_the_same_run_gives_the_same_bytes_and_a_script_nobody_breaks_out_of(tmp_path):
    views = {"event": view_of("event", 8), "window": view_of("window", 8)}
    found = [leave_run(tmp_path / name, views).parent for name in ("one", "two")]
    names = sorted(p.relative_to(found[0]) for p in found[0].rglob("*") if p.is_file())
    for name in names:
        assert (found[0] / name).read_bytes() == (found[1] / name).read_bytes()
    assert Path("data/event-00000.js") in names
    said = (found[0] / "data" / "run.js").read_text()
    about = json.loads(said.removeprefix("explorer.run(").removesuffix(");\n"))
    assert about["views"] == ["event", "window"]
    assert about["folders"][f"event H1 {START}"].startswith("../events/H1-GWMORPH_EVENTS-")
    assert about["windowSeconds"] == near(32, 1e-12)


def test_a_page_that_cannot_look_into_archives_has_a_copy_of_their_pictures(tmp_path):
    views = {"event": view_of("event", 8), "window": view_of("window", 8)}
    plain = leave_run(tmp_path / "plain", views).parent
    page = leave_run(tmp_path / "packed", views, packed=True).parent
    assert not (plain / "data" / "pictures").exists()
    archives = sorted(path for name in ("events", "pictures")
                      for path in (tmp_path / "packed" / name).iterdir())  # fmt: skip
    copies = sorted(path.name for path in (page / "data" / "pictures").iterdir())
    assert copies == sorted(f"{path.name}.js" for path in archives)
    for archive in archives:
        said = (page / "data" / "pictures" / f"{archive.name}.js").read_text(encoding="ascii")
        called, _, arguments = said.removesuffix(");\n").partition("(")
        assert called == "explorer.packed"
        name, pictures = json.loads(f"[{arguments}]")
        assert name == archive.name
        found = {picture: b64decode(content) for picture, content in pictures.items()}
        folder = tmp_path / "plain" / archive.parent.name / archive.stem
        assert found == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run_of(page / "index.html")["folders"][f"event H1 {START}"] == (
        f"../events/H1-GWMORPH_EVENTS-{block_of(START)}-4096.zip"
    )


def test_its_vetoes_are_those_that_the_command_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make_run(Path("results/small"))
    tables = [
        read_table(run / "clusters/event/clusters.parquet", CLUSTERS),
        read_table(run / "triggers.parquet", TRIGGERS),
        read_tables(sorted((run / "ledger").iterdir()), LEDGER),
    ]
    about = about_run("small", 32, [], [])
    write_explorer(run / "explorer", about, {}, cluster_vetoes(*tables))
    for cluster in ("0", "1"):
        assert main(["veto", str(run), "--cluster", cluster, "--out", "out"]) == 0
    made, wanted = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (run / "explorer/vetoes", Path("out"))
    )
    assert len(wanted) == 2 * 2 * 3
    assert made == wanted
    linked = run_of(run / "explorer/index.html")["vetoes"]
    assert {path for one in linked["1"] for path in one["files"]} == {
        f"vetoes/{name}" for name in made if "CLUSTER_1" in name
    }


def test_a_detector_without_events_of_a_cluster_has_no_veto_there(tmp_path):
    html = leave_run(tmp_path, {"event": view_of("event", 5)})
    linked = run_of(html)["vetoes"]
    # Rows 0 and 3, 1 and 4, and 2 alone.
    assert {key: [one["detector"] for one in found] for key, found in linked.items()} == {
        "0": ["H1", "L1"],
        "1": ["H1", "L1"],
        "2": ["H1"],
    }


def run_of(html: Path) -> dict:
    """Return what the page knows of its run."""
    said = (html.parent / "data" / "run.js").read_text(encoding="ascii")
    return json.loads(said.partition("(")[2].rpartition(")")[0])
