"""Pairs of views that show the same source, in two stretches of noise and at two loudnesses.

A scene is a few sources, put into two windows of different noise: one alone or six, some
seconds apart, which share the cost of a Q-transform. Each source that makes a trigger in both
windows gives a pair of event views, each centred as the block stage would; a scene with one
source, or with none, gives a pair of windows. All randomness comes from streams that are named by
the seed and the part, so that no other stage's noise or signals are ever seen here. Real strain
has transients of its own besides, which nobody can put into other noise: they are paired with
themselves in more of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from igwn_segments import segmentlist
from numpy.typing import NDArray

from gwmorph.arrays import read_arrays, require_arrays
from gwmorph.block import RenderParameters, window_span
from gwmorph.errors import ConfigError, TableError
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
from gwmorph.spectra.qtransform import BATCH, QBatch, QTransform, max_over_planes
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
# Noise that is added to what real strain holds, as a part of the noise that is there, and how far
# a trigger's peak may move by that.
_MORE_NOISE = (0.3, 1.0)
_SAME_S = 0.2
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
    ``event_names`` and ``window_names`` are the morphologies (``quiet`` where there is none,
    ``real`` where nobody knows), for counting; of them the training uses ``quiet`` alone.
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
    return _concatenated([_read_part(path) for path in paths])


def _read_part(path: Path | str) -> Pairs:
    held = read_arrays(path)
    kinds = {f"{one}s": ("u1", 5) for one in ("event", "window")}
    kinds |= {f"{one}_names": ("U", 1) for one in ("event", "window")}
    require_arrays(path, held, kinds)
    pairs = Pairs(*(held[field.name] for field in fields(Pairs)))
    for shown, names in ((pairs.events, pairs.event_names), (pairs.windows, pairs.window_names)):
        if shown.shape != (len(names), 2, 4, CROP, CROP):
            raise TableError(
                f"{path}: expected two views of four {CROP} x {CROP} pictures for each of "
                f"{len(names)} names, got {list(shown.shape)}. Remove it and run again."
            )
    return pairs


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
    files: Sequence[LocalFile],
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
    ConfigError
        A file has a lower sample rate than the training, so that its views have another band.
    StrainError
        A file cannot be read, or its strain has no usable noise spectrum.
    """
    for file in files:
        if file.sample_rate < parameters.sample_rate:
            raise ConfigError(
                f"training.noise_files.{detector}: {file.path} has {file.sample_rate} Hz, "
                f"expected at least {parameters.sample_rate}: its views would show another band "
                "than all others. Leave it out, or lower conditioning.sample_rate for the whole "
                "training."
            )
    job = Job(f"training-{detector}-noise", "noise", windows, detector, seed)
    # Read twice, since only one stretch of strain is held at a time.
    backgrounds = partial(real_backgrounds, job, files, segments, parameters)
    put_in = pairs_in(
        backgrounds(), sources, parameters, stream(seed, "training scenes", detector)
    )
    rng = stream(seed, "training triggers", detector)
    transform = parameters.transform()
    own = [trigger_pairs(background, transform, parameters, rng) for background in backgrounds()]
    return _concatenated([put_in, *own])


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
    while len(taken := list(islice(noise, BATCH))) == BATCH:
        scenes = [_scene(sources, taken[i : i + 2], parameters, rng) for i in range(0, BATCH, 2)]
        shown = _Shown.of(np.stack([span for s in scenes for span in s.spans]), transform)
        for number, scene in enumerate(scenes):
            own = (2 * number, 2 * number + 1)
            if len(scene.names) <= 1:
                windows.append((scene.names[0] if scene.names else QUIET, shown.windows(own)))
            reach = parameters.window_s / (1 if len(scene.names) == 1 else 2 * _TOGETHER)
            for name, times in zip(scene.names, scene.times, strict=True):
                event = shown.event(own, times, reach, parameters, rng)
                if event is not None:
                    events.append((name, event))
    return _joined(events, windows)


