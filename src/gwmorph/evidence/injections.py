"""Injection campaigns: signals of known loudness in noise, seen by every registered statistic.

Noise is simulated in stretches of up to 128 windows and conditioned as a block is. Its spectrum
is taken before anything is injected, and a signal is whitened by the same filter and then added:
whitening is linear, so this is what a block would see if the signal were the only one in it. One
noise window holds one injection, at a random time, at each SNR in turn: points at different SNRs
share noise and waveforms, points of different morphologies share nothing.

The SNR of an injection is its optimal one, of the part inside the window and the pass band,
against the true noise spectrum at that time; in real noise, whose true spectrum nobody knows,
against the median spectrum.

Every stretch of noise and every injection has a random stream of its own, named by the seed, the
job and its number in it, so that neither the order nor the number of processes changes a byte and
no noise is used in two roles.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from igwn_segments import segmentlist
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq

from gwmorph.block import RenderParameters, Stretch, condition, whiten_stretch, window_span
from gwmorph.config import EventsConfig
from gwmorph.encoders.base import Encoder
from gwmorph.errors import ConfigError
from gwmorph.evidence.campaign import Job, even_parts, noise_seed
from gwmorph.evidence.statistics import STATISTICS, Compute, Lesson, Pictures
from gwmorph.filters import convolve
from gwmorph.grid import Grid, block_of
from gwmorph.progress import counting, timed
from gwmorph.simulation.morphologies import INJECTED, Spectrum, Waveform
from gwmorph.simulation.noise import DetectorNoise
from gwmorph.simulation.psd import background_psd, noise_psd
from gwmorph.simulation.streams import stream
from gwmorph.spectra.conditioning import REACH_S, whitening_filter
from gwmorph.spectra.qtransform import BATCH, GUARD_S, QBatch, omicron_snr
from gwmorph.spectra.triggers import Trigger, find_triggers
from gwmorph.strain.base import LocalFile
from gwmorph.strain.files import Strain
from gwmorph.tables.injections import injected_windows
from gwmorph.tables.parquet import read_tables, shared_metadata, write_table

FIRST_GPS = 1262301184
STRETCH_WINDOWS = 128
CONTEXT_S = GUARD_S + REACH_S
# Windows of each part of a lesson, and the SNRs of its injections.
LESSON_BACKGROUND = 16
LESSON_QUIET = 64
LESSON_SNRS = (12.0, 20.0)
_WIDTHS = "gwmorph.statistics"
_COLUMNS = [field.name for field in injected_windows({})]


@dataclass(frozen=True)
class Background:
    """A conditioned stretch of noise, and what injections into it need to know.

    ``spectrum`` maps frequencies (Hz) to the one-sided PSD that colours glitches (1/Hz), and
    ``true_psd`` (frequencies, GPS time) to the one that SNRs are taken against.
    """

    stretch: Stretch
    spectrum: Spectrum
    true_psd: Callable[[NDArray[np.float64], float], NDArray[np.float64]]


def simulated_backgrounds(job: Job, parameters: RenderParameters) -> Iterator[Background]:
    """Simulate and condition the noise of a job, stretch by stretch."""
    for number, windows in enumerate(even_parts(job.windows, STRETCH_WINDOWS)):
        yield _simulated(job.detector, noise_seed(job, number), windows, parameters)


def _simulated(detector: str, seed: int, windows: int, parameters: RenderParameters) -> Background:
    rate, step = parameters.sample_rate, parameters.window_s
    span = (FIRST_GPS, FIRST_GPS + windows * step)
    first, last = span[0] - CONTEXT_S, span[1] + CONTEXT_S
    noise = DetectorNoise(detector, rate, seed)
    whole = np.ones(last - first, bool)
    strain = Strain(detector, first, rate, noise.strain(first, last), whole, whole)
    starts = list(range(*span, step))

    def true_psd(frequencies: NDArray[np.float64], gps: float) -> NDArray[np.float64]:
        known = _simulated_psd(detector, len(frequencies), float(frequencies[1]), rate)
        return known * noise.level(np.array([gps])) ** 2

    return Background(
        whiten_stretch(strain, first, last, span, starts, parameters),
        lambda frequencies: background_psd(detector, frequencies, rate),
        true_psd,
    )


@lru_cache(maxsize=32)
def _simulated_psd(
    detector: str, count: int, step_hz: float, sample_rate: int
) -> NDArray[np.float64]:
    return noise_psd(detector, step_hz * np.arange(count), sample_rate)


def real_backgrounds(
    job: Job,
    files: Iterable[LocalFile],
    segments: segmentlist,
    parameters: RenderParameters,
) -> Iterator[Background]:
    """Condition the earliest sound windows of real strain files, at most ``job.windows``."""
    grid = Grid(parameters.window_s, parameters.window_s, CONTEXT_S)
    left, held = job.windows, list(files)
    for block in sorted({block_of(t) for start, end in segments for t in (start, end - 1)}):
        windows = grid.with_context(segments, grid.block_windows(segments, block))
        if not windows:
            continue
        if not left:
            return
        _, stretches = condition(
            held, job.detector, block, windows, segments, CONTEXT_S, parameters
        )
        for part in stretches:
            chosen = part.windows[:left]
            left -= len(chosen)
            if chosen:
                yield _real(Stretch(part.gps_start, part.white, chosen, part.psd), parameters)


def _real(stretch: Stretch, parameters: RenderParameters) -> Background:
    grid = rfftfreq(2 * (len(stretch.psd) - 1), 1 / parameters.sample_rate)
    log_psd = np.log(np.maximum(stretch.psd, np.finfo(float).tiny))

    # ASSUME: the median spectrum of the stretch is that of the noise, all the time.
    def spectrum(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(np.interp(frequencies, grid, log_psd))

    return Background(stretch, spectrum, lambda frequencies, gps: spectrum(frequencies))


@dataclass(frozen=True)
class Case:
    """One window to look at: whitened samples of it and its guards, its GPS start, its row."""

    span: NDArray[np.float32]
    start: int
    row: dict[str, Any]


def observe(
    job: Job,
    backgrounds: Iterable[Background],
    parameters: RenderParameters,
    encoder: Encoder,
    events: EventsConfig,
) -> pa.Table:
    """Look at every window of a job with every registered statistic.

    ``events`` says what makes a trigger; every cluster of its tiles counts as one here.

    Returns
    -------
    Table of `tables.injected_windows`, by noise window and then by SNR. Features are those of
    the registry at the time of the call, as far as they suit the encoder; combinations have none.

    Raises
    ------
    ConfigError
        There is no window in the noise, or the morphology is unknown.
    """
    transform = parameters.transform()
    rows: list[dict[str, Any]] = []
    computes = _computes(job, parameters, encoder)
    seen: dict[str, list[NDArray]] = {name: [] for name in computes}
    with counting("windows", None) as progress:
        for cases in chunks(cases_of(job, backgrounds, parameters)):
            with timed("drawing"):
                batch = transform.batch(np.stack([case.span for case in cases]))
                drawn = parameters.draw(batch.planes)
            with timed("statistics"):
                pictures = Pictures(drawn, parameters.picture_scale, encoder)
                for name, parts in seen.items():
                    parts.append(np.array(computes[name](batch, pictures)))
                rows += _with_tiles(cases, batch, events)
            progress.add(len(cases))
    if not rows:
        raise ConfigError(
            f"{job.name}: no window of {parameters.window_s} s with {CONTEXT_S} s of context on "
            "both sides in this noise; name longer files in injections.noise_files."
        )
    return _table(rows, {name: np.concatenate(parts) for name, parts in seen.items()})


def _computes(job: Job, parameters: RenderParameters, encoder: Encoder) -> dict[str, Compute]:
    """Return what every statistic that suits the encoder computes; those that must learn do."""
    known = {name: entry for name, entry in STATISTICS.items() if isinstance(encoder, entry.needs)}
    found = {name: entry.compute for name, entry in known.items()}
    if any(entry.teach for entry in known.values()):
        lesson = make_lesson(job.detector, job.seed, parameters, encoder)
        found |= {name: entry.teach(lesson) for name, entry in known.items() if entry.teach}
    return {name: compute for name, compute in found.items() if compute is not None}


def make_lesson(
    detector: str, seed: int, parameters: RenderParameters, encoder: Encoder
) -> Lesson:
    """Simulate what statistics are taught with: the same for all jobs of a campaign."""

    def drawn(part: str, morphologies: Iterable[str | None], snrs: tuple[float, ...]) -> Pictures:
        names = list(morphologies)
        job = Job(f"lesson-{part}", "lesson", len(names), detector, seed, None, snrs)
        (background,) = simulated_backgrounds(job, parameters)
        cases = [
            case
            for number, (name, start) in enumerate(
                zip(names, background.stretch.windows, strict=True)
            )
            for case in _cases_of_window(
                replace(job, morphology=name), background, number, start, parameters
            )
        ]
        transform = parameters.transform()
        indices = [
            parameters.draw(transform.batch(np.stack([case.span for case in chunk])).planes)
            for chunk in chunks(iter(cases))
        ]
        return Pictures(np.concatenate(indices), parameters.picture_scale, encoder)

    return Lesson(
        background=drawn("background", [None] * LESSON_BACKGROUND, ()),
        quiet=drawn("quiet", [None] * LESSON_QUIET, ()),
        injected=drawn("injected", sorted(INJECTED), LESSON_SNRS),
    )


def cases_of(
    job: Job, backgrounds: Iterable[Background], parameters: RenderParameters
) -> Iterator[Case]:
    """Yield a job's windows in the order of the rows that `observe` returns for it.

    Rows say what was injected, not what a statistic makes of it.
    """
    number = 0
    for background in backgrounds:
        for start in background.stretch.windows:
            yield from _cases_of_window(job, background, number, start, parameters)
            number += 1


def _cases_of_window(
    job: Job, background: Background, number: int, start: int, parameters: RenderParameters
) -> Iterator[Case]:
    rate = parameters.sample_rate
    quiet = window_span(background.stretch, start, parameters)
    row = {
        "role": job.role,
        "part": job.name,
        "number": number,
        "detector": job.detector,
        "gps_start": start,
        "morphology": job.morphology,
        "snr": None,
        "gps_time": None,
        "parameters": None,
    }
    if job.morphology is None:
        yield Case(quiet, start, row)
        return
    rng = stream(job.seed, "campaign injection", job.name, number)
    offset = int(rng.integers(parameters.window_s * rate))
    waveform = INJECTED[job.morphology].draw(rng, background.spectrum, rate)
    signal = unit_signal(waveform, offset, start, background, parameters)
    drawn = {
        "gps_time": start + offset / rate,
        "parameters": json.dumps(dict(waveform.parameters), sort_keys=True),
    }
    for snr in job.snrs:
        yield Case(quiet + np.float32(snr) * signal, start, {**row, **drawn, "snr": snr})


def unit_signal(
    waveform: Waveform,
    offset: int,
    start: int,
    background: Background,
    parameters: RenderParameters,
) -> NDArray[np.float32]:
    """Return a waveform as the conditioning leaves it, at SNR 1: float32 of window and guards.

    ``offset`` is the sample of the window starting at GPS ``start`` on which the event's time
    falls.
    """
    rate, window = parameters.sample_rate, parameters.window_s * parameters.sample_rate
    # Index in the waveform of the window's first sample.
    first = waveform.anchor - offset
    snr = window_snr(
        waveform.strain,
        first,
        window,
        lambda f: background.true_psd(f, start + offset / rate),
        parameters,
    )
    taps = whitening_filter(background.stretch.psd, rate, parameters.band)
    low = max(first - CONTEXT_S * rate, 0)
    high = min(first + window + CONTEXT_S * rate, len(waveform.strain))
    white = convolve(waveform.strain[low:high], taps) / snr
    out = np.zeros(window + 2 * GUARD_S * rate, np.float32)
    # Sample 0 of ``white`` lies REACH_S before sample ``low`` of the waveform.
    shift = low - REACH_S * rate - (first - GUARD_S * rate)
    a, b = max(shift, 0), min(shift + len(white), len(out))
    out[a:b] = white[a - shift : b - shift]
    return out


def window_snr(
    strain: NDArray[np.float64],
    first: int,
    count: int,
    psd: Spectrum,
    parameters: RenderParameters,
) -> float:
    """Return the optimal SNR of samples ``[first, first + count)`` in the pass band.

    The whole waveform is whitened, then cut, so that the cut adds no power of its own: the SNR
    is the root of the sum of squares over noise of unit variance.
    """
    rate, size = parameters.sample_rate, len(strain)
    frequencies = rfftfreq(size, 1 / rate)
    inside = frequencies >= parameters.band.low_hz
    inside &= frequencies <= parameters.band.upper(rate)
    spectrum = np.zeros(len(frequencies), complex)
    spectrum[inside] = (rfft(strain) / np.sqrt(0.5 * rate * psd(frequencies)))[inside]
    white = irfft(spectrum, size)
    return float(np.linalg.norm(white[max(first, 0) : max(first + count, 0)]))


def chunks(cases: Iterator[Case]) -> Iterator[list[Case]]:
    """Yield as many cases at once as a batch holds."""
    return iter(lambda: list(islice(cases, BATCH)), [])


def _with_tiles(
    cases: list[Case], batch: QBatch, events: EventsConfig
) -> Iterator[dict[str, Any]]:
    tiles = batch.planes.loudest
    snr = omicron_snr(tiles.energy)
    triggers = find_triggers(batch, events.tile_snr, events.tile_snr, events.gap_s)
    for i, case in enumerate(cases):
        yield {
            **case.row,
            **trigger_columns(triggers[i]),
            "tile_time": case.start + float(tiles.time[i]),
            "tile_frequency": float(tiles.frequency[i]),
            "tile_q": float(tiles.q[i]),
            "tile_energy": float(tiles.energy[i]),
            "tile_snr": float(snr[i]),
        }


def trigger_columns(triggers: list[Trigger]) -> dict[str, float]:
    """Return what is known of the loudest trigger, if there is one."""
    if not triggers:
        return {}
    loudest = triggers[0]
    return {
        "trigger_frequency": loudest.frequency,
        "trigger_q": loudest.q,
        "trigger_duration": loudest.tend - loudest.tstart,
        "trigger_bandwidth": loudest.fend - loudest.fstart,
        "trigger_snr": loudest.snr,
    }


def _table(rows: list[dict[str, Any]], features: Mapping[str, NDArray]) -> pa.Table:
    widths = {name: 1 if x.ndim == 1 else x.shape[1] for name, x in features.items()}
    schema = injected_windows(widths)
    columns = {name: [row.get(name) for row in rows] for name in _COLUMNS}
    for name, values in features.items():
        kind = schema.field(name).type
        flat = pa.array(np.ascontiguousarray(values).ravel(), getattr(kind, "value_type", kind))
        columns[name] = (
            flat if widths[name] == 1 else pa.FixedSizeListArray.from_arrays(flat, type=kind)
        )
    return pa.table(columns, schema=schema)


def write_windows(path: Path | str, windows: pa.Table, metadata: Mapping[str, str]) -> None:
    """Write what `observe` returned; errors as in `tables.write_table`."""
    widths = {
        field.name: getattr(field.type, "list_size", 1)
        for field in windows.schema
        if field.name not in _COLUMNS
    }
    schema = injected_windows(widths)
    write_table(path, schema, windows, {**metadata, _WIDTHS: json.dumps(widths)})


def read_windows(paths: Iterable[Path | str]) -> pa.Table:
    """Join tables that `write_windows` wrote, in the order given.

    Raises
    ------
    TableError
        As in `tables.read_table`, or the tables hold different statistics.
    """
    held = list(paths)
    shared = shared_metadata(held, [_WIDTHS])
    schema = injected_windows(json.loads(shared.get(_WIDTHS) or "{}"))
    return read_tables(held, schema)


def features_of(windows: pa.Table, name: str) -> NDArray[np.floating]:
    """Return a statistic's features of every window: float64 [n] or float32 [n, d]."""
    column = windows[name].combine_chunks()
    if not pa.types.is_fixed_size_list(column.type):
        return column.to_numpy()
    return column.flatten().to_numpy().reshape(-1, column.type.list_size)
