# What the rules of classifiers share: the names of their files, and the functions that tell a rule
# its inputs and params.

import re
from itertools import product

SUPERVISED = CONFIG.supervised
TRAINING_FOLDER = "results/{run}/supervised/trainings/{trained}"
CLASSIFIER = f"{TRAINING_FOLDER}/classifier.safetensors"
PREDICTED = f"{TRAINING_FOLDER}/predictions.parquet"
CLASSIFIER_CURVES = f"{TRAINING_FOLDER}/curves.parquet"
CLASSIFIER_FACTS = f"{TRAINING_FOLDER}/facts.json"
# Time is no result: this file differs from run to run.
CLASSIFIER_COST = f"{TRAINING_FOLDER}/cost.json"
BOOSTED = "results/{run}/supervised/triggers/{split}.parquet"
BOOSTED_FACTS = "results/{run}/supervised/triggers/{split}.json"
ACCURACY = "results/{run}/supervised/accuracy.parquet"
JOINED_CURVES = "results/{run}/supervised/curves.parquet"
# Every training by its name, which says in what it differs from the others.
CLASSIFIERS = {
    f"{network}-{batch}-{window}-{split}": {
        "network": network,
        "batch_size": batch,
        "window": window,
        "split": split,
    }
    for split, window, network, batch in product(
        SUPERVISED.splits,
        SUPERVISED.windows,
        SUPERVISED.networks,
        SUPERVISED.batch_sizes,
    )
}

CLASSIFIER_NAMES = "|".join(map(re.escape, CLASSIFIERS))


def supervised_files():
    """Return what classifiers are trained for."""
    folder = f"results/{RUN}/supervised"
    shown = ["classifiers.html", "curves.svg", "confusion.svg", "mistakes.png"]
    return [f"{folder}/{name}" for name in shown]


def training_named(wildcards):
    """Return what one training is of, by its name."""
    return CLASSIFIERS[wildcards.trained]


def pictures_of_training(wildcards):
    """Return the labelled pictures that a training is of."""
    window = training_named(wildcards)["window"]
    return LABELLED_PICTURES.format(run=wildcards.run, window=window)


def classifier_recipe():
    """Return how every classifier is trained."""
    own = SUPERVISED.model_dump(
        mode="json",
        exclude={
            "networks",
            "batch_sizes",
            "windows",
            "splits",
            "weights",
            "mistakes",
            "augmentation",
        },
    )
    return {**own, "augmented": SUPERVISED.augmentation == "views"}


def start_of(wildcards):
    """Return the file of weights that a training begins with, if one is named."""
    from gwmorph.learning.networks import weights_file

    if SUPERVISED.weights is None:
        return []
    with one_message():
        file = weights_file(SUPERVISED.weights, training_named(wildcards)["network"])
    return ancient(as_inputs("supervised.weights", [str(file)]))


def of_all_trainings(pattern):
    """Return a file of every training."""
    return expand(pattern, trained=CLASSIFIERS, allow_missing=True)


def of_all_classifiers(pattern, boosted):
    """Return an input function for a file of every training, and of the trigger columns alone.

    The latter are where the source has such columns.
    """

    def files(wildcards):
        found = expand(pattern, run=wildcards.run, trained=CLASSIFIERS)
        alone = expand(boosted, run=wildcards.run, split=SUPERVISED.splits)
        return found + alone * learning_has_triggers()

    return files
