"""Simulate noise, inject one morphology (or nothing), and look at every window."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig, EventsConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import observe, simulated_backgrounds, write_windows
from gwmorph.evidence.registry import load_statistics
from gwmorph.joblog import JobLog
from gwmorph.lineage import lineage


def injection_windows(
    job: Mapping[str, Any],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    events: EventsConfig,
    encoder: EncoderConfig,
    modules: Sequence[str],
    windows: Path,
) -> None:
    load_statistics(modules, encoder.autoencoder)
    parameters = RenderParameters.from_sections(window_s, **rendering)
    made = make_encoder(encoder, (parameters.height, parameters.width))
    whole = Job.from_params(job)
    table = observe(whole, simulated_backgrounds(whole, parameters), parameters, made, events)
    metadata = {
        **lineage({"job": dict(job), "events": events.model_dump()}, []),
        "gwmorph.render_id": parameters.render_id,
        "gwmorph.encoder_id": made.encoder_id,
    }
    write_windows(windows, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        injection_windows(
            job=snakemake.params.job,
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            events=EventsConfig.model_validate(snakemake.params.events),
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            modules=snakemake.params.modules,
            windows=Path(snakemake.output.windows),
        )
