"""Encoders side by side on the same labelled pictures.

Three sorts of data: ``seen``, classes of the simulated population; ``unseen``, shapes that no
population has; and, where a folder of them is named, ``real`` pictures of Gravity Spy's. Event
views are given to an encoder as a run gives them. A real picture shows one window length alone:
an encoder that reads an event crop by crop gets it as the crop of that length, any other one as a
whole picture.
"""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.config import ClusteringConfig, EncoderConfig
from gwmorph.encoders.autoencoder import classes_seen
from gwmorph.encoders.base import Encoder, Size, View
from gwmorph.encoders.indomain import left_out, weights_path
from gwmorph.encoders.registry import with_weights
from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.agreement import trigger_features
from gwmorph.evidence.labelled import pictures_of
from gwmorph.evidence.quality import Vectors, event_rows, glitch_rows, pixel_components
from gwmorph.spectra.gravityspy import GlitchPicture, max_pool, read_energy
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.columns import EMBEDDING_SIZE
from gwmorph.tables.comparison import COMPARED
from gwmorph.tables.embeddings import embedding_column, embedding_matrix, of_width

REAL = "real"
PIXELS = "pixels"
TRIGGERS = "triggers"


def encoder_for_unseen(
    config: EncoderConfig, held_out: str | None, shapes: Sequence[str]
) -> EncoderConfig | None:
    """Return the encoder that may be scored on shapes as unseen ones, if there is one.

    Only an encoder that was trained here could have seen them. The in-domain encoder's weights
    say what their training left out; ``held_out`` are such weights, of the same recipe, beside
    the encoder's own. An autoencoder's say of which classes its training had views.

    Raises
    ------
    ConfigError
        The training of ``held_out`` saw one of the shapes.
    WeightsError
        A file of weights is missing or damaged.
    """
    if config.name == "autoencoder":
        path = config.autoencoder.path
        return None if path is None or classes_seen(path) & set(shapes) else config
    if config.name != "indomain":
        return config
    if held_out is None:
        seen = set(shapes) - left_out(weights_path(config.indomain.path))
        return None if seen else config
    if seen := set(shapes) - left_out(held_out):
        raise ConfigError(
            f"comparison.held_out: the training of {held_out} did not leave out "
            f"{', '.join(sorted(seen))}; train with training.excluded: {list(shapes)}, or take "
            "them out of comparison.unseen"
        )
    return with_weights(config, held_out)


@runtime_checkable
class CropEncoder(Protocol):
    """An encoder that can be given one crop of an event view alone."""

    def encode_crops(self, energy: NDArray[np.floating], duration_s: float) -> NDArray[np.float32]:
        """Encode energies [n, height, width] that span so many seconds to unit rows [n, d]."""
        ...


def real_pictures(
    found: Sequence[GlitchPicture], scale: PictureScale, size: Size
) -> NDArray[np.uint8]:
    """Return Gravity Spy's pictures as palette indices uint8 [n, *size], pooled by maxima.

    Raises
    ------
    TableError
        As `read_energy`.
    """
    return np.stack([scale.index(max_pool(read_energy(p.path), *size)) for p in found])


def timed_vectors(
    encoder: Encoder,
    pictures: NDArray[np.uint8],
    scale: PictureScale,
    view: View,
    batch_size: int,
) -> tuple[NDArray[np.float32], float]:
    """Return the vectors [n, d] of pictures, and the milliseconds that one took.

    The time is the median over batches, after one batch that does not count.
    """
    parts = [pictures[i : i + batch_size] for i in range(0, len(pictures), batch_size)]
    encoder.encode(parts[0], scale, view)
    vectors, times = [], []
    for part in parts:
        start = perf_counter()
        vectors.append(encoder.encode(part, scale, view))
        times.append(1e3 * (perf_counter() - start) / len(part))
    return np.concatenate(vectors), float(np.median(times))


def real_vectors(
    encoder: Encoder, found: Sequence[GlitchPicture], scale: PictureScale, size: Size
) -> NDArray[np.float32]:
    """Return the vectors [n, d] of real pictures; ``size`` is that of a run's pictures.

    Raises
    ------
    ConfigError
        As the encoder: a picture has a length or a size that it cannot take.
    TableError
        As `read_energy`.
    """
    if not isinstance(encoder, CropEncoder):
        return encoder.encode(real_pictures(found, scale, size), scale, "event")
    vectors = [encoder.encode_crops(read_energy(p.path)[None], p.duration_s) for p in found]
    return np.concatenate(vectors)


def compared_rows(vectors: Mapping[str, NDArray[np.float32]]) -> pa.Table:
    """Return vectors of unit norm, by the name of their data, as rows of ``COMPARED``.

    Shorter ones are filled up with zeros to 384 or the longest, which changes no cosine.
    """
    width = max([EMBEDDING_SIZE, *(values.shape[1] for values in vectors.values())])
    schema = of_width(COMPARED, width)
    parts = [schema.empty_table()]
    for data, values in vectors.items():
        wide = np.pad(values, ((0, 0), (0, width - values.shape[1])))
        columns = {
            "data": [data] * len(values),
            "row": np.arange(len(values)),
            "embedding": embedding_column(wide),
        }
        parts.append(pa.table(columns, schema=schema))
    return pa.concat_tables(parts)


def vectors_of(compared: pa.Table, data: str, count: int) -> NDArray[np.float32] | None:
    """Return the vectors [count, 384] of one sort of data; None where it was not encoded.

    Raises
    ------
    TableError
        There are more of them, or fewer.
    """
    chosen = compared.filter(pa.array(np.array(compared["data"].to_pylist()) == data))
    if not len(chosen):
        return None
    if chosen["row"].to_pylist() != list(range(count)):
        raise TableError(
            f"{len(chosen)} vectors of {data} pictures, expected {count}: they belong to other "
            "pictures. Remove the folder comparison/ of the run and run again."
        )
    return embedding_matrix(chosen)


def labelled_quality(
    data: str,
    labelled: pa.Table,
    vectors: Mapping[str, Vectors],
    size: Size,
    clustering: ClusteringConfig,
    cluster_seed: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``ENCODER_QUALITY`` for labelled event views (``LABELLED``).

    Beside the encoders' ``vectors`` of these views stand two sets that no encoder made:
    ``pixels``, principal components of the pictures, and ``triggers``, the trigger columns.
    """
    everything = {
        **vectors,
        PIXELS: pixel_components(pictures_of(labelled, size)),
        TRIGGERS: trigger_features(labelled),
    }
    classes = np.array(labelled["morphology"].to_pylist())
    rows = event_rows(everything, classes, clustering, cluster_seed, seed)
    return [{"data": data, **row} for row in rows]


def real_quality(
    found: Sequence[GlitchPicture],
    vectors: Mapping[str, Vectors],
    scale: PictureScale,
    size: Size,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``ENCODER_QUALITY`` for Gravity Spy's pictures."""
    everything = {**vectors, PIXELS: pixel_components(real_pictures(found, scale, size))}
    rows = glitch_rows(
        everything,
        np.array([picture.label for picture in found]),
        np.array([picture.glitch for picture in found]),
        np.array([picture.duration_s for picture in found]),
        seed,
    )
    return [{"data": REAL, **row} for row in rows]
