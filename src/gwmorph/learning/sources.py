"""What an encoder is trained on: sources of signals, each of which can be heard again and again.

A source is a shape with narrow ranges of its parameters. Shapes are those of the simulated
population and of the injection campaign, in ranges wider than either's; binaries; and random
compositions of simple elements, which belong to no class at all: most of what a detector does
has no name yet. Two signals of one source differ as two glitches of one origin do: in phases,
in random details, and in their parameters by a small part of the range.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gwmorph.errors import ConfigError
from gwmorph.simulation.morphologies import INJECTED, Injected, InjectedChirp, InjectedGlitch
from gwmorph.simulation.population import Population
from gwmorph.simulation.transients import (
    MORPHOLOGIES,
    Shape,
    band_noise,
    gaussian,
    packet,
    plateau,
    pulses,
    smooth_noise,
    sweep,
)

Ranges = Mapping[str, tuple[float, float]]

CHIRP = "chirp"
COMPOSITION = "composition"
# Wider than what is scored, on both ends, by this part of a range and by this factor.
_WIDEN = 0.15
_MAINS_HZ = (48.0, 62.0)
_MASSES = (1.4, 80.0)
_LARGEST_MASS_RATIO = 8.0
_SHARES = {"glitch": 0.5, COMPOSITION: 0.42, CHIRP: 0.08}
_REACH_S = 4.0
# The ranges of compositions are those of all classes at once.
_OF_COMPOSITION = 1 / 3


@dataclass(frozen=True)
class Sources:
    """Everything that training signals come from.

    Attributes
    ----------
    glitches
        Shapes by name, with the ranges that sources are drawn from: one for each way in which the
        populations draw a class.
    chirps
        Whether binaries are among the sources.
    elements
        What random compositions are made of; without any there are none.
    spread
        How far two signals of one source may differ, as a part of each parameter's range.
    """

    glitches: Mapping[str, Sequence[InjectedGlitch]]
    chirps: bool
    elements: Sequence[str]
    spread: float

    def draw(self, rng: np.random.Generator) -> tuple[str, Injected]:
        """Draw a source: its morphology's name, and what draws its signals."""
        there = {"glitch": self.glitches, COMPOSITION: self.elements, CHIRP: self.chirps}
        kinds = [kind for kind in _SHARES if there[kind]]
        shares = np.array([_SHARES[kind] for kind in kinds])
        kind = str(rng.choice(kinds, p=shares / shares.sum()))
        if kind == CHIRP:
            return CHIRP, _chirp(rng)
        if kind == COMPOSITION:
            return COMPOSITION, narrowed(
                composition(rng, self.elements), _OF_COMPOSITION * self.spread, rng
            )
        name = str(rng.choice(list(self.glitches)))
        ways = self.glitches[name]
        chosen = int(rng.integers(len(ways))) if len(ways) > 1 else 0
        return name, narrowed(ways[chosen], self.spread, rng)


def training_sources(
    populations: Iterable[Population], excluded: Iterable[str], spread: float
) -> Sources:
    """Return all sources of some populations but those of ``excluded`` morphologies.

    Compositions lose the elements that are an excluded morphology under another name.

    Raises
    ------
    ConfigError
        An excluded morphology is unknown.
    """
    known: dict[str, list[InjectedGlitch]] = {}
    for found in [*map(_of_population, populations), _of_campaign()]:
        for name, glitch in found.items():
            ways = known.setdefault(name, [])
            if not any((g.shape, g.ranges) == (glitch.shape, glitch.ranges) for g in ways):
                ways.append(glitch)
    left_out = set(excluded)
    if unknown := sorted(left_out - known.keys() - {CHIRP}):
        raise ConfigError(
            f"training.excluded: unknown morphologies {', '.join(unknown)}; known are "
            f"{', '.join([*sorted(known), CHIRP])}"
        )
    kept = {name: ways for name, ways in known.items() if name not in left_out}
    return Sources(kept, CHIRP not in left_out, elements_without(left_out), spread)


def _of_population(population: Population) -> dict[str, InjectedGlitch]:
    found = {}
    for name, glitches in population.glitches.items():
        known = population.shape_of(name)
        ranges = {
            key: _widened(limits.low, limits.high) for key, limits in glitches.parameters.items()
        }
        if "mains_hz" in known.parameters:
            ranges["mains_hz"] = _MAINS_HZ
        found[name] = InjectedGlitch("training", name, known.shape, known.reach, ranges)
    return found


def _of_campaign() -> dict[str, InjectedGlitch]:
    """Return the campaign's shapes that no population has."""
    return {
        name: replace(entry, ranges={k: _widened(*v) for k, v in entry.ranges.items()})
        for name, entry in INJECTED.items()
        if isinstance(entry, InjectedGlitch)
        and entry.shape not in [known.shape for known in MORPHOLOGIES.values()]
    }


def _widened(low: float, high: float) -> tuple[float, float]:
    if low <= 0:
        margin = _WIDEN * (high - low)
        return low - margin * (low < 0), high + margin
    factor = (high / low) ** _WIDEN
    return low / factor, high * factor


def narrowed(glitch: InjectedGlitch, spread: float, rng: np.random.Generator) -> InjectedGlitch:
    """Return one source: a glitch whose ranges have shrunk to ``spread`` of theirs, at random.

    Ranges are taken in the logarithm where they do not touch zero, as the glitch draws from them.
    """
    ranges = {}
    for name in sorted(glitch.ranges):
        low, high = glitch.ranges[name]
        start = rng.uniform(0, 1 - spread)
        if low > 0:
            ranges[name] = tuple(low * (high / low) ** (start + part) for part in (0, spread))
        else:
            ranges[name] = tuple(low + (high - low) * (start + part) for part in (0, spread))
    return replace(glitch, ranges=ranges)


