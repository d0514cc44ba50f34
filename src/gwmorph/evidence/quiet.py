"""Quiet windows: what a detector's noise looks like when nothing happens."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph import tables
from gwmorph.block import RenderParameters
from gwmorph.config import Detector
from gwmorph.encoders.base import Encoder
from gwmorph.evidence.campaign import Job, even_parts
from gwmorph.evidence.injections import simulated_backgrounds
from gwmorph.spectra.chirps import chirp_ratio
from gwmorph.spectra.extended import extended_statistics
from gwmorph.spectra.qtransform import BATCH, GUARD_S

# Windows that share a state of the detector's lines: few, so that many states are seen.
_STRETCH_WINDOWS = 50


def quiet_windows(
    detector: Detector, count: int, seed: int, parameters: RenderParameters, encoder: Encoder
) -> pa.Table:
    """Simulate noise of a detector with its lines, and measure and encode its windows.

    Returns
    -------
    Table of schema QUIET with ``count`` rows.

    Raises
    ------
    ConfigError
        There is no noise model for the detector.
    """
    transform = parameters.transform()
    columns: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("tile_energy", "excess", "track", "chirp", "embedding")
    }
    for spans in _spans(detector, count, seed, parameters):
        batch = next(transform.batches(spans))
        extended = extended_statistics(batch)
        columns["tile_energy"].append(batch.planes.loudest.energy)
        columns["excess"].append(extended.excess)
        columns["track"].append(extended.track)
        columns["chirp"].append(chirp_ratio(batch))
        drawn = parameters.draw(batch.planes)
        columns["embedding"].append(encoder.encode(drawn, parameters.picture_scale))
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(joined.pop("embedding").ravel()), type=tables.QUIET.field("embedding").type
    )
    return pa.table(
        {"number": np.arange(count), **joined, "embedding": vectors}, schema=tables.QUIET
    )


def _spans(
    detector: Detector, count: int, seed: int, parameters: RenderParameters
) -> Iterator[NDArray[np.float32]]:
    """Yield whitened windows and their guards, a batch at a time: float32 [n, samples]."""
    rate = parameters.sample_rate
    length = (parameters.window_s + 2 * GUARD_S) * rate
    for number, windows in enumerate(even_parts(count, _STRETCH_WINDOWS)):
        job = Job(f"quiet-{detector}-{number}", "reference", windows, detector, seed)
        for background in simulated_backgrounds(job, parameters):
            stretch = background.stretch
            first = [(t - GUARD_S - stretch.gps_start) * rate for t in stretch.windows]
            for i in range(0, windows, BATCH):
                yield np.stack([stretch.white[o : o + length] for o in first[i : i + BATCH]])
