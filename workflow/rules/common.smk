# What rules share: the names of files, and the functions that tell a rule its inputs and params.

import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import gwmorph
from gwmorph.codehash import stage_hash
from gwmorph.grid import BLOCK_S, group_of
from gwmorph.storage import sha256_of_file
from gwmorph.strain.patterns import matching_files
from snakemake.io import contains_wildcard

SCRIPTS = Path(workflow.basedir) / "scripts"
SHIPPED_WEIGHTS = str(
    Path(gwmorph.__file__).parent / "encoders" / "indomain.safetensors"
)

# As many downloads at once as the configuration says, unless the command line says otherwise.
workflow.global_resources.setdefault("downloads", CONFIG.source.gwosc.max_downloads)

GROUP_S = CONFIG.encoder.blocks_per_job * BLOCK_S

RECEIPTS = "results/{run}/strain/{detector}/{block}.json"
LEDGER = (
    f"results/{{run}}/ledger/{{detector}}-GWMORPH_LEDGER-{{block}}-{BLOCK_S}.parquet"
)
MEASUREMENTS = f"results/{{run}}/measurements/{{detector}}-GWMORPH_MEASUREMENTS-{{block}}-{BLOCK_S}.parquet"
TRIGGERS = f"results/{{run}}/triggers/{{detector}}-GWMORPH_TRIGGERS-{{block}}-{BLOCK_S}.parquet"
# Folders of PNGs, or archives of them.
PACKED = ".zip" * (CONFIG.run.pictures == "zip")
EVENTS = (
    f"results/{{run}}/events/{{detector}}-GWMORPH_EVENTS-{{block}}-{BLOCK_S}{PACKED}"
)
PICTURES = f"results/{{run}}/pictures/{{detector}}-GWMORPH_PICTURES-{{block}}-{BLOCK_S}{PACKED}"
SHARD = f"results/{{run}}/embeddings/{{view}}/{{detector}}-GWMORPH_EMBEDDINGS-{{group}}-{GROUP_S}.parquet"
# Of candidates that the run's scores made events of.
ADMITTED_SHARD = "results/{run}/embeddings/event/admitted.parquet"
CLUSTERS = "results/{run}/clusters/{view}/clusters.parquet"
CLUSTER_SUMMARY = "results/{run}/clusters/{view}/cluster_summary.parquet"
SPACE = "results/{run}/clusters/{view}/space.parquet"
DIAGNOSTICS = "results/{run}/clusters/{view}/clustering.json"

QUIET = "results/{run}/quiet/{background}/{detector}.parquet"
SCORES = "results/{run}/scores.parquet"
TRIGGER_TABLE = "results/{run}/triggers.parquet"
ABOVE_LIMIT = "results/{run}/above_limit.parquet"

SCORED = CONFIG.score.background != "none"
VIEWS = CONFIG.clustering.views
# The view whose map stands beside the summary.
MAIN_VIEW = "event" if "event" in VIEWS else "window"
# What the block stage leaves for each view; an encoder reads all of it.
OUTPUTS = {
    "window": {"ledger": LEDGER, "measurements": MEASUREMENTS, "pictures": PICTURES},
    "event": {"triggers": TRIGGERS, "pictures": EVENTS},
}


wildcard_constraints:
    run=re.escape(RUN),
    detector="[A-Z][0-9]",
    block="[0-9]+",
    group="[0-9]+",
    view="window|event",


def keys(section, *omitted):
    """Return one section of the configuration as a param, without keys that change no result."""
    return getattr(CONFIG, section).model_dump(mode="json", exclude=set(omitted))


def untracked(value):
    """Return a param that changes no result and so reruns nothing: where files lie, say.

    Snakemake compares no params that are derived from others, which it takes one for that asks for
    the input.
    """
    return lambda wildcards, input: value


def code(rule):
    """Return the hash of all code of the package that a rule's script runs, as a param.

    It is made for rules that have jobs: of all rules it took a third of the start of Snakemake, which
    each job of a cluster waits for.
    """
    return lambda wildcards: hash_of_script(rule)


@cache
def hash_of_script(rule):
    return stage_hash(SCRIPTS / f"{rule}.py")


def kept(pattern):
    """Return what pictures are kept in, as an output of a rule."""
    return pattern if PACKED else directory(pattern)


def files_of_block(wildcards):
    """Return what the source offers for a block, as plain mappings."""
    offered = PLAN[wildcards.detector].files_of(int(wildcards.block))
    return [file.to_json() for file in offered]


def as_inputs(key, paths):
    """Return the paths of a key as inputs of a rule, unless a path would be read as a pattern."""
    paths = list(paths)
    for path in paths:
        if contains_wildcard(path):
            sys.exit(
                f"ConfigError: {key}: {path} has braces in its name, which Snakemake takes for a "
                "wildcard. Give it another name, or link to it by one."
            )
    return paths


def input_files(key, detector, patterns):
    """Return the strain files that a key names for a detector, as inputs of a rule.

    Their times do not count: the rule has their content among its params.
    """
    with one_message():
        found = matching_files(key, detector, patterns[detector])
        return ancient(as_inputs(key, found))


