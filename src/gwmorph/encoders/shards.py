"""Shards: the embeddings of one view of a group of blocks, written as they are made."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.encoders.base import Encoder, View
from gwmorph.errors import TableError
from gwmorph.ledger import ANALYSED
from gwmorph.naming import event_name, window_name
from gwmorph.progress import counting, timed
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.albums import Picture
from gwmorph.spectra.pictures import PictureScale, read_picture
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS, loud_tiles
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column, of_width
from gwmorph.tables.parquet import read_table, shared_metadata, table_writer

_RENDER_ID = "gwmorph.render_id"
_ROW_GROUP = 1024
_READERS = 2
_AHEAD = 2
# What a row of EMBEDDINGS says beside the vector itself.
_ABOUT = pa.schema([field for field in EMBEDDINGS if field.name != "embedding"])


class BlockOutputs(Protocol):
    """What the block stage left for one block and one view."""

    @property
    def view(self) -> View:
        """What all pictures show."""
        ...

    @property
    def tables(self) -> tuple[Path, ...]:
        """What says which views there are; each table carries the render id."""
        ...

    def views(self) -> tuple[pa.Table, list[Path]]:
        """Return the rows of EMBEDDINGS, but for the vectors, and each row's picture.

        Raises
        ------
        TableError
            A table cannot be read, or tables do not name the same windows.
        """
        ...


@dataclass(frozen=True)
class WindowOutputs:
    """Two tables and the folder or archive of PNGs of a block's windows."""

    view: ClassVar[View] = "window"
    ledger: Path
    measurements: Path
    pictures: Path

    @property
    def tables(self) -> tuple[Path, ...]:
        """See `BlockOutputs`."""
        return (self.ledger, self.measurements)

    def views(self) -> tuple[pa.Table, list[Path]]:
        """Return all analysed windows in order of time; see `BlockOutputs`."""
        ledger = read_table(self.ledger, LEDGER)
        analysed = ledger.filter(pc.equal(ledger["status"], ANALYSED)).sort_by("gps_start")
        windows = read_table(self.measurements, MEASUREMENTS).sort_by("gps_start")
        names = ["detector", "gps_start"]
        if analysed.select(names).to_pylist() != windows.select(names).to_pylist():
            raise TableError(
                f"{self.measurements}: {windows.num_rows} windows, but {self.ledger} has "
                f"{analysed.num_rows} analysed ones, or others. Remove both and run again."
            )
        keys = analysed.select([*names, "duration_s"]).to_pylist()
        paths = [
            self.pictures / window_name(key["detector"], key["gps_start"], key["duration_s"])
            for key in keys
        ]
        return rows_of_windows(windows), paths


@dataclass(frozen=True)
class EventOutputs:
    """The triggers and the folder or archive of PNGs of a block's event views.

    Those of tiles of ``snr`` (Omicron's) and more: what is to become of candidates is not known
    as long as there are blocks alone.
    """

    view: ClassVar[View] = "event"
    triggers: Path
    pictures: Path
    snr: float

    @property
    def tables(self) -> tuple[Path, ...]:
        """See `BlockOutputs`."""
        return (self.triggers,)

    def views(self) -> tuple[pa.Table, list[Path]]:
        """Return all such triggers that have a view, in order of time; see `BlockOutputs`."""
        triggers = read_table(self.triggers, TRIGGERS)
        drawn = _drawn(triggers.filter(loud_tiles(triggers, self.snr)))
        paths = [
            self.pictures / event_name(row["detector"], row["peak_time"])
            for row in drawn.select(["detector", "peak_time"]).to_pylist()
        ]
        return rows_of_events(drawn), paths


