"""Encode the views of those candidates that became events."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.shards import AdmittedOutputs, write_shard
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.run_pictures import Pictures


def embed_admitted(
    triggers: Path,
    pictures: Sequence[Path],
    window_s: int,
    events_snr: float,
    encoder: EncoderConfig,
    size: tuple[int, int],
    parameters: Mapping[str, Any],
    shard: Path,
) -> None:
    admitted = AdmittedOutputs(triggers, Pictures(pictures, window_s), events_snr)
    metadata = lineage(parameters, hashes_of([triggers]))
    write_shard(shard, [admitted], make_encoder(encoder, size), encoder.batch_size, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        embed_admitted(
            triggers=Path(snakemake.input.triggers),
            pictures=[Path(path) for path in snakemake.input.pictures],
            window_s=snakemake.params.window_s,
            events_snr=snakemake.params.events_snr,
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            size=tuple(snakemake.params.size),
            parameters=snakemake.params.encoder,
            shard=Path(snakemake.output.shard),
        )
