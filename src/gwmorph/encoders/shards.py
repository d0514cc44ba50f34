"""Shards: the embeddings of a group of blocks, written as they are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph import tables
from gwmorph.encoders.base import Encoder
from gwmorph.errors import TableError
from gwmorph.ledger import ANALYSED
from gwmorph.naming import span_name
from gwmorph.spectra.pictures import PictureScale, read_picture

VIEW = "window"
_RENDER_ID = "gwmorph.render_id"
_ROW_GROUP = 1024


@dataclass(frozen=True)
class BlockOutputs:
    """What the block stage left for one block: two tables and the folder of its PNGs."""

    ledger: Path
    measurements: Path
    pictures: Path


def write_shard(
    path: Path | str,
    blocks: Sequence[BlockOutputs],
    encoder: Encoder,
    batch_size: int,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Encode every analysed window of ``blocks`` into an EMBEDDINGS table; return its rows.

    Rows keep the order of ``blocks`` and then of time. Pictures are read ``batch_size`` at a
    time and rows leave memory every 1024, so memory does not grow with the number of blocks.
    Blocks without an analysed window give an empty table. The file's metadata is ``metadata``,
    the encoder id, and the render id that all measurements share.

    Raises
    ------
    TableError
        Blocks were rendered differently or say not how; a ledger and its measurements do not
        name the same windows; a picture is missing, damaged, or unlike the others.
    StorageError
        The shard cannot be written whole.
    """
    own = {**(metadata or {}), **_render_id(blocks), "gwmorph.encoder_id": encoder.encoder_id}
    rows = 0
    expected: _Form | None = None
    with tables.table_writer(path, tables.EMBEDDINGS, own) as append:
        for windows, pictures in _parts(blocks):
            vectors = []
            for start in range(0, len(pictures), batch_size):
                batch, expected = _read_batch(pictures[start : start + batch_size], expected)
                vectors.append(encoder.encode(batch, expected.scale))
            append(_embedding_rows(windows, np.concatenate(vectors)))
            rows += windows.num_rows
    return rows


@dataclass(frozen=True)
class _Form:
    """What all pictures of a shard have in common, and the picture it was first seen in."""

    shape: tuple[int, ...]
    scale: PictureScale
    path: Path


def _render_id(blocks: Sequence[BlockOutputs]) -> dict[str, str]:
    shared = tables.shared_metadata([block.measurements for block in blocks], [_RENDER_ID])
    if not shared.get(_RENDER_ID):
        named = blocks[0].measurements if blocks else "no block was given"
        raise TableError(f"{named}: {_RENDER_ID} is missing, so the pictures are of unknown form.")
    return shared


def _parts(blocks: Sequence[BlockOutputs]) -> Iterator[tuple[pa.Table, list[Path]]]:
    """Yield measurements and picture paths of at most 1024 windows, over block borders."""
    windows, pictures = tables.MEASUREMENTS.empty_table(), list[Path]()
    for block in blocks:
        more, paths = _analysed_windows(block)
        windows, pictures = pa.concat_tables([windows, more]), pictures + paths
        while len(pictures) >= _ROW_GROUP:
            yield windows.slice(0, _ROW_GROUP), pictures[:_ROW_GROUP]
            windows, pictures = windows.slice(_ROW_GROUP), pictures[_ROW_GROUP:]
    if pictures:
        yield windows, pictures


def _analysed_windows(block: BlockOutputs) -> tuple[pa.Table, list[Path]]:
    ledger = tables.read_table(block.ledger, tables.LEDGER)
    analysed = ledger.filter(pc.equal(ledger["status"], ANALYSED)).sort_by("gps_start")
    windows = tables.read_table(block.measurements, tables.MEASUREMENTS).sort_by("gps_start")
    names = ["detector", "gps_start"]
    if analysed.select(names).to_pylist() != windows.select(names).to_pylist():
        raise TableError(
            f"{block.measurements}: {windows.num_rows} windows, but {block.ledger} has "
            f"{analysed.num_rows} analysed ones, or others. Remove both and run again."
        )
    keys = analysed.select([*names, "duration_s"]).to_pylist()
    paths = [
        block.pictures
        / span_name(key["detector"], "WINDOW", key["gps_start"], key["duration_s"], "png")
        for key in keys
    ]
    return windows.replace_schema_metadata(tables.MEASUREMENTS.metadata), paths


def _read_batch(paths: Sequence[Path], expected: _Form | None) -> tuple[NDArray[np.uint8], _Form]:
    """Read pictures as uint8 [n, h, w]; all must be of the form seen first in the shard."""
    pictures = []
    for path in paths:
        indices, scale = read_picture(path)
        found = _Form(indices.shape, scale, path)
        expected = expected or found
        if (found.shape, found.scale) != (expected.shape, expected.scale):
            raise TableError(
                f"{path}: {found.shape} pixels, {found.scale}, but {expected.path} has "
                f"{expected.shape} pixels, {expected.scale}. Remove the older block's outputs."
            )
        pictures.append(indices)
    assert expected is not None  # a batch holds at least one picture
    return np.stack(pictures), expected


def _embedding_rows(windows: pa.Table, vectors: NDArray[np.float32]) -> dict[str, Any]:
    values = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    kind = tables.EMBEDDINGS.field("embedding").type
    return {
        **{name: windows[name] for name in windows.column_names},
        "view": pa.array([VIEW] * windows.num_rows),
        "trigger_time": pa.nulls(windows.num_rows, pa.float64()),
        "embedding": pa.FixedSizeListArray.from_arrays(values, type=kind),
    }
