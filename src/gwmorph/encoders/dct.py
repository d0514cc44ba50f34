"""The baseline that needs no weights: the coarse shape of the log-energy picture."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from gwmorph.encoders.base import Size, View, check_pictures, encoder_id, unit_rows
from gwmorph.encoders.sizes import check_size
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.columns import EMBEDDING_SIZE


def _lowest_frequencies(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (vertical, horizontal) indices by increasing radius u² + v², ties by smaller u."""
    u, v = np.divmod(np.arange(count * count), count)
    order = np.lexsort((u, u * u + v * v))[1 : count + 1]
    return u[order], v[order]


VERTICAL, HORIZONTAL = _lowest_frequencies(EMBEDDING_SIZE)
_LARGEST = int(max(VERTICAL.max(), HORIZONTAL.max()))
# Equal magnitudes with alternating signs: a texture all over the picture. (Equal signs would
# be nearly what one bright pixel in the top left corner gives.)
FEATURELESS = unit_rows(np.where(np.arange(EMBEDDING_SIZE) % 2, -1.0, 1.0)[None])[0]


def low_frequencies(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 384 lowest coefficients float32 [n, 384] of fields float32 [n, h, w].

    The coefficients are those of the orthonormal 2-D DCT-II at (u, v) = (``VERTICAL``,
    ``HORIZONTAL``) half-cycles over the picture's height and width, ordered by u² + v², then
    by u. Half-cycles per picture, not per pixel: the same places whatever the picture's size
    (Ahmed, Natarajan & Rao 1974, doi 10.1109/T-C.1974.223784).

    The constant term (0, 0) is left out: the mean level of noise dominates it, and with it
    every picture would point the same way. So any constant may be subtracted first; the
    first pixel is, which makes a picture of one colour exactly zero.
    """
    centred = field - field[:, :1, :1]
    rows = dct(centred, type=2, norm="ortho", axis=2)[:, :, : _LARGEST + 1]
    return dct(rows, type=2, norm="ortho", axis=1)[:, VERTICAL, HORIZONTAL]


def dct_id(size: Size) -> str:
    """Return the encoder id of `DctEncoder` for pictures of ``size``."""
    return encoder_id("dct", "1", "-", size, "float32")


class DctEncoder:
    """Low-frequency cosine coefficients of log(1 + E), scaled to unit norm.

    A picture of one colour has no shape; it gets ``FEATURELESS``, so that such pictures stand
    together and apart from others.

    Raises
    ------
    ConfigError
        The picture is too small to hold 384 coefficients in their order.
    """

    def __init__(self, size: Size) -> None:
        check_size("dct", size)
        self._size = size
        self.width = EMBEDDING_SIZE
        self.encoder_id = dct_id(size)

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """Encode pictures; see `gwmorph.encoders.base.Encoder`."""
        check_pictures(pictures, self._size)
        log_energy = np.log1p(render.energy(np.arange(256, dtype=np.uint8)))
        coefficients = low_frequencies(log_energy[pictures])
        shaped = coefficients.any(axis=1)
        vectors = np.tile(FEATURELESS, (len(pictures), 1))
        vectors[shaped] = unit_rows(coefficients[shaped])
        return vectors
