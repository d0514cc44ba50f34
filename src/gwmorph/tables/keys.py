"""What tells the rows of tables apart."""

import pyarrow as pa


def row_keys(table: pa.Table, time: str = "trigger_time") -> list[tuple[str, int, float]]:
    """Return what tells rows apart: detector, window and, of events, the trigger's peak time.

    The last is in the column ``time``.
    """
    columns = (table[name].to_pylist() for name in ("detector", "gps_start", time))
    return list(zip(*columns, strict=True))
