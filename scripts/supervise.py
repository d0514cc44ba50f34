"""Train a network to name classes of pictures; go on from a checkpoint if there is one."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gwmorph.config import LearningConfig
from gwmorph.joblog import JobLog
from gwmorph.learning.classification import (
    ClassifierRecipe,
    ms_per_picture,
    prediction_columns,
    probabilities,
    train_classifier,
)
from gwmorph.learning.labelled_pictures import TEST, read_labelled_pictures, split
from gwmorph.learning.loop import Checkpoint, counted_steps, curves_table
from gwmorph.learning.machine import machine_of
from gwmorph.learning.networks import weights_file, write_classifier
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import content_hash, write_sealed_json
from gwmorph.tables.learning import PREDICTIONS
from gwmorph.tables.parquet import write_table
from gwmorph.tables.training import CURVES


def supervise(
    pictures: Path,
    name: str,
    training: Mapping[str, Any],
    recipe: Mapping[str, Any],
    start: str | None,
    start_content: list[str],
    learning: LearningConfig,
    code: str,
    threads: int,
    checkpoint: Path,
    outputs: Mapping[str, Path],
) -> None:
    torch.set_num_threads(threads)
    machine = machine_of(learning.device, learning.precision, "learning")
    shown = read_labelled_pictures(pictures)
    fractions = (learning.validation_fraction, learning.test_fraction)
    sides = split(shown, training["split"], fractions, learning.seed)
    weights = None if start is None else weights_file(start, training["network"])
    if weights is None:
        logging.getLogger(__name__).warning(
            "supervised.weights is null: %s starts from random weights, not from ImageNet's, and "
            "its figures say nothing of transfer.",
            training["network"],
        )
    about = {"training": training, "recipe": recipe, "seed": learning.seed, "sides": fractions}
    whose = content_hash([about, code, start_content, hashes_of([pictures])])
    done = ClassifierRecipe(**recipe, batch_size=training["batch_size"], seed=learning.seed)
    steps = done.epochs * max(int((sides == "train").sum()) // done.batch_size, 1)
    with counted_steps(steps) as tell:
        found = train_classifier(
            training["network"],
            shown,
            sides,
            done,
            weights,
            Checkpoint(checkpoint, learning.checkpoint_steps, whose),
            machine.device,
            machine.precision,
            tell,
        )
    rows = np.flatnonzero(sides == TEST)
    held = shown.of(rows)
    chances = probabilities(found.network, held.pictures, found.task.looks, machine.precision)
    metadata = lineage(about, hashes_of([pictures]))
    columns = prediction_columns(chances, found.classes, held, rows)
    write_table(outputs["predictions"], PREDICTIONS, columns, metadata)
    curves = curves_table(name, found.task, found.fitted, found.steps_per_epoch)
    write_table(outputs["curves"], CURVES, curves, metadata)
    write_sealed_json(outputs["facts"], {**training, "trained": name, **found.facts()})
    ms = ms_per_picture(found.network, held.pictures, found.task.looks)
    write_sealed_json(outputs["cost"], {"ms_per_picture": ms})
    told = {"training": about, "machine": machine.to_json(), "start": found.start.name}
    write_classifier(outputs["weights"], found.network, training["network"], found.classes, told)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        supervise(
            pictures=Path(snakemake.input.pictures),
            name=snakemake.wildcards.trained,
            training=snakemake.params.training,
            recipe=snakemake.params.recipe,
            start=snakemake.params.start,
            start_content=snakemake.params.start_content,
            learning=LearningConfig.model_validate(snakemake.params.section),
            code=snakemake.params.code,
            threads=snakemake.threads,
            # No output, since outputs of a rule that fails are removed.
            checkpoint=Path(snakemake.output.weights).with_name("checkpoint.pt"),
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