@dataclass(frozen=True)
class AdmittedOutputs:
    """The run's events, and the pictures of all blocks: what became of candidates.

    Tiles of ``snr`` (Omicron's) and more are left to `EventOutputs`.
    """

    view: ClassVar[View] = "event"
    triggers: Path
    pictures: Pictures
    snr: float

    @property
    def tables(self) -> tuple[Path, ...]:
        """See `BlockOutputs`."""
        return (self.triggers,)

    def views(self) -> tuple[pa.Table, list[Path]]:
        """Return the events that were candidates, in order of time; see `BlockOutputs`."""
        events = read_table(self.triggers, TRIGGERS)
        drawn = _drawn(events.filter(pc.invert(loud_tiles(events, self.snr))))
        paths = [
            self.pictures.of(row["detector"], row["gps_start"], row["peak_time"])
            for row in drawn.select(["detector", "gps_start", "peak_time"]).to_pylist()
        ]
        return rows_of_events(drawn), paths


def _drawn(triggers: pa.Table) -> pa.Table:
    return triggers.filter(triggers["view"]).sort_by("peak_time")


def rows_of_windows(measured: pa.Table) -> pa.Table:
    """Return what EMBEDDINGS says of windows, rows of MEASUREMENTS, beside the vectors."""
    columns = {
        "view": pa.array(["window"] * len(measured), pa.string()),
        "trigger_time": pa.nulls(len(measured), pa.float64()),
    }
    return _about(measured, columns)


def rows_of_events(drawn: pa.Table) -> pa.Table:
    """Return what EMBEDDINGS says of event views, rows of TRIGGERS, beside the vectors."""
    columns = {
        "view": pa.array(["event"] * len(drawn), pa.string()),
        "trigger_time": drawn["peak_time"],
        "tile_time": drawn["peak_time"],
        "tile_frequency": drawn["peak_frequency"],
        "tile_q": drawn["q"],
        "tile_energy": drawn["energy"],
        "tile_snr": drawn["snr"],
    }
    return _about(drawn, columns)


def _about(rows: pa.Table, columns: dict[str, Any]) -> pa.Table:
    """Return the columns that EMBEDDINGS wants, from ``columns`` or else from ``rows``."""
    return pa.table(
        {name: columns[name] if name in columns else rows[name] for name in _ABOUT.names},
        schema=_ABOUT,
    )


