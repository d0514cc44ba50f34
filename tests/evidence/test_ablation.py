"""What changes do to pictures, whether they reach an encoder, and that an artefact is exposed."""

import numpy as np
import pyarrow as pa
import pytest
from igwn_segments import segment, segmentlist

from closeness import near
from gwmorph.block import EventParameters, RenderParameters, draw_block
from gwmorph.config import ClusteringConfig, EncoderConfig
from gwmorph.encoders.base import unit_rows
from gwmorph.encoders.dct import DctEncoder
from gwmorph.errors import TableError
from gwmorph.evidence import ablation
from gwmorph.evidence.ablation import (
    CHANGES,
    EXCHANGED,
    RANDOM,
    RECOLOURED,
    REDRAWN,
    ablated_table,
    ablation_rows,
    encode_redrawn,
    encoded,
    reaches,
    redraw_applies,
    redrawn,
    sample_rows,
    vectors_after,
)
from gwmorph.grid import block_of
from gwmorph.morphology.clustering import cluster
from gwmorph.morphology.partitions import agreement
from gwmorph.run_pictures import Pictures
from gwmorph.segments import grid_windows
from gwmorph.spectra.albums import FolderAlbum
from gwmorph.spectra.pictures import PictureScale, crops, read_picture
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.files import describe
from gwmorph.tables.validation import NOT_APPLICABLE
from gwosc_files import gwosc_file_name, write_gwosc_file

SCALE = PictureScale("linear", 25.5, "cividis")
SIZE = 28
RATE = 2048
START, SECONDS = block_of(1262301184), 160
PARAMETERS = RenderParameters(
    window_s=32, sample_rate=RATE, psd_segment_s=4, low_hz=20.0, high_hz=800.0,
    q_low=4.0, q_high=64.0, f_low=20.0, f_high=2048.0, mismatch=0.2,
    height=56, width=56, plane="max", energy_max=25.5, scale="linear", colormap="cividis",
)  # fmt: skip
EVENTS = EventParameters(
    7.5,
    5.5,
    gap_s=0.1,
    max_per_window=3,
    candidates={"tile_snr": 5.6, "excess": 2.0, "track": 5.0, "chirp": 5.0},
)


def pictures(count=40, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, SIZE, SIZE)).astype(np.uint8)


def changed(name, view="window"):
    return RECOLOURED[name](pictures(), SCALE, view, 1)


def test_colours_change_no_index():
    for name, colormap in (("greyscale", "gray"), ("colormap", "viridis")):
        indices, scale = changed(name)
        assert (indices == pictures()).all()
        assert scale.colormap == colormap


def test_inverted_twice_is_as_before():
    indices, scale = changed("inverted")
    assert (255 - indices == pictures()).all()
    assert scale == SCALE


def test_shuffled_levels_keep_what_is_equal():
    indices, _ = changed("shuffled")
    pairs = set(zip(pictures().ravel().tolist(), indices.ravel().tolist(), strict=True))
    assert len(pairs) == 256
    assert abs(np.corrcoef(pictures().ravel(), indices.ravel())[0, 1]) < 0.3


def test_time_is_turned_round_crop_by_crop():
    assert (changed("reversed")[0] == pictures()[..., ::-1]).all()
    turned = changed("reversed", "event")[0]
    for new, old in zip(crops(turned), crops(pictures()), strict=True):
        assert (new == old[..., ::-1]).all()


@pytest.mark.parametrize("kind", ["linear", "sqrt"])
@pytest.mark.parametrize(("name", "gain"), [("gain_low", 0.5), ("gain_high", 1.5)])
def test_gain_is_of_the_energy(kind, name, gain):
    scale = PictureScale(kind, 25.5, "cividis")
    indices, after = RECOLOURED[name](pictures(), scale, "window", 1)
    expected = np.minimum(gain * scale.energy(pictures()), 25.5)
    assert after == scale
    assert np.abs(after.energy(indices) - expected).max() < 0.2


