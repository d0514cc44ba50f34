"""Pairs of views that show the same source, in two stretches of noise and at two loudnesses.

A scene is a few sources, put into two windows of different noise: one alone or six, some
seconds apart, which share the cost of a Q-transform. Each source that makes a trigger in both
windows gives a pair of event views, each centred as the block stage would; a scene with one
source, or with none, gives a pair of windows. All randomness comes from streams that are named by
the seed and the part, so that no other stage's noise or signals are ever seen here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from igwn_segments import segmentlist
from numpy.typing import NDArray

from gwmorph.block import RenderParameters
from gwmorph.errors import TableError
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import (
    Background,
    real_backgrounds,
    simulated_backgrounds,
    unit_signal,
)
from gwmorph.learning.sources import Sources
from gwmorph.simulation.morphologies import Injected, Waveform
from gwmorph.simulation.streams import stream
from gwmorph.spectra.pictures import CROPS_S, PictureScale, crops
from gwmorph.spectra.qtransform import GUARD_S, QBatch, max_over_planes
from gwmorph.spectra.triggers import find_triggers
from gwmorph.spectra.views import event_view
from gwmorph.storage import atomic_path
from gwmorph.strain.base import LocalFile

CROP = 56
SIZE = 224
# What a stored pixel means: fine where energies are small, as the network sees them.
STORED = PictureScale("sqrt", 25.5, "cividis")
QUIET = "quiet"
REAL = "real"

_TOGETHER = 6
_LONGEST_TOGETHER_S = 10.0
_SCENES = {"alone": 0.31, "together": 0.65, QUIET: 0.04}
_SNR = (10.0, 60.0)
# Some sources are far louder than the rest, both times.
_LOUD, _LOUDER = 0.12, (2.0, 12.0)
_TILE_SNR, _TRIGGER_SNR, _GAP_S = 5.5, 6.5, 0.1
_CENTRE_JITTER_S = 0.03
_WINDOWS_OF_BATCH = 4
# Noise that is added to what real strain holds, as a part of the noise that is there.
_MORE_NOISE = (0.3, 1.0)
_TRIGGERS_OF_WINDOW = 4


def training_rendering(
    window_s: int, rendering: Mapping[str, Mapping[str, Any]]
) -> RenderParameters:
    """Return the analysis' parameters with pictures of the size that the network is trained on."""
    sections = {name: dict(section) for name, section in rendering.items()}
    sections["picture"] |= {"height": SIZE, "width": SIZE}
    sections["picture"] |= {"scale": STORED.scale, "colormap": STORED.colormap}
    return RenderParameters.from_sections(window_s, **sections)


@dataclass(frozen=True)
class Pairs:
    """Pairs of views, and what they show.

    ``events`` and ``windows`` are uint8 [n, 2, 4, 56, 56]: palette indices of ``STORED`` of the
    four crops of both event views, by maxima, or of the four quarters in time of both windows;
    ``event_names`` and ``window_names`` are the morphologies, for counting, never for training.
    """

    events: NDArray[np.uint8]
    windows: NDArray[np.uint8]
    event_names: NDArray[np.str_]
    window_names: NDArray[np.str_]

    def write(self, path: Path | str) -> None:
        """Write all arrays as NumPy's zip archive.

        Raises
        ------
        StorageError
            The file cannot be written whole.
        """
        with atomic_path(path) as partial, partial.open("wb") as stream:
            np.savez(stream, **asdict(self))


def read_pairs(paths: Iterable[Path | str]) -> Pairs:
    """Read and join parts that `Pairs.write` wrote, in the order given.

    Raises
    ------
    TableError
        A file cannot be read or holds other arrays.
    """
    names = [field.name for field in fields(Pairs)]
    parts = []
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as held:
                parts.append([held[name] for name in names])
        except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
            raise TableError(
                f"{path}: not a file of training pairs ({error}). Remove it and run again."
            ) from error
    return _concatenated([Pairs(*part) for part in parts])


def _concatenated(parts: Iterable[Pairs]) -> Pairs:
    columns = zip(*([getattr(part, f.name) for f in fields(Pairs)] for part in parts), strict=True)
    return Pairs(*(np.concatenate(column) for column in columns))


def simulated_pairs(
    part: int,
    windows: int,
    detector: str,
    seed: int,
    sources: Sources,
    parameters: RenderParameters,
) -> Pairs:
    """Simulate the pairs of one part: as many as ``windows`` windows of noise hold.

    Raises
    ------
    ConfigError
        There is no noise model for the detector.
    """
    job = Job(f"training-{detector}-{part}", "reference", windows, detector, seed)
    rng = stream(seed, "training scenes", part)
    return pairs_in(simulated_backgrounds(job, parameters), sources, parameters, rng)


