"""Encode one view of a group of blocks into one shard."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.shards import BlockOutputs, EventOutputs, WindowOutputs, write_shard
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage


def embed(
    blocks: Sequence[BlockOutputs],
    encoder: EncoderConfig,
    size: tuple[int, int],
    parameters: Mapping[str, Any],
    shard: Path,
) -> None:
    tables_read = [path for block in blocks for path in block.tables]
    metadata = lineage(parameters, hashes_of(tables_read))
    write_shard(shard, blocks, make_encoder(encoder, size), encoder.batch_size, metadata)


def block_outputs(
    view: str, files: Mapping[str, Sequence[str]], events_snr: float
) -> list[BlockOutputs]:
    named = {name: [Path(path) for path in paths] for name, paths in files.items()}
    if view == "window":
        rows = zip(named["ledger"], named["measurements"], named["pictures"], strict=True)
        return [WindowOutputs(*row) for row in rows]
    pairs = zip(named["triggers"], named["pictures"], strict=True)
    return [EventOutputs(*pair, events_snr) for pair in pairs]


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        embed(
            blocks=block_outputs(
                snakemake.wildcards.view,
                dict(snakemake.input.items()),
                snakemake.params.events_snr,
            ),
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            size=tuple(snakemake.params.size),
            parameters=snakemake.params.encoder,
            shard=Path(snakemake.output.shard),
        )
