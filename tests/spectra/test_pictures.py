"""A picture is a scalar field and a PNG at once."""

import json
import zlib
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from PIL import Image, PngImagePlugin

from gwmorph.config import PictureConfig
from gwmorph.errors import TableError
from gwmorph.spectra.pictures import PictureScale, palette, read_picture, write_picture

COLORMAPS = get_args(PictureConfig.model_fields["colormap"].annotation)

SCALES = st.builds(
    PictureScale,
    st.sampled_from(["linear", "sqrt"]),
    st.floats(2, 1000),
    st.sampled_from(COLORMAPS),
)


@given(scale=SCALES, energy=st.floats(0, 2000, width=32))
def test_index_follows_its_formula(scale, energy):
    fraction = min(energy, scale.energy_max) / scale.energy_max
    g = fraction if scale.scale == "linear" else fraction**0.5
    assert abs(int(scale.index(np.array([energy], np.float32))[0]) - 255 * g) <= 0.501


@given(scale=SCALES)
def test_energies_of_all_indices_come_back(scale):
    indices = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(scale.index(scale.energy(indices)), indices)


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_palettes_are_matplotlibs(colormap):
    expected = colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(palette(colormap), expected)


def test_png_holds_colours_field_and_scale(tmp_path):
    scale = PictureScale("sqrt", 25.5, "cividis")
    indices = np.random.default_rng(1).integers(0, 256, (30, 50)).astype(np.uint8)
    write_picture(tmp_path / "a.png", indices, scale, {"gps_start": 12})
    found, found_scale = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(found, indices)
    assert found_scale == scale
    shown = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    expected = colormaps["cividis"](indices, bytes=True)[..., :3]
    np.testing.assert_array_equal(shown, expected)
    np.testing.assert_array_equal(scale.rgb(indices), expected)


def test_equal_pictures_are_equal_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        write_picture(
            tmp_path / name, np.eye(20, dtype=np.uint8), PictureScale("linear", 9, "gray")
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_damaged_and_foreign_pngs_are_refused(tmp_path):
    path = tmp_path / "a.png"
    write_picture(path, np.eye(200, dtype=np.uint8), PictureScale("linear", 9, "gray"))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(TableError, match=r"a\.png: not a readable picture"):
        read_picture(path)
    with pytest.raises(TableError, match=r"none\.png"):
        read_picture(tmp_path / "none.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "rgb.png")
    with pytest.raises(TableError, match="expected a palette PNG"):
        read_picture(tmp_path / "rgb.png")


@pytest.mark.parametrize(
    "change",
    [
        {"scale": "cubic"},
        {"energy_max": 0},
        {"energy_max": "25"},
        {"energy_max": True},
        {"energy_max": 1e300},
        {"colormap": "jet"},
        {"colormap": 3},
        None,
    ],
)
def test_a_picture_that_does_not_say_what_its_levels_mean_is_refused(tmp_path, change):
    about = {"scale": "sqrt", "energy_max": 25.5, "colormap": "cividis"}
    image = Image.new("P", (4, 3))
    text = PngImagePlugin.PngInfo()
    text.add_text("gwmorph", "[]" if change is None else json.dumps({**about, **change}))
    image.save(tmp_path / "a.png", pnginfo=text)
    with pytest.raises(TableError, match=r"a\.png: its text chunk 'gwmorph' does not say"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (20_000, 20_000), (9000, 9000)])
def test_a_picture_that_would_fill_the_memory_is_not_unpacked(tmp_path, size):
    path = tmp_path / "a.png"
    Image.new("L", (4, 3)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = b"".join(side.to_bytes(4, "big") for side in size)
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"a\.png: (not a readable picture|has \d+ x \d+ pixels)"):
        read_picture(path)


def test_only_png_is_unpacked(tmp_path):
    Image.new("L", (4, 3)).save(tmp_path / "a.png", "GIF")
    with pytest.raises(TableError, match=r"a\.png: not a readable picture"):
        read_picture(tmp_path / "a.png")
