"""Set the limits of each class of one view: below which similarity a row is none of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwmorph.encoders.base import View
from gwmorph.evidence.judging import bounded, classes_in, clusters_as_classes
from gwmorph.evidence.reference import read_reference
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.atlas import limit_rows, read_atlas
from gwmorph.morphology.cluster_tables import events_of_run
from gwmorph.morphology.thresholds import ANY, limits_of, require_rate
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.calibration import THRESHOLDS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import REFERENCE


def limits(
    shards: Sequence[Path],
    triggers: Path,
    clusters: Sequence[Path],
    own: Sequence[Path],
    others: Sequence[Path],
    atlas: Sequence[Path],
    view: View,
    judging: Mapping[str, Any],
    must_grant: bool,
    seed: int,
    reference: Path,
    thresholds: Path,
) -> None:
    ids = shared_metadata(shards, ["gwmorph.render_id", "gwmorph.encoder_id"])
    render_id, encoder_id = ids["gwmorph.render_id"], ids["gwmorph.encoder_id"]
    rate = judging["rate"]
    if atlas:
        found = read_atlas(atlas[0].parent)
        labelled = read_reference(atlas[1], render_id, encoder_id, view)
        rows = found.limits(view)
    else:
        if others:
            labelled = read_reference(others[0], render_id, encoder_id, view)
        elif own:
            labelled = read_table(own[0], REFERENCE)
        else:
            run = events_of_run(shards, [triggers] if view == "event" else [])
            labelled = clusters_as_classes(
                run, read_table(clusters[0], CLUSTERS), read_table(triggers, TRIGGERS)
            )
        labelled = bounded(labelled, judging["promise"], seed)
        rows = limits_of(embedding_matrix(labelled), classes_in(labelled), rate, seed)
        # Without any limit nothing is NOVEL, whatever the rate.
        if must_grant and any(one.label == ANY for one in rows):
            require_rate(classes_in(labelled), rate, judging["promise"])
    hashes = hashes_of([*shards, triggers, *clusters, *own, *others, *atlas])
    metadata = {**ids, **lineage({**judging, "seed": seed}, hashes)}
    write_table(reference, labelled.schema, labelled, metadata)
    table = limit_rows(rows, labelled["label"].to_pylist(), rate)
    write_table(thresholds, THRESHOLDS, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        limits(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=Path(snakemake.input.triggers),
            clusters=[Path(path) for path in snakemake.input.clusters],
            own=[Path(path) for path in snakemake.input.own],
            others=[Path(path) for path in snakemake.input.others],
            atlas=[Path(path) for path in snakemake.input.atlas],
            view=snakemake.wildcards.view,
            judging=snakemake.params.judging,
            must_grant=snakemake.params.must_grant,
            seed=snakemake.params.seed,
            reference=Path(snakemake.output.reference),
            thresholds=Path(snakemake.output.thresholds),
        )
