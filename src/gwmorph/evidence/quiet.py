"""Quiet windows: what a detector's noise looks like when nothing happens.

They are simulated, or chosen from a run: real noise is not like simulated noise, and a limit set
on the one says little about the other.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, score_parts, window_span
from gwmorph.config import Detector
from gwmorph.encoders.base import Encoder
from gwmorph.errors import ConfigError
from gwmorph.evidence.campaign import Job, even_parts
from gwmorph.evidence.injections import simulated_backgrounds
from gwmorph.evidence.score import MEASURED
from gwmorph.progress import timed
from gwmorph.spectra.qtransform import BATCH
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.scores import QUIET

# Windows that share a state of the detector's lines: few, so that many states are seen.
_STRETCH_WINDOWS = 50


def quiet_windows(
    detector: Detector,
    count: int,
    seed: int,
    parameters: RenderParameters,
    encoder: Encoder,
    progress: Callable[[int], object] = lambda windows: None,
) -> pa.Table:
    """Simulate noise of a detector with its lines, and measure and encode its windows.

    ``progress`` is told, a few at a time, how many more windows there are.

    Returns
    -------
    Table of schema QUIET with ``count`` rows.

    Raises
    ------
    ConfigError
        There is no noise model for the detector.
    """
    transform = parameters.transform()
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in (*MEASURED, "embedding")}
    for spans in _spans(detector, count, seed, parameters):
        with timed("drawing"):
            batch = transform.batch(spans)
            drawn = parameters.draw(batch.planes)
        with timed("parts of the score"):
            for name, values in score_parts(batch).items():
                columns[name].append(values)
        with timed("encoding"):
            columns["embedding"].append(encoder.encode(drawn, parameters.picture_scale, "window"))
        progress(len(spans))
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    vectors = embedding_column(joined.pop("embedding"))
    about = {"number": np.arange(count), "gps_start": pa.nulls(count, pa.int64())}
    schema = of_width(QUIET, encoder.width)
    return pa.table({**about, **joined, "embedding": vectors}, schema=schema)


def quiet_windows_of_run(
    windows: pa.Table, events_snr: float, count: int, fewest: int, seed: int
) -> pa.Table:
    """Choose quiet windows of one detector from those of a run.

    ASSUME: a window without a tile of ``events_snr`` is quiet. Signals that are faint or have no
    loud tile stay among them, so limits are rather too high than too low.

    Parameters
    ----------
    windows
        From `gwmorph.evidence.score.windows_of`.
    events_snr
        Omicron SNR from which on a trigger is an event.
    count
        How many to choose, evenly at random by ``seed``; all, where there are fewer.
    fewest
        How many must be quiet, that a limit can be set on them.

    Returns
    -------
    Table of schema QUIET in random order, so that any part of it is like the rest.

    Raises
    ------
    ConfigError
        Fewer than ``fewest`` windows are quiet.
    """
    quiet = windows.filter(pc.less(windows["tile_snr"], events_snr))
    if len(quiet) < fewest:
        raise ConfigError(
            f"score.background: run: expected at least {fewest} windows without a tile of SNR "
            f"{events_snr:g} (events.snr), got {len(quiet)} of {len(windows)}. Take a longer run, "
            "raise score.false_alarm_fraction, or set score.background to simulated or none."
        )
    chosen = np.random.default_rng(seed).permutation(len(quiet))[:count]
    own = quiet.take(chosen)
    width = windows["embedding"].type.list_size
    return (
        own.append_column("number", pa.array(np.arange(len(own))))
        .select(QUIET.names)
        .cast(of_width(QUIET, width))
    )


def _spans(
    detector: Detector, count: int, seed: int, parameters: RenderParameters
) -> Iterator[NDArray[np.float32]]:
    """Yield whitened windows and their guards, a batch at a time: float32 [n, samples]."""
    for number, windows in enumerate(even_parts(count, _STRETCH_WINDOWS)):
        job = Job(f"quiet-{detector}-{number}", "reference", windows, detector, seed)
        for background in simulated_backgrounds(job, parameters):
            stretch = background.stretch
            for i in range(0, windows, BATCH):
                starts = stretch.windows[i : i + BATCH]
                yield np.stack([window_span(stretch, start, parameters) for start in starts])
