"""Measure how far the limits of one view hold, and what they would notice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwmorph.evidence.intervals import Bootstrap, blocks_of_time
from gwmorph.evidence.judging import classes_in
from gwmorph.evidence.novelty import (
    COLUMNS,
    VECTORS,
    curve_rows,
    negative_distances,
    novelty_rows,
    powers,
    real_time_rows,
    resplit_rows,
    standardised,
)
from gwmorph.evidence.reference import times_of, trigger_columns_of
from gwmorph.joblog import JobLog
from gwmorph.lineage import hashes_of, lineage
from gwmorph.morphology.thresholds import require_rate
from gwmorph.tables.calibration import ACHIEVED_RATES, NOVELTY, NOVELTY_ROC
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.validation import REFERENCE


def novelty(reference: Path, settings: Mapping[str, Any], outputs: Mapping[str, Path]) -> None:
    labelled = read_table(reference, REFERENCE)
    vectors, classes = embedding_matrix(labelled), classes_in(labelled)
    require_rate(classes, settings["rate"], settings["promise"])
    blocks = blocks_of_time(labelled, settings["block_s"])
    bootstrap = Bootstrap(settings["block_s"], settings["repeats"], settings["seed"])
    rates = sorted({*settings["rates"], settings["rate"]})
    achieved = resplit_rows(vectors, classes, rates, settings["resplits"], settings["seed"])
    achieved += real_time_rows(
        vectors, classes, blocks, times_of(labelled), settings["gap_s"], rates, bootstrap
    )
    columns = standardised(trigger_columns_of(labelled))
    noticed, curves = [], []
    for features, found in (
        (VECTORS, list(powers(vectors, classes))),
        (COLUMNS, list(powers(columns, classes, negative_distances))),
    ):
        noticed += novelty_rows(features, found, blocks, rates, bootstrap)
        curves += curve_rows(features, found)
    metadata = {
        **shared_metadata([reference], ["gwmorph.render_id", "gwmorph.encoder_id"]),
        **lineage(dict(settings), hashes_of([reference])),
    }
    write_table(outputs["achieved"], ACHIEVED_RATES, achieved, metadata)
    write_table(outputs["novelty"], NOVELTY, noticed, metadata)
    write_table(outputs["curves"], NOVELTY_ROC, curves, metadata)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        novelty(
            reference=Path(snakemake.input.reference),
            settings={**snakemake.params.settings, **snakemake.params.judging},
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
