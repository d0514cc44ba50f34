"""What happens in the simulated detectors, and how often: models, arrivals, parameters.

Arrivals are a Neyman-Scott process for each morphology and detector: parents are Poisson on a
global grid of GPS cells, each with a random number of children spread after it. A cell is drawn
from its own random stream, so any span can be made alone and holds the same events.
"""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gwmorph.config import Detector, load_yaml
from gwmorph.errors import ConfigError
from gwmorph.simulation.binaries import AFTER_MERGER_S, Binary, waveform_length
from gwmorph.simulation.psd import MAINS_HZ
from gwmorph.simulation.streams import stream
from gwmorph.simulation.transients import MORPHOLOGIES, SHAPES, Morphology

CHIRP = "chirp"
CELL_S = 4096
_LATEST_CHILD = 4.0  # spreads after the parent; later ones are not drawn
# Set by the detector, not drawn.
_GIVEN = frozenset({"mains_hz"})


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(_Model):
    """Values are drawn evenly in the value (linear) or in its logarithm (log)."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _rises(self) -> "Range":
        if self.high < self.low:
            raise ValueError(f"reversed range: low {self.low} is above high {self.high}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a log range must be positive, got low {self.low}")
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        if self.scale == "linear":
            return float(rng.uniform(self.low, self.high))
        return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))


class PowerLaw(_Model):
    """p(x) proportional to x**-slope between ``low`` and ``high``."""

    low: float = Field(gt=0)
    high: float = Field(gt=0)
    slope: float = Field(gt=1)

    @model_validator(mode="after")
    def _rises(self) -> "PowerLaw":
        if self.high < self.low:
            raise ValueError(f"reversed range: low {self.low} is above high {self.high}")
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        power = 1 - self.slope
        edge = (self.high / self.low) ** power
        return float(self.low * (1 + rng.uniform() * (edge - 1)) ** (1 / power))


class Burst(_Model):
    """Clusters of ``mean_size`` events on average, spread over about ``spread_s`` seconds."""

    mean_size: float = Field(ge=1)
    spread_s: float = Field(gt=0, le=14400)


Rate = Annotated[float, Field(ge=0, le=3600)]


class Glitches(_Model):
    """One morphology; ``shape`` is how it is drawn, where that is not the one of its own name."""

    shape: str | None = None
    rate_per_hour: dict[Detector, Rate]
    snr: PowerLaw
    burst: Burst
    parameters: dict[str, Range]
    sources: list[str] = Field(min_length=1)


class Binaries(_Model):
    """Compact-binary chirps, isotropic, shared by all detectors."""

    rate_per_hour: Rate
    network_snr: PowerLaw
    mass_msun: Range
    largest_mass_ratio: float = Field(ge=1, le=18)
    aligned_spin: Range
    sources: list[str] = Field(min_length=1)


class Population(_Model):
    """All that happens besides noise."""

    glitches: dict[str, Glitches]
    binaries: Binaries

    @model_validator(mode="after")
    def _shapes_exist(self) -> "Population":
        for name, glitches in self.glitches.items():
            if name not in MORPHOLOGIES:
                raise ValueError(
                    f"glitches.{name}: unknown morphology{_nearest(name, MORPHOLOGIES)}; "
                    f"known are {', '.join(sorted(MORPHOLOGIES))}"
                )
            if (shape := glitches.shape) is not None and shape not in SHAPES:
                raise ValueError(
                    f"glitches.{name}.shape: unknown shape {shape!r}{_nearest(shape, SHAPES)}; "
                    f"known are {', '.join(sorted(SHAPES))}"
                )
            expected = set(self.shape_of(name).parameters) - _GIVEN
            for parameter in sorted(set(glitches.parameters) - expected):
                raise ValueError(
                    f"glitches.{name}.parameters.{parameter}: unknown parameter"
                    f"{_nearest(parameter, expected)}; expected {', '.join(sorted(expected))}"
                )
            for parameter in sorted(expected - set(glitches.parameters)):
                raise ValueError(f"glitches.{name}.parameters.{parameter}: missing")
        return self

    def shape_of(self, name: str) -> Morphology:
        """Return how the glitches of one class are drawn."""
        return SHAPES[self.glitches[name].shape or name]


def _nearest(name: str, known: Mapping[str, object] | set[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def load_population(path: Path | str) -> Population:
    """Read and check a population file.

    Raises
    ------
    ConfigError
        The file is missing or is not YAML; a key, morphology or parameter is unknown or missing;
        a range is reversed. All faults are listed, each with its dotted key.
    """
    raw = load_yaml(path)
    try:
        return Population.model_validate(raw)
    except ValidationError as error:
        lines = [
            ": ".join(
                part
                for part in (
                    ".".join(str(key) for key in fault["loc"]),
                    str(fault["msg"]).removeprefix("Value error, "),
                )
                if part
            )
            for fault in error.errors()
        ]
        raise ConfigError("\n  ".join([f"{path}: {len(lines)} fault(s)", *lines])) from error


@dataclass(frozen=True)
class GlitchEvent:
    """One glitch: when, how loud, what it looks like, and the stream of its random details."""

    number: int
    morphology: str
    gps_time: float
    snr: float
    parameters: Mapping[str, float]
    details: np.random.Generator


@dataclass(frozen=True)
class BinaryEvent:
    """One coalescence; ``gps_time`` of the merger at the Earth's centre."""

    number: int
    gps_time: float
    network_snr: float
    binary: Binary


