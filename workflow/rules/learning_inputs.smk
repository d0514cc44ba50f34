# What the rules of learning from labels share: the names of their files, and the functions that tell
# a rule its inputs and params.

import sys
from functools import cache
from pathlib import Path

LEARNING = CONFIG.learning
LEARNED = f"results/{RUN}/learning"
LEARNING_VIEWS = "results/{run}/learning/views/{morphology}.parquet"
LABELLED_PICTURES = "results/{run}/learning/pictures/{window}.parquet"


def picture_tables(windows):
    """Return the labelled pictures of some windows."""
    return expand(LABELLED_PICTURES, run=RUN, window=windows)


def picture_sources(wildcards):
    """Return by name what labelled pictures are taken from."""
    if LEARNING.source == "simulated":
        classes = LEARNING.classes
        return {"views": expand(LEARNING_VIEWS, run=wildcards.run, morphology=classes)}
    if LEARNING.source == "run":
        return labelled_events()
    return {**stored_pictures(wildcards), "metadata": release_table()}


def stored_pictures(wildcards):
    """Return the files of a release that show one window length, or all of them."""
    if LEARNING.source == "hdf5":
        return {"stored": as_inputs("learning.hdf5", [LEARNING.hdf5])}
    seconds = {"all": "*", "1": "1*", "2": "2*", "4": "4*"}.get(
        wildcards.window, wildcards.window
    )
    pattern = f"*_spectrogram_{seconds}.png"
    found = [
        *Path(LEARNING.folder).glob(f"*/{pattern}"),
        *Path(LEARNING.folder).glob(f"*/*/{pattern}"),
    ]
    return {"stored": as_inputs("learning.folder", sorted(map(str, found)))}


def release_table():
    """Return the table of metadata that is named, or lies beside a release's pictures."""
    from gwmorph.learning.picture_sources import metadata_beside

    beside = (
        LEARNING.folder if LEARNING.source == "folder" else Path(LEARNING.hdf5).parent
    )
    with one_message():
        found = metadata_beside(beside, LEARNING.metadata)
    return as_inputs("learning.metadata", [str(found)] if found else [])


@cache
def learning_has_triggers():
    """Return whether labelled pictures come with trigger columns."""
    from gwmorph.learning.picture_sources import has_triggers

    if LEARNING.source in ("simulated", "run"):
        return True
    with one_message():
        return any(has_triggers(path) for path in release_table())


def labelled_events():
    """Return the events of a run, with their pictures, and what gives them a class."""
    labels = as_inputs("validation.similarity.labels", given_labels(None))
    if LEARNING.run is None:
        return {
            "triggers": TRIGGER_TABLE.format(run=RUN),
            "events": run_files(EVENTS),
            "labels": labels,
            "truth": [] if labels else truth_files(),
        }
    from gwmorph.picture_files import containers_in

    folder = Path(LEARNING.run)
    if not (folder / "triggers.parquet").is_file():
        sys.exit(
            f"ConfigError: learning.run: {folder} has no triggers.parquet; name the folder of a "
            "finished run, results/NAME."
        )
    truth = folder / "truth.parquet"
    return {
        "triggers": str(folder / "triggers.parquet"),
        "events": list(map(str, containers_in(folder / "events"))),
        "labels": labels,
        "truth": [str(truth)] if truth.exists() and not labels else [],
    }
