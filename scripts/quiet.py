"""Simulate quiet windows of a detector: what a score of its windows is measured against."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.block import RenderParameters
from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.evidence.quiet import quiet_windows
from gwmorph.joblog import JobLog
from gwmorph.lineage import lineage
from gwmorph.tables.parquet import write_table


def quiet(
    detector: str,
    windows: int,
    seed: int,
    window_s: int,
    rendering: Mapping[str, Mapping[str, Any]],
    encoder: EncoderConfig,
    result: Path,
) -> None:
    parameters = RenderParameters.from_sections(window_s, **rendering)
    made = make_encoder(encoder, (parameters.height, parameters.width))
    table = quiet_windows(detector, windows, seed, parameters, made)
    metadata = {
        **lineage({"detector": detector, "windows": windows, "seed": seed}, []),
        "gwmorph.render_id": parameters.render_id,
        "gwmorph.encoder_id": made.encoder_id,
    }
    write_table(result, table.schema, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        quiet(
            detector=snakemake.wildcards.detector,
            windows=snakemake.params.windows,
            seed=snakemake.params.seed,
            window_s=snakemake.params.window_s,
            rendering=snakemake.params.rendering,
            # Where weights are fetched from and kept changes no byte, so it is no param.
            encoder=EncoderConfig.model_validate(snakemake.config["encoder"]),
            result=Path(snakemake.output.quiet),
        )