def glitch_events(
    population: Population,
    seed: int,
    rate_scale: float,
    detector: Detector,
    start: float,
    end: float,
) -> Iterator[GlitchEvent]:
    """Yield the glitches whose waveform may touch ``[start, end)``, by morphology and time.

    Parameters
    ----------
    population, seed, rate_scale : what to draw, from which seed, at which factor on the rates.
    detector : prefix, as H1.
    start, end : GPS, s.
    """
    for name, glitches in population.glitches.items():
        morphology = population.shape_of(name)
        given = {"mains_hz": MAINS_HZ[detector]}
        widest = {key: limits.high for key, limits in glitches.parameters.items()}
        reach = morphology.reach({**widest, **given})
        rate = rate_scale * glitches.rate_per_hour.get(detector, 0.0) / 3600
        key = ("glitch", name, detector)
        for time, place in _arrivals(seed, key, rate, glitches.burst, start - reach, end + reach):
            rng = stream(seed, *key, "event", *place)
            snr = glitches.snr.draw(rng)
            drawn = {k: glitches.parameters[k].draw(rng) for k in sorted(glitches.parameters)}
            needed = {k: v for k, v in given.items() if k in morphology.parameters}
            yield GlitchEvent(
                _number(seed, *key, *place), name, time, snr, {**drawn, **needed}, rng
            )


def binary_events(
    population: Population, seed: int, rate_scale: float, start: float, end: float
) -> Iterator[BinaryEvent]:
    """Yield the coalescences whose waveform may touch ``[start, end)`` in some detector."""
    binaries = population.binaries
    lightest = Binary(binaries.mass_msun.low, binaries.mass_msun.low, *[0.0] * 7)
    light_crossing = 0.03  # of the Earth's radius, rounded up
    # Spins that delay the merger lengthen the signal by less than the margin of a tenth.
    before = 1.1 * waveform_length(lightest) + light_crossing
    rate = rate_scale * binaries.rate_per_hour / 3600
    alone = Burst(mean_size=1, spread_s=1)
    low = start - AFTER_MERGER_S - light_crossing
    for time, place in _arrivals(seed, (CHIRP,), rate, alone, low, end + before):
        rng = stream(seed, CHIRP, "event", *place)
        yield BinaryEvent(
            _number(seed, CHIRP, *place),
            time,
            binaries.network_snr.draw(rng),
            draw_binary(binaries, rng),
        )


def draw_binary(binaries: Binaries, rng: np.random.Generator) -> Binary:
    """Draw one pair: masses, spins, place on the sky and orientation."""
    heavy, light = sorted((binaries.mass_msun.draw(rng) for _ in range(2)), reverse=True)
    return Binary(
        mass_1=heavy,
        mass_2=max(light, heavy / binaries.largest_mass_ratio),
        spin_1=binaries.aligned_spin.draw(rng),
        spin_2=binaries.aligned_spin.draw(rng),
        right_ascension=rng.uniform(0, 2 * np.pi),
        declination=float(np.arcsin(rng.uniform(-1, 1))),
        polarization=rng.uniform(0, np.pi),
        inclination=float(np.arccos(rng.uniform(-1, 1))),
        phase=rng.uniform(0, 2 * np.pi),
    )


def _arrivals(
    seed: int, key: tuple[str, ...], rate: float, burst: Burst, start: float, end: float
) -> list[tuple[float, tuple[int, int, int]]]:
    """Times in ``[start, end)`` with their place (cell, parent, child) in the process."""
    first = int((start - _LATEST_CHILD * burst.spread_s) // CELL_S)
    found = []
    for cell in range(max(first, 0), int(end // CELL_S) + 1):
        rng = stream(seed, *key, "cell", cell)
        parents = cell + np.sort(rng.uniform(size=rng.poisson(rate * CELL_S / burst.mean_size)))
        for parent, origin in enumerate(parents * CELL_S):
            children = 1 + rng.poisson(burst.mean_size - 1)
            # Exponential, cut at the latest child, by its inverse distribution function.
            share = rng.uniform(size=children) * -np.expm1(-_LATEST_CHILD)
            delays = -np.log1p(-share) * burst.spread_s
            found += [
                (float(origin + delay), (cell, parent, child))
                for child, delay in enumerate(delays)
                if start <= origin + delay < end
            ]
    return sorted(found)


def _number(seed: int, *place: str | int) -> int:
    """Event number that does not depend on which span was asked for."""
    digest = hashlib.sha256(repr((seed, place)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
