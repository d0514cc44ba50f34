"""Event views with known labels: signals in simulated noise, seen as a run sees its own.

Each signal has a window of noise to itself, lines included, which is conditioned as a block is;
signals are injected after whitening, as in a campaign (`gwmorph.evidence.injections`). A signal
counts when the window has a trigger: the loudest one is the view's centre. What no trigger shows
would have no event view in a run either, and another signal of its class is drawn.

Every stretch of noise and every signal has a random stream named by the seed and the class, so
that another class, or its place in the list, changes none of them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, window_span
from gwmorph.config import Detector, EventsConfig
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import (
    Case,
    chunks,
    simulated_backgrounds,
    trigger_columns,
    unit_signal,
)
from gwmorph.lineage import hashes_of, lineage
from gwmorph.simulation.morphologies import choose_morphologies
from gwmorph.simulation.population import load_population
from gwmorph.simulation.signals import LabelledClass, population_classes
from gwmorph.simulation.streams import stream
from gwmorph.spectra.qtransform import QTransform
from gwmorph.spectra.triggers import find_triggers
from gwmorph.spectra.views import event_view
from gwmorph.tables.comparison import LABELLED
from gwmorph.tables.parquet import write_table

# From either end of the window, so that short signals are not on its border.
_MARGIN_S = 8
# Signals drawn of a class for each that is wanted, before the class is left as small as it is.
_ATTEMPTS = 4


@dataclass(frozen=True)
class Draws:
    """What is drawn of every class.

    Attributes
    ----------
    detector : whose noise is simulated.
    seed : of noise and signals.
    per_class : views wanted of each class.
    """

    detector: Detector
    seed: int
    per_class: int


def classes_for(
    data: str,
    names: Sequence[str],
    snrs: tuple[float, float],
    population: Path | str,
    detector: Detector,
) -> dict[str, LabelledClass]:
    """Return what is drawn of each named class, between two SNRs.

    Classes of ``unseen`` data are shapes of the injection campaign; those of any other are the
    population's in the file.

    Raises
    ------
    ConfigError
        There is no such shape or class, or none so loud, or the file is no population.
    """
    if data == "unseen":
        shapes = choose_morphologies(names, "comparison.unseen")
        return {name: LabelledClass(shape, *snrs) for name, shape in shapes.items()}
    return population_classes(load_population(population), detector, names, *snrs)


def labelled_views(
    classes: Mapping[str, LabelledClass],
    draws: Draws,
    parameters: RenderParameters,
    events: EventsConfig,
) -> pa.Table:
    """Return the event views of the first ``per_class`` signals of each class with a trigger.

    Parameters
    ----------
    classes
        What is drawn of each class, by its name; SNRs evenly in their logarithm.
    parameters, events
        How a run renders, and what it takes for a trigger.

    Returns
    -------
    Rows of ``LABELLED``, by class and number. A class of which fewer than a quarter has
    a trigger has fewer rows.
    """
    transform = parameters.transform()
    rows: list[dict[str, Any]] = []
    for name, entry in classes.items():
        seen = (
            row
            for chunk in chunks(_cases(name, entry, draws, parameters))
            for row in _seen(chunk, transform, parameters, events)
        )
        rows += islice(seen, draws.per_class)
    return pa.Table.from_pylist(rows, schema=LABELLED)


def write_labelled_views(
    path: Path | str,
    about: Mapping[str, Any],
    classes: Mapping[str, LabelledClass],
    draws: Draws,
    parameters: RenderParameters,
    events: Mapping[str, Any],
    population: Path | str,
) -> None:
    """Draw `labelled_views` and write them, with what they depend on.

    Parameters
    ----------
    about
        What ``classes`` were chosen by, for the table's lineage; it holds what JSON can hold.
    events
        The configuration's section.
    population
        The file that the classes come from.

    Raises
    ------
    StorageError
        The table cannot be written whole.
    """
    table = labelled_views(classes, draws, parameters, EventsConfig.model_validate(events))
    whole = {**about, "draws": asdict(draws), "events": dict(events)}
    metadata = {
        **lineage(whole, hashes_of([population])),
        "gwmorph.render_id": parameters.render_id,
    }
    write_table(path, LABELLED, table, metadata)


def _cases(
    name: str, entry: LabelledClass, draws: Draws, parameters: RenderParameters
) -> Iterator[Case]:
    windows = _ATTEMPTS * draws.per_class
    job = Job(f"labelled-{name}", "labelled", windows, draws.detector, draws.seed)
    rate, number = parameters.sample_rate, 0
    low, high = _MARGIN_S * rate, (parameters.window_s - _MARGIN_S) * rate
    for background in simulated_backgrounds(job, parameters):
        for start in background.stretch.windows:
            rng = stream(draws.seed, "labelled signal", name, number)
            offset = int(rng.integers(low, high))
            snr = float(np.exp(rng.uniform(np.log(entry.snr_low), np.log(entry.snr_high))))
            waveform = entry.signal.draw(rng, background.spectrum, rate)
            unit = unit_signal(waveform, offset, start, background, parameters)
            row = {
                "morphology": name,
                "number": number,
                "snr": snr,
                "gps_time": start + offset / rate,
                "parameters": json.dumps(dict(waveform.parameters), sort_keys=True),
            }
            quiet = window_span(background.stretch, start, parameters)
            yield Case(quiet + np.float32(snr) * unit, start, row)
            number += 1


def _seen(
    cases: list[Case], transform: QTransform, parameters: RenderParameters, events: EventsConfig
) -> Iterator[dict[str, Any]]:
    batch = transform.batch(np.stack([case.span for case in cases]))
    found = find_triggers(batch, events.tile_snr, events.snr, events.gap_s)
    for i, (case, triggers) in enumerate(zip(cases, found, strict=True)):
        if not triggers:
            continue
        time = triggers[0].peak_time
        view = event_view(batch, i, time, parameters.height, parameters.width)
        yield {
            **case.row,
            "trigger_time": case.start + time,
            **trigger_columns(triggers),
            "picture": parameters.picture_scale.index(view).tobytes(),
        }


def pictures_of(labelled: pa.Table, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the palette indices uint8 [n, height, width] of rows of ``LABELLED``."""
    joined = b"".join(labelled["picture"].to_pylist())
    return np.frombuffer(joined, np.uint8).reshape(-1, *size)