def real_pairs(
    detector: str,
    windows: int,
    files: Iterable[LocalFile],
    segments: segmentlist,
    seed: int,
    sources: Sources,
    parameters: RenderParameters,
) -> Pairs:
    """Return pairs of what is put into real strain files and of what is in them already.

    The earliest windows are used, at most ``windows`` of them: first as noise for sources (what
    else is in them is in the views as well, as in any real picture), then for their own triggers
    (`trigger_pairs`), whose pairs are named ``real``.

    Raises
    ------
    StrainError
        A file cannot be read, or its strain has no usable noise spectrum.
    """
    job = Job(f"training-{detector}-noise", "noise", windows, detector, seed)
    backgrounds = list(real_backgrounds(job, files, segments, parameters))
    put_in = pairs_in(backgrounds, sources, parameters, stream(seed, "training scenes", detector))
    found = trigger_pairs(backgrounds, parameters, stream(seed, "training triggers", detector))
    return _concatenated([put_in, found])


def pairs_in(
    backgrounds: Iterable[Background],
    sources: Sources,
    parameters: RenderParameters,
    rng: np.random.Generator,
) -> Pairs:
    """Put sources into every window of some noise; return the pairs that can be seen."""
    transform = parameters.transform()
    noise = ((b, start) for b in backgrounds for start in b.stretch.windows)
    events, windows = list[tuple[str, NDArray]](), list[tuple[str, NDArray]]()
    while len(taken := list(islice(noise, _WINDOWS_OF_BATCH))) == _WINDOWS_OF_BATCH:
        scenes = [_scene(sources, taken[i : i + 2], parameters, rng) for i in (0, 2)]
        batch = next(transform.batches(np.stack([span for s in scenes for span in s.spans])))
        peaks = _peaks(batch)
        pooled = max_over_planes(batch.planes)
        for number, scene in enumerate(scenes):
            own = (2 * number, 2 * number + 1)
            if len(scene.names) <= 1:
                shown = np.stack([window_quarters(STORED.index(pooled[i])) for i in own])
                windows.append((scene.names[0] if scene.names else QUIET, shown))
            for name, times in zip(scene.names, scene.times, strict=True):
                centres = [
                    _peak_near(peaks[i], t, len(scene.names))
                    for i, t in zip(own, times, strict=True)
                ]
                if None not in centres:
                    views = [
                        _event(batch, i, c, parameters, rng)
                        for i, c in zip(own, centres, strict=True)
                    ]
                    events.append((name, np.stack(views)))
    return _joined(events, windows)


def trigger_pairs(
    backgrounds: Iterable[Background], parameters: RenderParameters, rng: np.random.Generator
) -> Pairs:
    """Pair each loud window, and each of its loudest triggers, with itself in more noise.

    The second view is of (x + a n) / sqrt(1 + a²): x the whitened window, n one without triggers,
    a between 0.3 and 1. So it shows the same transients at 0.96 to 0.71 of their SNR in noise
    that differs, and no simulated signal. Without a quiet window there are no pairs.
    """
    transform = parameters.transform()
    spans = [_span(b, start, parameters) for b in backgrounds for start in b.stretch.windows]
    batches = transform.batches(np.stack(spans)) if spans else ()
    peaks = [found for batch in batches for found in _peaks(batch)]
    quiet = [span for span, found in zip(spans, peaks, strict=True) if not found]
    loud = [(span, found) for span, found in zip(spans, peaks, strict=True) if found]
    events, windows = list[tuple[str, NDArray]](), list[tuple[str, NDArray]]()
    for span, found in loud if quiet else ():
        factor = np.float32(rng.uniform(*_MORE_NOISE))
        noisier = (span + factor * quiet[rng.integers(len(quiet))]) / np.sqrt(1 + factor**2)
        batch = next(transform.batches(np.stack([span, noisier])))
        shown = [window_quarters(STORED.index(plane)) for plane in max_over_planes(batch.planes)]
        windows.append((REAL, np.stack(shown)))
        for peak in found[:_TRIGGERS_OF_WINDOW]:
            views = [_event(batch, i, peak, parameters, rng) for i in (0, 1)]
            events.append((REAL, np.stack(views)))
    return _joined(events, windows)


def _joined(
    events: list[tuple[str, NDArray[np.uint8]]], windows: list[tuple[str, NDArray[np.uint8]]]
) -> Pairs:
    return Pairs(
        events=_stacked([shown for _, shown in events]),
        windows=_stacked([shown for _, shown in windows]),
        event_names=np.array([name for name, _ in events], dtype="U32"),
        window_names=np.array([name for name, _ in windows], dtype="U32"),
    )


