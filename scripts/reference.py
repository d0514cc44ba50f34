"""Collect the rows of one view whose class is known, as a reference for this run and others."""

from collections.abc import Sequence
from pathlib import Path

from gwmorph.encoders.base import View
from gwmorph.evidence import reference as steps
from gwmorph.joblog import JobLog
from gwmorph.labels import read_labels
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import columns_of_triggers, events_of_run
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.truth import TRUTH


def reference(
    shards: Sequence[Path],
    triggers: Path,
    view: View,
    labels: Sequence[Path],
    truth: Sequence[Path],
    window_s: int,
    reference: Path,
) -> None:
    found = read_table(triggers, TRIGGERS)
    run = events_of_run(shards, [triggers] if view == "event" else [])
    classes = steps.known_classes(
        run,
        view,
        found,
        window_s,
        next(map(read_labels, labels), None),
        next((read_table(path, TRUTH) for path in truth), None),
    )
    shapes = columns_of_triggers(run, found, ["duration", "bandwidth"])
    table = steps.reference_table(run, classes, shapes)
    metadata = {
        **shared_metadata(shards, ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage({"window_s": window_s}, hashes_of([*shards, triggers, *labels, *truth])),
    }
    write_table(reference, table.schema, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0]):
        reference(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=Path(snakemake.input.triggers),
            view=snakemake.wildcards.view,
            labels=[Path(path) for path in snakemake.input.labels],
            truth=[Path(path) for path in snakemake.input.truth],
            window_s=snakemake.params.window_s,
            reference=Path(snakemake.output.reference),
        )
