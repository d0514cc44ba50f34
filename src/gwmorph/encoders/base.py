"""What an encoder is, and what all encoders share."""

from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gwmorph.errors import ConfigError, WeightsError
from gwmorph.spectra.pictures import PictureScale

Size = tuple[int, int]
# What a picture shows: 32 s, or a moment in four crops.
View = Literal["window", "event"]


class Encoder(Protocol):
    """A frozen map from pictures to unit vectors.

    ``encoder_id`` names everything that the vectors depend on apart from the pictures, as
    `encoder_id` writes it. Vectors of different encoder ids must not be compared. ``width`` is
    their length.
    """

    encoder_id: str
    width: int

    def encode(
        self, pictures: NDArray[np.uint8], render: PictureScale, view: View
    ) -> NDArray[np.float32]:
        """Encode palette indices uint8 [n, h, w] to float32 [n, ``width``] of unit norm.

        ``view`` says what all pictures show. They are held at once: stream batches for many.

        Raises
        ------
        ConfigError
            The pictures are not of the size that the encoder was made for.
        """
        ...


@runtime_checkable
class PatchEncoder(Encoder, Protocol):
    """An encoder that also tells what it sees where."""

    def patches(self, pictures: NDArray[np.uint8], render: PictureScale) -> NDArray[np.float16]:
        """Return a vector for each patch of each picture: float16 [n, rows, columns, d].

        Rows go down the picture, from high frequencies to low ones; columns go with time. The
        vectors are not scaled to unit norm. At 224 x 224 pixels DINOv2 gives [n, 16, 16, 384],
        0.2 MB a picture.

        Raises
        ------
        ConfigError
            As `encode`.
        """
        ...


def encoder_id(name: str, revision: str, sha256: str, size: Size, precision: str) -> str:
    """Return ``name:revision:sha256:HxW:precision``; what does not apply is ``-``."""
    return f"{name}:{revision}:{sha256}:{size[0]}x{size[1]}:{precision}"


def weights_in(known: str) -> str:
    """Return the SHA-256 of the weights that an encoder id names, or ``-``."""
    return known.split(":")[2]


def check_pictures(pictures: NDArray[np.uint8], size: Size) -> None:
    """Raise ConfigError unless ``pictures`` is uint8 [n, *size]."""
    if pictures.ndim != 3 or pictures.shape[1:] != size or pictures.dtype != np.uint8:
        raise ConfigError(
            f"pictures: expected uint8 [n, {size[0]}, {size[1]}], got {pictures.dtype} "
            f"{list(pictures.shape)}. The encoder was made for picture.height = {size[0]} and "
            f"picture.width = {size[1]}: make it for the size of these pictures."
        )


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale each row of [n, d] to unit Euclidean norm, as float32.

    Raises
    ------
    WeightsError
        A row is zero or not finite, so that it has no direction.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = ~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0)
    if bad.any():
        raise WeightsError(
            f"The encoder gave {int(bad.sum())} of {len(vectors)} vectors that are zero or not "
            f"finite (the first for picture {int(bad.argmax())} of the batch): its weights are "
            "damaged. Remove them and fetch them again."
        )
    return (vectors / norms).astype(np.float32)
