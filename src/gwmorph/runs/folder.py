"""Which tables a run's folder has, read with words for what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gwmorph.encoders.base import View
from gwmorph.errors import GwmorphError
from gwmorph.tables.block import LEDGER
from gwmorph.tables.embeddings import EMBEDDINGS
from gwmorph.tables.parquet import SCHEMA_VERSION, read_table, require_metadata, shared_metadata

VIEWS: tuple[View, ...] = ("event", "window")
_RENDER_ID, _ENCODER_ID = "gwmorph.render_id", "gwmorph.encoder_id"


@dataclass(frozen=True)
class Identity:
    """What pictures were drawn by, and vectors made by: without both equal, none compare."""

    render_id: str
    encoder_id: str


def table_of(run: Path, name: str, schema: pa.Schema) -> pa.Table:
    """Read a table of a run, ``name`` being its path inside the run's folder.

    Raises
    ------
    GwmorphError
        The run has no such table.
    TableError
        The table was written by another version, or is damaged.
    """
    return read_table(existing(run, name), schema)


def existing(run: Path, name: str) -> Path:
    """Return the path of a file of a run.

    Raises
    ------
    GwmorphError
        There is no such run, or the run has no such file.
    """
    path = run / name
    if path.is_file():
        return path
    if not (run / "ledger").is_dir():
        raise GwmorphError(
            f"{run}: no run's folder, it has no ledger. Name the folder that a run left, "
            "results/NAME."
        )
    raise GwmorphError(f"{path}: no such file; run snakemake to its end first.")


def ledgers_of(run: Path) -> list[Path]:
    """Return the ledgers of all blocks of a run.

    Raises
    ------
    GwmorphError
        There is no such run.
    """
    found = sorted((run / "ledger").glob("*.parquet"))
    return found or [existing(run, "ledger")]  # which says what is missing


def window_seconds(run: Path) -> int:
    """Return how long a run's windows are, in seconds.

    Raises
    ------
    GwmorphError
        There is no such run, or it has planned no window.
    TableError
        As `table_of`.
    """
    for path in ledgers_of(run):
        rows = read_table(path, LEDGER)
        if rows.num_rows:
            return int(rows["duration_s"][0].as_py())
    raise GwmorphError(f"{run}: no window was planned in this run.")


def require_view(name: str) -> View:
    """Return ``event`` or ``window``, as the name of a view.

    Raises
    ------
    GwmorphError
        It is another name.
    """
    for view in VIEWS:
        if name == view:
            return view
    raise GwmorphError(f"view: expected 'event' or 'window', got {name!r}.")


def shards_of(run: Path, view: str) -> list[Path]:
    """Return the shards of a view of a run, in order of detector and time.

    Raises
    ------
    GwmorphError
        There is no such view or run, or it has no vectors of the view.
    """
    require_view(view)
    found = sorted((run / "embeddings" / view).glob("*.parquet"))
    return found or [existing(run, f"embeddings/{view}")]


def identity_of(shards: Sequence[Path]) -> Identity:
    """Return what a run's shards were all drawn and encoded by.

    Raises
    ------
    TableError
        A shard is damaged or of another version, or shards differ in this.
    """
    for shard in shards:
        require_schema(shard, EMBEDDINGS)
    shared = shared_metadata(shards, [_RENDER_ID, _ENCODER_ID])
    return Identity(shared[_RENDER_ID], shared[_ENCODER_ID])


def require_schema(path: Path, schema: pa.Schema) -> None:
    """Check that a table is of a schema in this version, of which some columns are to be read.

    Raises
    ------
    TableError
        It is missing, damaged, of another schema or of another version.
    """
    expected = {
        "gwmorph.schema": schema.metadata[b"gwmorph.schema"].decode(),
        "gwmorph.schema_version": SCHEMA_VERSION,
    }
    require_metadata(path, expected, "Remove it and run the workflow again.")


def require_comparable(run: Path, one: Identity, other_run: Path, other: Identity) -> None:
    """Check that vectors of two runs may be compared.

    Raises
    ------
    GwmorphError
        Their pictures were drawn, or their vectors made, in different ways.
    """
    if one == other:
        return
    if one.render_id != other.render_id:
        what, keys = "pictures were drawn", "window.duration_s, conditioning, qtransform, picture"
        values = one.render_id, other.render_id
    else:
        what, keys = "vectors were made", "encoder"
        values = one.encoder_id, other.encoder_id
    raise GwmorphError(
        f"{run} and {other_run} cannot be compared: their {what} in different ways ({values[0]} "
        f"and {values[1]}). Run one of them again with the other's configuration keys {keys}."
    )
