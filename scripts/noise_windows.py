"""Inject one morphology (or nothing) into real noise, and look at every window.

Reference and calibration are simulated noise at the rate of the real one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig, EventsConfig
from gwmorph.encoders.base import make_encoder
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import (
    observe,
    real_backgrounds,
    simulated_backgrounds,
    write_windows,
)
from gwmorph.evidence.registry import load_statistics
from gwmorph.joblog import JobLog
from gwmorph.lineage import lineage
from gwmorph.strain.directory import DirectorySource

LATEST_GPS = 2**31


def noise_windows(
    job: Mapping[str, Any],
    files: Sequence[str],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    events: EventsConfig,
    encoder: EncoderConfig,
    modules: Sequence[str],
    windows: Path,
) -> None:
    load_statistics(modules)
    whole = Job(**{**job, "snrs": tuple(job["snrs"])})
    source = DirectorySource({whole.detector: files})
    offered = source.files(whole.detector, 0, LATEST_GPS)
    parameters = RenderParameters.from_sections(window_s, **rendering)
    # Noise that is slower than the analysis is looked at with its own rate.
    slowest = min(file.sample_rate for file in offered)
    parameters = replace(parameters, sample_rate=min(parameters.sample_rate, slowest))
    made = make_encoder(encoder, (parameters.height, parameters.width))
    receipts = [source.obtain(file) for file in offered]
    if whole.role == "noise":
        segments = source.segments(whole.detector, 0, LATEST_GPS)
        backgrounds = real_backgrounds(whole, receipts, segments, parameters)
    else:
        backgrounds = simulated_backgrounds(whole, parameters)
    table = observe(whole, backgrounds, parameters, made, events)
    metadata = {
        **lineage(
            {"job": dict(job), "events": events.model_dump()}, [file.sha256 for file in receipts]
        ),
        "gwmorph.render_id": parameters.render_id,
        "gwmorph.encoder_id": made.encoder_id,
    }
    write_windows(windows, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        noise_windows(
            job=snakemake.params.job,
            files=list(snakemake.input.files),
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            events=EventsConfig.model_validate(snakemake.params.events),
            encoder=EncoderConfig.model_validate(snakemake.config["encoder"]),
            modules=snakemake.params.modules,
            windows=Path(snakemake.output.windows),
        )
