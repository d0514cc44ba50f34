"""Is a cluster a morphology, or does it depend on a choice of the pipeline?

A sample of a run's pictures is made again with one thing changed at a time and encoded again.
Most changes are of the picture alone: its palette indices are recoloured, turned round or scaled.
Others are of how it was drawn, and need the strain: how the noise spectrum is taken, the tiling,
the plane, the size. What leaves the encoder's input as it is does not apply: it is no agreement.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from igwn_segments import segmentlist
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, Stretch, batches, condition
from gwmorph.config import ClusteringConfig, EncoderConfig, EncoderName
from gwmorph.encoders.base import Encoder, Size, View, unit_rows
from gwmorph.encoders.precision import other_precision
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.sizes import PATCH, check_size
from gwmorph.errors import ConfigError, StrainError, TableError
from gwmorph.evidence.stability import LEFT_OUT, agreement_rows
from gwmorph.grid import block_of
from gwmorph.morphology.clustering import MINIMUM_ROWS, cluster
from gwmorph.morphology.partitions import FIGURES
from gwmorph.simulation.streams import stream
from gwmorph.spectra.pictures import PictureScale, crops
from gwmorph.spectra.qtransform import QBatch
from gwmorph.spectra.views import event_view
from gwmorph.strain.base import LocalFile
from gwmorph.tables.block import TILE
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.keys import row_keys
from gwmorph.tables.validation import ABLATED, ABLATION_SAMPLE, NOT_APPLICABLE

Pictures = NDArray[np.uint8]
# Palette indices [n, h, w], their scale, what they show, a seed -> what an encoder is given.
Recolour = Callable[[Pictures, PictureScale, View, int], tuple[Pictures, PictureScale]]
Redraw = Callable[[RenderParameters], RenderParameters]

# Pictures that tell whether a change reaches the encoder at all.
_PROBED = 16
_GAIN = 0.5
_SHRUNK = 0.75


def _greyscale(
    pictures: Pictures, scale: PictureScale, view: View, seed: int
) -> tuple[Pictures, PictureScale]:
    return pictures, replace(scale, colormap="gray")


def _other_colours(
    pictures: Pictures, scale: PictureScale, view: View, seed: int
) -> tuple[Pictures, PictureScale]:
    other = "cividis" if scale.colormap == "viridis" else "viridis"
    return pictures, replace(scale, colormap=other)


def _inverted(
    pictures: Pictures, scale: PictureScale, view: View, seed: int
) -> tuple[Pictures, PictureScale]:
    return 255 - pictures, scale


def _shuffled(
    pictures: Pictures, scale: PictureScale, view: View, seed: int
) -> tuple[Pictures, PictureScale]:
    """Exchange the 256 levels at random: where energies are equal is all that is left."""
    levels = stream(seed, "levels").permutation(256).astype(np.uint8)
    return levels[pictures], scale


def _reversed(
    pictures: Pictures, scale: PictureScale, view: View, seed: int
) -> tuple[Pictures, PictureScale]:
    """Turn time round, in an event view crop by crop."""
    if view == "window":
        return pictures[..., ::-1].copy(), scale
    turned = pictures.copy()
    for new, old in zip(crops(turned), crops(pictures), strict=True):
        new[...] = old[..., ::-1]
    return turned, scale


def _with_gain(gain: float) -> Recolour:
    def change(
        pictures: Pictures, scale: PictureScale, view: View, seed: int
    ) -> tuple[Pictures, PictureScale]:
        return _amplified(gain, scale)[pictures], scale

    return change


def _with_gains(
    pictures: Pictures, scale: PictureScale, view: View, seed: int
) -> tuple[Pictures, PictureScale]:
    """Give each picture a gain of its own: what was told apart by gain no longer is."""
    gains = stream(seed, "gains").uniform(1 - _GAIN, 1 + _GAIN, len(pictures))
    each = [_amplified(gain, scale)[one] for gain, one in zip(gains, pictures, strict=True)]
    return np.stack(each), scale


def _amplified(gain: float, scale: PictureScale) -> Pictures:
    """Return the index that each palette index becomes: uint8 [256]."""
    return scale.index(gain * scale.energy(np.arange(256, dtype=np.uint8)))


RECOLOURED: Mapping[str, Recolour] = {
    "greyscale": _greyscale,
    "colormap": _other_colours,
    "inverted": _inverted,
    "shuffled": _shuffled,
    "reversed": _reversed,
    "gain_low": _with_gain(1 - _GAIN),
    "gain_high": _with_gain(1 + _GAIN),
    "gain_each": _with_gains,
}


def _same(parameters: RenderParameters) -> RenderParameters:
    return parameters


def _other_spectra(parameters: RenderParameters) -> RenderParameters:
    return replace(parameters, psd_segment_s=2 if parameters.psd_segment_s == 4 else 4)


def _half_the_q(parameters: RenderParameters) -> RenderParameters:
    return replace(parameters, q_high=max(parameters.q_high / 2, parameters.q_low))


def _other_plane(parameters: RenderParameters) -> RenderParameters:
    return replace(parameters, plane="loudest" if parameters.plane == "max" else "max")


def _smaller(parameters: RenderParameters) -> RenderParameters:
    height, width = (
        2 * PATCH * max(int(_SHRUNK * pixels) // (2 * PATCH), 1)
        for pixels in (parameters.height, parameters.width)
    )
    return replace(parameters, height=height, width=width)


# "context" changes no parameter: each half of a block is whitened by its own noise spectrum.
CONTEXT = "context"
REDRAWN: Mapping[str, Redraw] = {
    CONTEXT: _same,
    "spectrum_length": _other_spectra,
    "q_range": _half_the_q,
    "plane": _other_plane,
    "size": _smaller,
}
PRECISION = "precision"
CHANGES = (*RECOLOURED, *REDRAWN, PRECISION)
# Nothing that the vectors say is left in these: agreement by chance.
RANDOM, EXCHANGED = "random vectors", "rows exchanged"


def reaches(
    encoder: Encoder,
    before: tuple[Pictures, PictureScale],
    after: tuple[Pictures, PictureScale],
    view: View,
) -> bool:
    """Return whether a change of pictures changes what the encoder makes of the first few."""
    one, other = (
        encoder.encode(pictures[:_PROBED], scale, view) for pictures, scale in (before, after)
    )
    return not np.array_equal(one, other)


def encoded(
    encoder: Encoder, pictures: Pictures, scale: PictureScale, view: View, batch_size: int
) -> NDArray[np.float32]:
    """Return the vectors of pictures uint8 [n, h, w], ``batch_size`` at a time: [n, d]."""
    parts = [
        encoder.encode(pictures[start : start + batch_size], scale, view)
        for start in range(0, len(pictures), batch_size)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, encoder.width), np.float32)


def vectors_after(
    encoder: Encoder,
    before: tuple[Pictures, PictureScale],
    after: tuple[Pictures, PictureScale],
    view: View,
    batch_size: int,
) -> NDArray[np.float32] | None:
    """Return the vectors of changed pictures [n, d]; None where the encoder sees no change."""
    if not reaches(encoder, before, after, view):
        return None
    return encoded(encoder, *after, view, batch_size)


def with_other_precision(
    config: EncoderConfig, pictures: Pictures, scale: PictureScale, view: View
) -> NDArray[np.float32] | None:
    """Return vectors [n, d] by the encoder in another precision; None where there is but one.

    Raises
    ------
    ConfigError
        As `registry.make_encoder`.
    """
    if config.name != "dinov2" or config.runtime == "pytorch":
        return None
    other = other_precision(config.precision)
    if other is None:
        return None
    changed = config.model_copy(update={"precision": other})
    made = make_encoder(changed, (pictures.shape[1], pictures.shape[2]))
    return encoded(made, pictures, scale, view, config.batch_size)


def ablated_table(rows: NDArray[np.int64], vectors: NDArray[np.float32] | None) -> pa.Table:
    """Return ABLATED rows: of vectors [m, d] and the rows of the sample that they belong to."""
    if vectors is None:
        return ABLATED.empty_table()
    schema = of_width(ABLATED, vectors.shape[1])
    return pa.table({"row": rows, "embedding": embedding_column(vectors)}, schema=schema)


def sample_rows(
    embeddings: pa.Table,
    found_by: Mapping[tuple[str, int, float], str],
    blocks: Collection[tuple[str, int]],
    largest: int,
    seed: int,
) -> pa.Table:
    """Return at most ``largest`` rows of ABLATION_SAMPLE, drawn evenly from some blocks.

    Parameters
    ----------
    embeddings
        Rows of EMBEDDINGS of one view.
    found_by
        What found an event, by its detector, window and peak time.
    blocks
        Detectors and GPS starts of the blocks.

    Raises
    ------
    TableError
        There are fewer than 16 rows in these blocks.
    """
    places = zip(
        embeddings["detector"].to_pylist(), embeddings["gps_start"].to_pylist(), strict=True
    )
    inside = np.flatnonzero([(name, block_of(start)) in blocks for name, start in places])
    if len(inside) < MINIMUM_ROWS:
        raise TableError(
            f"{len(inside)} rows in {len(blocks)} blocks are too few to judge clusters by: "
            f"expected at least {MINIMUM_ROWS}. Raise validation.ablation.blocks, or leave this "
            "view out of clustering.views."
        )
    if len(inside) > largest:
        chosen = stream(seed, "ablation sample").choice(inside, largest, replace=False)
        inside = np.sort(chosen)
    drawn = embeddings.take(pa.array(inside))
    columns = {name: drawn[name] for name in ABLATION_SAMPLE.names if name != "found_by"}
    return pa.table(
        {**columns, "found_by": pa.array(map(found_by.get, row_keys(drawn)), pa.string())}
    )


def redrawn(
    change: str,
    wanted: pa.Table,
    files: Sequence[LocalFile],
    block: int,
    windows: Sequence[int],
    segments: segmentlist,
    context_s: int,
    parameters: RenderParameters,
) -> Iterator[tuple[int, Pictures]]:
    """Yield row number and picture of views of one block, drawn as ``change`` says.

    A row whose window is lost under the change is left out. A view has the moment that the run
    gave it.

    Parameters
    ----------
    change
        One of ``REDRAWN``.
    wanted
        Rows of one detector and block, with ``detector``, ``gps_start``, ``trigger_time`` (null
        for windows), ``tile_q`` and ``found_by`` (null for windows).
    files, block, windows, segments, context_s
        As of `block.draw_block`: all windows of the block, since they shape its spectrum.
    parameters
        Of the run.

    Raises
    ------
    StrainError
        A file cannot be read.
    """
    changed = REDRAWN[change](parameters)
    rows: dict[int, list[tuple[int, dict[str, Any]]]] = {}
    for number, row in enumerate(wanted.to_pylist()):
        rows.setdefault(row["gps_start"], []).append((number, row))
    detector = wanted["detector"][0].as_py()
    for part in np.array_split(np.asarray(windows), 2 if change == CONTEXT else 1):
        if not set(part.tolist()) & set(rows):
            continue
        _, stretches = condition(
            files, detector, block, sorted(part.tolist()), segments, context_s, changed
        )
        for stretch in stretches:
            yield from _views(stretch, rows, changed)


def encode_redrawn(
    change: str,
    pictures: Mapping[int, Pictures],
    parameters: RenderParameters,
    config: EncoderConfig,
    view: View,
) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
    """Return rows in order and the vectors of their redrawn pictures [m, d].

    None instead of vectors where the change does not apply: where it leaves how this view is drawn
    as it was, or the encoder takes no pictures of such a size.
    """
    rows = np.array(sorted(pictures), np.int64)
    if not len(rows) or not redraw_applies(change, parameters, config.name, view):
        return rows[:0], None
    drawn = REDRAWN[change](parameters)
    made = make_encoder(config, (drawn.height, drawn.width))
    stacked = np.stack([pictures[row] for row in rows.tolist()])
    return rows, encoded(made, stacked, drawn.picture_scale, view, config.batch_size)


def redraw_applies(
    change: str, parameters: RenderParameters, name: EncoderName, view: View
) -> bool:
    """Say whether a change alters how a view is drawn, and the encoder takes what it gives."""
    drawn = REDRAWN[change](parameters)
    # Each crop of an event view shows its loudest plane, whatever the plane of the windows is.
    as_it_was = change == "plane" and view == "event"
    return not as_it_was and _takes(name, (drawn.height, drawn.width))


def _takes(name: EncoderName, size: Size) -> bool:
    try:
        check_size(name, size)
    except ConfigError:
        return False
    return True


def _views(
    stretch: Stretch,
    rows: Mapping[int, list[tuple[int, dict[str, Any]]]],
    parameters: RenderParameters,
) -> Iterator[tuple[int, Pictures]]:
    own = replace(stretch, windows=[start for start in stretch.windows if start in rows])
    for starts, batch in batches(own, parameters):
        if isinstance(batch, StrainError):
            continue
        whole = parameters.draw(batch.planes)
        for window, start in enumerate(starts):
            for number, row in rows[start]:
                event = row["trigger_time"] is not None
                yield number, _event(batch, window, row, parameters) if event else whole[window]


def _event(
    batch: QBatch, window: int, row: Mapping[str, Any], parameters: RenderParameters
) -> Pictures:
    """Draw an event; what no tile found is shown in the plane nearest to its own in Q."""
    plane = None
    if row["found_by"] != TILE:
        qs = np.array(parameters.tiling().qs)
        plane = int(np.abs(np.log(qs / row["tile_q"])).argmin())
    moment = row["trigger_time"] - row["gps_start"]
    view = event_view(batch, window, moment, parameters.height, parameters.width, plane)
    return parameters.picture_scale.index(view)


def ablation_rows(
    vectors: NDArray[np.float32],
    changed: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float32]] | None],
    blocks: NDArray[np.integer],
    clustering: ClusteringConfig,
    run_seed: int,
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return rows of ``AGREEMENTS``: each change's clusters against those of the sample as it is.

    Random vectors, and the sample's own clusters with their rows exchanged, stand beside them: by
    chance there is no agreement. A change that does not apply has no value.

    Parameters
    ----------
    vectors
        The sample's, float32 [n, d].
    changed
        By change the rows that it has and their vectors; None where it does not apply.
    blocks
        Stretch of time of each row, [n].
    clustering, run_seed
        The run's.
    repeats, seed
        Of the draws of stretches.
    """
    labels = cluster(vectors, clustering, run_seed).labels
    rng = stream(seed, "baselines")
    noise = unit_rows(rng.standard_normal(vectors.shape))
    partitions = {
        name: _partition(*entry, len(labels), clustering, run_seed)
        for name, entry in changed.items()
        if entry is not None
    }
    partitions[RANDOM] = cluster(noise, clustering, run_seed).labels
    partitions[EXCHANGED] = rng.permutation(labels)
    kinds = {name: name for name in partitions}
    rows = agreement_rows(labels, partitions, kinds, blocks, repeats, seed)
    return rows + [
        row for name, entry in changed.items() if entry is None for row in _not_applicable(name)
    ]


def _partition(
    rows: NDArray[np.int64],
    vectors: NDArray[np.float32],
    total: int,
    clustering: ClusteringConfig,
    seed: int,
) -> NDArray[np.int32]:
    labels = np.full(total, LEFT_OUT, np.int32)
    labels[rows] = cluster(vectors, clustering, seed).labels
    return labels


def _not_applicable(name: str) -> Iterator[dict[str, Any]]:
    nothing = dict.fromkeys(("value", "low", "high"), float("nan"))
    for figure in FIGURES:
        about = {"variant": name, "changed": NOT_APPLICABLE, "clusters": 0, "figure": figure}
        yield {**about, **nothing, "rows": 0}
