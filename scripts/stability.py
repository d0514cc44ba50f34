"""Cluster a sample of one view in many ways, and say which of the run's clusters stay."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import ClusteringConfig, ValidationConfig
from gwmorph.evidence import stability as steps
from gwmorph.evidence.sample import draw_sample
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_metadata, read_table, shared_metadata, write_table
from gwmorph.tables.validation import AGREEMENTS, PAIRS, SURVIVAL


def stability(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    clusters: Path,
    trainings: Sequence[Path],
    clustering: Mapping[str, Any],
    run_seed: int,
    validation: ValidationConfig,
    agreements: Path,
    pairs: Path,
    survival: Path,
) -> None:
    named = {f"{steps.TRAINING} {n}": path for n, path in enumerate(trainings, start=1)}
    read = [*shards, *triggers, clusters, *trainings]
    encoders = {name: read_metadata(path)["gwmorph.encoder_id"] for name, path in named.items()}
    metadata = {
        **shared_metadata([*shards, clusters, *trainings], ["gwmorph.render_id"]),
        **shared_metadata([*shards, clusters], ["gwmorph.encoder_id"]),
        **lineage({"clustering": dict(clustering), **validation.model_dump()}, hashes_of(read)),
        "gwmorph.trainings": json.dumps(encoders),
    }
    embeddings = events_of_run(shards, triggers)
    sample = draw_sample(
        embeddings,
        read_table(clusters, CLUSTERS),
        validation.rows,
        validation.block_s,
        validation.seed,
    )
    sampled = embeddings.take(sample.rows)
    vectors = {name: steps.training_vectors(path, sampled) for name, path in named.items()}
    parameters = ClusteringConfig.model_validate(clustering)
    chosen = list(
        steps.variants(
            parameters, run_seed, validation.stability, len(sample.rows), validation.seed
        )
    )
    partitions = {
        **steps.partitions_of(sample.vectors, chosen),
        **steps.training_partitions(vectors, parameters, run_seed),
    }
    kinds = {variant.name: variant.changed for variant in chosen}
    rows = steps.agreement_rows(
        sample.labels,
        partitions,
        kinds | dict.fromkeys(vectors, steps.TRAINING),
        sample.blocks,
        validation.repeats,
        validation.seed,
    )
    write_table(agreements, AGREEMENTS, rows, metadata)
    write_table(pairs, PAIRS, steps.pair_rows(sample.labels, partitions), metadata)
    found = steps.survival_rows(sample.labels, partitions, validation.survival)
    write_table(survival, SURVIVAL, found, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        stability(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            clusters=Path(snakemake.input.clusters),
            trainings=[Path(path) for path in snakemake.input.trainings],
            clustering=snakemake.params.clustering,
            run_seed=snakemake.params.seed,
            validation=ValidationConfig.model_validate(snakemake.params.validation),
            agreements=Path(snakemake.output.agreements),
            pairs=Path(snakemake.output.pairs),
            survival=Path(snakemake.output.survival),
        )
