"""Tables of vectors, and vectors as columns."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.tables.columns import (
    DETECTOR,
    EMBEDDING,
    GPS_START,
    TILE_COLUMNS,
    TRIGGER_TIME,
    VIEW,
    vector,
)

EMBEDDINGS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        *TILE_COLUMNS,
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "embeddings"},
)


def embedding_matrix(rows: pa.Table, name: str = "embedding") -> NDArray[np.float32]:
    """Return the vectors of a column, by default of EMBEDDINGS, as float32 [rows, width]."""
    column = rows[name].combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)


def embedding_column(vectors: NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Return vectors float32 [rows, width] as the column ``embedding``."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, type=vector(vectors.shape[1]))


def of_width(schema: pa.Schema, width: int, name: str = "embedding") -> pa.Schema:
    """Return a schema for vectors of another length in the column ``name``."""
    place = schema.get_field_index(name)
    return schema.set(place, schema.field(place).with_type(vector(width)))