def write_shard(
    path: Path | str,
    blocks: Sequence[BlockOutputs],
    encoder: Encoder,
    batch_size: int,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Encode every picture of ``blocks``, all of one view, into an EMBEDDINGS table.

    Returns the number of rows. Rows keep the order of ``blocks`` and then of time. While one batch
    of ``batch_size`` pictures is encoded, the next two are read and the rows before are written.
    Rows leave memory every 1024, so memory does not grow with the number of blocks. Blocks without
    a view give an empty table. The file's metadata is ``metadata``, the encoder id, and the render
    id that all blocks share.

    Raises
    ------
    TableError
        Blocks were rendered differently or say not how; a ledger and its measurements do not
        name the same windows; a picture is missing, damaged, or unlike the others.
    StorageError
        The shard cannot be written whole.
    """
    own = {**(metadata or {}), **_render_id(blocks), "gwmorph.encoder_id": encoder.encoder_id}
    schema = of_width(EMBEDDINGS, encoder.width)
    rows = 0
    expected: _Form | None = None
    vectors: list[NDArray[np.float32]] = []
    written: Future[None] | None = None
    with (
        table_writer(path, schema, own) as append,
        _pool(_READERS) as readers,
        _pool(1) as writer,
        counting("pictures", None) as progress,
    ):
        for views, pictures in _ahead(readers, _batches(blocks, batch_size)):
            batch, expected = _as_batch(pictures, expected)
            with timed("encoding"):
                vectors.append(encoder.encode(batch, expected.scale, blocks[0].view))
            progress.add(len(batch))
            if views is None:
                continue
            if written is not None:
                written.result()
            written = writer.submit(append, _embedding_rows(views, np.concatenate(vectors)))
            rows, vectors = rows + views.num_rows, []
        if written is not None:
            written.result()
    return rows


# What a picture's file holds: uint8 [h, w] and its scale.
_Read = tuple[NDArray[np.uint8], PictureScale]


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool that drops what it has not begun when the block fails."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(
    blocks: Sequence[BlockOutputs], batch_size: int
) -> Iterator[tuple[pa.Table | None, list[Path]]]:
    """Yield the pictures of each batch, and with the last one of a row group its rows."""
    for views, pictures in _parts(blocks):
        for start in range(0, len(pictures), batch_size):
            last = start + batch_size >= len(pictures)
            yield views if last else None, pictures[start : start + batch_size]


def _ahead(
    readers: ThreadPoolExecutor, batches: Iterable[tuple[pa.Table | None, list[Path]]]
) -> Iterator[tuple[pa.Table | None, list[tuple[Path, _Read]]]]:
    """Yield batches with what was read, in order, while the next ``_AHEAD`` are being read."""
    queue: deque[tuple[pa.Table | None, list[tuple[Path, Future[_Read]]]]] = deque()

    def first() -> tuple[pa.Table | None, list[tuple[Path, _Read]]]:
        views, pictures = queue.popleft()
        return views, [(path, found.result()) for path, found in pictures]

    for views, paths in batches:
        queue.append((views, [(path, readers.submit(read_picture, path)) for path in paths]))
        if len(queue) > _AHEAD:
            yield first()
    while queue:
        yield first()


@dataclass(frozen=True)
class _Form:
    """What all pictures of a shard have in common, and the picture it was first seen in."""

    shape: tuple[int, ...]
    scale: PictureScale
    path: Path


def _render_id(blocks: Sequence[BlockOutputs]) -> dict[str, str]:
    paths = [path for block in blocks for path in block.tables]
    shared = shared_metadata(paths, [_RENDER_ID])
    if not shared.get(_RENDER_ID):
        named = paths[0] if paths else "no block was given"
        raise TableError(f"{named}: {_RENDER_ID} is missing, so the pictures are of unknown form.")
    return shared


def held_batches(
    pictures: Sequence[Picture], batch_size: int
) -> Iterator[tuple[NDArray[np.uint8], PictureScale]]:
    """Yield pictures that are in memory as `write_shard` would encode them, and their scale.

    A batch uint8 [m, height, width] ends where a shard's row group does: the last bits of a vector
    may depend on what is beside it. All pictures are of one size and scale.
    """
    for group in range(0, len(pictures), _ROW_GROUP):
        rows = pictures[group : group + _ROW_GROUP]
        for first in range(0, len(rows), batch_size):
            batch = rows[first : first + batch_size]
            yield np.stack([picture.indices for picture in batch]), batch[0].scale


def _parts(blocks: Sequence[BlockOutputs]) -> Iterator[tuple[pa.Table, list[Path]]]:
    """Yield rows and picture paths of at most 1024 views, over block borders."""
    views, pictures = _ABOUT.empty_table(), list[Path]()
    for block in blocks:
        more, paths = block.views()
        views, pictures = pa.concat_tables([views, more]), pictures + paths
        while len(pictures) >= _ROW_GROUP:
            yield views.slice(0, _ROW_GROUP), pictures[:_ROW_GROUP]
            views, pictures = views.slice(_ROW_GROUP), pictures[_ROW_GROUP:]
    if pictures:
        yield views, pictures


def _as_batch(
    read: Sequence[tuple[Path, _Read]], expected: _Form | None
) -> tuple[NDArray[np.uint8], _Form]:
    """Stack pictures as uint8 [n, h, w]; all must be of the form seen first in the shard."""
    for path, (indices, scale) in read:
        found = _Form(indices.shape, scale, path)
        expected = expected or found
        if (found.shape, found.scale) != (expected.shape, expected.scale):
            raise TableError(
                f"{path}: {found.shape} pixels, {found.scale}, but {expected.path} has "
                f"{expected.shape} pixels, {expected.scale}. Remove the older block's outputs."
            )
    assert expected is not None  # a batch holds at least one picture
    return np.stack([indices for _, (indices, _) in read]), expected


def _embedding_rows(views: pa.Table, vectors: NDArray[np.float32]) -> dict[str, Any]:
    return {
        **{name: views[name] for name in views.column_names},
        "embedding": embedding_column(vectors),
    }
