"""Signals of a population's classes, one at a time and of any loudness.

The simulated source draws a population's events with their own times and loudness
(:mod:`gwmorph.simulation.blocks`). Here one class is drawn as often as is asked for, with the same
shapes from the same ranges, for whoever decides on loudness and place: views with known labels.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from gwmorph.config import Detector
from gwmorph.errors import ConfigError
from gwmorph.simulation.binaries import overhead_chirp
from gwmorph.simulation.morphologies import Injected, Spectrum, Waveform, shape_strain
from gwmorph.simulation.population import (
    CHIRP,
    Binaries,
    Glitches,
    Population,
    PowerLaw,
    draw_binary,
)
from gwmorph.simulation.psd import MAINS_HZ
from gwmorph.simulation.transients import Morphology

_FAMILY = "population"


@dataclass(frozen=True)
class LabelledClass:
    """What a class's signals are, and between which optimal SNRs they are drawn."""

    signal: Injected
    snr_low: float
    snr_high: float


@dataclass(frozen=True)
class PopulationGlitch:
    """A glitch class with the ranges of a population; see `Injected`."""

    label: str
    glitches: Glitches
    morphology: Morphology
    mains_hz: float
    family: str = _FAMILY

    def draw(self, rng: np.random.Generator, background: Spectrum, sample_rate: int) -> Waveform:
        """Draw one example; see `Injected`."""
        morphology, ranges = self.morphology, self.glitches.parameters
        parameters = {name: ranges[name].draw(rng) for name in sorted(ranges)}
        if "mains_hz" in morphology.parameters:
            parameters["mains_hz"] = self.mains_hz
        reach_s = morphology.reach(parameters)
        return shape_strain(morphology.shape, reach_s, parameters, rng, background, sample_rate)


@dataclass(frozen=True)
class PopulationBinary:
    """A population's binaries as the + polarization alone; see `Injected`."""

    binaries: Binaries
    label: str = CHIRP
    family: str = _FAMILY

    def draw(self, rng: np.random.Generator, background: Spectrum, sample_rate: int) -> Waveform:
        """Draw one example; see `Injected`."""
        binary = draw_binary(self.binaries, rng)
        merger, strain = overhead_chirp(binary, sample_rate)
        return Waveform(merger, strain, asdict(binary))


def population_classes(
    population: Population,
    detector: Detector,
    names: Iterable[str],
    snr_low: float,
    snr_high: float,
) -> dict[str, LabelledClass]:
    """Return the named classes of a population in the order given.

    SNRs go from ``snr_low`` to ``snr_high`` as far as the population has the class so faint and so
    loud: a koi fish too faint for its fins is a blip, whatever its label says.

    Raises
    ------
    ConfigError
        The population has no such class (the error has the nearest one), or none so loud.
    """
    known: Mapping[str, tuple[Injected, PowerLaw]] = {
        **{
            name: (
                PopulationGlitch(name, own, population.shape_of(name), MAINS_HZ[detector]),
                own.snr,
            )
            for name, own in population.glitches.items()
        },
        CHIRP: (PopulationBinary(population.binaries), population.binaries.network_snr),
    }
    found = {}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(
                f"comparison.classes: the population has no class {name!r}; {hint}"
                f"it has {', '.join(known)}"
            )
        signal, snr = known[name]
        low, high = max(snr_low, snr.low), min(snr_high, snr.high)
        if low >= high:
            raise ConfigError(
                f"comparison.classes: {name} has SNRs from {snr.low:g} to {snr.high:g} in the "
                f"population, none between {snr_low:g} and {snr_high:g}; leave it out, or change "
                "comparison.snr_low and snr_high"
            )
        found[name] = LabelledClass(signal, low, high)
    return found
