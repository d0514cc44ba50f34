"""Cluster a sample of one view as it is and after every change, and compare."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.config import ClusteringConfig
from gwmorph.evidence.ablation import ablation_rows
from gwmorph.evidence.intervals import blocks_of_time
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import ABLATED, ABLATION_SAMPLE, AGREEMENTS


def ablation(
    sample: Path,
    changed: Mapping[str, Path],
    clustering: Mapping[str, Any],
    run_seed: int,
    validation: Mapping[str, Any],
    agreements: Path,
) -> None:
    rows = read_table(sample, ABLATION_SAMPLE)
    held = {name: read_table(path, ABLATED) for name, path in changed.items()}
    found = ablation_rows(
        embedding_matrix(rows),
        {
            name: (table["row"].to_numpy(), embedding_matrix(table)) if len(table) else None
            for name, table in held.items()
        },
        blocks_of_time(rows, validation["block_s"]),
        ClusteringConfig.model_validate(clustering),
        run_seed,
        validation["repeats"],
        validation["seed"],
    )
    read = [sample, *changed.values()]
    metadata = {
        **shared_metadata(read, ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"clustering": dict(clustering), **validation}, hashes_of(read)),
    }
    write_table(agreements, AGREEMENTS, found, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        names = snakemake.params.changes
        ablation(
            sample=Path(snakemake.input.sample),
            changed={
                name: Path(path) for name, path in zip(names, snakemake.input.changed, strict=True)
            },
            clustering=snakemake.params.clustering,
            run_seed=snakemake.params.seed,
            validation=snakemake.params.validation,
            agreements=Path(snakemake.output.agreements),
        )