def test_each_picture_may_have_a_gain_of_its_own():
    plain = np.full((200, SIZE, SIZE), 100, np.uint8)
    indices, _ = RECOLOURED["gain_each"](plain, SCALE, "window", 1)
    levels = indices[:, 0, 0]
    assert (indices == levels[:, None, None]).all()
    assert 50 <= levels.min() < 60
    assert 140 < levels.max() <= 150


def test_every_change_of_the_drawing_changes_it():
    for name, redraw in REDRAWN.items():
        assert (redraw(PARAMETERS) == PARAMETERS) == (name == ablation.CONTEXT)
    assert REDRAWN["spectrum_length"](PARAMETERS).psd_segment_s == 2
    assert REDRAWN["q_range"](PARAMETERS).q_high == near(32)
    assert REDRAWN["plane"](PARAMETERS).plane == "loudest"
    smaller = REDRAWN["size"](PARAMETERS)
    assert (smaller.height % 14, smaller.width % 2) == (0, 0)
    assert smaller.height < PARAMETERS.height
    assert len(set(CHANGES)) == len(CHANGES) == 14


def test_what_an_encoder_does_not_see_does_not_reach_it():
    """It reads energies, so that no palette matters, and is turned round with them."""
    encoder, before = DctEncoder((SIZE, SIZE)), (pictures(), SCALE)
    reached = {name: reaches(encoder, before, changed(name), "window") for name in RECOLOURED}
    assert reached == {
        "greyscale": False, "colormap": False, "inverted": True, "shuffled": True,
        "reversed": True, "gain_low": True, "gain_high": True, "gain_each": True,
    }  # fmt: skip


def test_batches_join_to_all_vectors():
    encoder = DctEncoder((SIZE, SIZE))
    found = encoded(encoder, pictures(), SCALE, "window", 7)
    np.testing.assert_allclose(found, encoder.encode(pictures(), SCALE, "window"), atol=1e-6)
    assert encoded(encoder, pictures()[:0], SCALE, "window", 7).shape == (0, 384)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Files and windows of a small block, and how the run drew it."""
    folder = tmp_path_factory.mktemp("ablation")
    rng = np.random.default_rng(2)
    values = 1e-21 * rng.standard_normal(SECONDS * RATE)
    for second in (40, 75, 130):
        values[second * RATE : second * RATE + 40] += 2e-20 * np.hanning(40)
    name = gwosc_file_name("H1", START, duration=SECONDS, sample_rate=RATE)
    path = write_gwosc_file(folder / name, "H1", START, values, RATE)
    found = describe(path, "auto")
    file = StrainFile("H1", found.gps_start, found.duration, found.sample_rate, str(path))
    files = [LocalFile.receipt(file, path, found.layout)]
    segments = segmentlist([segment(START, START + SECONDS)])
    windows = grid_windows(segments, 32, 32)[1:-1]
    folders = [folder / f"H1-GWMORPH_{kind}-{START}-4096" for kind in ("PICTURES", "EVENTS")]
    result = draw_block(
        files, "H1", START, windows, segments, 4, PARAMETERS, EVENTS, FolderAlbum.made(*folders)
    )  # fmt: skip
    return (files, START, windows, segments, 4, PARAMETERS), result, folders


def rows_of(result, view):
    if view == "window":
        starts = [row["gps_start"] for row in result.ledger if row["reason"] is None]
        rows = [{"gps_start": t, "trigger_time": None, "found_by": None, "q": 8.0} for t in starts]
    else:
        shown = result.triggers.filter(result.triggers["view"]).to_pylist()
        rows = [{**row, "trigger_time": row["peak_time"]} for row in shown]
    return pa.table(
        {
            "detector": ["H1"] * len(rows),
            "gps_start": [row["gps_start"] for row in rows],
            "trigger_time": pa.array([row["trigger_time"] for row in rows], pa.float64()),
            "tile_q": [row["q"] for row in rows],
            "found_by": pa.array([row["found_by"] for row in rows], pa.string()),
        }
    )


@pytest.mark.parametrize("view", ["window", "event"])
def test_drawn_again_without_a_change_pictures_are_the_runs(run, view, monkeypatch):
    how, result, folders = run
    monkeypatch.setattr(ablation, "REDRAWN", {"nothing": lambda parameters: parameters})
    wanted = rows_of(result, view)
    again = dict(redrawn("nothing", wanted, *how))
    assert sorted(again) == list(range(len(wanted)))
    kinds = set(wanted["found_by"].to_pylist())
    assert view == "window" or kinds > {"tile"}  # some were found without a loud tile
    shown_in = Pictures([folders[view == "event"]], 32)
    for number, row in enumerate(wanted.to_pylist()):
        path = shown_in.of(row["detector"], row["gps_start"], row["trigger_time"])
        np.testing.assert_array_equal(again[number], read_picture(path)[0])


@pytest.mark.parametrize("change", REDRAWN)
def test_changes_of_the_drawing_change_pictures(run, change):
    how, result, folders = run
    wanted = rows_of(result, "window")
    again = dict(redrawn(change, wanted, *how))
    assert sorted(again) == list(range(len(wanted)))
    shown_in = Pictures(folders[:1], 32)
    first = wanted.to_pylist()[0]
    before = read_picture(shown_in.of("H1", first["gps_start"], None))[0]
    assert before.shape != again[0].shape or (before != again[0]).any()


def test_rows_of_windows_that_are_lost_are_left_out(run):
    how, result, _ = run
    files, block, windows, segments, context, parameters = how
    gap = segments - segmentlist([segment(windows[0] + 5, windows[0] + 6)])
    wanted = rows_of(result, "window")
    again = dict(redrawn("plane", wanted, files, block, windows, gap, context, parameters))
    assert 0 not in again
    assert again


def drawn_with(gains, shape, seed=5):
    """Bright bars, upright or lying, in noise; each picture's energies times its gain."""
    rng = np.random.default_rng(seed)
    bar = np.zeros((2, SIZE, SIZE))
    bar[0, :, 10:16] = bar[1, 10:16] = 18.0
    energy = bar[shape] + rng.exponential(1.4, (len(shape), SIZE, SIZE))
    return SCALE.index(energy * gains[:, None, None])


