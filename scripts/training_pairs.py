"""Simulate one part of the pairs of views that an encoder is trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.joblog import JobLog
from gwmorph.learning.pairs import simulated_pairs, training_rendering
from gwmorph.learning.sources import training_sources
from gwmorph.simulation.population import load_population


def training_pairs(
    part: int,
    windows: int,
    detector: str,
    seed: int,
    spread: float,
    excluded: Sequence[str],
    populations: Sequence[str],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    pairs: Path,
) -> None:
    sources = training_sources(map(load_population, populations), excluded, spread)
    parameters = training_rendering(window_s, rendering)
    simulated_pairs(part, windows, detector, seed, sources, parameters).write(pairs)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        training_pairs(
            part=int(snakemake.wildcards.part),
            windows=snakemake.params.windows,
            detector=snakemake.params.detector,
            seed=snakemake.params.seed,
            spread=snakemake.params.spread,
            excluded=snakemake.params.excluded,
            populations=list(snakemake.input.populations),
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            pairs=Path(snakemake.output.pairs),
        )
