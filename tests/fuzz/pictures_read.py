"""Readers of pictures: the run's own, archives of them, other people's, Gravity Spy's HDF5."""

import io
import json
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import h5py
import numpy as np
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from strain_read import _odd_hdf5

from fuzzing import ODD_TEXTS, ODD_VALUES, Reader, odd_copy, register, require, same
from gwmorph import picture_files
from gwmorph.errors import ConfigError, TableError
from gwmorph.learning.picture_sources import hdf5_pictures
from gwmorph.picture_files import picture_bytes, picture_names, write_archive
from gwmorph.spectra.gravityspy import ENERGY_MAX
from gwmorph.spectra.pictures import PictureScale, palette, png_bytes, read_picture, write_picture
from gwmorph.spectra.plot_area import read_spectrogram

_SCALE = PictureScale("sqrt", 25.5, "cividis")
_ABOUT = {"scale": "sqrt", "energy_max": 25.5, "colormap": "cividis", "gps_start": 1000}


def _indices() -> np.ndarray:
    return np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)


def _with_text(about: Any, mode: str = "P") -> bytes:
    image = Image.fromarray(_indices()).convert(mode)
    if mode == "P":
        image.putpalette(palette("cividis").tobytes())
    text = PngImagePlugin.PngInfo()
    text.add_text("gwmorph", json.dumps(about), zip=isinstance(about, list))
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=text)
    return out.getvalue()


def _picture_proven(path: Path, found: Any) -> None:
    indices, scale = found
    require(indices.ndim == 2 and indices.dtype == np.uint8 and indices.size, "no picture")
    require(scale.scale in ("linear", "sqrt"), f"scale {scale.scale!r}")
    require(isinstance(scale.energy_max, float | int), f"energy_max {scale.energy_max!r}")
    require(0 < scale.energy_max < np.inf, f"energy_max {scale.energy_max!r}")
    require(np.isfinite(scale.energy(indices)).all(), "energies that are not finite")
    write_picture(path, indices, scale)
    again, other = read_picture(path)
    require(np.array_equal(again, indices) and other == scale, "written again, it is another")


@st.composite
def _resealed_png(draw: Any, good: bytes) -> bytes:
    """A PNG in which bytes were changed and the checksums of its chunks are right again."""
    file = bytearray(good)
    for _ in range(draw(st.integers(1, 3))):
        file[draw(st.integers(8, len(file) - 1))] = draw(st.integers(0, 255))
    at = 8
    while at + 12 <= len(file):
        length = int.from_bytes(file[at : at + 4], "big")
        if length > len(file) - at - 12:
            break
        end = at + 8 + length
        file[end : end + 4] = zlib.crc32(file[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(file)


register(
    Reader(
        "pictures",
        ".png",
        "the run's own pictures",
        lambda: [png_bytes(_indices(), _SCALE, {"gps_start": 1000})],
        read_picture,
        _picture_proven,
        st.one_of(
            odd_copy(_ABOUT).map(_with_text),
            st.tuples(ODD_VALUES, st.sampled_from(["P", "L", "RGB", "1"])).map(
                lambda given: _with_text(*given)
            ),
            _resealed_png(png_bytes(_indices(), _SCALE)),
        ),
        (TableError,),
        in_c=True,
    )
)


def _archive(members: dict[str, bytes], method: int = ZIP_STORED, comment: bytes = b"") -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w", method) as archive:
        archive.comment = comment
        for name, png in members.items():
            archive.writestr(ZipInfo(name), png, method)
    return content.getvalue()


def _read_archive(path: Path) -> dict[str, bytes]:
    # Thousands of a size are written within one tick of a file's clock.
    picture_files._opened.cache_clear()
    return {name: picture_bytes(path / name) for name in picture_names(path)}


def _archive_proven(path: Path, found: dict[str, bytes]) -> None:
    """Python's own way through an archive finds the same, and written again it is the same."""
    with ZipFile(path) as archive:
        same({one.filename: archive.read(one) for one in archive.infolist()}, found, "members")
    require(sum(map(len, found.values())) <= path.stat().st_size, "more than the file holds")
    write_archive(path, found)
    same(_read_archive(path), found, "written again")


@st.composite
def _odd_archives(draw: Any) -> bytes:
    names = st.one_of(ODD_TEXTS, st.sampled_from(["../a.png", "/a.png", "a/b.png", "a.png"]))
    members = draw(st.dictionaries(names.filter(bool), st.binary(max_size=40), max_size=4))
    method = draw(st.sampled_from([ZIP_STORED, ZIP_STORED, ZIP_DEFLATED]))
    try:
        file = bytearray(_archive(members, method, draw(st.binary(max_size=4))))
    except (ValueError, UnicodeError):  # no name of a member
        file = bytearray(_archive({"a.png": b"a"}))
    # The tables at the end say where everything is, and how long.
    for _ in range(draw(st.integers(0, 3))):
        file[-draw(st.integers(1, min(len(file), 90)))] = draw(st.integers(0, 255))
    return bytes(file)


register(
    Reader(
        "picture_archives",
        ".zip",
        "the run's own pictures in one archive",
        lambda: [
            _archive({"a.png": png_bytes(_indices(), _SCALE), "b.png": b"b"}),
            _archive({}),
        ],
        _read_archive,
        _archive_proven,
        _odd_archives(),
        (TableError,),
    )
)


@lru_cache
def _foreign(mode: str = "RGB", file_format: str = "PNG") -> bytes:
    shown = palette("viridis")[np.tile(np.arange(16, dtype=np.uint8) * 15, (12, 1))]
    image = Image.fromarray(shown)
    if mode != "RGB":
        image = image.convert(mode)
    out = io.BytesIO()
    image.save(out, file_format)
    return out.getvalue()


def _foreign_proven(path: Path, found: np.ndarray) -> None:
    require(found.ndim == 2 and found.size, f"no picture: {found.shape}")
    require(found.dtype == np.float32 and np.isfinite(found).all(), "not finite")
    require(found.min() >= 0 and found.max() <= ENERGY_MAX, "energies that no colour has")


_MODES = st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "I", "I;16", "F", "1", "CMYK"])
_FORMATS = st.sampled_from(["PNG", "TIFF", "GIF", "BMP", "JPEG"])