def trigger_pairs(
    background: Background,
    transform: QTransform,
    parameters: RenderParameters,
    rng: np.random.Generator,
) -> Pairs:
    """Pair each loud window of a stretch, and each of its loudest triggers, with itself.

    Both views are of (x + a n) / sqrt(1 + a²): x the whitened window, n one of the stretch without
    triggers, a between 0.3 and 1, n and a drawn for each. So both show the same transients, at
    0.96 to 0.71 of their SNR. Their noise is not independent: its correlation is 0.5 to 0.92. A
    trigger counts that is still one in both. Without a quiet window there are no pairs.

    Raises
    ------
    StrainError
        A window has a row without noise.
    """
    stretch = background.stretch
    spans = [window_span(stretch, start, parameters) for start in stretch.windows]
    peaks = [found for batch in transform.batches(np.stack(spans)) for found in _peaks(batch)]
    quiet = [span for span, found in zip(spans, peaks, strict=True) if not found]
    loud = [(span, found) for span, found in zip(spans, peaks, strict=True) if found and quiet]
    events, windows = list[tuple[str, NDArray]](), list[tuple[str, NDArray]]()
    for first in range(0, len(loud), BATCH // 2):
        some = loud[first : first + BATCH // 2]
        noisier = [_in_more_noise(span, quiet, rng) for span, _ in some for _ in (0, 1)]
        shown = _Shown.of(np.stack(noisier), transform)
        for number, (_, found) in enumerate(some):
            own = (2 * number, 2 * number + 1)
            if all(shown.peaks[i] for i in own):
                windows.append((REAL, shown.windows(own)))
            for peak in found[:_TRIGGERS_OF_WINDOW]:
                event = shown.event(own, (peak, peak), _SAME_S, parameters, rng)
                if event is not None:
                    events.append((REAL, event))
    return _joined(events, windows)


def _in_more_noise(
    span: NDArray[np.float32], quiet: Sequence[NDArray[np.float32]], rng: np.random.Generator
) -> NDArray[np.float32]:
    factor = np.float32(rng.uniform(*_MORE_NOISE))
    return (span + factor * quiet[int(rng.integers(len(quiet)))]) / np.sqrt(1 + factor**2)


@dataclass(frozen=True)
class _Shown:
    """Some windows after the transform: tiles, maxima over planes, and peaks, loudest first."""

    batch: QBatch
    pooled: NDArray[np.float32]
    peaks: list[list[float]]

    @classmethod
    def of(cls, spans: NDArray[np.float32], transform: QTransform) -> Self:
        batch = transform.batch(spans)
        return cls(batch, max_over_planes(batch.planes), _peaks(batch))

    def windows(self, own: tuple[int, int]) -> NDArray[np.uint8]:
        return np.stack([window_quarters(STORED.index(self.pooled[i])) for i in own])

    def event(
        self,
        own: tuple[int, int],
        times: tuple[float, float],
        reach: float,
        parameters: RenderParameters,
        rng: np.random.Generator,
    ) -> NDArray[np.uint8] | None:
        """Return the views of the loudest trigger near its time in both windows, if both have it.

        ``times`` and ``reach`` in s.
        """
        near = [
            [peak for peak in self.peaks[i] if abs(peak - time) < reach]
            for i, time in zip(own, times, strict=True)
        ]
        if not all(near):
            return None
        views = [
            _event(self.batch, i, peaks[0], parameters, rng)
            for i, peaks in zip(own, near, strict=True)
        ]
        return np.stack(views)


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
    spans = [window_span(b.stretch, start, parameters).copy() for b, start in taken]
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


def _peaks(batch: QBatch) -> list[list[float]]:
    """Return the peak times of each window's triggers, loudest first."""
    found = find_triggers(batch, _TILE_SNR, _TRIGGER_SNR, _GAP_S)
    return [[trigger.peak_time for trigger in triggers] for triggers in found]


def _event(
    batch: QBatch,
    window: int,
    centre: float,
    parameters: RenderParameters,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
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
