"""Tables as data frames, with the units of their columns."""

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd


def frame(table: pa.Table) -> "pd.DataFrame":
    """Return a table as a data frame; ``attrs["units"]`` are the units of columns that have one.

    Nulls are NaN, None in columns of text, and pandas' NA in those of whole numbers and truths.
    """
    import pandas as pd

    kinds = {
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    found = table.to_pandas()
    for field in table.schema:
        if field.type in kinds and table[field.name].null_count:
            found[field.name] = table[field.name].to_pandas(types_mapper=kinds.get)
    units = {
        field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in table.schema
    }
    found.attrs["units"] = {name: unit for name, unit in units.items() if unit}
    return found
