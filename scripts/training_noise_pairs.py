"""Pair views from real strain of one detector: of what is put into it and of its own triggers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.evidence.known_events import free_segments
from gwmorph.joblog import JobLog
from gwmorph.learning.pairs import real_pairs, training_rendering
from gwmorph.learning.sources import training_sources
from gwmorph.simulation.population import load_population
from gwmorph.strain.directory import recording
from gwmorph.tables.known_events import CATALOG
from gwmorph.tables.parquet import read_table


def training_noise_pairs(
    detector: str,
    files: Sequence[str],
    windows: int,
    seed: int,
    spread: float,
    excluded: Sequence[str],
    populations: Sequence[str],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, Any] | None,
    catalog: Sequence[Path],
    pairs: Path,
) -> None:
    sources = training_sources(map(load_population, populations), excluded, spread)
    held = recording("training.noise_files", detector, files)
    segments = held.segments
    if known is not None:
        events = [read_table(path, CATALOG) for path in catalog]
        segments = free_segments(detector, held.files, segments, events, **known)
    made = real_pairs(
        detector,
        windows,
        held.files,
        segments,
        seed,
        sources,
        training_rendering(window_s, rendering),
    )
    made.write(pairs)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        training_noise_pairs(
            detector=snakemake.wildcards.detector,
            files=list(snakemake.input.files),
            windows=snakemake.params.windows,
            seed=snakemake.params.seed,
            spread=snakemake.params.spread,
            excluded=snakemake.params.excluded,
            populations=list(snakemake.input.populations),
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            known=snakemake.params.known,
            catalog=[Path(path) for path in snakemake.input.catalog],
            pairs=Path(snakemake.output.pairs),
        )
