"""What an injection campaign puts into noise: named shapes with their ranges of parameters.

Shapes are those of :mod:`gwmorph.simulation.transients` and :mod:`gwmorph.simulation.binaries`,
and a few that no population of glitches has: sine-Gaussians, bursts of noise, combs, and two that
resemble no class of Gravity Spy (``staircase``, ``ring_up``). Parameters are drawn evenly in
their logarithm, or evenly where a range touches zero. The ranges are fixed before anything is
scored on them: whoever changes one gives the morphology another name.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import fft

from gwmorph.errors import ConfigError
from gwmorph.simulation import transients
from gwmorph.simulation.binaries import Binary, overhead_chirp
from gwmorph.simulation.transients import MORPHOLOGIES, Shape, colour, packet, plateau, sweep

Spectrum = Callable[[np.ndarray], np.ndarray]
# Shapes are drawn at this rate or the analysis', so that nothing is aliased at a lower one.
_SHAPE_RATE = 4096
_MARGIN_S = 1.0  # room for the noise spectrum's colour around a glitch
_SPREAD = 5.0  # standard deviations after which a Gaussian counts as over


@dataclass(frozen=True)
class Waveform:
    """Strain of arbitrary loudness: float64 ``[n]`` with the event's time at sample ``anchor``."""

    anchor: int
    strain: np.ndarray
    parameters: Mapping[str, float]


class Injected(Protocol):
    """One morphology of the campaign."""

    @property
    def family(self) -> str:
        """Name of the figure that it belongs to."""
        ...

    @property
    def label(self) -> str:
        """Name in figures."""
        ...

    def draw(self, rng: np.random.Generator, background: Spectrum, sample_rate: int) -> Waveform:
        """Draw one example.

        ``background`` maps frequencies (Hz) to the noise's one-sided PSD without lines (1/Hz).
        """
        ...


@dataclass(frozen=True)
class InjectedGlitch:
    """A shape in whitened data with ranges of its parameters (low, high)."""

    family: str
    label: str
    shape: Shape
    reach: Callable[[Mapping[str, float]], float]
    ranges: Mapping[str, tuple[float, float]]

    def draw(self, rng: np.random.Generator, background: Spectrum, sample_rate: int) -> Waveform:
        """Draw one example; see `Injected`."""
        parameters = {name: _draw(rng, *self.ranges[name]) for name in sorted(self.ranges)}
        return shape_strain(
            self.shape, self.reach(parameters), parameters, rng, background, sample_rate
        )


def shape_strain(
    shape: Shape,
    reach_s: float,
    parameters: Mapping[str, float],
    rng: np.random.Generator,
    background: Spectrum,
    sample_rate: int,
) -> Waveform:
    """Return the strain of a shape that fills ``reach_s`` seconds on either side of its anchor.

    ``rng`` gives what its parameters leave open; ``background`` as in `Injected`.
    """
    half_s = int(np.ceil(reach_s + _MARGIN_S))
    fine = max(sample_rate, _SHAPE_RATE)
    times = np.arange(-half_s * fine, half_s * fine) / fine
    white = shape(times, parameters, rng)
    if fine != sample_rate:
        from scipy.signal import resample  # takes a second, and few shapes need it

        white = resample(white, 2 * half_s * sample_rate)
    psd = background(fft.rfftfreq(len(white), 1 / sample_rate))
    return Waveform(half_s * sample_rate, colour(white, psd, sample_rate), parameters)


@dataclass(frozen=True)
class InjectedChirp:
    """A face-on pair without spin, right overhead, at a random phase; masses in solar masses."""

    family: str
    label: str
    mass_1: float
    mass_2: float

    def draw(self, rng: np.random.Generator, background: Spectrum, sample_rate: int) -> Waveform:
        """Draw one example; see `Injected`."""
        phase = float(rng.uniform(0, 2 * np.pi))
        binary = Binary(self.mass_1, self.mass_2, 0, 0, 0, 0, 0, inclination=0, phase=phase)
        merger, strain = overhead_chirp(binary, sample_rate)
        return Waveform(
            merger, strain, {"mass_1": self.mass_1, "mass_2": self.mass_2, "phase": phase}
        )


