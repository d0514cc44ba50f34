"""Time slides: how fast, whether p-values mean what they say, and what coincides of signals.

The ranking was chosen on the arrivals of seed 5, the timing errors are fitted to those of seeds 5
and 6; what they are worth is measured on those of seed 7. Arrivals take minutes, and are kept in
the cache under the hash of the code that makes them.
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gwmorph.block import RenderParameters, whiten_stretch, window_span
from gwmorph.codehash import stage_hash
from gwmorph.config import Config
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence import arrivals as arrivals_module
from gwmorph.evidence.arrivals import SeenTwice, TwoDetectors, arrivals, seen_twice
from gwmorph.evidence.labelled import classes_for
from gwmorph.evidence.ranking import rank_events
from gwmorph.evidence.rates import louder
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.slide_calibration import Bursts, slide_pair
from gwmorph.evidence.timing import (
    ONE_MOMENT,
    SIGMAS,
    fit_errors,
    inside_window,
    light_travel_s,
    peak_time_error,
)
from gwmorph.simulation.morphologies import INJECTED
from gwmorph.simulation.population import load_population
from gwmorph.simulation.signals import LabelledClass
from gwmorph.spectra.triggers import Trigger, find_triggers
from gwmorph.strain.files import Strain
from gwmorph.tables.parquet import read_table, write_table
from gwmorph.tables.timeslides import ARRIVALS
from harness import BENCHMARKS, DATA, Entry, benchmark

ROOT = Path(__file__).resolve().parents[1]
POPULATION = ROOT / "config" / "population.yaml"
DEFAULTS = Config()
# Seed of the arrivals, and signals of each class.
CHOSEN_ON, MEASURED_ON = ((5, 48), (6, 32)), (7, 32)
SNRS = (8.0, 60.0)
# What no glitch of the population looks like, in both detectors.
SIGNALS = (
    "chirp", "chirp_10_10", "chirp_30_30", "sine_gaussian_q4", "sine_gaussian_q8",
    "sine_gaussian_q32", "noise_burst", "ring_up",
)  # fmt: skip
MORPHOLOGIES = (*DEFAULTS.comparison.classes, *SIGNALS[1:])
LOUDER = 1e-3
PAIRS = 400
BURSTS = Bursts(24, 60, 20, 600)


def parameters() -> RenderParameters:
    sections = (DEFAULTS.conditioning, DEFAULTS.qtransform, DEFAULTS.picture)
    return RenderParameters.from_sections(
        DEFAULTS.window.duration_s, *(section.model_dump(mode="json") for section in sections)
    )


# -- speed ------------------------------------------------------------------------------------

_SPEED = """
import json
from pathlib import Path
from time import perf_counter
import numpy as np
from igwn_segments import segment, segmentlist
from gwmorph.evidence.ring import Ring
from gwmorph.evidence.timeslides import Triggers, Window, coincidences_now, slide_triggers
from gwmorph.evidence.timeslides import loudest_of_slides, valid_slides
from gwmorph.evidence.timing import light_travel_s, peak_time_error
from gwmorph.evidence.rates import louder

def triggers(ring, rng, count):
    vectors = rng.normal(size=(count, 384)).astype(np.float32)
    vectors[:, 1:] *= 0.2  # so that some look alike
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    frequency = np.exp(rng.uniform(np.log(20), np.log(1200), count))
    q = rng.choice([4.0, 11.0, 27.0, 45.0, 64.0], count)
    snr = 7.5 * rng.uniform(size=count) ** -0.5
    time = ring.gps(rng.uniform(0, ring.livetime_s, count))
    return Triggers(time, peak_time_error(frequency, q, snr), snr, vectors)

def slide(count, most):
    # 120 days in stretches of 10 hours, with two hours between.
    edges = 1262301184 + 43200 * np.arange(288)
    ring = Ring.of(segmentlist(segment(int(a), int(a) + 36000) for a in edges))
    rng = np.random.default_rng(1)
    one, other = triggers(ring, rng, count), triggers(ring, rng, count)
    window = Window(light_travel_s("H1", "L1"), 3.0)
    start = perf_counter()
    slides = valid_slides(ring, 100.0, 1000.0, most, 1)
    now = coincidences_now(one, other, window)
    past = slide_triggers(one, other, ring, window, slides)
    loudest = loudest_of_slides(past.slide, past.rank, slides)
    louder(past.rank, now.rank), louder(loudest, now.rank)
    return perf_counter() - start, len(slides.numbers), len(past), ring.livetime_s

