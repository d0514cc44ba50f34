"""Collect the rows of one view whose class is known, as a reference for this run and others."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gwmorph.encoders.base import View
from gwmorph.evidence import reference as steps
from gwmorph.evidence.known_events import shows_known
from gwmorph.joblog import JobLog
from gwmorph.labels import read_labels
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.cluster_tables import columns_of_triggers, events_of_run
from gwmorph.tables.block import TRIGGERS
from gwmorph.tables.known_events import KNOWN_SPANS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.truth import TRUTH


def reference(
    shards: Sequence[Path],
    triggers: Path,
    view: View,
    labels: Sequence[Path],
    truth: Sequence[Path],
    known: Sequence[Path],
    window_s: int,
    margin_s: float,
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
    for path in known:
        shown = shows_known(run, read_table(path, KNOWN_SPANS), window_s, margin_s)
        classes = np.where(shown, steps.UNKNOWN, classes)
    shapes = columns_of_triggers(run, found, ["duration", "bandwidth"])
    table = steps.reference_table(run, classes, shapes)
    metadata = {
        **shared_metadata(shards, ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage(
            {"window_s": window_s, "margin_s": margin_s},
            hashes_of([*shards, triggers, *labels, *truth, *known]),
        ),
    }
    write_table(reference, table.schema, table, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        reference(
            shards=[Path(path) for path in snakemake.input.shards],
            triggers=Path(snakemake.input.triggers),
            view=snakemake.wildcards.view,
            labels=[Path(path) for path in snakemake.input.labels],
            truth=[Path(path) for path in snakemake.input.truth],
            known=[Path(path) for path in snakemake.input.known],
            margin_s=snakemake.params.margin_s,
            window_s=snakemake.params.window_s,
            reference=Path(snakemake.output.reference),
        )
