"""Name the rows and clusters of one view by labelled rows, and score the names."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gwmorph.encoders.base import View
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.naming import name_run
from gwmorph.evidence.reference import read_reference
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import CONFUSION, NAMED_CLUSTERS, NAMED_ROWS, NAMING, REFERENCE


def similarity(
    shards: Sequence[Path],
    triggers: Sequence[Path],
    clusters: Path,
    own: Path,
    others: Sequence[Path],
    view: View,
    settings: Mapping[str, Any],
    outputs: Mapping[str, Path],
) -> None:
    ids = shared_metadata([*shards, clusters, own], ["gwmorph.render_id", "gwmorph.encoder_id"])
    other = next(
        (
            read_reference(path, ids["gwmorph.render_id"], ids["gwmorph.encoder_id"], view)
            for path in others
        ),
        None,
    )
    found = name_run(
        events_of_run(shards, triggers),
        read_table(clusters, CLUSTERS)["cluster"].to_numpy(),
        read_table(own, REFERENCE),
        other,
        settings["neighbors"],
        settings["gap_s"],
        Bootstrap(settings["block_s"], settings["repeats"], settings["seed"]),
    )
    read = [*shards, *triggers, clusters, own, *others]
    metadata = {**ids, **lineage(dict(settings), hashes_of(read))}
    named = [{"cluster": i, **asdict(name)} for i, name in enumerate(found.clusters)]
    write_table(outputs["rows"], NAMED_ROWS, found.rows, metadata)
    write_table(outputs["clusters"], NAMED_CLUSTERS, named, metadata)
    write_table(outputs["scores"], NAMING, found.scores, metadata)
    write_table(outputs["confusion"], CONFUSION, found.confusion, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        similarity(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=[Path(path) for path in snakemake.input.triggers],
            clusters=Path(snakemake.input.clusters),
            own=Path(snakemake.input.own),
            others=[Path(path) for path in snakemake.input.others],
            view=snakemake.wildcards.view,
            settings=snakemake.params.similarity,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