def found_of(indices):
    """Clusters by an encoder that sees how bright a picture is beside a fixed mark."""
    pooled = SCALE.energy(indices).reshape(len(indices), 7, 4, 7, 4).mean(axis=(2, 4))
    marked = np.column_stack([pooled.reshape(len(indices), -1), np.full(len(indices), 40.0)])
    return cluster(unit_rows(marked), ClusteringConfig(), 1).labels


def test_an_artefact_of_the_gain_is_exposed():
    """Half of the pictures are drawn with less gain, as another version might."""
    shape, other = np.random.default_rng(1).integers(0, 2, (2, 240))
    honest = drawn_with(np.ones(240), shape)
    mixed = drawn_with(np.where(other, 0.6, 1.0), shape)
    assert agreement(found_of(honest), shape)["ami"] > 0.95
    torn = found_of(mixed)
    assert agreement(torn, 2 * shape + other)["ami"] > 0.95  # two clusters for each version
    stable, exposed = (
        agreement(found_of(each), found_of(RECOLOURED["gain_each"](each, SCALE, "window", 1)[0]))
        for each in (honest, mixed)
    )
    assert stable["ami"] > 0.95
    assert exposed["ami"] < 0.75


def test_a_change_that_does_not_reach_the_encoder_gives_no_vectors():
    encoder = DctEncoder((SIZE, SIZE))
    before = pictures(), SCALE
    grey, bright = changed("greyscale"), changed("gain_low")
    assert vectors_after(encoder, before, grey, "window", 8) is None
    found = vectors_after(encoder, before, bright, "window", 8)
    np.testing.assert_allclose(found, encoder.encode(bright[0], SCALE, "window"), atol=1e-6)
    assert len(ablated_table(np.arange(40), None)) == 0
    table = ablated_table(np.arange(40), found)
    assert table["row"].to_pylist() == list(range(40))


