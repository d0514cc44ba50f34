"""Train a chirp network; go on from a checkpoint if there is one."""

from pathlib import Path

import torch

from gwmorph.config import ChirpSearchConfig
from gwmorph.evidence.chirp_noise import read_noise
from gwmorph.evidence.chirp_windows import Look, read_signals
from gwmorph.joblog import JobLog
from gwmorph.learning.chirp_examples import Curriculum, fixed_examples
from gwmorph.learning.chirp_search import ChirpRecipe, train_chirp_network
from gwmorph.learning.chirp_weights import Trained, write_chirp_network
from gwmorph.learning.loop import Checkpoint, counted_steps, write_curves
from gwmorph.learning.machine import machine_of
from gwmorph.lineage import hashes_of
from gwmorph.storage import content_hash


def chirp_network(
    noise: Path,
    training: Path,
    validation: Path,
    name: str,
    settings: ChirpSearchConfig,
    code: str,
    threads: int,
    checkpoint: Path,
    weights: Path,
    curves: Path,
) -> None:
    torch.set_num_threads(threads)
    look = Look.from_section(settings.model_dump())
    _, noises = read_noise(noise, look)
    recipe = ChirpRecipe(
        network=name,
        curriculum=Curriculum(
            settings.training_snr_first, settings.training_snr_low, settings.training_snr_high
        ),
        validate_every=settings.validation_steps,
        **{
            key: getattr(settings, key)
            for key in (
                "steps", "batch_size", "learning_rate", "weight_decay", "dropout", "seed"
            )
        },
    )  # fmt: skip
    about = settings.model_dump(mode="json", exclude={"device", "precision", "campaign_weights"})
    training_id = content_hash([name, about, code, hashes_of([noise, training, validation])])
    machine = machine_of(settings.device, settings.precision, "chirp_search")
    examples = fixed_examples(
        read_signals(validation),
        noises["validation"],
        look,
        settings.compared_from_snr,
        settings.validation_windows,
        settings.seed,
        "validation",
    )
    with counted_steps(recipe.steps) as tell:
        fitted, task = train_chirp_network(
            read_signals(training),
            noises["training"],
            look,
            recipe,
            examples,
            Checkpoint(checkpoint, settings.checkpoint_steps, training_id),
            machine.device,
            machine.precision,
            tell,
        )
    write_curves(curves, name, task, fitted, settings.validation_steps, training_id)
    told = {"training": about, "machine": machine.to_json(), "best_step": fitted.best_step}
    write_chirp_network(weights, Trained(fitted.network, name, look), told)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        chirp_network(
            noise=Path(snakemake.input.noise),
            training=Path(snakemake.input.training),
            validation=Path(snakemake.input.validation),
            name=snakemake.wildcards.network,
            settings=ChirpSearchConfig.model_validate(snakemake.params.section),
            code=snakemake.params.code,
            threads=snakemake.threads,
            # No output, since outputs of a rule that fails are removed.
            checkpoint=Path(snakemake.output.weights).with_suffix(".checkpoint.pt"),
            weights=Path(snakemake.output.weights),
            curves=Path(snakemake.output.curves),
        )
