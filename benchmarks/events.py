"""How many injections become events at the right time and in the right band.

Each injection has a window of simulated H1 noise to itself and goes the way of a run: a block's
measurements and claims, the picture's vector, the score against quiet windows, and what the score
admits. The signal's time and band are what holds the middle nine tenths of its whitened energy in
the window and its guards.
An event is right if its ``peak_time`` is no more than 0.25 s outside of that time and their bands
meet. For long signals that is a wide gate, so the share of events that would be right for another
injection of the same shape is measured as well.
"""

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from gwmorph.block import EventParameters, RenderParameters, Stretch, draw_stretch, window_span
from gwmorph.config import Config
from gwmorph.encoders.base import Encoder
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.events import admit
from gwmorph.evidence.injections import simulated_backgrounds, unit_signal
from gwmorph.evidence.quiet import quiet_windows
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.score import score_windows
from gwmorph.simulation.morphologies import INJECTED
from gwmorph.simulation.streams import stream
from gwmorph.spectra.albums import FolderAlbum
from gwmorph.spectra.pictures import read_picture
from gwmorph.spectra.qtransform import GUARD_S
from gwmorph.tables.block import MEASUREMENTS, TRIGGERS
from gwmorph.tables.embeddings import embedding_column
from harness import BENCHMARKS, Entry, benchmark

DETECTOR, SEED = "H1", 62
QUIET_WINDOWS, INJECTIONS = 1000, 120
FRACTION = 0.01
NEAR_S = 0.25
CONFIG = Config()
PARAMETERS = RenderParameters.from_sections(
    CONFIG.window.duration_s,
    CONFIG.conditioning.model_dump(),
    CONFIG.qtransform.model_dump(),
    CONFIG.picture.model_dump(),
)
EVENTS = EventParameters(**CONFIG.events.model_dump(exclude={"parts"}))


@dataclass(frozen=True)
class Truth:
    """Where a signal is: GPS times and frequencies between which nine tenths of it lie."""

    start: float
    end: float
    low: float
    high: float

    def shifted(self, seconds: float) -> "Truth":
        return Truth(self.start + seconds, self.end + seconds, self.low, self.high)

    def held_by(self, event: dict) -> bool:
        near = self.start - NEAR_S <= event["peak_time"] <= self.end + NEAR_S
        return near and event["fstart"] <= self.high and event["fend"] >= self.low


@dataclass(frozen=True)
class Recall:
    """What happened to the injections of one morphology: bool [n] each."""

    scored: np.ndarray
    found: np.ndarray
    by_chance: np.ndarray
    found_by: list[str]


def middle(power: np.ndarray, step: float) -> tuple[float, float]:
    """Return between which times (or frequencies) the middle nine tenths of a power lie."""
    share = np.cumsum(power) / power.sum()
    return float(np.searchsorted(share, 0.05) * step), float(np.searchsorted(share, 0.95) * step)


def injected(morphology: str, snr: float) -> tuple[Stretch, list[Truth]]:
    """Simulate windows 36 s apart, each with its own guards, noise and injection."""
    job = Job(f"events-{morphology}", "injection", INJECTIONS, DETECTOR, SEED, morphology, (snr,))
    rate, window_s = PARAMETERS.sample_rate, PARAMETERS.window_s
    length = window_s + 2 * GUARD_S
    spans, truths = [], []
    for background in simulated_backgrounds(job, PARAMETERS):
        for start in background.stretch.windows:
            rng = stream(SEED, "campaign injection", job.name, len(spans))
            offset = int(rng.integers(window_s * rate))
            waveform = INJECTED[morphology].draw(rng, background.spectrum, rate)
            signal = unit_signal(waveform, offset, start, background, PARAMETERS)
            origin = length * len(spans)
            times = middle(signal**2, 1 / rate)
            band = middle(np.abs(np.fft.rfft(signal)) ** 2, 1 / length)
            truths.append(Truth(origin + times[0], origin + times[1], *band))
            spans.append(
                window_span(background.stretch, start, PARAMETERS) + np.float32(snr) * signal
            )
    starts = [length * number + GUARD_S for number in range(len(spans))]
    return Stretch(0, np.concatenate(spans), starts, background.stretch.psd), truths


