"""Gravity Spy's pictures with axes, in every mode, and as grey levels."""

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from gwmorph.errors import TableError
from gwmorph.spectra.gravityspy import ENERGY_MAX, read_energy
from gwmorph.spectra.plot_area import energy_of_grey, plot_area, read_spectrogram, resized

STEP = ENERGY_MAX / 255
GREY = (0.2125, 0.7154, 0.0721)


@pytest.fixture
def indices():
    ramp = np.arange(60 * 80).reshape(60, 80) % 256
    ramp[20:30, 30:40] = 255
    return ramp


def coloured(indices):
    return colormaps["viridis"](indices, bytes=True)[..., :3]


def with_axes(spectrogram):
    """The spectrogram in a black frame on white, with labels and a colour bar beside it."""
    page = np.full((100, 140, 3), 255, np.uint8)
    page[9:71, 19:101] = 0
    page[10:70, 20:100] = spectrogram
    page[80:84, 40:60] = 0  # a label
    page[9:71, 109:121] = 0
    page[10:70, 110:120] = coloured(np.linspace(255, 0, 60).astype(int)[:, None])
    return page


def test_of_a_picture_with_axes_the_spectrogram_is_left(tmp_path, indices):
    Image.fromarray(with_axes(coloured(indices))).save(tmp_path / "a.png")
    with pytest.raises(TableError, match="It has axes"):
        read_energy(tmp_path / "a.png")
    energy = read_spectrogram(tmp_path / "a.png")
    assert energy.shape == (60, 80)
    np.testing.assert_allclose(energy, STEP * indices, atol=1.01 * STEP)


def test_real_pictures_with_axes_are_cut_to_one_size(real_data):
    found = sorted((real_data / "glitch_images" / "gravityspy_axes").glob("*/*_1.0.png"))[::6]
    assert found
    energies = [read_spectrogram(path) for path in found]
    assert len({energy.shape for energy in energies}) == 1
    assert min(energy.max() for energy in energies) > 0.8 * ENERGY_MAX
    assert max(np.median(energy) for energy in energies) < 5


def test_a_real_picture_without_axes_is_read_as_before(real_data):
    path = next((real_data / "glitch_images" / "gravityspy_crops").glob("*/*.png"))
    np.testing.assert_array_equal(read_spectrogram(path), read_energy(path))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA"])
def test_a_picture_may_have_any_mode(tmp_path, indices, mode):
    rgb = Image.fromarray(coloured(indices))
    if mode in ("L", "LA"):
        grey = np.rint(coloured(indices) @ np.array(GREY)).astype(np.uint8)
        rgb = Image.fromarray(grey)
    image = rgb.quantize(256) if mode == "P" else rgb.convert(mode)
    image.save(tmp_path / "a.png")
    energy = read_spectrogram(tmp_path / "a.png")
    # A level of luminance is a little more than one of the colormap.
    np.testing.assert_allclose(energy, STEP * indices, atol=2.6 * STEP)


def test_other_grey_levels_are_refused(tmp_path):
    Image.fromarray(np.full((20, 20), 255, np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(TableError, match=r"a.png: 100.0% of its grey levels are outside 0.08"):
        read_spectrogram(tmp_path / "a.png")
    with pytest.raises(TableError, match="no grey copy"):
        energy_of_grey("b.png", np.full((4, 4), np.nan))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n1234"])
def test_what_is_no_picture_is_an_error(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(TableError, match=r"a\.png: not a readable picture"):
        read_spectrogram(tmp_path / "a.png")


def test_without_any_colour_of_the_colormap_there_is_no_area():
    assert plot_area(np.zeros((4, 5), bool)) == (slice(0), slice(0))


def test_pictures_become_smaller_by_maxima_and_larger_between_values():
    energy = np.zeros((8, 8), np.float32)
    energy[3, 3] = 5
    assert resized(energy, 4, 4)[1, 1] == 5
    larger = resized(energy, 16, 16)
    assert larger.shape == (16, 16)
    assert 0 < larger.max() <= 5
    assert resized(energy, 4, 16).shape == (4, 16)
