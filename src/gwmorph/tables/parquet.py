"""Writing and reading tables: Parquet with zstd, each following a declared schema.

The file-level metadata says which schema the table follows (``gwmorph.schema``,
``gwmorph.schema_version``) and whatever the stage adds: config hash, input hashes, render id,
encoder id. No time of writing is stored, so equal content gives equal bytes.

A table is sealed (`gwmorph.seals`), so that a bit that changes anywhere is noticed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gwmorph.errors import TableError
from gwmorph.seals import require_seal, seal
from gwmorph.storage import atomic_path

SCHEMA_VERSION = "6"
_REMOVE = "The table comes from another version or stage: remove it and run the workflow again."


def write_table(
    path: Path | str,
    schema: pa.Schema,
    rows: pa.Table | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write ``rows`` (a table, a mapping of columns, or a list of records) as Parquet.

    Raises
    ------
    TableError
        A column is missing, unknown, of another type, or holds nulls where none are allowed.
    StorageError
        The file cannot be written whole.
    """
    with table_writer(path, schema, metadata) as append:
        append(rows)


@contextmanager
def table_writer(
    path: Path | str, schema: pa.Schema, metadata: Mapping[str, str] | None = None
) -> Iterator[Callable[[Any], None]]:
    """Yield a function that appends rows, so that a long table never is in memory at once.

    Each call takes rows as `write_table` does and becomes one row group. The file appears
    under its name when the block ends well; without any call it is an empty table.

    Raises
    ------
    TableError, StorageError
        As `write_table`.
    """
    own = {"gwmorph.schema_version": SCHEMA_VERSION, **(metadata or {})}
    merged = {**(schema.metadata or {}), **{k.encode(): v.encode() for k, v in own.items()}}
    full = schema.with_metadata(merged)
    with atomic_path(path) as partial:
        with pq.ParquetWriter(
            partial, full, compression="zstd", write_page_checksum=True, **_encodings(schema)
        ) as writer:
            yield lambda rows: writer.write_table(
                _to_table(path, schema, rows).replace_schema_metadata(merged)
            )
        seal(partial)


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """Return how columns are encoded: vectors byte by byte, all else as is usual.

    No two numbers of vectors are the same, so that a dictionary of them is longer than they are;
    first bytes, which hold the exponent, are much alike. That makes a shard a third smaller, and
    reading it twice as fast.
    """
    vectors = [field.name for field in schema if pa.types.is_fixed_size_list(field.type)]
    if not vectors:
        return {}
    leaves = {
        field.name: f"{field.name}.list.element" if pa.types.is_nested(field.type) else field.name
        for field in schema
    }
    return {
        "use_dictionary": [leaf for name, leaf in leaves.items() if name not in vectors],
        "use_byte_stream_split": [leaves[name] for name in vectors],
    }


def _to_table(path: Path | str, schema: pa.Schema, rows: Any) -> pa.Table:
    try:
        if isinstance(rows, pa.Table):
            table = rows.select(schema.names).cast(schema)
        elif isinstance(rows, Mapping):
            if set(rows) != set(schema.names):
                raise KeyError(f"columns {sorted(rows)}, expected {sorted(schema.names)}")
            table = pa.table(dict(rows), schema=schema)
        else:
            table = pa.Table.from_pylist(list(rows), schema=schema)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise TableError(
            f"{path}: rows do not fit the schema {_name(schema)!r}: {error}"
        ) from error
    for field in schema:
        if not field.nullable and table.column(field.name).null_count:
            raise TableError(f"{path}: column {field.name!r} of {_name(schema)!r} holds nulls.")
    return table


def read_table(path: Path | str, schema: pa.Schema) -> pa.Table:
    """Read a table and check that it follows ``schema`` in this version.

    Raises
    ------
    TableError
        The file is missing, not Parquet or damaged, or follows another schema or version.
    """
    expected = {"gwmorph.schema": _name(schema), "gwmorph.schema_version": SCHEMA_VERSION}
    require_metadata(
        path,
        expected,
        _REMOVE,
    )
    with _damage(path):
        require_seal(path, pages=True)
        found = pq.read_table(path, page_checksum_verification=True)
        wrong = [field.name for field in schema if not _fits(found, field)]
        if wrong:
            raise TableError(
                f"{path}: columns {', '.join(wrong)} are missing, of another type than the schema "
                f"{_name(schema)!r} says, or hold nulls. {_REMOVE}"
            )
        found.validate()
        return _as_declared(found.select(schema.names), schema)


def _as_declared(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table whose columns may hold nulls where the schema's may; others' all may."""
    fields = [table.field(field.name).with_nullable(field.nullable) for field in schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, table.schema.metadata))


@contextmanager
def _damage(path: Path | str) -> Iterator[None]:
    """Turn what Arrow raises on bytes that were altered into a TableError."""
    try:
        yield
    except (OSError, ValueError, TypeError, LookupError, MemoryError, pa.ArrowException) as error:
        raise TableError(
            f"{path}: not a readable Parquet table ({error}). Remove it and run again."
        ) from error


def _fits(table: pa.Table, field: pa.Field) -> bool:
    """Tell whether a table has a column as declared; vectors may be of any width."""
    places = table.schema.get_all_field_indices(field.name)
    if len(places) != 1:
        return False
    column = table.column(places[0])
    vectors = all(map(pa.types.is_fixed_size_list, (field.type, column.type)))
    alike = column.type.value_type == field.type.value_type if vectors else False
    if not alike and column.type != field.type:
        return False
    return field.nullable or not column.null_count


def require_metadata(path: Path | str, expected: Mapping[str, str], advice: str) -> None:
    """Check what a table's metadata says.

    Raises
    ------
    TableError
        The file is missing or not Parquet, or one of its values is not the expected one; the error
        names both and ends with ``advice``.
    """
    found = read_metadata(path)
    for key, value in expected.items():
        if found.get(key) != value:
            raise TableError(
                f"{path}: expected {key} = {value!r}, got {found.get(key)!r}. {advice}"
            )


def read_tables(paths: Iterable[Path | str], schema: pa.Schema) -> pa.Table:
    """Read several tables of one schema and join their rows in the order given."""
    tables = [read_table(path, schema).replace_schema_metadata(None) for path in paths]
    empty = schema.empty_table().replace_schema_metadata(None)
    return pa.concat_tables(tables or [empty], promote_options="default")


def read_metadata(path: Path | str) -> dict[str, str]:
    """Return the file-level metadata of a table, without pandas' and Arrow's own keys."""
    with _damage(path):
        require_seal(path, pages=False)
        raw = pq.read_schema(path).metadata or {}
        return {k.decode(): v.decode() for k, v in raw.items() if k.startswith(b"gwmorph.")}


def shared_metadata(paths: Iterable[Path | str], keys: Iterable[str]) -> dict[str, str]:
    """Return the values of ``keys`` that all tables agree on.

    Raises
    ------
    TableError
        Two tables differ in one of the keys, so that their rows must not be compared.
    """
    shared: dict[str, str] = {}
    keys = list(keys)
    for path in paths:
        found = read_metadata(path)
        for key in keys:
            value = found.get(key, "")
            if shared.setdefault(key, value) != value:
                raise TableError(
                    f"{path}: {key} = {value!r}, but other tables of this run have "
                    f"{shared[key]!r}; their rows cannot be compared. Remove the older tables."
                )
    return shared


def _name(schema: pa.Schema) -> str:
    return schema.metadata[b"gwmorph.schema"].decode()
