"""Train heads on an autoencoder's bottleneck, and score all that it is worth."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import torch

from gwmorph.config import AutoencoderConfig, LearningConfig
from gwmorph.encoders.autoencoder import load_autoencoder
from gwmorph.joblog import JobLog
from gwmorph.learning.autoencoder import (
    HEAD_AUGMENTATION,
    AutoencoderRecipe,
    Head,
    train_bottleneck_classifier,
)
from gwmorph.learning.autoencoder_parts import parts_of
from gwmorph.learning.autoencoder_scores import (
    reconstructed,
    score_classifier,
    score_neighbors,
    score_reconstruction,
)
from gwmorph.learning.labelled_pictures import read_labelled_pictures
from gwmorph.learning.loop import Checkpoint, counted_steps, curves_table
from gwmorph.learning.machine import machine_of
from gwmorph.lineage import hashes_of, lineage
from gwmorph.storage import content_hash
from gwmorph.tables.autoencoder import AUTOENCODER_SCORES, RECONSTRUCTIONS
from gwmorph.tables.parquet import write_table
from gwmorph.tables.training import CURVES

HEADS = {"head alone": True, "head and network": False}


def autoencoder_heads(
    pictures: Path,
    weights: Path,
    settings: AutoencoderConfig,
    learning: LearningConfig,
    code: str,
    threads: int,
    checkpoints: Path,
    outputs: Mapping[str, str],
) -> None:
    torch.set_num_threads(threads)
    head = settings.head
    about = {
        **settings.model_dump(mode="json", include={"split", "head"}),
        **learning.model_dump(include={"seed", "validation_fraction", "test_fraction"}),
    }
    machine = machine_of(learning.device, learning.precision, "learning")
    parts = parts_of(read_labelled_pictures(pictures), settings.split, learning)
    made, curves = [], []
    recipe = AutoencoderRecipe.of(head, learning.seed)
    for name, frozen in HEADS.items():
        training = content_hash([name, about, code, hashes_of([pictures, weights])])
        with counted_steps(recipe.steps, f"steps of {name}") as tell:
            fitted, task = train_bottleneck_classifier(
                load_autoencoder(weights),
                frozen,
                parts["train"].labelled,
                parts["validation"].labelled,
                recipe,
                Head(head.hidden, head.before),
                HEAD_AUGMENTATION,
                Checkpoint(checkpoints / f"{name}.pt", learning.checkpoint_steps, training),
                machine,
                tell,
            )
        curves.append(curves_table(name, task, fitted, head.validation_steps))
        made += score_classifier(name, fitted.network, parts, machine, learning.seed)
    network = load_autoencoder(weights).to(machine.device)
    made += score_neighbors(network, parts, machine, learning.seed)
    made += score_reconstruction(network, parts, machine, learning.seed)
    metadata = lineage(about, hashes_of([pictures, weights]))
    write_table(outputs["curves"], CURVES, pa.concat_tables(curves), metadata)
    write_table(outputs["scores"], AUTOENCODER_SCORES, made, metadata)
    shown = reconstructed(network, parts["test"], machine)
    write_table(outputs["reconstructions"], RECONSTRUCTIONS, shown, metadata)
    for name in HEADS:
        (checkpoints / f"{name}.pt").unlink(missing_ok=True)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        autoencoder_heads(
            pictures=Path(snakemake.input.pictures),
            weights=Path(snakemake.input.weights),
            settings=AutoencoderConfig.model_validate(snakemake.params.section),
            learning=LearningConfig.model_validate(snakemake.params.learning),
            code=snakemake.params.code,
            threads=snakemake.threads,
            # No outputs, since outputs of a rule that fails are removed.
            checkpoints=Path(snakemake.output.scores).parent,
            outputs=dict(snakemake.output.items()),
        )
