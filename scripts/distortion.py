"""Say what UMAP did to the distances of one view, and how separate its clusters are without it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gwmorph.config import ValidationConfig
from gwmorph.evidence import distortion as steps
from gwmorph.evidence.sample import draw_sample
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.clusters import CLUSTERS, SPACE
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import DISTORTION, SEPARATION


def distortion(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    clusters: Path,
    space: Path,
    validation: Mapping[str, Any],
    distortion: Path,
    separation: Path,
) -> None:
    own = ValidationConfig.model_validate(validation)
    read = [*shards, *triggers, clusters, space]
    metadata = {
        **shared_metadata([*shards, clusters], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage(dict(validation), hashes_of(read)),
    }
    embeddings, labelled = events_of_run(shards, triggers), read_table(clusters, CLUSTERS)
    sample = draw_sample(embeddings, labelled, own.rows, own.block_s, own.seed)
    places = embedding_matrix(read_table(space, SPACE), "place")
    flat = np.column_stack([labelled["x"].to_numpy(), labelled["y"].to_numpy()])
    shown = {"space": places[sample.rows], "map": flat[sample.rows]}
    rows = steps.distortion_rows(sample, shown, own.repeats, own.seed)
    write_table(distortion, DISTORTION, rows, metadata)
    rows = steps.separation_rows(
        embedding_matrix(embeddings),
        labelled["cluster"].to_numpy(),
        own.rows,
        own.permutations,
        own.seed,
    )
    write_table(separation, SEPARATION, rows, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        distortion(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            clusters=Path(snakemake.input.clusters),
            space=Path(snakemake.input.space),
            validation=snakemake.params.validation,
            distortion=Path(snakemake.output.distortion),
            separation=Path(snakemake.output.separation),
        )
