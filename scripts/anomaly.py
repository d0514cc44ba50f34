"""Say which rows of one view are unlike the others, and which kinds would be noticed as new."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gwmorph.config import ClusteringConfig, ValidationConfig
from gwmorph.evidence import anomaly as steps
from gwmorph.evidence.reference import labels_of_rows
from gwmorph.evidence.sample import Sample, draw_sample
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import ANOMALIES, ANOMALOUS_CLUSTERS, NOTICED, REFERENCE


def anomaly(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    clusters: Path,
    labelled: Sequence[Path],
    clustering: Mapping[str, Any],
    run_seed: int,
    validation: ValidationConfig,
    outputs: Mapping[str, Path],
) -> None:
    read = [*shards, *triggers, clusters, *labelled]
    metadata = {
        **shared_metadata([*shards, clusters], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"clustering": dict(clustering), **validation.model_dump()}, hashes_of(read)),
    }
    embeddings, clustered = events_of_run(shards, triggers), read_table(clusters, CLUSTERS)
    sample = draw_sample(
        embeddings, clustered, validation.rows, validation.block_s, validation.seed
    )
    chosen, rate = ClusteringConfig.model_validate(clustering), validation.anomaly.rate
    rare = steps.row_p_values(sample.vectors, sample.blocks, chosen, run_seed, validation.seed)
    noticed = steps.left_out_rows(
        sample.vectors,
        sample.blocks,
        _kinds(embeddings.take(pa.array(sample.rows)), sample, labelled),
        rate,
        chosen,
        (run_seed, validation.seed),
    )
    achieved = steps.achieved_rows(rare, sample.blocks, rate, validation.repeats, validation.seed)
    rows = {
        **{name: clustered[name].take(pa.array(sample.rows)) for name in ANOMALIES.names[:5]},
        "p_components": rare[steps.COMPONENTS],
        "p_umap": rare[steps.UMAP],
        "anomalous": pa.array(
            rare[steps.COMPONENTS] <= rate, mask=np.isnan(rare[steps.COMPONENTS])
        ),
    }
    write_table(outputs["rows"], ANOMALIES, pa.table(rows, schema=ANOMALIES), metadata)
    found = steps.cluster_rows(sample.labels, rare, rate)
    write_table(outputs["clusters"], ANOMALOUS_CLUSTERS, found, metadata)
    write_table(outputs["noticed"], NOTICED, [*achieved, *noticed], metadata)


def _kinds(drawn: pa.Table, sample: Sample, labelled: Sequence[Path]) -> np.ndarray:
    """Return the known class of each row, or, where no row has one, its cluster."""
    for path in labelled:
        classes = labels_of_rows(drawn, read_table(path, REFERENCE))
        if (classes != "").any():
            return classes
    return np.char.add("cluster ", sample.labels.astype(str))


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        anomaly(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            clusters=Path(snakemake.input.clusters),
            labelled=[Path(path) for path in snakemake.input.labelled],
            clustering=snakemake.params.clustering,
            run_seed=snakemake.params.seed,
            validation=ValidationConfig.model_validate(snakemake.params.validation),
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