@pytest.mark.parametrize(
    ("change", "view", "applies"),
    [("plane", "window", True), ("plane", "event", False), ("size", "window", True)],
)
def test_the_plane_is_no_choice_of_an_event_view(change, view, applies):
    drawn = REDRAWN[change](PARAMETERS)
    shown = np.random.default_rng(0).integers(0, 256, (drawn.height, drawn.width)).astype(np.uint8)
    held = dict.fromkeys((4, 2), shown)
    rows, found = encode_redrawn(change, held, PARAMETERS, EncoderConfig(name="dct"), view)
    assert redraw_applies(change, PARAMETERS, "dct", view) == applies
    assert (found is not None) == applies
    assert rows.tolist() == ([2, 4] if applies else [])


def test_pictures_too_small_for_the_encoder_do_not_apply():
    held = {0: np.zeros((28, 28), np.uint8)}
    rows, found = encode_redrawn("size", held, PARAMETERS, EncoderConfig(), "window")
    assert found is None
    assert not len(rows)


def embeddings(rows=60):
    vectors = np.random.default_rng(1).normal(size=(rows, 4)).astype(np.float32)
    return pa.table(
        {
            "detector": ["H1", "L1"] * (rows // 2),
            "gps_start": START + 4096 * (np.arange(rows) // 20) + 32 * (np.arange(rows) % 20),
            "view": ["event"] * rows,
            "trigger_time": START + 16.0 + np.arange(rows),
            "tile_q": np.full(rows, 8.0),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 4),
        }
    )


def test_the_sample_is_drawn_from_the_named_blocks():
    table = embeddings()
    found_by = {("L1", START + 32, START + 17.0): "track"}
    blocks = {("H1", START), ("L1", START), ("H1", START + 4096)}
    rows = sample_rows(table, found_by, blocks, 100, 1)
    assert len(rows) == 30
    assert rows["found_by"].to_pylist().count("track") == 1
    few, again, other = (sample_rows(table, {}, blocks, 20, seed) for seed in (1, 1, 2))
    assert len(few) == 20
    assert few.equals(again)
    assert not few.equals(other)
    assert few["trigger_time"].to_pylist() == sorted(few["trigger_time"].to_pylist())


def test_too_few_rows_are_refused():
    with pytest.raises(TableError, match=r"10 rows in 1 blocks .* at least 16.*ablation\.blocks"):
        sample_rows(embeddings(), {}, {("H1", START)}, 100, 1)


def test_chance_is_no_agreement_and_a_copy_is_all_of_it():
    """Four islands: vectors as they are, some rows of them, and what does not apply."""
    rng = np.random.default_rng(3)
    truth = rng.permutation(np.repeat(np.arange(4), 50))
    vectors = unit_rows(rng.normal(size=(4, 32))[truth] + 0.3 * rng.normal(size=(200, 32)))
    some = np.arange(0, 200, 2)
    changed_vectors = {
        "same": (np.arange(200), vectors),
        "half": (some, vectors[some]),
        "colormap": None,
    }
    blocks = np.arange(200) // 4
    rows = ablation_rows(vectors, changed_vectors, blocks, ClusteringConfig(), 1, 20, 5)
    found = {(row["variant"], row["figure"]): row for row in rows}
    assert found["same", "ami"]["value"] == near(1.0)
    assert found["half", "ami"]["value"] == near(1.0)
    assert found["half", "ami"]["rows"] == 100
    for name in (RANDOM, EXCHANGED):
        assert abs(found[name, "ari"]["value"]) <= 0.02
    assert found["colormap", "ami"]["changed"] == NOT_APPLICABLE
    assert np.isnan(found["colormap", "ami"]["value"])
    assert found["colormap", "ami"]["rows"] == 0