@st.composite
def _odd_pictures(draw: Any) -> bytes:
    size = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    seed = draw(st.integers(0, 2**16))
    levels = np.random.default_rng(seed).integers(0, draw(st.integers(1, 256)), (*size, 3))
    image = Image.fromarray(levels.astype(np.uint8))
    out = io.BytesIO()
    try:
        image.convert("L").convert(draw(_MODES)).save(out, draw(_FORMATS))
    except (OSError, ValueError):  # no such format of such a mode
        image.save(out, "PNG")
    return out.getvalue()


register(
    Reader(
        "spectrograms",
        ".png",
        "pictures of labelled glitches from elsewhere",
        lambda: [_foreign(), _foreign("L"), _foreign("RGBA")],
        read_spectrogram,
        _foreign_proven,
        st.one_of(_odd_pictures(), _resealed_png(_foreign())),
        (TableError,),
        in_c=True,
    )
)


@lru_cache
def _training_set() -> bytes:
    content = io.BytesIO()
    grey = np.linspace(0.25, 0.7, 12 * 16).reshape(1, 12, 16)
    with h5py.File(content, "w", track_order=False) as file:
        for label, side, name in (("Blip", "train", "aaa"), ("Tomte", "test", "bbb")):
            for seconds in ("0.5", "1.0", "2.0", "4.0"):
                file.create_dataset(
                    f"{label}/{side}/{name}/{seconds}.png", data=grey, track_times=False
                )
    return content.getvalue()


def _read_training_set(path: Path) -> Any:
    return hdf5_pictures(path, "1", PictureScale("linear", 25.5, "cividis"), (8, 8))


def _training_set_proven(path: Path, found: Any) -> None:
    require(len(found) and found.pictures.shape[1:] == (8, 8), "no pictures")
    require(found.pictures.dtype == np.uint8, "no indices")
    require(all(found.labels) and all(found.groups), "without a name")
    require(set(found.splits) <= {"train", "validation", "test"}, "another part")


register(
    Reader(
        "training_set",
        ".h5",
        "Gravity Spy's labelled pictures in one HDF5 file",
        lambda: [_training_set()],
        _read_training_set,
        _training_set_proven,
        _odd_hdf5(_training_set()),
        (TableError, ConfigError),
        in_c=True,
    )
)
