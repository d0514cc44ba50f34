"""Train an autoencoder on event views, without labels; go on from a checkpoint if there is one."""

from pathlib import Path

import torch

from gwmorph.config import AutoencoderConfig, LearningConfig
from gwmorph.encoders.autoencoder import write_autoencoder
from gwmorph.encoders.autoencoder_network import AutoencoderArchitecture
from gwmorph.joblog import JobLog
from gwmorph.learning.autoencoder import AUGMENTATION, AutoencoderRecipe, train_autoencoder
from gwmorph.learning.autoencoder_parts import parts_of
from gwmorph.learning.labelled_pictures import read_labelled_pictures
from gwmorph.learning.loop import Checkpoint, counted_steps, write_curves
from gwmorph.learning.machine import machine_of
from gwmorph.lineage import hashes_of
from gwmorph.storage import content_hash


def autoencode(
    pictures: Path,
    settings: AutoencoderConfig,
    learning: LearningConfig,
    code: str,
    threads: int,
    checkpoint: Path,
    weights: Path,
    curves: Path,
) -> None:
    torch.set_num_threads(threads)
    about = settings.model_dump(mode="json", exclude={"head"})
    about |= learning.model_dump(include={"seed", "validation_fraction", "test_fraction"})
    training = content_hash([about, code, hashes_of([pictures])])
    machine = machine_of(learning.device, learning.precision, "learning")
    parts = parts_of(read_labelled_pictures(pictures), settings.split, learning)
    recipe = AutoencoderRecipe.of(settings, learning.seed)
    with counted_steps(recipe.steps) as tell:
        fitted, task = train_autoencoder(
            parts["train"].crops,
            parts["validation"].crops,
            recipe,
            AutoencoderArchitecture(seen=settings.seen),
            AUGMENTATION,
            Checkpoint(checkpoint, learning.checkpoint_steps, training),
            machine,
            tell,
        )
    write_curves(curves, "autoencoder", task, fitted, settings.validation_steps, training)
    about |= {"classes": sorted(set(parts["train"].labels.tolist())), "step": fitted.best_step}
    write_autoencoder(weights, fitted.network, {"training": about, "machine": machine.to_json()})
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        autoencode(
            pictures=Path(snakemake.input.pictures),
            settings=AutoencoderConfig.model_validate(snakemake.params.section),
            learning=LearningConfig.model_validate(snakemake.params.learning),
            code=snakemake.params.code,
            threads=snakemake.threads,
            # No output, since outputs of a rule that fails are removed.
            checkpoint=Path(snakemake.output.weights).with_name("checkpoint.pt"),
            weights=Path(snakemake.output.weights),
            curves=Path(snakemake.output.curves),
        )
