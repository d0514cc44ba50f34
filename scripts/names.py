"""Name the rows and clusters of one view by labelled rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from gwmorph.encoders.base import View
from gwmorph.evidence.naming import name_run
from gwmorph.evidence.reference import read_reference
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import NAMED_CLUSTERS, NAMED_ROWS, REFERENCE


def names(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    clusters: Path,
    own: Path,
    others: Sequence[Path],
    view: View,
    neighbors: int,
    outputs: Mapping[str, Path],
) -> None:
    ids = shared_metadata([*shards, clusters, own], ["gwmorph.render_id", "gwmorph.encoder_id"])
    render_id, encoder_id = ids["gwmorph.render_id"], ids["gwmorph.encoder_id"]
    found = name_run(
        events_of_run(shards, triggers),
        read_table(clusters, CLUSTERS)["cluster"].to_numpy(),
        read_table(own, REFERENCE),
        next((read_reference(path, render_id, encoder_id, view) for path in others), None),
        neighbors,
    )
    read = [*shards, *triggers, clusters, own, *others]
    metadata = {**ids, **lineage({"neighbors": neighbors}, hashes_of(read))}
    named = [{"cluster": i, **asdict(name)} for i, name in enumerate(found.clusters)]
    write_table(outputs["rows"], NAMED_ROWS, found.rows, metadata)
    write_table(outputs["clusters"], NAMED_CLUSTERS, named, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        names(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            clusters=Path(snakemake.input.clusters),
            own=Path(snakemake.input.own),
            others=[Path(path) for path in snakemake.input.others],
            view=snakemake.wildcards.view,
            neighbors=snakemake.params.neighbors,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