@cache
def quiet() -> tuple[Encoder, pa.Table]:
    encoder = make_encoder(CONFIG.encoder, (PARAMETERS.height, PARAMETERS.width))
    return encoder, quiet_windows(DETECTOR, QUIET_WINDOWS, SEED, PARAMETERS, encoder)


def recall(morphology: str, snr: float) -> Recall:
    """Inject one morphology and look at every window as a run does."""
    encoder, quiet_table = quiet()
    whole, truths = injected(morphology, snr)
    with TemporaryDirectory() as name:
        folder = Path(name)
        drawn = draw_stretch(DETECTOR, whole, PARAMETERS, EVENTS, FolderAlbum(folder, folder))
        paths = [
            next(folder.glob(f"{DETECTOR}-*_WINDOW-{start}-*.png")) for start in whole.windows
        ]
        indices = np.stack([read_picture(path)[0] for path in paths])
    vectors = encoder.encode(indices, PARAMETERS.picture_scale, "window")
    windows = pa.Table.from_pylist(drawn.measurements, schema=MEASUREMENTS)
    windows = windows.append_column("embedding", embedding_column(vectors))
    scores = score_windows(windows, quiet_table, FRACTION)
    claims = pa.Table.from_pylist(drawn.triggers, schema=TRIGGERS)
    events, _ = admit(claims, scores, EVENTS.snr, CONFIG.events.parts, PARAMETERS.window_s)
    by_window: dict[int, list[dict]] = {start: [] for start in whole.windows}
    for event in events.to_pylist():
        by_window[event["gps_start"]].append(event)
    others = [
        truth.shifted(start - before)
        for truth, start, before in zip(
            truths[-1:] + truths[:-1],
            whole.windows,
            whole.windows[-1:] + whole.windows[:-1],
            strict=True,
        )
    ]
    right = [
        [event for event in found if truth.held_by(event)]
        for found, truth in zip(by_window.values(), truths, strict=True)
    ]
    return Recall(
        scored=scores["score"].to_numpy() > scores["limit"].to_numpy(),
        found=np.array([bool(found) for found in right]),
        by_chance=np.array(
            [
                any(other.held_by(event) for event in found)
                for found, other in zip(by_window.values(), others, strict=True)
            ]
        ),
        found_by=[event["found_by"] for found in right for event in found],
    )


def describe(morphology: str, result: Recall) -> str:
    low, high = wilson(int(result.found.sum()), len(result.found))
    kinds = {name: result.found_by.count(name) for name in sorted(set(result.found_by))}
    return (
        f"  {morphology}: event {result.found.mean():.2f} [{low:.2f}, {high:.2f}], score "
        f"{result.scored.mean():.2f}, another's event {result.by_chance.mean():.2f}; {kinds}"
    )


SNR = 12.0
NAME = "event_recall_snr12"


@cache
def recall_at_snr(morphology: str) -> Recall:
    result = recall(morphology, SNR)
    print(describe(morphology, result), flush=True)
    return result


def entry(name: str, morphology: str) -> Entry:
    """Return the share of one morphology's injections that get an event, beside the score's."""
    result = recall_at_snr(morphology)
    low, high = wilson(int(result.found.sum()), len(result.found))
    return Entry(
        name=name,
        value=float(result.found.mean()),
        unit=f"of {morphology} get an event in time and band, at 1 % false alarms",
        low=low,
        high=high,
        peer="the score's own recall of the same windows",
        peer_value=float(result.scored.mean()),
        n=len(result.found),
        seed=SEED,
    )


@benchmark
def event_recall_snr12() -> Entry:
    """Injections that get an event, of the morphology farthest below the score's recall."""
    results = {name: recall_at_snr(name) for name in INJECTED}
    worst = min(results, key=lambda name: results[name].found.mean() - results[name].scored.mean())
    return entry(NAME, worst)


for morphology in INJECTED:
    BENCHMARKS[f"{NAME}_{morphology}"] = partial(entry, f"{NAME}_{morphology}", morphology)
