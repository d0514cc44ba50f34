"""Train the in-domain encoder on pairs of views; go on from a checkpoint if there is one."""

from collections.abc import Sequence
from pathlib import Path

import torch

from gwmorph.config import TrainingConfig
from gwmorph.encoders.crop_network import Architecture
from gwmorph.encoders.indomain import write_network
from gwmorph.joblog import JobLog
from gwmorph.learning.contrastive import Augmentation
from gwmorph.learning.contrastive_training import Recipe, losses_table, train
from gwmorph.learning.loop import Checkpoint, choose_device, choose_precision, counted_steps
from gwmorph.learning.pairs import read_pairs
from gwmorph.learning.sources import elements_without
from gwmorph.lineage import hashes_of
from gwmorph.storage import content_hash
from gwmorph.tables.parquet import write_table
from gwmorph.tables.training import LOSSES


def contrast(
    pairs: Sequence[Path],
    settings: TrainingConfig,
    code: str,
    threads: int,
    checkpoint: Path,
    weights: Path,
    losses: Path,
) -> None:
    torch.set_num_threads(threads)
    about = settings.model_dump(
        mode="json", exclude={"parts", "windows_per_part", "noise_windows", "device", "precision"}
    )
    # A checkpoint of another device or precision is taken up, too, though the result then has
    # other bytes.
    training = content_hash([about, code, hashes_of(pairs)])
    device = choose_device(settings.device, "training")
    precision = choose_precision(settings.precision, device, "training")
    recipe = Recipe(**{name: about[name] for name in Recipe.__dataclass_fields__})
    with counted_steps(recipe.steps) as tell:
        network, found = train(
            read_pairs(pairs),
            recipe,
            Architecture(),
            Augmentation(),
            Checkpoint(checkpoint, settings.checkpoint_steps, training),
            device,
            precision,
            tell,
        )
    rows = losses_table(found)
    write_table(losses, LOSSES, rows, {"gwmorph.training": training})
    machine = {"device": device.type, "precision": str(precision).removeprefix("torch.")}
    about["elements"] = elements_without(settings.excluded)
    write_network(weights, network, {"training": about, "machine": machine})
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        contrast(
            pairs=[Path(path) for path in [*snakemake.input.pairs, *snakemake.input.noise_pairs]],
            settings=TrainingConfig.model_validate(snakemake.params.section),
            code=snakemake.params.code,
            threads=snakemake.threads,
            # No output, since outputs of a rule that fails are removed.
            checkpoint=Path(snakemake.output.weights).with_name("checkpoint.pt"),
            weights=Path(snakemake.output.weights),
            losses=Path(snakemake.output.losses),
        )