def _stacked(shown: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.array(shown, np.uint8).reshape(-1, 2, len(CROPS_S), CROP, CROP)


@dataclass(frozen=True)
class _Scene:
    """Two windows with the same sources: samples with guards, names, times [sources, 2] in s."""

    spans: list[NDArray[np.float32]]
    names: list[str]
    times: list[tuple[float, float]]


def _scene(
    sources: Sources,
    taken: list[tuple[Background, int]],
    parameters: RenderParameters,
    rng: np.random.Generator,
) -> _Scene:
    kind = rng.choice(list(_SCENES), p=list(_SCENES.values()))
    count = {"alone": 1, "together": _TOGETHER, QUIET: 0}[str(kind)]
    rate = parameters.sample_rate
    spans = [_span(background, start, parameters) for background, start in taken]
    slots = [rng.permutation(count) for _ in taken]
    names, times = list[str](), list[tuple[float, float]]()
    for i in range(count):
        name, source = _short(sources, taken[0][0], rate, rng) if count > 1 else sources.draw(rng)
        base = rng.uniform(*_LOUDER) if rng.random() < _LOUD else 1.0
        offsets = []
        for k, (background, start) in enumerate(taken):
            place = (slots[k][i] + rng.uniform(*((0.4, 0.6) if count > 1 else (0, 1)))) / count
            offset = int(place * parameters.window_s * rate)
            waveform = source.draw(rng, background.spectrum, rate)
            snr = np.float32(base * np.exp(rng.uniform(*np.log(_SNR))))
            spans[k] += snr * _heard(waveform, offset, start, background, parameters)
            offsets.append(offset / rate)
        names.append(name)
        times.append((offsets[0], offsets[1]))
    return _Scene(spans, names, times)


def _heard(
    waveform: Waveform,
    offset: int,
    start: int,
    background: Background,
    parameters: RenderParameters,
) -> NDArray[np.float32]:
    """Return `unit_signal`, or silence where a source has no power in the window's band."""
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = unit_signal(waveform, offset, start, background, parameters)
    return signal if np.isfinite(signal).all() else np.zeros_like(signal)


def _short(
    sources: Sources, background: Background, rate: int, rng: np.random.Generator
) -> tuple[str, Injected]:
    """Draw a source whose signals do not reach into their neighbours'."""
    while True:
        name, source = sources.draw(rng)
        drawn = source.draw(rng, background.spectrum, rate)
        if len(drawn.strain) <= _LONGEST_TOGETHER_S * rate:
            return name, source


def _span(background: Background, start: int, parameters: RenderParameters) -> NDArray[np.float32]:
    rate, stretch = parameters.sample_rate, background.stretch
    first = (start - GUARD_S - stretch.gps_start) * rate
    return stretch.white[first : first + (parameters.window_s + 2 * GUARD_S) * rate].copy()


def _peaks(batch: QBatch) -> list[list[float]]:
    """Return the peak times of each window's triggers, loudest first."""
    found = find_triggers(batch, _TILE_SNR, _TRIGGER_SNR, _GAP_S)
    return [[trigger.peak_time for trigger in triggers] for triggers in found]


def _peak_near(peaks: list[float], time: float, count: int) -> float | None:
    """Return the loudest trigger's peak: of the whole window, or around one of many sources."""
    reach = 32.0 if count == 1 else 0.5 * 32 / _TOGETHER
    return next((peak for peak in peaks if abs(peak - time) < reach), None)


def _event(
    batch: QBatch,
    window: int,
    centre: float | None,
    parameters: RenderParameters,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    assert centre is not None
    time = float(np.clip(centre + rng.normal(0, _CENTRE_JITTER_S), 0, parameters.window_s))
    picture = event_view(batch, window, time, parameters.height, parameters.width)
    return event_crops(STORED.index(picture))


def event_crops(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the crops uint8 [4, 56, 56] of an event view, by maxima."""
    return np.stack([_pooled(crop, CROP) for crop in crops(picture)])


def window_quarters(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the quarters in time uint8 [4, 56, 56] of a window's picture, by maxima."""
    pooled = _pooled(picture, len(CROPS_S) * CROP)
    return np.stack(np.split(pooled, len(CROPS_S), axis=1))


def _pooled(picture: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    rows, width = picture.shape[0] // CROP, picture.shape[1] // columns
    return picture.reshape(CROP, rows, columns, width).max(axis=(1, 3))
