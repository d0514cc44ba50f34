"""Gravity Spy's pictures read back to energies."""

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from gwmorph.errors import ConfigError, TableError
from gwmorph.spectra import gravityspy
from gwmorph.spectra.gravityspy import ENERGY_MAX, find_glitch_pictures, max_pool, read_energy


def save(path, indices, colormap="viridis"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colormaps[colormap](indices, bytes=True)).save(path)


def test_colours_become_the_energies_they_stand_for(tmp_path):
    indices = np.arange(256).reshape(8, 32)
    save(tmp_path / "a.png", indices)
    energy = read_energy(tmp_path / "a.png")
    # Some neighbours among the colormap's colours are the same in eight bits.
    np.testing.assert_allclose(energy, indices * ENERGY_MAX / 255, atol=1.01 * ENERGY_MAX / 255)


def test_a_black_frame_is_no_energy(tmp_path):
    colours = colormaps["viridis"](np.full((20, 20), 128), bytes=True)
    colours[0, :, :3] = 0
    Image.fromarray(colours).save(tmp_path / "a.png")
    energy = read_energy(tmp_path / "a.png")
    assert (energy[0] == 0).all()
    np.testing.assert_allclose(energy[1:], 12.8, rtol=1e-5)


def framed(colour, width):
    inner = colormaps["viridis"](np.arange(4800).reshape(60, 80) % 256, bytes=True)[..., :3]
    widths = ((width, width), (width, width + 3), (0, 0))
    return inner, np.stack(
        [
            np.pad(inner[..., c], widths[:2], constant_values=value)
            for c, value in enumerate(colour)
        ],
        axis=-1,
    )


@pytest.mark.parametrize("width", [2, 12])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 0, 0)])
def test_a_border_in_other_colours_is_cut(tmp_path, colour, width):
    inner, whole = framed(colour, width)
    Image.fromarray(inner).save(tmp_path / "inner.png")
    Image.fromarray(whole).save(tmp_path / "whole.png")
    assert np.array_equal(read_energy(tmp_path / "whole.png"), read_energy(tmp_path / "inner.png"))


def test_a_white_frame_is_no_energy(tmp_path):
    colours = colormaps["viridis"](np.full((20, 20), 128), bytes=True)
    colours[:, -1, :3] = 255
    Image.fromarray(colours).save(tmp_path / "a.png")
    energy = read_energy(tmp_path / "a.png")
    assert energy.shape == (20, 20)
    assert (energy[:, -1] == 0).all()
    np.testing.assert_allclose(energy[:, :-1], 12.8, rtol=1e-5)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0)])
def test_what_is_drawn_over_a_spectrogram_is_refused(tmp_path, colour):
    inner, _ = framed(colour, 1)
    inner[30:33, 10:60] = colour
    Image.fromarray(inner).save(tmp_path / "a.png")
    with pytest.raises(TableError, match=r"a\.png: 3\.1% of the colours inside .*It has axes"):
        read_energy(tmp_path / "a.png")


def test_a_picture_without_the_colormap_is_refused(tmp_path):
    Image.fromarray(np.full((20, 20, 3), 255, np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(TableError, match=r"a\.png: drawn in another colormap"):
        read_energy(tmp_path / "a.png")


def test_another_colormap_is_refused(tmp_path):
    save(tmp_path / "a.png", np.arange(256).reshape(8, 32), "inferno")
    with pytest.raises(TableError, match="drawn in another colormap"):
        read_energy(tmp_path / "a.png")


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(TableError, match="not a readable picture"):
        read_energy(tmp_path / "a.png")


def test_pictures_are_found_with_class_glitch_and_length(tmp_path):
    save(tmp_path / "Koi_Fish" / "H1_ab_9_spectrogram_0.5.png", np.zeros((4, 4), int))
    save(tmp_path / "Koi_Fish" / "other.png", np.zeros((4, 4), int))
    (found,) = find_glitch_pictures(tmp_path)
    assert (found.label, found.glitch, found.duration_s) == ("Koi_Fish", "H1_ab_9", 0.5)
    with pytest.raises(ConfigError, match="has no pictures"):
        find_glitch_pictures(tmp_path / "Koi_Fish")


def test_an_id_may_be_a_gps_time(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(gravityspy._log, "warning", lambda text, *of: told.append(text % of))
    name = "L1_1241120298.754879951_spectrogram_4.0.png"
    save(tmp_path / "Blip" / name, np.zeros((4, 4), int))
    save(tmp_path / "Blip" / "L1_1241120298.754879951.png", np.zeros((4, 4), int))
    (found,) = find_glitch_pictures(tmp_path)
    assert (found.glitch, found.duration_s) == ("L1_1241120298.754879951", 4.0)
    assert told == [f"{tmp_path}: 1 pictures of other names are left out."]


def test_pooling_keeps_every_maximum():
    rng = np.random.default_rng(2)
    energy = rng.random((479, 569), np.float32)
    small = max_pool(energy, 112, 112)
    assert small.shape == (112, 112)
    energy[300, 400] = 9
    moved = max_pool(energy, 112, 112)
    assert moved[300 * 112 // 479, 400 * 112 // 569] == 9
    assert (moved != small).sum() == 1
    with pytest.raises(ValueError, match="expected at least 600 x 600"):
        max_pool(energy, 600, 600)


def test_real_pictures_are_in_gravity_spy_s_colours(real_data):
    found = find_glitch_pictures(real_data / "glitch_images" / "gravityspy_crops")
    assert len(found) == 137
    assert len({picture.glitch for picture in found}) == 43
    koi = next(p for p in found if p.label == "Koi_Fish")
    energy = read_energy(koi.path)
    assert energy.shape == (479, 569)
    assert energy.max() > 20
    assert np.median(energy) < 3


def test_real_pictures_with_axes_are_refused(real_data):
    found = sorted((real_data / "glitch_images" / "gravityspy_axes").glob("*/*.png"))
    assert found
    for path in found[::12]:
        with pytest.raises(TableError, match="It has axes"):
            read_energy(path)