slide(50, 10)  # compiles
took, slides, found, livetime = slide(10_000, 100_000)
# Its own: ru_maxrss would hold that of the process that started this one.
status = Path("/proc/self/status").read_text(encoding="utf-8")
peak = 1024 * int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps([took, peak, slides, found, livetime]))
"""


@cache
def speed() -> list[float]:
    """Return seconds, bytes at most, slides, coincidences and livetime, in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", _SPEED], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return json.loads(done.stdout.splitlines()[-1])


@benchmark
def timeslides() -> Entry:
    took, _, slides, found, livetime = speed()
    unit = (
        f"s for {slides:.0f} slides by 100 s of 10000 triggers a detector in "
        f"{livetime / 86400:.0f} days with gaps, ranked by 384-d similarity, "
        f"{found:.0f} coincidences"
    )
    return Entry("timeslides", took, unit, n=1, seed=1)


@benchmark
def timeslides_memory() -> Entry:
    return Entry("timeslides_memory", speed()[1] / 1e9, "GB at most, for the same", n=1, seed=1)


_PYCBC = """
import sys
import numpy as np
from pycbc.events.significance import count_n_louder
back, fore = np.load(sys.argv[1]), np.load(sys.argv[2])
np.save(sys.argv[3], count_n_louder(back, fore, np.ones(len(back)))[1])
"""


