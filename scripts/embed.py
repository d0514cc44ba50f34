"""Encode the pictures of a group of blocks into one shard."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import make_encoder
from gwmorph.encoders.shards import BlockOutputs, write_shard
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage


def embed(
    blocks: Sequence[BlockOutputs],
    encoder: EncoderConfig,
    size: tuple[int, int],
    parameters: Mapping[str, Any],
    shard: Path,
) -> None:
    tables_read = [path for block in blocks for path in (block.ledger, block.measurements)]
    metadata = lineage(parameters, hashes_of(tables_read))
    write_shard(shard, blocks, make_encoder(encoder, size), encoder.batch_size, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        embed(
            blocks=[
                BlockOutputs(Path(ledger), Path(measurements), Path(pictures))
                for ledger, measurements, pictures in zip(
                    snakemake.input.ledgers,
                    snakemake.input.measurements,
                    snakemake.input.pictures,
                    strict=True,
                )
            ],
            # Where weights are fetched from and kept changes no byte, so it is no param.
            encoder=EncoderConfig.model_validate(snakemake.config["encoder"]),
            size=tuple(snakemake.params.size),
            parameters=snakemake.params.encoder,
            shard=Path(snakemake.output.shard),
        )
