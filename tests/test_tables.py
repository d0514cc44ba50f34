"""Tables follow their schemas, or are refused."""

import hashlib
import importlib
import pkgutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gwmorph import tables
from gwmorph.errors import TableError
from gwmorph.tables import parquet
from gwmorph.tables.block import LEDGER, MEASUREMENTS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, embedding_matrix
from gwmorph.tables.parquet import (
    read_metadata,
    read_table,
    read_tables,
    shared_metadata,
    write_table,
)

ROW = {
    "detector": "H1",
    "gps_start": 1262301184,
    "duration_s": 32,
    "block": 1262301184,
    "status": "analysed",
    "reason": None,
    "detail": None,
}


def schemas() -> list[pa.Schema]:
    modules = [
        importlib.import_module(f"{tables.__name__}.{found.name}")
        for found in pkgutil.iter_modules(tables.__path__)
    ]
    values = [value for module in modules for value in vars(module).values()]
    return [value for value in values if isinstance(value, pa.Schema)]


def test_every_schema_is_named_and_every_column_explained():
    names = [schema.metadata[b"gwmorph.schema"] for schema in schemas()]
    assert len(set(names)) == len(names) >= 6
    for schema in schemas():
        for field in schema:
            assert field.metadata[b"meaning"], f"{field.name} has no meaning"
            assert b"unit" in field.metadata


def test_rows_and_metadata_come_back(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, LEDGER, [ROW], {"gwmorph.config": "abc"})
    assert read_table(path, LEDGER).to_pylist() == [ROW]
    assert read_metadata(path)["gwmorph.config"] == "abc"
    assert read_tables([path, path], LEDGER).num_rows == 2
    assert read_tables([], LEDGER).num_rows == 0


def test_equal_rows_are_equal_bytes(tmp_path):
    hashes = set()
    for name in ("a", "b"):
        write_table(tmp_path / name, LEDGER, [ROW] * 50)
        hashes.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(hashes) == 1


@pytest.mark.parametrize(
    "change", [{"gps_start": "now"}, {"status": None}, {"gps_start": None}, {"block": "x"}]
)
def test_rows_that_do_not_fit_are_refused_and_leave_nothing(tmp_path, change):
    with pytest.raises(TableError, match=r"a\.parquet"):
        write_table(tmp_path / "a.parquet", LEDGER, [ROW | change])
    assert list(tmp_path.iterdir()) == []


def test_another_schema_or_version_is_refused_with_a_way_out(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    write_table(path, LEDGER, [ROW])
    with pytest.raises(TableError, match=r"expected gwmorph\.schema = 'measurements'"):
        read_table(path, MEASUREMENTS)
    monkeypatch.setattr(parquet, "SCHEMA_VERSION", "999")
    with pytest.raises(TableError, match="remove it and run the workflow again"):
        read_table(path, LEDGER)


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more", b"x" * 5000])
def test_what_is_no_table_is_named(tmp_path, content):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"a\.parquet: not a readable Parquet table"):
        read_table(path, LEDGER)