def louder_by_pycbc(background: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Return how many background events PyCBC finds louder than each value.

    PyCBC pins other versions of what we use, so that it lives in an environment of its own, whose
    Python ``GWMORPH_PYCBC`` names.
    """
    python = os.environ.get("GWMORPH_PYCBC")
    if not python:
        sys.exit(
            "GWMORPH_PYCBC is not set: name the Python of an environment that has PyCBC, as "
            "benchmarks/README.md says how to make one"
        )
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.npy" for name in ("back", "fore", "louder")]
        np.save(paths[0], background), np.save(paths[1], values)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run([python, "-c", _PYCBC, *paths], check=True, env=environment)
        return np.load(paths[2])


@benchmark
def timeslides_parity() -> Entry:
    """Background events that are louder, ours and PyCBC's, on ranks as slides give them."""
    rng = np.random.default_rng(8)
    background, values = 7.5 * rng.uniform(size=200_000) ** -0.4, rng.uniform(5, 300, 2000)
    # Ties are louder for both.
    background = np.round(background, 2)
    values = np.append(np.round(values, 2), background[:500])
    # For what is quieter than all of the background PyCBC counts one event less than there are.
    values = values[values > background.min()]
    apart = np.abs(louder(background, values) - louder_by_pycbc(background, values))
    return Entry(
        "timeslides_parity", float(apart.max()),
        "louder background events apart from PyCBC 2.11's count_n_louder, at most",
        n=len(values), seed=8,
    )  # fmt: skip


# -- calibration --------------------------------------------------------------------------------


@cache
def independent() -> dict[str, NDArray[np.float64]]:
    pairs = [slide_pair(BURSTS, seed) for seed in range(PAIRS)]
    return {
        "windows": np.array([pair.windows for pair in pairs]),
        "triggers": np.array([pair.loudest for pair in pairs]),
    }


def _calibration(statistic: str, percent: int) -> Entry:
    found = independent()[statistic]
    hits = int((found <= percent / 100).sum())
    low, high = wilson(hits, PAIRS)
    what = {"windows": "number of windows", "triggers": "loudest coincidence"}[statistic]
    unit = (
        f"of pairs of independent bursty detectors have p <= {percent / 100:g} by the {what}; "
        f"smallest p {found.min():.2g}"
    )
    name = f"timeslides_calibration_{statistic}_{percent}"
    return Entry(name, hits / PAIRS, unit, low, high, n=PAIRS, seed=0)


for _statistic in ("windows", "triggers"):
    for _percent in (1, 5, 10):
        BENCHMARKS[f"timeslides_calibration_{_statistic}_{_percent}"] = partial(
            _calibration, _statistic, _percent
        )


@benchmark
def timeslides_planted() -> Entry:
    """The p-values of signals of SNR 10 among bursty glitches."""
    values = np.concatenate([slide_pair(BURSTS, 1000 + s, signals=5).signals for s in range(20)])
    return Entry(
        "timeslides_planted", float(np.median(values)),
        "p over the slides of five signals of SNR 10 in a day of bursty glitches; median, range",
        float(values.min()), float(values.max()), n=len(values), seed=1000,
    )  # fmt: skip


# -- signals in two detectors -------------------------------------------------------------------


@cache
def arrived(seed: int, per_class: int) -> pa.Table:
    """Return rows of ARRIVALS of all morphologies in H1 and L1."""
    code = stage_hash(Path(arrivals_module.__file__))
    path = ROOT / "cache" / "arrivals" / f"{seed}-{per_class}-{code}.parquet"
    if not path.exists():
        names = DEFAULTS.comparison.classes
        classes = classes_for("population", names, SNRS, POPULATION, "H1")
        classes |= {name: LabelledClass(INJECTED[name], *SNRS) for name in SIGNALS[1:]}
        who = TwoDetectors("H1", "L1", light_travel_s("H1", "L1"), seed, per_class)
        made = arrivals(classes, who, parameters(), DEFAULTS.events)
        write_table(path, ARRIVALS, made)
    return read_table(path, ARRIVALS)


@cache
def measured() -> tuple[SeenTwice, NDArray[np.float32]]:
    """Return signals that both have a trigger of, and the vectors of their views [n, 2, d]."""
    table = arrived(*MEASURED_ON)
    seen, size = seen_twice(table), (DEFAULTS.picture.height, DEFAULTS.picture.width)
    made, scale = make_encoder(DEFAULTS.encoder, size, 1), parameters().picture_scale
    pictures = np.stack(
        [
            np.frombuffer(table["picture"][int(row)].as_py(), np.uint8).reshape(size)
            for row in seen.rows.ravel()
        ]
    )
    parts = [
        made.encode(pictures[i : i + 32], scale, "event") for i in range(0, len(pictures), 32)
    ]
    return seen, np.concatenate(parts).reshape(len(seen.rows), 2, -1)


def _fitted(name: str, number: int, text: str) -> Entry:
    seen = seen_twice(pa.concat_tables([arrived(*which) for which in CHOSEN_ON]))
    value = fit_errors(seen)[number]
    count = int(np.isin(seen.morphology, ONE_MOMENT).sum())
    return Entry(name, value, text, n=count, seed=CHOSEN_ON[0][0])


BENCHMARKS["timing_noise"] = partial(
    _fitted, "timing_noise", 0, "tile lengths times the squared SNR: timing.NOISE, fitted again"
)
BENCHMARKS["timing_floor"] = partial(
    _fitted, "timing_floor", 1, "tile lengths however loud: timing.FLOOR, fitted again"
)


def _share(name: str, hits: NDArray[np.bool_] | int, total: int, text: str) -> Entry:
    found = int(np.sum(hits))
    low, high = wilson(found, total)
    return Entry(name, found / total, text, low, high, n=total, seed=MEASURED_ON[0])


@benchmark
def timing_coverage() -> Entry:
    """Signals with one moment whose two triggers coincide, of those with two triggers."""
    seen, _ = measured()
    chosen = np.isin(seen.morphology, ONE_MOMENT)
    text = f"of signals of one moment within {SIGMAS:g} sigma of both timing errors"
    return _share("timing_coverage", inside_window(seen)[chosen], int(chosen.sum()), text)


def _efficiency(name: str) -> Entry:
    seen, _ = measured()
    own = inside_window(seen) & (seen.morphology == name)
    text = (
        f"of signals of SNR {SNRS[0]:g} to {SNRS[1]:g} in one detector and half of it or more in "
        "the other that coincide"
    )
    return _share(f"coincidence_{name}", own, MEASURED_ON[1], text)


for _name in MORPHOLOGIES:
    BENCHMARKS[f"coincidence_{_name}"] = partial(_efficiency, _name)


@benchmark
def ranking_recall() -> Entry:
    """Signals that rank above all but a thousandth of chance coincidences, by three ranks."""
    seen, vectors = measured()
    chosen = np.isin(seen.morphology, SIGNALS) & inside_window(seen)
    alike = np.einsum("nd,nd->n", vectors[:, 0], vectors[:, 1])
    signals = (seen.snr[chosen].T, alike[chosen][np.newaxis])
    snrs, cosines, weights = _by_chance(seen, vectors)
    order = {
        "ours": rank_events,
        "smaller SNR": lambda snr, cosine: snr.min(axis=0),
        "root of the sum of squares": lambda snr, cosine: np.hypot(*snr),
    }
    share = {}
    for name, rank in order.items():
        background, found = rank(snrs, cosines), rank(*signals)
        place = np.argsort(-background)
        limit = background[place][np.searchsorted(np.cumsum(weights[place]), LOUDER)]
        share[name] = found > limit
    text = (
        f"of coincident signals above {1 - LOUDER:.1%} of pairs of glitches; by the root of the "
        f"sum of squares {share['root of the sum of squares'].mean():.2f}"
    )
    low, high = wilson(int(share["ours"].sum()), int(chosen.sum()))
    return Entry(
        "ranking_recall", float(share["ours"].mean()), text, low, high, peer="the smaller SNR",
        peer_value=float(share["smaller SNR"].mean()), n=int(chosen.sum()), seed=MEASURED_ON[0],
    )  # fmt: skip


def _by_chance(seen: SeenTwice, vectors: NDArray[np.float32]) -> tuple[NDArray, NDArray, NDArray]:
    """Return SNRs, cosines and weights of each two glitches of different signals.

    As often as the population has them, so loud, and as wide as their windows are.
    """
    population = load_population(POPULATION)
    glitch = np.flatnonzero(~np.isin(seen.morphology, SIGNALS))
    weight = np.zeros((len(glitch), 2))
    for name in np.unique(seen.morphology[glitch]):
        own = seen.morphology[glitch] == name
        glitches = population.glitches[name]
        # SNRs were drawn evenly in their logarithm.
        rare = seen.snr[glitch][own] ** (1 - glitches.snr.slope)
        for place, detector in enumerate(("H1", "L1")):
            rate = glitches.rate_per_hour.get(detector, 0.0)
            weight[own, place] = rate * rare[:, place] / rare[:, place].sum()
    error = peak_time_error(seen.frequency, seen.q, seen.snr)[glitch]
    one, other = (part.ravel() for part in np.indices((len(glitch), len(glitch))))
    different = one != other
    one, other = one[different], other[different]
    wide = light_travel_s("H1", "L1") + SIGMAS * np.hypot(error[one, 0], error[other, 1])
    weights = weight[one, 0] * weight[other, 1] * wide
    snrs = np.stack([seen.snr[glitch][one, 0], seen.snr[glitch][other, 1]])
    products = vectors[glitch, 0] @ vectors[glitch, 1].T
    return snrs, products[one, other][np.newaxis], weights / weights.sum()


@benchmark
def coincidence_gw150914() -> Entry:
    """How far apart GW150914's two triggers are, in widths of their window."""
    one, other = (_of_gw150914(detector) for detector in ("H1", "L1"))
    error = [peak_time_error(t.peak_frequency, t.q, t.snr) for t in (one, other)]
    width = light_travel_s("H1", "L1") + SIGMAS * float(np.hypot(*error))
    apart = one.peak_time - other.peak_time
    text = (
        f"of the window's half width of {1e3 * width:.0f} ms lie between GW150914's triggers "
        f"(H1 {one.snr:.1f}, L1 {other.snr:.1f}; {1e3 * apart:+.1f} ms)"
    )
    return Entry("coincidence_gw150914", abs(apart) / width, text, n=1)


def _of_gw150914(detector: str) -> Trigger:
    start, own = 1126259430, parameters()
    with h5py.File(DATA / "strain" / f"DERIVED_GW150914_H1L1_64s_4096Hz_{start}.hdf5") as file:
        samples = file[detector][:]
    sound = np.ones(len(samples) // own.sample_rate, bool)
    strain = Strain(detector, start, own.sample_rate, samples, sound, sound)
    first = start + 16
    span = (first, first + own.window_s)
    stretch = whiten_stretch(strain, start, start + len(sound), span, [first], own)
    batch = own.transform().batch(window_span(stretch, first, own)[np.newaxis])
    keys = DEFAULTS.events
    return find_triggers(batch, keys.tile_snr, keys.snr, keys.gap_s)[0][0]
