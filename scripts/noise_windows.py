"""Inject one morphology (or nothing) into real noise, and look at every window.

Reference and calibration are simulated noise at the rate of the real one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig, EventsConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import (
    observe,
    real_backgrounds,
    simulated_backgrounds,
    write_windows,
)
from gwmorph.evidence.known_events import free_segments
from gwmorph.evidence.registry import load_statistics
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.strain.directory import recording
from gwmorph.tables.known_events import CATALOG
from gwmorph.tables.parquet import read_table


def noise_windows(
    job: Mapping[str, Any],
    files: Sequence[str],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    events: EventsConfig,
    encoder: EncoderConfig,
    modules: Sequence[str],
    known: Mapping[str, Any] | None,
    catalog: Sequence[Path],
    windows: Path,
) -> None:
    load_statistics(modules, encoder.autoencoder)
    whole = Job.from_params(job)
    held = recording("injections.noise_files", whole.detector, files)
    parameters = RenderParameters.from_sections(window_s, **rendering).up_to(held.sample_rate)
    made = make_encoder(encoder, (parameters.height, parameters.width))
    if whole.role == "noise":
        segments = held.segments
        if known is not None:
            events_known = [read_table(path, CATALOG) for path in catalog]
            segments = free_segments(whole.detector, held.files, segments, events_known, **known)
        backgrounds = real_backgrounds(whole, held.files, segments, parameters)
    else:
        backgrounds = simulated_backgrounds(whole, parameters)
    table = observe(whole, backgrounds, parameters, made, events)
    metadata = {
        **lineage(
            {"job": dict(job), "events": events.model_dump(), "known": known},
            [*(file.sha256 for file in held.files), *hashes_of(catalog)],
        ),
        "gwmorph.render_id": parameters.render_id,
        "gwmorph.encoder_id": made.encoder_id,
    }
    write_windows(windows, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        noise_windows(
            job=snakemake.params.job,
            files=list(snakemake.input.files),
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            events=EventsConfig.model_validate(snakemake.params.events),
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            modules=snakemake.params.modules,
            known=snakemake.params.known,
            catalog=[Path(path) for path in snakemake.input.catalog],
            windows=Path(snakemake.output.windows),
        )
