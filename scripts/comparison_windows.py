"""Look at one job's windows of the comparison's campaign with the vectors of every encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig, EventsConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.campaign import Job
from gwmorph.evidence.injections import observe, simulated_backgrounds, write_windows
from gwmorph.evidence.statistics import register_encoder
from gwmorph.joblog import JobLog
from gwmorph.lineage import lineage


def comparison_windows(
    job: Mapping[str, Any],
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    events: EventsConfig,
    encoders: Sequence[EncoderConfig],
    windows: Path,
) -> None:
    parameters = RenderParameters.from_sections(window_s, **rendering)
    size = (parameters.height, parameters.width)
    for encoder in encoders:
        register_encoder(encoder.name, encoder, size)
    whole = Job.from_params(job)
    # What is not compared, such as the score, is made with the encoder that costs least.
    cheapest = make_encoder(EncoderConfig(name="dct"), size)
    table = observe(whole, simulated_backgrounds(whole, parameters), parameters, cheapest, events)
    metadata = {
        **lineage({"job": dict(job), "events": events.model_dump()}, []),
        "gwmorph.render_id": parameters.render_id,
    }
    write_windows(windows, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        comparison_windows(
            job=snakemake.params.job,
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            events=EventsConfig.model_validate(snakemake.params.events),
            encoders=[
                EncoderConfig.model_validate({**snakemake.params.section, "name": entry["name"]})
                for entry in snakemake.params.encoders
            ],
            windows=Path(snakemake.output.windows),
        )