def _chirp(rng: np.random.Generator) -> InjectedChirp:
    low, high = np.log(_MASSES)
    mass = float(np.exp(rng.uniform(low, high)))
    ratio = float(np.exp(rng.uniform(0, np.log(_LARGEST_MASS_RATIO))))
    return InjectedChirp("training", CHIRP, mass, max(mass / ratio, _MASSES[0]))


Element = Callable[[np.ndarray, float, float, float, np.random.Generator], np.ndarray]


def _phase(rng: np.random.Generator) -> float:
    return float(rng.uniform(0, 2 * np.pi))


def _bent_tone(
    t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator
) -> np.ndarray:
    return sweep(t, f * 2 ** (bend * np.clip(t / s, -1, 1)), gaussian(t, 0, s / 3))


def _arched_tone(
    t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator
) -> np.ndarray:
    return sweep(t, f * 2 ** (bend * np.clip(2 * t / s, -1, 1) ** 2), plateau(t, s, s / 3))


def _wandering_tone(
    t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator
) -> np.ndarray:
    wander = f * 2 ** (0.3 * bend * smooth_noise(t, max(s / 4, 0.02), rng))
    return sweep(t, wander, plateau(t, s, s / 4))


def _packet(
    t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator
) -> np.ndarray:
    return packet(t, 0.0, f, min(2 * np.pi * f * s / 5, 100), _phase(rng))


def _pulse(t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator) -> np.ndarray:
    pulse = pulses(t, np.zeros(1), f, 0.3 + 0.7 * abs(bend), phases=_phase(rng))
    return pulse / np.abs(pulse).max()


def _noise(t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator) -> np.ndarray:
    return gaussian(t, 0, s / 3) * band_noise(t, f, 0.1 + 0.5 * abs(bend), rng)


def _ring(t: np.ndarray, f: float, s: float, bend: float, rng: np.random.Generator) -> np.ndarray:
    late = np.sign(bend) * t * 3 / s
    onset = 1 / (1 + np.exp(np.clip(-40 * late, -50, 50)))
    return onset * np.exp(-np.clip(late, 0, 50)) * np.cos(2 * np.pi * f * t + _phase(rng))


_ELEMENTS: dict[str, Element] = {
    "bent": _bent_tone,
    "arched": _arched_tone,
    "wandering": _wandering_tone,
    "packet": _packet,
    "pulse": _pulse,
    "noise": _noise,
    "ring": _ring,
}


# Morphologies whose signals an element makes as well: the same generator under another name. What
# merely comes near, as a blip comes near a sine-Gaussian of few cycles, is not named here.
_SAME_AS: dict[str, tuple[str, ...]] = {
    "bent": ("paired_doves",),
    "arched": ("air_compressor", "whistle"),
    "wandering": ("wandering_line", "low_frequency_lines"),
    "packet": (
        "power_line",
        "scratchy",
        *(name for name in INJECTED if name.startswith("sine_gaussian")),
    ),
    "pulse": ("blip", "low_frequency_blip", "repeating_blips", "helix"),
    "noise": ("noise_burst", "low_frequency_burst"),
    "ring": ("ring_up", "violin_mode_ring"),
}


def elements_without(excluded: Iterable[str]) -> list[str]:
    """Return the elements of compositions that make no signal of ``excluded`` morphologies."""
    left_out = set(excluded)
    return [kind for kind in _ELEMENTS if left_out.isdisjoint(_SAME_AS[kind])]


def composition(rng: np.random.Generator, elements: Sequence[str]) -> InjectedGlitch:
    """Draw a shape that has no name: one to three of ``elements``, alone or repeated."""
    kinds = [str(kind) for kind in rng.choice(elements, rng.choice(3, p=[0.5, 0.3, 0.2]) + 1)]
    repeats = int(rng.integers(2, 9)) if rng.random() < 0.4 else 1
    # A train of repetitions is made of short elements.
    longest = 0.3 if repeats > 1 else 3.0
    ranges: dict[str, tuple[float, float]] = {"interval_s": (0.06, 0.8), "irregular": (0.0, 0.2)}
    for i in range(len(kinds)):
        ranges |= {
            f"frequency_hz_{i}": (18.0, 900.0),
            f"duration_s_{i}": (0.01, longest),
            f"bend_{i}": (-1.6, 1.6),
            f"delay_s_{i}": (-0.3, 0.3) if rng.random() < 0.5 else (-0.01, 0.01),
            f"loudness_{i}": (0.3, 1.0),
        }
    shape: Shape = partial(_composed, tuple(kinds), repeats)
    return InjectedGlitch("training", COMPOSITION, shape, lambda p: _REACH_S, ranges)


def _composed(
    kinds: tuple[str, ...],
    repeats: int,
    t: np.ndarray,
    p: Mapping[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    total = np.zeros_like(t)
    number = np.arange(repeats) - 0.5 * (repeats - 1)
    centres = (number + p["irregular"] * rng.standard_normal(repeats)) * p["interval_s"]
    for centre, loudness in zip(centres, rng.uniform(0.5, 1, repeats), strict=True):
        for i, kind in enumerate(kinds):
            part = _ELEMENTS[kind](
                t - centre - p[f"delay_s_{i}"],
                p[f"frequency_hz_{i}"],
                p[f"duration_s_{i}"],
                p[f"bend_{i}"],
                rng,
            )
            total += loudness * p[f"loudness_{i}"] * part
    return total
