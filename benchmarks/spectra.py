"""From strain to PNG: speed against gwpy, and parity with it."""

import tempfile
import warnings
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from gwpy.signal.qtransform import QTiling
from gwpy.timeseries import TimeSeries
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.fft import rfft

from gwmorph.block import RenderParameters
from gwmorph.config import Config
from gwmorph.spectra.conditioning import median_psd, whiten, whitening_filter
from gwmorph.spectra.pictures import write_picture
from gwmorph.spectra.qtransform import BATCH, GUARD_S, row_energies
from gwmorph.spectra.triggers import find_triggers
from harness import AVX2, Entry, benchmark, compare_times, measured_with

mpl.use("Agg")
SEED = 150914
RATE = 4096
_WINDOWS = 127  # of a block of 4096 s
_SECONDS = 32 * _WINDOWS + 8


def parameters() -> RenderParameters:
    """The default configuration's."""
    config = Config()
    return RenderParameters.from_sections(
        config.window.duration_s,
        config.conditioning.model_dump(),
        config.qtransform.model_dump(),
        config.picture.model_dump(),
    )


@cache
def strain() -> NDArray[np.float64]:
    """A block of noise with aLIGO-like colour (f⁻⁴ below 50 Hz) and no lines."""
    frequency = np.fft.rfftfreq(_SECONDS * RATE, 1 / RATE)
    noise = np.random.default_rng(SEED).standard_normal(_SECONDS * RATE)
    colour = 4e-24 * (1 + (50 / np.maximum(frequency, 5)) ** 4 + (frequency / 400) ** 2) ** 0.5
    return np.fft.irfft(np.fft.rfft(noise) * colour) * np.sqrt(RATE / 2)


@cache
def whitened() -> NDArray[np.float32]:
    """The same, whitened."""
    taps = whitening_filter(median_psd(strain(), RATE, 4), RATE, parameters().band)
    return whiten(strain(), taps, RATE, 0)


def spans(count: int) -> NDArray[np.float32]:
    """Windows with their guards, float32 [count, 36 s]."""
    length = (32 + 2 * GUARD_S) * RATE
    return np.stack([whitened()[(4 + 32 * i) * RATE :][:length] for i in range(count)])


def gwpy_q_transform(span: NDArray[np.float32]) -> object:
    """What gwpy does by default with one 32 s window."""
    series = TimeSeries(span[GUARD_S * RATE : -GUARD_S * RATE].astype(float), sample_rate=RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return series.q_transform(qrange=(4, 64), frange=(20, 2048), whiten=False)


@benchmark
def qtransform_pooled() -> Entry:
    """All planes, pooled into 224 × 224."""
    batch, transform = spans(16), parameters().transform()
    return compare_times(
        "qtransform_pooled",
        lambda: transform(batch),
        len(batch),
        "gwpy TimeSeries.q_transform, default resolution, one thread",
        lambda: [gwpy_q_transform(span) for span in batch[:2]],
        2,
        repeats=9,
        seed=SEED,
    )


@benchmark
def qtransform_parity() -> Entry:
    """Largest |E − E_gwpy| / max(E_gwpy, 1) over all tiles of one window with a loud burst."""
    span = spans(1)[0].copy()
    time = np.arange(len(span)) / RATE - 17
    span += (30 * np.exp(-((time / 0.01) ** 2)) * np.cos(2 * np.pi * 150 * time)).astype("f4")
    spectra, tiling = rfft(span[None]), parameters().tiling()
    series = TimeSeries(span.astype(float), sample_rate=RATE, epoch=0).fft()
    worst, tiles = 0.0, 0
    reference = QTiling(tiling.duration, RATE, (4, 64), (20, tiling.f_top))
    for rows, plane in zip(tiling.planes, reference, strict=True):
        for row, expected in zip(rows, plane.transform(series, epoch=0).energies, strict=True):
            energy = row_energies(spectra, row, np.empty((1, row.tiles), np.float32))[0]
            error = np.abs(energy / np.median(energy) - expected.value)
            worst = max(worst, float((error / np.maximum(expected.value, 1)).max()))
            tiles += row.tiles
    return Entry("qtransform_parity", worst, "", peer="gwpy QTiling", n=tiles, seed=SEED)


def _ours_to_png() -> None:
    """Condition a stretch once, then draw its windows; the way of ``gwmorph.block``."""
    settings = parameters()
    psd = median_psd(strain(), RATE, settings.psd_segment_s)
    white = whiten(strain(), whitening_filter(psd, RATE, settings.band), RATE, 0)
    length = (32 + 2 * GUARD_S) * RATE
    transform = settings.transform()
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, _WINDOWS, 8):
            starts = range(first, min(first + 8, _WINDOWS))
            planes = transform(np.stack([white[(2 + 32 * i) * RATE :][:length] for i in starts]))
            for i, indices in zip(starts, settings.draw(planes), strict=True):
                write_picture(Path(folder) / f"{i}.png", indices, settings.picture_scale)


def _gwpy_to_png(window: int) -> None:
    """gwpy and matplotlib on one window with 4 s of padding: no axes, 224 × 224 pixels."""
    padded = strain()[32 * window * RATE : (32 * window + 40) * RATE]
    series = TimeSeries(padded, sample_rate=RATE, epoch=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clean = series.whiten().bandpass(20, 1700, fstop=(15, 1900)).crop(4, 36)
        gram = clean.q_transform(qrange=(4, 64), frange=(20, 2048), logf=True, whiten=False)
    figure = Figure(figsize=(2.24, 2.24), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(gram.value.T, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=25.5)
    axes.axis("off")
    with tempfile.TemporaryDirectory() as folder:
        figure.savefig(Path(folder) / "window.png")


@benchmark
def trigger_search() -> Entry:
    """Triggers of windows with a loud blip each; quiet windows take no time to speak of."""
    batch, transform, events = spans(BATCH), parameters().transform(), Config().events
    time = np.arange(batch.shape[1]) / RATE - 17
    batch += (20 * np.exp(-((time / 0.01) ** 2)) * np.cos(2 * np.pi * 150 * time)).astype("f4")
    (tiles,) = transform.batches(batch)
    return compare_times(
        "trigger_search",
        lambda: find_triggers(tiles, events.tile_snr, events.snr, events.gap_s),
        len(batch),
        "the Q-transform of the same windows",
        lambda: transform(batch),
        len(batch),
        repeats=9,
        seed=SEED,
    )


@benchmark
def window_to_png() -> Entry:
    """Condition, Q-transform and PNG of the same 32 s windows."""
    return compare_times(
        "window_to_png",
        _ours_to_png,
        _WINDOWS,
        "gwpy whiten, bandpass, q_transform and matplotlib, one thread",
        lambda: [_gwpy_to_png(i) for i in range(4)],
        4,
        repeats=9,
        seed=SEED,
    )


@benchmark
def window_to_png_avx2() -> Entry:
    """The same, ours and the peer's, without AVX-512."""
    return measured_with("window_to_png_avx2", "spectra", "window_to_png", AVX2)
