"""What another training of an encoder is, what is none, and which views it sees."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import encoder_id, weights_in
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.dct import DctEncoder
from gwmorph.encoders.indomain import write_network
from gwmorph.encoders.registry import with_weights
from gwmorph.encoders.shards import write_shard
from gwmorph.errors import ConfigError, TableError, WeightsError
from gwmorph.evidence.trainings import (
    KEY,
    OWN,
    SampledViews,
    check_training,
    require_distinct,
)
from gwmorph.grid import block_of
from gwmorph.naming import event_name, span_name
from gwmorph.run_pictures import Pictures
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.embeddings import (
    EMBEDDINGS,
    embedding_column,
    embedding_matrix,
)
from gwmorph.tables.parquet import read_metadata, read_table, write_table

SMALL = {"stem": 4, "width": 16, "blocks": 1, "heads": 2, "crop_size": 96}
SIZE = (28, 28)
SCALE = PictureScale("linear", 25.5, "cividis")
BLOCK = block_of(1262304000)


def trained(path, seed, **sizes):
    torch.manual_seed(seed)
    write_network(path, CropNetwork(Architecture(**{**SMALL, **sizes})), {})
    return str(path)


@pytest.fixture
def own(tmp_path):
    return EncoderConfig(indomain={"path": trained(tmp_path / "own.safetensors", 1)})


def test_another_training_of_the_network_is_one(own, tmp_path):
    check_training(own, trained(tmp_path / "other.safetensors", 2))


def test_what_was_asked_of_the_runs_own_weights_is_not_asked_of_others(own, tmp_path):
    pinned = own.indomain.model_copy(update={"sha256": "0" * 64})
    other = with_weights(own.model_copy(update={"indomain": pinned}), "other")
    assert (other.indomain.path, other.indomain.sha256) == ("other", None)
    hub = EncoderConfig(name="dinov2", weights={"revision": "0" * 40, "sha256": "0" * 64})
    weights = with_weights(hub, "folder").weights
    assert (weights.path, weights.sha256, weights.revision) == ("folder", None, None)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda path: path.unlink(), "nothing is there. .*encoder.indomain.path"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "not a whole safetensors file"),
        (lambda path: path.write_bytes(b""), "not a whole safetensors file"),
        (lambda path: trained(path, 2, width=32), "another architecture: .*'width': 16.*: 32"),
        (lambda path: trained(path, 2, stem=8), "another architecture"),
        (lambda path: (path.unlink(), path.mkdir()), "there is no such file"),
    ],
    ids=["missing", "truncated", "empty", "wider", "another stem", "folder"],
)
def test_what_is_no_training_of_the_network_is_refused_by_key_and_path(
    own, tmp_path, fault, message
):
    path = tmp_path / "other.safetensors"
    trained(path, 2)
    fault(path)
    with pytest.raises(WeightsError, match=f"(?s){KEY}.*{path}.*{message}"):
        check_training(own, str(path))


def test_weights_that_are_not_finite_are_refused(own, tmp_path):
    network = CropNetwork(Architecture(**SMALL))
    next(network.parameters()).data.view(-1)[0] = float("nan")
    path = tmp_path / "spoiled.safetensors"
    write_network(path, network, {})
    with pytest.raises(WeightsError, match=rf"{KEY}.*spoiled.*not finite"):
        check_training(own, str(path))


def test_a_folder_without_dinov2s_files_is_refused(tmp_path):
    config = EncoderConfig(name="dinov2", weights={"path": "own"})
    with pytest.raises(WeightsError, match=rf"{KEY}: .*none: nothing is there.*weights.path"):
        check_training(config, str(tmp_path / "none"))
    with pytest.raises(WeightsError, match=rf"{KEY}, read as encoder.weights.path: .*config.json"):
        check_training(config, str(tmp_path))


def test_an_encoder_without_weights_has_no_other_training(tmp_path):
    with pytest.raises(ConfigError, match="dct has no weights"):
        check_training(EncoderConfig(name="dct"), str(tmp_path))


def test_equal_weights_are_refused_and_both_are_named():
    require_distinct([(OWN, "a"), ("one", "b"), ("two", "c")])
    with pytest.raises(ConfigError, match=rf"{KEY}: two: .*got those of the run's encoder again"):
        require_distinct([(OWN, "a"), ("one", "b"), ("two", "a")])
    with pytest.raises(ConfigError, match=r"two: .*got those of one again \(SHA-256 b\)"):
        require_distinct([(OWN, "a"), ("one", "b"), ("two", "b")])


def test_an_encoder_id_names_its_weights():
    assert weights_in(encoder_id("indomain", "3", "f" * 64, SIZE, "float32")) == "f" * 64
    assert weights_in(DctEncoder(SIZE).encoder_id) == "-"
    assert weights_in(encoder_id("dinov2", "local", "e" * 64, SIZE, "int8") + ":cls") == "e" * 64


# -- what another training sees -------------------------------------------------------------


def run_of(tmp_path: Path, view: str, count: int = 24) -> tuple[pa.Table, Path, list[Path]]:
    """Rows of a run with a picture each, encoded by the baseline; their shard and folders."""
    rng = np.random.default_rng(4)
    starts = BLOCK + 512 * np.arange(count)
    times = starts + 3.25 if view == "event" else [None] * count
    folders = {
        b: tmp_path / f"H1-GWMORPH_PICTURES-{b}-4096" for b in map(block_of, starts.tolist())
    }
    for folder in folders.values():
        folder.mkdir()
    pictures = rng.integers(0, 256, (count, *SIZE), dtype=np.uint8)
    for start, time, picture in zip(starts.tolist(), times, pictures, strict=True):
        event = view == "event"
        name = event_name("H1", time) if event else span_name("H1", "WINDOW", start, 32, "png")
        write_picture(folders[block_of(start)] / name, picture, SCALE)
    tiles = {f"tile_{n}": rng.random(count) for n in ("time", "frequency", "q", "energy", "snr")}
    rows = pa.table(
        {
            "detector": ["H1"] * count,
            "gps_start": starts,
            "view": [view] * count,
            "trigger_time": pa.array(times, pa.float64()),
            **tiles,
            "embedding": embedding_column(DctEncoder(SIZE).encode(pictures, SCALE, view)),
        },
        schema=EMBEDDINGS,
    )
    write_table(tmp_path / "shard.parquet", EMBEDDINGS, rows, {"gwmorph.render_id": "drawn so"})
    return rows, tmp_path / "shard.parquet", list(folders.values())


@pytest.mark.parametrize("view", ["window", "event"])
def test_the_runs_own_encoder_gives_the_samples_own_vectors(tmp_path, view):
    rows, shard, folders = run_of(tmp_path, view)
    sampled = rows.take(pa.array([2, 3, 11, 23]))
    views = SampledViews(view, (shard,), sampled, Pictures(folders, 32))
    write_shard(tmp_path / "again.parquet", [views], DctEncoder(SIZE), 3)
    again = read_table(tmp_path / "again.parquet", EMBEDDINGS)
    about = [name for name in EMBEDDINGS.names if name != "embedding"]
    assert again.select(about).to_pylist() == sampled.select(about).to_pylist()
    np.testing.assert_allclose(embedding_matrix(again), embedding_matrix(sampled), atol=1e-6)
    metadata = read_metadata(tmp_path / "again.parquet")
    assert metadata["gwmorph.render_id"] == "drawn so"
    assert metadata["gwmorph.encoder_id"] == DctEncoder(SIZE).encoder_id


def test_a_picture_that_is_lost_is_named(tmp_path):
    rows, shard, folders = run_of(tmp_path, "window")
    lost = folders[1] / span_name("H1", "WINDOW", rows["gps_start"][9].as_py(), 32, "png")
    lost.unlink()
    views = SampledViews("window", (shard,), rows, Pictures(folders, 32))
    with pytest.raises(TableError, match=lost.name):
        write_shard(tmp_path / "again.parquet", [views], DctEncoder(SIZE), 3)