def test_a_foreign_parquet_file_is_no_table_of_ours(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    with pytest.raises(TableError, match="got None"):
        read_table(tmp_path / "a.parquet", LEDGER)


def test_tables_of_different_renderings_are_not_joined(tmp_path):
    for name in ("a", "b"):
        write_table(tmp_path / name, LEDGER, [ROW], {"gwmorph.render_id": name})
    paths = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(TableError, match=r"gwmorph\.render_id = 'b'"):
        shared_metadata(paths, ["gwmorph.render_id"])
    assert shared_metadata(paths[:1], ["gwmorph.render_id"]) == {"gwmorph.render_id": "a"}


def test_embeddings_keep_their_width_and_precision(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((3, 384)).astype(np.float32)
    tile = dict.fromkeys(("tile_time", "tile_frequency", "tile_q", "tile_energy", "tile_snr"), 1.0)
    rows = [
        {
            "detector": "H1", "gps_start": i, "view": "window", "trigger_time": None,
            **tile, "embedding": vector.tolist(),
        }
        for i, vector in enumerate(vectors)
    ]  # fmt: skip
    write_table(tmp_path / "a", EMBEDDINGS, rows)
    found = embedding_matrix(read_table(tmp_path / "a", EMBEDDINGS))
    np.testing.assert_array_equal(found, vectors)
    short = [rows[0] | {"embedding": [1.0] * 383}]
    with pytest.raises(TableError):
        write_table(tmp_path / "b", EMBEDDINGS, short)


def test_vectors_take_no_more_room_than_their_numbers(tmp_path):
    """A dictionary of numbers that never come twice made shards a third longer than they are."""
    vectors = np.random.default_rng(0).normal(size=(2048, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = {
        name: pa.array([1] * 2048, field.type) if field.type != pa.string() else ["H1"] * 2048
        for name, field in zip(EMBEDDINGS.names, EMBEDDINGS, strict=True)
        if name != "embedding"
    }
    write_table(
        tmp_path / "a.parquet", EMBEDDINGS, {**rows, "embedding": embedding_column(vectors)}
    )
    found = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    columns = {found.column(i).path_in_schema: found.column(i) for i in range(found.num_columns)}
    assert columns["embedding.list.element"].total_compressed_size < 0.9 * vectors.nbytes
    assert "RLE_DICTIONARY" in columns["detector"].encodings
    read = embedding_matrix(read_table(tmp_path / "a.parquet", EMBEDDINGS))
    np.testing.assert_array_equal(read, vectors)


def rewritten(path, **columns):
    """Write the ledger's columns, or others in their place, with the ledger's name on them."""
    arrays = {field.name: pa.array(["x"] if field.type == pa.string() else [1], field.type)
              for field in LEDGER} | columns  # fmt: skip
    about = {"gwmorph.schema": "ledger", "gwmorph.schema_version": parquet.SCHEMA_VERSION}
    held = {name: column for name, column in arrays.items() if column is not None}
    pq.write_table(pa.table(held).replace_schema_metadata(about), path)
    return path


@pytest.mark.parametrize(
    "column", [None, pa.array(["1"]), pa.array([1.0]), pa.array([None], pa.int64())]
)
def test_a_column_that_is_another_is_named(tmp_path, column):
    assert len(read_table(rewritten(tmp_path / "good.parquet"), LEDGER)) == 1
    path = rewritten(tmp_path / "a.parquet", gps_start=column)
    with pytest.raises(TableError, match=r"a\.parquet: columns gps_start are missing, of another"):
        read_table(path, LEDGER)


def test_a_byte_that_changes_in_a_column_is_noticed(tmp_path):
    path = tmp_path / "a.parquet"
    schema = pa.schema([LEDGER.field("gps_start")], metadata=LEDGER.metadata)
    write_table(path, schema, {"gps_start": np.random.default_rng(1).integers(0, 2**60, 3000)})
    content = path.read_bytes()
    for place in range(2000, 20_000, 3000):
        altered = bytearray(content)
        altered[place] ^= 0x10
        path.write_bytes(altered)
        with pytest.raises(TableError, match=r"a\.parquet: not a readable Parquet table"):
            read_table(path, schema)


def test_a_bit_that_changes_anywhere_is_noticed(tmp_path):
    """But for those of the seal itself, which hold nothing of the table."""
    path = tmp_path / "a.parquet"
    write_table(path, LEDGER, [ROW], {"gwmorph.render_id": "one"})
    content = path.read_bytes()
    seal = content.rindex(b"GWMS")
    accepted = []
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        path.write_bytes(altered)
        try:
            assert read_table(path, LEDGER).to_pylist() == [ROW]
            accepted.append(place)
        except TableError as error:
            assert "a.parquet: not a readable Parquet table" in str(error)
    assert accepted == list(range(seal, seal + 4))


def test_metadata_of_an_altered_footer_are_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, LEDGER, [ROW], {"gwmorph.render_id": "one"})
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))
    with pytest.raises(TableError, match=r"a\.parquet: .*its footer was altered"):
        read_metadata(path)


def test_a_table_without_a_seal_is_read(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, LEDGER, [ROW])
    pq.write_table(pq.read_table(path), path)
    assert read_table(path, LEDGER).to_pylist() == [ROW]


def test_a_table_that_others_wrote_may_hold_nulls_where_ours_may(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, LEDGER, [ROW])
    own = read_table(path, LEDGER)
    pq.write_table(pa.table(own.to_pydict(), pa.schema(
        [field.with_nullable(True) for field in own.schema], own.schema.metadata
    )), path)  # fmt: skip
    assert read_table(path, LEDGER).equals(own)
    assert read_table(path, LEDGER).schema == own.schema


def test_other_readers_pass_over_the_seal(tmp_path):
    path = tmp_path / "a.parquet"
    with parquet.table_writer(path, LEDGER) as append:
        append([ROW] * 3)
        append([ROW] * 2)
    with pq.ParquetFile(path) as file:
        assert file.read_row_group(1).num_rows == 2
    assert pq.read_table(path, filters=[("detector", "=", "H1")]).num_rows == 5


def test_metadata_that_are_no_text_are_an_error(tmp_path):
    about = {b"gwmorph.schema": b"\xff", b"gwmorph.schema_version": b"6"}
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(about), tmp_path / "a.parquet")
    with pytest.raises(TableError, match=r"a\.parquet: not a readable Parquet table"):
        parquet.read_metadata(tmp_path / "a.parquet")