# Receipts tell where files lie in the cache, which may be moved; a user's own lie anywhere.
STRAIN_ROOT = "" if SOURCE == "directory" else CONFIG.source.cache


def reading_of_detector(wildcards):
    """Return how a directory source reads the files of one detector."""
    detector, directory = wildcards.detector, CONFIG.source.directory
    return {
        "format": directory.format,
        "channel": {d: name for d, name in directory.channel.items() if d == detector},
        "dataset": {d: name for d, name in directory.dataset.items() if d == detector},
    }


def receipts_around(wildcards):
    """Return the receipts that a block reads: its own and its direct neighbours'."""
    return receipts_of(wildcards.run, wildcards.detector, int(wildcards.block))


def receipts_of(run, detector, block):
    """Return the receipts of a block and of its direct neighbours."""
    blocks = PLAN[detector].neighbourhood(block)
    return expand(RECEIPTS, run=run, detector=detector, block=blocks)


def block_segments(wildcards):
    """Return the science segments that a block's job sees, as plain pairs."""
    segments = PLAN[wildcards.detector].block_segments(int(wildcards.block))
    return [[start, end] for start, end in segments]


def block_hash(wildcards):
    """Return the hash of everything in the plan that a block depends on."""
    return PLAN[wildcards.detector].block_hash(int(wildcards.block))


def names(wildcards):
    """Return the wildcards that every file of a detector has."""
    return {"run": wildcards.run, "detector": wildcards.detector}


@cache
def groups_of(detector):
    """Return the planned blocks of each of one detector's groups, sorted, by the group's start."""
    groups = defaultdict(list)
    for block in PLAN[detector].blocks:
        groups[group_of(block, CONFIG.encoder.blocks_per_job) * GROUP_S].append(block)
    return dict(groups)


def outputs_of_group(wildcards):
    """Return by name what all blocks of a group have for one view."""
    blocks = groups_of(wildcards.detector).get(int(wildcards.group), [])
    return {
        name: expand(pattern, block=blocks, **names(wildcards))
        for name, pattern in OUTPUTS[wildcards.view].items()
    }


def run_files(pattern):
    """Return the files of all blocks of the run."""
    return [
        pattern.format(run=RUN, detector=detector, block=block)
        for detector, plan in PLAN.items()
        for block in plan.blocks
    ]


def of_blocks(*patterns):
    """Return an input function: the files of all blocks of the run.

    Each job of a cluster reads all rules, but asks for the inputs of its own alone: lists of
    thousands of files are not made before somebody wants them.
    """
    return lambda wildcards: [
        file for pattern in patterns for file in run_files(pattern)
    ]


def pictures(wildcards):
    """Return the folders or archives of all pictures of one view."""
    return run_files(OUTPUTS[wildcards.view]["pictures"])


def merged_triggers(wildcards):
    """Return the run's triggers, which say what the events are."""
    return {"window": [], "event": [TRIGGER_TABLE]}[wildcards.view]


def shards_of(view):
    """Return the shards of one view of all groups of the run, and of its candidates."""
    of_groups = [
        SHARD.format(run=RUN, view=view, detector=detector, group=group)
        for detector in sorted(PLAN)
        for group in sorted(groups_of(detector))
    ]
    return of_groups + [ADMITTED_SHARD.format(run=RUN)] * (SCORED and view == "event")


def shards_of_run(view):
    """Return an input function: the shards of one view of all groups of the run."""
    return lambda wildcards: shards_of(view)


def shards(wildcards):
    """Return the shards of the view that a job is for."""
    return shards_of(wildcards.view)


def weights_of(encoder):
    """Return the local weights that an encoder reads, if it does."""
    named = {
        "dinov2": encoder.weights.path and f"{encoder.weights.path}/model.safetensors",
        "indomain": encoder.indomain.path or SHIPPED_WEIGHTS,
        "autoencoder": encoder.autoencoder.path,
    }.get(encoder.name)
    return [path for path in [named] if path and Path(path).exists()]


@cache
def content_of(path):
    """Return the SHA-256 of a file, read once."""
    return sha256_of_file(path)


def content_of_each(input_function):
    """Return a function for params: the content of what an input function returns."""
    return lambda wildcards: [content_of(path) for path in input_function(wildcards)]


def encoder_keys(encoder=CONFIG.encoder):
    """Return what an encoder's vectors depend on, by default the run's: keys, content of weights.

    Where weights lie, or come from, is not among it.
    """
    own = {
        "dinov2": {"weights", "runtime", "precision", "output"},
        "indomain": {"indomain"},
        "autoencoder": {"autoencoder"},
    }
    unused = {"blocks_per_job"}.union(*own.values()) - own.get(encoder.name, set())
    section = encoder.model_dump(mode="json", exclude=unused)
    for part in ("weights", "indomain", "autoencoder"):
        for name in ("path", "cache", "endpoint"):
            section.get(part, {}).pop(name, None)
    return section | {"content": [content_of(path) for path in weights_of(encoder)]}
