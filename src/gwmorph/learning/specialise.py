"""One encoder specialised in every way to one labelled set, and what each way says of others.

What is compared sees the same training, validation and test parts: boosted trees on the trigger
columns alone, a linear probe and perceptrons on the frozen encoder's vectors, and the encoder
fine-tuned as a whole.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import nn

from gwmorph.errors import ConfigError, TableError
from gwmorph.evidence.labelled import pictures_of
from gwmorph.evidence.real_strain import morphology_of, with_view
from gwmorph.learning.backbones import Backbone
from gwmorph.learning.boosting import balanced_trees
from gwmorph.learning.finetune import (
    FinetuneRecipe,
    NumberedPictures,
    Progress,
    backbone_logits,
    backbone_vectors,
    class_numbers,
    fine_tune,
    head_logits,
    train_head,
)
from gwmorph.learning.labelled_pictures import (
    TEST,
    TRAIN,
    TRIGGER_COLUMNS,
    VALIDATION,
    LabelledPictures,
)
from gwmorph.learning.loop import Checkpoint, curves_table
from gwmorph.learning.machine import Machine
from gwmorph.learning.probes import linear_probe, probed
from gwmorph.spectra.pictures import PictureScale
from gwmorph.tables.columns import EMBEDDING_SIZE
from gwmorph.tables.embeddings import embedding_column, of_width
from gwmorph.tables.finetune import (
    FINETUNE_FEATURES,
    FINETUNE_PREDICTIONS,
    FULL,
    PROBE,
    TRIGGERS,
)

Labels = NDArray[np.str_]
# By what, of which set, and the class of each of its pictures.
Said = tuple[str, str, Labels]


def head_name(layers: int) -> str:
    """Return what a head of so many layers is called in tables."""
    return f"head of {layers} layer{'' if layers == 1 else 's'}"


@dataclass(frozen=True)
class How:
    """How an encoder is specialised.

    Attributes
    ----------
    recipe
        Of every training.
    head_layers
        Layers of each head that is trained on frozen vectors.
    folds
        Of the cross-validation that chooses the probe's penalty.
    machine
        Where the whole encoder is trained.
    checkpoint
        Returns where the state of a training is kept, by its name.
    progress
        Is told each step's number and losses of the training of this name.
    """

    recipe: FinetuneRecipe
    head_layers: Sequence[int]
    folds: int
    machine: Machine
    checkpoint: Callable[[str], Checkpoint]
    progress: Callable[[str], Progress]


@dataclass(frozen=True)
class Specialised:
    """What became of an encoder.

    Attributes
    ----------
    predictions
        Rows of ``FINETUNE_PREDICTIONS``: of the test part and of every other set.
    curves
        Rows of ``CURVES``: of every training.
    features
        Rows of ``FINETUNE_FEATURES``: of the test part, before and after.
    about
        What the encoder was fine-tuned on, as JSON: the classes, pictures, and steps.
    """

    predictions: pa.Table
    curves: pa.Table
    features: pa.Table
    about: Mapping[str, Any]


def specialise(
    name: str,
    backbone: Backbone,
    pictures: LabelledPictures,
    sides: Labels,
    others: Mapping[str, LabelledPictures],
    how: How,
) -> Specialised:
    """Specialise an encoder to the training part; it is changed by it.

    Parameters
    ----------
    name
        Of the encoder, for the tables.
    pictures, sides
        A labelled set, and the part of each picture (`labelled_pictures.split`).
    others
        Other sets that what was trained is asked about, by name (`in_common`).

    Raises
    ------
    TrainingError
        A part is empty, or the training part has a single class; or as `loop.fit`.
    """
    parts = {side: pictures.of(sides == side) for side in (TRAIN, VALIDATION)}
    asked = {TEST: pictures.of(sides == TEST), **others}
    classes = sorted(set(parts[TRAIN].labels.tolist()))
    parts[VALIDATION] = _of_classes(parts[VALIDATION], classes)
    numbers = {side: class_numbers(part.labels, classes) for side, part in parts.items()}
    scale, device = pictures.scale, how.machine.device
    backbone.to(device)

    def vectors(part: LabelledPictures) -> NDArray[np.float32]:
        return backbone_vectors(backbone, part.pictures, scale_of(part, scale))

    frozen = {side: vectors(part) for side, part in parts.items()}
    before = {data: vectors(part) for data, part in asked.items()}
    said = _by_triggers(parts[TRAIN], asked, how.recipe.seed)
    probe = linear_probe(
        frozen[TRAIN], parts[TRAIN].labels, parts[TRAIN].groups, how.folds, how.recipe.seed
    )
    said += [(PROBE, data, probe.predict(probed(own))) for data, own in before.items() if len(own)]
    first, curves, by_heads = _by_heads(frozen, numbers, before, classes, how)
    said += by_heads
    whole, classifying = fine_tune(
        backbone,
        first,
        {side: NumberedPictures(part.pictures, numbers[side]) for side, part in parts.items()},
        scale,
        how.recipe,
        how.machine,
        how.checkpoint("full"),
        how.progress(FULL),
    )
    curves.append(curves_table(FULL, classifying, whole, how.recipe.validation_steps))
    said += [
        (
            FULL,
            data,
            _named(backbone_logits(whole.network, part.pictures, scale_of(part, scale)), classes),
        )
        for data, part in asked.items()
    ]
    test = asked[TEST]
    features = {"before": before[TEST], "after": vectors(test)}
    rows = np.flatnonzero(sides == TEST)
    return Specialised(
        _predictions(name, said, asked, rows),
        pa.concat_tables(curves),
        _features(features, rows, test.labels),
        {
            "classes": classes,
            "pictures": {side: len(part) for side, part in parts.items()},
            "glitches": {side: len(set(part.groups.tolist())) for side, part in parts.items()},
            "steps": whole.best_step,
        },
    )


def _by_triggers(
    training: LabelledPictures, asked: Mapping[str, LabelledPictures], seed: int
) -> list[Said]:
    """Return what the trigger columns alone say of each set that has them."""
    if training.triggers is None:
        return []
    trees = balanced_trees(training.triggers, training.labels, seed)
    return [
        (TRIGGERS, data, trees.predict(part.triggers))
        for data, part in asked.items()
        if part.triggers is not None
    ]


def _by_heads(
    frozen: Mapping[str, NDArray[np.float32]],
    numbers: Mapping[str, NDArray[np.int64]],
    before: Mapping[str, NDArray[np.float32]],
    classes: Sequence[str],
    how: How,
) -> tuple[nn.Module, list[pa.Table], list[Said]]:
    """Train heads on frozen vectors; return that of one layer, curves, and what they say.

    The head of one layer is trained whether it is asked for or not: full fine-tuning starts there.
    """
    heads = {}
    for layers in sorted({1, *how.head_layers}):
        named = head_name(layers)
        heads[layers] = train_head(
            frozen,
            numbers,
            layers,
            len(classes),
            how.recipe,
            how.checkpoint(f"head_{layers}"),
            how.progress(named),
        )
    wanted = {head_name(layers): heads[layers] for layers in heads if layers in how.head_layers}
    curves = [
        curves_table(named, task, fitted, how.recipe.validation_steps)
        for named, (fitted, task) in wanted.items()
    ]
    said = [
        (named, data, _named(head_logits(fitted.network, own), classes))
        for named, (fitted, _) in wanted.items()
        for data, own in before.items()
    ]
    return heads[1][0].network, curves, said


def scale_of(part: LabelledPictures, trained: PictureScale) -> PictureScale:
    """Return the scale that a set is read with: its own.

    Raises
    ------
    TableError
        The colours are others than those of the set that was trained on.
    """
    if part.scale.colormap != trained.colormap:
        raise TableError(
            f"finetune.transfer: pictures in the colours of {part.scale.colormap}, expected "
            f"{trained.colormap}: a network that sees colours would see other energies. Draw both "
            "sets with the same picture.colormap."
        )
    return part.scale


def _of_classes(part: LabelledPictures, classes: Sequence[str]) -> LabelledPictures:
    return part.of(np.isin(part.labels, classes))


def _named(logits: NDArray[np.float32], classes: Sequence[str]) -> Labels:
    return np.array(classes)[logits.argmax(axis=1)]


def _predictions(
    name: str,
    said: Sequence[Said],
    asked: Mapping[str, LabelledPictures],
    test: NDArray[np.int64],
) -> pa.Table:
    tables = [
        pa.table(
            {
                "backbone": [name] * len(given),
                "method": [method] * len(given),
                "data": [data] * len(given),
                "row": test if data == TEST else np.arange(len(given)),
                "group": asked[data].groups.tolist(),
                "label": asked[data].labels.tolist(),
                "predicted": given.tolist(),
            },
            schema=FINETUNE_PREDICTIONS,
        )
        for method, data, given in said
    ]
    return pa.concat_tables(tables)


def _features(
    features: Mapping[str, NDArray[np.float32]], rows: NDArray[np.int64], labels: Labels
) -> pa.Table:
    width = next(iter(features.values())).shape[1]
    schema = of_width(FINETUNE_FEATURES, width) if width != EMBEDDING_SIZE else FINETUNE_FEATURES
    return pa.concat_tables(
        pa.table(
            {
                "when": [when] * len(rows),
                "row": rows,
                "label": labels.tolist(),
                "embedding": embedding_column(vectors),
            },
            schema=schema,
        )
        for when, vectors in features.items()
    )


def in_common(
    other: LabelledPictures, names: Mapping[str, str], classes: Sequence[str], where: str
) -> LabelledPictures:
    """Return the pictures of another set whose class is one of ``classes``, under that name.

    Parameters
    ----------
    names
        For classes of the other set that are called otherwise here: the name here.
    where
        What set it is, for errors.

    Raises
    ------
    ConfigError
        ``names`` holds a class that the other set lacks, or one that is none of ``classes``; or
        the two sets have no class in common.
    """
    for what, given, known in (
        ("that set", names, other.classes),
        ("the set that is trained on", names.values(), classes),
    ):
        if unknown := sorted(set(given) - set(known)):
            raise ConfigError(
                f"finetune.transfer.classes: {', '.join(unknown)}: no such class in {what} "
                f"({', '.join(known)})."
            )
    labels = np.array([names.get(label, label) for label in other.labels.tolist()], str)
    common = np.isin(labels, list(classes))
    if not common.any():
        raise ConfigError(
            f"{where}: no class in common: it has {', '.join(other.classes)}, and what is trained "
            f"on {', '.join(classes)}. Say in finetune.transfer.classes which are the same."
        )
    chosen = other.of(common)
    return LabelledPictures(
        chosen.pictures, chosen.scale, labels[common], chosen.groups, chosen.gps_times,
        chosen.splits, chosen.durations_s, chosen.triggers,
    )  # fmt: skip


def real_glitches(
    glitches: pa.Table, scale: PictureScale, size: tuple[int, int]
) -> LabelledPictures:
    """Return the rows of ``REAL_STRAIN`` that have a view, classes named as populations do."""
    shown = with_view(glitches)
    unknown = np.full(len(shown), np.nan)
    return LabelledPictures(
        pictures_of(shown, size),
        scale,
        np.array([morphology_of(label) for label in shown["label"].to_pylist()], str),
        np.array(shown["name"].to_pylist(), str),
        unknown,
        np.full(len(shown), "", str),
        unknown,
        np.column_stack([shown[f"trigger_{name}"].to_numpy() for name in TRIGGER_COLUMNS]),
    )
