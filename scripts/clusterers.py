"""Cut a sample of one view in several ways and compare each with the known classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from gwmorph.config import ClusteringConfig, ValidationConfig
from gwmorph.evidence import clusterers as steps
from gwmorph.evidence.reference import labels_of_rows
from gwmorph.evidence.sample import draw_sample
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import CLUSTERERS, REFERENCE


def clusterers(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    clusters: Path,
    own: Path,
    clustering: Mapping[str, Any],
    run_seed: int,
    validation: Mapping[str, Any],
    clusterers: Path,
) -> None:
    keys = ValidationConfig.model_validate(validation)
    read = [*shards, *triggers, clusters, own]
    metadata = {
        **shared_metadata([*shards, clusters, own], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage(
            {"clustering": dict(clustering), "seed": run_seed, **validation}, hashes_of(read)
        ),
    }
    run = events_of_run(shards, triggers)
    sample = draw_sample(run, read_table(clusters, CLUSTERS), keys.rows, keys.block_s, keys.seed)
    parameters = ClusteringConfig.model_validate(clustering)
    partitions = steps.cut_by_all(sample, parameters, run_seed, keys.seed)
    classes = labels_of_rows(run.take(pa.array(sample.rows)), read_table(own, REFERENCE))
    rows = steps.clusterer_rows(partitions, classes, sample.blocks, keys.repeats, keys.seed)
    write_table(clusterers, CLUSTERERS, rows, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        clusterers(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            clusters=Path(snakemake.input.clusters),
            own=Path(snakemake.input.own),
            clustering=snakemake.params.clustering,
            run_seed=snakemake.params.seed,
            validation=snakemake.params.validation,
            clusterers=Path(snakemake.output.clusterers),
        )
