"""Encode a sample of one view with the weights of another training of the run's encoder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import EncoderConfig
from gwmorph.encoders.base import weights_in
from gwmorph.encoders.registry import make_encoder, with_weights
from gwmorph.encoders.shards import write_shard
from gwmorph.evidence.sample import drawn_rows
from gwmorph.evidence.trainings import OWN, SampledViews, check_training, require_distinct
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.run_pictures import Pictures
from gwmorph.tables.parquet import shared_metadata


def retrained(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    pictures: Sequence[Path],
    window_s: int,
    sample: Mapping[str, int],
    encoder: EncoderConfig,
    weights: str,
    size: tuple[int, int],
    parameters: Mapping[str, Any],
    vectors: Path,
) -> None:
    check_training(encoder, weights)
    other = make_encoder(with_weights(encoder, weights), size)
    own = shared_metadata(shards, ["gwmorph.encoder_id"])["gwmorph.encoder_id"]
    require_distinct([(OWN, weights_in(own)), (weights, weights_in(other.encoder_id))])
    embeddings = events_of_run(shards, triggers)
    rows = embeddings.take(drawn_rows(len(embeddings), sample["rows"], sample["seed"]))
    shown_in = Pictures(pictures, window_s)
    views = SampledViews(rows["view"][0].as_py(), tuple(shards), rows, shown_in)
    metadata = lineage({**parameters, **sample}, hashes_of([*shards, *triggers]))
    write_shard(vectors, [views], other, encoder.batch_size, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        retrained(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            pictures=[Path(path) for path in snakemake.input.pictures],
            window_s=snakemake.params.window_s,
            sample=snakemake.params.sample,
            encoder=EncoderConfig.model_validate(snakemake.params.section),
            weights=snakemake.params.weights,
            size=tuple(snakemake.params.size),
            parameters=snakemake.params.encoder,
            vectors=Path(snakemake.output.vectors),
        )