def _draw(rng: np.random.Generator, low: float, high: float) -> float:
    if low > 0:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def sine_gaussian(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Sine with a Gaussian envelope; ``q`` = 2 pi frequency times the envelope's sigma."""
    return packet(t, 0.0, p["frequency_hz"], p["q"], rng.uniform(0, 2 * np.pi))


def noise_burst(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Noise of one band, switched on for a moment."""
    noise = transients.band_noise(t, p["frequency_hz"], p["octaves"], rng)
    return noise * plateau(t, p["duration_s"], 0.2 * p["duration_s"])


def comb(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Tones at equal distances in frequency that come and go together."""
    teeth = p["first_hz"] + p["spacing_hz"] * np.arange(max(round(p["teeth"]), 2))
    tones = sum(
        rng.uniform(0.5, 1) * np.cos(2 * np.pi * f * t + rng.uniform(0, 2 * np.pi)) for f in teeth
    )
    return tones * plateau(t, p["duration_s"], 0.1 * p["duration_s"])


def staircase(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Tone that climbs or falls in equal steps of frequency, resting on each."""
    steps = max(round(p["steps"]), 2)
    place = np.clip(np.floor((t / p["duration_s"] + 0.5) * steps), 0, steps - 1)
    if rng.random() < 0.5:
        place = steps - 1 - place
    frequency = p["frequency_hz"] * 2 ** (p["octaves"] * place / (steps - 1))
    return sweep(t, frequency, plateau(t, p["duration_s"], 0.1 * p["duration_s"]))


def ring_up(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Oscillation that grows exponentially and stops at once: a ringdown turned round in time."""
    growth = p["q"] / (np.pi * p["frequency_hz"])
    stop = 1 / (1 + np.exp(np.clip(t * 4 * p["frequency_hz"], -50, 50)))
    envelope = np.exp(np.clip(t, None, 0) / growth) * stop
    return envelope * np.cos(2 * np.pi * p["frequency_hz"] * t + rng.uniform(0, 2 * np.pi))


def _glitch(family: str, label: str, name: str, **ranges: tuple[float, float]) -> InjectedGlitch:
    """Return a glitch class of the simulated population with ranges for the campaign."""
    known = MORPHOLOGIES[name]
    if set(ranges) != set(known.parameters):
        raise ValueError(f"{name}: ranges {sorted(ranges)}, expected {sorted(known.parameters)}")
    return InjectedGlitch(family, label, known.shape, known.reach, ranges)


def _sine_gaussian(q: float) -> InjectedGlitch:
    return InjectedGlitch(
        "sine-Gaussians",
        f"sine-Gaussian, Q {q:g}",
        sine_gaussian,
        lambda p: _SPREAD * p["q"] / (2 * np.pi * p["frequency_hz"]),
        {"frequency_hz": (32, 1000), "q": (q, q)},
    )


def _half(p: Mapping[str, float]) -> float:
    return 0.5 * p["duration_s"]


INJECTED: dict[str, Injected] = {
    "sine_gaussian_q2": _sine_gaussian(2),
    "sine_gaussian_q4": _sine_gaussian(4),
    "sine_gaussian_q8": _sine_gaussian(8),
    "sine_gaussian_q32": _sine_gaussian(32),
    "sine_gaussian_q100": _sine_gaussian(100),
    # 90 % of the energy in 2 to 10 ms.
    "blip": _glitch(
        "glitches", "blip, 2 to 10 ms", "blip", frequency_hz=(80, 370), octaves=(0.8, 1.5)
    ),
    "tomte": _glitch(
        "glitches",
        "tomte",
        "tomte",
        frequency_hz=(25, 70),
        foot_q=(1.5, 4.0),
        octaves=(0.6, 1.0),
        hat=(0.4, 1.2),
    ),
    "koi_fish": _glitch(
        "glitches",
        "koi fish",
        "koi_fish",
        frequency_hz=(70, 250),
        octaves=(0.9, 1.5),
        fin_hz=(35, 90),
        fin_s=(0.06, 0.25),
        fin=(0.05, 0.25),
    ),
    "chirp_30_30": InjectedChirp("chirps", "chirp, 30 + 30", 30, 30),
    "chirp_10_10": InjectedChirp("chirps", "chirp, 10 + 10", 10, 10),
    "chirp_1.4_1.4": InjectedChirp("chirps", "chirp, 1.4 + 1.4", 1.4, 1.4),
    "arches": _glitch(
        "extended",
        "arches",
        "scattered_light",
        frequency_hz=(25, 70),
        arch_s=(1.5, 6.0),
        arches=(0.6, 4.4),
        harmonics=(0.6, 4.4),
        decay=(0.3, 0.9),
    ),
    # Inside the band to its top, unlike the population's, whose louder half may lie above it.
    "whistle": _glitch(
        "extended",
        "whistle",
        "whistle",
        frequency_hz=(120, 500),
        sweep_hz=(150, 700),
        duration_s=(0.15, 2.0),
        exponent=(0.8, 2.2),
    ),
    "noise_burst": InjectedGlitch(
        "extended",
        "noise burst, 100 ms",
        noise_burst,
        _half,
        {"frequency_hz": (80, 500), "octaves": (0.3, 1.0), "duration_s": (0.1, 0.1)},
    ),
    "wandering_line": _glitch(
        "steady",
        "wandering line, 10 s",
        "wandering_line",
        frequency_hz=(80, 1000),
        wander_hz=(3, 80),
        correlation_s=(0.3, 3.0),
        duration_s=(10, 10),
    ),
    "comb": InjectedGlitch(
        "steady",
        "comb, 10 s",
        comb,
        _half,
        {"first_hz": (30, 100), "spacing_hz": (5, 50), "teeth": (4, 12), "duration_s": (10, 10)},
    ),
    "staircase": InjectedGlitch(
        "unlike any class",
        "staircase",
        staircase,
        _half,
        {
            "frequency_hz": (60, 300),
            "octaves": (0.8, 1.6),
            "steps": (3, 7),
            "duration_s": (0.4, 4.0),
        },
    ),
    "ring_up": InjectedGlitch(
        "unlike any class",
        "ring-up",
        ring_up,
        lambda p: 10 * p["q"] / (np.pi * p["frequency_hz"]),
        {"frequency_hz": (40, 600), "q": (5, 50)},
    ),
}


def choose_morphologies(
    names: Iterable[str], key: str = "injections.morphologies"
) -> dict[str, Injected]:
    """Return the named morphologies in the order given; no name means all.

    ``key`` is the configuration's that names them.

    Raises
    ------
    ConfigError
        A name is unknown; the error has the nearest known one.
    """
    chosen = list(names) or list(INJECTED)
    for name in chosen:
        if name not in INJECTED:
            near = difflib.get_close_matches(name, INJECTED, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(
                f"{key}: unknown morphology {name!r}; {hint}known are {', '.join(INJECTED)}"
            )
    return {name: INJECTED[name] for name in chosen}


def families(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the labels of morphologies by family and name, as `choose_morphologies` chooses."""
    found: dict[str, dict[str, str]] = {}
    for name, morphology in choose_morphologies(names).items():
        found.setdefault(morphology.family, {})[name] = morphology.label
    return found
