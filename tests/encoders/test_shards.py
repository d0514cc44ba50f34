import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from closeness import near
from gwmorph.encoders import shards
from gwmorph.encoders.base import View
from gwmorph.encoders.dct import DctEncoder
from gwmorph.encoders.shards import (
    AdmittedOutputs,
    EventOutputs,
    WindowOutputs,
    held_batches,
    write_shard,
)
from gwmorph.errors import StorageError, TableError
from gwmorph.ledger import Reason, analysed_row, excluded_row
from gwmorph.naming import event_name, span_name
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.albums import Picture
from gwmorph.spectra.pictures import PictureScale, read_picture, write_picture
from gwmorph.tables.block import LEDGER, MEASUREMENTS, TRIGGERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_matrix
from gwmorph.tables.parquet import read_metadata, read_table, read_tables, write_table
from packed import pack

SIZE = (28, 28)
SCALE = PictureScale("linear", 25.5, "cividis")
RENDER = {"gwmorph.render_id": "abc"}
BLOCK = 4096


class SpyEncoder(DctEncoder):
    """The baseline, which also notes the batches it was given."""

    def __init__(self) -> None:
        super().__init__(SIZE)
        self.batches: list[int] = []

    def encode(self, pictures: np.ndarray, render: PictureScale, view: View) -> np.ndarray:
        self.batches.append(len(pictures))
        return super().encode(pictures, render, view)


def _picture_path(block: WindowOutputs, start: int) -> Path:
    return block.pictures / span_name("H1", "WINDOW", start, 32, "png")


def _write_block(
    folder: Path,
    gps: int,
    starts: Sequence[int],
    excluded: Sequence[int] = (),
    render: dict[str, str] = RENDER,
) -> WindowOutputs:
    outputs = WindowOutputs(
        folder / f"ledger-{gps}.parquet",
        folder / f"measurements-{gps}.parquet",
        folder / f"pictures-{gps}",
    )
    ledger = [analysed_row("H1", start, 32, gps) for start in starts]
    ledger += [
        excluded_row("H1", start, 32, gps, reason=Reason.NAN, detail="") for start in excluded
    ]
    write_table(outputs.ledger, LEDGER, ledger, render)
    rows = [
        {
            "detector": "H1",
            "gps_start": start,
            "tile_time": start + 0.5,
            "tile_frequency": 100.0,
            "tile_q": 8.0,
            "tile_energy": 9.0,
            "tile_snr": float(start % 1000),
            "excess": 2.0,
            "track": 8.0,
            "chirp": 5.0,
        }
        for start in reversed(starts)
    ]
    write_table(outputs.measurements, MEASUREMENTS, rows, render)
    outputs.pictures.mkdir(parents=True)
    for start in starts:
        indices = np.random.default_rng(start).integers(0, 256, SIZE, dtype=np.uint8)
        write_picture(_picture_path(outputs, start), indices, SCALE)
    return outputs


@pytest.fixture
def blocks(tmp_path: Path) -> list[WindowOutputs]:
    return [
        _write_block(tmp_path, BLOCK, [BLOCK + 32 * i for i in range(7)], [BLOCK + 32 * 9]),
        _write_block(tmp_path, 2 * BLOCK, []),
        _write_block(tmp_path, 3 * BLOCK, [3 * BLOCK + 32 * i for i in range(4)]),
    ]


def test_a_shard_holds_every_analysed_window_in_order(
    blocks: list[WindowOutputs], tmp_path: Path
) -> None:
    path, encoder = tmp_path / "shard.parquet", SpyEncoder()
    assert write_shard(path, blocks, encoder, 3, {"gwmorph.config": "c1"}) == 11
    shard = read_table(path, EMBEDDINGS)
    starts = [BLOCK + 32 * i for i in range(7)] + [3 * BLOCK + 32 * i for i in range(4)]
    assert shard["gps_start"].to_pylist() == starts
    assert shard["tile_snr"].to_pylist() == [float(start % 1000) for start in starts]
    assert set(shard["view"].to_pylist()) == {"window"}
    assert shard["trigger_time"].null_count == 11
    vectors = embedding_matrix(shard)
    for row, start in ((0, starts[0]), (9, starts[9])):
        block = blocks[0] if start < 3 * BLOCK else blocks[2]
        indices, scale = read_picture(_picture_path(block, start))
        expected = DctEncoder(SIZE).encode(indices[None], scale, "window")[0]
        np.testing.assert_allclose(vectors[row], expected, atol=1e-6)
    metadata = read_metadata(path)
    assert metadata["gwmorph.encoder_id"] == encoder.encoder_id
    assert metadata["gwmorph.render_id"] == "abc"
    assert metadata["gwmorph.config"] == "c1"
    assert max(encoder.batches) == 3


