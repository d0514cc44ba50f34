"""Tables in which a test names only the columns that matter to it."""

from typing import Any

import pyarrow as pa


def filled(schema: pa.Schema, *rows: dict[str, Any]) -> pa.Table:
    """Return a table of these rows; in what they do not give stand empty text, 0 and False."""
    base = {field.name: _nothing(field.type) for field in schema}
    return pa.Table.from_pylist([base | row for row in rows], schema=schema)


def _nothing(kind: pa.DataType) -> str | int | bool:
    if pa.types.is_string(kind):
        return ""
    return False if pa.types.is_boolean(kind) else 0
