"""How encoders are given labelled pictures."""

import numpy as np
import pytest

from gwmorph.config import EncoderConfig
from gwmorph.encoders.autoencoder import write_autoencoder
from gwmorph.encoders.autoencoder_network import Autoencoder, AutoencoderArchitecture
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.dct import DctEncoder
from gwmorph.encoders.indomain import write_network
from gwmorph.errors import ConfigError, TableError, WeightsError
from gwmorph.evidence.comparison import (
    compared_rows,
    encoder_for_unseen,
    real_vectors,
    timed_vectors,
    vectors_of,
)
from gwmorph.spectra.gravityspy import GlitchPicture
from gwmorph.spectra.pictures import PictureScale, write_picture
from gwmorph.tables.comparison import COMPARED
from gwmorph.tables.parquet import read_table, write_table

SCALE = PictureScale("linear", 25.5, "cividis")
VIRIDIS = PictureScale("linear", 25.5, "viridis")


def pictures(count, size=32):
    return np.random.default_rng(1).integers(0, 256, (count, size, size)).astype(np.uint8)


def test_batches_give_the_vectors_of_one_call():
    encoder = DctEncoder((32, 32))
    shown = pictures(10)
    vectors, ms = timed_vectors(encoder, shown, SCALE, "event", 4)
    np.testing.assert_allclose(vectors, encoder.encode(shown, SCALE, "event"), atol=1e-6)
    assert ms > 0


def test_vectors_come_back_by_their_data():
    seen, real = np.eye(5, 384, dtype="f4"), np.eye(3, 96, dtype="f4")
    table = compared_rows({"seen": seen, "real": real})
    np.testing.assert_array_equal(vectors_of(table, "seen", 5), seen)
    np.testing.assert_array_equal(vectors_of(table, "real", 3)[:, :96], real)
    assert vectors_of(table, "unseen", 4) is None
    with pytest.raises(TableError, match="3 vectors of real pictures, expected 4"):
        vectors_of(table, "real", 4)


def test_long_vectors_come_back_whole(tmp_path):
    long, short = np.eye(4, 768, k=700, dtype="f4"), np.eye(2, 96, dtype="f4")
    table = compared_rows({"seen": long, "real": short})
    write_table(tmp_path / "t.parquet", table.schema, table, {})
    again = read_table(tmp_path / "t.parquet", COMPARED)
    np.testing.assert_array_equal(vectors_of(again, "seen", 4), long)
    np.testing.assert_array_equal(vectors_of(again, "real", 2)[:, :96], short)


class Crops:
    """An encoder that reads crops, and remembers them."""

    encoder_id = "crops"

    def __init__(self):
        self.seen = []

    def encode_crops(self, energy, duration_s):
        self.seen.append((energy, duration_s))
        return np.full((len(energy), 4), 0.5, np.float32)


@pytest.fixture
def found(tmp_path):
    for name, indices in zip(("a", "b"), pictures(2, 64), strict=True):
        write_picture(tmp_path / f"{name}.png", indices, VIRIDIS)
    return [GlitchPicture(tmp_path / f"{n}.png", "x", n, s) for n, s in (("a", 0.5), ("b", 4.0))]


def test_a_real_picture_is_one_crop_or_a_whole_picture(found):
    encoder = Crops()
    assert real_vectors(encoder, found, SCALE, (32, 32)).shape == (2, 4)
    (energy, duration), (_, other) = encoder.seen
    assert (duration, other) == (0.5, 4.0)
    np.testing.assert_allclose(energy[0], SCALE.energy(pictures(2, 64)[0]), atol=0.11)
    assert real_vectors(DctEncoder((32, 32)), found, SCALE, (32, 32)).shape == (2, 384)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights whose training left out, in turn: nothing, two shapes, and who knows what."""
    folder = tmp_path_factory.mktemp("weights")
    network = CropNetwork(Architecture(stem=4, width=16, blocks=1, heads=2, crop_size=96))
    for name, about in {
        "all": {"training": {"excluded": []}},
        "some": {"training": {"excluded": ["ring_up", "staircase"], "elements": ["pulse"]}},
        "by name": {"training": {"excluded": ["ring_up"]}},
        "silent": {},
    }.items():
        write_network(folder / name, network, about)
    return folder


def indomain(path):
    return EncoderConfig(name="indomain", indomain={"path": str(path)})


def test_what_was_trained_on_is_not_unseen(weights):
    shapes = ["ring_up", "staircase"]
    own, held_out = indomain(weights / "all"), indomain(weights / "some")
    assert encoder_for_unseen(own, None, shapes) is None
    assert encoder_for_unseen(held_out, None, shapes) == held_out
    assert encoder_for_unseen(own, str(weights / "some"), shapes) == held_out
    dct = EncoderConfig(name="dct")
    assert encoder_for_unseen(dct, None, shapes) == dct


def test_an_autoencoder_is_not_scored_on_what_it_was_trained_on(tmp_path):
    narrow = AutoencoderArchitecture(widths=(2,) * 7 + (24,), decoder_widths=(2, 2, 2))
    path = tmp_path / "weights.safetensors"
    write_autoencoder(path, Autoencoder(narrow), {"training": {"classes": ["ring_up", "blip"]}})
    config = EncoderConfig(name="autoencoder", autoencoder={"path": str(path)})
    assert encoder_for_unseen(config, None, ["ring_up", "staircase"]) is None
    assert encoder_for_unseen(config, None, ["staircase", "comb"]) == config


def test_held_out_weights_must_not_know_the_shapes(weights):
    own = indomain(weights / "all")
    with pytest.raises(ConfigError, match="did not leave out comb"):
        encoder_for_unseen(own, str(weights / "some"), ["ring_up", "comb"])
    with pytest.raises(WeightsError, match="does not say what its training left out"):
        encoder_for_unseen(own, str(weights / "silent"), ["ring_up"])
    with pytest.raises(WeightsError, match="left out ring_up by name only"):
        encoder_for_unseen(own, str(weights / "by name"), ["ring_up"])
    with pytest.raises(WeightsError, match="cannot be read"):
        encoder_for_unseen(own, str(weights / "missing"), ["ring_up"])
