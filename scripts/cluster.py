"""Cluster all windows or all events of a run and lay them out on the map."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.config import ClusteringConfig
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology import cluster_tables
from gwmorph.morphology.clustering import cluster as find_clusters
from gwmorph.morphology.outside import cut_without_umap, found_again
from gwmorph.storage import write_sealed_json
from gwmorph.tables.clusters import CLUSTER_SUMMARY, CLUSTERS
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import shared_metadata, write_table


def cluster(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    parameters: Mapping[str, Any],
    seed: int,
    clusters: Path,
    cluster_summary: Path,
    space: Path,
    diagnostics: Path,
) -> None:
    metadata = {
        **shared_metadata(shards, ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"clustering": dict(parameters), "seed": seed}, hashes_of([*shards, *triggers])),
    }
    embeddings = cluster_tables.events_of_run(shards, triggers)
    vectors, chosen = embedding_matrix(embeddings), ClusteringConfig.model_validate(parameters)
    found = find_clusters(vectors, chosen, seed)
    jaccards = found_again(found.labels[found.fitted], cut_without_umap(found, chosen, seed))
    rows = cluster_tables.cluster_table(embeddings, found, jaccards)
    write_table(clusters, CLUSTERS, rows, metadata)
    summary = cluster_tables.cluster_summary(embeddings, found, jaccards)
    write_table(cluster_summary, CLUSTER_SUMMARY, summary, metadata)
    places = cluster_tables.space_table(embeddings, found)
    write_table(space, places.schema, places, metadata)
    write_sealed_json(
        diagnostics, {**found.diagnostics, "parameters": dict(parameters), "seed": seed}
    )


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        cluster(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            parameters=snakemake.params.clustering,
            seed=snakemake.params.seed,
            clusters=Path(snakemake.output.clusters),
            cluster_summary=Path(snakemake.output.cluster_summary),
            space=Path(snakemake.output.space),
            diagnostics=Path(snakemake.output.diagnostics),
        )
