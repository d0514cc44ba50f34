"""Pictures: tile energies as palette PNGs that are scalar fields at the same time."""

import io
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from gwmorph.errors import TableError
from gwmorph.picture_files import is_packed, picture_source
from gwmorph.storage import parse_json, write_bytes

# Durations of an event view's crops in seconds: top left, top right, bottom left, bottom right.
CROPS_S = (0.5, 1.0, 2.0, 4.0)

# The colours of matplotlib's colormaps, which a block's job would import for nothing else.
_PALETTES = Path(__file__).with_name("palettes.npz")
_TEXT_KEY = "gwmorph"
_TOP = 255
_LARGEST_ENERGY = float(np.finfo(np.float32).max)
# Level 1 costs a third of zlib's default and gives files 12 % larger.
_COMPRESSION = 1
# Of a picture that is read: a small file can stand for one that fills the memory.
_MOST_PIXELS = 1 << 26
# What Pillow raises on bytes that were altered.
_DAMAGED = (
    OSError, ValueError, TypeError, SyntaxError, LookupError, EOFError, OverflowError,
    AttributeError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


@dataclass(frozen=True)
class PictureScale:
    """How energy E becomes a palette index: ``round(255·g(min(E, E_max)/E_max))``.

    ``g`` is the identity (``linear``) or the square root (``sqrt``); ``colormap`` names the
    matplotlib colormap that is the PNG's palette.
    """

    scale: Literal["linear", "sqrt"]
    energy_max: float
    colormap: str

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Return the scale that a picture's or a table's metadata tell, among what else they do.

        Raises
        ------
        ValueError
            They do not, or there is no such scale.
        """
        names = ("scale", "energy_max", "colormap")
        if not isinstance(content, Mapping) or not set(names) <= set(content):
            raise ValueError(f"expected {', '.join(names)}, got {content!r:.80}")
        scale, energy_max, colormap = (content[name] for name in names)
        if scale not in ("linear", "sqrt"):
            raise ValueError(f"scale {scale!r:.80}, expected linear or sqrt")
        real = isinstance(energy_max, int | float) and not isinstance(energy_max, bool)
        if not real or not 0 < energy_max < _LARGEST_ENERGY:  # nor is NaN
            raise ValueError(f"energy_max {energy_max!r:.80}, expected a number above zero")
        if not isinstance(colormap, str) or colormap not in _colormaps():
            raise ValueError(f"colormap {colormap!r:.80}, expected {', '.join(_colormaps())}")
        return cls(scale, energy_max, colormap)

    def index(self, energy: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Quantise energies of any shape to palette indices (uint8)."""
        fraction = np.clip(energy / np.float32(self.energy_max), 0, 1)
        if self.scale == "sqrt":
            fraction = np.sqrt(fraction)
        return np.rint(_TOP * fraction).astype(np.uint8)

    def energy(self, indices: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the energies (float32) that palette indices stand for."""
        fraction = indices.astype(np.float32) / np.float32(_TOP)
        if self.scale == "sqrt":
            fraction = fraction * fraction
        return fraction * np.float32(self.energy_max)

    def rgb(self, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the colours (uint8, one more axis of length 3) that the PNG shows."""
        return palette(self.colormap)[indices]


@lru_cache
def _colormaps() -> tuple[str, ...]:
    with np.load(_PALETTES, allow_pickle=False) as palettes:
        return tuple(sorted(palettes.files))


@lru_cache
def palette(colormap: str) -> NDArray[np.uint8]:
    """Return a colormap's 256 colours as uint8 [256, 3]."""
    with np.load(_PALETTES, allow_pickle=False) as palettes:
        return palettes[colormap]


def write_picture(
    path: Path | str,
    indices: NDArray[np.uint8],
    scale: PictureScale,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write palette indices uint8 [height, width] as a palette PNG, as `png_bytes` makes it.

    Raises
    ------
    StorageError
        The file cannot be written whole.
    """
    write_bytes(path, png_bytes(indices, scale, about))


def png_bytes(
    indices: NDArray[np.uint8], scale: PictureScale, about: Mapping[str, Any] | None = None
) -> bytes:
    """Return palette indices uint8 [height, width] as a palette PNG.

    Row 0 is the top (highest frequency), column 0 the earliest time. ``scale`` and the items
    of ``about`` go into the PNG's text chunk as JSON.
    """
    image = Image.frombytes("P", indices.shape[::-1], np.ascontiguousarray(indices).tobytes())
    image.putpalette(palette(scale.colormap).tobytes())
    text = PngImagePlugin.PngInfo()
    text.add_text(_TEXT_KEY, json.dumps({**asdict(scale), **(about or {})}, sort_keys=True))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=text, bits=8, compress_level=_COMPRESSION)
    return buffer.getvalue()


def read_picture(path: Path | str) -> tuple[NDArray[np.uint8], PictureScale]:
    """Read a picture back: palette indices uint8 [height, width] and their scale.

    ``path`` is that of a file, or of an archive and then the picture's name in it.

    Raises
    ------
    TableError
        The file or its archive is missing, damaged, or no gwmorph picture.
    """
    where = "archive" if is_packed(path) else "folder"
    advice = f"Remove its {where} and run the workflow again."
    with opened_picture(path, advice) as image:
        mode, text, indices = image.mode, image.info.get(_TEXT_KEY), np.asarray(image)
    if mode != "P" or text is None:
        raise TableError(
            f"{path}: expected a palette PNG with a {_TEXT_KEY!r} text chunk, got mode {mode!r}; "
            "the file was not written by gwmorph or was converted since."
        )
    try:
        return indices, PictureScale.from_json(parse_json(text))
    except ValueError as error:
        raise TableError(
            f"{path}: its text chunk {_TEXT_KEY!r} does not say what its levels mean ({error}). "
            f"{advice}"
        ) from error


@contextmanager
def opened_picture(path: Path | str, advice: str) -> Iterator[Image.Image]:
    """Yield a PNG, read to its end; errors end with ``advice``.

    Raises
    ------
    TableError
        The file is missing, no PNG or damaged, or has more than 2²⁶ pixels; or its archive is
        missing or damaged.
    """
    source = picture_source(path)
    try:
        image = Image.open(source, formats=("PNG",))
        pixels = image.width * image.height
        if pixels <= _MOST_PIXELS:
            image.load()
    except _DAMAGED as error:
        raise TableError(f"{path}: not a readable picture, a PNG ({error}). {advice}") from error
    with image:
        if pixels > _MOST_PIXELS:
            raise TableError(
                f"{path}: has {image.width} x {image.height} pixels, expected at most "
                f"{_MOST_PIXELS:,}. {advice}"
            )
        yield image


def crops(picture: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Take an event view apart: the four crops [..., height/2, width/2], in order of duration.

    The crops are views into ``picture``, whose last two axes are its rows and columns.
    """
    rows, columns = picture.shape[-2] // 2, picture.shape[-1] // 2
    top, bottom = picture[..., :rows, :], picture[..., rows:, :]
    return (
        top[..., :columns],
        top[..., columns:],
        bottom[..., :columns],
        bottom[..., columns:],
    )
