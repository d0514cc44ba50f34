"""One signal in two detectors: simulated arrivals, and what a run would make of them.

The same waveform goes into the noise of both detectors, each window with noise of its own, as
`gwmorph.evidence.labelled` puts glitches into one. A signal that both see has two triggers whose
peak times differ from the signal's by what `gwmorph.evidence.timing` describes, and two views
that look alike as far as noise and loudness let them.

Every signal has a random stream named by the seed and the class, so that another class changes
none of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, window_span
from gwmorph.config import Detector, EventsConfig
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import (
    Background,
    Case,
    chunks,
    simulated_backgrounds,
    unit_signal,
)
from gwmorph.simulation.morphologies import Waveform
from gwmorph.simulation.signals import LabelledClass
from gwmorph.simulation.streams import stream
from gwmorph.spectra.qtransform import QBatch, QTransform
from gwmorph.spectra.triggers import Trigger, find_triggers
from gwmorph.spectra.views import event_view
from gwmorph.tables.timeslides import ARRIVALS

_MARGIN_S = 8
# ASSUME: antenna patterns and noise make one detector's SNR this many times the other's, or less.
_LARGEST_RATIO = 2.0


@dataclass(frozen=True)
class TwoDetectors:
    """Who sees the signals: two detectors and the time that light takes between them, s.

    ``seed`` is that of all draws, ``per_class`` how many signals each class has.
    """

    one: Detector
    other: Detector
    travel_s: float
    seed: int
    per_class: int


def arrivals(
    classes: Mapping[str, LabelledClass],
    seen_by: TwoDetectors,
    parameters: RenderParameters,
    events: EventsConfig,
) -> pa.Table:
    """Return what two detectors make of signals that reach both, rows of ``ARRIVALS``.

    Two rows a signal, by class, number and detector. Optimal SNRs are drawn evenly in their
    logarithm between the class's limits for the detector that hears the signal better; the other
    has down to half of it. The time between the arrivals is even within the light travel time.
    The trigger is the loudest of the window; a detector without one has nulls.

    Parameters
    ----------
    classes
        What is drawn of each class, by its name.
    seen_by
        Detectors, seed and number.
    parameters, events
        How a run renders, and what it takes for a trigger.
    """
    transform = parameters.transform()
    rows: list[dict[str, Any]] = []
    for name, entry in classes.items():
        for chunk in chunks(_cases(name, entry, seen_by, parameters)):
            rows += _seen(chunk, transform, parameters, events)
    return pa.Table.from_pylist(rows, schema=ARRIVALS)


def _cases(
    name: str, entry: LabelledClass, seen_by: TwoDetectors, parameters: RenderParameters
) -> Iterator[Case]:
    detectors = (seen_by.one, seen_by.other)
    travel = seen_by.travel_s
    rate, number = parameters.sample_rate, 0
    low, high = _MARGIN_S, parameters.window_s - _MARGIN_S
    jobs = [
        Job(f"arrivals-{name}-{d}", "labelled", seen_by.per_class, d, seen_by.seed)
        for d in detectors
    ]
    noises = zip(*(simulated_backgrounds(job, parameters) for job in jobs), strict=True)
    for backgrounds in noises:
        for start in backgrounds[0].stretch.windows:
            rng = stream(seen_by.seed, "arrivals", name, number)
            waveform = entry.signal.draw(rng, backgrounds[0].spectrum, rate)
            best = np.exp(rng.uniform(np.log(entry.snr_low), np.log(entry.snr_high)))
            snrs = rng.permutation([best, best * _LARGEST_RATIO ** -rng.uniform()])
            times = rng.uniform(low, high) + np.array([0.0, rng.uniform(-travel, travel)])
            for background, detector, snr, time in zip(
                backgrounds, detectors, snrs, times, strict=True
            ):
                row = {"morphology": name, "number": number, "detector": detector}
                yield _case(waveform, float(snr), float(time), start, background, parameters, row)
            number += 1


def _case(
    waveform: Waveform,
    snr: float,
    time: float,
    start: int,
    background: Background,
    parameters: RenderParameters,
    row: dict[str, Any],
) -> Case:
    """Put a waveform into a window; it comes on the sample next to ``time``."""
    offset = round(time * parameters.sample_rate)
    unit = unit_signal(waveform, offset, start, background, parameters)
    span = window_span(background.stretch, start, parameters) + np.float32(snr) * unit
    gps = start + offset / parameters.sample_rate
    return Case(span, start, {**row, "snr": snr, "gps_time": gps})


def _seen(
    cases: list[Case], transform: QTransform, parameters: RenderParameters, events: EventsConfig
) -> Iterator[dict[str, Any]]:
    batch = transform.batch(np.stack([case.span for case in cases]))
    found = find_triggers(batch, events.tile_snr, events.snr, events.gap_s)
    for i, (case, triggers) in enumerate(zip(cases, found, strict=True)):
        row = dict.fromkeys(ARRIVALS.names) | case.row
        yield row | (_about(triggers[0], case, batch, i, parameters) if triggers else {})


def _about(
    loudest: Trigger, case: Case, batch: QBatch, i: int, parameters: RenderParameters
) -> dict[str, Any]:
    view = event_view(batch, i, loudest.peak_time, parameters.height, parameters.width)
    return {
        "trigger_time": case.start + loudest.peak_time,
        "trigger_frequency": loudest.peak_frequency,
        "trigger_q": loudest.q,
        "trigger_snr": loudest.snr,
        "picture": parameters.picture_scale.index(view).tobytes(),
    }


@dataclass(frozen=True)
class SeenTwice:
    """Signals that both detectors have a trigger of; all arrays have one row a signal, [n].

    ``lag_error`` is the difference of the peak times less that of the arrivals, s; ``frequency``,
    ``q`` and ``snr`` are float64 [n, 2], of the two triggers; ``pictures`` int64 [n, 2] the rows
    of the table; ``morphology`` str [n].
    """

    lag_error: NDArray[np.float64]
    frequency: NDArray[np.float64]
    q: NDArray[np.float64]
    snr: NDArray[np.float64]
    rows: NDArray[np.int64]
    morphology: NDArray[np.str_]


def seen_twice(found: pa.Table) -> SeenTwice:
    """Return the signals of rows of ``ARRIVALS`` that have a trigger in both detectors."""
    rows = np.arange(len(found)).reshape(-1, 2)
    columns = {
        name: found[f"trigger_{name}"].to_numpy().astype(float).reshape(-1, 2)
        for name in ("time", "frequency", "q", "snr")
    }
    late = columns["time"] - found["gps_time"].to_numpy().reshape(-1, 2)
    both = np.isfinite(late).all(axis=1)
    return SeenTwice(
        (late[:, 1] - late[:, 0])[both],
        columns["frequency"][both],
        columns["q"][both],
        columns["snr"][both],
        rows[both],
        np.array(found["morphology"].to_pylist()).reshape(-1, 2)[both, 0],
    )