def test_equal_inputs_give_equal_bytes(blocks: list[WindowOutputs], tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_shard(tmp_path / name, blocks, DctEncoder(SIZE), 4)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_archives_give_the_bytes_that_folders_give(
    blocks: list[WindowOutputs], tmp_path: Path
) -> None:
    write_shard(tmp_path / "folders", blocks, DctEncoder(SIZE), 4)
    packed = [replace(block, pictures=pack(block.pictures)) for block in blocks]
    write_shard(tmp_path / "archives", packed, DctEncoder(SIZE), 4)
    assert (tmp_path / "archives").read_bytes() == (tmp_path / "folders").read_bytes()
    packed[2].pictures.write_bytes(packed[2].pictures.read_bytes()[:-30])
    with pytest.raises(TableError, match=f"{packed[2].pictures.name}: not a whole ZIP archive"):
        write_shard(tmp_path / "shard.parquet", packed, DctEncoder(SIZE), 4)
    assert not list(tmp_path.glob("*shard*"))


class SlowEncoder(DctEncoder):
    """Notes how many pictures were read while it encodes."""

    def __init__(self, read: list[Path]) -> None:
        super().__init__(SIZE)
        self._read, self.ahead = read, list[int]()
        self._given = 0

    def encode(self, pictures: np.ndarray, render: PictureScale, view: View) -> np.ndarray:
        self._given += len(pictures)
        time.sleep(0.1)
        self.ahead.append(len(self._read) - self._given)
        return super().encode(pictures, render, view)


def test_pictures_are_read_ahead_but_not_all(
    blocks: list[WindowOutputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def noting(path: Path) -> object:
        read.append(path)
        return read_picture(path)

    monkeypatch.setattr(shards, "read_picture", noting)
    encoder = SlowEncoder(read)
    write_shard(tmp_path / "shard.parquet", blocks, encoder, 2)
    # Batches of two, over block borders: two batches ahead as long as there are any.
    assert encoder.ahead == [4, 4, 4, 3, 1, 0]
    write_shard(tmp_path / "whole.parquet", blocks, DctEncoder(SIZE), 2)
    assert (tmp_path / "shard.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


class WideEncoder(DctEncoder):
    """Vectors twice as long."""

    def __init__(self) -> None:
        super().__init__(SIZE)
        self.width = 768

    def encode(self, pictures: np.ndarray, render: PictureScale, view: View) -> np.ndarray:
        once = super().encode(pictures, render, view)
        return np.hstack([once, once]) / np.float32(np.sqrt(2))


def test_vectors_may_be_longer(blocks: list[WindowOutputs], tmp_path: Path) -> None:
    for name, chosen in (("some", blocks), ("none", blocks[1:2])):
        write_shard(tmp_path / name, chosen, WideEncoder(), 4)
    joined = read_tables([tmp_path / "none", tmp_path / "some"], EMBEDDINGS)
    assert embedding_matrix(joined).shape == (11, 768)


def test_rows_are_written_in_groups(
    blocks: list[WindowOutputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_ROW_GROUP", 4)
    path = tmp_path / "shard.parquet"
    write_shard(path, blocks, DctEncoder(SIZE), 3)
    groups = pq.ParquetFile(path).metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [4, 4, 3]
    whole = read_table(path, EMBEDDINGS)
    assert whole["gps_start"].to_pylist()[7] == 3 * BLOCK


def test_a_group_without_analysed_windows_gives_an_empty_shard(
    blocks: list[WindowOutputs], tmp_path: Path
) -> None:
    path = tmp_path / "shard.parquet"
    assert write_shard(path, blocks[1:2], DctEncoder(SIZE), 8) == 0
    shard = read_table(path, EMBEDDINGS)
    assert shard.num_rows == 0
    assert embedding_matrix(shard).shape == (0, 384)
    assert read_metadata(path)["gwmorph.render_id"] == "abc"


def test_a_missing_picture_is_named_and_leaves_no_shard(
    blocks: list[WindowOutputs], tmp_path: Path
) -> None:
    lost = _picture_path(blocks[2], 3 * BLOCK + 64)
    lost.unlink()
    with pytest.raises(TableError, match=lost.name):
        write_shard(tmp_path / "shard.parquet", blocks, DctEncoder(SIZE), 2)
    assert not list(tmp_path.glob("*shard*"))


def test_a_broken_picture_is_named(blocks: list[WindowOutputs], tmp_path: Path) -> None:
    broken = _picture_path(blocks[0], BLOCK + 32)
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(TableError, match=broken.name):
        write_shard(tmp_path / "shard.parquet", blocks, DctEncoder(SIZE), 2)


@pytest.mark.parametrize(
    ("shape", "scale"), [((28, 30), SCALE), (SIZE, PictureScale("sqrt", 25.5, "cividis"))]
)
def test_a_picture_unlike_the_others_is_named(
    blocks: list[WindowOutputs], tmp_path: Path, shape: tuple[int, int], scale: PictureScale
) -> None:
    odd = _picture_path(blocks[2], 3 * BLOCK)
    write_picture(odd, np.zeros(shape, dtype=np.uint8), scale)
    with pytest.raises(TableError, match=f"{odd.name}.*{_picture_path(blocks[0], BLOCK).name}"):
        write_shard(tmp_path / "shard.parquet", blocks, DctEncoder(SIZE), 2)


def test_blocks_rendered_differently_are_refused(
    blocks: list[WindowOutputs], tmp_path: Path
) -> None:
    other = _write_block(tmp_path, 5 * BLOCK, [5 * BLOCK], render={"gwmorph.render_id": "xyz"})
    with pytest.raises(TableError, match=r"render_id = 'xyz'.*'abc'"):
        write_shard(tmp_path / "shard.parquet", [*blocks, other], DctEncoder(SIZE), 2)


def test_blocks_without_a_render_id_are_refused(tmp_path: Path) -> None:
    block = _write_block(tmp_path, BLOCK, [BLOCK], render={})
    with pytest.raises(TableError, match="render_id is missing"):
        write_shard(tmp_path / "shard.parquet", [block], DctEncoder(SIZE), 2)


def test_a_window_without_measurements_is_refused(tmp_path: Path) -> None:
    whole = _write_block(tmp_path / "a", BLOCK, [BLOCK, BLOCK + 32])
    partial = _write_block(tmp_path / "b", BLOCK, [BLOCK])
    mixed = WindowOutputs(whole.ledger, partial.measurements, whole.pictures)
    with pytest.raises(TableError, match=r"1 windows, but .* 2 analysed ones"):
        write_shard(tmp_path / "shard.parquet", [mixed], DctEncoder(SIZE), 2)


def test_a_folder_that_cannot_be_written_is_an_error(
    blocks: list[WindowOutputs], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_shard(tmp_path / "file" / "shard.parquet", blocks, DctEncoder(SIZE), 2)


# -- events ---------------------------------------------------------------------------------


def _trigger(time: float, view: bool) -> dict:
    numbers = {field.name: 1 for field in TRIGGERS}
    own = {"detector": "H1", "gps_start": int(time) // 32 * 32, "view": view}
    own["found_by"] = "tile"
    return numbers | own | {"peak_time": time, "time": time + 0.1, "snr": time % 10}


def _write_events(folder: Path, triggers: Sequence[dict]) -> EventOutputs:
    outputs = EventOutputs(folder / "triggers.parquet", folder / "events", 0.0)
    write_table(outputs.triggers, TRIGGERS, triggers, RENDER)
    for number, row in enumerate(triggers):
        if row["view"]:
            picture = np.random.default_rng(number).integers(0, 256, SIZE, dtype=np.uint8)
            write_picture(outputs.pictures / event_name("H1", row["peak_time"]), picture, SCALE)
    return outputs


def test_an_event_shard_holds_every_view_with_its_triggers_measurements(tmp_path: Path) -> None:
    triggers = [_trigger(4100.25, True), _trigger(4101.5, False), _trigger(4099.125, True)]
    events, path = _write_events(tmp_path, triggers), tmp_path / "shard.parquet"
    assert write_shard(path, [events], DctEncoder(SIZE), 3) == 2
    shard = read_table(path, EMBEDDINGS)
    assert shard["trigger_time"].to_pylist() == [4099.125, 4100.25]
    assert shard["tile_time"].equals(shard["trigger_time"])
    assert shard["gps_start"].to_pylist() == [4096, 4096]
    assert set(shard["view"].to_pylist()) == {"event"}
    assert shard["tile_snr"].to_pylist() == near([9.125, 0.25])
    indices, scale = read_picture(events.pictures / event_name("H1", 4099.125))
    expected = DctEncoder(SIZE).encode(indices[None], scale, "window")[0]
    np.testing.assert_allclose(embedding_matrix(shard)[0], expected, atol=1e-6)
    assert read_metadata(path)["gwmorph.render_id"] == "abc"


def test_most_candidates_come_to_nothing_and_have_no_vector(tmp_path: Path) -> None:
    loud, faint, track = (_trigger(time, True) for time in (4107.75, 4101.5, 4108.25))
    track["found_by"] = "track"
    of_block = _write_events(tmp_path, [loud, faint, track])
    path = tmp_path / "shard.parquet"
    assert write_shard(path, [replace(of_block, snr=5.0)], DctEncoder(SIZE), 3) == 1
    assert read_table(path, EMBEDDINGS)["trigger_time"].to_pylist() == [4107.75]


def test_candidates_that_became_events_have_a_shard_of_their_own(tmp_path: Path) -> None:
    loud, faint, track, unseen = (_trigger(time, True) for time in (4107.75, 4101.5, 4108.25, 9.5))
    track["found_by"], unseen["view"] = "track", False
    folder = tmp_path / "events" / "H1-GWMORPH_EVENTS-4096-4096"
    for number, row in enumerate((loud, faint, track)):
        picture = np.random.default_rng(number).integers(0, 256, SIZE, dtype=np.uint8)
        write_picture(folder / event_name("H1", row["peak_time"]), picture, SCALE)
    run, path = tmp_path / "triggers.parquet", tmp_path / "shard.parquet"
    write_table(run, TRIGGERS, [track, loud, faint, unseen], RENDER)
    admitted = AdmittedOutputs(run, Pictures([folder], 32), 5.0)
    assert write_shard(path, [admitted], DctEncoder(SIZE), 3) == 2
    shard = read_table(path, EMBEDDINGS)
    assert shard["trigger_time"].to_pylist() == [4101.5, 4108.25]
    indices, scale = read_picture(folder / event_name("H1", 4108.25))
    expected = DctEncoder(SIZE).encode(indices[None], scale, "event")[0]
    np.testing.assert_allclose(embedding_matrix(shard)[1], expected, atol=1e-6)


def test_a_block_without_events_gives_an_empty_shard(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    assert write_shard(path, [_write_events(tmp_path, [])], DctEncoder(SIZE), 3) == 0
    assert read_table(path, EMBEDDINGS).num_rows == 0


def test_a_missing_event_view_is_named(tmp_path: Path) -> None:
    events = _write_events(tmp_path, [_trigger(4100.25, True)])
    lost = events.pictures / event_name("H1", 4100.25)
    lost.unlink()
    with pytest.raises(TableError, match=lost.name):
        write_shard(tmp_path / "shard.parquet", [events], DctEncoder(SIZE), 2)


def test_pictures_in_memory_are_cut_into_the_batches_of_a_shard(monkeypatch):
    monkeypatch.setattr(shards, "_ROW_GROUP", 5)
    held = [Picture(np.full(SIZE, n, np.uint8), SCALE, {}) for n in range(12)]
    batches = list(held_batches(held, 3))
    assert [len(batch) for batch, _ in batches] == [3, 2, 3, 2, 2]
    assert np.concatenate([batch[:, 0, 0] for batch, _ in batches]).tolist() == list(range(12))
    assert {scale for _, scale in batches} == {SCALE}
    assert list(held_batches([], 3)) == []
