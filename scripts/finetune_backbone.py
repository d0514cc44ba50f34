"""Specialise one encoder to labelled pictures; go on from checkpoints if there are some."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gwmorph.config import FinetuneConfig
from gwmorph.inputs import files_of
from gwmorph.joblog import JobLog
from gwmorph.learning.backbones import Backbone, IndomainBackbone, TransformerBackbone
from gwmorph.learning.finetune import FinetuneRecipe, checkpoint_of
from gwmorph.learning.labelled_pictures import (
    TRAIN,
    LabelledPictures,
    in_window,
    read_labelled_pictures,
    split,
    window_seconds,
)
from gwmorph.learning.machine import machine_of
from gwmorph.learning.specialise import How, in_common, real_glitches, specialise
from gwmorph.lineage import hashes_of, lineage
from gwmorph.progress import counting
from gwmorph.storage import content_hash
from gwmorph.tables.comparison import REAL_STRAIN
from gwmorph.tables.finetune import FINETUNE_PREDICTIONS
from gwmorph.tables.parquet import read_table, shared_metadata, write_table
from gwmorph.tables.training import CURVES

_NOT_OF_TRAININGS = {"backbones", "transformers", "maps", "few_shot_penalty"}


def finetune_backbone(
    name: str,
    weights: Path,
    pictures: Path,
    others: Sequence[Path],
    real_strain: Sequence[Path],
    settings: FinetuneConfig,
    learning: Mapping[str, Any],
    code: str,
    threads: int,
    outputs: Mapping[str, Path],
) -> None:
    torch.set_num_threads(threads)
    labelled = read_labelled_pictures(pictures)
    fractions = (learning["validation_fraction"], learning["test_fraction"])
    sides = split(labelled, settings.split, fractions, learning["seed"])
    classes = sorted(set(labelled.labels[sides == TRAIN].tolist()))
    asked = other_sets(labelled, others, real_strain, settings, classes)
    backbone = backbone_of(name, weights, window_seconds(settings.window))
    about = {
        "backbone": name,
        "seed": learning["seed"],
        "fractions": fractions,
        **settings.model_dump(mode="json", exclude=_NOT_OF_TRAININGS),
    }
    training = content_hash([about, code, backbone.sha256, hashes_of([pictures])])
    machine = machine_of(learning["device"], learning["precision"], "learning")
    folder = outputs["encoder"].parent
    recipe = FinetuneRecipe(
        seed=learning["seed"],
        **{
            name: getattr(settings, name)
            for name in set(FinetuneRecipe.__dataclass_fields__) - {"seed"}
        },
    )
    with counting("training steps", None) as progress:
        how = How(
            recipe,
            settings.head_layers,
            settings.folds,
            machine,
            partial(checkpoint_of, folder, every=learning["checkpoint_steps"], training=training),
            lambda name: lambda step, parts: progress.add(1),
        )
        found = specialise(name, backbone, labelled, sides, asked, how)
    metadata = {
        **lineage(about, hashes_of([pictures, *others, *real_strain])),
        **shared_metadata([pictures], ["gwmorph.render_id"]),
        "gwmorph.training": training,
        "gwmorph.weights_sha256": backbone.sha256,
    }
    write_table(outputs["predictions"], FINETUNE_PREDICTIONS, found.predictions, metadata)
    write_table(outputs["curves"], CURVES, found.curves, metadata)
    write_table(outputs["features"], found.features.schema, found.features, metadata)
    told = {
        **about,
        **found.about,
        "weights": backbone.sha256,
        "trained_on": hashes_of([pictures]),
    }
    backbone.write(outputs["encoder"], told)
    for path in folder.glob("checkpoint_*.pt"):
        path.unlink()


def backbone_of(name: str, weights: Path, duration_s: float | None) -> Backbone:
    if name == "indomain":
        return IndomainBackbone(weights, duration_s)
    return TransformerBackbone(weights.parent)


def other_sets(
    labelled: LabelledPictures,
    others: Sequence[Path],
    real_strain: Sequence[Path],
    settings: FinetuneConfig,
    classes: Sequence[str],
) -> dict[str, LabelledPictures]:
    """Return by its name each other set, with the classes that both have."""
    found = {}
    for path in others:
        other = read_labelled_pictures(path)
        found["transfer"] = in_common(other, settings.transfer.classes, classes, str(path))
    for path in real_strain:
        size = labelled.pictures.shape[1:]
        views = real_glitches(read_table(path, REAL_STRAIN), labelled.scale, (size[0], size[1]))
        views = in_window(views, settings.window)
        if set(views.labels.tolist()) & set(classes):
            found["real glitches"] = in_common(views, {}, classes, str(path))
    return found


if __name__ == "__main__":
    with JobLog(snakemake.log[0], snakemake.input, snakemake.output):
        finetune_backbone(
            name=snakemake.wildcards.backbone,
            weights=files_of(snakemake.input, "weights")[0],
            pictures=Path(snakemake.input.pictures),
            others=files_of(snakemake.input, "others"),
            real_strain=files_of(snakemake.input, "real_strain"),
            settings=FinetuneConfig.model_validate(snakemake.params.section),
            learning=snakemake.params.learning,
            code=snakemake.params.code,
            threads=snakemake.threads,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
