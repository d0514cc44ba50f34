"""Name classes by the trigger columns alone, beside which every network stands."""

from pathlib import Path

import numpy as np

from gwmorph.config import LearningConfig
from gwmorph.joblog import JobLog
from gwmorph.learning.boosting import boosted_triggers
from gwmorph.learning.classification import prediction_columns
from gwmorph.learning.labelled_pictures import TEST, TRAIN, read_labelled_pictures, split
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import write_sealed_json
from gwmorph.tables.learning import PREDICTIONS
from gwmorph.tables.parquet import write_table


def trigger_boosting(
    pictures: Path,
    name: str,
    window: str,
    how: str,
    learning: LearningConfig,
    predictions: Path,
    facts: Path,
) -> None:
    shown = read_labelled_pictures(pictures)
    fractions = (learning.validation_fraction, learning.test_fraction)
    sides = split(shown, how, fractions, learning.seed)
    found = boosted_triggers(shown, sides, learning.seed)
    rows = np.flatnonzero(sides == TEST)
    columns = prediction_columns(found.probabilities[rows], found.classes, shown.of(rows), rows)
    about = {"split": how, "fractions": fractions, "seed": learning.seed}
    write_table(predictions, PREDICTIONS, columns, lineage(about, hashes_of([pictures])))
    told = {
        "trained": name,
        "network": "triggers",
        "batch_size": None,
        "window": window,
        "split": how,
        "validation_error": found.validation_error,
        "trained_on": int((sides == TRAIN).sum()),
        "classes": len(found.classes),
        "parameters": None,
        "epochs": None,
        "best_epoch": None,
        "start": None,
        "start_sha256": None,
    }
    write_sealed_json(facts, told)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        trigger_boosting(
            pictures=Path(snakemake.input.pictures),
            name=snakemake.params.name,
            window=snakemake.params.window,
            how=snakemake.wildcards.split,
            learning=LearningConfig.model_validate(snakemake.params.section),
            predictions=Path(snakemake.output.predictions),
            facts=Path(snakemake.output.facts),
        )
